//! How parameters are drawn: as the options of a score say, or as the network itself says.

use crate::simd::root;
use core::hash::{Hash, Hasher};

/// How the weights of convolutions and linear maps are drawn, unless the space prescribes it. Biases and shifts are 0,
/// gains 1; class tokens and positions are N(0, 0.02²).
///
/// `fan_in` is input channels per group × kernel area, `fan_out` output channels × kernel area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initialisation {
    /// N(0, 2 / fan_in): the paper's default.
    #[default]
    KaimingNormalFanIn,
    /// N(0, 2 / fan_out)
    KaimingNormalFanOut,
    /// U(±√(6 / fan_in))
    KaimingUniformFanIn,
    /// U(±√(6 / fan_out))
    KaimingUniformFanOut,
    /// N(0, 2 / (fan_in + fan_out))
    XavierNormal,
    /// N(0, 0.1²)
    Normal,
    /// U(±0.1)
    Uniform,
    /// U(±1 / √fan_in): what frameworks draw where nothing is said.
    UniformFanIn,
    /// N(0, 1)
    StandardNormal,
}

impl Initialisation {
    /// Every initialisation.
    pub const ALL: [Self; 9] = [
        Self::KaimingNormalFanIn,
        Self::KaimingNormalFanOut,
        Self::KaimingUniformFanIn,
        Self::KaimingUniformFanOut,
        Self::XavierNormal,
        Self::Normal,
        Self::Uniform,
        Self::UniformFanIn,
        Self::StandardNormal,
    ];

    /// The name used by programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KaimingNormalFanIn => "kaiming-normal-fan-in",
            Self::KaimingNormalFanOut => "kaiming-normal-fan-out",
            Self::KaimingUniformFanIn => "kaiming-uniform-fan-in",
            Self::KaimingUniformFanOut => "kaiming-uniform-fan-out",
            Self::XavierNormal => "xavier-normal",
            Self::Normal => "normal",
            Self::Uniform => "uniform",
            Self::UniformFanIn => "uniform-fan-in",
            Self::StandardNormal => "standard-normal",
        }
    }

    /// What a weight of so many inputs and outputs is drawn from.
    pub(crate) fn distribution(self, fan_in: f64, fan_out: f64) -> Distribution {
        let normal = |variance: f64| Distribution::Normal { deviation: root::sqrt(variance) as f32 };
        let uniform = |square: f64| Distribution::Uniform { half_width: root::sqrt(square) as f32 };
        match self {
            Self::KaimingNormalFanIn => normal(2.0 / fan_in),
            Self::KaimingNormalFanOut => normal(2.0 / fan_out),
            Self::KaimingUniformFanIn => uniform(6.0 / fan_in),
            Self::KaimingUniformFanOut => uniform(6.0 / fan_out),
            Self::XavierNormal => normal(2.0 / (fan_in + fan_out)),
            Self::Normal => Distribution::Normal { deviation: 0.1 },
            Self::Uniform => Distribution::Uniform { half_width: 0.1 },
            Self::UniformFanIn => uniform(1.0 / fan_in),
            Self::StandardNormal => Distribution::Normal { deviation: 1.0 },
        }
    }
}

/// A distribution with mean 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Normal numbers.
    Normal {
        /// Their standard deviation.
        deviation: f32,
    },
    /// Uniform numbers.
    Uniform {
        /// The largest magnitude.
        half_width: f32,
    },
}

impl Hash for Distribution {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Normal { deviation } => (0, deviation.to_bits()).hash(state),
            Self::Uniform { half_width } => (1, half_width.to_bits()).hash(state),
        }
    }
}

/// How a network draws the parameters of a node itself: a row at a time, each from its own number.
///
/// A row that is shorter, or a matrix of fewer rows, is then the leading part of the larger one: candidates of all sizes
/// share the parameters of one largest network that is never built.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub struct Draw {
    /// The distribution of all parameters that are drawn.
    pub distribution: Distribution,
    /// Whether the bias is drawn too; else it is 0.
    pub bias: bool,
    /// How many matrices lie below each other in a weight whose rows the largest network has by turns. 1 keeps the order; 3
    /// is for queries, keys and values. Row r of n is row `r mod m · interleave + r / m` of the largest network's, with
    /// `m = n / interleave`.
    pub interleave: usize,
    /// Changes the seed; 0 for parameters that candidates share.
    pub salt: u64,
}
