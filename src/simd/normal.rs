//! The standard normal distribution of vectors: Φ(x) = ½ (1 + erf(x / √2)) and its density φ(x).
//!
//! With t = 1 / (1 + 0.27 |x|), Φ(−|x|) = exp(−x² / 2) · t · m(t): the form of Hastings (Abramowitz and Stegun, 7.1.26) with
//! a minimax polynomial m of degree 8, relative error 2.4e-8 for |x| ≤ 14. The lower tail keeps its relative accuracy, which
//! the textbook form 1 + erf does not, and the exponential serves the density as well.

use super::Simd;
use super::exponential::{exp, polynomial};

/// The factor of |x| in 1 / t.
const SLOPE: f32 = 0.27;
/// The coefficients of m, from the constant one on.
const M: [f32; 9] = [
    0.107_720_18,
    0.107_550_5,
    0.101_759_19,
    0.072_240_21,
    0.107_399_63,
    -0.068_621_285,
    0.169_291_68,
    -0.126_255_41,
    0.028_915_303,
];
/// 1 / √(2π)
const DENSITY_AT_0: f32 = 0.398_942_3;

/// Φ(x) and φ(x).
///
/// Relative errors of Φ(−|x|) and φ(x) are at most `(8 + x²) · 2⁻²⁴` for |x| ≤ 13, where they have come down to 1e-38 (what
/// lies beyond stays there); Φ(|x|) is 1 − Φ(−|x|), with an error of at most `5 · 2⁻²⁴`. NaN gives NaN.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn distribution<S: Simd>(simd: S, x: S::F32) -> (S::F32, S::F32) {
    let negated = simd.sub(simd.splat(0.0), x);
    let magnitude = simd.max(negated, x);
    let exponential = exp(simd, simd.mul(simd.mul(x, simd.splat(-0.5)), x));
    let t = simd.div(simd.splat(1.0), simd.mul_add(magnitude, simd.splat(SLOPE), simd.splat(1.0)));
    let tail = simd.mul(exponential, simd.mul(t, polynomial(simd, &M, t)));
    // Above 0: 1 − tail, which is tail + (1 − 2 tail).
    let rest = simd.mul_add(tail, simd.splat(-2.0), simd.splat(1.0));
    let cumulative = simd.add(tail, simd.where_positive(x, rest));
    (cumulative, simd.mul(exponential, simd.splat(DENSITY_AT_0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::vec::Vec;
    use std::{format, vec};

    struct Distributions<'a> {
        x: &'a [f32],
        cumulative: &'a mut [f32],
        density: &'a mut [f32],
    }

    impl Kernel for Distributions<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let out = self.cumulative.chunks_mut(S::LANES).zip(self.density.chunks_mut(S::LANES));
            for (x, (cumulative, density)) in self.x.chunks(S::LANES).zip(out) {
                let values = distribution(simd, simd.load_partial(x));
                simd.store_partial(values.0, cumulative);
                simd.store_partial(values.1, density);
            }
        }
    }

    fn distributions(backend: Backend, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut cumulative, mut density) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        backend.run(Distributions { x, cumulative: &mut cumulative, density: &mut density });
        (cumulative, density)
    }

    #[test]
    fn the_errors_are_below_the_stated_ones() {
        let x: Vec<f32> = (0..100_001).map(|i| (i as f32 - 50_000.0) * (13.0 / 50_000.0)).collect();
        for backend in Backend::available() {
            let (cumulative, density) = distributions(backend, &x);
            for ((&x, y), density_of_x) in x.iter().zip(cumulative).zip(density) {
                let case = format!("{} at {x}", backend.name());
                let exact_x = f64::from(x);
                let relative = (8.0 + exact_x * exact_x) * 2f64.powi(-24);
                let tail = libm::erfc(exact_x.abs() / core::f64::consts::SQRT_2) / 2.0;
                let (exact, allowed) =
                    if x > 0.0 { (1.0 - tail, 5.0 * 2f64.powi(-24)) } else { (tail, relative * tail) };
                assert!((f64::from(y) - exact).abs() <= allowed + 1e-38, "{case}: {y} is not {exact}");
                let exact = (-0.5 * exact_x * exact_x).exp() * (0.5 / core::f64::consts::PI).sqrt();
                assert!((f64::from(density_of_x) - exact).abs() <= relative * exact + 1e-38, "{case}: density");
            }
        }
    }

    #[test]
    fn special_values() {
        for backend in Backend::available() {
            let (cumulative, density) = distributions(backend, &[0.0, 100.0, -100.0, f32::NAN]);
            assert!((cumulative[0] - 0.5).abs() <= 1e-7 && density[0] == DENSITY_AT_0);
            assert!(cumulative[1] == 1.0 && cumulative[2] < 1e-38 && density[2] < 1e-38);
            assert!(cumulative[3].is_nan() && density[3].is_nan());
        }
    }
}
