//! Gradients of whole networks, in memory that is known beforehand.
//!
//! A network is run forwards through all blocks and the head, and the features between blocks are kept. Then it is run
//! backwards a block at a time: first what its backward pass reads of its forward pass is made once more, with the same bits
//! since all that is drawn is a function of the seed and the place, then the gradient goes from its feature to what it reads.
//! The last blocks, as many as fit into two fifths more memory, have kept the results of their products (convolutions, linear
//! maps, attention), so that what is made once more takes little time. The gradient with respect to each parameter is handed over as soon as
//! it is complete; no gradient of the size of the network is ever formed.
//!
//! ```
//! use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
//! use aznas::sweep::{self, Parameter, Sweep};
//! use aznas::tensor::{Random, Role};
//! use aznas::{Options, Workspace};
//!
//! let cell = Cell::parse("|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|")?;
//! let network = CellNetwork { cell, skeleton: Skeleton::new(4, 1, 10)? };
//! let (options, sweep) = (Options { batch: 2, height: 8, width: 8, ..Options::default() }, Sweep::default());
//!
//! let bytes = sweep::workspace_size(&network, &options, &sweep, &Random)?;
//! let mut memory = vec![0; Workspace::buffer_len(bytes).unwrap()];
//! let mut workspace = Workspace::from_bytes(&mut memory);
//!
//! // SNIP: how much the loss depends on the size of each weight.
//! let mut snip = 0.0;
//! aznas::gradients(&network, &options, &sweep, &Random, &mut workspace, &mut |parameter: Parameter<'_>| {
//!     if let (Role::Weight, Some(values)) = (parameter.role, parameter.values) {
//!         snip += values.iter().zip(parameter.gradient).map(|(w, g)| f64::from(w * g).abs()).sum::<f64>();
//!     }
//! })?;
//! assert!(snip > 0.0);
//! # Ok::<(), aznas::Error>(())
//! ```

mod ledger;
mod loss;
#[cfg(all(test, feature = "alloc"))]
mod tests;

pub use crate::options::sweep::{Input, Loss, Signs, State, Sweep, Weights};
pub use crate::run::Parameter;

use crate::Error;
use crate::base::math;
use crate::graph::{Block, Network, Walk};
use crate::mem::{Slot, Workspace};
use crate::options::Options;
use crate::plan::{self, BlockPlan, Plans, Recall, Through, Want};
use crate::run::{Runner, Setting, SignsPlace, StatePlace};
use crate::tensor::{Shape, Source};
use ledger::{Boundary, Layout, Survey};
use loss::Labels;

/// Is told what passes by in a sweep. A closure is told of parameters.
pub trait Watch {
    /// The outputs of the network, image after image, and the loss; of [`Loss::EachSample`] the sum of all.
    fn outputs(&mut self, outputs: &[f32], loss: f64) {
        let _ = (outputs, loss);
    }

    /// The gradient with respect to the feature of a block. With [`Weights::Magnitudes`] it is to be multiplied by two to
    /// the power of `exponent`.
    fn feature(&mut self, block: usize, gradient: &[f32], exponent: i32) {
        let _ = (block, gradient, exponent);
    }

    /// The gradient with respect to a parameter. Parameters that cannot influence the outputs do not come.
    fn parameter(&mut self, parameter: Parameter<'_>);
}

impl<F: FnMut(Parameter<'_>)> Watch for F {
    fn parameter(&mut self, parameter: Parameter<'_>) {
        self(parameter);
    }
}

/// Bytes of workspace that [`gradients`] needs for the same arguments, in a workspace of any alignment: see
/// [`Workspace::buffer_len`] for the length of a plain buffer.
///
/// # Errors
/// Everything that can be wrong with the network, the options or the sweep; [`gradients`] has no other errors but a
/// workspace that is too small.
pub fn workspace_size<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    sweep: &Sweep,
    source: &dyn Source,
) -> Result<usize, Error> {
    check(network, options, sweep, source).map(|layout| layout.bytes)
}

/// Runs a network forwards and back in the given memory, and tells `watch` of all gradients: blocks from the head to the
/// first, in a block from its output to its inputs. Returns the loss; of [`Loss::EachSample`] the sum of all.
///
/// Of the options, the proxies, σ and the repeats have no meaning here. The gradients are a function of the arguments alone:
/// the same bits on any thread, in any workspace (but for a [`State`] that was left there).
///
/// # Errors
/// Those of [`workspace_size`], and [`Error::WorkspaceTooSmall`]. They come before any work.
pub fn gradients<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    sweep: &Sweep,
    source: &dyn Source,
    workspace: &mut Workspace<'_>,
    watch: &mut dyn Watch,
) -> Result<f64, Error> {
    let layout = check(network, options, sweep, source)?;
    if workspace.capacity() < layout.bytes {
        return Err(Error::WorkspaceTooSmall { needed: layout.bytes, given: workspace.capacity() });
    }
    if sweep.state == State::Fresh {
        workspace.loans().write(layout.state).fill(0.0);
    }
    let mut walk = Walk::new(network, options.batch, options.height, options.width)?;
    let blocks = network.block_count();
    let course = Course { options, sweep, source, layout, blocks };
    let mut plans = Plans::new();
    course.forward(&mut walk, &mut plans, workspace)?;
    let (loss, outputs) = course.differentiate(workspace);
    watch.outputs(workspace.loans().read(outputs), loss);
    course.backward(&mut walk, &mut plans, workspace, watch)?;
    Ok(loss)
}

/// What a sweep wants of a block.
fn want(options: &Options, sweep: &Sweep) -> Want {
    Want::through(Through {
        repeated: sweep.loss == Loss::EachSample && options.batch > 1,
        mixes_inputs: matches!(sweep.input, Input::Shifted { .. }),
        holds_biases: sweep.weights == Weights::Magnitudes,
        keeps_signs: sweep.signs != Signs::Own,
    })
}

/// Lays everything out. Refuses all that can be refused but a workspace that is too small.
#[inline(never)] // what is on its stack is given back when it returns
fn check<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    sweep: &Sweep,
    source: &dyn Source,
) -> Result<Layout, Error> {
    if !options.backend.is_available() {
        return Err(Error::BackendUnavailable);
    }
    if matches!(sweep.weights, Weights::Shifted { .. }) && sweep.state != State::Kept {
        return Err(Error::Invalid { field: "state", expected: "kept, where weights are shifted along it" });
    }
    if sweep.weights == Weights::Magnitudes && sweep.loss == Loss::EachSample {
        return Err(Error::Invalid { field: "loss", expected: "one of the whole batch, where weights are magnitudes" });
    }
    let mut walk = Walk::new(network, options.batch, options.height, options.width)?;
    let batches: &[u32] = match sweep.input {
        Input::Batch(number) => &[number],
        Input::Ones => &[],
        Input::Shifted { .. } => &[0, 1],
    };
    batches.iter().try_for_each(|&number| plan::check_batch(walk.input(), source.batch(number)))?;
    let (mut plans, mut survey) = (Plans::new(), Survey::new(walk.input()));
    let mut shapes = (walk.input(), None);
    for index in 0..=network.block_count() {
        let block = walk.enter(index, shapes.0, shapes.1)?;
        let plan = plans.next(block, options, want(options, sweep), source)?;
        plan::check_parameters(block, source)?;
        survey.add(block, plan)?;
        if index == network.block_count() {
            check_outputs(block, options, sweep, source)?;
        }
        shapes = (block.output_shape(), Some(shapes.0).filter(|_| index > 0));
    }
    let rescales = sweep.weights == Weights::Magnitudes;
    survey.lay_out(sweep.state != State::None, sweep.signs != Signs::Own, rescales, losses(options, sweep))
}

/// Refuses a head whose outputs have no loss.
fn check_outputs(head: &Block, options: &Options, sweep: &Sweep, source: &dyn Source) -> Result<(), Error> {
    let outputs = head.output_shape();
    if sweep.loss != Loss::CrossEntropy {
        return Ok(());
    }
    if outputs.positions_per_image() != 1 || outputs.channels == 0 {
        return Err(Error::Node {
            block: head.index(),
            node: head.output().index(),
            field: "output",
            expected: "one position an image, a channel for each class",
        });
    }
    if !labels(outputs, options, sweep, source).fit(outputs.batch) {
        return Err(Error::Invalid { field: "labels", expected: "one an image, each below the number of classes" });
    }
    Ok(())
}

/// How many losses are differentiated.
fn losses(options: &Options, sweep: &Sweep) -> usize {
    if sweep.loss == Loss::EachSample { options.batch } else { 1 }
}

fn labels<'s>(outputs: Shape, options: &Options, sweep: &Sweep, source: &'s dyn Source) -> Labels<'s> {
    Labels::new(source, options.seed, sweep.input.batch(), outputs.channels)
}

/// A network on its way, forwards and back.
struct Course<'c> {
    options: &'c Options,
    sweep: &'c Sweep,
    source: &'c dyn Source,
    layout: Layout,
    /// Blocks before the head.
    blocks: usize,
}

impl Course<'_> {
    /// Leaves all features and the outputs in their places.
    fn forward<N: Network + ?Sized>(
        &self,
        walk: &mut Walk<'_, N>,
        plans: &mut Plans,
        workspace: &mut Workspace<'_>,
    ) -> Result<(), Error> {
        let offset = self.layout.features_at;
        let input = Boundary { shape: walk.input(), offset, parameters: 0, signs: 0, kept: 0, exponent: 0 };
        self.layout.set(workspace, 0, &input);
        for index in 0..=self.blocks {
            let [input, earlier] = self.inputs(workspace, index);
            let block = walk.enter(index, input.shape, Some(earlier.shape).filter(|_| index > 1))?;
            let plan = plans.next(block, self.options, want(self.options, self.sweep), self.source)?;
            let [input, earlier] = self.align(workspace, block, [input, earlier]);
            let own = block.nodes().iter().map(|node| block.parameters_len(node)).sum::<usize>();
            let (shape, offset) = (block.output_shape(), input.next());
            let signs = input.signs + block.nodes().iter().map(|node| block.sign_words(node)).sum::<usize>();
            let parameters = input.parameters + own;
            let kept = if self.keeps_products(index) { plan.kept_bytes() } else { 0 };
            let made = Boundary { shape, offset, parameters, signs, kept, exponent: input.exponent };
            self.runner(block, plan, [made, input, earlier], Of::FIRST).forward(workspace, &mut |_| ());
            let exponent = made.exponent + self.shrink(workspace, made.slot());
            self.layout.set(workspace, index + 1, &Boundary { exponent, ..made });
        }
        Ok(())
    }

    /// The loss, and where the outputs are that it is of; leaves the gradients with respect to them in their place.
    fn differentiate(&self, workspace: &mut Workspace<'_>) -> (f64, Slot<f32>) {
        let number = self.blocks + 1;
        let made = self.layout.get(workspace, number, self.options.batch);
        let mut sum = 0.0;
        for loss in 0..losses(self.options, self.sweep) {
            let mut loans = workspace.loans();
            let outputs = loans.read(made.slot());
            let gradient = loans.write(Slot::new(self.layout.gradient(number, loss), made.shape.len()));
            sum += match self.sweep.loss {
                Loss::CrossEntropy => {
                    let labels = labels(made.shape, self.options, self.sweep, self.source);
                    loss::cross_entropy(outputs, labels, gradient)
                }
                Loss::Sum => loss::sum(outputs, made.shape, None, gradient),
                Loss::EachSample => loss::sum(outputs, made.shape, Some(loss), gradient),
            };
        }
        (math::times_power_of_two(sum, made.exponent), made.slot())
    }

    /// Passes the gradients with respect to the outputs back through all blocks.
    fn backward<N: Network + ?Sized>(
        &self,
        walk: &mut Walk<'_, N>,
        plans: &mut Plans,
        workspace: &mut Workspace<'_>,
        watch: &mut dyn Watch,
    ) -> Result<(), Error> {
        // The exponents of the gradients with respect to the output of the block at hand and, where a block behind it has
        // left a contribution to that already, to its input.
        let (mut exponent, mut begun) = (0, None);
        for index in (0..=self.blocks).rev() {
            let made = self.layout.get(workspace, index + 1, self.options.batch);
            let [input, earlier] = self.inputs(workspace, index);
            let block = walk.enter(index, input.shape, Some(earlier.shape).filter(|_| index > 1))?;
            let plan = plans.next(block, self.options, want(self.options, self.sweep), self.source)?;
            let around = self.align(workspace, block, [input, earlier]);
            let around = [made, around[0], around[1]];
            let of_input = |loss| Slot::<f32>::new(self.layout.gradient(index, loss), input.shape.len());
            if let Some(other) = begun {
                scale(workspace, of_input(0), other - exponent);
            }
            scale(workspace, made.slot(), made.exponent - around[1].exponent);
            let left = if self.keeps_products(index) { Recall::Products } else { Recall::Boundaries };
            self.runner(block, plan, around, Of::FIRST).recall(left, workspace);
            for loss in 0..losses(self.options, self.sweep) {
                let of = Of { loss, exponent, begun: begun.is_some() };
                self.runner(block, plan, around, of).backward(workspace, &mut |parameter| watch.parameter(parameter));
            }
            begun = Some(exponent).filter(|_| plan.passes_on_earlier(block));
            if index > 0 {
                exponent += self.shrink(workspace, of_input(0));
                watch.feature(index - 1, workspace.loans().read(of_input(0)), exponent);
            }
        }
        Ok(())
    }

    /// Whether the results of a block's products are kept until its way back.
    fn keeps_products(&self, block: usize) -> bool {
        block >= self.layout.first_kept
    }

    /// What a block reads: its input and the feature before that (or its input again, where there is none).
    fn inputs(&self, workspace: &mut Workspace<'_>, index: usize) -> [Boundary; 2] {
        [index, index.saturating_sub(1)].map(|number| self.layout.get(workspace, number, self.options.batch))
    }

    /// Makes what a block reads stand for powers of two alike.
    fn align(&self, workspace: &mut Workspace<'_>, block: &Block, mut inputs: [Boundary; 2]) -> [Boundary; 2] {
        if block.reads_earlier() {
            let largest = inputs[0].exponent.max(inputs[1].exponent);
            for (number, boundary) in [block.index(), block.index() - 1].into_iter().zip(&mut inputs) {
                scale(workspace, boundary.slot(), boundary.exponent - largest);
                boundary.exponent = largest;
                self.layout.set(workspace, number, boundary);
            }
        }
        inputs
    }

    /// Scales what is far from 1, if the sweep may leave the range of single precision; returns the power of two that it is
    /// to be multiplied by from now on.
    fn shrink(&self, workspace: &mut Workspace<'_>, slot: Slot<f32>) -> i32 {
        /// Bits to spare in either direction.
        const FAR: i32 = 24;
        if self.sweep.weights != Weights::Magnitudes {
            return 0;
        }
        let largest = workspace.loans().read(slot).iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let exponent = if largest.is_normal() { math::exponent(largest) } else { 0 };
        if exponent.abs() <= FAR {
            return 0;
        }
        scale(workspace, slot, -exponent);
        exponent
    }

    /// The runner of a block between its boundaries: what it makes, its input, and the feature before that.
    fn runner<'r>(&'r self, block: &'r Block, plan: &'r BlockPlan, around: [Boundary; 3], of: Of) -> Runner<'r> {
        let [_, input, _] = around;
        let frame = self.layout.frame(block.index(), &around, of.loss, of.begun);
        let state = StatePlace { whole: self.layout.state, first: input.parameters };
        let signs = self.sweep.signs;
        let place = SignsPlace { whole: self.layout.signs, first: input.signs, followed: signs == Signs::Followed };
        let setting = Setting {
            input: self.sweep.input,
            weights: self.sweep.weights,
            without_norms: self.sweep.without_norms,
            state: Some(state).filter(|_| self.sweep.state != State::None),
            signs: Some(place).filter(|_| signs != Signs::Own),
            sample: Some(of.loss).filter(|_| self.sweep.loss == Loss::EachSample),
            exponents: [input.exponent, of.exponent],
        };
        Runner { setting, ..Runner::new(block, plan, frame, self.options, self.source) }
    }
}

/// What the gradients at a block are of.
#[derive(Clone, Copy)]
struct Of {
    /// The number of the loss.
    loss: usize,
    /// The exponent of the gradient with respect to the block's output.
    exponent: i32,
    /// The gradient with respect to its input has a contribution already.
    begun: bool,
}

impl Of {
    const FIRST: Self = Self { loss: 0, exponent: 0, begun: false };
}

/// Multiplies numbers by two to a power.
fn scale(workspace: &mut Workspace<'_>, slot: Slot<f32>, exponent: i32) {
    math::times_power_of_two_all(workspace.loans().write(slot), exponent);
}
