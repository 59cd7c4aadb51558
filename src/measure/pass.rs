//! A run forwards through all blocks and the head, while somebody looks on. Only two features are kept at a time.

use super::Subject;
use crate::Error;
use crate::graph::{Block, Network, Op, Walk};
use crate::mem::Workspace;
use crate::options::sweep::Input;
use crate::plan::{self, BlockPlan, Ends, Place, Want};
use crate::run::{Look, Runner, Setting};

/// What a run takes, and what passes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Survey {
    /// Bytes of workspace.
    pub(super) bytes: usize,
    /// Numbers of an image at the largest rectifier; 0 if there is none.
    pub(super) units: usize,
    /// Batch normalisations.
    pub(super) norms: usize,
    /// Numbers of an image of the map that the head pools; 0 if it pools none.
    pub(super) map: usize,
}

fn want(input: Input) -> Want {
    Want::look(plan::Look { mixes_inputs: matches!(input, Input::Shifted { .. }) })
}

impl<N: Network + ?Sized> Subject<'_, N> {
    /// Refuses everything that a run forwards refuses but a workspace that is too small.
    #[inline(never)] // what is on its stack is given back when it returns
    pub(super) fn survey(&self, input: Input) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        self.for_each_block(input, |block, _, place| {
            if block.index() == 0 {
                let numbers = if matches!(input, Input::Shifted { .. }) { 0..2 } else { 0..1 };
                let shape = block.shape(block.input())?;
                numbers.into_iter().try_for_each(|number| plan::check_batch(shape, self.source.batch(number)))?;
            }
            plan::check_parameters(block, self.source)?;
            survey.bytes = survey.bytes.max(place.bytes());
            for node in block.nodes() {
                let shape = block.first_input(node);
                let units = shape.positions_per_image() * shape.channels;
                match node.op {
                    Op::Relu => survey.units = survey.units.max(units),
                    Op::BatchNorm(_) => survey.norms += 1,
                    Op::GlobalPool if block.index() == self.network.block_count() => survey.map = units,
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(survey)
    }

    /// Runs the network forwards.
    pub(super) fn pass(
        &self,
        input: Input,
        end: usize,
        workspace: &mut Workspace<'_>,
        look: &mut dyn Look,
    ) -> Result<(), Error> {
        self.for_each_block(input, |block, plan, place| {
            let setting = Setting { input, ..Setting::default() };
            let runner = Runner { setting, ..Runner::new(block, plan, place.frame(end), self.options, self.source) };
            runner.forward_seen(workspace, look);
            Ok(())
        })
    }

    /// Describes and plans every block and the head in order.
    fn for_each_block(
        &self,
        input: Input,
        mut visit: impl FnMut(&Block, &BlockPlan, Place) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { network, options, source } = *self;
        let mut walk = Walk::new(network, options.batch, options.height, options.width)?;
        let (mut plan, mut ends) = (BlockPlan::new(), Ends::new(walk.input()));
        for index in 0..=network.block_count() {
            let block = if index < network.block_count() { walk.next_block()? } else { Some(walk.head()?) };
            let Some(block) = block else { break };
            plan.renew(block, options, want(input), source)?;
            visit(block, &plan, ends.next(block, &plan)?)?;
        }
        Ok(())
    }
}
