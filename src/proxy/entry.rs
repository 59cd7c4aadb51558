//! What a proxy's own file says of it.

use super::{BlockScores, Flags};
use crate::graph::{Cost, IdentityRule};

/// What is known of a proxy.
pub(crate) struct Entry {
    /// The name used by programs and column headings.
    pub(super) name: &'static str,
    /// Where its value comes from.
    pub(super) origin: Origin,
}

/// Where the value of a proxy comes from.
pub(crate) enum Origin {
    /// Counted on the graph: known of every network, whatever is asked for.
    Graph(fn(&Counts) -> f64),
    /// Measured block by block: what is measured is measured for all proxies that take it.
    Blocks(Blockwise),
    /// Measured of the network as a whole, in runs of its own, which serve all proxies of one measurement.
    Network(Measurement),
}

/// What is counted on the graph of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) cost: Cost,
    /// Multiply-adds of one image by the convention of the space.
    pub(crate) complexity: f64,
}

/// What can be measured: of a block while its feature and its gradient are there (the first three), or of a network as a
/// whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measurement {
    /// The spectrum of the feature.
    Spectrum,
    /// The transfer matrix between the gradients at the output and at the input; the stem has none.
    Transfer,
    /// How much of the variance of the feature is on few directions.
    Concentration,
    /// The gradient of the loss.
    Gradient,
    /// How the gradient of the loss changes with the scale of the weights.
    Curvature,
    /// The gradient of the outputs of a network without signs.
    Flow,
    /// The signs at the rectifiers.
    Patterns,
    /// The same, of a network that is drawn as frameworks draw it.
    Regions,
    /// The gradients of the outputs for each image.
    TangentKernel,
    /// How the last map answers to a change of the input.
    Response,
    /// The signs of the gradient of each image's loss.
    Signs,
    /// The gradients of the losses of two batches.
    Variation,
}

#[cfg(feature = "gradients")]
impl Measurement {
    /// Those of a network as a whole, in the order in which they are made.
    pub(crate) const OF_NETWORKS: [Self; 9] = [
        Self::Gradient,
        Self::Curvature,
        Self::Flow,
        Self::Patterns,
        Self::Regions,
        Self::TangentKernel,
        Self::Response,
        Self::Signs,
        Self::Variation,
    ];
}

/// A proxy that blocks add to one after another.
pub(crate) struct Blockwise {
    /// What it takes of each block.
    pub(super) measurement: Measurement,
    /// What a block adds; nothing if `None`.
    pub(super) term: fn(&Passage<'_>) -> Option<f64>,
    /// How the terms are combined.
    pub(super) combine: Combine,
    /// Why there are no terms of a network of a single block, and of one of several, where the blocks themselves do not say it.
    pub(super) no_terms: [Flags; 2],
}

/// A block as it arrives.
pub(crate) struct Passage<'a> {
    /// The block before it; the stem has none.
    pub(super) before: Option<&'a BlockScores>,
    pub(super) block: &'a BlockScores,
    pub(super) identity_rule: IdentityRule,
}

impl Passage<'_> {
    /// Whether what is measured of the block's transfer matrix counts: not of the first block, nor of one without such a
    /// matrix, nor of an identity that the space leaves out.
    pub(super) fn has_transfer(&self) -> bool {
        let left_out = match self.identity_rule {
            IdentityRule::Reject => Flags::UNEVEN_BLOCK,
            IdentityRule::Skip => Flags::UNEVEN_BLOCK | Flags::IDENTITY_BLOCK,
        };
        self.before.is_some() && !self.block.flags.intersects(left_out)
    }

    /// Channels of the block's feature.
    pub(super) fn channels(&self) -> usize {
        let [_, _, channels] = self.block.feature;
        channels
    }

    /// How much higher the entropy of the block's spectrum is than that of the feature before it.
    pub(super) fn step(&self) -> Option<f64> {
        self.before.map(|before| self.block.expressivity - before.expressivity)
    }
}

/// How the terms of blocks become one number. NaN among them makes it NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    Sum,
    Mean,
    Minimum,
}
