//! GradNorm: how long the gradient of the loss is (Abdelfattah et al., ICLR 2021).
//!
//! The Euclidean norm of the gradient of the mean cross entropy with respect to all parameters, biases, gains and
//! shifts included, of one batch; 0 upwards. That is the variant of AZ-NAS's Table 1 (`compute_gradnorm_score.py`)
//! and of ZenNAS. The original sums the norms of the layers' weights instead, and ranks differently.
//!
//! Published setting: Kaiming initialisation of the fan-in, Gaussian input, labels drawn uniformly, batch 64.

use super::entry::{Entry, Measurement, Origin};
use crate::base::math;
use crate::base::sum::sum;

pub(super) const ENTRY: Entry =
    Entry { name: "grad-norm", symbol: "Gn", origin: Origin::Network(Measurement::Gradient) };

/// The norm of a gradient whose parts arrive one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradNorm {
    squares: f64,
}

impl GradNorm {
    /// Adds the gradient of a parameter.
    pub fn add(&mut self, gradient: &[f32]) {
        self.squares += squared_norm(gradient);
    }

    /// The norm of all that was added; NaN if any of it is.
    pub fn value(&self) -> f64 {
        math::sqrt(self.squares)
    }
}

/// `‖gradient‖²`; no square of single precision is too large or too small for double precision.
pub(super) fn squared_norm(gradient: &[f32]) -> f64 {
    sum(gradient.len(), |i| f64::from(gradient[i]) * f64::from(gradient[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_one_norm() {
        let mut norm = GradNorm::default();
        assert_eq!(norm.value(), 0.0);
        norm.add(&[2.0, -3.0]);
        norm.add(&[6.0]);
        norm.add(&[]);
        assert_eq!(norm.value(), 7.0);
        norm.add(&[f32::MAX, 1e-30]);
        assert!((norm.value() / f64::from(f32::MAX) - 1.0).abs() < 1e-15);
        norm.add(&[f32::NAN]);
        assert!(norm.value().is_nan());
    }
}
