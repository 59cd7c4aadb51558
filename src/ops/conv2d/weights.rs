//! The gradient with respect to the weights.
//!
//! That of one weight is a sum over all positions of the output, `Σ gradient[position, output channel] · input[tap +
//! position · stride, input channel]`. Positions are taken in bands whose two operands, loaded through what stands
//! before them, fit the second-level cache. The products of a band are summed in registers, the bands one after the
//! other: a sum of short sums errs less than a long one. Where there are many channels, some of each side are taken at
//! a time, so that the sums of these stay in the second-level cache as well.

mod beside;
mod depthwise;
mod direct;
#[cfg(test)]
mod tests;
mod winograd;

use super::Algorithm;
use super::grid::{Grid, Source};
use super::pass::Pass;
use super::window::{Part, Window};
use super::winograd::TILE;
use crate::simd::{Backend, Kernel, MAX_LANES, Simd, transpose};
use crate::tensor::prefetch::Prefetch;
use crate::tensor::{Gradient, Load, Value};
use core::ops::Range;

/// Numbers that are aimed at for each operand of a band.
const AIM: usize = 32 * 1024;

/// The most channels of the input, and of the gradient, that are taken together; of a depthwise convolution the channels.
const CHANNELS: [usize; 2] = [128, 192];
const DEPTHWISE_CHANNELS: usize = 64;

/// Numbers behind an operand that may be read (and are not used): whole vectors, whole tiles.
const SLACK: usize = MAX_LANES;

/// How the products are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Direct,
    Depthwise,
    Winograd,
}

/// The sum, and how it is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pass: Pass,
    method: Method,
    /// Channels of the input and of the gradient in a block, most blocks at least.
    channels: [usize; 2],
    /// Images, and output rows of each, in a band.
    images: usize,
    rows: usize,
}

impl Weights {
    /// Of the convolution whose forward pass is `pass`.
    pub(super) fn new(pass: &Pass, algorithm: Algorithm) -> Self {
        let all = [pass.all_source_channels(), pass.all_output_channels()];
        let method = if pass.is_depthwise() {
            Method::Depthwise
        } else if algorithm != Algorithm::Direct && super::winograd::applies(pass) {
            Method::Winograd
        } else {
            Method::Direct
        };
        let channels = match method {
            Method::Depthwise => [pass.groups.min(DEPTHWISE_CHANNELS); 2],
            _ if pass.groups > 1 => all,
            _ => [0, 1].map(|side| even(all[side], CHANNELS[side])),
        };
        let outputs = pass.axes[0].outputs;
        let weights = Self { pass: *pass, method, channels, images: 1, rows: outputs };
        // Of few channels no more positions than of 16: the longer a sum in single precision, the more it errs.
        let size = |rows: usize| {
            let channels = channels.map(|channels| channels.max(MAX_LANES));
            let weights = Self { rows, channels, ..weights };
            weights.input_len().max(weights.gradient_len())
        };
        let whole = size(outputs);
        if whole <= AIM {
            return Self { images: (AIM / whole).clamp(1, pass.batch), ..weights };
        }
        // Sizes grow by the same for every further step of rows.
        let step = weights.step();
        let (one, growth) = (size(step), size(2 * step) - size(step));
        let steps = 1 + AIM.saturating_sub(one) / growth.max(1);
        Self { rows: (steps * step).min(outputs), ..weights }
    }

    /// Numbers of scratch: the operands of a band, and what the method needs besides.
    pub(super) fn scratch_len(&self, backend: Backend) -> usize {
        let operands = self.input_len() + self.gradient_len();
        let sums = match self.method {
            Method::Direct => 0,
            Method::Depthwise => self.pass.taps() * self.pitches()[0],
            Method::Winograd => self.layout(backend, self.channels).scratch_len(),
        };
        // All of it makes way when the weights are put in their order.
        (operands + sums).max(self.turned_len())
    }

    /// Numbers in the kernels of an output channel.
    fn kernels_len(&self) -> usize {
        self.pass.taps() * self.pass.source_channels
    }

    /// The same in whole squares of vectors of taps.
    fn turned_len(&self) -> usize {
        self.pass.taps().next_multiple_of(MAX_LANES) * self.pass.source_channels
    }

    /// Rows and columns of outputs are taken by as many.
    fn step(&self) -> usize {
        if self.method == Method::Winograd { TILE } else { 1 }
    }

    /// Rows and columns that are loaded of the gradient for some output rows, beyond its end too.
    fn extents(&self, rows: usize) -> [usize; 2] {
        [rows, self.pass.axes[1].outputs].map(|extent| extent.next_multiple_of(self.step()))
    }

    /// How transforms lie in memory if the method has some, with so many channels of the input and of the gradient.
    fn layout(&self, backend: Backend, channels: [usize; 2]) -> winograd::Layout {
        let tiles = self.pass.axes.map(|axis| axis.outputs.div_ceil(TILE));
        winograd::Layout::new(backend, channels, self.pass.batch * tiles[0] * tiles[1])
    }

    /// Numbers from one loaded position of the input, and of the gradient, to the next.
    fn pitches(&self) -> [usize; 2] {
        match self.method {
            Method::Depthwise => self.channels.map(|channels| channels.next_multiple_of(MAX_LANES)),
            Method::Direct | Method::Winograd => self.channels,
        }
    }

    /// Numbers in a band of the input.
    fn input_len(&self) -> usize {
        let [rows, columns] = self.window(0, self.rows).map(|range| range.len());
        (self.images * rows * columns * self.pitches()[0] + SLACK).next_multiple_of(MAX_LANES)
    }

    /// Numbers in a band of the gradient.
    fn gradient_len(&self) -> usize {
        let [rows, columns] = self.extents(self.rows);
        (self.images * rows * columns * self.pitches()[1] + SLACK).next_multiple_of(MAX_LANES)
    }

    /// Rows and columns of the input that some output rows read, padding included.
    fn window(&self, row: usize, rows: usize) -> [Range<isize>; 2] {
        let [vertical, horizontal] = self.pass.axes;
        let [rows, columns] = self.extents(rows);
        [vertical.window(row, rows), horizontal.window(0, columns)]
    }

    /// Writes the gradient to `out`. The channels of `gradients` side by side are the output channels.
    pub(super) fn run(
        &self,
        backend: Backend,
        input: &Value<'_>,
        gradients: &[Gradient<'_>],
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        if self.method == Method::Direct {
            out.fill(0.0);
        }
        for [inputs, outputs] in self.blocks() {
            let (loaded_input, rest) = scratch.split_at_mut(self.input_len());
            let (loaded_gradient, rest) = rest.split_at_mut(self.gradient_len());
            let mut sums = match self.method {
                Method::Direct => Sums::Direct,
                Method::Depthwise => {
                    let sums = &mut rest[..self.pass.taps() * self.pitches()[0]];
                    sums.fill(0.0);
                    Sums::Depthwise(sums)
                }
                Method::Winograd => {
                    let layout = self.layout(backend, [inputs.len(), outputs.len()]);
                    Sums::Winograd(winograd::Sums::new(layout, rest))
                }
            };
            let parts = |band: &Band| (self.input(input, &inputs, band), self.gradient(gradients, &outputs, band));
            let mut bands = self.bands();
            let mut next = bands.next();
            while let Some(band) = next {
                next = bands.next();
                let (input, gradient) = parts(&band);
                let [input_pitch, gradient_pitch] = self.pitches();
                let input = load(backend, input, input_pitch, loaded_input);
                let gradient = load(backend, gradient, gradient_pitch, loaded_gradient);
                let mut prefetch = Prefetch::new();
                if let Some(next) = &next {
                    let (input, gradient) = parts(next);
                    input.prefetch(&mut prefetch);
                    gradient.prefetch(&mut prefetch);
                }
                let operands = self.operands(&band, input, gradient, &mut prefetch);
                match &mut sums {
                    Sums::Direct => direct::run(backend, &self.pass, [&inputs, &outputs], operands, out),
                    Sums::Depthwise(sums) => depthwise::run(backend, inputs.len(), operands, sums),
                    Sums::Winograd(sums) => sums.add(backend, operands),
                }
            }
            match sums {
                Sums::Direct => {}
                Sums::Depthwise(sums) => depthwise::finish(inputs, self.pitches()[0], sums, out),
                Sums::Winograd(sums) => {
                    let (row, tap) = (self.kernels_len(), self.pass.source_channels);
                    sums.finish(backend, &mut out[outputs.start * row + inputs.start..], row, tap);
                }
            }
        }
        self.order(backend, out, scratch);
    }

    /// Puts the weights in their order.
    fn order(&self, backend: Backend, out: &mut [f32], scratch: &mut [f32]) {
        let (taps, channels) = (self.pass.taps(), self.pass.source_channels);
        if self.method != Method::Depthwise && taps > 1 && channels > 1 {
            backend.run(Order { weights: out, taps, channels, kernels: &mut scratch[..self.turned_len()] });
        }
    }

    /// Channels of the input and of the gradient that are taken together.
    fn blocks(&self) -> impl Iterator<Item = [Range<usize>; 2]> {
        let Self { pass, method, channels: [inputs, outputs], .. } = *self;
        let slices = |all: Range<usize>, most: usize| {
            all.clone().step_by(most).map(move |first| first..all.end.min(first + most))
        };
        slices(0..pass.all_source_channels(), inputs).flat_map(move |inputs| {
            // Those of a depthwise convolution are the same.
            let all = if method == Method::Depthwise { inputs.clone() } else { 0..pass.all_output_channels() };
            slices(all, outputs).map(move |outputs| [inputs.clone(), outputs])
        })
    }

    /// The bands in their order.
    fn bands(&self) -> impl Iterator<Item = Band> {
        let (batch, outputs, images, rows) = (self.pass.batch, self.pass.axes[0].outputs, self.images, self.rows);
        (0..batch).step_by(images).flat_map(move |image| {
            (0..outputs).step_by(rows).map(move |row| Band {
                images: image..batch.min(image + images),
                row,
                rows: rows.min(outputs - row),
            })
        })
    }

    /// What a band reads of the input.
    fn input<'s, 'v>(&self, input: &'s Value<'v>, channels: &Range<usize>, band: &Band) -> Part<'s, Value<'v>> {
        let [rows, columns] = self.window(band.row, band.rows);
        Part {
            sources: core::slice::from_ref(input),
            channels: channels.clone(),
            extents: self.pass.axes.map(|axis| axis.sources),
            images: band.images.clone(),
            rows,
            columns,
        }
    }

    /// What a band reads of the gradient.
    fn gradient<'s, 'g>(
        &self,
        gradients: &'s [Gradient<'g>],
        channels: &Range<usize>,
        band: &Band,
    ) -> Part<'s, Gradient<'g>> {
        let [rows, columns] = self.extents(band.rows).map(|extent| extent as isize);
        let row = band.row as isize;
        Part {
            sources: gradients,
            channels: channels.clone(),
            extents: self.pass.axes.map(|axis| axis.outputs),
            images: band.images.clone(),
            rows: row..row + rows,
            columns: 0..columns,
        }
    }

    /// What a band multiplies, position by position or tile by tile.
    fn operands<'a>(
        &self,
        band: &Band,
        input: Source<'a>,
        gradient: Source<'a>,
        prefetch: &'a mut Prefetch,
    ) -> Operands<'a> {
        let [vertical, horizontal] = self.pass.axes.map(|axis| axis.phase(0));
        let step = self.step();
        let apart = |steps: [usize; 3]| [steps[0], step * steps[1], step * steps[2]];
        let [image, row, position] = input.steps;
        let grid = Grid {
            extents: [band.images.len(), band.rows.div_ceil(step), self.pass.axes[1].outputs.div_ceil(step)],
            source: 0,
            source_steps: apart([image, vertical.stride * row, horizontal.stride * position]),
            output: 0,
            output_steps: apart(gradient.steps),
        };
        Operands {
            input: input.data,
            gradient: gradient.data,
            steps: [input.steps, gradient.steps].map(|[_, row, position]| [row, position]),
            grid: grid.joined(),
            taps: [vertical.taps, horizontal.taps],
            tap_steps: [vertical.tap_step * row, horizontal.tap_step * position],
            prefetch,
        }
    }
}

/// The size of blocks that are about equal, whole vectors and not larger than `most`.
fn even(channels: usize, most: usize) -> usize {
    let blocks = channels.div_ceil(most);
    channels.div_ceil(blocks).next_multiple_of(MAX_LANES).min(channels)
}

/// Loads a part, `pitch` numbers a position.
fn load<'s, L: Load>(backend: Backend, part: Part<'_, L>, pitch: usize, out: &'s mut [f32]) -> Source<'s> {
    let (rows, columns) = (part.rows.len(), part.columns.len());
    let len = part.images.len() * rows * columns * pitch;
    backend.run(Window { part, out: &mut out[..len], pitch });
    Source { data: out, steps: [rows * columns, columns, 1].map(|positions| positions * pitch) }
}

/// Puts weights in the order output channel, tap, input channel into that of a convolution's, output channel, input channel,
/// tap.
struct Order<'a> {
    weights: &'a mut [f32],
    taps: usize,
    channels: usize,
    /// A copy of those of an output channel, whole squares of vectors.
    kernels: &'a mut [f32],
}

impl Kernel for Order<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { weights, taps, channels, kernels } = self;
        for weights in weights.chunks_exact_mut(taps * channels) {
            kernels[..taps * channels].copy_from_slice(weights);
            for first in (0..taps).step_by(S::LANES) {
                let count = S::LANES.min(taps - first);
                transpose::columns(
                    simd,
                    &kernels[first * channels..],
                    channels,
                    [S::LANES, channels],
                    #[inline(always)]
                    |channel, taps_of_channel| {
                        simd.store_partial(taps_of_channel, &mut weights[channel * taps + first..][..count]);
                    },
                );
            }
        }
    }
}

/// Output rows of some images.
struct Band {
    images: Range<usize>,
    row: usize,
    rows: usize,
}

/// What a band multiplies.
struct Operands<'a> {
    input: &'a [f32],
    gradient: &'a [f32],
    /// Numbers from one row and position of the input, and of the gradient, to the next.
    steps: [[usize; 2]; 2],
    /// Positions or tiles: in the source, where the first tap reads; in the output, where the gradient is.
    grid: Grid,
    /// Rows and columns of a kernel, and numbers of the input from one to the next.
    taps: [usize; 2],
    tap_steps: [usize; 2],
    prefetch: &'a mut Prefetch,
}

/// Where the sums over bands are.
enum Sums<'a> {
    /// With the weights.
    Direct,
    Depthwise(&'a mut [f32]),
    Winograd(winograd::Sums<'a>),
}
