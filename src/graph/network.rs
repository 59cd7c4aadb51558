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

    /// What rows and columns of the images have to be multiples of, so that every block fits and shrinks its map by a whole
    /// factor: what is told where one does not. 1 if there is no such number; blocks that do not shrink by a whole factor are
    /// then scored without their trainability ([`Flags::UNEVEN_BLOCK`](crate::proxy::Flags::UNEVEN_BLOCK)).
    fn resolution_multiple(&self) -> usize {
        1
    }

    /// Describes what follows the last feature. Only its cost is used.
    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        let _ = block;
        Ok(())
    }

    /// The network that counts in place of this one, and the rows and columns of the images that it counts for: see
    /// [`StandIn`](super::StandIn). None if this one counts, on the images that it is scored on. Builds with the feature
    /// `small` do not ask.
    fn counted(&self) -> Option<(&dyn Network, [usize; 2])> {
        None
    }

    /// The trainable numbers that count: those of the network that the space's benchmark trains. `cost` has those of the
    /// network as it is scored, on images of `scored` rows and columns, which may be another size.
    ///
    /// # Errors
    /// Whatever makes them impossible to count; nothing is scored then.
    fn parameters(&self, cost: &Cost, scored: [usize; 2]) -> Result<u64, Error> {
        let _ = scored;
        Ok(cost.parameters)
    }

    /// The complexity score, higher being better like every score though costlier: multiply-adds by the convention of
    /// the space's benchmark.
    ///
    /// # Errors
    /// Whatever makes them impossible to count; nothing is scored then.
    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        Ok(cost.macs as f64)
    }

    /// Whether progressivity, the least or the mean, is one of the scores. Where it is not, it is not measured.
    fn progressivity(&self) -> bool {
        true
    }

    /// What an identity block counts for.
    fn identity_rule(&self) -> IdentityRule {
        IdentityRule::Reject
    }
}

/// Refuses images whose rows or columns are no multiple of what the network asks for.
pub(crate) fn check_multiple<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<(), Error> {
    let divisor = network.resolution_multiple();
    let broken = [("height", height), ("width", width)].into_iter().find(|(_, side)| !side.is_multiple_of(divisor));
    broken.map_or(Ok(()), |(field, _)| Err(Error::NotMultiple { field, divisor }))
}

/// The error of a network on images of `height` × `width`: in place of a block that does not fit, the multiple that would.
pub(crate) fn explained<N: Network + ?Sized>(network: &N, height: usize, width: usize, error: Error) -> Error {
    match error {
        Error::Node { .. } | Error::Invalid { .. } => check_multiple(network, height, width).err().unwrap_or(error),
        _ => error,
    }
}
