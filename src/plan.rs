//! From a block's graph to steps and byte offsets.
//!
//! [`walk`] describes and plans a network block by block. The size query takes the largest plan; the score runs each.
//! A plan is a function of the network and the options alone: it lists every step with every buffer the step touches,
//! a buffer lives from its first to its last step, and [`crate::mem::Layout`] turns lifetimes into offsets. Nothing at
//! run time can ask for memory that was not planned.
//!
//! A block's input lies at one end of the workspace and its output at the other, so that the output is in place as
//! the next block's input; what the block needs in between lies in the middle.

mod gradients;
mod step;
mod values;

pub(crate) use step::Step;
pub(crate) use values::{MAX_MEMBERS, ValuePlan};

use crate::Error;
use crate::graph::{Block, MAX_NODES, Network, NodeId};
use crate::linalg::{covariance, spectral_norm, spectrum};
use crate::mem::{ALIGNMENT, BufferId, Layout, Lifetime, Plain, Slot};
use crate::options::{Options, Sigma};
use crate::tensor::{Role, Shape, Source};

/// Most steps a block can need: weights, forward and vjp of every node, and the statistics.
const MAX_STEPS: usize = 3 * MAX_NODES + 8;
/// Most buffers a block can need; a node with weights has up to seven, most nodes have one or two.
const MAX_BUFFERS: usize = 4 * MAX_NODES;

/// What is to be measured of blocks. No plan knows what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Want {
    /// The spectrum of the feature.
    pub(crate) spectrum: bool,
    /// The transfer matrix between the gradients at output and input, of all blocks but the first.
    pub(crate) transfer: bool,
}

impl Want {
    /// Whether blocks need not even be run.
    fn is_nothing(self) -> bool {
        !self.spectrum && !self.transfer
    }
}

/// Memory a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// The block's input.
    Input,
    /// The block's output.
    Output,
    /// A buffer of the block's own.
    Buffer(BufferId),
}

/// What is planned for one node. Everything stays empty for a node that the output does not need.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodePlan {
    /// The output needs the node's value.
    pub(crate) needed: bool,
    /// The value is known to be zero; sums leave it out.
    pub(crate) zero: bool,
    /// How readers see the value.
    pub(crate) value: ValuePlan,
    /// The value has memory of its own (otherwise it is a prologue on another node's).
    pub(crate) stored: bool,
    /// Of a sum: the rectifier above forms it while storing its own value.
    pub(crate) absorbed: bool,
    /// Of a convolution: the first of those that read the same value with the same window; it runs them all.
    pub(crate) leader: Option<NodeId>,
    /// Of a convolution: the next one of its group.
    pub(crate) next_member: Option<NodeId>,
    /// Of a convolution: the batch normalisation that is its only reader.
    pub(crate) normaliser: Option<NodeId>,
    /// Parameters as drawn or given, in the order of their roles; those of a group of convolutions one after another.
    pub(crate) weights: Option<BufferId>,
    /// Weights as the forward and the backward kernel want them.
    pub(crate) packed: [Option<BufferId>; 2],
    /// Working memory of the forward and the backward kernel.
    pub(crate) scratch: [Option<BufferId>; 2],
    /// Of a normalised tensor: means, then sums of squared deviations, per channel.
    pub(crate) moments: Option<BufferId>,
    /// Of a batch normalisation: its coefficients per channel, [`batch_norm::COEFFICIENTS`].
    pub(crate) coefficients: Option<BufferId>,
    /// Of a batch normalisation: the convolution that writes all of the gradient with respect to its value and forms the
    /// sums of its backward pass meanwhile.
    pub(crate) summed_by: Option<NodeId>,
    /// Where the gradient with respect to the node's value is found once complete.
    pub(crate) gradient: Option<Region>,
    /// Where its readers leave their contributions: its own gradient or, of a prologue, that of the node below.
    pub(crate) sink: Option<Region>,
    /// The node by whose value's sign contributions are masked.
    pub(crate) gate: Option<NodeId>,
    /// Bit i: the contribution to input i is added to earlier ones; otherwise it comes first.
    pub(crate) accumulates: u8,
}

/// Memory of the statistics of a block's feature and gradient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StatisticsPlan {
    pub(crate) covariance: Option<BufferId>,
    pub(crate) covariance_scratch: Option<BufferId>,
    pub(crate) eigenvalues: Option<BufferId>,
    pub(crate) eigenvalue_scratch: Option<BufferId>,
    pub(crate) direction: Option<BufferId>,
    pub(crate) transfer: Option<BufferId>,
    /// The transfer matrix of the second half of the batch, if σ is taken of halves too.
    pub(crate) half_transfer: Option<BufferId>,
    pub(crate) transfer_scratch: Option<BufferId>,
    pub(crate) norm_scratch: Option<BufferId>,
}

/// The steps of one block and the place of everything they touch.
pub(crate) struct BlockPlan {
    pub(crate) nodes: [NodePlan; MAX_NODES],
    pub(crate) statistics: StatisticsPlan,
    steps: [Step; MAX_STEPS],
    step_count: usize,
    layout: Layout<MAX_BUFFERS>,
    /// Numbers of input and output.
    input_len: usize,
    output_len: usize,
    /// Which end of the workspace the input lies at; the output lies at the other.
    input_is_above: bool,
    bytes: usize,
}

impl BlockPlan {
    /// A plan of nothing.
    pub(crate) fn new() -> Self {
        Self {
            nodes: [NodePlan::default(); MAX_NODES],
            statistics: StatisticsPlan::default(),
            steps: [Step::Spectrum; MAX_STEPS],
            step_count: 0,
            layout: Layout::new(),
            input_len: 0,
            output_len: 0,
            input_is_above: false,
            bytes: 0,
        }
    }

    /// Plans what is wanted of `block`, in place of what was planned before; the first block of a network has no
    /// gradient.
    pub(crate) fn renew(
        &mut self,
        block: &Block,
        options: &Options,
        want: Want,
        source: &dyn Source,
    ) -> Result<(), Error> {
        self.nodes.fill(NodePlan::default());
        self.statistics = StatisticsPlan::default();
        self.step_count = 0;
        self.layout.clear();
        self.bytes = 0;
        if want.is_nothing() {
            return Ok(());
        }
        self.input_is_above = block.index() % 2 == 1;
        self.input_len = block.shape(block.input())?.len();
        self.output_len = block.output_shape().len();
        if block.index() == 0 {
            self.push(Step::Input);
        }
        values::plan(self, block, options, source)?;
        if want.spectrum {
            self.spectrum(block)?;
        }
        if want.transfer && block.index() > 0 {
            self.statistics.direction = Some(self.buffer::<f32>(block.output_shape().len())?);
            self.push(Step::Direction);
            gradients::plan(self, block, options)?;
            self.transfer(block, options)?;
        }
        self.place(block)
    }

    /// The steps, in order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps[..self.step_count]
    }

    /// Bytes of workspace the block needs.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A region as the numbers it was planned for, in a workspace that is used up to `end`.
    pub(crate) fn slot<T: Plain>(&self, region: Region, end: usize) -> Slot<T> {
        let at_end = |len: usize, is_above: bool| Slot::new(if is_above { end - end_bytes(len) } else { 0 }, len);
        match region {
            Region::Input => at_end(self.input_len, self.input_is_above),
            Region::Output => at_end(self.output_len, !self.input_is_above),
            Region::Buffer(buffer) => self.layout.slot(buffer),
        }
    }

    fn spectrum(&mut self, block: &Block) -> Result<(), Error> {
        let shape = block.output_shape();
        let order = covariance_order(shape);
        let scratch = if is_dual(shape) {
            covariance::dual_scratch_len(shape.positions(), shape.channels)
        } else {
            covariance::covariance_scratch_len(shape.channels)
        };
        self.statistics.covariance = Some(self.square::<f64>(order, order)?);
        self.statistics.eigenvalues = Some(self.buffer::<f64>(order)?);
        self.statistics.covariance_scratch = Some(self.buffer::<f32>(scratch)?);
        self.statistics.eigenvalue_scratch = Some(self.buffer::<f64>(spectrum::scratch_len(order))?);
        self.push(Step::Spectrum);
        Ok(())
    }

    fn transfer(&mut self, block: &Block, options: &Options) -> Result<(), Error> {
        let (rows, columns) = transfer_shape(block)?;
        self.statistics.transfer = Some(self.square::<f64>(rows, columns)?);
        if options.sigma == Sigma::HalfSplit {
            self.statistics.half_transfer = Some(self.square::<f64>(rows, columns)?);
        }
        let scratch = covariance::cross_moment_scratch_len(rows, columns);
        self.statistics.transfer_scratch = Some(self.buffer::<f32>(scratch)?);
        self.statistics.norm_scratch = Some(self.buffer::<f64>(spectral_norm::scratch_len(rows, columns))?);
        self.push(Step::Transfer);
        Ok(())
    }

    fn push(&mut self, step: Step) {
        self.steps[self.step_count] = step;
        self.step_count += 1;
    }

    /// A buffer of `len` numbers; it lives from the first to the last step that touches it.
    fn buffer<T: Plain>(&mut self, len: usize) -> Result<BufferId, Error> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Error::Overflow { quantity: "the workspace" })?;
        self.layout.add(bytes, Lifetime::NEVER)
    }

    fn square<T: Plain>(&mut self, rows: usize, columns: usize) -> Result<BufferId, Error> {
        let len = rows.checked_mul(columns).ok_or(Error::Overflow { quantity: "the workspace" })?;
        self.buffer::<T>(len)
    }

    /// Lifetimes from the steps, offsets from the lifetimes.
    fn place(&mut self, block: &Block) -> Result<(), Error> {
        let mut lifetimes = [Lifetime::NEVER; MAX_BUFFERS];
        for (time, &step) in self.steps().iter().enumerate() {
            step.touches(self, block, &mut |region| {
                if let Region::Buffer(buffer) = region {
                    lifetimes[buffer.index()].extend(time as u32);
                }
            });
        }
        self.layout.set_lifetimes(&lifetimes);
        let ends = [self.input_len, self.output_len].map(end_bytes);
        let [below, above] = if self.input_is_above { [ends[1], ends[0]] } else { ends };
        let end = self.layout.place(below)?;
        self.bytes = end.checked_add(above).ok_or(Error::Overflow { quantity: "the workspace" })?;
        Ok(())
    }
}

/// Bytes of a feature of `len` numbers at an end of the workspace. Shapes are checked for twice as many.
fn end_bytes(len: usize) -> usize {
    (len * size_of::<f32>()).next_multiple_of(ALIGNMENT)
}

/// Whether the smaller Gram matrix of the positions stands for the covariance of the channels: both have the same
/// eigenvalues but for zeros.
pub(crate) fn is_dual(feature: Shape) -> bool {
    feature.positions() < feature.channels
}

/// Rows of the matrix whose eigenvalues are taken.
fn covariance_order(feature: Shape) -> usize {
    feature.positions().min(feature.channels)
}

/// How many times the block shrinks its map: the input gradient is folded that many rows and columns into channels.
fn shrinkage(block: &Block) -> Result<usize, Error> {
    let (input, output) = (block.shape(block.input())?, block.output_shape());
    let factor = input.height.checked_div(output.height).unwrap_or(0);
    let fits = factor * output.height == input.height && factor * output.width == input.width && factor > 0;
    let refusal = Error::Node {
        block: block.index(),
        node: block.output().index(),
        field: "the block's output",
        expected: "smaller than its input by one whole factor in rows and columns",
    };
    if fits { Ok(factor) } else { Err(refusal) }
}

/// Rows and columns of the transfer matrix: folded input channels × output channels.
fn transfer_shape(block: &Block) -> Result<(usize, usize), Error> {
    let factor = shrinkage(block)?;
    let channels = block.shape(block.input())?.channels;
    let rows = factor.checked_mul(factor).and_then(|f| f.checked_mul(channels));
    Ok((rows.ok_or(Error::Overflow { quantity: "the workspace" })?, block.output_shape().channels))
}

/// Describes and plans every block in order and hands both to `visit`; returns the bytes the largest needs.
#[inline(never)] // what is on its stack is given back when it returns
pub(crate) fn walk<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    want: Want,
    source: &dyn Source,
    mut visit: impl FnMut(&Block, &BlockPlan) -> Result<(), Error>,
) -> Result<usize, Error> {
    let mut bytes = 0;
    let mut plan = BlockPlan::new();
    describe(network, options, |block| {
        plan.renew(block, options, want, source)?;
        bytes = bytes.max(plan.bytes());
        visit(block, &plan)
    })?;
    Ok(bytes)
}

/// Describes every block in order and hands it to `visit`.
pub(crate) fn describe<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    mut visit: impl FnMut(&Block) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut shape = Shape::new(options.batch, options.height, options.width, network.input_channels())?;
    if shape.is_empty() {
        return Err(Error::Invalid { field: "batch, height, width", expected: "at least 1" });
    }
    if network.block_count() == 0 {
        return Err(Error::Invalid { field: "blocks", expected: "at least 1" });
    }
    // Blocks and plans are large, and stacks can be small: one of each for all.
    let mut block = Block::new(0, shape);
    for index in 0..network.block_count() {
        block.restart(index, shape);
        network.describe(index, &mut block)?;
        block.seal()?;
        visit(&block)?;
        shape = block.output_shape();
    }
    Ok(())
}

/// Refuses tensors of the caller that do not have the number of elements the network needs.
pub(crate) fn check_source(block: &Block, source: &dyn Source) -> Result<(), Error> {
    let index = block.index();
    let check = |given: Option<&[f32]>, needed: usize| match given {
        Some(given) if given.len() != needed => Err(Error::TensorLength { block: index, needed, given: given.len() }),
        _ => Ok(()),
    };
    if index == 0 {
        check(source.input(), block.shape(block.input())?.len())?;
    } else {
        check(source.direction(index), block.output_shape().len())?;
    }
    for node in block.nodes() {
        for role in Role::ALL {
            if let Some(needed) = block.parameter_len(node, role)? {
                check(source.parameter(index, node.key, role), needed)?;
            }
        }
    }
    Ok(())
}
