//! Log gain: how far blocks are from keeping gradients at unit scale, in orders of magnitude; at most 0.
//!
//! `−|ln(σ + 1e-6)|` in the mean over the blocks but the first. Not of the paper, whose trainability grows with the distance of
//! 1/σ from 1, so that one block that cuts its gradient off weighs as much as any number of others; here it counts
//! for 14. Identity blocks as in trainability.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};
use crate::base::math;

pub(super) const ENTRY: Entry = Entry {
    name: "log-gain",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Transfer,
        term: |passage| {
            let is_identity = passage.block.flags.contains(Flags::IDENTITY_BLOCK);
            let gain =
                || if is_identity { f64::NEG_INFINITY } else { -math::ln(passage.block.sigma + SIGMA_FLOOR).abs() };
            passage.has_transfer().then(gain)
        },
        combine: Combine::Mean,
        no_terms: [Flags::SINGLE_BLOCK, Flags(0)],
    }),
};

/// Keeps the logarithm of a gain of 0 finite.
const SIGMA_FLOOR: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{BlockScores, Proxy};
    use std::vec::Vec;

    fn blocks(gains: &[f64]) -> Vec<BlockScores> {
        let mut blocks = entropies(&std::vec![1.0; gains.len() + 1]);
        for (block, &gain) in blocks[1..].iter_mut().zip(gains) {
            block.sigma = gain;
        }
        blocks
    }

    #[test]
    fn halves_and_doubles_are_as_far_from_one() {
        let of = |gains: &[f64]| value(Proxy::LogGain, IdentityRule::Reject, &blocks(gains));
        let (mean, flags) = of(&[0.5, 2.0, 1.0]);
        assert!((mean + 2.0 * core::f64::consts::LN_2 / 3.0).abs() < 2e-6, "{mean}");
        assert_eq!(flags, Flags(0));
        assert!((of(&[0.0]).0 - 1e-6f64.ln()).abs() < 1e-12);
        assert_eq!(of(&[1.0, f64::NAN]).0, f64::NEG_INFINITY);
        assert_eq!(of(&[]), (f64::NEG_INFINITY, Flags::SINGLE_BLOCK));
    }

    #[test]
    fn identity_blocks_follow_the_rule_of_the_space() {
        let mut blocks = blocks(&[1.0, 1.0]);
        blocks[2].flags = Flags::IDENTITY_BLOCK;
        assert_eq!(value(Proxy::LogGain, IdentityRule::Reject, &blocks).0, f64::NEG_INFINITY);
        assert!(value(Proxy::LogGain, IdentityRule::Skip, &blocks).0 > -2e-6);
    }
}
