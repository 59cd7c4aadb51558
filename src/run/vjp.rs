//! Gradients of nodes, passed down to their inputs.

use super::{Runner, buffer};
use crate::base::few::Few;
use crate::graph::{NodeId, Op};
use crate::mem::{Loans, Workspace};
use crate::ops::{batch_norm, combine, concat, gelu, global_pool, max_pool, pool, tokens};
use crate::plan::MAX_MEMBERS;
use crate::tensor::{Gradient, Normalised, Role, Sink, Sums, Value};

impl Runner<'_> {
    pub(super) fn vjp(&self, id: NodeId, workspace: &mut Workspace<'_>) {
        let node = &self.block.nodes()[id.index()];
        match node.op {
            Op::Convolution(_) => self.convolution_vjp(id, &mut workspace.loans()),
            Op::BatchNorm { epsilon } => self.normalisation_vjp(id, epsilon, &mut workspace.loans()),
            _ => {
                // A node may read another twice: each contribution borrows the gradients anew.
                for (position, input) in self.plan.contributions(self.block, id) {
                    self.pass_down(id, position, input, &mut workspace.loans());
                }
            }
        }
    }

    /// The contribution of a node without batch statistics to the gradient of one of its inputs.
    fn pass_down(&self, id: NodeId, position: usize, input: NodeId, loans: &mut Loans<'_>) {
        let backend = self.options.backend;
        let node = &self.block.nodes()[id.index()];
        let shape = self.block.nodes()[input.index()].shape;
        let stored = self.gradient(id, loans);
        let gradient = Gradient { stored, normalised: None };
        let sink = self.sink(id, position, input, loans);
        match node.op {
            Op::Linear { .. } => {
                let scratch = self.scratch(id, 1, loans);
                let linear = self.linear(id, shape.channels, loans);
                linear.vjp(backend, stored, sink.accumulate, sink.stored, scratch);
            }
            Op::Tokens => tokens::vjp(backend, stored, sink),
            Op::LayerNorm { epsilon } => {
                let value = self.stored(input, loans);
                let scratch = self.scratch(id, 1, loans);
                self.layer_norm(id, epsilon).vjp(backend, value, stored, sink.accumulate, sink.stored, scratch);
            }
            Op::Gelu => gelu::vjp(backend, self.stored(input, loans), stored, sink.accumulate, sink.stored),
            Op::Attention(attention) => {
                let value = self.stored(input, loans);
                let tables = self.parameters(id, loans);
                let scratch = self.scratch(id, 1, loans);
                attention.vjp(backend, value, tables, stored, sink.accumulate, sink.stored, scratch);
            }
            Op::AveragePool(window) => {
                let scratch = self.scratch(id, 1, loans);
                pool::vjp(backend, &window, gradient, sink, scratch);
            }
            Op::MaxPool(window) => {
                let value = self.value(input, loans);
                let scratch = self.scratch(id, 1, loans);
                max_pool::vjp(backend, &window, value, gradient, sink, scratch);
            }
            Op::GlobalPool | Op::TokenPool => {
                let skip = usize::from(node.op == Op::TokenPool);
                let scratch = self.scratch(id, 1, loans);
                global_pool::vjp(backend, stored, skip, sink, scratch);
            }
            Op::Concat => {
                let parts = node.inputs()[..position].iter();
                let first = parts.map(|part| self.block.nodes()[part.index()].shape.channels).sum();
                concat::vjp(backend, stored, first, sink);
            }
            Op::Relu => {
                // The rectified value is positive exactly where its input is.
                let gate = Value { stored: self.stored(id, loans), affine: None, rectified: false };
                combine::vjp(backend, gradient, Sink { gate: Some(gate), ..sink });
            }
            _ => combine::vjp(backend, gradient, sink),
        }
    }

    /// The gradient of a group of convolutions, read through the normalisations that follow them.
    fn convolution_vjp(&self, leader: NodeId, loans: &mut Loans<'_>) {
        let Some(convolution) = self.convolution(leader) else { return };
        let planned = &self.plan.nodes[leader.index()];
        let weights = &self.parameters(leader, loans)[..convolution.geometry().weights()];
        let packed = loans.write(self.slot(buffer(planned.packed[1])));
        convolution.pack_vjp(weights, packed);
        let members = self.plan.members(leader).map(|member| match self.plan.nodes[member.index()].normaliser {
            Some(normaliser) => {
                let [_, _, _, by_gradient, by_input, constant] = self.coefficients(normaliser, loans);
                let input = self.stored(member, loans);
                let normalised = Some(Normalised { input, by_gradient, by_input, constant });
                Gradient { stored: self.gradient(normaliser, loans), normalised }
            }
            None => Gradient { stored: self.gradient(member, loans), normalised: None },
        });
        let gradients = Few::<_, MAX_MEMBERS>::collect(Gradient::EMPTY, members);
        let scratch = self.scratch(leader, 1, loans);
        let input = self.block.nodes()[leader.index()].inputs()[0];
        convolution.vjp(gradients.as_slice(), packed, scratch, self.sink(leader, 0, input, loans));
    }

    /// The coefficients of the backward pass of a batch normalisation and, unless its convolution applies them as it
    /// reads, the gradient with respect to its input.
    fn normalisation_vjp(&self, id: NodeId, epsilon: f64, loans: &mut Loans<'_>) {
        let backend = self.options.backend;
        let input = self.block.nodes()[id.index()].inputs()[0];
        let (gradient, stored) = (self.gradient(id, loans), self.stored(input, loans));
        let channels = stored.shape.channels;
        let moments = self.moments(id, None, loans);
        let planned = &self.plan.nodes[id.index()];
        let all = loans.write(self.slot(buffer(planned.coefficients)));
        let [_, _, centre, by_gradient, by_input, constant] = batch_norm::split(all, channels);
        let (of_gradient, of_product) = self.sums(id, loans);
        let sums = if planned.summed_by.is_some() {
            Sums { centre, gradient: of_gradient, product: of_product }
        } else {
            let mut sums = Sums::new(centre, of_gradient, of_product);
            sums.update(backend, &gradient, &stored, 0, stored.shape.positions());
            sums
        };
        let gain = self.parameter(id, Role::Gain);
        batch_norm::vjp_coefficients(&sums, &moments, gain, epsilon, by_gradient, by_input, constant);
        if self.plan.nodes[input.index()].sink.is_some() {
            let normalised = Normalised { input: stored, by_gradient, by_input, constant };
            batch_norm::vjp(backend, gradient, normalised, self.sink(id, 0, input, loans));
        }
    }

    /// A block whose output does not depend on its input has gradient zero.
    pub(super) fn clear_gradient(&self, loans: &mut Loans<'_>) {
        let input = &self.plan.nodes[self.block.input().index()];
        loans.write::<f32>(self.slot(input.sink)).fill(0.0);
    }
}
