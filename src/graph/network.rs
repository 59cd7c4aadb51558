//! What a search space has to say about one of its networks.

use super::{Block, Cost};
use crate::Error;

/// What a block counts for whose gradient passes unchanged (its input is its output).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRule {
    /// −∞ for the whole network's trainability: the published rule for convolutional spaces.
    Reject,
    /// The block is left out of the mean: the published rule for vision transformers.
    Skip,
}

/// A network as a chain of primary blocks.
///
/// Blocks are described one at a time into a [`Block`] that already holds its input node, so a network of any depth
/// needs no memory of its own.
pub trait Network {
    /// Channels of the input batch.
    fn input_channels(&self) -> usize {
        3
    }

    /// Primary blocks, and so features; at least 1.
    fn block_count(&self) -> usize;

    /// Describes block `index` (0 is the stem) and sets its output.
    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error>;

    /// Describes what follows the last feature. Only its cost is used.
    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        let _ = block;
        Ok(())
    }

    /// The complexity score, higher being better like every score though costlier: multiply-adds by the convention of
    /// the space's benchmark.
    ///
    /// # Errors
    /// Whatever makes them impossible to count; nothing is scored then.
    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        Ok(cost.macs as f64)
    }

    /// What an identity block counts for.
    fn identity_rule(&self) -> IdentityRule {
        IdentityRule::Reject
    }
}
