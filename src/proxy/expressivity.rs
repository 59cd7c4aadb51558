//! Expressivity: how isotropic the features of a block are (AZ-NAS, Sec. 3.1, Eqs. 2–4).
//!
//! The entropy of the spectrum of a feature, that is of the eigenvalues of the covariance of its channels over all
//! positions, summed over the features; 0 to Σ ln(channels).
//!
//! Deviations of the authors' program from the paper, kept: natural logarithm, and 1e-8 inside it. Mended: their
//! single-precision solver returns slightly negative eigenvalues for nearly singular covariances, whose logarithm is
//! NaN; here eigenvalues below 0 count as 0, which they are.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};
use crate::base::math;

pub(super) const ENTRY: Entry = Entry {
    name: "expressivity",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| Some(passage.block.expressivity),
        combine: Combine::Sum,
        no_terms: [Flags(0); 2],
    }),
};

/// Added inside the logarithm, so that an eigenvalue of 0 contributes 0.
const LOG_FLOOR: f64 = 1e-8;

/// The entropy `−Σ p ln(p + 1e-8)` of the eigenvalues divided by their sum. Zeros may be left out.
///
/// At most ln(count); NaN if the eigenvalues sum to 0 (a feature that does not vary) or one of them is NaN.
///
/// The two clouds of points in Figure 2 of the paper, which counts in base 2: features of two channels that vary nearly
/// along one line, and in all directions alike.
///
/// ```
/// use aznas::linalg::jacobi::eigenvalues;
/// use aznas::proxy::expressivity::block_expressivity;
///
/// /// The entropy of points on an ellipse, one axis of which is `ratio` times the other, aslant.
/// fn of_cloud(ratio: f64) -> f64 {
///     let mut covariance = [0.0; 4];
///     for degree in 0..360 {
///         let (y, x) = f64::from(degree).to_radians().sin_cos();
///         let point = [x - ratio * y, x + ratio * y];
///         for (k, sum) in covariance.iter_mut().enumerate() {
///             *sum += point[k / 2] * point[k % 2] / 360.0;
///         }
///     }
///     let mut spectrum = [0.0; 2];
///     eigenvalues(&mut covariance, 2, &mut spectrum);
///     block_expressivity(&spectrum) / 2f64.ln()
/// }
/// assert_eq!(format!("{:.2} {:.2}", of_cloud(0.197), of_cloud(1.0)), "0.23 1.00");
/// ```
pub fn block_expressivity(eigenvalues: &[f64]) -> f64 {
    // `max` would swallow NaN.
    let clamp = |value: f64| if value < 0.0 { 0.0 } else { value };
    let sum: f64 = eigenvalues.iter().map(|&value| clamp(value)).sum();
    -eigenvalues
        .iter()
        .map(|&value| {
            let p = clamp(value) / sum;
            p * math::ln_of_share(p + LOG_FLOOR)
        })
        .sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::IdentityRule;
    use crate::proxy::Proxy;
    use crate::proxy::totals::tests::{entropies, value};
    use approx::assert_abs_diff_eq;

    #[test]
    fn isotropic_features_reach_the_logarithm_of_their_number() {
        for count in [1usize, 2, 16, 64, 2048] {
            let eigenvalues = std::vec![0.37; count];
            assert_abs_diff_eq!(block_expressivity(&eigenvalues), (count as f64).ln(), epsilon = 1e-8 * count as f64);
        }
    }

    #[test]
    fn the_collapsed_feature_of_the_papers_figure_2() {
        // 0.23 bits: p ln p with p ≈ 0.963.
        let bits = block_expressivity(&[0.963, 0.037]) / core::f64::consts::LN_2;
        assert_abs_diff_eq!(bits, 0.23, epsilon = 0.005);
    }

    #[test]
    fn scale_zeros_and_round_off_do_not_matter() {
        let plain = block_expressivity(&[1.0, 2.0, 5.0]);
        assert_abs_diff_eq!(block_expressivity(&[1e-200, 2e-200, 5e-200]), plain, epsilon = 1e-12);
        assert_abs_diff_eq!(block_expressivity(&[0.0, 1.0, 2.0, 5.0]), plain, epsilon = 1e-12);
        assert_abs_diff_eq!(block_expressivity(&[-1e-7, 1.0, 2.0, 5.0]), plain, epsilon = 1e-12);
    }

    #[test]
    fn undefined_entropies_are_nan() {
        assert!(block_expressivity(&[0.0, 0.0]).is_nan());
        assert!(block_expressivity(&[1.0, f64::NAN]).is_nan());
        // Nothing at all: a sum of no terms. No feature is without a position and a channel.
        assert_eq!(block_expressivity(&[]), 0.0);
    }

    #[test]
    fn features_add_up() {
        let of = |values: &[f64]| value(Proxy::Expressivity, IdentityRule::Reject, &entropies(values));
        assert_eq!(of(&[2.0, 1.5, 2.5]), (6.0, Flags(0)));
        // What else the spectra tell is undefined for a single block.
        assert_eq!(of(&[2.0]), (2.0, Flags::SINGLE_BLOCK));
        assert_eq!(of(&[2.0, f64::NAN, 1.0]).0, f64::NEG_INFINITY);
    }
}
