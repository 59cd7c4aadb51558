//! The size of a matrix's numbers, and the power of two that brings them near one.

/// Exponent bits of an infinity or a NaN: the bits of every finite magnitude are smaller.
const NOT_FINITE: u64 = f64::INFINITY.to_bits();

/// The largest magnitude, or `None` if any number is infinite or NaN. 0 for an empty slice.
pub(super) fn largest_magnitude(x: &[f64]) -> Option<f64> {
    // Ordered as integers, magnitudes compare like the numbers and nothing hides a NaN.
    const LANES: usize = 8;
    let mut lanes = [0u64; LANES];
    let chunks = x.chunks_exact(LANES);
    for (lane, value) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane = value.abs().to_bits();
    }
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].max(chunk[lane].abs().to_bits());
        }
    }
    let largest = lanes.into_iter().fold(0, u64::max);
    (largest < NOT_FINITE).then(|| f64::from_bits(largest))
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
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_largest_magnitude_anywhere() {
        for len in 0..40 {
            for at in 0..len {
                let mut x = std::vec![0.5; len];
                x[at] = -3.0;
                assert_eq!(largest_magnitude(&x), Some(3.0));
                for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    x[at] = bad;
                    assert_eq!(largest_magnitude(&x), None, "{bad} at {at} of {len}");
                }
            }
        }
        assert_eq!(largest_magnitude(&[]), Some(0.0));
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
