//! Whole blocks against a plain interpreter in double precision: values directly, gradients by central differences.

use super::Runner;
use crate::base::rng::{Generator, Key, Stream, below, generator};
use crate::graph::{Block, Convolution, Distribution, Draw, MAX_NODES, NodeId, Op};
use crate::mem::{ALIGNMENT, Memory, Slot, Workspace};
use crate::ops::activation::{self, Activation};
use crate::ops::attention::{self, Attention};
use crate::ops::linear::Linear;
use crate::ops::max_pool::MaxPool;
use crate::ops::pad::Pad;
use crate::ops::pool::AveragePool;
use crate::ops::shuffle::Shuffle;
use crate::ops::slice::Slice;
use crate::ops::window::{Side, Window};
use crate::options::Options;
use crate::plan::{BlockPlan, Frame, Region, Want};
#[cfg(feature = "gradients")]
use crate::plan::{Gradients, Recall, Through};
use crate::simd::Backend;
use crate::tensor::random::fill_normal;
use crate::tensor::{Random, Role, Shape, Source};
use std::collections::HashMap;
use std::vec::Vec;
use std::{format, vec};

/// Parameters of every node, the inputs and the direction, as numbers.
pub(crate) struct Tensors {
    pub(crate) input: Vec<f32>,
    pub(crate) earlier: Vec<f32>,
    direction: Vec<f32>,
    parameters: HashMap<(u32, u8), Vec<f32>>,
}

impl Source for Tensors {
    fn direction(&self, _: usize) -> Option<&[f32]> {
        Some(&self.direction)
    }
    fn parameter(&self, _: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.parameters.get(&(key, role as u8)).map(Vec::as_slice)
    }
}

fn normal(seed: u64, node: u32, len: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; len];
    fill_normal(Backend::Scalar, Key::new(seed, Stream::Weight, 0, node), 1.0, &mut numbers);
    numbers
}

pub(crate) fn tensors(block: &Block, seed: u64) -> Tensors {
    let mut parameters = HashMap::new();
    for node in block.nodes() {
        for parameter in block.parameters(node).as_slice() {
            let role = parameter.role;
            let mut numbers = normal(seed, 10 * node.key + role as u32, parameter.len());
            if role == Role::Gain {
                numbers.iter_mut().for_each(|number| *number = 1.0 + 0.3 * *number);
            }
            parameters.insert((node.key, role as u8), numbers);
        }
    }
    let input = normal(seed, 1_000_000, block.nodes()[0].shape.len());
    let earlier = block.nodes().iter().find(|node| node.op == Op::Earlier).map_or(0, |node| node.shape.len());
    let (earlier, direction) = (normal(seed, 1_000_002, earlier), normal(seed, 1_000_001, block.output_shape().len()));
    Tensors { input, earlier, direction, parameters }
}

/// What a block's output is a function of, in double precision; or a gradient with respect to it, or a direction in it.
#[derive(Clone, Default)]
pub(crate) struct Point {
    pub(crate) input: Vec<f64>,
    pub(crate) earlier: Vec<f64>,
    parameters: HashMap<(u32, u8), Vec<f64>>,
}

fn widen(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}

impl Point {
    pub(crate) fn of(tensors: &Tensors) -> Self {
        let parameters = tensors.parameters.iter().map(|(&name, numbers)| (name, widen(numbers))).collect();
        Self { input: widen(&tensors.input), earlier: widen(&tensors.earlier), parameters }
    }

    /// Takes the gradient with respect to a parameter.
    #[cfg(feature = "gradients")]
    pub(crate) fn set(&mut self, key: u32, role: Role, gradient: &[f32]) {
        assert!(self.parameters.insert((key, role as u8), widen(gradient)).is_none(), "{role:?} of {key} comes twice");
    }

    /// A direction in which parameters are moved only.
    #[cfg(feature = "gradients")]
    pub(crate) fn random_parameters(&self, seed: u64) -> Self {
        let random = |name: &(u32, u8), len| widen(&normal(seed, 20 * name.0 + u32::from(name.1), len));
        let parameters = self.parameters.iter().map(|(name, numbers)| (*name, random(name, numbers.len())));
        Self { parameters: parameters.collect(), ..Self::default() }
    }

    /// This far along a direction, in which what is not moved is missing.
    pub(crate) fn moved(&self, direction: &Self, step: f64) -> Self {
        let add = |x: &mut Vec<f64>, d: &[f64]| x.iter_mut().zip(d).for_each(|(x, d)| *x += step * d);
        let mut point = self.clone();
        add(&mut point.input, &direction.input);
        add(&mut point.earlier, &direction.earlier);
        for (name, numbers) in &direction.parameters {
            add(point.parameters.get_mut(name).unwrap(), numbers);
        }
        point
    }

    /// The derivative along a direction, of which this is the gradient.
    pub(crate) fn along(&self, direction: &Self) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let parameters = direction.parameters.iter().map(|(name, numbers)| {
            // What has no influence is not told of.
            self.parameters.get(name).map_or(0.0, |gradient| dot(gradient, numbers))
        });
        dot(&self.input, &direction.input) + dot(&self.earlier, &direction.earlier) + parameters.sum::<f64>()
    }

    pub(crate) fn length(&self) -> f64 {
        self.along(self).sqrt()
    }
}

/// The value of the block's output, in double precision.
pub(crate) fn interpret(block: &Block, point: &Point) -> Vec<f64> {
    let mut values: Vec<Vec<f64>> = Vec::new();
    for node in block.nodes() {
        let argument = |i: usize| &values[node.inputs()[i].index()];
        let shape_of = |i: usize| block.nodes()[node.inputs()[i].index()].shape;
        let parameter = |role: Role, at: usize, missing: f64| {
            point.parameters.get(&(node.key, role as u8)).map_or(missing, |numbers| numbers[at])
        };
        let value = match node.op {
            Op::Input => point.input.clone(),
            Op::Earlier => point.earlier.clone(),
            Op::Zero => vec![0.0; node.shape.len()],
            Op::Identity => argument(0).clone(),
            Op::Relu => argument(0).iter().map(|x| x.max(0.0)).collect(),
            Op::Add => (0..node.shape.len()).map(|i| (0..node.inputs().len()).map(|j| argument(j)[i]).sum()).collect(),
            Op::Concat => {
                let mut out = Vec::new();
                for position in 0..node.shape.positions() {
                    for j in 0..node.inputs().len() {
                        let channels = shape_of(j).channels;
                        out.extend_from_slice(&argument(j)[position * channels..][..channels]);
                    }
                }
                out
            }
            Op::Product => {
                let (positions, channels) = (node.shape.positions_per_image(), node.shape.channels);
                let of = |place: usize| match shape_of(1) == node.shape {
                    true => place,
                    false => place / (positions * channels) * channels + place % channels,
                };
                argument(0).iter().enumerate().map(|(place, x)| x * argument(1)[of(place)]).collect()
            }
            Op::Scale => {
                let channels = node.shape.channels;
                let of = |(place, x): (usize, &f64)| x * parameter(Role::Gain, place % channels, 1.0);
                argument(0).iter().enumerate().map(of).collect()
            }
            Op::Shuffle(Shuffle { groups }) => {
                let (x, channels) = (argument(0), node.shape.channels);
                let from = |c: usize| c % groups * (channels / groups) + c / groups;
                (0..x.len()).map(|place| x[place / channels * channels + from(place % channels)]).collect()
            }
            Op::Slice(slice) => {
                let (x, [from_row, from_column]) = (shape_of(0), slice.offset);
                let mut out = Vec::new();
                for image in 0..x.batch {
                    for row in (from_row..x.height).step_by(slice.stride[0]) {
                        for column in (from_column..x.width).step_by(slice.stride[1]) {
                            let position = (image * x.height + row) * x.width + column;
                            let channels = &argument(0)[position * x.channels..][..x.channels];
                            out.extend_from_slice(&channels[slice.first..][..slice.channels]);
                        }
                    }
                }
                out
            }
            Op::Pad(pad) => {
                let (x, [top, left]) = (shape_of(0), pad.before);
                let mut out = vec![0.0; node.shape.len()];
                for (place, value) in argument(0).iter().enumerate() {
                    let (position, channel) = (place / x.channels, place % x.channels);
                    let (image, row, column) =
                        (position / x.width / x.height, position / x.width % x.height, position % x.width);
                    let position = (image * node.shape.height + top + row) * node.shape.width + left + column;
                    out[position * x.channels + channel] = *value;
                }
                out
            }
            Op::Positions => {
                let len = node.shape.positions_per_image() * node.shape.channels;
                let of = |(place, x): (usize, &f64)| x + parameter(Role::Position, place % len, 0.0);
                argument(0).iter().enumerate().map(of).collect()
            }
            Op::GroupNorm(norm) => {
                let (channels, area) = (node.shape.channels, node.shape.positions_per_image());
                let mut out = argument(0).clone();
                for image in out.chunks_exact_mut(area * channels) {
                    for group in 0..norm.groups {
                        let width = channels / norm.groups;
                        let is_in = |place: usize| place % channels / width == group;
                        let peers = || image.iter().enumerate().filter(|(place, _)| is_in(*place)).map(|(_, x)| x);
                        let count = (area * width) as f64;
                        let mean = peers().sum::<f64>() / count;
                        let variance = peers().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                        for (place, x) in image.iter_mut().enumerate().filter(|(place, _)| is_in(*place)) {
                            let normalised = (*x - mean) / (variance + norm.epsilon.get()).sqrt();
                            let channel = place % channels;
                            *x =
                                normalised * parameter(Role::Gain, channel, 1.0) + parameter(Role::Shift, channel, 0.0);
                        }
                    }
                }
                out
            }
            Op::BatchNorm(norm) => {
                let channels = node.shape.channels;
                let positions = node.shape.positions() as f64;
                let mut out = argument(0).clone();
                for c in 0..channels {
                    let column = || argument(0).iter().skip(c).step_by(channels);
                    let mean = column().sum::<f64>() / positions;
                    let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / positions;
                    let factor = parameter(Role::Gain, c, 1.0) / (variance + norm.epsilon.get()).sqrt();
                    let shift = parameter(Role::Shift, c, 0.0);
                    out.iter_mut().skip(c).step_by(channels).for_each(|x| *x = (*x - mean) * factor + shift);
                }
                out
            }
            Op::Linear(linear) => {
                let inputs = shape_of(0).channels;
                let mut out = Vec::new();
                for row in argument(0).chunks_exact(inputs) {
                    for o in 0..linear.channels {
                        let products = (0..inputs).map(|i| parameter(Role::Weight, o * inputs + i, 0.0) * row[i]);
                        out.push(products.sum::<f64>() + parameter(Role::Bias, o, 0.0));
                    }
                }
                out
            }
            Op::LayerNorm(norm) => {
                let channels = node.shape.channels;
                let mut out = argument(0).clone();
                for row in out.chunks_exact_mut(channels) {
                    let mean = row.iter().sum::<f64>() / channels as f64;
                    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                    for (c, x) in row.iter_mut().enumerate() {
                        let normalised = (*x - mean) / (variance + norm.epsilon.get()).sqrt();
                        *x = normalised * parameter(Role::Gain, c, 1.0) + parameter(Role::Shift, c, 0.0);
                    }
                }
                out
            }
            Op::Activation(function) => argument(0).iter().map(|&x| activation::reference(function, x)).collect(),
            Op::Tokens => {
                let mut out = Vec::new();
                for sample in argument(0).chunks_exact(shape_of(0).positions_per_image() * node.shape.channels) {
                    let class = (0..node.shape.channels).map(|c| parameter(Role::ClassToken, c, 0.0));
                    let tokens = class.chain(sample.iter().copied()).enumerate();
                    out.extend(tokens.map(|(place, x)| x + parameter(Role::Position, place, 0.0)));
                }
                out
            }
            Op::Attention(attention) => {
                let roles = [Role::KeyRow, Role::KeyColumn, Role::ValueRow, Role::ValueColumn];
                let tables = match attention.is_relative() {
                    true => roles.map(|role| point.parameters[&(node.key, role as u8)].as_slice()),
                    false => [&[][..]; 4],
                };
                attention::reference(&attention, shape_of(0), &tables.concat(), argument(0))
            }
            Op::GlobalPool | Op::TokenPool => {
                let (area, channels) = (shape_of(0).positions_per_image(), node.shape.channels);
                let skip = usize::from(node.op == Op::TokenPool);
                let mut out = Vec::new();
                for sample in argument(0).chunks_exact(area * channels) {
                    let rows = || sample.chunks_exact(channels).skip(skip);
                    out.extend((0..channels).map(|c| rows().map(|row| row[c]).sum::<f64>() / (area - skip) as f64));
                }
                out
            }
            Op::Convolution(convolution) => {
                let window = WindowOf {
                    kernel: convolution.kernel,
                    stride: convolution.stride,
                    padding: convolution.padding,
                    dilation: convolution.dilation,
                };
                let per_group = shape_of(0).channels / convolution.groups;
                let outputs = convolution.channels / convolution.groups;
                let area = convolution.kernel[0] * convolution.kernel[1];
                window.map(shape_of(0), node.shape, |o, taps| {
                    let first = o / outputs * per_group;
                    let mut sum = parameter(Role::Bias, o, 0.0);
                    for &(tap, position) in taps {
                        for i in 0..per_group {
                            let weight = parameter(Role::Weight, (o * per_group + i) * area + tap, 0.0);
                            sum += weight * argument(0)[position * shape_of(0).channels + first + i];
                        }
                    }
                    sum
                })
            }
            Op::AveragePool(AveragePool { window }) | Op::MaxPool(MaxPool { window }) => {
                let sides = window.sides();
                let window = WindowOf {
                    kernel: sides.map(|side| side.kernel),
                    stride: sides.map(|side| side.stride),
                    padding: sides.map(|side| side.before),
                    dilation: [1; 2],
                };
                window.map(shape_of(0), node.shape, |c, taps| {
                    let seen = taps.iter().map(|&(_, position)| argument(0)[position * node.shape.channels + c]);
                    match node.op {
                        Op::MaxPool(_) => seen.fold(f64::NEG_INFINITY, f64::max),
                        _ => seen.sum::<f64>() / taps.len() as f64,
                    }
                })
            }
        };
        values.push(value);
    }
    values.swap_remove(block.output().index())
}

struct WindowOf {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl WindowOf {
    /// Calls `f` with every output channel and the taps of every output position that lie in the input, as
    /// (number of the tap, input position).
    fn map(&self, input: Shape, output: Shape, f: impl Fn(usize, &[(usize, usize)]) -> f64) -> Vec<f64> {
        let mut out = Vec::new();
        for b in 0..output.batch {
            for y in 0..output.height {
                for x in 0..output.width {
                    let mut taps = Vec::new();
                    for ky in 0..self.kernel[0] {
                        for kx in 0..self.kernel[1] {
                            let row = (y * self.stride[0] + ky * self.dilation[0]).checked_sub(self.padding[0]);
                            let column = (x * self.stride[1] + kx * self.dilation[1]).checked_sub(self.padding[1]);
                            let inside = |at: Option<usize>, size: usize| at.filter(|&at| at < size);
                            let place = inside(row, input.height).zip(inside(column, input.width));
                            if let Some((row, column)) = place {
                                let position = (b * input.height + row) * input.width + column;
                                taps.push((ky * self.kernel[1] + kx, position));
                            }
                        }
                    }
                    out.extend((0..output.channels).map(|c| f(c, &taps)));
                }
            }
        }
        out
    }
}

/// A block planned for a workspace of its own: what it reads first, then its feature, then what else it needs.
struct Planned<'b> {
    block: &'b Block,
    plan: BlockPlan,
    options: Options,
    source: &'b dyn Source,
}

impl<'b> Planned<'b> {
    fn new(block: &'b Block, want: Want, source: &'b dyn Source, backend: Backend) -> Self {
        let options = Options { backend, ..Options::default() };
        let mut plan = BlockPlan::new();
        plan.renew(block, &options, want, source).unwrap();
        Self { block, plan, options, source }
    }

    /// What a score wants.
    fn of_score(block: &'b Block, source: &'b dyn Source, backend: Backend) -> Self {
        Self::new(block, Want::measured(true, true), source, backend)
    }

    fn runner(&self) -> Runner<'_> {
        let mut end = 0;
        let mut next = |bytes: usize| {
            end += bytes.next_multiple_of(ALIGNMENT);
            end
        };
        let bytes = |shape: Shape| 4 * shape.len();
        let nodes = self.block.nodes();
        let earlier = nodes.iter().find(|node| node.op == Op::Earlier).map_or(0, |node| bytes(node.shape));
        let inputs = [0, next(bytes(nodes[0].shape))];
        let (output, middle) = (next(earlier), next(bytes(self.block.output_shape())));
        let gradients = [next(self.plan.middle_bytes()), next(bytes(nodes[0].shape)), next(earlier)];
        let mut frame = Frame::new(inputs, output, middle);
        #[cfg(feature = "gradients")]
        {
            let [input, earlier, output] = gradients;
            frame.gradients = Gradients { inputs: [input, earlier], output, begun: false };
        }
        #[cfg(not(feature = "gradients"))]
        let _ = (gradients, &mut frame);
        Runner::new(self.block, &self.plan, frame, &self.options, self.source)
    }

    fn workspace<'m>(&self, memory: &'m mut Memory) -> Workspace<'m> {
        // The boundaries take as much again for their gradients.
        let bytes = 2 * self.runner().frame.middle + self.plan.middle_bytes();
        let mut workspace = memory.workspace(bytes).unwrap();
        // Whatever is read before it is written poisons the result.
        workspace.loans().write(Slot::<f32>::new(0, bytes / 4)).fill(f32::NAN);
        workspace
    }
}

/// Lays down what the block reads.
fn lay(runner: &Runner<'_>, tensors: &Tensors, workspace: &mut Workspace<'_>) {
    for (which, feature) in (0..).zip([&tensors.input, &tensors.earlier]) {
        workspace.loans().write(runner.slot(Region::Input(which))).copy_from_slice(feature);
    }
}

/// Runs the block and returns its output and the gradient with respect to its input.
fn run(block: &Block, tensors: &Tensors, backend: Backend) -> (Vec<f32>, Point) {
    let (planned, mut memory) = (Planned::of_score(block, tensors, backend), Memory::new());
    let (mut runner, mut workspace) = (planned.runner(), planned.workspace(&mut memory));
    lay(&runner, tensors, &mut workspace);
    runner.score(&mut workspace);
    let output = workspace.loans().read(runner.slot(Region::Output)).to_vec();
    let input = widen(runner.gradient(block.input(), &mut workspace.loans()).data);
    (output, Point { input, ..Point::default() })
}

/// Runs the forward pass, each step three times, and returns the output.
fn run_forward(block: &Block, tensors: &Tensors, backend: Backend) -> Vec<f32> {
    let (planned, mut memory) = (Planned::of_score(block, tensors, backend), Memory::new());
    let (mut runner, mut workspace) = (planned.runner(), planned.workspace(&mut memory));
    lay(&runner, tensors, &mut workspace);
    runner.forward(&mut workspace, &mut |step| (0..2).for_each(|_| step()));
    workspace.loans().read(runner.slot(Region::Output)).to_vec()
}

/// Runs the block with a given gradient with respect to its output, backwards several times and after its memory was lost, and returns the output and all
/// gradients.
#[cfg(feature = "gradients")]
fn run_through(block: &Block, tensors: &Tensors, backend: Backend) -> (Vec<f32>, Point) {
    let through = Through { repeated: true, mixes_inputs: false, holds_biases: false, keeps_signs: false };
    let planned = Planned::new(block, Want::through(through), tensors, backend);
    let mut memory = Memory::new();
    let (mut runner, mut workspace) = (planned.runner(), planned.workspace(&mut memory));
    lay(&runner, tensors, &mut workspace);
    runner.forward(&mut workspace, &mut |_| ());
    let mut rounds: Vec<Point> = Vec::new();
    let recalls =
        [None, None, Some((Recall::Boundaries, 0)), Some((Recall::Products, planned.plan.kept_bytes())), None];
    for (round, recall) in recalls.into_iter().enumerate() {
        if let Some((recall, kept)) = recall {
            if recall == Recall::Products {
                runner.forward(&mut workspace, &mut |_| ());
            }
            let lost = Slot::<f32>::new(runner.frame.middle + kept, (planned.plan.middle_bytes() - kept) / 4);
            workspace.loans().write(lost).fill(f32::NAN);
            runner.recall(recall, &mut workspace);
        }
        workspace.loans().write(runner.slot(Region::OutputGradient)).copy_from_slice(&tensors.direction);
        // In the last round another block has left a contribution.
        runner.frame.gradients.begun = round == recalls.len() - 1;
        let mut gradient = Point::default();
        runner.backward(&mut workspace, &mut |parameter| {
            let given = &tensors.parameters[&(parameter.key, parameter.role as u8)];
            assert_eq!(parameter.values, Some(given.as_slice()));
            let told = gradient.parameters.insert((parameter.key, parameter.role as u8), widen(parameter.gradient));
            assert!(told.is_none(), "{:?} comes twice", parameter.role);
        });
        gradient.input = widen(workspace.loans().read(runner.slot(Region::InputGradient(0))));
        if planned.plan.passes_on_earlier(block) {
            gradient.earlier = widen(workspace.loans().read(runner.slot(Region::InputGradient(1))));
        }
        rounds.push(gradient);
    }
    let output = workspace.loans().read(runner.slot(Region::Output)).to_vec();
    let last = rounds.pop().unwrap();
    let first = rounds.swap_remove(0);
    let is_first = |x: &Point| x.input == first.input && x.earlier == first.earlier && x.parameters == first.parameters;
    assert!(rounds.iter().all(is_first));
    for (once, twice) in first.input.iter().zip(&last.input) {
        assert!((2.0 * once - twice).abs() <= 1e-4 * (1.0 + once.abs()), "{once} and again makes {twice}");
    }
    (output, first)
}

/// Compares a block with the interpreter.
fn check(block: &Block, seed: u64, name: &str) {
    let tensors = tensors(block, seed);
    let point = Point::of(&tensors);
    let expected = interpret(block, &point);
    let scale = expected.iter().fold(1.0f64, |scale, x| scale.max(x.abs()));
    // The derivative along a few directions: Σ gᵢ dᵢ against the difference of Σ vⱼ fⱼ.
    let slope = |direction: &Point| {
        let along = |step: f64| {
            let value = interpret(block, &point.moved(direction, step));
            value.iter().zip(&tensors.direction).map(|(f, v)| f * f64::from(*v)).sum::<f64>()
        };
        let step = 1e-6;
        (along(step) - along(-step)) / (2.0 * step)
    };
    let random = |node: u32, len: usize| widen(&normal(seed + 77, node, len));
    let inputs: Vec<_> = (0..3).map(|i| Point { input: random(i, point.input.len()), ..Point::default() }).collect();
    let earlier = Point { earlier: random(3, point.earlier.len()), ..Point::default() };
    // One parameter at a time, and those without influence too.
    let parameters = point.parameters.iter().map(|(&name, numbers)| Point {
        parameters: [(name, random(name.0 + 10, numbers.len()))].into(),
        ..Point::default()
    });
    let inputs: Vec<_> = inputs.into_iter().map(|direction| (slope(&direction), direction)).collect();
    let others = core::iter::once(earlier).chain(parameters);
    let others: Vec<_> = others.map(|direction| (slope(&direction), direction)).collect();
    for backend in Backend::available() {
        let place = format!("{name}, seed {seed}, {}", backend.name());
        let check_values = |output: &[f32]| {
            for (i, (ours, theirs)) in output.iter().zip(&expected).enumerate() {
                let error = (f64::from(*ours) - theirs).abs();
                assert!(error <= 2e-4 * scale, "{place}: output {i} is {ours}, not {theirs}");
            }
        };
        let check_slope = |gradient: &Point, (slope, direction): &(f64, Point)| {
            let (ours, allowed) = (gradient.along(direction), 1e-3 * (1.0 + gradient.length()));
            let what: Vec<_> = direction.parameters.keys().collect();
            assert!((ours - slope).abs() <= allowed, "{place}, {what:?}: {ours}, not {slope} (allowed {allowed})");
        };
        let (output, gradient) = run(block, &tensors, backend);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let again = run_forward(block, &tensors, backend);
        assert_eq!(bits(&again), bits(&output), "{place}: repeated steps");
        check_values(&output);
        inputs.iter().for_each(|direction| check_slope(&gradient, direction));
        #[cfg(feature = "gradients")]
        {
            let (output, gradient) = run_through(block, &tensors, backend);
            check_values(&output);
            inputs.iter().chain(&others).for_each(|direction| check_slope(&gradient, direction));
        }
    }
}

/// A block with a node for `x`, closed. The feature before `x` has twice its rows and columns.
fn build(input: Shape, describe: impl FnOnce(&mut Block, NodeId) -> Result<NodeId, crate::Error>) -> Block {
    let mut block = Block::new(0, input);
    block.restart(2, input, Some(Shape { height: 2 * input.height, width: 2 * input.width, ..input }));
    let x = block.input();
    let output = describe(&mut block, x).unwrap();
    block.set_output(output).unwrap();
    block.seal().unwrap();
    block
}

const EPSILON: f64 = 1e-5;

#[test]
fn every_prologue_and_every_alias() {
    let shape = Shape::new(2, 6, 4, 4).unwrap();
    let conv = Convolution::same(4, 3, 1);
    let cases: Vec<(&str, Block)> = vec![
        ("input", build(shape, |_, x| Ok(x))),
        ("zero", build(shape, |b, x| b.zero(x))),
        (
            "rectifier of zero",
            build(shape, |b, x| {
                let z = b.zero(x)?;
                b.relu(z)
            }),
        ),
        ("sum with itself", build(shape, |b, x| b.add(&[x, x, x]))),
        (
            "rectified twice",
            build(shape, |b, x| {
                let y = b.relu(x)?;
                let y = b.relu(y)?;
                b.add(&[y, x])
            }),
        ),
        ("normalised input", build(shape, |b, x| b.batch_norm(x, EPSILON, 1))),
        (
            "normalised twice",
            build(shape, |b, x| {
                let y = b.batch_norm(x, EPSILON, 1)?;
                b.batch_norm(y, EPSILON, 2)
            }),
        ),
        (
            "normalised rectifier",
            build(shape, |b, x| {
                let y = b.relu(x)?;
                b.batch_norm(y, EPSILON, 1)
            }),
        ),
        ("convolution as output", build(shape, |b, x| b.convolution(x, conv, 1))),
        (
            "convolution read twice",
            build(shape, |b, x| {
                let y = b.convolution(x, conv, 1)?;
                let z = b.batch_norm(y, EPSILON, 2)?;
                let r = b.relu(z)?;
                b.add(&[y, r])
            }),
        ),
        (
            "merged convolutions",
            build(shape, |b, x| {
                let r = b.relu(x)?;
                let [y, z, w] = [1, 2, 3].map(|key| b.convolution(r, conv, key));
                let (y, z) = (b.batch_norm(y?, EPSILON, 4)?, b.batch_norm(z?, EPSILON, 5)?);
                let s = b.add(&[y, z])?;
                b.add(&[s, w?, x])
            }),
        ),
        (
            "absorbed sum",
            build(shape, |b, x| {
                let y = b.convolution(x, conv, 1)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                let s = b.add(&[x, y])?;
                b.relu(s)
            }),
        ),
        (
            "sum read by rectifier and sum",
            build(shape, |b, x| {
                let y = b.convolution(x, conv, 1)?;
                let s = b.add(&[x, y])?;
                let r = b.relu(s)?;
                b.add(&[r, s])
            }),
        ),
        (
            "identity chain",
            build(shape, |b, x| {
                let i = b.push(Op::Identity, &[x], 0)?;
                let r = b.relu(i)?;
                let i = b.push(Op::Identity, &[r], 0)?;
                b.convolution(i, conv, 1)
            }),
        ),
        (
            "convolution of zeros with bias",
            build(shape, |b, x| {
                let z = b.zero(x)?;
                let y = b.convolution(z, Convolution { bias: true, ..conv }, 1)?;
                b.add(&[x, y])
            }),
        ),
        (
            "normalised zeros with a shift",
            build(shape, |b, x| {
                let z = b.zero(x)?;
                let y = b.convolution(z, conv, 1)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                b.add(&[x, y])
            }),
        ),
        (
            "concatenation",
            build(shape, |b, x| {
                let r = b.relu(x)?;
                let y = b.convolution(r, Convolution::same(3, 1, 1), 1)?;
                let c = b.concat(&[r, y, x])?;
                let c = b.batch_norm(c, EPSILON, 2)?;
                b.convolution(c, Convolution::same(5, 3, 1), 3)
            }),
        ),
        (
            "slices of channels and of positions",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(7, 1, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 1)?;
                let y = b.relu(y)?;
                // What is cut off has a reader of its own, and one part has two.
                let part = b.slice(y, Slice::of_channels(2, 4))?;
                let sum = b.add(&[part, x])?;
                let r = b.relu(sum)?;
                let even = b.slice(r, Slice::of_positions(4, 0))?;
                let odd = b.slice(r, Slice::of_positions(3, 1))?;
                let even = b.convolution(even, Convolution::same(2, 1, 1), 2)?;
                let odd = b.convolution(odd, Convolution::same(3, 1, 1), 3)?;
                let c = b.concat(&[even, odd])?;
                let c = b.batch_norm(c, EPSILON, 4)?;
                let z = b.zero(x)?;
                let z = b.slice(z, Slice::of_positions(4, 0))?;
                let rest = b.average_pool(y, Window::new(2, 2, 0)?)?;
                b.concat(&[c, z, rest])
            }),
        ),
        (
            "pads, positions and group normalisations of prologues",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(6, 3, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                let y = b.relu(y)?;
                let p = b.pad(y, Pad { before: [0, 1], behind: [2, 0] })?;
                let unpadded = Convolution { kernel: [3, 2], padding: [0; 2], ..Convolution::same(6, 3, 1) };
                let p = b.convolution(p, unpadded, 3)?;
                let q = b.positions(y, 4)?;
                let g = b.group_norm(y, 3, EPSILON, 5)?;
                let h = b.group_norm(q, 6, EPSILON, 6)?;
                let z = b.zero(y)?;
                let z = b.positions(z, 7)?;
                let z = b.group_norm(z, 2, EPSILON, 8)?;
                b.add(&[p, q, g, h, z])
            }),
        ),
        (
            "maxima of windows of all sides",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(6, 3, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                let y = b.relu(y)?;
                let side = |kernel, stride, before, behind| Side { kernel, stride, before, behind };
                let window = Window::of_sides([side(3, 2, 0, 1), side(2, 3, 1, 2)])?;
                let (m, a) = (b.max_pool(y, window)?, b.average_pool(y, window)?);
                let both = b.concat(&[m, a])?;
                let z = b.zero(both)?;
                let z = b.global_max_pool(z)?;
                let top = b.global_max_pool(both)?;
                let gate = b.add(&[top, z])?;
                b.product(both, gate)
            }),
        ),
        (
            "scales of a linear map, of a prologue and of the input",
            build(shape, |b, x| {
                let scaled = b.scale(x, 1)?;
                let y = b.convolution(scaled, Convolution::same(6, 3, 1), 2)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                let y = b.relu(y)?;
                let gate = b.scale(y, 3)?;
                let z = b.push(Op::Linear(Linear { channels: 6 }), &[y], 4)?;
                let z = b.scale(z, 4)?;
                b.add(&[z, gate, y])
            }),
        ),
        (
            "shuffles of halves, of prologues and of a shuffle",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(6, 3, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 1)?;
                let y = b.relu(y)?;
                let [left, right] = [0, 3].map(|first| Slice::of_channels(first, 3));
                let left = b.slice(y, left)?;
                let right = b.slice(y, right)?;
                let right = b.convolution(right, Convolution::same(3, 3, 1), 2)?;
                let right = b.batch_norm(right, EPSILON, 2)?;
                let right = b.relu(right)?;
                let joined = b.concat(&[left, right])?;
                let once = b.shuffle(joined, 2)?;
                let twice = b.shuffle(once, 3)?;
                let other = b.shuffle(y, 3)?;
                b.add(&[once, twice, other, y])
            }),
        ),
        (
            "products of maps, of prologues, of itself and by one number a channel",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(6, 3, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 1)?;
                let y = b.relu(y)?;
                let pooled = b.global_pool(y)?;
                let squeezed = b.push(Op::Linear(Linear { channels: 3 }), &[pooled], 2)?;
                let squeezed = b.relu(squeezed)?;
                let excited = b.push(Op::Linear(Linear { channels: 6 }), &[squeezed], 3)?;
                let excited = b.push(Op::Activation(Activation::Sigmoid), &[excited], 0)?;
                let scaled = b.product(y, excited)?;
                let z = b.convolution(scaled, Convolution::same(6, 1, 1), 4)?;
                let z = b.batch_norm(z, EPSILON, 4)?;
                let gated = b.product(z, y)?;
                let square = b.product(gated, gated)?;
                b.add(&[square, scaled, y])
            }),
        ),
        (
            "pools",
            build(shape, |b, x| {
                let y = b.max_pool(x, Window::new(3, 1, 1)?)?;
                let z = b.average_pool(y, Window::new(3, 1, 1)?)?;
                let s = b.add(&[y, z])?;
                b.average_pool(s, Window::new(2, 2, 0)?)
            }),
        ),
        (
            "activations of prologues, of zeros and of each other",
            build(shape, |b, x| {
                let n = b.batch_norm(x, EPSILON, 1)?;
                let r = b.relu(n)?;
                let z = b.zero(x)?;
                let mut terms = vec![x];
                for (function, read) in activation::ALL.into_iter().zip([n, r, z, x, n, r, z].into_iter().cycle()) {
                    let y = b.activation(read, function)?;
                    let y = b.activation(y, Activation::Sigmoid)?;
                    terms.push(b.convolution(y, Convolution::same(4, 1, 1), 10 + terms.len() as u32)?);
                }
                let first = b.add(&terms[..5])?;
                let rest = b.add(&terms[5..])?;
                b.add(&[first, rest])
            }),
        ),
        (
            "head",
            build(Shape::new(3, 1, 1, 6).unwrap(), |b, x| {
                let r = b.relu(x)?;
                let p = b.global_pool(r)?;
                let y = b.linear(p, 5, 1)?;
                let r = b.relu(y)?;
                b.linear(r, 4, 2)
            }),
        ),
        (
            "strided residual",
            build(shape, |b, x| {
                let y = b.convolution(x, Convolution::same(12, 1, 1), 1)?;
                let y = b.batch_norm(y, EPSILON, 1)?;
                let y = b.relu(y)?;
                let y = b.convolution(y, Convolution::depthwise(12, 3, 2), 2)?;
                let y = b.batch_norm(y, EPSILON, 2)?;
                let y = b.relu(y)?;
                let y = b.convolution(y, Convolution::same(6, 1, 1), 3)?;
                let y = b.batch_norm(y, EPSILON, 3)?;
                let s = b.convolution(x, Convolution { bias: true, ..Convolution::same(6, 1, 2) }, 4)?;
                let s = b.batch_norm(s, EPSILON, 4)?;
                let s = b.add(&[y, s])?;
                b.relu(s)
            }),
        ),
        (
            "the feature before last",
            build(shape, |b, x| {
                let early = b.earlier()?;
                let r = b.relu(early)?;
                let y = b.convolution(r, Convolution::same(4, 1, 2), 1)?;
                let y = b.batch_norm(y, EPSILON, 1)?;
                let z = b.average_pool(early, Window::new(2, 2, 0)?)?;
                let r = b.relu(x)?;
                let w = b.convolution(r, conv, 2)?;
                let w = b.batch_norm(w, EPSILON, 2)?;
                let s = b.add(&[y, w])?;
                b.concat(&[s, z, y])
            }),
        ),
        (
            "nothing but the feature before last",
            build(shape, |b, x| {
                let [early, again] = [b.earlier()?, b.earlier()?];
                let y = b.max_pool(early, Window::new(2, 2, 0)?)?;
                let z = b.average_pool(again, Window::new(2, 2, 0)?)?;
                let zero = b.zero(x)?;
                b.add(&[y, z, zero])
            }),
        ),
    ];
    for (name, block) in &cases {
        check(block, 5, name);
    }
}

#[test]
fn transformers() {
    let tokens = Shape::new(2, 7, 1, 5).unwrap();
    let attention = Attention { heads: 2, grid: [2, 3], reach: 1 };
    let cases: Vec<(&str, Block)> = vec![
        (
            "attention",
            build(tokens, |b, x| {
                let y = b.layer_norm(x, EPSILON, 1)?;
                let y = b.linear(y, 24, 2)?;
                let y = b.attention(y, attention, 3)?;
                let y = b.linear(y, 5, 4)?;
                b.add(&[x, y])
            }),
        ),
        (
            "attention without positions",
            build(tokens, |b, x| {
                let y = b.linear(x, 24, 2)?;
                let y = b.attention(y, Attention::plain(4), 3)?;
                let y = b.linear(y, 5, 4)?;
                b.add(&[x, y])
            }),
        ),
        (
            "attention over the positions of a map",
            build(Shape::new(2, 2, 3, 5).unwrap(), |b, x| {
                let y = b.positions(x, 1)?;
                let y = b.linear(y, 12, 2)?;
                let y = b.attention(y, Attention::plain(2), 3)?;
                let y = b.linear(y, 5, 4)?;
                b.add(&[x, y])
            }),
        ),
        (
            "perceptron",
            build(tokens, |b, x| {
                let y = b.layer_norm(x, EPSILON, 1)?;
                let y = b.linear(y, 17, 2)?;
                let y = b.activation(y, Activation::Gelu)?;
                let y = b.linear(y, 5, 3)?;
                b.add(&[x, y])
            }),
        ),
        (
            "embedding",
            // A map shrinks to one position by a whole factor, as blocks have to.
            build(Shape::new(2, 6, 6, 3).unwrap(), |b, x| {
                let patches =
                    Convolution { stride: [2; 2], padding: [0; 2], bias: true, ..Convolution::same(24, 2, 1) };
                let y = b.convolution(x, patches, 1)?;
                let y = b.tokens(y, 2)?;
                let y = b.attention(y, Attention { grid: [3, 3], ..attention }, 3)?;
                b.token_pool(y)
            }),
        ),
        (
            // Every op reads what elsewhere is a prologue, and some values twice.
            "on rectifiers, normalisations and zeros",
            build(Shape::new(2, 3, 3, 6).unwrap(), |b, x| {
                let n = b.batch_norm(x, EPSILON, 1)?;
                let r = b.relu(n)?;
                let l = b.layer_norm(r, EPSILON, 2)?;
                let g = b.activation(r, Activation::Gelu)?;
                let m = b.linear(n, 6, 3)?;
                let zero = b.zero(x)?;
                let z = b.layer_norm(zero, EPSILON, 4)?;
                let h = b.activation(zero, Activation::Gelu)?;
                let s = b.add(&[l, g, m, z, h, n])?;
                let s = b.activation(s, Activation::Gelu)?;
                let t = b.tokens(s, 5)?;
                let a = b.attention(t, Attention { heads: 1, grid: [3, 3], reach: 1 }, 6)?;
                let y = b.linear(t, 2, 7)?;
                let y = b.add(&[a, y])?;
                b.global_pool(y)
            }),
        ),
        (
            "attention over nothing but positions",
            build(Shape::new(1, 2, 2, 6).unwrap(), |b, x| {
                let zero = b.zero(x)?;
                let t = b.tokens(zero, 1)?;
                let u = b.tokens(x, 2)?;
                let sum = b.add(&[t, u, u])?;
                let y = b.attention(sum, Attention { grid: [2, 2], ..attention }, 3)?;
                b.global_pool(y)
            }),
        ),
    ];
    for (name, block) in &cases {
        check(block, 5, name);
    }
}

/// Channels that zeros have made constant are divided by its root, and so is what rounding leaves of their gradients, which is
/// 0: that is not to grow from one normalisation to the next.
const LARGE_EPSILON: f64 = 0.1;

/// A window that keeps the shape of a map, with sides of its own.
fn random_window(rng: &mut Generator) -> Window {
    let sides = [0, 1].map(|_| {
        let [before, behind] = [[1, 1], [0, 2], [0, 0]][below(rng, 3) as usize];
        Side { kernel: before + behind + 1, stride: 1, before, behind }
    });
    Window::of_sides(sides).unwrap()
}

/// A random block of some nodes: everything of one shape, so that anything can read anything.
fn random_block(rng: &mut Generator) -> Block {
    let shape = Shape::new(2, 4, 6, 4).unwrap();
    let mut block = Block::new(0, shape);
    block.restart(2, shape, Some(shape));
    let mut nodes = vec![block.input()];
    if below(rng, 2) == 0 {
        nodes.insert(0, block.earlier().unwrap());
    }
    for key in 1..=(4 + below(rng, 10) as u32) {
        // Recent nodes are read more often, so that blocks become deep.
        let pick = |rng: &mut Generator| {
            let back = below(rng, nodes.len().min(4) as u64) as usize;
            nodes[nodes.len() - 1 - back]
        };
        let x = pick(rng);
        let node = match below(rng, 16) {
            0 | 1 => block.relu(x),
            2 => block.batch_norm(x, LARGE_EPSILON, key),
            3 => block.convolution(x, Convolution::same(4, 3, 1), key),
            4 => block.convolution(x, Convolution { bias: true, groups: 2, ..Convolution::same(4, 3, 1) }, key),
            5 => block.convolution(x, Convolution::depthwise(4, 5, 1), key),
            6 => block.convolution(x, Convolution::same(4, 1, 1), key),
            7 => block.average_pool(x, random_window(rng)),
            8 => block.max_pool(x, random_window(rng)),
            9 => block.add(&[x, pick(rng), pick(rng)]),
            10 => block.activation(x, activation::ALL[below(rng, activation::ALL.len() as u64) as usize]),
            11 => block.push(if below(rng, 3) == 0 { Op::Zero } else { Op::Identity }, &[x], key),
            12 => block.positions(x, key),
            13 => block.group_norm(x, [1, 2, 4][below(rng, 3) as usize], LARGE_EPSILON, key),
            14 => {
                // What is added on the sides is taken away by a kernel without padding.
                let [top, left] = [0, 1].map(|_| below(rng, 3) as usize);
                let padded = block.pad(x, Pad { before: [top, left], behind: [2 - top, 2 - left] }).unwrap();
                block.convolution(padded, Convolution { padding: [0; 2], ..Convolution::same(4, 3, 1) }, key)
            }
            _ => {
                let both = [x, pick(rng)];
                let wide = block.concat(&both).unwrap();
                block.convolution(wide, Convolution::same(4, 1, 1), key)
            }
        };
        // Normalisation keeps depth from blowing values up.
        let node = block.batch_norm(node.unwrap(), LARGE_EPSILON, key + 100).unwrap();
        nodes.push(node);
    }
    let last = nodes[nodes.len() - 1];
    let output = block.add(&[last, nodes[nodes.len() / 2]]).unwrap();
    block.set_output(output).unwrap();
    block.seal().unwrap();
    assert!(block.nodes().len() <= MAX_NODES);
    block
}

#[test]
fn random_blocks() {
    let mut rng = generator(11);
    for seed in 0..40 {
        check(&random_block(&mut rng), seed, "random block");
    }
}

/// The weights that a linear map of a token of `inputs` channels draws for itself, a row an output.
fn drawn_rows(inputs: usize, outputs: usize, draw: Draw) -> Vec<Vec<f32>> {
    let block = build(Shape::new(1, 1, 1, inputs).unwrap(), |b, x| {
        let y = b.linear(x, outputs, 3)?;
        b.set_draw(y, draw)?;
        Ok(y)
    });
    let (planned, mut memory) = (Planned::of_score(&block, &Random, Backend::default()), Memory::new());
    let (runner, mut workspace) = (planned.runner(), planned.workspace(&mut memory));
    runner.draw_weights(block.output(), &mut workspace.loans());
    let weights = runner.parameters(block.output(), &mut workspace.loans());
    weights[..inputs * outputs].chunks(inputs).map(<[f32]>::to_vec).collect()
}

#[test]
fn smaller_parameters_are_the_leading_part_of_larger_ones() {
    let distribution = Distribution::Normal { deviation: 0.02 };
    let plain = Draw { distribution, bias: true, interleave: 1, salt: 0 };
    let whole = drawn_rows(40, 24, plain);
    assert!(whole.iter().enumerate().all(|(i, row)| whole[..i].iter().all(|other| other != row)), "rows differ");
    let part = drawn_rows(17, 9, plain);
    for (row, whole) in part.iter().zip(&whole) {
        assert_eq!(row[..], whole[..17]);
    }
    // Rows 0, 3, 6 are the queries of a candidate with three of them, 1, 4, 7 its keys, 2, 5, 8 its values.
    let taken = drawn_rows(17, 9, Draw { interleave: 3, ..plain });
    assert_eq!(taken, [0, 3, 6, 1, 4, 7, 2, 5, 8].map(|row: usize| part[row].clone()));
    assert_ne!(drawn_rows(17, 9, Draw { salt: 1, ..plain })[0], part[0]);
}
