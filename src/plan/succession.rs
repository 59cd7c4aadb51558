//! Plans of blocks one after another.

use super::{BlockPlan, Want};
use crate::Error;
use crate::base::SMALL;
use crate::graph::{Block, Op};
use crate::options::Options;
use crate::tensor::{Role, Shape, Source};

/// Blocks that are kept to compare with. Small builds have no stack for it, and plan each block anew.
const KEPT: usize = if SMALL { 0 } else { 1 };

/// Plans the blocks of a network in order, forwards or backwards, all under the same options. A block like the one before it, such as the next cell
/// of a stage, has its plan.
pub(crate) struct Succession {
    plan: BlockPlan,
    /// The block that is planned.
    planned: [Block; KEPT],
}

impl Succession {
    /// Nothing planned yet.
    #[inline(always)] // else what is large lies on the stack twice
    pub(crate) fn new() -> Self {
        Self { plan: BlockPlan::new(), planned: core::array::from_fn(|_| Block::new(0, Shape::default())) }
    }

    /// The plan of what is wanted of the next block by itself.
    #[inline(always)] // nothing but a call where nothing is kept
    pub(crate) fn next(
        &mut self,
        block: &Block,
        options: &Options,
        want: Want,
        source: &dyn Source,
    ) -> Result<&BlockPlan, Error> {
        let is_planned = !SMALL && self.planned.iter().any(|planned| self.is_planned_as(planned, block, source));
        if !is_planned {
            self.plan.renew(block, options, want, source)?;
            if !SMALL {
                self.planned.iter_mut().for_each(|planned| planned.become_like(block));
            }
        }
        Ok(&self.plan)
    }

    /// Whether all that the plan of `planned` depends on is the same for `block`: the nodes, whether there is a gradient with
    /// respect to the input, and which shifts of zeros the caller gives.
    fn is_planned_as(&self, planned: &Block, block: &Block, source: &dyn Source) -> bool {
        let gives = |block: &Block, key, role| source.parameter(block.index(), key, role).is_some();
        let has_same = |key, role| gives(block, key, role) == gives(planned, key, role);
        let of_zeros = |x: usize| self.plan.nodes[x].zero;
        planned.index() > 0
            && block.index() > 0
            && planned.is_like(block)
            && block.nodes().iter().all(|node| match (node.op, node.inputs()) {
                (Op::BatchNorm(_), &[x]) if of_zeros(x.index()) => has_same(node.key, Role::Shift),
                #[cfg(feature = "gradients")]
                _ if self.plan.holds_biases() => has_same(node.key, Role::Bias),
                _ => true,
            })
    }
}
