//! From a block's graph to steps and byte offsets.
//!
//! A plan is a function of the network and the options alone: it lists every step with every buffer the step touches,
//! a buffer lives from its first to its last step, and [`crate::mem::Layout`] turns lifetimes into offsets. Nothing at
//! run time can ask for memory that was not planned.
//!
//! Only the memory of a block's own is planned here. Where its boundaries lie is said by a [`Frame`].

mod ends;
mod frame;
mod given;
mod gradients;
mod plans;
#[cfg(feature = "gradients")]
mod recall;
mod step;
mod values;
#[cfg(feature = "alloc")]
mod weights;

pub(crate) use ends::Ends;
#[cfg(feature = "gradients")]
pub(crate) use ends::Place;
pub(crate) use frame::Frame;
#[cfg(feature = "gradients")]
pub(crate) use frame::Gradients;
pub(crate) use given::check_source;
#[cfg(feature = "gradients")]
pub(crate) use given::{check_batch, check_parameters};
use gradients::Course;
pub use plans::Plans;
#[cfg(feature = "gradients")]
pub(crate) use recall::Recall;
pub(crate) use step::{Phase, Step};
pub(crate) use values::{MAX_MEMBERS, ValuePlan};
#[cfg(feature = "alloc")]
pub(crate) use weights::{KeptPlace, Weights};

use crate::Error;
use crate::base::SMALL;
use crate::graph::{Block, MAX_NODES, NodeId, Op};
use crate::linalg::{covariance, spectral_norm, spectrum};
use crate::mem::{BufferId, Layout, Lifetime, Plain, Slot};
use crate::options::{Entropy, Options, Sigma};
use crate::tensor::{Shape, Source};

/// Most steps a block can need: weights, forward, vjp and gradients of parameters of every node, and the statistics.
const MAX_STEPS: usize = if cfg!(feature = "gradients") { 4 } else { 3 } * MAX_NODES + 8;
/// Most buffers a block can need; a node with weights has up to seven, most nodes have one or two.
const MAX_BUFFERS: usize = if cfg!(feature = "gradients") { 6 } else { 4 } * MAX_NODES;

/// What is to be measured of blocks. No plan knows what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Want {
    /// The spectrum of the feature.
    pub(crate) spectrum: bool,
    /// How concentrated the variance of the feature is.
    pub(crate) concentration: bool,
    /// The transfer matrix between the gradients at output and input, of all blocks but the first.
    pub(crate) transfer: bool,
    /// Gradients with respect to parameters and to what the block reads.
    #[cfg(feature = "gradients")]
    pub(crate) through: Option<Through>,
    /// A look at what passes by on the way forwards.
    #[cfg(feature = "gradients")]
    pub(crate) look: Option<Look>,
}

/// Rectifiers, batch normalisations and maps that are pooled are looked at, also those that the block's output does not
/// need: every node is run.
#[cfg(feature = "gradients")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    /// Two batches make the input.
    pub(crate) mixes_inputs: bool,
}

/// Gradients through a block, from one boundary to the other: that with respect to its output, given by who drives, is
/// passed on to the parameters and, but for the first block, to what the block reads.
#[cfg(feature = "gradients")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Through {
    /// The backward phase is run more than once.
    pub(crate) repeated: bool,
    /// Two batches make the input.
    pub(crate) mixes_inputs: bool,
    /// Biases of the caller are not taken as they are.
    pub(crate) holds_biases: bool,
    /// Which numbers rectifiers pass on is noted, or as it was.
    pub(crate) keeps_signs: bool,
}

impl Want {
    /// What is measured of a block by itself.
    pub(crate) const fn measured(spectrum: bool, transfer: bool) -> Self {
        Self {
            spectrum,
            concentration: false,
            transfer,
            #[cfg(feature = "gradients")]
            through: None,
            #[cfg(feature = "gradients")]
            look: None,
        }
    }

    /// A look at the way forwards.
    #[cfg(feature = "gradients")]
    pub(crate) const fn look(look: Look) -> Self {
        Self { look: Some(look), ..Self::measured(false, false) }
    }

    /// Whether rectifiers are stored with what they pass on.
    fn keeps_signs(self) -> bool {
        #[cfg(feature = "gradients")]
        return self.through.is_some_and(|through| through.keeps_signs);
        #[cfg(not(feature = "gradients"))]
        false
    }

    /// Whether nodes are looked at on the way forwards.
    fn looks(self) -> bool {
        #[cfg(feature = "gradients")]
        return self.look.is_some();
        #[cfg(not(feature = "gradients"))]
        false
    }

    /// Gradients through the block.
    #[cfg(feature = "gradients")]
    pub(crate) const fn through(through: Through) -> Self {
        Self { through: Some(through), ..Self::measured(false, false) }
    }

    /// Whether gradients with respect to parameters are wanted.
    fn of_parameters(self) -> bool {
        #[cfg(feature = "gradients")]
        return self.through.is_some();
        #[cfg(not(feature = "gradients"))]
        false
    }

    /// Whether every batch normalisation matters, also that of zeros.
    fn is_of_norms(self) -> bool {
        self.of_parameters() || self.looks()
    }

    /// Whether blocks need not even be run.
    fn is_nothing(self) -> bool {
        !(self.spectrum || self.concentration || self.transfer || self.of_parameters() || self.looks())
    }
}

/// Memory a step touches. What the cases hold is of one size: a byte that some do not set may be compared along with the
/// others, which checkers of memory report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// The feature that the block reads (0), or the one before that (1).
    Input(u16),
    /// The block's output.
    Output,
    /// The gradient with respect to the feature that the block reads (0), or to the one before that (1).
    #[cfg(feature = "gradients")]
    InputGradient(u16),
    /// The gradient with respect to the block's output.
    #[cfg(feature = "gradients")]
    OutputGradient,
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
    /// The gradients with respect to its parameters, in the order of their roles, then what computing them takes; those of
    /// a group of convolutions one after another.
    #[cfg(feature = "gradients")]
    pub(crate) parameter_gradients: Option<BufferId>,
    /// Of a rectifier: 1 for each number that passes, else 0, if that is not for its value to say.
    #[cfg(feature = "gradients")]
    pub(crate) mask: Option<BufferId>,
    /// One image of a value that is looked at, if it is not stored as it is.
    #[cfg(feature = "gradients")]
    pub(crate) image: Option<BufferId>,
}

/// Memory of the statistics of a block's feature and gradient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StatisticsPlan {
    pub(crate) covariance: Option<BufferId>,
    pub(crate) covariance_scratch: Option<BufferId>,
    pub(crate) eigenvalues: Option<BufferId>,
    /// Where there is none, eigenvalues are not wanted.
    pub(crate) eigenvalue_scratch: Option<BufferId>,
    /// The concentration is wanted.
    pub(crate) concentration: bool,
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
    /// Steps up to the end of each phase.
    phase_ends: [usize; Phase::COUNT],
    layout: Layout<MAX_BUFFERS>,
    /// Bytes of all buffers.
    middle_bytes: usize,
    /// What of the forward phase is done once more before the backward phase, if other blocks run between them.
    #[cfg(feature = "gradients")]
    recalls: recall::Recalls,
    /// Bytes up to the end of what may be kept till then.
    #[cfg(feature = "gradients")]
    kept_bytes: usize,
    /// Numbers of inputs and output.
    input_lens: [usize; 2],
    output_len: usize,
    /// A transfer matrix is wanted, and there is none: the block does not shrink its map by a whole factor.
    is_uneven: bool,
    /// The batch that is mixed with the input.
    #[cfg(feature = "gradients")]
    pub(crate) mixed_input: Option<BufferId>,
    /// Biases of the caller are held in memory of the block.
    #[cfg(feature = "gradients")]
    holds_biases: bool,
    /// The backward phase is run more than once.
    #[cfg(feature = "gradients")]
    is_repeated: bool,
}

impl BlockPlan {
    /// A plan of nothing.
    pub(crate) fn new() -> Self {
        Self {
            nodes: [NodePlan::default(); MAX_NODES],
            statistics: StatisticsPlan::default(),
            steps: [Step::Spectrum; MAX_STEPS],
            step_count: 0,
            phase_ends: [0; Phase::COUNT],
            layout: Layout::new(),
            middle_bytes: 0,
            #[cfg(feature = "gradients")]
            recalls: recall::Recalls::NONE,
            #[cfg(feature = "gradients")]
            kept_bytes: 0,
            input_lens: [0; 2],
            output_len: 0,
            is_uneven: false,
            #[cfg(feature = "gradients")]
            mixed_input: None,
            #[cfg(feature = "gradients")]
            holds_biases: false,
            #[cfg(feature = "gradients")]
            is_repeated: false,
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
        self.nodes[..block.nodes().len()].fill(NodePlan::default());
        self.statistics = StatisticsPlan::default();
        self.step_count = 0;
        self.phase_ends = [0; Phase::COUNT];
        self.layout.clear();
        self.middle_bytes = 0;
        self.is_uneven = false;
        #[cfg(feature = "gradients")]
        {
            self.kept_bytes = 0;
        }
        if want.is_nothing() {
            return Ok(());
        }
        let earlier = block.nodes().iter().find(|node| matches!(node.op, Op::Earlier));
        self.input_lens = [block.nodes()[0].shape.len(), earlier.map_or(0, |node| node.shape.len())];
        self.output_len = block.output_shape().len();
        #[cfg(feature = "gradients")]
        self.prepare(block, want)?;
        if block.index() == 0 {
            self.push(Step::Input);
        }
        values::plan(self, block, options, want, source)?;
        self.end(Phase::Forward);
        if want.spectrum || want.concentration {
            self.spectrum(block, options, want)?;
        }
        self.end(Phase::Feature);
        if want.transfer && block.index() > 0 {
            match shrinkage(block)? {
                Some(factor) => self.transfer(block, factor, options)?,
                None => self.is_uneven = true,
            }
        }
        #[cfg(feature = "gradients")]
        if want.of_parameters() {
            gradients::plan(self, block, options, &Course::through(block))?;
        }
        self.end(Phase::Backward);
        self.place(block, want)
    }

    /// What gradients through the block ask of the forward phase.
    #[cfg(feature = "gradients")]
    fn prepare(&mut self, block: &Block, want: Want) -> Result<(), Error> {
        let mixes_inputs = want.through.map(|through| through.mixes_inputs).or(want.look.map(|look| look.mixes_inputs));
        self.mixed_input = if block.index() == 0 && mixes_inputs == Some(true) {
            Some(self.buffer::<f32>(self.input_lens[0])?)
        } else {
            None
        };
        self.holds_biases = want.through.is_some_and(|through| through.holds_biases);
        self.is_repeated = want.through.is_some_and(|through| through.repeated);
        Ok(())
    }

    /// Whether the block passes a gradient on to the feature before its input.
    #[cfg(feature = "gradients")]
    pub(crate) fn passes_on_earlier(&self, block: &Block) -> bool {
        let earlier = block.nodes().iter().zip(&self.nodes).filter(|(node, _)| matches!(node.op, Op::Earlier));
        earlier.map(|(_, planned)| planned.gradient).any(|gradient| gradient.is_some())
    }

    /// The steps of a phase, in order.
    pub(crate) fn steps(&self, phase: Phase) -> &[Step] {
        let start = Phase::ALL[..phase as usize].last().map_or(0, |&before| self.phase_ends[before as usize]);
        &self.steps[start..self.phase_ends[phase as usize]]
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.step_count == 0
    }

    /// Whether a transfer matrix is wanted of a block that has none, because it does not shrink its map by a whole factor.
    pub(crate) fn is_uneven(&self) -> bool {
        self.is_uneven
    }

    /// Whether biases of the caller are held in memory of the block.
    #[cfg(feature = "gradients")]
    fn holds_biases(&self) -> bool {
        self.holds_biases
    }

    /// Bytes of memory of the block's own.
    pub(crate) fn middle_bytes(&self) -> usize {
        self.middle_bytes
    }

    /// Bytes at the start of that which hold the results of products until the backward phase.
    #[cfg(feature = "gradients")]
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// A region as the numbers it was planned for.
    pub(crate) fn slot<T: Plain>(&self, region: Region, frame: &Frame) -> Slot<T> {
        match region {
            Region::Input(which) => {
                let which = usize::from(which);
                Slot::new(frame.inputs[which], self.input_lens[which])
            }
            Region::Output => Slot::new(frame.output, self.output_len),
            #[cfg(feature = "gradients")]
            Region::InputGradient(which) => {
                let which = usize::from(which);
                Slot::new(frame.gradients.inputs[which], self.input_lens[which])
            }
            #[cfg(feature = "gradients")]
            Region::OutputGradient => Slot::new(frame.gradients.output, self.output_len),
            Region::Buffer(buffer) => self.layout.slot(buffer).behind(frame.middle),
        }
    }

    fn spectrum(&mut self, block: &Block, options: &Options, want: Want) -> Result<(), Error> {
        let shape = block.output_shape();
        let order = covariance_order(shape);
        let (mut scratch, mut eigenvalue_scratch) = (0, 0);
        for shape in spectra(shape, options.entropy) {
            let len = if is_dual(shape) {
                covariance::dual_scratch_len(shape.positions(), shape.channels)
            } else {
                covariance::covariance_scratch_len(shape.channels)
            };
            scratch = scratch.max(len);
            eigenvalue_scratch = eigenvalue_scratch.max(spectrum::scratch_len(covariance_order(shape)));
        }
        self.statistics.covariance = Some(self.square::<f64>(order, order)?);
        self.statistics.eigenvalues = Some(self.buffer::<f64>(order)?);
        self.statistics.covariance_scratch = Some(self.buffer::<f32>(scratch)?);
        if SMALL || want.spectrum {
            self.statistics.eigenvalue_scratch = Some(self.buffer::<f64>(eigenvalue_scratch)?);
        }
        self.statistics.concentration = want.concentration;
        self.push(Step::Spectrum);
        Ok(())
    }

    /// The gradient of a block that shrinks its map `factor` times, and the transfer matrix: folded input channels × output
    /// channels.
    fn transfer(&mut self, block: &Block, factor: usize, options: &Options) -> Result<(), Error> {
        let direction = self.buffer::<f32>(block.output_shape().len())?;
        self.statistics.direction = Some(direction);
        self.push(Step::Direction);
        gradients::plan(self, block, options, &Course::across(direction))?;
        let rows = factor.checked_mul(factor).and_then(|f| f.checked_mul(block.shape(block.input()).ok()?.channels));
        let rows = rows.ok_or(Error::Overflow { quantity: "the workspace" })?;
        let columns = block.output_shape().channels;
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

    /// Ends a phase: what is pushed from now on belongs to the next.
    fn end(&mut self, phase: Phase) {
        self.phase_ends[phase as usize] = self.step_count;
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

    /// A buffer of `len` numbers of scratch, if it takes any.
    fn scratch(&mut self, len: usize) -> Result<Option<BufferId>, Error> {
        if len > 0 { self.buffer::<f32>(len).map(Some) } else { Ok(None) }
    }

    fn square<T: Plain>(&mut self, rows: usize, columns: usize) -> Result<BufferId, Error> {
        let len = rows.checked_mul(columns).ok_or(Error::Overflow { quantity: "the workspace" })?;
        self.buffer::<T>(len)
    }

    /// Lifetimes from the steps, offsets from the lifetimes.
    fn place(&mut self, block: &Block, want: Want) -> Result<(), Error> {
        let mut lifetimes = [Lifetime::NEVER; MAX_BUFFERS];
        for (time, &step) in self.steps[..self.step_count].iter().enumerate() {
            step.touches(self, block, &mut |region| {
                if let Region::Buffer(buffer) = region {
                    lifetimes[buffer.index()].extend(time as u32);
                }
            });
        }
        #[cfg(feature = "gradients")]
        if want.of_parameters() {
            self.keep(block, &mut lifetimes);
        }
        #[cfg(not(feature = "gradients"))]
        let _ = want;
        self.layout.set_lifetimes(&lifetimes);
        self.middle_bytes = self.layout.place()?;
        #[cfg(feature = "gradients")]
        {
            self.kept_bytes = self.layout.end_of_kept();
        }
        Ok(())
    }

    /// Makes buffers live as long as gradients through the block ask for.
    #[cfg(feature = "gradients")]
    fn keep(&mut self, block: &Block, lifetimes: &mut [Lifetime; MAX_BUFFERS]) {
        let backward = self.phase_ends[Phase::Feature as usize] as u32;
        let traced = self.trace(block);
        for (index, lifetime) in lifetimes.iter_mut().enumerate().take(self.layout.count()) {
            // Nothing that is done again writes where products are kept.
            if traced.touched[index] {
                lifetime.extend(backward);
            }
            if traced.kept[index] {
                self.layout.keep(index);
            }
            // What one backward pass reads of the forward pass, the next one reads again.
            if self.is_repeated && lifetime.crosses(backward) {
                lifetime.extend(self.step_count as u32);
            }
        }
    }
}

/// Whether the smaller Gram matrix of the positions stands for the covariance of the channels: both have the same
/// eigenvalues but for zeros.
pub(crate) fn is_dual(feature: Shape) -> bool {
    feature.positions() < feature.channels
}

/// The whole feature, and its halves where spectra of these are taken too: the smaller one first.
pub(crate) fn spectra(feature: Shape, entropy: Entropy) -> impl Iterator<Item = Shape> {
    let first = feature.batch / 2;
    let parts = match entropy {
        Entropy::Plain => 1,
        Entropy::HalfSplit => 3,
    };
    [feature.batch, first, feature.batch - first].into_iter().take(parts).map(move |batch| Shape { batch, ..feature })
}

/// Rows of the matrix whose eigenvalues are taken.
pub(crate) fn covariance_order(feature: Shape) -> usize {
    feature.positions().min(feature.channels)
}

/// How many times the block shrinks its map: the input gradient is folded that many rows and columns into channels. `None`
/// unless it is one whole factor in rows and columns.
fn shrinkage(block: &Block) -> Result<Option<usize>, Error> {
    let (input, output) = (block.shape(block.input())?, block.output_shape());
    let factor = input.height.checked_div(output.height).unwrap_or(0);
    let fits = factor * output.height == input.height && factor * output.width == input.width && factor > 0;
    Ok(fits.then_some(factor))
}
