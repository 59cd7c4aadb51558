//! A network that is scored in place of another.

use super::{Block, Cost, IdentityRule, Network};
use crate::Error;

/// A small network that is scored in place of the one that counts: both are of one kind, such as the same cell in a smaller
/// skeleton. Whatever is counted (complexity, parameters, layers, depth) is that of the network that counts; whatever is
/// measured is that of the network that is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn<N> {
    /// What is scored.
    pub scored: N,
    /// What counts.
    pub counted: N,
    /// Rows and columns of the images that it counts for.
    pub images: [usize; 2],
}

impl<N: Network> Network for StandIn<N> {
    fn input_channels(&self) -> usize {
        self.scored.input_channels()
    }

    fn block_count(&self) -> usize {
        self.scored.block_count()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        self.scored.describe(index, block)
    }

    fn resolution_multiple(&self) -> usize {
        self.scored.resolution_multiple()
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        self.scored.describe_head(block)
    }

    fn counted(&self) -> Option<(&dyn Network, [usize; 2])> {
        Some((&self.counted, self.images))
    }

    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        self.counted.complexity(cost)
    }

    fn progressivity(&self) -> bool {
        self.scored.progressivity()
    }

    fn identity_rule(&self) -> IdentityRule {
        self.scored.identity_rule()
    }
}
