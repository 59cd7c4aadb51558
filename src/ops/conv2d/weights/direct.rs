//! Every product is computed: for each row of taps a product of two tall matrices, gradient and input, in register tiles of output
//! channels × vectors of input channels. Where taps read neighbouring positions, their channels are one long row.

use super::Operands;
use crate::ops::conv2d::grid::Grid;
use crate::ops::conv2d::pass::Pass;
use crate::simd::tile::{self, Rows, Strided, Tile};
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::Part;
use core::ops::Range;

/// Positions after which memory is asked for.
const PIECE: usize = 64;

/// Adds the sums over a band to `out`, weights in the order output channel, tap, input channel.
pub(super) fn run(
    backend: Backend,
    pass: &Pass,
    [inputs, outputs]: [&Range<usize>; 2],
    operands: Operands<'_>,
    out: &mut [f32],
) {
    let taps = operands.taps;
    // What a tile multiplies lies side by side in the loaded input, and so do its sums if no channel is left out.
    let is_whole = pass.groups == 1 && inputs.len() == pass.source_channels;
    let runs = if is_whole && operands.tap_steps[1] == inputs.len() {
        Runs { count: 1, length: taps[1] * inputs.len() }
    } else {
        Runs { count: taps[1], length: inputs.len() / pass.groups }
    };
    let kernels = taps[0] * taps[1] * pass.source_channels;
    backend.run(Products {
        operands,
        runs,
        groups: pass.groups,
        outputs: outputs.len() / pass.groups,
        out: &mut out[outputs.start * kernels + inputs.start..],
        row: kernels,
        tap: pass.source_channels,
    });
}

/// What a row of taps reads at a position: runs of neighbouring numbers.
#[derive(Clone, Copy)]
struct Runs {
    count: usize,
    length: usize,
}

/// The products of a band.
struct Products<'a> {
    operands: Operands<'a>,
    runs: Runs,
    groups: usize,
    /// Output channels of a group.
    outputs: usize,
    out: &'a mut [f32],
    /// Weights from one output channel, and from one tap, to the next.
    row: usize,
    tap: usize,
}

/// Vectors of input channels, and the place of the sums of the first.
struct Columns<'a> {
    input: &'a [f32],
    first: usize,
    end: usize,
    place: usize,
}

impl Kernel for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if S::REGISTERS >= 32 { self.tiles::<S, 8, 3>(simd) } else { self.tiles::<S, 6, 2>(simd) }
    }
}

impl Products<'_> {
    /// All sums in tiles of `TALL` output channels and `WIDE` vectors, or of 8 and one.
    #[inline(always)]
    fn tiles<S: Simd, const TALL: usize, const WIDE: usize>(mut self, simd: S) {
        let Operands { input, taps, tap_steps, grid, .. } = self.operands;
        let vectors = self.runs.length.div_ceil(S::LANES);
        let blocks = vectors.div_ceil(WIDE);
        let tall = if vectors > 1 { TALL } else { 8 };
        let work = grid.pixels() * self.groups * taps[0] * self.runs.count * blocks * self.outputs.div_ceil(tall);
        self.operands.prefetch.spread(work);
        for group in 0..self.groups {
            for row in 0..taps[0] {
                for run in 0..self.runs.count {
                    let start = group * self.runs.length + row * tap_steps[0] + run * tap_steps[1];
                    let place = group * self.outputs * self.row + (row * taps[1] + run) * self.tap;
                    for block in 0..blocks {
                        let [first, next] = [block, block + 1].map(|block| block * vectors / blocks);
                        let (first, count) = (first * S::LANES, next - first);
                        let columns = Columns { input: &input[start + first..], first, end: self.runs.length, place };
                        match count {
                            1 => self.column::<S, 8, 1>(simd, group, &columns),
                            2 => self.column::<S, TALL, 2>(simd, group, &columns),
                            _ => self.column::<S, TALL, WIDE>(simd, group, &columns),
                        }
                    }
                }
            }
        }
    }

    /// The sums of some vectors with all output channels of a group.
    #[inline(always)]
    fn column<S: Simd, const TALL: usize, const WIDE: usize>(&mut self, simd: S, group: usize, columns: &Columns<'_>) {
        for output in (0..self.outputs).step_by(TALL) {
            let gradient = &self.operands.gradient[group * self.outputs + output..];
            let sums = self.sums::<S, TALL, WIDE>(simd, gradient, columns.input);
            // Rows and lanes behind the last channel hold what happens to lie there.
            for (row, sums) in sums.iter().enumerate().take(self.outputs - output) {
                let start = columns.place + (output + row) * self.row;
                let out = &mut self.out[start..start + columns.end];
                for (index, &sum) in sums.iter().enumerate() {
                    let first = columns.first + index * S::LANES;
                    let part = Part { first, whole: first + S::LANES <= columns.end };
                    part.write(simd, simd.add(part.read(simd, out), sum), out);
                }
            }
        }
    }

    /// The sums of a tile over all positions.
    #[inline(always)]
    fn sums<S: Simd, const TALL: usize, const WIDE: usize>(
        &mut self,
        simd: S,
        gradient: &[f32],
        input: &[f32],
    ) -> Tile<S, TALL, WIDE> {
        let Grid { extents: [images, rows, columns], source_steps, output_steps, .. } = self.operands.grid;
        let mut sums = tile::zero(simd);
        for image in 0..images {
            for row in 0..rows {
                for first in (0..columns).step_by(PIECE) {
                    let count = PIECE.min(columns - first);
                    self.operands.prefetch.advance(simd, count);
                    let place = |steps: &[usize; 3]| image * steps[0] + row * steps[1] + first * steps[2];
                    let left = Strided { data: &gradient[place(&output_steps)..], row: 1, step: output_steps[2] };
                    let right = Rows { data: &input[place(&source_steps)..], pitch: source_steps[2] };
                    sums = tile::accumulate(simd, sums, left, right, count);
                }
            }
        }
        sums
    }
}
