//! Winograd's minimal filtering F(4×4, 3×3): 36 products for 16 outputs instead of 144.
//!
//! Lavin and Gray (CVPR 2016): tiles of 6×6 inputs are evaluated at 36 pairs of points, multiplied there with the
//! weights' values (a small matrix product over channels for each pair), and 4×4 outputs interpolated. The points
//! are those of [`crate::simd::winograd`]. Relative error, root mean square: 3e-7 with 16 channels to 6e-7 with 64,
//! against 1.5e-7 to 3e-7 of the direct sum.

use super::blocks::Width;
use super::grid::{Grid, Source};
use super::pass::Pass;
use crate::simd::tile::{self, Taps};
use crate::simd::winograd::{self, OUTPUTS, PRODUCTS};
use crate::simd::{Backend, Kernel, Simd};

/// Outputs of a tile along an axis.
pub(super) const TILE: usize = OUTPUTS;

/// Numbers behind the source that may be read (and are not used).
pub(super) const SLACK: usize = 16;

/// Tiles of a register tile are at most this many, a block is a multiple of it.
const GROUP: usize = 8;

/// Whether a pass is one of 3×3 taps at consecutive positions, and large enough to gain by transforms.
pub(super) fn applies(pass: &Pass) -> bool {
    let [vertical, horizontal] = pass.axes;
    let plain = [vertical, horizontal].iter().all(|axis| {
        let phase = axis.phase(0);
        axis.phases == 1 && phase.taps == 3 && phase.tap_step == 1 && phase.stride == 1
    });
    let tiles = [vertical, horizontal].map(|axis| axis.outputs.div_ceil(TILE));
    let used = vertical.outputs * horizontal.outputs * 2 >= tiles[0] * tiles[1] * TILE * TILE;
    plain && pass.groups == 1 && pass.source_channels > 2 && used
}

/// Numbers in the packed weights of a pass.
pub(super) fn packed_len(backend: Backend, pass: &Pass) -> usize {
    PRODUCTS * pass.source_channels * pass.output_channels.next_multiple_of(Width::of(backend).lanes)
}

/// Transforms weights and packs them in the order block of output channels, product, source channel, output channel.
pub(super) fn pack(backend: Backend, pass: &Pass, weights: &[f32], packed: &mut [f32]) {
    let width = Width::of(backend);
    let Some(phases) = pass.phases().next() else { return };
    let mut rest = packed;
    for block in width.blocks(pass.output_channels) {
        let vector = block.vectors * width.lanes;
        let plane = pass.source_channels * vector;
        let (packed, others) = rest.split_at_mut(PRODUCTS * plane);
        rest = others;
        for source in 0..pass.source_channels {
            for channel in 0..vector {
                let output = block.first_channel + channel;
                let mut kernel = [[0.0; 3]; 3];
                if channel < block.channels {
                    for (row, numbers) in kernel.iter_mut().enumerate() {
                        for (column, number) in numbers.iter_mut().enumerate() {
                            *number = f64::from(weights[pass.weight_index(0, source, output, &phases, [row, column])]);
                        }
                    }
                }
                for (product, &value) in winograd::weights(kernel).as_flattened().iter().enumerate() {
                    packed[product * plane + source * vector + channel] = value as f32;
                }
            }
        }
    }
}

/// How tiles are cut into blocks whose transforms fit the cache.
#[derive(Clone, Copy)]
struct Blocks {
    /// Tiles of a block, a multiple of [`GROUP`].
    tiles: usize,
    /// Numbers from one tile to the next, and from one product's plane to the next: of inputs and of outputs.
    pitches: [usize; 2],
    planes: [usize; 2],
}

impl Blocks {
    fn new(pass: &Pass) -> Self {
        /// Numbers of both transforms that are aimed at: 256 KiB.
        const AIM: usize = 64 * 1024;
        let pitches = [pass.source_channels, pass.output_channels].map(|channels| channels.next_multiple_of(16));
        let tiles = AIM / (PRODUCTS * (pitches[0] + pitches[1]));
        let tiles = (tiles / GROUP * GROUP).clamp(GROUP, 4 * GROUP);
        // Planes a power of two apart would compete for the same few sets of the cache.
        Self { tiles, pitches, planes: pitches.map(|pitch| tiles * pitch + 16) }
    }
}

/// Numbers of scratch for the transforms.
pub(super) fn scratch_len(pass: &Pass) -> usize {
    PRODUCTS * Blocks::new(pass).planes.iter().sum::<usize>()
}

/// Computes the outputs of a band. `grid` holds tiles, `extents` the rows and columns of an image of the output.
pub(super) fn run(
    backend: Backend,
    pass: &Pass,
    source: Source<'_>,
    grid: &Grid,
    extents: [usize; 2],
    steps: [usize; 2],
    packed: &[f32],
    scratch: &mut [f32],
    output: &mut [f32],
    bias: Option<&[f32]>,
) {
    let blocks = Blocks::new(pass);
    let width = Width::of(backend);
    let (inputs, products) = scratch.split_at_mut(PRODUCTS * blocks.planes[0]);
    for first in (0..grid.pixels()).step_by(blocks.tiles) {
        let count = blocks.tiles.min(grid.pixels() - first);
        backend.run(Inputs { source, channels: pass.source_channels, grid, first, count, blocks, inputs });
        let mut rest = packed;
        for block in width.blocks(pass.output_channels) {
            let (weights, others) = rest.split_at(PRODUCTS * pass.source_channels * block.vectors * width.lanes);
            rest = others;
            let products = &mut products[block.first_channel..];
            let operands = Products { inputs, channels: pass.source_channels, weights, blocks, count, products };
            match block.vectors {
                1 => backend.run(Sized::<8, 1>(operands)),
                2 if backend == Backend::Avx512 => backend.run(Sized::<8, 2>(operands)),
                2 => backend.run(Sized::<4, 2>(operands)),
                3 => backend.run(Sized::<4, 3>(operands)),
                _ => backend.run(Sized::<4, 4>(operands)),
            }
        }
        backend.run(Outputs {
            products,
            channels: pass.output_channels,
            grid,
            first,
            count,
            extents,
            steps,
            blocks,
            output,
            bias,
        });
    }
}

/// The transform of the inputs of some tiles.
struct Inputs<'a> {
    source: Source<'a>,
    channels: usize,
    grid: &'a Grid,
    first: usize,
    count: usize,
    blocks: Blocks,
    inputs: &'a mut [f32],
}

impl Kernel for Inputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let steps = [self.source.steps[1], self.source.steps[2]];
        let mut walk = self.grid.walk_from(self.first);
        for tile in 0..self.count {
            let Some(step) = walk.next::<1>() else { return };
            for channel in (0..self.channels).step_by(S::LANES) {
                let source = &self.source.data[step.sources[0] + channel..];
                let out = &mut self.inputs[tile * self.blocks.pitches[0] + channel..];
                winograd::input(simd, source, steps, out, self.blocks.planes[0]);
            }
        }
    }
}

/// For each pair of points the product of tiles × channels with the weights of a block of output channels.
struct Products<'a> {
    inputs: &'a [f32],
    channels: usize,
    weights: &'a [f32],
    blocks: Blocks,
    count: usize,
    products: &'a mut [f32],
}

/// Register tiles of `P` tiles × `V` vectors.
struct Sized<'a, const P: usize, const V: usize>(Products<'a>);

impl<const P: usize, const V: usize> Kernel for Sized<'_, P, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Products { inputs, channels, weights, blocks, count, products } = self.0;
        let taps = Taps { counts: [1, 1], steps: [0, 0], length: channels };
        let zero = [simd.splat(0.0); V];
        for product in 0..PRODUCTS {
            let weights = &weights[product * channels * V * S::LANES..];
            let inputs = &inputs[product * blocks.planes[0]..];
            let products = &mut products[product * blocks.planes[1]..];
            let mut tile = 0;
            while tile < count {
                let mut offsets = [0; P];
                for (pixel, offset) in offsets.iter_mut().enumerate() {
                    *offset = (tile + pixel) * blocks.pitches[0];
                }
                let sums = tile::dense(simd, inputs, offsets, &taps, weights, zero);
                for pixel in 0..P {
                    for index in 0..V {
                        let place = (tile + pixel) * blocks.pitches[1] + index * S::LANES;
                        simd.store(sums[pixel][index], &mut products[place..]);
                    }
                }
                tile += P;
            }
        }
    }
}

/// The transform to the outputs of some tiles.
struct Outputs<'a> {
    products: &'a [f32],
    channels: usize,
    grid: &'a Grid,
    first: usize,
    count: usize,
    extents: [usize; 2],
    steps: [usize; 2],
    blocks: Blocks,
    output: &'a mut [f32],
    bias: Option<&'a [f32]>,
}

impl Kernel for Outputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut walk = self.grid.walk_from(self.first);
        for tile in 0..self.count {
            let [row, column] = walk.place();
            let Some(step) = walk.next::<1>() else { return };
            let rows = TILE.min(self.extents[0] - row * TILE);
            let columns = TILE.min(self.extents[1] - column * TILE);
            for first in (0..self.channels).step_by(S::LANES) {
                let end = self.channels.min(first + S::LANES);
                let products = &self.products[tile * self.blocks.pitches[1] + first..];
                let values = winograd::output(simd, products, self.blocks.planes[1]);
                let bias = self.bias.map_or(
                    simd.splat(0.0),
                    #[inline(always)]
                    |bias| simd.load_partial(&bias[first..end]),
                );
                let output = &mut self.output[step.outputs[0]..];
                for row in 0..TILE {
                    for column in 0..TILE {
                        if row >= rows || column >= columns {
                            continue;
                        }
                        let place = row * self.steps[0] + column * self.steps[1];
                        let value = simd.add(bias, values[row][column]);
                        if end - first == S::LANES {
                            simd.store(value, &mut output[place + first..]);
                        } else {
                            simd.store_partial(value, &mut output[place + first..place + end]);
                        }
                    }
                }
            }
        }
    }
}
