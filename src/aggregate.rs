//! One number per candidate out of several proxies, by ranks: the paper's equation 12 and its linear variant.
//!
//! Raw scores of different proxies have nothing in common but their direction, "higher is better". A candidate
//! is therefore judged by its *rank* among the `m` candidates known so far: 1 for the worst, `m` for the best,
//! and the mean of the ranks they take together for candidates that tie. NaN ranks as −∞, and −0.0 ties with 0.0.
//!
//! [`aggregate`] ranks a whole list in the caller's memory. `History` (feature `alloc`) holds a list that grows
//! one candidate at a time and knows its best ones without ranking it anew; both give the very same numbers.

#[cfg(feature = "alloc")]
mod incremental;
#[cfg(feature = "alloc")]
mod order;
mod rank;

#[cfg(feature = "alloc")]
pub use incremental::{History, Standing};
pub use rank::{MAX_CANDIDATES, average_ranks};

use crate::Error;
use crate::base::math;

/// How the relative ranks of the proxies are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `Σ w·ln(rank/m)`, equation 12: a bad rank in one proxy weighs more than a good one. At most 0 for
    /// weights that are not negative.
    #[default]
    Log,
    /// `Σ w·rank/m`: every rank weighs the same.
    Linear,
}

impl Mode {
    /// What a rank, given doubled so that it is an integer, stands for before it is related to the list's length.
    fn level(self, doubled_rank: usize) -> f64 {
        match self {
            Self::Log => math::ln(doubled_rank as f64),
            Self::Linear => doubled_rank as f64,
        }
    }

    /// The contribution of a proxy of weight 1, from the level of its rank and the level of the rank `m`.
    fn relative(self, level: f64, full: f64) -> f64 {
        match self {
            Self::Log => level - full,
            Self::Linear => level / full,
        }
    }
}

/// Combines the proxies of `m` candidates into one score each; higher is better.
///
/// `columns` holds one slice of `m` raw scores per proxy, in any choice and number of proxies, and `weights` one
/// finite factor per column (1 in the paper). `out` takes `m` scores; `scratch` at least `m` numbers.
/// A list of one candidate gives 0 in [`Mode::Log`].
///
/// # Errors
/// [`Error::Invalid`] if there is no column or no candidate, the lengths differ or a weight is not finite;
/// [`Error::TooLarge`] above [`MAX_CANDIDATES`]; [`Error::WorkspaceTooSmall`] if `scratch` is too short.
pub fn aggregate(
    columns: &[&[f64]],
    weights: &[f64],
    mode: Mode,
    out: &mut [f64],
    scratch: &mut [u64],
) -> Result<(), Error> {
    let candidates = columns.first().map_or(0, |column| column.len());
    if candidates == 0 {
        return Err(Error::Invalid { field: "columns", expected: "at least one proxy of at least one candidate" });
    }
    if columns.iter().any(|column| column.len() != candidates) || out.len() != candidates {
        return Err(Error::Invalid { field: "columns", expected: "of one length, that of the output" });
    }
    if weights.len() != columns.len() {
        return Err(Error::Invalid { field: "weights", expected: "one per proxy" });
    }
    check_weights(weights)?;
    let order = rank::order_scratch(candidates, scratch)?;

    out.fill(0.0);
    let full = mode.level(2 * candidates);
    for (column, weight) in columns.iter().zip(weights) {
        rank::rank(column, order, |ties, doubled_rank| {
            let contribution = weight * mode.relative(mode.level(doubled_rank as usize), full);
            for &place in ties {
                out[rank::candidate(place)] += contribution;
            }
        });
    }
    Ok(())
}

/// Refuses weights with which a sum could be NaN.
fn check_weights(weights: &[f64]) -> Result<(), Error> {
    if weights.iter().all(|weight| weight.is_finite()) {
        Ok(())
    } else {
        Err(Error::Invalid { field: "weights", expected: "finite" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    #[test]
    fn refuses_what_cannot_be_ranked_and_writes_nothing() {
        let column: &[f64] = &[1.0, 2.0];
        type Case<'a> = (&'a str, Vec<&'a [f64]>, Vec<f64>, usize, usize);
        let cases: [Case; 9] = [
            ("no proxy", vec![], vec![], 0, 0),
            ("no candidate", vec![&[]], vec![1.0], 0, 0),
            ("unequal columns", vec![column, &[1.0]], vec![1.0, 1.0], 2, 2),
            ("unequal output", vec![column], vec![1.0], 3, 2),
            ("too few weights", vec![column, column], vec![1.0], 2, 2),
            ("too many weights", vec![column], vec![1.0, 1.0], 2, 2),
            ("NaN weight", vec![column], vec![f64::NAN], 2, 2),
            ("infinite weight", vec![column], vec![f64::INFINITY], 2, 2),
            ("short scratch", vec![column], vec![1.0], 2, 1),
        ];
        for (name, columns, weights, outputs, scratch) in cases {
            let mut out = vec![7.0; outputs];
            let result = aggregate(&columns, &weights, Mode::Log, &mut out, &mut vec![0; scratch]);
            match name {
                "short scratch" => assert_eq!(result, Err(Error::WorkspaceTooSmall { needed: 16, given: 8 })),
                _ => assert!(matches!(result, Err(Error::Invalid { .. })), "{name}: {result:?}"),
            }
            assert!(out.iter().all(|&x| x == 7.0), "{name} wrote into the output");
        }
    }

    #[test]
    fn degenerate_lists() {
        let minus_infinity: &[f64] = &[f64::NEG_INFINITY, f64::NAN, f64::NEG_INFINITY];
        let mut out = [7.0; 3];
        aggregate(&[minus_infinity], &[1.0], Mode::Log, &mut out, &mut [0; 3]).unwrap();
        // All tie at the mean rank (m + 1) / 2.
        assert!(out.iter().all(|x| (x - libm::log(2.0 / 3.0)).abs() < 1e-15), "{out:?}");

        for (mode, expected) in [(Mode::Log, 0.0), (Mode::Linear, 2.0)] {
            let mut out = [7.0];
            aggregate(&[&[3.0], &[f64::NAN]], &[1.0, 1.0], mode, &mut out, &mut [0]).unwrap();
            assert_eq!(out, [expected], "{mode:?}");
        }
    }

    #[test]
    fn weights_scale_their_proxy() {
        let (rising, falling): (&[f64], &[f64]) = (&[1.0, 2.0], &[2.0, 1.0]);
        let mut out = [0.0; 2];
        aggregate(&[rising, falling], &[1.0, 0.0], Mode::Linear, &mut out, &mut [0; 2]).unwrap();
        assert_eq!(out, [0.5, 1.0], "a weight of 0 leaves a proxy out");
        aggregate(&[rising, falling], &[1.0, -3.0], Mode::Linear, &mut out, &mut [0; 2]).unwrap();
        assert_eq!(out, [0.5 - 3.0, 1.0 - 1.5], "a negative weight turns a proxy round");
    }
}
