//! Random tensors, or the caller's in their place.

use super::{Runner, buffer};
use crate::base::math;
use crate::base::rng::{Key, Stream};
use crate::graph::{NodeId, Op};
use crate::mem::{Loans, Workspace};
use crate::plan::Region;
use crate::tensor::Role;
use crate::tensor::random::{fill_normal, fill_signs, fill_uniform};

/// How the weights of convolutions and linear maps are drawn. Biases and shifts are 0, gains 1.
///
/// `fan_in` is input channels per group × kernel area, `fan_out` output channels × kernel area.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
}

impl Initialisation {
    /// Every initialisation.
    pub const ALL: [Self; 7] = [
        Self::KaimingNormalFanIn,
        Self::KaimingNormalFanOut,
        Self::KaimingUniformFanIn,
        Self::KaimingUniformFanOut,
        Self::XavierNormal,
        Self::Normal,
        Self::Uniform,
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
        }
    }

    fn distribution(self, fan_in: f64, fan_out: f64) -> Distribution {
        let normal = |variance: f64| Distribution::Normal { deviation: math::sqrt(variance) as f32 };
        let uniform = |square: f64| Distribution::Uniform { half_width: math::sqrt(square) as f32 };
        match self {
            Self::KaimingNormalFanIn => normal(2.0 / fan_in),
            Self::KaimingNormalFanOut => normal(2.0 / fan_out),
            Self::KaimingUniformFanIn => uniform(6.0 / fan_in),
            Self::KaimingUniformFanOut => uniform(6.0 / fan_out),
            Self::XavierNormal => normal(2.0 / (fan_in + fan_out)),
            Self::Normal => Distribution::Normal { deviation: 0.1 },
            Self::Uniform => Distribution::Uniform { half_width: 0.1 },
        }
    }
}

enum Distribution {
    Normal { deviation: f32 },
    Uniform { half_width: f32 },
}

impl Runner<'_> {
    pub(super) fn draw_input(&self, workspace: &mut Workspace<'_>) {
        let len = self.block.nodes()[0].shape.len();
        let input = workspace.loans().write(self.slot(Region::Input, len));
        match self.source.input() {
            Some(given) => input.copy_from_slice(given),
            None => fill_normal(self.options.backend, Key::new(self.options.seed, Stream::Input, 0, 0), 1.0, input),
        }
    }

    pub(super) fn draw_direction(&self, loans: &mut Loans<'_>) {
        let len = self.block.output_shape().len();
        let direction = loans.write(self.slot(buffer(self.plan.statistics.direction), len));
        let block = self.block.index();
        match self.source.direction(block) {
            Some(given) => direction.copy_from_slice(given),
            None => {
                let key = Key::new(self.options.seed, Stream::Direction, block as u32, 0);
                fill_signs(self.options.backend, key, direction);
            }
        }
    }

    /// The weights of a linear map, or of every convolution of a group.
    pub(super) fn draw_weights(&self, leader: NodeId, loans: &mut Loans<'_>) {
        let lens = self.plan.members(leader).map(|member| self.weights_len(member));
        let mut rest = loans.write(self.slot(buffer(self.plan.nodes[leader.index()].weights), lens.sum()));
        for member in self.plan.members(leader) {
            let (own, others) = rest.split_at_mut(self.weights_len(member));
            self.draw(member, own);
            rest = others;
        }
    }

    fn draw(&self, id: NodeId, weights: &mut [f32]) {
        let (block, node) = (self.block.index(), &self.block.nodes()[id.index()]);
        if let Some(given) = self.source.parameter(block, node.key, Role::Weight) {
            weights.copy_from_slice(given);
            return;
        }
        let (outputs, area) = match node.op {
            Op::Convolution(convolution) => (convolution.channels, convolution.kernel[0] * convolution.kernel[1]),
            _ => (node.shape.channels, 1),
        };
        let fan_in = weights.len() / outputs;
        let key = Key::new(self.options.seed, Stream::Weight, block as u32, node.key);
        match self.options.initialisation.distribution(fan_in as f64, (outputs * area) as f64) {
            Distribution::Normal { deviation } => fill_normal(self.options.backend, key, deviation, weights),
            Distribution::Uniform { half_width } => fill_uniform(self.options.backend, key, half_width, weights),
        }
    }

    fn weights_len(&self, id: NodeId) -> usize {
        let node = &self.block.nodes()[id.index()];
        // The plan asked the same and would have failed.
        self.block.parameter_len(node, Role::Weight).ok().flatten().unwrap_or(0)
    }
}
