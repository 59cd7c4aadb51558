//! Depthwise convolution: every channel by itself, vectors of neighbouring channels side by side.

use super::blocks::Width;
use super::grid::{Grid, Source};
use super::pass::Pass;
use crate::simd::convolution::{self, Taps};
use crate::simd::{Backend, Kernel, MAX_LANES, Simd};
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Channels of a source row are filled up to a multiple of this, whole vectors of every back end.
pub(super) const PADDED: usize = MAX_LANES;

/// Numbers in the packed weights of a pass.
pub(super) fn packed_len(backend: Backend, pass: &Pass) -> usize {
    pass.taps() * pass.groups.next_multiple_of(Width::of(backend).lanes)
}

/// Packs weights in the order in which they are used: phase, vector of channels, tap; the last vector is filled with
/// zeros.
pub(super) fn pack(backend: Backend, pass: &Pass, weights: &[f32], packed: &mut [f32]) {
    let lanes = Width::of(backend).lanes;
    let mut vectors = packed.chunks_exact_mut(lanes);
    for phases in pass.phases() {
        for first in (0..pass.groups).step_by(lanes) {
            for row in 0..phases[0].taps {
                for column in 0..phases[1].taps {
                    let tap = pass.tap(&phases, [row, column]);
                    for (lane, number) in vectors.next().unwrap_or_default().iter_mut().enumerate() {
                        let channel = first + lane;
                        *number = match channel < pass.groups {
                            true => weights[pass.kernels(channel).0 + tap],
                            false => 0.0,
                        };
                    }
                }
            }
        }
    }
}

/// Computes some channels, from a whole vector on, of the pixels of one phase of a band. The source and the output start
/// with the first of them. Returns the weights of the next phase.
pub(super) fn run<'a>(
    backend: Backend,
    pass: &Pass,
    channels: Range<usize>,
    source: Source<'_>,
    grid: Grid,
    taps: Taps,
    packed: &'a [f32],
    output: &mut [f32],
    bias: Option<&[f32]>,
    prefetch: &mut Prefetch,
) -> &'a [f32] {
    let lanes = Width::of(backend).lanes;
    let operands = taps.counts[0] * taps.counts[1];
    let (weights, rest) = packed.split_at(operands * pass.groups.next_multiple_of(lanes));
    let operands = Operands {
        source: source.data,
        taps: Taps { length: lanes, ..taps },
        weights: &weights[operands * channels.start..],
        bias: bias.map(|bias| &bias[channels.clone()]),
        channels: channels.len(),
    };
    backend.run(Channels { operands, grid, output, prefetch });
    rest
}

/// All channels of all pixels of a grid.
struct Channels<'a> {
    operands: Operands<'a>,
    grid: Grid,
    output: &'a mut [f32],
    prefetch: &'a mut Prefetch,
}

/// What the pixels are computed from.
struct Operands<'a> {
    source: &'a [f32],
    taps: Taps,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    channels: usize,
}

impl Kernel for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (grid, taps) = (&self.grid, &self.operands.taps);
        // What a row of pixels reads is kept in registers, if there are enough.
        let rows = S::REGISTERS >= 32
            && grid.extents[2] >= ROW
            && taps.steps[1] > 0
            && grid.source_steps[2].is_multiple_of(taps.steps[1]);
        match (taps.counts[1], grid.source_steps[2] / taps.steps[1].max(1)) {
            (2, 1) if rows => self.rows::<S, 2, 1, 8>(simd),
            (3, 1) if rows => self.rows::<S, 3, 1, 9>(simd),
            (4, 1) if rows => self.rows::<S, 4, 1, 10>(simd),
            (5, 1) if rows => self.rows::<S, 5, 1, 11>(simd),
            (7, 1) if rows => self.rows::<S, 7, 1, 13>(simd),
            (3, 2) if rows => self.rows::<S, 3, 2, 15>(simd),
            (5, 2) if rows => self.rows::<S, 5, 2, 17>(simd),
            (7, 2) if rows => self.rows::<S, 7, 2, 19>(simd),
            _ => self.pixels(simd),
        }
    }
}

/// Pixels of a row that are computed together: divides the widths of feature maps at 224 pixels.
const ROW: usize = 7;

impl Channels<'_> {
    /// Rows of pixels that share what they read. The last pixels of a row may be computed twice.
    #[inline(always)]
    fn rows<S: Simd, const K: usize, const STRIDE: usize, const N: usize>(self, simd: S) {
        let Grid { extents: [images, rows, columns], source_steps, output_steps, .. } = self.grid;
        for first in (0..self.operands.channels).step_by(S::LANES) {
            let channels = first..self.operands.channels.min(first + S::LANES);
            let (source, weights, initial) = self.operands.of(simd, &channels);
            for image in 0..images {
                for row in 0..rows {
                    for column in (0..columns).step_by(ROW) {
                        self.prefetch.advance(simd, ROW.min(columns - column) * channels.len());
                        let place = [image, row, column.min(columns - ROW)];
                        let offset = |start: usize, steps: &[usize; 3]| {
                            start + place.iter().zip(steps).map(|(place, step)| place * step).sum::<usize>()
                        };
                        let start = offset(self.grid.source, &source_steps);
                        let sums: [_; ROW] = convolution::depthwise_row::<S, ROW, K, STRIDE, N>(
                            simd,
                            source,
                            start,
                            &self.operands.taps,
                            weights,
                            initial,
                        );
                        let start = offset(self.grid.output, &output_steps);
                        for (pixel, sum) in sums.into_iter().enumerate() {
                            store(simd, sum, start + pixel * output_steps[2], &channels, self.output);
                        }
                    }
                }
            }
        }
    }

    /// Pixels one by one.
    #[inline(always)]
    fn pixels<S: Simd>(self, simd: S) {
        const PIXELS: usize = 8;
        for first in (0..self.operands.channels).step_by(S::LANES) {
            let channels = first..self.operands.channels.min(first + S::LANES);
            let (source, weights, initial) = self.operands.of(simd, &channels);
            let mut walk = self.grid.walk();
            while let Some(step) = walk.next::<PIXELS>() {
                self.prefetch.advance(simd, step.count * channels.len());
                let sums = convolution::depthwise(simd, source, step.sources, &self.operands.taps, weights, initial);
                for pixel in 0..PIXELS {
                    if pixel < step.count {
                        store(simd, sums[pixel], step.outputs[pixel], &channels, self.output);
                    }
                }
            }
        }
    }
}

impl Operands<'_> {
    /// The source, the weights and the bias of a vector of channels.
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, channels: &Range<usize>) -> (&[f32], &[f32], S::F32) {
        let source = self.source.get(channels.start..).unwrap_or_default();
        let weights = &self.weights[channels.start / S::LANES * self.taps.operands()..];
        let initial = match self.bias {
            Some(bias) => simd.load_partial(&bias[channels.clone()]),
            None => simd.splat(0.0),
        };
        (source, weights, initial)
    }
}

/// Writes a vector of channels of the pixel whose first channel is at `pixel`.
#[inline(always)]
fn store<S: Simd>(simd: S, sums: S::F32, pixel: usize, channels: &Range<usize>, output: &mut [f32]) {
    let output = &mut output[pixel + channels.start..];
    if channels.len() == S::LANES {
        simd.store(sums, output);
    } else {
        simd.store_partial(sums, &mut output[..channels.len()]);
    }
}
