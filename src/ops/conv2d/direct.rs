//! Direct convolution: register tiles of pixels × vectors of output channels over all taps and source channels.

use super::blocks::Width;
use super::grid::{Grid, Source};
use super::number::{Number, pair};
use super::pass::{Pass, Phase};
use crate::base::SMALL;
use crate::simd::convolution::{self, Taps};
use crate::simd::transpose;
use crate::simd::{Backend, Bfloat16, Bfloat16Kernel, Kernel, Simd};
use crate::tensor::prefetch::Prefetch;

/// Numbers in the packed weights of a pass.
pub(super) fn packed_len(backend: Backend, pass: &Pass, number: Number) -> usize {
    let lanes = Width::of(backend).lanes;
    pass.groups * pass.taps() * pass.source_channels / number.channels() * pass.output_channels.next_multiple_of(lanes)
}

/// Packs weights in the order in which they are used: phase, group, block of output channels, tap, source
/// channel, output channel; blocks are filled with zeros to whole vectors.
pub(super) fn pack(backend: Backend, pass: &Pass, number: Number, weights: &[f32], mut packed: &mut [f32]) {
    let width = Width::of(backend);
    let sources = pass.source_channels / number.channels();
    for phases in pass.phases() {
        for group in 0..pass.groups {
            let (start, steps) = pass.kernels(group);
            for block in width.blocks(pass.output_channels) {
                let weights = &weights[start + block.first_channel * steps[1]..];
                let pitch = block.vectors * width.lanes;
                let (packed_block, rest) = packed.split_at_mut(phases[0].taps * phases[1].taps * sources * pitch);
                packed = rest;
                let (phases, channels) = (&phases, block.channels);
                let packed = packed_block;
                backend.run(Pack { pass, phases, number, weights, steps, sources, channels, packed, pitch });
            }
        }
    }
}

/// Most taps of a kernel whose weights are turned by squares of vectors.
const TURNED_TAPS: usize = 64;

/// Packs the weights of the taps of a phase, from each source channel to a block of output channels.
struct Pack<'a> {
    pass: &'a Pass,
    phases: &'a [Phase; 2],
    number: Number,
    weights: &'a [f32],
    /// Numbers from the kernel of one source and output channel to the next.
    steps: [usize; 2],
    /// Numbers, or pairs.
    sources: usize,
    channels: usize,
    packed: &'a mut [f32],
    pitch: usize,
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let by_vectors = self.number == Number::Single && !SMALL;
        let turned = if by_vectors && self.steps[1] > 1 { self.turn(simd) } else { 0 };
        let Self { pass, phases, number, weights, steps: [source_step, output_step], sources, channels, pitch, .. } =
            self;
        for (tap, packed) in self.packed.chunks_exact_mut(sources * pitch).enumerate() {
            let tap = pass.tap(phases, [tap / phases[1].taps, tap % phases[1].taps]);
            let weight = |source: usize, channel: usize| weights[source * source_step + channel * output_step + tap];
            for (source, vectors) in packed.chunks_exact_mut(pitch).enumerate() {
                let (vectors, beyond) = vectors.split_at_mut(channels.max(turned));
                beyond.fill(0.0);
                if by_vectors && output_step == 1 {
                    vectors.copy_from_slice(&weights[source * source_step + tap..][..channels]);
                    continue;
                }
                for (channel, to) in vectors.iter_mut().enumerate().skip(turned) {
                    *to = match number {
                        Number::Single => weight(source, channel),
                        Number::Pair => pair(weight(2 * source, channel), weight(2 * source + 1, channel)),
                    };
                }
            }
        }
    }
}

impl Pack<'_> {
    /// Packs the first output channels, and zeros to the end of their last vector: the numbers of each lie side by side, and
    /// squares of vectors are turned. Says how many numbers are done of each source channel.
    #[inline(always)]
    fn turn<S: Simd>(&mut self, simd: S) -> usize {
        let Self { pass, phases, weights, steps: [source_step, output_step], sources, channels, pitch, .. } = *self;
        let taps = pass.taps();
        if taps > TURNED_TAPS {
            return 0;
        }
        // Where each number of a kernel goes; those of other phases nowhere.
        let mut places = [None; TURNED_TAPS];
        for row in 0..phases[0].taps {
            for column in 0..phases[1].taps {
                places[pass.tap(phases, [row, column])] = Some((row * phases[1].taps + column) * sources * pitch);
            }
        }
        // Less than half a vector is not worth it.
        let turned = (channels + S::LANES / 2) / S::LANES * S::LANES;
        let together = if source_step == taps { sources } else { 1 };
        for first in (0..turned).step_by(S::LANES) {
            let height = S::LANES.min(channels - first);
            for start in (0..sources).step_by(together) {
                let (mut source, mut tap) = (start, 0);
                transpose::columns(
                    simd,
                    &weights[first * output_step + start * source_step..],
                    output_step,
                    [height, together * taps],
                    #[inline(always)]
                    |_, vector| {
                        if let Some(place) = places[tap] {
                            simd.store(vector, &mut self.packed[place + source * pitch + first..]);
                        }
                        tap += 1;
                        if tap == taps {
                            (source, tap) = (source + 1, 0);
                        }
                    },
                );
            }
        }
        turned
    }
}

/// Computes the pixels of one phase of a band for all groups, and returns the weights of the next phase.
pub(super) fn run<'a>(
    backend: Backend,
    pass: &Pass,
    number: Number,
    source: Source<'_>,
    grid: Grid,
    taps: Taps,
    mut packed: &'a [f32],
    output: &mut [f32],
    bias: Option<&[f32]>,
    prefetch: &mut Prefetch,
) -> &'a [f32] {
    let width = Width::of(backend);
    for group in 0..pass.groups {
        for block in width.blocks(pass.output_channels) {
            let (weights, rest) = packed.split_at(taps.operands() * block.vectors * width.lanes);
            packed = rest;
            let channel = group * pass.output_channels + block.first_channel;
            let tiles = Tiles {
                number,
                source: source.data.get(group * pass.source_channels / number.channels()..).unwrap_or_default(),
                grid,
                taps,
                weights,
                bias: bias.map(|bias| &bias[channel..][..block.channels]),
                output: &mut output[channel..],
                channels: block.channels,
                prefetch,
            };
            tiles.dispatch(backend, block.vectors);
        }
    }
    packed
}

/// One block of output channels of all pixels of a grid.
struct Tiles<'a> {
    number: Number,
    source: &'a [f32],
    grid: Grid,
    taps: Taps,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    output: &'a mut [f32],
    channels: usize,
    prefetch: &'a mut Prefetch,
}

impl Tiles<'_> {
    /// Eight accumulators hide the latency of a multiply-add; more vectors share the numbers of fewer pixels.
    fn dispatch(self, backend: Backend, vectors: usize) {
        match vectors {
            _ if SMALL || vectors == 1 => self.run::<8, 1>(backend),
            2 if backend == Backend::Avx512 => self.run::<8, 2>(backend),
            2 => self.run::<4, 2>(backend),
            3 => self.run::<4, 3>(backend),
            _ => self.run::<4, 4>(backend),
        }
    }

    fn run<const P: usize, const V: usize>(self, backend: Backend) {
        match self.number {
            Number::Single => backend.run(RegisterTiles::<P, V>(self)),
            // Pairs are chosen only where the back end multiplies them.
            Number::Pair => backend.run_bfloat16(RegisterTiles::<P, V>(self)).unwrap_or_default(),
        }
    }
}

/// Tiles of `P` pixels × `V` vectors.
struct RegisterTiles<'a, const P: usize, const V: usize>(Tiles<'a>);

impl<const P: usize, const V: usize> Kernel for RegisterTiles<'_, P, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.compute(
            simd,
            #[inline(always)]
            |a, b, c| simd.mul_add(a, b, c),
        );
    }
}

impl<const P: usize, const V: usize> Bfloat16Kernel for RegisterTiles<'_, P, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Bfloat16>(self, simd: S) {
        self.compute(
            simd,
            #[inline(always)]
            |a, b, c| simd.dot_pairs(a, b, c),
        );
    }
}

impl<const P: usize, const V: usize> RegisterTiles<'_, P, V> {
    #[inline(always)]
    fn compute<S: Simd>(self, simd: S, multiply_add: impl Fn(S::F32, S::F32, S::F32) -> S::F32) {
        let Tiles { source, grid, taps, weights, bias, output, channels, prefetch, .. } = self.0;
        let mut initial = [simd.splat(0.0); V];
        if let Some(bias) = bias {
            for (vector, bias) in initial.iter_mut().zip(bias.chunks(S::LANES)) {
                *vector = simd.load_partial(bias);
            }
        }
        let mut walk = grid.walk();
        while let Some(step) = walk.next::<P>() {
            prefetch.advance(simd, step.count * channels);
            let sums = convolution::dense(simd, source, step.sources, &taps, weights, initial, &multiply_add);
            for pixel in 0..P {
                if pixel < step.count {
                    let row = &mut output[step.outputs[pixel]..][..channels];
                    for index in 0..V {
                        let first = index * S::LANES;
                        if first + S::LANES <= channels {
                            simd.store(sums[pixel][index], &mut row[first..]);
                        } else {
                            simd.store_partial(sums[pixel][index], &mut row[first..]);
                        }
                    }
                }
            }
        }
    }
}
