//! GradSign: whether the images of a batch pull the weights the same way (Zhang and Jia, ICLR 2022).
//!
//! `Σ_k |Σ_i sign g_ik|` over the weights k of all convolutions and linear maps, where `g_ik` is the derivative of
//! the loss of the image i alone, run as a batch of one; the sign of 0 is 0. From 0 to the number of weights times
//! the number of images.
//!
//! This is the sum form, by which the paper's figures come about: larger networks have larger sums. The authors'
//! program divides by the number of weights of a network that is shared by all candidates, which changes nothing of
//! the order. Divided by the candidate's own ([`mean`]) it is another proxy (`grad_sign_mean.rs`).
//!
//! Published setting: the framework's default initialisation, images and labels of the data set, 64 of them.

use super::entry::{Entry, Measurement, Origin};
use crate::base::sum::sum;

pub(super) const ENTRY: Entry = Entry { name: "grad-sign", origin: Origin::Network(Measurement::Signs) };

/// Adds the signs of the gradient of one image to the `totals` of the weights, which begin with 0. NaN makes a total
/// NaN.
pub fn add_signs(totals: &mut [f32], gradient: &[f32]) {
    for (total, &derivative) in totals.iter_mut().zip(gradient) {
        // `signum` has a sign for 0.
        *total += if derivative == 0.0 { 0.0 } else { derivative.signum() };
    }
}

/// The sum form. Totals are whole numbers, exact for up to 2²⁴ images.
pub fn total(totals: &[f32]) -> f64 {
    sum(totals.len(), |k| f64::from(totals[k].abs()))
}

/// The mean form of a network of so many weights.
pub fn mean(total: f64, weights: usize) -> f64 {
    total / weights as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_counts_and_size_does_not() {
        let mut totals = [0.0; 4];
        for gradient in [[1e-30, -2.0, 0.0, 5.0], [3.0, 7.0, -0.0, 1.0], [1.0, -1.0, 0.0, -1.0]] {
            add_signs(&mut totals, &gradient);
        }
        assert_eq!(totals, [3.0, -1.0, 0.0, 1.0]);
        assert_eq!(total(&totals), 5.0);
        assert_eq!(mean(5.0, 4), 1.25);
        add_signs(&mut totals, &[f32::NAN, 0.0, 0.0, 0.0]);
        assert!(total(&totals).is_nan());
    }
}
