//! How a whole network is run for its gradients, beside the options of a score.

/// One run through a whole network, forwards and back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sweep {
    /// What the network is run on.
    pub input: Input,
    /// What its parameters are.
    pub weights: Weights,
    /// Batch normalisations pass on what they read, as if they were not there, backwards too.
    pub without_norms: bool,
    /// What is differentiated.
    pub loss: Loss,
    /// What is kept for each parameter, in the workspace.
    pub state: State,
    /// What rectifiers pass on.
    pub signs: Signs,
}

/// What a network is run on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// The batch of this number: the caller's, or N(0, 1), another for each number. That of scores is number 0.
    Batch(u32),
    /// Ones.
    Ones,
    /// Batch 0 and so many times batch 1.
    Shifted {
        /// The factor of batch 1.
        by: f32,
    },
}

impl Default for Input {
    /// The batch of scores.
    fn default() -> Self {
        Self::Batch(0)
    }
}

impl Input {
    /// The batch whose labels count.
    pub(crate) fn batch(self) -> u32 {
        match self {
            Self::Batch(number) => number,
            Self::Ones | Self::Shifted { .. } => 0,
        }
    }
}

/// What the parameters of a network are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Weights {
    /// The caller's, or drawn as for a score.
    #[default]
    AsDrawn,
    /// The magnitudes of those, but gains and shifts as they are. Features and gradients are scaled by powers of two from block to block, which
    /// [`Parameter::exponent`](crate::sweep::Parameter::exponent) makes up for: they would soon leave the range of single
    /// precision.
    Magnitudes,
    /// Those so many times; only weights of convolutions and linear maps are scaled.
    Scaled {
        /// Their factor.
        by: f32,
    },
    /// Those and so many times the [`State`]; only weights of convolutions and linear maps are moved.
    Shifted {
        /// The factor of the state.
        by: f32,
    },
}

/// What is differentiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The mean over the batch of the cross entropy with the labels: the caller's, or drawn uniformly.
    #[default]
    CrossEntropy,
    /// The sum of all outputs of the network.
    Sum,
    /// The sum of the outputs for each image by itself, one after the other.
    EachSample,
}

/// What rectifiers pass on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signs {
    /// What is above 0.
    #[default]
    Own,
    /// The same; which numbers these are is noted, a bit each, in the workspace.
    Noted,
    /// What was above 0 when it was noted, in an earlier sweep over the same network and batch in one workspace, whatever it
    /// is now. What is computed is then a smooth function of the weights, with the derivatives of the network as it was.
    Followed,
}

/// Whether a number is kept for each parameter, from one sweep to the next over the same network in one workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// None.
    #[default]
    None,
    /// Zeros at first.
    Fresh,
    /// As the last sweep left it, which had a state too.
    Kept,
}
