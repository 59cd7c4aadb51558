//! The size of a matrix's numbers, and the power of two that brings them near one.

use crate::simd::{Backend, Kernel, Simd};

/// The largest magnitude, or `None` if any number is infinite or NaN. 0 for an empty slice.
pub(super) fn largest_magnitude(backend: Backend, x: &[f64]) -> Option<f64> {
    let largest = backend.run(LargestMagnitude(x));
    largest.is_finite().then_some(largest)
}

/// The largest magnitude, where a NaN is larger than infinity.
struct LargestMagnitude<'a>(&'a [f64]);

impl Kernel for LargestMagnitude<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        // Ordered as integers, magnitudes compare like the numbers and nothing hides a NaN.
        const LANES: usize = 16;
        let mut lanes = [0i64; LANES];
        let chunks = self.0.chunks_exact(LANES);
        for (lane, value) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane = magnitude_bits(*value);
        }
        for chunk in chunks {
            for lane in 0..LANES {
                lanes[lane] = lanes[lane].max(magnitude_bits(chunk[lane]));
            }
        }
        let mut largest = 0;
        for lane in lanes {
            largest = largest.max(lane);
        }
        f64::from_bits(largest as u64)
    }
}

/// The bits of `|x|`, never negative.
#[inline(always)]
fn magnitude_bits(x: f64) -> i64 {
    (x.to_bits() & (u64::MAX >> 1)) as i64
}

/// The power of two, and its inverse, that brings the largest magnitude of a matrix near one, so that the powers of
/// its elements that the solvers form neither overflow nor vanish.
pub(super) fn scale(magnitude: f64) -> (f64, f64) {
    if magnitude == 0.0 {
        return (1.0, 1.0);
    }
    // Both the factor and its inverse must be normal numbers, hence the clamp: a magnitude at either end of the range
    // comes within 2^-52 … 4 of one, which is near enough.
    let exponent = ((magnitude.to_bits() >> 52) as i64 - 1023).clamp(-1022, 1022);
    (power_of_two(-exponent), power_of_two(exponent))
}

/// `2^exponent` for an exponent of a normal number.
pub(super) const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_largest_magnitude_anywhere() {
        for backend in Backend::available() {
            for len in [1, 7, 31, 32, 33, 63, 64, 70] {
                for at in 0..len {
                    let mut x = std::vec![0.5; len];
                    x[at] = -3.0;
                    assert_eq!(largest_magnitude(backend, &x), Some(3.0));
                    for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        x[at] = bad;
                        assert_eq!(largest_magnitude(backend, &x), None, "{bad} at {at} of {len}");
                    }
                }
            }
            assert_eq!(largest_magnitude(backend, &[]), Some(0.0));
        }
    }

    #[test]
    fn scales_exactly_and_into_range() {
        for magnitude in [f64::MAX, 1e300, 1e13, 1.0, 1e-12, 1e-13, 1e-150, f64::MIN_POSITIVE, 5e-324] {
            let (factor, inverse) = scale(magnitude);
            assert_eq!(factor * inverse, 1.0, "{magnitude}");
            let scaled = magnitude * factor;
            assert!((1e-16..=4.0).contains(&scaled), "{magnitude} becomes {scaled}");
            assert_eq!(scaled * inverse, magnitude);
        }
        assert_eq!(scale(0.0), (1.0, 1.0));
    }
}
