//! Gradients of nodes, passed down to their inputs.

use super::{Runner, buffer};
use crate::base::few::Few;
use crate::graph::{Kind, MAX_INPUTS, NodeId, Op};
use crate::mem::{Loans, Workspace};
use crate::ops::operation::{Operation, Remembers, VjpCall};
use crate::ops::{batch_norm, combine};
use crate::plan::MAX_MEMBERS;
#[cfg(feature = "gradients")]
use crate::plan::Region;
#[cfg(feature = "gradients")]
use crate::tensor::View;
use crate::tensor::{Gradient, Normalised, Role, Shape, Sums, Value};

impl Runner<'_> {
    pub(super) fn vjp(&self, id: NodeId, workspace: &mut Workspace<'_>) {
        // A node may read another twice: each contribution borrows the gradients anew.
        let contributions = self.plan.contributions(self.block, id);
        match self.block.nodes()[id.index()].op.kind() {
            Kind::Convolution(_) => self.convolution_vjp(id, &mut workspace.loans()),
            Kind::BatchNorm(norm) => self.normalisation_vjp(id, norm.epsilon.get(), &mut workspace.loans()),
            Kind::Relu | Kind::Identity | Kind::Add => contributions
                .for_each(|(position, input)| self.combination_vjp(id, position, input, &mut workspace.loans())),
            Kind::Plain(op) => contributions
                .for_each(|(position, input)| self.plain_vjp(id, op, position, input, &mut workspace.loans())),
            // They read nothing that a gradient could be passed to.
            Kind::Input | Kind::Earlier | Kind::Zero => {}
        }
    }

    /// The contribution of a sum, identity or rectifier to the gradient of one of its inputs.
    fn combination_vjp(&self, id: NodeId, position: usize, input: NodeId, loans: &mut Loans<'_>) {
        let gradient = Gradient { stored: self.gradient(id, loans), normalised: None };
        let mut sink = self.sink(id, position, input, loans);
        if matches!(self.block.nodes()[id.index()].op, Op::Relu) {
            // The rectified value is positive exactly where its input is.
            let stored = self.stored(id, loans);
            #[cfg(feature = "gradients")]
            let stored = match self.plan.nodes[id.index()].mask {
                Some(mask) => View::dense(loans.read(self.slot(Region::Buffer(mask))), stored.shape),
                None => stored,
            };
            sink.gate = Some(Value { stored, affine: None, rectified: false });
        }
        combine::vjp(self.options.backend, gradient, sink);
    }

    /// The contribution of a plain op to the gradient of one of its inputs.
    fn plain_vjp(&self, id: NodeId, op: &dyn Operation, position: usize, input: NodeId, loans: &mut Loans<'_>) {
        let inputs = self.block.nodes()[id.index()].inputs().iter().copied();
        let remembered = match op.facts().remembers {
            Remembers::Nothing => self.values(core::iter::empty(), loans),
            Remembers::Inputs => self.values(inputs.clone(), loans),
        };
        let shapes = inputs.map(|input| self.block.nodes()[input.index()].shape);
        op.vjp(VjpCall {
            backend: self.options.backend,
            position,
            inputs: Few::<_, MAX_INPUTS>::collect(Shape::default(), shapes).as_slice(),
            remembered: remembered.as_slice(),
            parameters: self.given(id, loans),
            gradient: self.gradient(id, loans),
            sink: self.sink(id, position, input, loans),
            scratch: self.scratch(id, 1, loans),
        });
    }

    /// The gradient of a group of convolutions, read through the normalisations that follow them.
    fn convolution_vjp(&self, leader: NodeId, loans: &mut Loans<'_>) {
        let Some(convolution) = self.convolution(leader) else { return };
        let packed = self.packed(leader, &convolution, 1, loans);
        let gradients = self.group_gradients(leader, loans);
        let scratch = self.scratch(leader, 1, loans);
        let input = self.block.nodes()[leader.index()].inputs()[0];
        convolution.vjp(gradients.as_slice(), packed, scratch, self.sink(leader, 0, input, loans));
    }

    /// The gradients with respect to the convolutions that `leader` runs.
    pub(super) fn group_gradients<'w>(&self, leader: NodeId, loans: &mut Loans<'w>) -> Few<Gradient<'w>, MAX_MEMBERS> {
        let members = self.plan.members(leader).map(|member| match self.plan.nodes[member.index()].normaliser {
            Some(normaliser) => {
                let [_, _, _, by_gradient, by_input, constant] = self.coefficients(normaliser, loans);
                let input = self.stored(member, loans);
                let normalised = Some(Normalised { input, by_gradient, by_input, constant });
                Gradient { stored: self.gradient(normaliser, loans), normalised }
            }
            None => Gradient { stored: self.gradient(member, loans), normalised: None },
        });
        Few::collect(Gradient::EMPTY, members)
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
        #[cfg(feature = "gradients")]
        if self.setting.without_norms {
            by_gradient.fill(1.0);
            by_input.fill(0.0);
            constant.fill(0.0);
        }
        if self.plan.nodes[input.index()].sink.is_some() {
            let normalised = Normalised { input: stored, by_gradient, by_input, constant };
            batch_norm::vjp(backend, gradient, normalised, self.sink(id, 0, input, loans));
        }
    }

    /// A block whose output does not depend on its input has gradient zero.
    pub(super) fn clear_gradient(&self, loans: &mut Loans<'_>) {
        let input = &self.plan.nodes[self.block.input().index()];
        if !self.is_begun(input.sink) {
            loans.write::<f32>(self.slot(input.sink)).fill(0.0);
        }
    }
}
