//! Which numbers are above 0, a bit each: what a rectifier passes on.

use crate::simd::{Backend, Kernel, Simd};

/// Bits in a word of a pattern.
pub const WORD: usize = 64;

/// Words of the pattern of `units` numbers.
pub const fn pattern_len(units: usize) -> usize {
    units.div_ceil(WORD)
}

/// Writes which of `values` are above 0, a bit each from the lowest on; the rest of the last word is 0. NaN is not
/// above 0; returns whether there was none.
pub fn pattern(backend: Backend, values: &[f32], words: &mut [u64]) -> bool {
    backend.run(Pattern { values, words })
}

/// [`pattern`]
struct Pattern<'a> {
    values: &'a [f32],
    words: &'a mut [u64],
}

impl Kernel for Pattern<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> bool {
        // Half words, which compilers fill by vectors.
        const HALF: usize = WORD / 2;
        // Magnitudes are ordered like their bits, NaN above all numbers.
        let magnitude = |value: f32| value.to_bits() & !(1 << 31);
        let mut largest = 0;
        for (values, word) in self.values.chunks(WORD).zip(self.words) {
            largest = values.iter().fold(
                largest,
                #[inline(always)]
                |largest: u32, &value| largest.max(magnitude(value)),
            );
            let mut halves = [0u32; 2];
            for (values, half) in values.chunks(HALF).zip(&mut halves) {
                match <&[f32; HALF]>::try_from(values) {
                    Ok(values) => (0..HALF).for_each(
                        #[inline(always)]
                        |bit| *half |= u32::from(values[bit] > 0.0) << bit,
                    ),
                    Err(_) => (0..values.len()).for_each(
                        #[inline(always)]
                        |bit| *half |= u32::from(values[bit] > 0.0) << bit,
                    ),
                }
            }
            *word = u64::from(halves[0]) | u64::from(halves[1]) << HALF;
        }
        largest <= magnitude(f32::INFINITY)
    }
}

/// Writes 1 for each bit of a [`pattern`] that is set and 0 for each other one to `mask`, and multiplies `values` by that.
pub fn follow(backend: Backend, words: &[u64], values: &mut [f32], mask: &mut [f32]) {
    backend.run(Follow { words, values, mask });
}

/// [`follow`]
struct Follow<'a> {
    words: &'a [u64],
    values: &'a mut [f32],
    mask: &'a mut [f32],
}

impl Kernel for Follow<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        // Half words, whose bits are as many as vectors of single precision divide.
        const HALF: usize = WORD / 2;
        let halves = self.words.iter().flat_map(
            #[inline(always)]
            |&word| [word as u32, (word >> HALF) as u32],
        );
        for ((half, values), mask) in halves.zip(self.values.chunks_mut(HALF)).zip(self.mask.chunks_mut(HALF)) {
            for (bit, (value, mask)) in values.iter_mut().zip(mask).enumerate() {
                *mask = (half >> bit & 1) as f32;
                *value *= *mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use std::vec;
    use std::vec::Vec;

    fn numbers(len: usize, seed: u64) -> Vec<f32> {
        let mut rng = generator(seed);
        (0..len).map(|_| below(&mut rng, 9) as f32 - 4.0).collect()
    }

    #[test]
    fn what_is_noted_is_followed() {
        for backend in Backend::available() {
            for len in [0, 1, 5, 31, 32, 33, 63, 64, 65, 95, 96, 97, 128, 1000] {
                let mut values = numbers(len, 1);
                values.iter_mut().step_by(7).for_each(|value| *value = 0.0);
                values.iter_mut().skip(3).step_by(31).for_each(|value| *value = f32::NAN);
                let mut words = vec![u64::MAX; pattern_len(len)];
                assert!(pattern(backend, &vec![f32::NEG_INFINITY; len], &mut words));
                assert_eq!(pattern(backend, &values, &mut words), !values.iter().any(|value| value.is_nan()), "{len}");
                for (i, value) in values.iter().enumerate() {
                    assert_eq!(words[i / WORD] >> (i % WORD) & 1 == 1, *value > 0.0, "{} of {len}", i);
                }
                let bits: u32 = words.iter().map(|word| word.count_ones()).sum();
                assert_eq!(bits as usize, values.iter().filter(|value| **value > 0.0).count());
                let (mut others, mut mask) = (numbers(len, 2), vec![f32::NAN; len]);
                let before = others.clone();
                follow(backend, &words, &mut others, &mut mask);
                for i in 0..len {
                    let passes = values[i] > 0.0;
                    assert_eq!(
                        (mask[i], others[i]),
                        if passes { (1.0, before[i]) } else { (0.0, 0.0) },
                        "{i} of {len}"
                    );
                }
            }
        }
    }
}
