//! What a network is run under in a sweep, and what that does to its parameters.

use super::{Runner, buffer};
use crate::base::math;
use crate::graph::NodeId;
use crate::mem::{Loans, Slot};
use crate::ops::signs::{follow, pattern, pattern_len};
use crate::options::sweep::{Input, Weights};
use crate::tensor::Role;

/// What a block is run under. By default as for a score.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting {
    pub(crate) input: Input,
    pub(crate) weights: Weights,
    pub(crate) without_norms: bool,
    pub(crate) state: Option<StatePlace>,
    pub(crate) signs: Option<SignsPlace>,
    /// The image whose outputs are differentiated, if they are by themselves.
    pub(crate) sample: Option<usize>,
    /// What stands in memory is to be multiplied by these powers of two: features that are read, and the gradient with
    /// respect to the block's output.
    pub(crate) exponents: [i32; 2],
}

/// A number for each parameter of the network, and which is the block's first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatePlace {
    pub(crate) whole: Slot<f32>,
    pub(crate) first: usize,
}

/// A bit for each number of the network's rectifiers, and which word is the block's first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignsPlace {
    pub(crate) whole: Slot<u64>,
    pub(crate) first: usize,
    /// They say what passes; else what passes says them.
    pub(crate) followed: bool,
}

impl Runner<'_> {
    /// Of what a rectifier reads, or has rectified, leaves what it passes on, and a mask of that.
    pub(super) fn pass_on(&self, id: NodeId, signs: SignsPlace, values: &mut [f32], loans: &mut Loans<'_>) {
        let before = self.block.nodes()[..id.index()].iter().map(|node| self.block.sign_words(node)).sum::<usize>();
        let words = &mut loans.write(signs.whole)[signs.first + before..][..pattern_len(values.len())];
        let mask = loans.write::<f32>(self.slot(buffer(self.plan.nodes[id.index()].mask)));
        if !signs.followed {
            pattern(self.options.backend, values, words);
        }
        follow(self.options.backend, words, values, mask);
    }

    /// Makes of a parameter, as drawn or given, what the sweep says.
    pub(super) fn change(&self, id: NodeId, role: Role, parameter: &mut [f32], loans: &mut Loans<'_>) {
        match self.setting.weights {
            Weights::AsDrawn => {}
            Weights::Magnitudes => {
                // What is added to a value is as small as that.
                let exponent = if role == Role::Bias { -self.setting.exponents[0] } else { 0 };
                parameter.iter_mut().for_each(|x| *x = x.abs());
                math::times_power_of_two_all(parameter, exponent);
            }
            Weights::Scaled { by } if role == Role::Weight => parameter.iter_mut().for_each(|x| *x *= by),
            Weights::Shifted { by } if role == Role::Weight => {
                if let Some(state) = self.setting.state {
                    let first = state.first + self.place_of(id, role);
                    let state = &loans.read(state.whole)[first..][..parameter.len()];
                    parameter.iter_mut().zip(state).for_each(|(x, state)| *x += by * state);
                }
            }
            Weights::Scaled { .. } | Weights::Shifted { .. } => {}
        }
    }

    /// The place of a parameter among those of the block.
    pub(super) fn place_of(&self, id: NodeId, role: Role) -> usize {
        let node = &self.block.nodes()[id.index()];
        let before = self.block.nodes()[..id.index()].iter().map(|node| self.block.parameters_len(node));
        let parameters = self.block.parameters(node);
        let own = parameters.as_slice().iter().take_while(|parameter| parameter.role != role);
        before.chain(own.map(|parameter| parameter.len())).sum()
    }
}
