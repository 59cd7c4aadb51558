//! The sums of a depthwise convolution: every channel by itself, vectors of neighbouring channels side by side.

use super::Operands;
use crate::base::SMALL;
use crate::ops::conv2d::grid::Grid;
use crate::simd::rows::Rows;
use crate::simd::{Backend, Kernel, Simd, convolution};
use core::ops::Range;

/// Adds the sums over a band to `sums`: for each tap as many numbers as the operands have a position.
pub(super) fn run(backend: Backend, channels: usize, operands: Operands<'_>, sums: &mut [f32]) {
    backend.run(Channels { operands, channels, sums });
}

/// Copies the sums of some channels, `pitch` a tap, to their weights.
pub(super) fn finish(channels: Range<usize>, pitch: usize, sums: &[f32], out: &mut [f32]) {
    let taps = sums.len() / pitch;
    for (channel, kernel) in out[channels.start * taps..channels.end * taps].chunks_exact_mut(taps).enumerate() {
        for (weight, sums) in kernel.iter_mut().zip(sums.chunks_exact(pitch)) {
            *weight = sums[channel];
        }
    }
}

/// All channels of a band.
struct Channels<'a> {
    operands: Operands<'a>,
    channels: usize,
    sums: &'a mut [f32],
}

impl Kernel for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Few taps do not hide the latency of a multiply-add: then neighbouring positions are summed apart.
        match self.operands.taps[1] {
            3 if !SMALL => self.rows::<S, 3, 3>(simd),
            5 if !SMALL => self.rows::<S, 5, 2>(simd),
            7 if !SMALL => self.rows::<S, 7, 1>(simd),
            _ => self.rows::<S, 1, 8>(simd),
        }
    }
}

impl Channels<'_> {
    /// Rows of positions, `K` taps together.
    #[inline(always)]
    fn rows<S: Simd, const K: usize, const CHAINS: usize>(self, simd: S) {
        let Operands { input, gradient, grid, taps, tap_steps, prefetch, .. } = self.operands;
        let Grid { extents: [images, rows, columns], source_steps, output_steps, .. } = grid;
        let pitch = self.sums.len() / (taps[0] * taps[1]);
        prefetch.spread(grid.pixels() * self.channels.div_ceil(S::LANES));
        for first in (0..self.channels).step_by(S::LANES) {
            for image in 0..images {
                for row in 0..rows {
                    prefetch.advance(simd, columns);
                    let place = |steps: &[usize; 3]| image * steps[0] + row * steps[1] + first;
                    let gradient = Rows { data: &gradient[place(&output_steps)..], pitch: output_steps[2] };
                    let input = &input[place(&source_steps)..];
                    for tap_row in 0..taps[0] {
                        for tap in (0..taps[1]).step_by(K) {
                            let input = &input[tap_row * tap_steps[0] + tap * tap_steps[1]..];
                            let input = Rows { data: input, pitch: source_steps[2] };
                            let sums = &mut self.sums[(tap_row * taps[1] + tap) * pitch + first..];
                            convolution::depthwise_weights::<S, K, CHAINS>(
                                simd,
                                columns,
                                gradient,
                                input,
                                tap_steps[1],
                                sums,
                                pitch,
                            );
                        }
                    }
                }
            }
        }
    }
}
