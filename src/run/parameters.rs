//! Gradients with respect to the parameters of a node.

use super::{Runner, buffer};
use crate::graph::{Kind, NodeId};
use crate::mem::Loans;
use crate::ops::operation::{MAX_PARAMETERS, Operation, ParametersCall};
use crate::ops::{batch_norm, bias};
use crate::tensor::{Role, Sums};

/// A parameter of a network, and the gradient with respect to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parameter<'a> {
    /// The number of its block; the head has that of the blocks.
    pub block: usize,
    /// The number of its node in the block.
    pub node: usize,
    /// The key of the node.
    pub key: u32,
    /// What it is of the node.
    pub role: Role,
    /// Its numbers, as the network was run with them. `None` if it is neither drawn nor given: gains are 1, biases and shifts
    /// 0.
    pub values: Option<&'a [f32]>,
    /// The gradient, in the order of the numbers.
    pub gradient: &'a [f32],
    /// What is kept for it, in the same order; nothing, if the sweep has no state.
    pub state: &'a mut [f32],
    /// The products of values and gradient are to be multiplied by two to this power. Not 0 only where
    /// [`Weights::Magnitudes`](crate::options::sweep::Weights::Magnitudes) are asked for.
    pub exponent: i32,
    /// The image whose outputs were differentiated, if they were by themselves.
    pub sample: Option<usize>,
}

impl Runner<'_> {
    /// Computes the gradients with respect to the parameters of a node, or of the convolutions it leads, and hands them over. A
    /// convolution passes its gradient on at the same time, if it is to.
    pub(super) fn parameter_gradients(
        &self,
        leader: NodeId,
        passes_on: bool,
        loans: &mut Loans<'_>,
        hand_over: &mut dyn FnMut(Parameter<'_>),
    ) {
        let planned = &self.plan.nodes[leader.index()];
        let len = self.plan.parameters_len(self.block, leader);
        let (gradients, scratch) = loans.write(self.slot(buffer(planned.parameter_gradients))).split_at_mut(len);
        match self.block.nodes()[leader.index()].op.kind() {
            Kind::Convolution(_) => self.convolution_parameters(leader, passes_on, gradients, scratch, loans),
            // What is left out has no influence.
            Kind::BatchNorm(_) if self.setting.without_norms => return,
            Kind::BatchNorm(norm) => self.normalisation_parameters(leader, norm.epsilon.get(), gradients, loans),
            Kind::Plain(op) => self.plain_parameters(leader, op, gradients, scratch, loans),
            // These have none.
            Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => {}
        }
        let state = self.setting.state.map_or(&mut [][..], |state| &mut loans.write(state.whole)[state.first..]);
        let (mut held, mut gradients) = (self.parameters(leader, loans), &*gradients);
        for member in self.plan.members(leader) {
            let node = &self.block.nodes()[member.index()];
            for parameter in self.block.parameters(node).as_slice() {
                let (gradient, others) = gradients.split_at(parameter.len());
                gradients = others;
                let values = if self.holds(node, parameter.role) {
                    let (own, others) = held.split_at(parameter.len());
                    held = others;
                    Some(own)
                } else {
                    self.source.parameter(self.block.index(), node.key, parameter.role)
                };
                let state = match self.setting.state {
                    Some(_) => &mut state[self.place_of(member, parameter.role)..][..parameter.len()],
                    None => &mut [],
                };
                hand_over(Parameter {
                    block: self.block.index(),
                    node: member.index(),
                    key: node.key,
                    role: parameter.role,
                    values,
                    gradient,
                    state,
                    exponent: self.setting.exponents.iter().sum(),
                    sample: self.setting.sample,
                });
            }
        }
    }

    fn convolution_parameters(
        &self,
        leader: NodeId,
        passes_on: bool,
        gradients: &mut [f32],
        scratch: &mut [f32],
        loans: &mut Loans<'_>,
    ) {
        let Some(convolution) = self.convolution(leader) else { return };
        let input = self.block.nodes()[leader.index()].inputs()[0];
        let value = self.value(input, loans);
        let of_outputs = self.group_gradients(leader, loans);
        let (weights, biases) = gradients.split_at_mut(convolution.geometry().weights());
        if passes_on {
            let packed = self.packed(leader, &convolution, 1, loans);
            let sink = self.sink(leader, 0, input, loans);
            convolution.both_vjp(&value, of_outputs.as_slice(), packed, weights, scratch, sink);
        } else {
            convolution.weights_vjp(&value, of_outputs.as_slice(), weights, scratch);
        }
        if !biases.is_empty() {
            bias::vjp(self.options.backend, of_outputs.as_slice(), biases);
        }
    }

    fn normalisation_parameters(&self, id: NodeId, epsilon: f64, gradients: &mut [f32], loans: &mut Loans<'_>) {
        let moments = self.moments(id, None, loans);
        let [_, _, centre, ..] = self.coefficients(id, loans);
        let (gradient, product) = self.sums(id, loans);
        let (gain, shift) = gradients.split_at_mut(centre.len());
        batch_norm::parameters_vjp(&Sums { centre, gradient, product }, &moments, epsilon, gain, shift);
    }

    fn plain_parameters(
        &self,
        id: NodeId,
        op: &dyn Operation,
        gradients: &mut [f32],
        scratch: &mut [f32],
        loans: &mut Loans<'_>,
    ) {
        let node = &self.block.nodes()[id.index()];
        let Some(op) = op.parameter_gradients() else { return };
        let inputs = self.values(node.inputs().iter().copied(), loans);
        let mut of_parameters: [&mut [f32]; MAX_PARAMETERS] = Default::default();
        let mut rest = gradients;
        for (of_parameter, parameter) in of_parameters.iter_mut().zip(self.block.parameters(node).as_slice()) {
            (*of_parameter, rest) = rest.split_at_mut(parameter.len());
        }
        op.parameters_vjp(ParametersCall {
            backend: self.options.backend,
            inputs: inputs.as_slice(),
            parameters: self.given(id, loans),
            gradient: self.gradient(id, loans),
            of_parameters,
            scratch,
        });
    }
}
