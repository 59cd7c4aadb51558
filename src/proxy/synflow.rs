//! Synflow: how much flows through the weights of a network without signs (Tanaka et al., NeurIPS 2020; as a proxy:
//! Abdelfattah et al., ICLR 2021).
//!
//! `ln Σ |w ∂R/∂w|` over the weights of all convolutions and linear maps, of the network whose parameters are
//! replaced by their magnitudes and whose batch normalisations are left out, with R the sum of its outputs for one
//! image of ones; any number, −∞ if nothing flows.
//!
//! The proxy itself is the sum. It passes 10⁴⁹ in cells of NAS-Bench-201, more than single precision holds and in
//! deeper networks more than double precision does; only its order matters. Here features and gradients are scaled by
//! powers of two as they grow, and the exponents are counted.
//!
//! Published setting: Kaiming initialisation of the fan-in, one image, double precision.

use super::entry::{Entry, Measurement, Origin};
use super::snip::saliency;
use crate::base::math;
use crate::simd::Backend;

pub(super) const ENTRY: Entry = Entry { name: "synflow", origin: Origin::Network(Measurement::Flow) };

/// A sum of products that may be beyond all numbers: `sum · 2^exponent`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Synflow {
    sum: f64,
    exponent: i32,
}

impl Synflow {
    /// Adds a parameter with its gradient, both taken times `2^exponent` in product.
    pub fn add(&mut self, backend: Backend, weights: &[f32], gradient: &[f32], exponent: i32) {
        let saliency = saliency(backend, weights, gradient);
        if saliency == 0.0 {
            return;
        }
        // The larger exponent holds both; the smaller part loses what is too small to matter.
        let larger = if self.sum == 0.0 { exponent } else { self.exponent.max(exponent) };
        let scaled = |sum: f64, exponent: i32| math::times_power_of_two(sum, exponent.saturating_sub(larger));
        self.sum = scaled(self.sum, self.exponent) + scaled(saliency, exponent);
        self.exponent = larger;
    }

    /// The logarithm of the sum: −∞ of nothing, NaN if anything that was added is.
    pub fn value(&self) -> f64 {
        math::ln(self.sum) + f64::from(self.exponent) * core::f64::consts::LN_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[(f32, f32, i32)]) -> f64 {
        let mut synflow = Synflow::default();
        parts
            .iter()
            .for_each(|&(weight, gradient, exponent)| synflow.add(Backend::Scalar, &[weight], &[gradient], exponent));
        synflow.value()
    }

    #[test]
    fn logarithms_of_sums() {
        assert_eq!(of(&[]), f64::NEG_INFINITY);
        assert_eq!(of(&[(0.0, 3.0, 900)]), f64::NEG_INFINITY);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        near(of(&[(2.0, 3.0, 0), (-1.0, 4.0, 0)]), 10f64.ln());
        // 6·2⁵ + 4·2³ = 224, in any order and beside nothing.
        near(of(&[(2.0, 3.0, 5), (1.0, 4.0, 3)]), 224f64.ln());
        near(of(&[(0.0, 1.0, 99), (1.0, 4.0, 3), (2.0, 3.0, 5), (0.0, 1.0, 99)]), 224f64.ln());
        assert!(of(&[(f32::NAN, 1.0, 0)]).is_nan());
    }

    #[test]
    fn nothing_overflows() {
        let ln2 = core::f64::consts::LN_2;
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        near(of(&[(1.0, 1.0, 5000), (1.0, 1.0, 5000)]), 5001.0 * ln2);
        near(of(&[(1.0, 1.0, -5000), (1.0, 1.0, 5000)]), 5000.0 * ln2);
        near(of(&[(1.0, 1.0, -5000)]), -5000.0 * ln2);
        let large = 2f32.powi(100);
        near(of(&[(1.0, 1.0, 5000), (large, large, 5000)]), 5200.0 * ln2);
    }
}
