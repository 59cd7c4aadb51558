//! Winograd's minimal filtering F(4×4, 3×3): 36 products for 16 outputs instead of 144.
//!
//! Lavin and Gray (CVPR 2016): tiles of 6×6 inputs are evaluated at 36 pairs of points, multiplied there with the
//! weights' values (a small matrix product over channels for each pair), and 4×4 outputs interpolated. The points
//! are those of [`crate::simd::winograd`]. Relative error, root mean square: 3e-7 with 16 channels to 6e-7 with 64,
//! against 1.5e-7 to 3e-7 of the direct sum.
//!
//! Interpolation mixes the inputs of a tile: outputs whose own 3×3 inputs are 0 would keep the rounding errors of the
//! others, of which a rectifier passes half. So tiles know these outputs, and they are exactly 0.

use super::blocks::Width;
use super::grid::{Grid, Source};
use super::pass::Pass;
use crate::base::SMALL;
use crate::simd::winograd::{self, INPUTS, OUTPUTS, PRODUCTS};
use crate::simd::{Backend, Kernel, MAX_LANES, Simd, transpose};
use crate::tensor::prefetch::Prefetch;

/// Outputs of a tile along an axis.
pub(super) const TILE: usize = OUTPUTS;

/// Numbers behind the source that may be read (and are not used).
pub(super) const SLACK: usize = 16;

/// Tiles of a block: their transforms fit the second-level cache, and the weights are read once for all of them.
const TILES: usize = 16;

/// Whether a pass is one of 3×3 taps at consecutive positions, and large enough to gain by transforms.
pub(super) fn applies(pass: &Pass) -> bool {
    let [vertical, horizontal] = pass.axes;
    let slides = vertical.slides(3) && horizontal.slides(3);
    let tiles = [vertical, horizontal].map(|axis| axis.outputs.div_ceil(TILE));
    let used = vertical.outputs * horizontal.outputs * 2 >= tiles[0] * tiles[1] * TILE * TILE;
    slides && pass.groups == 1 && pass.source_channels > 2 && used
}

/// Numbers in the packed weights of a pass.
pub(super) fn packed_len(backend: Backend, pass: &Pass) -> usize {
    let width = Width::of(backend);
    let blocks = width.blocks(pass.output_channels);
    blocks.map(|block| PRODUCTS * plane(pass.source_channels, block.vectors * width.lanes)).sum()
}

/// Numbers from one product's weights of a block to the next: never a power of two, which would make all of them compete
/// for the same few sets of the cache.
fn plane(source_channels: usize, output_channels: usize) -> usize {
    source_channels * output_channels + 16
}

/// Transforms weights and packs them in the order block of output channels, product, source channel, output channel.
pub(super) fn pack(backend: Backend, pass: &Pass, weights: &[f32], packed: &mut [f32]) {
    backend.run(Pack { width: Width::of(backend), pass, weights, packed });
}

/// Weights of a kernel.
const TAPS: usize = 9;

/// Source channels whose weights are gathered together: a vector that is read just after its numbers were written one by
/// one waits for them.
const GATHERED: usize = if SMALL { 1 } else { 8 };

/// The arguments of [`pack`].
struct Pack<'a> {
    width: Width,
    pass: &'a Pass,
    weights: &'a [f32],
    packed: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { width, pass, weights, packed: mut rest } = self;
        let Some(phases) = pass.phases().next() else { return };
        let (_, [source_step, step]) = pass.kernels(0);
        let taps = [0, 1, 2].map(|row| [0, 1, 2].map(|column| pass.tap(&phases, [row, column])));
        let mut gathered = [[[0.0; MAX_LANES]; TAPS]; GATHERED];
        for block in width.blocks(pass.output_channels) {
            let vector = block.vectors * S::LANES;
            let plane = plane(pass.source_channels, vector);
            let (packed, others) = rest.split_at_mut(PRODUCTS * plane);
            rest = others;
            for first in (0..vector).step_by(S::LANES) {
                let channels = S::LANES.min(block.channels - first);
                for start in (0..pass.source_channels).step_by(GATHERED) {
                    let sources = start..pass.source_channels.min(start + GATHERED);
                    for (kernels, source) in gathered.iter_mut().zip(sources.clone()) {
                        let weights = &weights[source * source_step + (block.first_channel + first) * step..];
                        gather(simd, weights, step, channels, kernels);
                    }
                    for (numbers, source) in gathered.iter().zip(sources) {
                        let mut kernels = [[simd.splat(0.0); 3]; 3];
                        for (kernel, &tap) in kernels.as_flattened_mut().iter_mut().zip(taps.as_flattened()) {
                            *kernel = simd.load(&numbers[tap]);
                        }
                        winograd::weights(simd, kernels, &mut packed[source * vector + first..], plane);
                    }
                }
            }
        }
    }
}

/// Gathers kernels that start `step` numbers apart, side by side for each tap; zeros behind the last.
#[inline(always)]
fn gather<S: Simd>(simd: S, weights: &[f32], step: usize, count: usize, kernels: &mut [[f32; MAX_LANES]; TAPS]) {
    if 2 * count >= S::LANES && !SMALL {
        return transpose::columns(
            simd,
            weights,
            step,
            [count, TAPS],
            #[inline(always)]
            |tap, numbers| simd.store(numbers, &mut kernels[tap]),
        );
    }
    for (lane, kernel) in weights.chunks(step).take(count).enumerate() {
        for (numbers, &weight) in kernels.iter_mut().zip(&kernel[..TAPS]) {
            numbers[lane] = weight;
        }
    }
    kernels.iter_mut().for_each(|numbers| numbers[count..].fill(0.0));
}

/// How the transforms of a block of tiles lie in memory: vector of channels, tile, product, lane.
#[derive(Clone, Copy)]
struct Layout {
    /// Numbers of a tile: a vector for each product.
    tile: usize,
    /// Numbers from one vector of channels to the next.
    step: usize,
}

impl Layout {
    fn new(lanes: usize) -> Self {
        let tile = PRODUCTS * lanes;
        // Steps of a power of two would compete for the same few sets of the cache.
        Self { tile, step: TILES * tile + 16 }
    }

    /// Numbers of all channels.
    fn len(self, lanes: usize, channels: usize) -> usize {
        channels.div_ceil(lanes) * self.step
    }
}

/// Numbers of scratch for the transforms.
pub(super) fn scratch_len(backend: Backend, pass: &Pass) -> usize {
    let lanes = Width::of(backend).lanes;
    let layout = Layout::new(lanes);
    layout.len(lanes, pass.source_channels) + layout.len(lanes, pass.output_channels)
}

/// A tile of a block: where it is read and written, and how many of its rows and columns are inside the output.
#[derive(Clone, Copy, Default)]
struct Tile {
    source: usize,
    output: usize,
    rows: usize,
    columns: usize,
    /// Bit `TILE · row + column`: all inputs of that output are 0.
    zeros: u16,
}

/// Where a band's outputs go.
pub(super) struct Destination<'a> {
    pub(super) data: &'a mut [f32],
    /// Rows and columns of an image.
    pub(super) extents: [usize; 2],
    /// Numbers from one row and position to the next.
    pub(super) steps: [usize; 2],
}

/// Computes the outputs of a band. `grid` holds tiles.
pub(super) fn run(
    backend: Backend,
    pass: &Pass,
    source: Source<'_>,
    grid: &Grid,
    packed: &[f32],
    scratch: &mut [f32],
    output: Destination<'_>,
    bias: Option<&[f32]>,
    prefetch: &mut Prefetch,
) {
    let width = Width::of(backend);
    let layout = Layout::new(width.lanes);
    let (inputs, products) = scratch.split_at_mut(layout.len(width.lanes, pass.source_channels));
    let vectors = pass.output_channels.div_ceil(width.lanes);
    prefetch.spread(grid.pixels() * PRODUCTS * vectors);
    let mut walk = grid.walk();
    let mut tiles = [Tile::default(); TILES];
    loop {
        let mut count = 0;
        for tile in &mut tiles {
            let [row, column] = walk.place();
            let Some(step) = walk.next::<1>() else { break };
            *tile = Tile {
                source: step.sources[0],
                output: step.outputs[0],
                rows: TILE.min(output.extents[0] - row * TILE),
                columns: TILE.min(output.extents[1] - column * TILE),
                zeros: 0,
            };
            count += 1;
        }
        if count == 0 {
            return;
        }
        let tiles = &mut tiles[..count];
        backend.run(Inputs { source, channels: pass.source_channels, tiles, layout, inputs });
        let mut rest = packed;
        for block in width.blocks(pass.output_channels) {
            let (weights, others) = rest.split_at(PRODUCTS * plane(pass.source_channels, block.vectors * width.lanes));
            rest = others;
            let products = &mut products[block.first_channel / width.lanes * layout.step..];
            let channels = pass.source_channels;
            let operands = Products { inputs, channels, weights, layout, count, products, prefetch };
            match block.vectors {
                vectors if SMALL || vectors == 1 => backend.run(RegisterTiles::<8, 1>(operands)),
                2 if backend == Backend::Avx512 => backend.run(RegisterTiles::<8, 2>(operands)),
                2 => backend.run(RegisterTiles::<4, 2>(operands)),
                3 if backend == Backend::Avx512 && count > 4 => backend.run(RegisterTiles::<8, 3>(operands)),
                3 => backend.run(RegisterTiles::<4, 3>(operands)),
                _ => backend.run(RegisterTiles::<4, 4>(operands)),
            }
        }
        let (steps, output) = (output.steps, &mut *output.data);
        backend.run(Outputs { products, channels: pass.output_channels, tiles, steps, layout, output, bias });
    }
}

/// The transform of the inputs of some tiles, and which outputs have none but zeros.
struct Inputs<'a> {
    source: Source<'a>,
    channels: usize,
    tiles: &'a mut [Tile],
    layout: Layout,
    inputs: &'a mut [f32],
}

impl Kernel for Inputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let steps = [self.source.steps[1], self.source.steps[2]];
        for tile in &mut *self.tiles {
            tile.zeros = zeros(simd, &self.source.data[tile.source..], steps, self.channels);
        }
        for first in (0..self.channels).step_by(S::LANES) {
            let inputs = &mut self.inputs[first / S::LANES * self.layout.step..];
            for (tile, out) in self.tiles.iter().zip(inputs.chunks_exact_mut(PRODUCTS * S::LANES)) {
                winograd::input(simd, &self.source.data[tile.source + first..], steps, out, S::LANES);
            }
        }
    }
}

/// Which outputs of the tile that starts at `source[0]` have none but zeros among their inputs.
#[inline(always)]
fn zeros<S: Simd>(simd: S, source: &[f32], steps: [usize; 2], channels: usize) -> u16 {
    // The inputs of every output include one of the four in the middle.
    let mut some = false;
    for [row, column] in [[2, 2], [2, 3], [3, 2], [3, 3]] {
        some |= is_zero(simd, &source[row * steps[0] + column * steps[1]..][..channels]);
    }
    if !some {
        return 0;
    }
    let mut outputs = 0;
    // Zeros in the present row and, of those before, in the last one and in the last two.
    let [mut last, mut two] = [0, 0];
    for row in 0..INPUTS {
        let mut inputs: u16 = 0;
        for column in 0..INPUTS {
            let pixel = &source[row * steps[0] + column * steps[1]..][..channels];
            inputs |= u16::from(is_zero(simd, pixel)) << column;
        }
        let three = inputs & inputs >> 1 & inputs >> 2;
        outputs |= (three & two) << (TILE * row.saturating_sub(2));
        (last, two) = (three, three & last);
    }
    outputs
}

/// Whether all channels of a pixel are 0.
#[inline(always)]
fn is_zero<S: Simd>(simd: S, pixel: &[f32]) -> bool {
    for channels in pixel.chunks(S::LANES) {
        if !simd.is_zero(simd.load_partial(channels)) {
            return false;
        }
    }
    true
}

/// For each pair of points the product of tiles × channels with the weights of a block of output channels.
struct Products<'a> {
    inputs: &'a [f32],
    channels: usize,
    weights: &'a [f32],
    layout: Layout,
    count: usize,
    products: &'a mut [f32],
    prefetch: &'a mut Prefetch,
}

/// Register tiles of `P` tiles × `V` vectors.
struct RegisterTiles<'a, const P: usize, const V: usize>(Products<'a>);

impl<const P: usize, const V: usize> Kernel for RegisterTiles<'_, P, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Products { inputs, channels, weights, layout, count, products, prefetch } = self.0;
        for product in 0..PRODUCTS {
            let weights = &weights[product * plane(channels, V * S::LANES)..];
            prefetch.advance(simd, count * V);
            // A last group of fewer tiles computes with what earlier blocks left behind it, and is not read there.
            for first in (0..count).step_by(P) {
                let start = first * layout.tile + product * S::LANES;
                let sums = winograd::products::<S, P, V>(simd, &inputs[start..], layout.step, channels, weights);
                for index in 0..V {
                    let out = &mut products[index * layout.step + start..][..(P - 1) * PRODUCTS * S::LANES + S::LANES];
                    for tile in 0..P {
                        simd.store(sums[tile][index], &mut out[tile * PRODUCTS * S::LANES..]);
                    }
                }
            }
        }
    }
}

/// The transform to the outputs of some tiles.
struct Outputs<'a> {
    products: &'a [f32],
    channels: usize,
    tiles: &'a [Tile],
    steps: [usize; 2],
    layout: Layout,
    output: &'a mut [f32],
    bias: Option<&'a [f32]>,
}

impl Kernel for Outputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for first in (0..self.channels).step_by(S::LANES) {
            let end = self.channels.min(first + S::LANES);
            let bias = match self.bias {
                Some(bias) => simd.load_partial(&bias[first..end]),
                None => simd.splat(0.0),
            };
            let products = &self.products[first / S::LANES * self.layout.step..];
            for (tile, products) in self.tiles.iter().zip(products.chunks_exact(PRODUCTS * S::LANES)) {
                let output = &mut self.output[tile.output + first..];
                if tile.rows == TILE && tile.columns == TILE && tile.zeros == 0 && end - first == S::LANES {
                    winograd::output(simd, products, bias, output, self.steps);
                    continue;
                }
                let mut whole = [0.0; TILE * TILE * MAX_LANES];
                winograd::output(simd, products, bias, &mut whole, [TILE * S::LANES, S::LANES]);
                for (index, vector) in whole.chunks_exact_mut(S::LANES).take(TILE * TILE).enumerate() {
                    if tile.zeros & 1 << index != 0 {
                        simd.store(bias, vector);
                    }
                }
                for row in 0..tile.rows {
                    for column in 0..tile.columns {
                        let vector = simd.load(&whole[(row * TILE + column) * S::LANES..]);
                        let place = &mut output[row * self.steps[0] + column * self.steps[1]..];
                        simd.store_partial(vector, &mut place[..end - first]);
                    }
                }
            }
        }
    }
}
