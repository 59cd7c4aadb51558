//! From statistics to scores.
//!
//! What is counted on the graph is in [`crate::graph::Cost`] and [`crate::graph::Network::complexity`].

pub mod expressivity;
mod set;
pub mod trainability;

pub use set::{Proxy, ProxySet};

use crate::graph::IdentityRule;

/// Why a score is −∞ or out of the ordinary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// A feature or gradient holds NaN or infinity.
    pub const NOT_FINITE: Self = Self(1);
    /// A feature does not vary over its positions: its entropy is undefined, expressivity and progressivity are −∞.
    pub const CONSTANT_FEATURE: Self = Self(2);
    /// A block passes its gradient unchanged.
    pub const IDENTITY_BLOCK: Self = Self(4);
    /// Some proxies were not measured, because they were not asked for.
    pub const NOT_MEASURED: Self = Self(8);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::NOT_FINITE, "not-finite"),
        (Self::CONSTANT_FEATURE, "constant-feature"),
        (Self::IDENTITY_BLOCK, "identity-block"),
        (Self::NOT_MEASURED, "not-measured"),
    ];

    /// The names of the flags that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl core::ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What is measured of one primary block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockScores {
    /// The number of the block; 0 is the stem.
    pub block: usize,
    /// Rows, columns and channels of its feature.
    pub feature: [usize; 3],
    /// Entropy of the feature's spectrum, `0 ..= ln(channels)`; NaN if undefined or not measured.
    pub expressivity: f64,
    /// Largest singular value of the transfer matrix, corrected if the options say so; NaN for the stem or if not
    /// measured.
    pub sigma: f64,
    /// `2 − σ − 1 / (σ + 1e-6)`; −∞ for a block that passes its gradient unchanged, NaN for the stem or if not measured.
    pub trainability: f64,
    /// What is out of the ordinary about the block.
    pub flags: Flags,
}

/// The proxies of a network while its blocks arrive.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    identity_rule: IdentityRule,
    expressivity: f64,
    smallest_step: f64,
    steps: Mean,
    /// Rows and columns of the previous feature, and its expressivity.
    previous: ([usize; 2], f64),
    trainability: Mean,
    flags: Flags,
}

/// A mean over the terms that have arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    terms: usize,
}

impl Mean {
    fn add(&mut self, term: f64) {
        self.sum += term;
        self.terms += 1;
    }

    /// NaN without terms.
    fn value(self) -> f64 {
        self.sum / self.terms as f64
    }
}

impl Totals {
    /// No block yet.
    pub fn new(identity_rule: IdentityRule) -> Self {
        Self {
            identity_rule,
            expressivity: 0.0,
            smallest_step: f64::INFINITY,
            steps: Mean::default(),
            previous: ([0; 2], f64::NAN),
            trainability: Mean::default(),
            flags: Flags::default(),
        }
    }

    /// Adds the next block.
    pub fn add(&mut self, block: &BlockScores) {
        self.flags |= block.flags;
        self.expressivity += block.expressivity;
        let [rows, columns, _] = block.feature;
        let (size, expressivity) = self.previous;
        if block.block > 0 {
            let step = block.expressivity - expressivity;
            // A NaN step makes the minimum NaN, and it stays NaN.
            if step.is_nan() || step < self.smallest_step {
                self.smallest_step = step;
            }
            if size == [rows, columns] {
                self.steps.add(step);
            }
            let is_identity = block.flags.contains(Flags::IDENTITY_BLOCK);
            if !(is_identity && self.identity_rule == IdentityRule::Skip) {
                self.trainability.add(block.trainability);
            }
        }
        self.previous = ([rows, columns], block.expressivity);
    }

    /// Expressivity (the sum over features), progressivity (the smallest step from a feature to the next),
    /// trainability (the mean over blocks): Eqs. 4, 5 and 11 of the paper; and the mean step over the blocks that do
    /// not down-sample. What is undefined is −∞.
    pub fn finish(&self) -> ([f64; 4], Flags) {
        let progressivity = if self.smallest_step == f64::INFINITY { f64::NAN } else { self.smallest_step };
        let proxies = [self.expressivity, progressivity, self.trainability.value(), self.steps.value()];
        (proxies.map(nan_to_worst), self.flags)
    }
}

/// A proxy that is undefined ranks below every other.
pub fn nan_to_worst(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(block: usize, expressivity: f64, trainability: f64, flags: Flags) -> BlockScores {
        BlockScores { block, feature: [1, 1, 1], expressivity, sigma: 1.0, trainability, flags }
    }

    fn totals(rule: IdentityRule, blocks: &[BlockScores]) -> [f64; 4] {
        let mut totals = Totals::new(rule);
        blocks.iter().for_each(|block| totals.add(block));
        totals.finish().0
    }

    #[test]
    fn sum_smallest_step_and_means() {
        let none = Flags::default();
        let blocks = [block(0, 2.0, f64::NAN, none), block(1, 1.5, -1.0, none), block(2, 2.5, -2.0, none)];
        assert_eq!(totals(IdentityRule::Reject, &blocks), [6.0, -0.5, -1.5, 0.25]);
    }

    #[test]
    fn mean_progressivity_leaves_out_blocks_that_down_sample() {
        let blocks = [([8, 8], 1.0), ([8, 8], 1.5), ([4, 4], 3.0), ([4, 4], 2.75), ([4, 2], 5.0)];
        let mut number = 0;
        let blocks = blocks.map(|([rows, columns], expressivity)| {
            number += 1;
            let feature = [rows, columns, 3];
            BlockScores { feature, ..block(number - 1, expressivity, -1.0, Flags::default()) }
        });
        assert_eq!(totals(IdentityRule::Reject, &blocks)[3], (0.5 - 0.25) / 2.0);
        assert_eq!(totals(IdentityRule::Reject, &[blocks[0], blocks[2]])[3], f64::NEG_INFINITY);
    }

    #[test]
    fn undefined_is_worst() {
        let none = Flags::default();
        let blocks = [block(0, 2.0, f64::NAN, none), block(1, f64::NAN, -1.0, none), block(2, 1.0, -3.0, none)];
        assert_eq!(
            totals(IdentityRule::Reject, &blocks),
            [f64::NEG_INFINITY, f64::NEG_INFINITY, -2.0, f64::NEG_INFINITY]
        );
        let [expressivity, rest @ ..] = totals(IdentityRule::Reject, &blocks[..1]);
        assert_eq!((expressivity, rest), (2.0, [f64::NEG_INFINITY; 3]));
    }

    #[test]
    fn identity_blocks_follow_the_rule_of_the_space() {
        let none = Flags::default();
        let blocks = [
            block(0, 2.0, f64::NAN, none),
            block(1, 2.0, f64::NEG_INFINITY, Flags::IDENTITY_BLOCK),
            block(2, 2.5, -2.0, none),
        ];
        assert_eq!(totals(IdentityRule::Reject, &blocks), [6.5, 0.0, f64::NEG_INFINITY, 0.25]);
        assert_eq!(totals(IdentityRule::Skip, &blocks), [6.5, 0.0, -2.0, 0.25]);
        assert_eq!(totals(IdentityRule::Skip, &blocks[..2]), [4.0, 0.0, f64::NEG_INFINITY, 0.0]);
    }
}
