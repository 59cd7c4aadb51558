//! Runs the steps of a planned block. Nothing here can fail: what could go wrong was refused while planning.

mod draw;
mod forward;
#[cfg(feature = "alloc")]
mod kept;
#[cfg(feature = "gradients")]
mod look;
#[cfg(feature = "gradients")]
mod parameters;
#[cfg(feature = "gradients")]
mod setting;
mod statistics;
#[cfg(all(test, feature = "alloc"))]
pub(crate) mod tests;
mod vjp;

use crate::graph::{Block, Node, NodeId};
use crate::mem::{BufferId, Loans, Plain, Slot, Workspace};
use crate::ops::batch_norm;
use crate::options::Options;
#[cfg(feature = "gradients")]
use crate::plan::Recall;
#[cfg(feature = "alloc")]
use crate::plan::Weights;
use crate::plan::{BlockPlan, Frame, Phase, Region, Step};
use crate::proxy::BlockScores;
use crate::tensor::{Affine, Role, Sink, Source, Sums, Value, View, ViewMut};
#[cfg(feature = "gradients")]
pub(crate) use look::{Look, Rectifier};
#[cfg(feature = "gradients")]
pub use parameters::Parameter;
#[cfg(feature = "gradients")]
pub(crate) use setting::{Setting, SignsPlace, StatePlace};

/// A block being run: what it is, where everything lies, and where its tensors come from. The feature before it is in
/// place.
pub(crate) struct Runner<'r> {
    pub(crate) block: &'r Block,
    pub(crate) plan: &'r BlockPlan,
    pub(crate) frame: Frame,
    pub(crate) options: &'r Options,
    pub(crate) source: &'r dyn Source,
    #[cfg(feature = "gradients")]
    pub(crate) setting: Setting,
    /// Where weights are kept from one score to the next, if they are.
    #[cfg(feature = "alloc")]
    pub(crate) weights: Option<&'r mut Weights>,
    /// What of the block is found there.
    #[cfg(feature = "alloc")]
    pub(crate) found: kept::Found,
}

impl<'r> Runner<'r> {
    /// Of a score.
    pub(crate) fn new(
        block: &'r Block,
        plan: &'r BlockPlan,
        frame: Frame,
        options: &'r Options,
        source: &'r dyn Source,
    ) -> Self {
        Self {
            block,
            plan,
            frame,
            options,
            source,
            #[cfg(feature = "gradients")]
            setting: Setting::default(),
            #[cfg(feature = "alloc")]
            weights: None,
            #[cfg(feature = "alloc")]
            found: kept::Found::nothing(),
        }
    }
}

impl Runner<'_> {
    /// Runs all phases and returns what was measured.
    pub(crate) fn score(&mut self, workspace: &mut Workspace<'_>) -> BlockScores {
        #[cfg(feature = "alloc")]
        self.keep_weights(workspace);
        let mut scores = self.empty_scores();
        for phase in [Phase::Forward, Phase::Feature, Phase::Backward] {
            self.plan.steps(phase).iter().for_each(|&step| self.step(step, workspace, &mut scores));
        }
        scores
    }

    /// Leaves the feature of the block in its place. Each node's part, once done, is handed to `repeat`, which may do it
    /// again.
    pub(crate) fn forward(&mut self, workspace: &mut Workspace<'_>, repeat: &mut dyn FnMut(&mut dyn FnMut())) {
        #[cfg(feature = "alloc")]
        self.keep_weights(workspace);
        let mut scores = self.empty_scores();
        for &step in self.plan.steps(Phase::Forward) {
            self.step(step, workspace, &mut scores);
            if matches!(step, Step::Forward(_)) {
                repeat(&mut || self.step(step, workspace, &mut scores));
            }
        }
    }

    /// Makes what the backward phase reads of the forward phase anew from what is still there.
    #[cfg(feature = "gradients")]
    pub(crate) fn recall(&self, from: Recall, workspace: &mut Workspace<'_>) {
        let mut scores = self.empty_scores();
        self.plan.recall(from).for_each(|step| self.step(step, workspace, &mut scores));
    }

    /// Passes on the gradient with respect to the block's output, which is in place, and hands over those with respect to
    /// its parameters, each once it is complete.
    #[cfg(feature = "gradients")]
    pub(crate) fn backward(&self, workspace: &mut Workspace<'_>, hand_over: &mut dyn FnMut(Parameter<'_>)) {
        let mut scores = self.empty_scores();
        for &step in self.plan.steps(Phase::Backward) {
            if let Step::ParameterGradients { of, passes_on } = step {
                self.parameter_gradients(of, passes_on, &mut workspace.loans(), hand_over);
            } else {
                self.step(step, workspace, &mut scores);
            }
        }
    }

    fn step(&self, step: Step, workspace: &mut Workspace<'_>, scores: &mut BlockScores) {
        match step {
            Step::Input => self.draw_input(&mut workspace.loans()),
            #[cfg(feature = "alloc")]
            Step::Weights(node) if self.is_kept(node) => {}
            Step::Weights(node) => self.draw_weights(node, &mut workspace.loans()),
            Step::Forward(node) => self.node_forward(node, &mut workspace.loans()),
            Step::Spectrum => self.spectrum(&mut workspace.loans(), scores),
            Step::Direction => self.draw_direction(&mut workspace.loans()),
            Step::Vjp(node) => self.vjp(node, workspace),
            // Nobody looks on.
            #[cfg(feature = "gradients")]
            Step::ParameterGradients { of, passes_on } => {
                self.parameter_gradients(of, passes_on, &mut workspace.loans(), &mut |_| ());
            }
            #[cfg(feature = "gradients")]
            Step::Look(_) => {}
            Step::ClearGradient => self.clear_gradient(&mut workspace.loans()),
            Step::Transfer => self.transfer(&mut workspace.loans(), scores),
        }
    }
}

fn buffer(id: Option<BufferId>) -> Option<Region> {
    id.map(Region::Buffer)
}

impl Runner<'_> {
    /// What was planned for a region: nothing, where there is none.
    fn slot<T: Plain>(&self, region: impl Into<Option<Region>>) -> Slot<T> {
        match region.into() {
            Some(region) => self.plan.slot(region, &self.frame),
            None => Slot::new(0, 0),
        }
    }

    /// A node's value, to read.
    fn value<'w>(&self, node: NodeId, loans: &mut Loans<'w>) -> Value<'w> {
        let planned = self.plan.nodes[node.index()].value;
        let affine = planned.affine.map(|normaliser| {
            let [scale, shift, ..] = self.coefficients(normaliser, loans);
            Affine { scale, shift }
        });
        Value { stored: self.stored(node, loans), affine, rectified: planned.rectified }
    }

    /// What is stored of a node's value, to read.
    fn stored<'w>(&self, node: NodeId, loans: &mut Loans<'w>) -> View<'w> {
        let place = self.plan.nodes[node.index()].value.place;
        let shape = self.block.nodes()[node.index()].shape;
        let whole = loans.read(self.slot(place.region));
        View { data: &whole[place.channel.min(whole.len())..], shape, pitch: place.pitch }
    }

    /// A node's own memory, to write.
    fn stored_mut<'w>(&self, node: NodeId, loans: &mut Loans<'w>) -> ViewMut<'w> {
        let place = self.plan.nodes[node.index()].value.place;
        let shape = self.block.nodes()[node.index()].shape;
        ViewMut::dense(loans.write(self.slot(place.region)), shape)
    }

    /// The completed gradient with respect to a node's value.
    fn gradient<'w>(&self, node: NodeId, loans: &mut Loans<'w>) -> View<'w> {
        let shape = self.block.nodes()[node.index()].shape;
        View::dense(loans.read(self.slot(self.plan.nodes[node.index()].gradient)), shape)
    }

    /// Where `reader` leaves its contribution to the gradient of its input at `position`.
    fn sink<'w>(&self, reader: NodeId, position: usize, input: NodeId, loans: &mut Loans<'w>) -> Sink<'w> {
        let planned = &self.plan.nodes[input.index()];
        let shape = self.block.nodes()[input.index()].shape;
        Sink {
            stored: ViewMut::dense(loans.write(self.slot(planned.sink)), shape),
            accumulate: self.plan.nodes[reader.index()].accumulates & (1 << position) != 0
                || self.is_begun(planned.sink),
            gate: planned.gate.map(|gate| self.value(gate, loans)),
            sums: planned.gate.filter(|gate| self.plan.nodes[gate.index()].summed_by == Some(reader)).map(|gate| {
                let [_, _, centre, ..] = self.coefficients(gate, loans);
                let (gradient, product) = self.sums(gate, loans);
                Sums::new(centre, gradient, product)
            }),
        }
    }

    /// Whether a parameter of a node is held in memory of the block.
    fn holds(&self, node: &Node, role: Role) -> bool {
        self.plan.holds(self.block, node, role, self.source)
    }

    /// Whether a block behind has left its contribution to a gradient already.
    fn is_begun(&self, sink: Option<Region>) -> bool {
        #[cfg(feature = "gradients")]
        return self.frame.gradients.begun && sink == Some(Region::InputGradient(0));
        #[cfg(not(feature = "gradients"))]
        {
            let _ = sink;
            false
        }
    }

    /// Memory of the sums of the backward pass of a batch normalisation.
    fn sums<'w>(&self, normaliser: NodeId, loans: &mut Loans<'w>) -> (&'w mut [f64], &'w mut [f64]) {
        let channels = self.block.nodes()[normaliser.index()].shape.channels;
        let scratch = buffer(self.plan.nodes[normaliser.index()].scratch[1]);
        loans.write(self.slot(scratch)).split_at_mut(channels)
    }

    /// The coefficients of a batch normalisation: scale, shift, centre, then those of its backward pass.
    fn coefficients<'w>(&self, normaliser: NodeId, loans: &mut Loans<'w>) -> [&'w [f32]; batch_norm::COEFFICIENTS] {
        let channels = self.block.nodes()[normaliser.index()].shape.channels;
        let coefficients = buffer(self.plan.nodes[normaliser.index()].coefficients);
        let all = loans.read(self.slot(coefficients));
        core::array::from_fn(|i| &all[i * channels..][..channels])
    }
}
