//! What a search needs to know about the architectures it may choose from.

use super::Cost;
use crate::Error;
use crate::base::rng::Generator;

/// A set of architectures with a way to draw one and to vary one.
///
/// All randomness comes from the generator given, so that a search can be repeated.
pub trait SearchSpace {
    /// One architecture. Its order is only used to recognise equal ones.
    type Architecture: Clone + Ord;

    /// The structure a search sets out from, if the space names one.
    fn initial(&self) -> Option<Self::Architecture>;

    /// Draws an architecture independently of all others.
    fn sample(&self, rng: &mut Generator) -> Self::Architecture;

    /// A variation of `parent` in up to `replacements` of its parts: draws may coincide or change nothing.
    fn mutate(&self, parent: &Self::Architecture, replacements: usize, rng: &mut Generator) -> Self::Architecture;

    /// What the architecture costs. A quantity that no [`Budget`](super::Budget) in use limits may be left at 0.
    ///
    /// # Errors
    /// Whatever makes the architecture impossible to assess; the search hands the error on.
    fn cost(&self, architecture: &Self::Architecture) -> Result<Cost, Error>;
}
