//! Depthwise convolution: every channel by itself, vectors of neighbouring channels side by side.

use super::blocks::Width;
use super::grid::{Grid, Source};
use super::pass::Pass;
use crate::simd::convolution::{self, Taps};
use crate::simd::{Backend, Kernel, Simd};

/// Channels of a source row are filled up to a multiple of this, whole vectors of every back end.
pub(super) const PADDED: usize = 16;

/// Numbers in the packed weights of a pass.
pub(super) fn packed_len(backend: Backend, pass: &Pass) -> usize {
    let taps: usize = pass.phases().map(|[vertical, horizontal]| vertical.taps * horizontal.taps).sum();
    taps * pass.groups.next_multiple_of(Width::of(backend).lanes)
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
                    for (lane, number) in vectors.next().unwrap_or_default().iter_mut().enumerate() {
                        let channel = first + lane;
                        *number = match channel < pass.groups {
                            true => weights[pass.weights_at(channel, 0, &phases, [row, column]).0],
                            false => 0.0,
                        };
                    }
                }
            }
        }
    }
}

/// Computes the pixels of one phase of a band, and returns the weights of the next phase.
pub(super) fn run<'a>(
    backend: Backend,
    channels: usize,
    source: Source<'_>,
    grid: Grid,
    taps: Taps,
    packed: &'a [f32],
    output: &mut [f32],
    bias: Option<&[f32]>,
) -> &'a [f32] {
    let lanes = Width::of(backend).lanes;
    let (weights, rest) = packed.split_at(taps.counts[0] * taps.counts[1] * channels.next_multiple_of(lanes));
    backend.run(Channels {
        source: source.data,
        grid,
        taps: Taps { length: lanes, ..taps },
        weights,
        bias,
        output,
        channels,
    });
    rest
}

/// All channels of all pixels of a grid.
struct Channels<'a> {
    source: &'a [f32],
    grid: Grid,
    taps: Taps,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    output: &'a mut [f32],
    channels: usize,
}

impl Kernel for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        const PIXELS: usize = 8;
        for first in (0..self.channels).step_by(S::LANES) {
            let end = self.channels.min(first + S::LANES);
            let source = self.source.get(first..).unwrap_or_default();
            let weights = &self.weights[first / S::LANES * self.taps.operands()..];
            let initial = match self.bias {
                Some(bias) => simd.load_partial(&bias[first..end]),
                None => simd.splat(0.0),
            };
            let mut walk = self.grid.walk();
            while let Some(step) = walk.next::<PIXELS>() {
                let sums = convolution::depthwise(simd, source, step.sources, &self.taps, weights, initial);
                for pixel in 0..PIXELS {
                    if pixel < step.count {
                        let output = step.outputs[pixel];
                        if end - first == S::LANES {
                            simd.store(sums[pixel], &mut self.output[output + first..]);
                        } else {
                            simd.store_partial(sums[pixel], &mut self.output[output + first..output + end]);
                        }
                    }
                }
            }
        }
    }
}
