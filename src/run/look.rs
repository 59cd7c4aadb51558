//! Shows what passes by on the way forwards to who looks on.

use super::Runner;
use crate::graph::{NodeId, Op};
use crate::mem::{Loans, Workspace};
use crate::ops::moments::Moments;
use crate::plan::{Phase, Region, Step};
use crate::simd::{Kernel, Simd};
use crate::tensor::{Load, Value};

/// A rectifier of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rectifier {
    /// Numbers of an image.
    pub(crate) units: usize,
    /// How many rectifiers of the network it stands for.
    pub(crate) times: usize,
}

/// Is shown what passes by on the way forwards.
pub(crate) trait Look {
    /// What a rectifier makes of an image: every rectifier in turn, every image of the batch in turn.
    fn rectified(&mut self, rectifier: Rectifier, image: usize, values: &[f32]) {
        let _ = (rectifier, image, values);
    }

    /// A rectifier that reads nothing but zeros.
    fn idle(&mut self, rectifier: Rectifier) {
        let _ = rectifier;
    }

    /// The moments of what a batch normalisation reads.
    fn normalised(&mut self, moments: &Moments<'_>) {
        let _ = moments;
    }

    /// What the pooling of a block reads of an image; nothing, if that is zero.
    fn pooled(&mut self, block: usize, image: usize, map: &[f32]) {
        let _ = (block, image, map);
    }
}

impl Runner<'_> {
    /// Leaves the feature of the block in its place, while `look` is shown what passes by.
    pub(crate) fn forward_seen(&self, workspace: &mut Workspace<'_>, look: &mut dyn Look) {
        let mut scores = self.empty_scores();
        for &step in self.plan.steps(Phase::Forward) {
            if let Step::Look(node) = step {
                self.show(node, &mut workspace.loans(), look);
            } else {
                self.step(step, workspace, &mut scores);
            }
        }
    }

    fn show(&self, id: NodeId, loans: &mut Loans<'_>, look: &mut dyn Look) {
        let node = &self.block.nodes()[id.index()];
        if let Op::BatchNorm(_) = node.op {
            look.normalised(&self.moments(id, None, loans));
            return;
        }
        let looked_at = self.plan.looked_at(self.block, id);
        let shape = self.block.nodes()[looked_at.index()].shape;
        let units = shape.positions_per_image() * shape.channels;
        let rectifier = Rectifier { units, times: node.times() };
        let is_rectifier = matches!(node.op, Op::Relu);
        if self.plan.nodes[looked_at.index()].zero {
            if is_rectifier {
                look.idle(rectifier);
            }
            return;
        }
        let value = self.value(looked_at, loans);
        let mut dense = self.plan.nodes[id.index()].image.map(|image| loans.write(self.slot(Region::Buffer(image))));
        for image in 0..shape.batch {
            let values = match &mut dense {
                Some(dense) => {
                    self.options.backend.run(LoadImage { value: &value, image, out: dense });
                    &**dense
                }
                None => &value.stored.data[image * units..][..units],
            };
            if is_rectifier {
                look.rectified(rectifier, image, values);
            } else {
                look.pooled(self.block.index(), image, values);
            }
        }
    }
}

/// All positions of an image, as their readers see them.
struct LoadImage<'a> {
    value: &'a Value<'a>,
    image: usize,
    out: &'a mut [f32],
}

impl Kernel for LoadImage<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let positions = self.value.stored.shape.positions_per_image();
        self.value.load(simd, self.image * positions, positions, self.out, self.value.channels());
    }
}
