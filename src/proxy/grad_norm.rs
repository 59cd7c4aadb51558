//! GradNorm: how long the gradient of the loss is (Abdelfattah et al., ICLR 2021).
//!
//! The Euclidean norm of the gradient of the mean cross entropy with respect to all parameters, biases, gains and
//! shifts included, of one batch; 0 upwards. That is the variant of AZ-NAS's Table 1 (`compute_gradnorm_score.py`)
//! and of ZenNAS. The original sums the norms of the layers' weights instead, and ranks differently.
//!
//! Published setting: Kaiming initialisation of the fan-in, Gaussian input, labels drawn uniformly, batch 64.

use super::entry::{Entry, Measurement, Origin};
use crate::base::sum::sum;
use crate::simd::{Backend, Kernel, Simd, root};

pub(super) const ENTRY: Entry = Entry { name: "grad-norm", origin: Origin::Network(Measurement::Gradient) };

/// The norm of a gradient whose parts arrive one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradNorm {
    squares: f64,
}

impl GradNorm {
    /// Adds the gradient of a parameter.
    pub fn add(&mut self, backend: Backend, gradient: &[f32]) {
        self.squares += squared_norm(backend, gradient);
    }

    /// The norm of all that was added; NaN if any of it is.
    pub fn value(&self) -> f64 {
        root::sqrt(self.squares)
    }
}

/// `‖gradient‖²`; no square of single precision is too large or too small for double precision.
pub(super) fn squared_norm(backend: Backend, gradient: &[f32]) -> f64 {
    backend.run(Squares(gradient))
}

/// [`squared_norm`]: the same bits on every back end.
struct Squares<'a>(&'a [f32]);

impl Kernel for Squares<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        sum(
            self.0.len(),
            #[inline(always)]
            |i| f64::from(self.0[i]) * f64::from(self.0[i]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_one_norm() {
        for backend in Backend::available() {
            let mut norm = GradNorm::default();
            assert_eq!(norm.value(), 0.0);
            norm.add(backend, &[2.0, -3.0]);
            norm.add(backend, &[6.0]);
            norm.add(backend, &[]);
            assert_eq!(norm.value(), 7.0);
            norm.add(backend, &[f32::MAX, 1e-30]);
            assert!((norm.value() / f64::from(f32::MAX) - 1.0).abs() < 1e-15);
            norm.add(backend, &[f32::NAN]);
            assert!(norm.value().is_nan());
        }
    }

    #[test]
    fn every_length_and_the_same_bits() {
        for len in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1000] {
            let numbers: std::vec::Vec<f32> = (0..len).map(|i| (i as f32 - 3.3) / 7.0).collect();
            let expected: f64 = numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let scalar = squared_norm(Backend::Scalar, &numbers);
            assert!((scalar - expected).abs() <= 1e-13 * expected);
            assert!(Backend::available().all(|backend| squared_norm(backend, &numbers) == scalar), "{len}");
        }
    }
}
