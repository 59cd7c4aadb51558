//! What is measured of one block.

use super::Flags;

/// What is measured of one primary block.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BlockScores {
    /// The number of the block; 0 is the stem.
    pub block: usize,
    /// Rows, columns and channels of its feature.
    pub feature: [usize; 3],
    /// Entropy of the feature's spectrum, `0 ..= ln(channels)`; NaN if undefined or not measured.
    pub expressivity: f64,
    /// Largest singular value of the transfer matrix, corrected if the options say so; NaN for the stem, for an uneven block
    /// ([`Flags::UNEVEN_BLOCK`]) or if not measured.
    pub sigma: f64,
    /// `2 − σ − 1 / (σ + 1e-6)`; −∞ for a block that passes its gradient unchanged, NaN where σ is.
    pub trainability: f64,
    /// `tr C² / (tr C)²` of the covariance C of the feature, `1 / channels ..= 1`; NaN if undefined or not measured.
    pub concentration: f64,
    /// What is out of the ordinary about the block.
    pub flags: Flags,
}

impl BlockScores {
    /// Nothing measured yet of a block.
    pub(crate) const fn unmeasured(block: usize, feature: [usize; 3]) -> Self {
        let flags = Flags(0);
        let nan = f64::NAN;
        Self { block, feature, expressivity: nan, sigma: nan, trainability: nan, concentration: nan, flags }
    }
}
