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

pub(super) const ENTRY: Entry = Entry { name: "snip", symbol: "Sn", origin: Origin::Network(Measurement::Gradient) };

/// The saliency of weights that arrive one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snip {
    saliency: f64,
}

impl Snip {
    /// Adds a parameter with its gradient.
    pub fn add(&mut self, weights: &[f32], gradient: &[f32]) {
        self.saliency += saliency(weights, gradient);
    }

    /// The saliency of all that was added; NaN if any of it is.
    pub fn value(&self) -> f64 {
        self.saliency
    }
}

/// `Σ |w g|`
pub(super) fn saliency(weights: &[f32], gradient: &[f32]) -> f64 {
    let len = weights.len().min(gradient.len());
    let (weights, gradient) = (&weights[..len], &gradient[..len]);
    sum(len, |i| (f64::from(weights[i]) * f64::from(gradient[i])).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_do_not_cancel() {
        let mut snip = Snip::default();
        assert_eq!(snip.value(), 0.0);
        snip.add(&[1.0, -2.0, 3.0], &[0.5, 0.5, -2.0]);
        snip.add(&[4.0], &[0.0]);
        assert_eq!(snip.value(), 7.5);
        snip.add(&[0.0], &[f32::INFINITY]);
        assert!(snip.value().is_nan());
    }
}
