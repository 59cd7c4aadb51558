//! What everything outside knows of a search space.

use super::{Policy, Settings};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::Generator;
use crate::graph::{Network, StandIn};
use core::fmt::Display;

/// A set of architectures with a way to draw one and to vary one: all that a search needs to know.
///
/// All randomness comes from the generator given, so that a search can be repeated.
pub trait SearchSpace {
    /// One architecture. Its order is only used to recognise equal ones.
    type Architecture: Clone + Ord;

    /// The architecture a search sets out from, if the space names one.
    fn initial(&self) -> Option<Self::Architecture>;

    /// Draws an architecture independently of all others.
    fn sample(&self, rng: &mut Generator) -> Self::Architecture;

    /// A variation of `parent` in up to `replacements` of its parts: draws may coincide or change nothing.
    fn mutate(&self, parent: &Self::Architecture, replacements: usize, rng: &mut Generator) -> Self::Architecture;

    /// What the architecture costs by the convention of the space's benchmark, at the target resolution whatever the
    /// resolution of the scores. A quantity that no limit in use is on may be left at 0.
    ///
    /// # Errors
    /// Whatever makes the architecture impossible to assess, such as [`Error::Overflow`].
    fn cost(&self, architecture: &Self::Architecture) -> Result<Cost, Error>;
}

/// A search space with all that programs and the C interface know of it: its rules, texts and networks.
pub trait Space: SearchSpace<Architecture: Display + Send + Sync + 'static> + Sized + Send + Sync {
    /// The network of an architecture.
    type Network: Network + Send + Sync + 'static;

    /// What holds for all of its networks.
    const POLICY: Policy;

    /// The space under these settings, of which it uses its part.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting that is out of range.
    fn new(settings: &Settings) -> Result<Self, Error>;

    /// Reads the text of an architecture, which its `Display` prints.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit, or what makes the architecture impossible.
    fn parse(&self, text: &[u8]) -> Result<Self::Architecture, Error>;

    /// The network of an architecture.
    fn network(&self, architecture: &Self::Architecture) -> Self::Network;

    /// The network that is to be used in the end, of which an architecture may have a narrower one that is scored.
    fn target_network(&self, architecture: &Self::Architecture) -> Self::Network {
        self.network(architecture)
    }

    /// The smaller network that is scored in place of that of an architecture, where the settings ask for one.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting that leaves nothing of this network.
    fn stand_in(&self, architecture: &Self::Architecture) -> Result<Option<StandIn<Self::Network>>, Error> {
        let _ = architecture;
        Ok(None)
    }

    /// Hands what is scored of an architecture to `work`: its network, or what stands in for it.
    ///
    /// # Errors
    /// Those of [`Self::stand_in`].
    fn with_scored<R>(
        &self,
        architecture: &Self::Architecture,
        work: impl FnOnce(&dyn Network) -> R,
    ) -> Result<R, Error> {
        if SMALL {
            return Ok(work(&self.network(architecture)));
        }
        Ok(match self.stand_in(architecture)? {
            Some(network) => work(&network),
            None => work(&self.network(architecture)),
        })
    }

    /// A name of block `index` of the network, or of its head past the last block. With the shape of its input it tells
    /// apart layers that do different work. It holds no comma.
    fn layer(&self, architecture: &Self::Architecture, index: usize) -> impl Display;

    /// The least and the most parameters that the published searches keep to, if they do.
    fn parameter_window(&self) -> Option<[u64; 2]> {
        None
    }
}

/// What one architecture costs, in the units its space counts with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Multiply-adds, as the space counts them.
    pub complexity: f64,
    /// Parameters, as the space counts them.
    pub parameters: u64,
    /// Layers, as the space counts them; 0 where they do not differ.
    pub layers: u32,
    /// Bytes of workspace that scoring takes, where the caller has filled it in.
    pub workspace_bytes: u64,
    /// The most numbers that inference holds at a time, where the caller has filled it in: see
    /// [`peak_activation`](crate::graph::peak_activation).
    pub peak_activation: u64,
    /// Anything of the caller's own, such as a latency in milliseconds.
    pub custom: f64,
}
