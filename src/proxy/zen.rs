//! ZenNAS: how much a network's map answers to a small change of its input (Lin et al., ICCV 2021).
//!
//! `ln Δ + Σ ½ ln(mean v)`. Δ is the mean over the images of `Σ |F(x) − F(x + εx′)|` with ε = [`SHIFT`], F the map
//! that the classifier's pooling reads, x and x′ Gaussian; the sum is over all batch normalisations, of the mean over
//! their channels of the variance that they keep for inference. It undoes what normalising took out of Δ. Any number;
//! −∞ if the map does not answer. Undefined without batch normalisations, and for batches of a single position, which
//! have no variance.
//!
//! Kept from the authors' program: the variance is not that of the batch but what a network that has just been built
//! has kept of both passes with a momentum of 0.1, `0.81 + 0.09 v + 0.1 v′`, with v and v′ unbiased. Normalisations
//! that do not reach the output count too.
//!
//! Published setting: weights of convolutions and linear maps N(0, 1), biases 0, batch 64, Gaussian input.

use super::entry::{Entry, Measurement, Origin};
use crate::base::math;
use crate::base::sum::sum;

pub(super) const ENTRY: Entry = Entry { name: "zen", origin: Origin::Network(Measurement::Response) };

/// ε: how far the second input is from the first.
pub const SHIFT: f32 = 0.01;

/// The score while normalisations arrive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zen {
    logarithms: f64,
}

impl Zen {
    /// Adds a batch normalisation by its [`mean_variance`] in the first and in the second pass.
    pub fn add(&mut self, first: f64, second: f64) {
        self.logarithms += 0.5 * math::ln(0.81 + 0.09 * first + 0.1 * second);
    }

    /// The score, where the maps of both passes differ by `difference` on average over the images.
    pub fn value(&self, difference: f64) -> f64 {
        math::ln(difference) + self.logarithms
    }
}

/// The mean over the channels of the unbiased variance, from the sums of squared deviations of each over `positions`.
/// 0 of one position, which does not vary (frameworks refuse to normalise it); NaN if there is no channel.
pub fn mean_variance(squared_deviations: &[f64], positions: usize) -> f64 {
    let total = sum(squared_deviations.len(), |channel| squared_deviations[channel]);
    total / positions.saturating_sub(1).max(1) as f64 / squared_deviations.len() as f64
}

/// `Σ |a − b|`
pub fn difference(a: &[f32], b: &[f32]) -> f64 {
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    sum(len, |i| (f64::from(a[i]) - f64::from(b[i])).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Channels of deviations ±1 and ±3 over two positions: unbiased variances 2 and 18.
        let variance = mean_variance(&[2.0, 18.0], 2);
        assert_eq!(variance, 10.0);
        let mut zen = Zen::default();
        zen.add(variance, 0.0);
        zen.add(1.0, 1.0);
        let expected = 3f64.ln() + 0.5 * (0.81 + 0.9f64).ln();
        assert!((zen.value(difference(&[1.0, -1.0], &[3.0, -2.0])) - expected).abs() < 1e-15);
    }

    #[test]
    fn a_map_that_does_not_answer_is_worst() {
        let mut zen = Zen::default();
        zen.add(1.0, 1.0);
        assert_eq!(zen.value(0.0), f64::NEG_INFINITY);
        assert!(zen.value(f64::NAN).is_nan());
        assert!(mean_variance(&[0.0], 1) == 0.0 && mean_variance(&[], 5).is_nan());
    }
}
