//! Winograd's F(3×3, 4×4): 36 products for the 144 of nine weights with sixteen positions.
//!
//! The nine sums over a tile of 4×4 gradients and its 6×6 inputs have the form of a convolution, whose kernel is the gradient
//! (Lavin and Gray, CVPR 2016): both are evaluated at 36 pairs of points and multiplied there. The sum over all tiles of these
//! products, a product of two tall matrices for each pair, is interpolated once. The points are those of
//! [`crate::simd::winograd`].

use super::Operands;
use crate::ops::conv2d::blocks::Width;
use crate::simd::tile::{self, Rows, Strided, Tile};
use crate::simd::winograd::{self, PRODUCTS};
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::Part;
use crate::tensor::prefetch::Prefetch;

/// Numbers that are aimed at for the transforms of a block of tiles, and the fewest and most tiles in one: the sums are read and
/// written once a block.
const AIM: usize = 80 * 1024;
const TILES: [usize; 2] = [32, 128];

/// Tiles that are transformed by one call.
const GROUP: usize = 16;

/// How the transforms of both operands and the sums of their products lie in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Channels of the input and of the gradient.
    channels: [usize; 2],
    /// Numbers from one tile to the next.
    pitches: [usize; 2],
    /// Tiles in a block.
    tiles: usize,
}

impl Layout {
    /// Of so many channels of the input and of the gradient, and tiles in all.
    pub(super) fn new(backend: Backend, channels: [usize; 2], tiles: usize) -> Self {
        let lanes = Width::of(backend).lanes;
        let pitches = channels.map(|channels| channels.next_multiple_of(lanes));
        let [fewest, most] = TILES;
        let aimed = AIM / (PRODUCTS * (pitches[0] + pitches[1]));
        Self { channels, pitches, tiles: aimed.clamp(fewest, most).min(tiles) }
    }

    /// Numbers from one pair of points to the next: never a power of two, which would make all of them compete for the same few
    /// sets of the cache. Also what a tile reads behind the last row, and does not use.
    fn planes(&self) -> [usize; 2] {
        self.pitches.map(|pitch| self.tiles * pitch + 16)
    }

    /// The same of the sums, a row for each channel of the gradient.
    fn plane_of_sums(&self) -> usize {
        self.channels[1] * self.pitches[0] + 16
    }

    /// Numbers of scratch.
    pub(super) fn scratch_len(&self) -> usize {
        let [inputs, gradients] = self.planes();
        PRODUCTS * (inputs + gradients + self.plane_of_sums())
    }
}

/// Sums over tiles of the products at all pairs of points.
pub(super) struct Sums<'a> {
    layout: Layout,
    inputs: &'a mut [f32],
    gradients: &'a mut [f32],
    sums: &'a mut [f32],
    /// Tiles whose transforms wait for their products.
    waiting: usize,
    /// Whether the sums hold anything yet.
    begun: bool,
}

impl<'a> Sums<'a> {
    /// Sums of nothing.
    pub(super) fn new(layout: Layout, scratch: &'a mut [f32]) -> Self {
        let [inputs, gradients] = layout.planes().map(|plane| PRODUCTS * plane);
        let (inputs, scratch) = scratch.split_at_mut(inputs);
        let (gradients, sums) = scratch.split_at_mut(gradients);
        let sums = &mut sums[..PRODUCTS * layout.plane_of_sums()];
        Self { layout, inputs, gradients, sums, waiting: 0, begun: false }
    }

    /// Adds the tiles of a band: those of the operands' grid.
    pub(super) fn add(&mut self, backend: Backend, operands: Operands<'_>) {
        let Operands { input, gradient, grid, steps: [input_steps, gradient_steps], prefetch, .. } = operands;
        let Layout { channels, pitches, tiles, .. } = self.layout;
        // Most of the work are products, the same of every block.
        prefetch.spread(grid.pixels().div_ceil(tiles).max(1) * PRODUCTS);
        let mut walk = grid.walk();
        let mut places = [[0; GROUP]; 2];
        loop {
            let mut count = 0;
            while count < GROUP.min(tiles - self.waiting) {
                let Some(step) = walk.next::<1>() else { break };
                (places[0][count], places[1][count]) = (step.sources[0], step.outputs[0]);
                count += 1;
            }
            if count == 0 {
                return;
            }
            let [input_plane, gradient_plane] = self.layout.planes();
            backend.run(Transform::<false> {
                source: input,
                steps: input_steps,
                places: &places[0][..count],
                channels: channels[0],
                out: &mut self.inputs[self.waiting * pitches[0]..],
                pitch: pitches[0],
                plane: input_plane,
            });
            backend.run(Transform::<true> {
                source: gradient,
                steps: gradient_steps,
                places: &places[1][..count],
                channels: channels[1],
                out: &mut self.gradients[self.waiting * pitches[1]..],
                pitch: pitches[1],
                plane: gradient_plane,
            });
            self.waiting += count;
            if self.waiting == tiles {
                self.multiply(backend, prefetch);
            }
        }
    }

    /// Adds the products of the tiles that wait.
    fn multiply(&mut self, backend: Backend, prefetch: &mut Prefetch) {
        if self.waiting > 0 {
            backend.run(Products { sums: self, prefetch });
            (self.waiting, self.begun) = (0, true);
        }
    }

    /// Writes the gradients of the weights to `out`: rows of `row` numbers for each channel of the gradient, in them the channels
    /// of the input for each of the nine weights, `tap` numbers apart.
    pub(super) fn finish(mut self, backend: Backend, out: &mut [f32], row: usize, tap: usize) {
        self.multiply(backend, &mut Prefetch::new());
        backend.run(Interpolate { layout: self.layout, sums: self.sums, out, row, tap });
    }
}

/// The transform of some tiles of the input, or of the gradient.
struct Transform<'a, const GRADIENT: bool> {
    source: &'a [f32],
    /// Numbers from one row and position to the next.
    steps: [usize; 2],
    places: &'a [usize],
    channels: usize,
    out: &'a mut [f32],
    pitch: usize,
    plane: usize,
}

impl<const GRADIENT: bool> Kernel for Transform<'_, GRADIENT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { source, steps, places, channels, out, pitch, plane } = self;
        for (tile, &place) in places.iter().enumerate() {
            for first in (0..channels).step_by(S::LANES) {
                let (source, out) = (&source[place + first..], &mut out[tile * pitch + first..]);
                if GRADIENT {
                    winograd::gradient(simd, source, steps, out, plane);
                } else {
                    winograd::input(simd, source, steps, out, plane);
                }
            }
        }
    }
}

/// For each pair of points the product of the gradients of the tiles that wait with their inputs.
struct Products<'a, 's, 'p> {
    sums: &'a mut Sums<'s>,
    prefetch: &'p mut Prefetch,
}

impl Kernel for Products<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if S::REGISTERS >= 32 { self.tiles::<S, 8, 3>(simd) } else { self.tiles::<S, 4, 2>(simd) }
    }
}

impl Products<'_, '_, '_> {
    #[inline(always)]
    fn tiles<S: Simd, const TALL: usize, const WIDE: usize>(self, simd: S) {
        let Self { sums: Sums { layout, inputs, gradients, sums, waiting, begun }, prefetch } = self;
        let [input_plane, gradient_plane] = layout.planes();
        let plane = layout.plane_of_sums();
        let vectors = layout.pitches[0] / S::LANES;
        let blocks = vectors.div_ceil(WIDE);
        for product in 0..PRODUCTS {
            prefetch.advance(simd, 1);
            for block in 0..blocks {
                let [first, next] = [block, block + 1].map(|block| block * vectors / blocks * S::LANES);
                let mut column = Column {
                    layout: *layout,
                    inputs: &inputs[product * input_plane + first..],
                    gradients: &gradients[product * gradient_plane..],
                    sums: &mut sums[product * plane + first..],
                    count: *waiting,
                    begun: *begun,
                };
                match (next - first) / S::LANES {
                    1 => column.add::<S, 8, 1>(simd),
                    2 => column.add::<S, TALL, 2>(simd),
                    _ => column.add::<S, TALL, WIDE>(simd),
                }
            }
        }
    }
}

/// Some vectors of input channels at a pair of points.
struct Column<'a> {
    layout: Layout,
    inputs: &'a [f32],
    gradients: &'a [f32],
    sums: &'a mut [f32],
    count: usize,
    begun: bool,
}

impl Column<'_> {
    #[inline(always)]
    fn add<S: Simd, const TALL: usize, const WIDE: usize>(&mut self, simd: S) {
        let Layout { channels: [_, outputs], pitches: [pitch, gradient_pitch], .. } = self.layout;
        for output in (0..outputs).step_by(TALL) {
            let rows = TALL.min(outputs - output);
            let sums = &mut self.sums[output * pitch..];
            let mut totals: Tile<S, TALL, WIDE> = tile::zero(simd);
            if self.begun {
                for row in 0..rows {
                    for index in 0..WIDE {
                        totals[row][index] = simd.load(&sums[row * pitch + index * S::LANES..]);
                    }
                }
            }
            let left = Strided { data: &self.gradients[output..], row: 1, step: gradient_pitch };
            let right = Rows { data: self.inputs, pitch };
            let totals = tile::accumulate(simd, totals, left, right, self.count);
            // Rows behind the last channel hold what happens to lie there.
            for row in 0..rows {
                for index in 0..WIDE {
                    simd.store(totals[row][index], &mut sums[row * pitch + index * S::LANES..]);
                }
            }
        }
    }
}

/// The weights of the sums.
struct Interpolate<'a> {
    layout: Layout,
    sums: &'a [f32],
    out: &'a mut [f32],
    row: usize,
    tap: usize,
}

impl Kernel for Interpolate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layout, sums, out, row, tap } = self;
        let Layout { channels: [inputs, outputs], pitches: [pitch, _], .. } = layout;
        let plane = layout.plane_of_sums();
        for output in 0..outputs {
            for first in (0..inputs).step_by(S::LANES) {
                let weights = winograd::weights_gradient(simd, &sums[output * pitch + first..], plane);
                let part = Part { first, whole: first + S::LANES <= inputs };
                for (place, &weight) in weights.as_flattened().iter().enumerate() {
                    part.write(simd, weight, &mut out[output * row + place * tap..][..inputs]);
                }
            }
        }
    }
}
