//! Where random numbers come from: a function of (seed, stream, node, element), never of call order.
//!
//! Searches and samplers draw from a [`Generator`] they own. Random *tensors* are filled by
//! [`crate::tensor::random`] from a [`Key`] that names the tensor.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// The sequential generator behind sampling and mutation: xoshiro256++.
pub type Generator = rand_xoshiro::Xoshiro256PlusPlus;

/// A generator for sampling and mutation, seeded with one number.
pub fn generator(seed: u64) -> Generator {
    Generator::seed_from_u64(seed)
}

/// A uniform integer in `0..bound` without bias (multiply-and-reject, Lemire 2019). `bound` 0 counts as 1.
pub fn below<R: Rng + ?Sized>(rng: &mut R, bound: u64) -> u64 {
    let bound = bound.max(1);
    // Values of the low half below this threshold would make some results more likely than others.
    let threshold = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

/// The seed of one of several repeats; the first repeat has the seed itself.
pub fn repeat_seed(seed: u64, repeat: u32) -> u64 {
    if repeat == 0 { seed } else { SplitMix64::seed_from_u64(seed ^ u64::from(repeat).rotate_left(32)).next_u64() }
}

/// What a random tensor is for. Tensors of different streams are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// The input batch.
    Input = 1,
    /// The ±1 vectors pulled back through each block.
    Direction = 2,
    /// The weights of the network.
    Weight = 3,
    /// The classes of the input batch.
    Labels = 4,
}

/// The name of one random tensor; equal keys mean equal tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key of the tensor of `node` in `block` for `stream`. Two networks that share a block position and
    /// a node number share that node's draws, whatever else differs between them.
    pub fn new(seed: u64, stream: Stream, block: u32, node: u32) -> Self {
        // Each word passes through SplitMix64's finaliser, so that neighbouring names land far apart.
        let place = (u64::from(block) << 32) | u64::from(node);
        let mut state = seed;
        for word in [stream as u64, place] {
            state = SplitMix64::seed_from_u64(state ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next_u64();
        }
        Self(state)
    }

    /// The key of one of the parts that a tensor is drawn in, so that a part does not depend on the size of the others.
    pub fn part(self, part: u64) -> Self {
        Self(SplitMix64::seed_from_u64(self.0 ^ (part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).next_u64())
    }

    /// The seed of one lane of the tensor's generator.
    pub(crate) fn lane(self, lane: u64) -> [u64; 4] {
        let mut mixer = SplitMix64::seed_from_u64(self.0.wrapping_add(lane.wrapping_mul(0xd1b5_4a32_d192_ed03)));
        [mixer.next_u64(), mixer.next_u64(), mixer.next_u64(), mixer.next_u64()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_is_uniform_and_in_range() {
        let mut rng = generator(7);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[below(&mut rng, 6) as usize] += 1;
        }
        // 5 standard deviations of a binomial count of 10^4.
        assert!(counts.iter().all(|&c| c.abs_diff(10_000) < 460), "{counts:?}");
        assert_eq!(below(&mut rng, 0), 0);
        assert_eq!(below(&mut rng, 1), 0);
    }

    #[test]
    fn keys_differ_in_every_part() {
        let base = Key::new(1, Stream::Weight, 2, 3);
        for other in [
            Key::new(2, Stream::Weight, 2, 3),
            Key::new(1, Stream::Input, 2, 3),
            Key::new(1, Stream::Weight, 3, 3),
            Key::new(1, Stream::Weight, 2, 4),
            Key::new(1, Stream::Weight, 3, 2),
            base.part(0),
            base.part(1),
            base.part(0).part(0),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(base.part(0), base.part(1));
        assert_eq!(base, Key::new(1, Stream::Weight, 2, 3));
        assert_ne!(base.lane(0), base.lane(1));
    }
}
