//! The steps of a block and the memory each of them touches.

use super::{BlockPlan, Region};
use crate::graph::{Block, Kind, NodeId};
use crate::ops::operation::Remembers;

/// What a block goes through, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// From its input to its feature.
    Forward,
    /// What is measured of the feature.
    Feature,
    /// From a gradient with respect to the feature back to the input, and what is measured of it.
    Backward,
}

impl Phase {
    pub(super) const ALL: [Self; 3] = [Self::Forward, Self::Feature, Self::Backward];
    pub(super) const COUNT: usize = Self::ALL.len();
}

/// One step of the runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The input batch is drawn, or copied from the caller.
    Input,
    /// The weights of a node are drawn, or copied from the caller.
    Weights(NodeId),
    /// A node's value, or what its readers need to see it.
    Forward(NodeId),
    /// The eigenvalues of the covariance of the feature.
    Spectrum,
    /// The ±1 vector is drawn, or copied from the caller.
    Direction,
    /// A node's gradient is passed on to its inputs.
    Vjp(NodeId),
    /// The gradients with respect to a node's parameters.
    ///
    /// A convolution may pass its gradient on in the same go.
    #[cfg(feature = "gradients")]
    ParameterGradients { of: NodeId, passes_on: bool },
    /// A node is looked at.
    #[cfg(feature = "gradients")]
    Look(NodeId),
    /// Nothing leads back to the input: its gradient is zero.
    ClearGradient,
    /// The transfer matrix of the block and its largest singular value.
    Transfer,
}

impl Step {
    /// Calls `visit` with every region that the step reads or writes: buffers live by what is said here, and the
    /// runner borrows nothing else.
    pub(super) fn touches(self, plan: &BlockPlan, block: &Block, visit: &mut impl FnMut(Region)) {
        let statistics = &plan.statistics;
        match self {
            Self::Input => {
                visit(Region::Input(0));
                #[cfg(feature = "gradients")]
                buffers(&[plan.mixed_input], visit);
            }
            Self::Weights(node) => buffers(&[plan.nodes[node.index()].weights], visit),
            Self::Forward(node) => forward(plan, block, node, visit),
            Self::Spectrum => {
                visit(Region::Output);
                buffers(
                    &[
                        statistics.covariance,
                        statistics.covariance_scratch,
                        statistics.eigenvalues,
                        statistics.eigenvalue_scratch,
                    ],
                    visit,
                );
            }
            Self::Direction => buffers(&[statistics.direction], visit),
            Self::Vjp(node) => vjp(plan, block, node, visit),
            #[cfg(feature = "gradients")]
            Self::ParameterGradients { of, passes_on } => {
                if passes_on {
                    vjp(plan, block, of, visit);
                }
                parameter_gradients(plan, block, of, visit);
            }
            #[cfg(feature = "gradients")]
            Self::Look(node) => {
                let planned = &plan.nodes[node.index()];
                buffers(&[planned.image, planned.moments], visit);
                value(plan, plan.looked_at(block, node), visit);
            }
            Self::ClearGradient => sink(plan, block.input(), visit),
            Self::Transfer => {
                visit(Region::Output);
                plan.nodes[block.input().index()].gradient.iter().for_each(|&region| visit(region));
                buffers(
                    &[
                        statistics.direction,
                        statistics.transfer,
                        statistics.half_transfer,
                        statistics.transfer_scratch,
                        statistics.norm_scratch,
                    ],
                    visit,
                );
            }
        }
    }
}

fn buffers(ids: &[Option<crate::mem::BufferId>], visit: &mut impl FnMut(Region)) {
    ids.iter().flatten().for_each(|&id| visit(Region::Buffer(id)));
}

/// What reading a node's value touches.
fn value(plan: &BlockPlan, node: NodeId, visit: &mut impl FnMut(Region)) {
    let value = plan.nodes[node.index()].value;
    value.place.region.iter().for_each(|&region| visit(region));
    if let Some(normaliser) = value.affine {
        buffers(&[plan.nodes[normaliser.index()].coefficients], visit);
    }
}

/// What leaving a contribution to a node's gradient touches.
fn sink(plan: &BlockPlan, node: NodeId, visit: &mut impl FnMut(Region)) {
    let planned = &plan.nodes[node.index()];
    planned.sink.iter().for_each(|&region| visit(region));
    if let Some(gate) = planned.gate {
        value(plan, gate, visit);
        if plan.nodes[gate.index()].summed_by.is_some() {
            buffers(&[plan.nodes[gate.index()].scratch[1]], visit);
        }
    }
}

fn forward(plan: &BlockPlan, block: &Block, node: NodeId, visit: &mut impl FnMut(Region)) {
    let planned = &plan.nodes[node.index()];
    buffers(&[planned.weights, planned.packed[0], planned.scratch[0], planned.moments, planned.coefficients], visit);
    #[cfg(feature = "gradients")]
    buffers(&[planned.mask], visit);
    if planned.stored {
        value(plan, node, visit);
    }
    plan.terms(block, node).for_each(|term| value(plan, term, visit));
}

fn vjp(plan: &BlockPlan, block: &Block, node: NodeId, visit: &mut impl FnMut(Region)) {
    let planned = &plan.nodes[node.index()];
    let inputs = block.nodes()[node.index()].inputs();
    buffers(&[planned.weights, planned.packed[1], planned.scratch[1]], visit);
    let gradient = |visit: &mut dyn FnMut(Region)| planned.gradient.iter().for_each(|&region| visit(region));
    match block.nodes()[node.index()].op.kind() {
        Kind::Convolution(_) => group_gradients(plan, node, visit),
        Kind::BatchNorm(_) => {
            gradient(visit);
            buffers(&[planned.moments, planned.coefficients], visit);
            value(plan, inputs[0], visit);
        }
        Kind::Plain(op) => {
            gradient(visit);
            match op.facts().remembers {
                Remembers::Nothing => {}
                Remembers::Inputs => inputs.iter().for_each(|&input| value(plan, input, visit)),
            }
        }
        Kind::Relu => {
            gradient(visit);
            value(plan, node, visit);
            #[cfg(feature = "gradients")]
            buffers(&[planned.mask], visit);
        }
        Kind::Identity | Kind::Add => gradient(visit),
        // Nothing is passed back to any of these, nor by them.
        Kind::Input | Kind::Earlier | Kind::Zero => {}
    }
    plan.contributions(block, node).for_each(|(_, input)| sink(plan, input, visit));
}

/// What reading the gradients of the convolutions that a node leads touches.
fn group_gradients(plan: &BlockPlan, leader: NodeId, visit: &mut impl FnMut(Region)) {
    for member in plan.members(leader) {
        let planned = &plan.nodes[member.index()];
        let source = planned.normaliser.unwrap_or(member);
        plan.nodes[source.index()].gradient.iter().for_each(|&region| visit(region));
        if planned.normaliser.is_some() {
            value(plan, member, visit);
            buffers(&[plan.nodes[source.index()].coefficients], visit);
        }
    }
}

#[cfg(feature = "gradients")]
fn parameter_gradients(plan: &BlockPlan, block: &Block, node: NodeId, visit: &mut impl FnMut(Region)) {
    let planned = &plan.nodes[node.index()];
    let inputs = block.nodes()[node.index()].inputs();
    // The parameters themselves are handed over with their gradients.
    buffers(&[planned.parameter_gradients, planned.weights], visit);
    match block.nodes()[node.index()].op.kind() {
        Kind::Convolution(_) => {
            group_gradients(plan, node, visit);
            value(plan, inputs[0], visit);
        }
        Kind::BatchNorm(_) => buffers(&[planned.moments, planned.coefficients, planned.scratch[1]], visit),
        Kind::Plain(_) => {
            planned.gradient.iter().for_each(|&region| visit(region));
            inputs.iter().for_each(|&input| value(plan, input, visit));
        }
        Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => {}
    }
}
