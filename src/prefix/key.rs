//! What a block's feature and scores depend on, as a number.

use crate::graph::{Block, Distribution, Draw, Node};
use crate::options::Options;
use crate::score::want;
use core::hash::{Hash, Hasher};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// A digest of 128 bits of the options and of all blocks up to one. Two different prefixes have the same with
/// probability 2⁻¹²⁸.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u64; 2]);

impl Key {
    /// The key of no prefix.
    pub(super) const NONE: Self = Self([0; 2]);

    /// The key before the first block, in one repeat.
    pub(super) fn of(options: &Options) -> Self {
        // Taken apart so that an option that is added has to be thought about.
        // A block says its shape itself, another repeat has another seed, and proxies matter by what they want.
        let Options {
            batch: _,
            height: _,
            width: _,
            seed,
            initialisation,
            repeats: _,
            sigma,
            entropy,
            proxies: _,
            backend,
            algorithm,
        } = *options;
        Self::NONE.digest(|state| (seed, initialisation, sigma, entropy, want(options), backend, algorithm).hash(state))
    }

    /// The key after one more block.
    pub(super) fn then(self, block: &Block) -> Self {
        self.digest(|state| {
            (block.index(), block.output(), block.nodes().len()).hash(state);
            block.nodes().iter().for_each(|node| hash_node(node, state));
        })
    }

    /// Where to look in a table of `len` places.
    pub(super) fn place(self, len: usize) -> usize {
        // The upper half of the product is as even as a remainder and takes no division.
        ((u128::from(self.0[0]) * len as u128) >> 64) as usize
    }

    fn digest(self, feed: impl FnOnce(&mut Digest)) -> Self {
        let mut digest = Digest(self.0);
        feed(&mut digest);
        Self(digest.0)
    }
}

fn hash_node(node: &Node, state: &mut impl Hasher) {
    (node.op, node.shape, node.key, node.inputs()).hash(state);
    node.draw.is_some().hash(state);
    if let Some(Draw { distribution, bias, interleave, salt }) = node.draw {
        (bias, interleave, salt).hash(state);
        match distribution {
            Distribution::Normal { deviation } => (0, deviation.to_bits()).hash(state),
            Distribution::Uniform { half_width } => (1, half_width.to_bits()).hash(state),
        }
    }
}

/// Two chains of SplitMix64's finaliser, a bijection, so that sequences that differ in one word never meet and
/// others do in both chains at once by chance only.
struct Digest([u64; 2]);

impl Digest {
    fn absorb(&mut self, word: u64) {
        let mixed = |state: u64| SplitMix64::seed_from_u64(state).next_u64();
        self.0 = [mixed(self.0[0] ^ word), mixed(self.0[1] ^ word.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15)];
    }
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
