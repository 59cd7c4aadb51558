//! The exponential function of vectors, and what is left of it without 1.
//!
//! `exp(x) = 2ⁿ · exp(r)` with n the integer nearest to x / ln 2, r = x − n · ln 2 in two parts (Cody and Waite, 1980), and
//! `exp(r) = 1 + r + r² q(r)` with a minimax polynomial q of degree 4 for |r| ≤ 0.35, relative error 3e-9. Without 1 it is
//! `2ⁿ (r + r² q(r)) + (2ⁿ − 1)`: near 0, where n is 0, nothing cancels.

use super::Simd;

/// Exponents below this give what this gives, 1.2e-38, so that nothing is subnormal.
const SMALLEST: f32 = -87.33;
/// Adding and subtracting it rounds numbers below 2²² to integers.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the upper one has few enough bits for its product with any n to be exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// The coefficients of q, from the constant one on.
const Q: [f32; 5] = [0.5, 0.166_665_73, 0.041_666_86, 0.008_363_733, 0.001_390_151_9];

/// `exp(x)` for x ≤ 88, NaN for NaN. The error is at most 1.5 ULP, with x below −87.33 taken for −87.33.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let (power, rest) = parts(simd, x);
    simd.mul(simd.add(simd.splat(1.0), rest), power)
}

/// `exp(x) − 1` for x ≤ 88, NaN for NaN. The error is at most 2.5 ULP.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn exp_minus_one<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let (power, rest) = parts(simd, x);
    simd.mul_add(power, rest, simd.sub(power, simd.splat(1.0)))
}

/// `2ⁿ` and `exp(r) − 1`.
#[cfg_attr(not(feature = "small"), inline(always))]
fn parts<S: Simd>(simd: S, x: S::F32) -> (S::F32, S::F32) {
    // In this order of operands NaN is kept.
    let x = simd.max(simd.splat(SMALLEST), x);
    let n = simd.mul_add(x, simd.splat(core::f32::consts::LOG2_E), simd.splat(ROUND));
    let n = simd.sub(n, simd.splat(ROUND));
    let r = simd.mul_add(n, simd.splat(-LN_2[0]), x);
    let r = simd.mul_add(n, simd.splat(-LN_2[1]), r);
    let q = polynomial(simd, &Q, r);
    (simd.power_of_two(n), simd.mul_add(simd.mul(r, r), q, r))
}

/// The polynomial with these coefficients, from the constant one on, by Horner's rule.
#[inline(always)]
pub(super) fn polynomial<S: Simd, const N: usize>(simd: S, coefficients: &[f32; N], x: S::F32) -> S::F32 {
    let mut sum = simd.splat(coefficients[N - 1]);
    for k in (0..N - 1).rev() {
        sum = simd.mul_add(sum, x, simd.splat(coefficients[k]));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::vec::Vec;

    struct Exponentials<'a> {
        minus_one: bool,
        x: &'a mut [f32],
    }

    impl Kernel for Exponentials<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            for x in self.x.chunks_mut(S::LANES) {
                let y = simd.load_partial(x);
                let y = if self.minus_one { exp_minus_one(simd, y) } else { exp(simd, y) };
                simd.store_partial(y, x);
            }
        }
    }

    #[test]
    fn the_errors_are_below_the_stated_ones() {
        let spread = (0..400_000).map(|i| 88.0 - i as f32 * (175.3 / 400_000.0));
        let near_zero = (0..4000).map(|i| (-1f32).powi(i) * (i as f32 / 100.0 - 38.0).exp2());
        let arguments: Vec<f32> = spread.chain(near_zero).collect();
        for (backend, minus_one) in Backend::available().flat_map(|backend| [(backend, false), (backend, true)]) {
            let mut values = arguments.clone();
            backend.run(Exponentials { minus_one, x: &mut values });
            let error = |(&x, &y): (&f32, &f32)| {
                let exact = if minus_one { f64::from(x).exp_m1() } else { f64::from(x).exp() };
                let ulp = f64::from((exact.abs() as f32).next_up() - exact.abs() as f32);
                (f64::from(y) - exact).abs() / ulp
            };
            let largest = arguments.iter().zip(&values).map(error).fold(0.0, f64::max);
            let allowed = if minus_one { 2.5 } else { 1.5 };
            assert!(largest <= allowed, "{}: {largest} ULP, without 1: {minus_one}", backend.name());
        }
    }

    #[test]
    fn special_values() {
        for backend in Backend::available() {
            let mut values = [0.0, -0.0, -100.0, f32::NEG_INFINITY, f32::NAN];
            backend.run(Exponentials { minus_one: false, x: &mut values });
            assert_eq!(values[..2], [1.0, 1.0]);
            assert!(values[2..4].iter().all(|&x| (1.1e-38..1.3e-38).contains(&x)), "{values:?}");
            assert!(values[4].is_nan());
            let mut values = [0.0, -0.0, -100.0, f32::NEG_INFINITY, f32::NAN];
            backend.run(Exponentials { minus_one: true, x: &mut values });
            assert_eq!(values[..4], [0.0, 0.0, -1.0, -1.0]);
            assert!(values[4].is_nan());
        }
    }
}
