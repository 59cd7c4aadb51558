//! ZiCo: how large gradients are beside what they vary by from batch to batch (Li et al., ICLR 2023).
//!
//! `Σ_layers ln Σ_k mean|g_k| / σ_k` over the convolutions and linear maps and their weights k, with the mean and the
//! population's standard deviation over two batches and the mean cross entropy as loss. Of two batches a quotient is
//! `(|g| + |g′|) / |g − g′|`, at least 1. Weights that do not vary are left out, and so are layers without any that
//! does; 0 without layers, else any number from 0 upwards, more with more layers.
//!
//! Published setting: the framework's default initialisation, images and labels of the data set, two batches of 64.

use super::entry::{Entry, Measurement, Origin};
use crate::base::math;
use crate::base::sum::sum;

pub(super) const ENTRY: Entry = Entry { name: "zico", origin: Origin::Network(Measurement::Variation) };

/// The score while layers arrive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zico {
    logarithms: f64,
}

impl Zico {
    /// Adds the weights of a layer by their gradients in both batches.
    pub fn add(&mut self, first: &[f32], second: &[f32]) {
        let quotients = quotients(first, second);
        // A layer that holds NaN must not be taken for one without weights.
        if quotients != 0.0 {
            self.logarithms += math::ln(quotients);
        }
    }

    /// The score of all that was added; NaN if any of it is.
    pub fn value(&self) -> f64 {
        self.logarithms
    }
}

fn quotients(first: &[f32], second: &[f32]) -> f64 {
    let len = first.len().min(second.len());
    let (first, second) = (&first[..len], &second[..len]);
    sum(len, |k| {
        let (a, b) = (f64::from(first[k]), f64::from(second[k]));
        // Two infinities differ by no number.
        if a - b == 0.0 { 0.0 } else { (a.abs() + b.abs()) / (a - b).abs() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(layers: &[(&[f32], &[f32])]) -> f64 {
        let mut zico = Zico::default();
        layers.iter().for_each(|(first, second)| zico.add(first, second));
        zico.value()
    }

    #[test]
    fn by_hand() {
        // 4/2 + 3/3, the equal pair left out; then 1; a layer that does not vary does not count.
        let found = of(&[(&[3.0, -1.0, 5.0], &[1.0, 2.0, 5.0]), (&[0.0], &[2.0]), (&[0.0, 7.0], &[0.0, 7.0])]);
        assert!((found - 3f64.ln()).abs() < 1e-15);
        assert_eq!(of(&[]), 0.0);
        assert_eq!(of(&[(&[0.0; 9], &[0.0; 9])]), 0.0);
    }

    #[test]
    fn neighbours_and_damage() {
        // The largest quotient there is: two numbers of single precision that differ in their last bit.
        let next = f32::from_bits(1f32.to_bits() + 1);
        assert!((of(&[(&[1.0], &[next])]) - (2.0f64.powi(24) + 1.0).ln()).abs() < 1e-12);
        let beyond = f32::INFINITY;
        for (a, b) in [(f32::NAN, 1.0), (1.0, f32::NAN), (beyond, 1.0), (f32::NAN, f32::NAN), (beyond, beyond)] {
            assert!(of(&[(&[a], &[b]), (&[1.0], &[2.0])]).is_nan(), "{a} {b}");
        }
    }
}
