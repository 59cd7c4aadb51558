//! What a direct convolution multiplies: numbers in single precision, or pairs of bfloat16 numbers.
//!
//! A pair takes the place of one number in maps and in packed weights, so that all that changes is that there are half as
//! many channels, and the instruction that multiplies.

use crate::simd::{Bfloat16, Bfloat16Kernel};
use half::bf16;

/// How source channels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// One channel in single precision.
    Single,
    /// Two neighbouring channels in bfloat16, of an instruction set that multiplies these ([`Bfloat16`]).
    Pair,
}

impl Number {
    /// Channels in one.
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Pair => 2,
        }
    }
}

/// Two numbers, rounded to nearest even.
pub(super) fn pair(first: f32, second: f32) -> f32 {
    let [first, second] = [first, second].map(|x| u32::from(bf16::from_f32(x).to_bits()));
    f32::from_bits(second << 16 | first)
}

/// Rounds numbers and joins neighbours to pairs, which lie in the first half of the slice then.
pub(super) struct RoundPairs<'a>(pub(super) &'a mut [f32]);

impl Bfloat16Kernel for RoundPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Bfloat16>(self, simd: S) {
        let numbers = self.0;
        let pairs = numbers.len() / 2;
        for place in (0..pairs).step_by(S::LANES) {
            let rest = &numbers[2 * place..];
            let (first, second) = rest.split_at(S::LANES.min(rest.len()));
            let rounded = simd.round_pairs(simd.load_partial(first), simd.load_partial(second));
            simd.store_partial(rounded, &mut numbers[place..pairs]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Backend;
    use std::vec::Vec;

    #[test]
    fn numbers_are_rounded_as_one_by_one() {
        let special = [0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE];
        // Halfway between two neighbours, and next to that.
        let halves = (0x3f80_0000..0x3f90_0000).step_by(0x8000).flat_map(|bits: u32| [bits - 1, bits, bits + 1]);
        let numbers: Vec<f32> = special.into_iter().chain(halves.map(f32::from_bits)).collect();
        for backend in Backend::available().filter(|backend| backend.has_bfloat16()) {
            for count in [0, 2, 6, 16, 30, 32, 34, 38, 64, 90, numbers.len() / 2 * 2] {
                let mut rounded = numbers[..count].to_vec();
                backend.run_bfloat16(RoundPairs(&mut rounded)).unwrap();
                let expected: Vec<u32> = numbers[..count].chunks(2).map(|x| pair(x[0], x[1]).to_bits()).collect();
                let rounded: Vec<u32> = rounded[..count / 2].iter().map(|pair| pair.to_bits()).collect();
                assert_eq!(rounded, expected, "{} {count}", backend.name());
            }
        }
    }
}
