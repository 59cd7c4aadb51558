//! Transcendental functions without a standard library.
//!
//! Everything that leaves the four basic operations goes through here, to `libm`: errors below 1 ULP. What processors
//! have instructions for is the business of [`crate::simd`]: square roots, and whether to fuse a product with a sum, which
//! is slow without.
//!
//! The feature `micromath` approximates the one logarithm that is taken many times a score, in single precision: on a
//! microcontroller a logarithm of double precision is thousands of instructions of software. Nothing that ranks or
//! draws random numbers changes.

use super::SMALL;

/// Natural logarithm.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Natural logarithm of a share `0 < x ≤ 1` of a sum, for entropies. With the feature `micromath` of single precision,
/// its absolute error below 1e-4; otherwise [`ln`].
#[inline]
pub fn ln_of_share(x: f64) -> f64 {
    #[cfg(feature = "micromath")]
    // Its reciprocal is a rough guess: it is given an argument that needs none.
    return -f64::from(micromath::F32Ext::ln(1.0 / x as f32));
    #[cfg(not(feature = "micromath"))]
    ln(x)
}

/// `eˣ`; in small builds of an `x` of modest size, with a relative error of up to 1e-12.
#[inline]
pub fn exp(x: f64) -> f64 {
    if SMALL { short_exp(x) } else { libm::exp(x) }
}

/// The series of `eʸ` for `y = x / 1024`, squared ten times: little code.
fn short_exp(x: f64) -> f64 {
    let y = x / 1024.0;
    let series = (1..=8).rev().fold(1.0, |sum, n| 1.0 + y / f64::from(n) * sum);
    (0..10).fold(series, |power, _| power * power)
}

/// `x · 2ⁿ`, exactly where that is a normal number.
#[inline]
pub fn times_power_of_two(x: f64, n: i32) -> f64 {
    libm::scalbn(x, n)
}

/// `x · 2ⁿ`, exactly where that is a normal number.
#[inline]
pub fn times_power_of_two_f32(x: f32, n: i32) -> f32 {
    libm::scalbnf(x, n)
}

/// Multiplies each number by `2ⁿ`, exactly where that is a normal number.
pub fn times_power_of_two_all(numbers: &mut [f32], n: i32) {
    match times_power_of_two_f32(1.0, n) {
        1.0 => {}
        factor if factor.is_normal() => numbers.iter_mut().for_each(|x| *x *= factor),
        _ => numbers.iter_mut().for_each(|x| *x = times_power_of_two_f32(*x, n)),
    }
}

/// The largest `n` such that `2ⁿ ≤ |x|`, of a normal number.
#[inline]
pub const fn exponent(x: f32) -> i32 {
    (x.to_bits() >> 23 & 0xff) as i32 - 127
}

/// `sqrt(a² + b²)` without undue overflow or underflow.
#[inline]
pub fn hypot(a: f64, b: f64) -> f64 {
    libm::hypot(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_exponential_is_close() {
        for x in (-120..=120).map(|x| f64::from(x) / 10.0) {
            assert!((short_exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn logarithms_of_shares_err_as_documented() {
        let allowed = if cfg!(feature = "micromath") { 1e-4 } else { 0.0 };
        let mut largest = 0.0f64;
        for i in 1..=100_000 {
            // From 1e-8, the floor of the entropies, to 1.
            let x = 1e-8f64.powf(f64::from(i) / 100_000.0);
            largest = largest.max((ln_of_share(x) - x.ln()).abs());
        }
        assert!(largest <= allowed + 1e-14, "{largest}");
        assert!(ln_of_share(f64::NAN).is_nan());
    }
}
