//! How a network is scored, as the caller says it: the vocabulary of a request.

#[cfg(feature = "gradients")]
pub mod sweep;

use crate::graph::Initialisation;
use crate::ops::conv2d::Algorithm;
use crate::proxy::ProxySet;
use crate::simd::Backend;

/// How a network is scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Images of the random input batch; the paper uses 64.
    pub batch: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// How weights are drawn.
    pub initialisation: Initialisation,
    /// How often everything is drawn anew; the proxies are means.
    pub repeats: u32,
    /// The proxies that are wanted. What none of them needs is neither planned nor run: without trainability there is
    /// no backward pass, without expressivity and both progressivities there are no spectra, and where all are counted
    /// on the graph there is no pass at all, nor memory for it. The wanted ones are the same bits as when all are. Proxies of
    /// whole networks take runs of their own, under the initialisation that they were published with: Kaiming's follow
    /// `initialisation`.
    pub proxies: ProxySet,
    /// How σ, which trainability is made of, is estimated.
    pub sigma: Sigma,
    /// How the entropies of spectra, which expressivity and its kin are made of, are estimated.
    pub entropy: Entropy,
    /// The instruction set to run on.
    pub backend: Backend,
    /// How convolutions sum products.
    pub algorithm: Algorithm,
}

impl Default for Options {
    /// The paper's setting for CIFAR-sized images on the best instruction set of this processor.
    fn default() -> Self {
        Self {
            batch: 64,
            height: 32,
            width: 32,
            seed: 1,
            initialisation: Initialisation::default(),
            repeats: 1,
            proxies: ProxySet::default(),
            sigma: Sigma::default(),
            entropy: Entropy::default(),
            backend: Backend::default(),
            algorithm: Algorithm::default(),
        }
    }
}

/// How σ is estimated.
///
/// The entries of the estimated matrix are noisy, and noise can only raise a largest singular value: σ of n positions
/// is too large by about a constant over n. Small batches therefore rank networks by the noise of their last blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sigma {
    /// σ of the whole batch, as published.
    #[default]
    Plain,
    /// [`half_split`](crate::proxy::trainability::half_split) of the two halves of the batch, of which the first is the smaller if the batch is odd. Needs
    /// two images or more. Meant for small batches: it trades bias for variance.
    HalfSplit,
}

impl Sigma {
    /// All of them, for programs.
    pub const ALL: [Self; 2] = [Self::Plain, Self::HalfSplit];

    /// The name used by programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::HalfSplit => "half-split",
        }
    }
}

/// How the entropy of a feature's spectrum is estimated.
///
/// Eigenvalues of few positions are spread wider than those of many, and a spread spectrum has less entropy: with n independent
/// positions that of c equal eigenvalues is too low by about c / 2n (Page, 1993). Blocks with more channels than
/// positions lose most, so that small batches rank networks by the width of their last blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entropy {
    /// That of the whole batch, as published.
    #[default]
    Plain,
    /// [`half_split`](crate::proxy::trainability::half_split) of the two halves of the batch, at most ln(channels): a bias that falls
    /// like 1/n goes, however positions of an image depend on each other. Needs two images or more, and takes the time
    /// of three spectra. Meant for batches whose last blocks have no more than a few positions a channel.
    HalfSplit,
}

impl Entropy {
    /// All of them, for programs.
    pub const ALL: [Self; 2] = [Self::Plain, Self::HalfSplit];

    /// The name used by programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::HalfSplit => "half-split",
        }
    }
}
