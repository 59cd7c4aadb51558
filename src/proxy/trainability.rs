//! Trainability: whether a block keeps gradients at unit scale (AZ-NAS, Sec. 3.2, Eqs. 8–11).
//!
//! A ±1 vector `v` is pulled back through the block; the mean over positions of `u vᵀ` estimates the transpose of the
//! block's Jacobian between channels, whose largest singular value σ should be 1. Kept from the authors' program:
//! 1e-6 in the denominator, so that σ = 0 gives −999998.
//!
//! The mean over the blocks but the first; at most about 0. A block that passes its gradient unchanged counts as −∞, or
//! not at all, as the space has it ([`IdentityRule`](crate::graph::IdentityRule)). A block that does not shrink its map by a
//! whole factor, such as one with an unpadded convolution, has no such Jacobian and is left out.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry {
    name: "trainability",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Transfer,
        term: |passage| passage.has_transfer().then_some(passage.block.trainability),
        combine: Combine::Mean,
        no_terms: [Flags::SINGLE_BLOCK, Flags(0)],
    }),
};

const SIGMA_FLOOR: f64 = 1e-6;

/// σ without the part of its bias that falls like 1/n: twice the σ of the whole batch less the mean of those of two
/// parts of it, weighted by the `share` (from 0 to 1) that the first part has in the batch. At least 0, unless NaN.
pub fn half_split(whole: f64, parts: [f64; 2], share: f64) -> f64 {
    let corrected = 2.0 * whole - (share * parts[0] + (1.0 - share) * parts[1]);
    // `max` would swallow NaN.
    if corrected < 0.0 { 0.0 } else { corrected }
}

/// `2 − σ − 1 / (σ + 1e-6)`: about 0 at σ = 1, negative elsewhere.
pub fn block_trainability(sigma: f64) -> f64 {
    2.0 - sigma - 1.0 / (sigma + SIGMA_FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{BlockScores, Proxy};
    use std::vec::Vec;

    fn blocks(trainabilities: &[f64]) -> Vec<BlockScores> {
        let mut blocks = entropies(&std::vec![1.0; trainabilities.len() + 1]);
        for (block, &trainability) in blocks[1..].iter_mut().zip(trainabilities) {
            block.trainability = trainability;
            if trainability == f64::NEG_INFINITY {
                block.flags = Flags::IDENTITY_BLOCK;
            }
        }
        blocks
    }

    #[test]
    fn the_mean_of_all_blocks_but_the_stem() {
        let of = |blocks: &[BlockScores]| value(Proxy::Trainability, IdentityRule::Reject, blocks);
        assert_eq!(of(&blocks(&[-1.0, -2.0])), (-1.5, Flags(0)));
        assert_eq!(of(&blocks(&[-1.0, f64::NAN])).0, f64::NEG_INFINITY);
        assert_eq!(of(&blocks(&[])), (f64::NEG_INFINITY, Flags::SINGLE_BLOCK));
    }

    #[test]
    fn identity_blocks_follow_the_rule_of_the_space() {
        let of = |rule, trainabilities: &[f64]| value(Proxy::Trainability, rule, &blocks(trainabilities));
        let identity = f64::NEG_INFINITY;
        assert_eq!(of(IdentityRule::Reject, &[identity, -2.0]), (f64::NEG_INFINITY, Flags::IDENTITY_BLOCK));
        assert_eq!(of(IdentityRule::Skip, &[identity, -2.0]), (-2.0, Flags::IDENTITY_BLOCK));
        assert_eq!(of(IdentityRule::Skip, &[identity]), (f64::NEG_INFINITY, Flags::IDENTITY_BLOCK));
    }

    #[test]
    fn uneven_blocks_are_left_out() {
        for rule in [IdentityRule::Reject, IdentityRule::Skip] {
            let of = |trainabilities: &[f64]| {
                let mut blocks = blocks(trainabilities);
                blocks[1].flags = Flags::UNEVEN_BLOCK;
                value(Proxy::Trainability, rule, &blocks)
            };
            assert_eq!(of(&[f64::NAN, -2.0, -1.0]), (-1.5, Flags::UNEVEN_BLOCK));
            assert_eq!(of(&[f64::NAN]), (f64::NEG_INFINITY, Flags::UNEVEN_BLOCK));
        }
    }

    #[test]
    fn best_at_one_and_finite_at_zero() {
        assert!((block_trainability(1.0) - 1e-6).abs() < 1e-11);
        assert_eq!(block_trainability(0.0), 2.0 - 1.0 / 1e-6);
        assert!(block_trainability(0.5) < 0.0 && block_trainability(2.0) < 0.0);
        assert!(block_trainability(f64::NAN).is_nan());
    }

    #[test]
    fn half_split_cancels_a_bias_that_falls_with_the_number_of_images() {
        let estimate = |images: f64| 1.25 + 3.0 / images;
        for (first, second) in [(4.0, 4.0), (3.0, 4.0), (1.0, 1.0), (1.0, 2.0)] {
            let all = first + second;
            let corrected = half_split(estimate(all), [estimate(first), estimate(second)], first / all);
            assert!((corrected - 1.25).abs() < 1e-12, "{first} + {second}: {corrected}");
        }
        assert_eq!(half_split(0.1, [1.0, 1.0], 0.5), 0.0);
        assert!(half_split(f64::NAN, [1.0, 1.0], 0.5).is_nan() && half_split(1.0, [1.0, f64::NAN], 0.5).is_nan());
    }
}
