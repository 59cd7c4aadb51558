//! Weights of convolutions as blocks of earlier networks have drawn and packed them.

use super::{Runner, buffer};
use crate::base::digest::Digest;
use crate::base::few::Few;
use crate::graph::NodeId;
use crate::mem::Workspace;
use crate::ops::conv2d::Conv2d;
use crate::plan::{KeptPlace, Phase, Step, Weights};
use crate::tensor::Role;
use core::hash::Hash;

/// Convolutions of a block whose weights are kept. Of further ones they are not.
const MOST: usize = 16;

/// How many times as many numbers as were drawn may be kept packed. Of transforms that take more, what was drawn is kept: they
/// take no longer to be made than to be read from a distant cache.
const LARGEST: usize = 4;

/// What is kept of a block's weights: convolutions by those that lead them, and whether they are packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found(Few<(NodeId, bool, KeptPlace), MOST>);

impl Found {
    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self::of(core::iter::empty())
    }

    fn of(found: impl Iterator<Item = (NodeId, bool, KeptPlace)>) -> Self {
        Self(Few::collect((NodeId::default(), false, KeptPlace::default()), found))
    }
}

impl Runner<'_> {
    /// Looks up the weights of all convolutions, and keeps those that are to be.
    pub(super) fn keep_weights(&mut self, workspace: &mut Workspace<'_>) {
        let Some(weights) = self.weights.take() else { return };
        weights.begin();
        let leaders = self.plan.steps(Phase::Forward).iter().filter_map(|&step| match step {
            Step::Weights(leader) => Some(leader),
            _ => None,
        });
        self.found = Found::of(leaders.filter_map(|leader| self.found_or_kept(leader, weights, workspace)));
        self.weights = Some(weights);
    }

    fn found_or_kept(
        &self,
        leader: NodeId,
        weights: &mut Weights,
        workspace: &mut Workspace<'_>,
    ) -> Option<(NodeId, bool, KeptPlace)> {
        let convolution = self.convolution(leader)?;
        let (drawn, packed) = (convolution.geometry().weights(), self.packed_lens(leader));
        let is_packed = packed[0].saturating_add(packed[1]) <= LARGEST.saturating_mul(drawn);
        let key = self.key_of_weights(leader, &convolution)?;
        let place = weights.find(key).or_else(|| {
            let place = weights.add(key, if is_packed { packed } else { [drawn, 0] })?;
            self.draw_weights(leader, &mut workspace.loans());
            let mut loans = workspace.loans();
            let numbers = &self.parameters(leader, &mut loans)[..drawn];
            let [first, second] = weights.write(place);
            if is_packed {
                convolution.pack_forward(numbers, first);
                if !second.is_empty() {
                    convolution.pack_vjp(numbers, second);
                }
            } else {
                first.copy_from_slice(numbers);
            }
            Some(place)
        })?;
        Some((leader, is_packed, place))
    }

    /// All that the weights of a convolution depend on, drawn and packed; nothing, if they are not drawn alone.
    fn key_of_weights(&self, leader: NodeId, convolution: &Conv2d) -> Option<[u64; 2]> {
        let members = || self.plan.members(leader).map(|member| &self.block.nodes()[member.index()]);
        let block = self.block.index();
        let drawn = members()
            .all(|node| !node.draws(Role::Bias) && self.source.parameter(block, node.key, Role::Weight).is_none());
        drawn.then(|| {
            Digest::of([0; 2], |state| {
                (self.options.seed, block, self.options.initialisation).hash(state);
                (convolution, self.packed_lens(leader)).hash(state);
                members().for_each(|node| (node.key, node.shape.channels, node.draw).hash(state));
            })
        })
    }

    /// Numbers of the weights of a convolution as packed for both passes.
    fn packed_lens(&self, leader: NodeId) -> [usize; 2] {
        self.plan.nodes[leader.index()].packed.map(|packed| self.slot::<f32>(buffer(packed)).len())
    }

    /// The weights of a convolution as packed for the forward (0) or backward (1) kernel, if they are kept.
    pub(super) fn kept_packed(&self, leader: NodeId, pass: usize) -> Option<&[f32]> {
        self.kept(leader, true).map(|parts| parts[pass])
    }

    /// The weights of a convolution as drawn, if they are kept.
    pub(super) fn kept_drawn(&self, leader: NodeId) -> Option<&[f32]> {
        self.kept(leader, false).map(|[drawn, _]| drawn)
    }

    /// Whether the weights of a node need not be drawn.
    pub(super) fn is_kept(&self, leader: NodeId) -> bool {
        self.found.0.as_slice().iter().any(|&(found, ..)| found == leader)
    }

    fn kept(&self, leader: NodeId, packed: bool) -> Option<[&[f32]; 2]> {
        let mut found = self.found.0.as_slice().iter();
        let &(.., place) = found.find(|&&(found, is_packed, _)| found == leader && is_packed == packed)?;
        Some(self.weights.as_ref()?.read(place))
    }
}
