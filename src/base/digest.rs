//! What something depends on, as a number.

use core::hash::Hasher;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// 128 bits of everything that was fed: two chains of SplitMix64's finaliser, a bijection, so that sequences that differ in one
/// word never meet and others do in both chains at once by chance only, with probability 2⁻¹²⁸.
pub(crate) struct Digest([u64; 2]);

impl Digest {
    /// The digest of what `feed` adds to an earlier one.
    pub(crate) fn of(earlier: [u64; 2], feed: impl FnOnce(&mut Self)) -> [u64; 2] {
        let mut digest = Self(earlier);
        feed(&mut digest);
        digest.0
    }

    fn absorb(&mut self, word: u64) {
        let mixed = |state: u64| SplitMix64::seed_from_u64(state).next_u64();
        self.0 = [mixed(self.0[0] ^ word), mixed(self.0[1] ^ word.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15)];
    }
}

/// Where to look for a digest in a table of `len` places.
pub(crate) fn place(digest: [u64; 2], len: usize) -> usize {
    // The upper half of the product is as even as a remainder and takes no division.
    ((u128::from(digest[0]) * len as u128) >> 64) as usize
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0[0]
    }

    fn write(&mut self, bytes: &[u8]) {
        self.absorb(bytes.len() as u64);
        for part in bytes.chunks(size_of::<u64>()) {
            let mut word = [0; size_of::<u64>()];
            word[..part.len()].copy_from_slice(part);
            self.absorb(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.absorb(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.absorb(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.absorb(word as u64);
    }
}
