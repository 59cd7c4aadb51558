//! What the backward phase of a block reads of its forward phase, and how that comes about once more.
//!
//! Where other blocks run between the two phases, most of what a block has computed is lost. Its feature is not, and what only
//! leads to that is not done again; nor is any other step that the backward phase reads nothing of. The results of products
//! (convolutions, and other ops with multiply-adds) cost most of the time and may be kept meanwhile, at the start of the
//! block's memory. The rest is drawn, normalised and added again then.

use super::{BlockPlan, MAX_BUFFERS, MAX_STEPS, NodePlan, Phase, Region, Step};
use crate::graph::{Block, Kind};
use crate::mem::BufferId;

/// What is still there of a block's forward phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// What the block reads, and its feature.
    Boundaries,
    /// And the results of products.
    Products,
}

/// The steps to be done again, whatever is still there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalls {
    /// Bit `Recall as u8`, for each step of the forward phase.
    steps: [u8; MAX_STEPS],
}

impl Recalls {
    pub(super) const NONE: Self = Self { steps: [0; MAX_STEPS] };
}

/// What one way of recalling takes.
pub(super) struct Traced {
    /// Buffers that the steps to be done again touch.
    pub(super) touched: [bool; MAX_BUFFERS],
    /// Buffers that are to be kept.
    pub(super) kept: [bool; MAX_BUFFERS],
}

impl BlockPlan {
    /// The steps of the forward phase after which the backward phase can be run, given what is still there.
    pub(crate) fn recall(&self, from: Recall) -> impl Iterator<Item = Step> {
        let steps = self.steps(Phase::Forward).iter().zip(&self.recalls.steps);
        steps.filter(move |(_, recalls)| **recalls & 1 << from as u8 != 0).map(|(&step, _)| step)
    }

    /// Finds the steps to be done again, and what that takes where products are kept.
    pub(super) fn trace(&mut self, block: &Block) -> Traced {
        self.recalls = Recalls::NONE;
        self.trace_from(block, Recall::Boundaries);
        self.trace_from(block, Recall::Products)
    }

    fn trace_from(&mut self, block: &Block, from: Recall) -> Traced {
        // What is read by a step that is done later.
        let mut read = [false; MAX_BUFFERS];
        for &step in self.steps(Phase::Backward) {
            step.touches(self, block, &mut |region| mark(&mut read, region));
        }
        let (mut touched, mut kept) = ([false; MAX_BUFFERS], [false; MAX_BUFFERS]);
        for time in (0..self.phase_ends[Phase::Forward as usize]).rev() {
            let step = self.steps[time];
            let mut made = self.made_by(step).filter(|buffer| read[buffer.index()]).peekable();
            if made.peek().is_none() {
                continue;
            }
            if from == Recall::Products && self.is_product(block, step) {
                made.for_each(|buffer| kept[buffer.index()] = true);
                continue;
            }
            self.recalls.steps[time] |= 1 << from as u8;
            step.touches(self, block, &mut |region| {
                mark(&mut read, region);
                mark(&mut touched, region);
            });
        }
        Traced { touched, kept }
    }

    /// Buffers that a step of the forward phase leaves for others.
    fn made_by(&self, step: Step) -> impl Iterator<Item = BufferId> + use<> {
        let made = match step {
            Step::Weights(node) => [self.nodes[node.index()].weights, None, None, None],
            Step::Forward(node) => {
                let NodePlan { value, stored, moments, coefficients, mask, .. } = self.nodes[node.index()];
                let value = match value.place.region {
                    Some(Region::Buffer(buffer)) if stored => Some(buffer),
                    _ => None,
                };
                [value, moments, coefficients, mask]
            }
            // The input batch is where the block reads it; the others are steps of other phases.
            _ => [None; 4],
        };
        made.into_iter().flatten()
    }

    /// Whether most of a step are multiply-adds.
    fn is_product(&self, block: &Block, step: Step) -> bool {
        let Step::Forward(id) = step else { return false };
        let node = &block.nodes()[id.index()];
        !self.nodes[id.index()].zero
            && match node.op.kind() {
                Kind::Convolution(_) => true,
                Kind::Plain(op) => op.macs(block.first_input(node), node.shape) > 0,
                Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => false,
                Kind::BatchNorm(_) => false,
            }
    }
}

fn mark(buffers: &mut [bool; MAX_BUFFERS], region: Region) {
    if let Region::Buffer(buffer) = region {
        buffers[buffer.index()] = true;
    }
}
