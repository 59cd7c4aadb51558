//! Values of nodes.

use super::{Runner, buffer};
use crate::base::few::Few;
use crate::graph::{Kind, MAX_INPUTS, NodeId, Op};
use crate::mem::Loans;
use crate::ops::conv2d::Conv2d;
use crate::ops::moments::Moments;
use crate::ops::operation::{ForwardCall, Given, MAX_PARAMETERS};
use crate::ops::{batch_norm, combine};
use crate::plan::Region;
use crate::tensor::{Affine, Role, Value, View, ViewMut};

impl Runner<'_> {
    pub(super) fn node_forward(&self, id: NodeId, loans: &mut Loans<'_>) {
        let backend = self.options.backend;
        let node = &self.block.nodes()[id.index()];
        let planned = &self.plan.nodes[id.index()];
        if planned.zero {
            self.stored_mut(id, loans).data.fill(0.0);
            return;
        }
        match node.op.kind() {
            Kind::Convolution(_) => self.convolve(id, loans),
            Kind::BatchNorm(norm) => self.normalise(id, norm.epsilon.get(), loans),
            Kind::Relu | Kind::Identity | Kind::Add => {
                let terms = self.values(self.plan.terms(self.block, id), loans);
                let rectified = matches!(node.op, Op::Relu);
                #[cfg(feature = "gradients")]
                if let Some(signs) = self.setting.signs.filter(|_| rectified) {
                    let out = self.stored_mut(id, loans).data;
                    let whole = ViewMut::dense(&mut *out, node.shape);
                    combine::forward(backend, terms.as_slice(), !signs.followed, false, whole);
                    self.pass_on(id, signs, out, loans);
                    return;
                }
                combine::forward(backend, terms.as_slice(), rectified, false, self.stored_mut(id, loans));
            }
            Kind::Plain(op) => {
                let inputs = self.values(node.inputs().iter().copied(), loans);
                let (inputs, parameters) = (inputs.as_slice(), self.given(id, loans));
                let (out, scratch) = (self.stored_mut(id, loans), self.scratch(id, 0, loans));
                op.forward(ForwardCall { backend, inputs, parameters, out, scratch });
            }
            // In place already.
            Kind::Input | Kind::Earlier | Kind::Zero => {}
        }
    }

    /// A group of convolutions of one value, with the moments of the result if it is to be normalised.
    fn convolve(&self, leader: NodeId, loans: &mut Loans<'_>) {
        let Some(convolution) = self.convolution(leader) else { return };
        let (planned, output) = (&self.plan.nodes[leader.index()], convolution.geometry().output());
        let input = self.value(self.block.nodes()[leader.index()].inputs()[0], loans);
        let packed = self.packed(leader, &convolution, 0, loans);
        let scratch = self.scratch(leader, 0, loans);
        let result = ViewMut::dense(loans.write(self.slot(planned.value.place.region)), output);
        let mut moments = planned.moments.map(|moments| {
            let both = loans.write(self.slot(Region::Buffer(moments)));
            let (mean, squares) = both.split_at_mut(output.channels);
            Moments::new(mean, squares)
        });
        let bias = self.bias(leader, convolution.geometry().weights(), loans);
        convolution.forward(&input, packed, scratch, result, bias, moments.as_mut());
    }

    /// The coefficients of a batch normalisation and, if its value is stored, the value.
    fn normalise(&self, id: NodeId, epsilon: f64, loans: &mut Loans<'_>) {
        let backend = self.options.backend;
        let node = &self.block.nodes()[id.index()];
        let input = self.stored(node.inputs()[0], loans);
        let moments = self.moments(id, Some(input), loans);
        let channels = node.shape.channels;
        let coefficients = buffer(self.plan.nodes[id.index()].coefficients);
        let all = loans.write(self.slot(coefficients));
        let [scale, shift, centre, ..] = batch_norm::split(all, channels);
        let (gain, bias) = (self.parameter(id, Role::Gain), self.parameter(id, Role::Shift));
        batch_norm::coefficients(&moments, gain, bias, epsilon, scale, shift, centre);
        #[cfg(feature = "gradients")]
        if self.setting.without_norms {
            scale.fill(1.0);
            shift.fill(0.0);
        }
        if self.plan.nodes[id.index()].stored {
            let value = Value { stored: input, affine: Some(Affine { scale, shift }), rectified: false };
            combine::forward(backend, &[value], false, false, self.stored_mut(id, loans));
        }
    }

    /// The moments of the input of a batch normalisation: those its convolution left behind or, given the tensor,
    /// taken of it now.
    pub(super) fn moments<'w>(&self, id: NodeId, measure: Option<View<'_>>, loans: &mut Loans<'w>) -> Moments<'w> {
        let input = self.block.nodes()[id.index()].inputs()[0];
        let shape = self.block.nodes()[input.index()].shape;
        let place = self.plan.nodes[input.index()].value.place;
        let from_convolution = self.plan.nodes[input.index()].leader.is_some();
        let (width, first) = if from_convolution { (place.pitch, place.channel) } else { (shape.channels, 0) };
        let both = loans.write(self.slot(buffer(self.plan.nodes[id.index()].moments)));
        let (mean, squares) = both.split_at_mut(width);
        let (mean, squares) = (&mut mean[first..][..shape.channels], &mut squares[first..][..shape.channels]);
        match measure {
            Some(tensor) if !from_convolution => {
                let mut moments = Moments::new(mean, squares);
                moments.update(self.options.backend, &tensor, 0, shape.positions());
                moments
            }
            _ => Moments::resume(shape.positions(), mean, squares),
        }
    }

    /// The convolutions that `leader` runs, as one.
    pub(super) fn convolution(&self, leader: NodeId) -> Option<Conv2d> {
        // The plan asked the same and would have failed.
        self.plan.convolution(self.block, leader, self.options).ok()
    }

    /// All parameters of a node, or of the convolutions it leads, that were drawn, in the order of their roles.
    pub(super) fn parameters<'a, 'w: 'a>(&'a self, id: NodeId, loans: &mut Loans<'w>) -> &'a [f32] {
        #[cfg(feature = "alloc")]
        if let Some(drawn) = self.kept_drawn(id) {
            return drawn;
        }
        loans.read(self.slot(buffer(self.plan.nodes[id.index()].weights)))
    }

    /// The bias of a convolution or linear map: drawn behind its weights, given, or none.
    fn bias<'a, 'w: 'a>(&'a self, id: NodeId, weights: usize, loans: &mut Loans<'w>) -> Option<&'a [f32]> {
        if self.holds(&self.block.nodes()[id.index()], Role::Bias) {
            // A network may have the bias drawn of a convolution that has none.
            Some(&self.parameters(id, loans)[weights..]).filter(|bias| !bias.is_empty())
        } else {
            self.parameter(id, Role::Bias)
        }
    }

    /// Working memory of the forward (0) or backward (1) kernel of a node.
    pub(super) fn scratch<'w>(&self, id: NodeId, pass: usize, loans: &mut Loans<'w>) -> &'w mut [f32] {
        loans.write(self.slot(buffer(self.plan.nodes[id.index()].scratch[pass])))
    }

    /// A parameter given by the caller.
    pub(super) fn parameter(&self, id: NodeId, role: Role) -> Option<&[f32]> {
        let node = &self.block.nodes()[id.index()];
        // A tensor for a role that the node does not have has not been checked: it is none of this network's.
        self.block.parameters(node).as_slice().iter().find(|parameter| parameter.role == role)?;
        self.source.parameter(self.block.index(), node.key, role)
    }

    /// The parameters of a plain op, as drawn or as given.
    pub(super) fn given<'a, 'w: 'a>(&'a self, id: NodeId, loans: &mut Loans<'w>) -> Given<'a> {
        let node = &self.block.nodes()[id.index()];
        let mut drawn = self.parameters(id, loans);
        let mut given = [None; MAX_PARAMETERS];
        for (given, parameter) in given.iter_mut().zip(self.block.parameters(node).as_slice()) {
            if self.holds(node, parameter.role) {
                let (own, others) = drawn.split_at(parameter.len());
                (*given, drawn) = (Some(own), others);
            } else {
                *given = self.source.parameter(self.block.index(), node.key, parameter.role);
            }
        }
        given
    }

    pub(super) fn values<'w>(
        &self,
        nodes: impl Iterator<Item = NodeId>,
        loans: &mut Loans<'w>,
    ) -> Few<Value<'w>, MAX_INPUTS> {
        Few::collect(Value::EMPTY, nodes.map(|node| self.value(node, loans)))
    }
}
