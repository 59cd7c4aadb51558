//! SNIP: how much the loss depends on the weights as they are (Lee, Ajanthan and Torr, ICLR 2019; as a proxy:
//! Abdelfattah et al., ICLR 2021).
//!
//! `Σ |w ∂L/∂w|` over the weights of all convolutions and linear maps, without biases, gains and shifts, with L the
//! mean cross entropy of one batch; 0 upwards. The original takes the derivative by a mask of ones that multiplies
//! the weights: the same number.
//!
//! Published setting: Kaiming initialisation of the fan-in, batch 64, images and labels of the data set.

use super::entry::{Entry, Measurement, Origin};
use crate::base::sum::sum;
use crate::simd::{Backend, Kernel, Simd};

pub(super) const ENTRY: Entry = Entry { name: "snip", origin: Origin::Network(Measurement::Gradient) };

/// The saliency of weights that arrive one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snip {
    saliency: f64,
}

impl Snip {
    /// Adds a parameter with its gradient.
    pub fn add(&mut self, backend: Backend, weights: &[f32], gradient: &[f32]) {
        self.saliency += saliency(backend, weights, gradient);
    }

    /// The saliency of all that was added; NaN if any of it is.
    pub fn value(&self) -> f64 {
        self.saliency
    }
}

/// `Σ |w g|`
pub(super) fn saliency(backend: Backend, weights: &[f32], gradient: &[f32]) -> f64 {
    let len = weights.len().min(gradient.len());
    backend.run(Products(&weights[..len], &gradient[..len]))
}

/// [`saliency`]: the same bits on every back end.
struct Products<'a>(&'a [f32], &'a [f32]);

impl Kernel for Products<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let (weights, gradient) = (self.0, &self.1[..self.0.len()]);
        sum(
            weights.len(),
            #[inline(always)]
            |i| (f64::from(weights[i]) * f64::from(gradient[i])).abs(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_do_not_cancel() {
        for backend in Backend::available() {
            let mut snip = Snip::default();
            assert_eq!(snip.value(), 0.0);
            snip.add(backend, &[1.0, -2.0, 3.0], &[0.5, 0.5, -2.0]);
            snip.add(backend, &[4.0], &[0.0]);
            assert_eq!(snip.value(), 7.5);
            snip.add(backend, &[0.0], &[f32::INFINITY]);
            assert!(snip.value().is_nan());
        }
    }

    #[test]
    fn every_length_and_the_same_bits() {
        for len in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1000] {
            let numbers: std::vec::Vec<f32> = (0..len).map(|i| (i as f32 - 3.3) / 7.0).collect();
            let expected: f64 = numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let scalar = saliency(Backend::Scalar, &numbers, &numbers);
            assert!((scalar - expected).abs() <= 1e-13 * expected);
            assert!(Backend::available().all(|backend| saliency(backend, &numbers, &numbers) == scalar), "{len}");
        }
    }
}
