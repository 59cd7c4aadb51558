//! Multi-head attention over a class token and a grid of patches, with relative positions along both axes on keys and
//! values (Shaw, Uszkoreit and Vaswani, 2018; two-dimensional as in Chen et al., *AutoFormer*, 2021).
//!
//! The argument has in each token's channels the queries of all heads, then all keys, then all values. For queries i and
//! keys j of one head of width w,
//!
//! ```text
//! aᵢⱼ = softmaxⱼ(qᵢ · (kⱼ + Rᵢⱼ) / √w),  oᵢ = Σⱼ aᵢⱼ (vⱼ + R′ᵢⱼ),  Rᵢⱼ = row table [jᵣ − iᵣ] + column table [jᵥ − iᵥ]
//! ```
//!
//! with entry 0 of both tables where the class token is i or j. Without a grid there are no tables, and R = R′ = 0 (Vaswani et
//! al., 2017).
//!
//! Rᵢⱼ takes few values: one per difference of rows, and one per difference of columns. So first come the products of a
//! query with these few entries, which are then spread over the keys (`rows`). For the values it is the other way: first the
//! sums of probabilities of equal difference, then their product with the table. Both are linear in the number of tokens.
//!
//! One head of one sample is worked on at a time, `TILE` queries at a time. Backwards the probabilities are computed
//! again. With P them, G = dO (V + R′)ᵀ and S = P ∘ (G − rowsum(P ∘ G)) / √w: dV = Pᵀ dO, dQ = S (K + R), dK = Sᵀ Q.

mod rows;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::reference;

use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
use crate::Error;
use crate::linalg::gemm::{Matrix, gemm, gemm_scratch_len};
use crate::simd::{Backend, root};
use crate::tensor::{Role, Shape, View, ViewMut};
use core::ops::Range;
use rows::{Differentiate, Gather, Softmax, Tile};

/// The most queries whose logits are in memory.
const TILE: usize = 256;

/// Numbers in a cache line.
const LINE: usize = 16;

/// Which third of the argument's channels holds what.
const QUERIES: usize = 0;
const KEYS: usize = 1;
const VALUES: usize = 2;

/// Heads, the grid of the patches, and the farthest relative position that has an entry of its own. With a grid of 0 × 0 there
/// are no relative positions, and any positions of a map will do as tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Heads the channels are split into.
    pub heads: usize,
    /// Rows and columns of the grid of patches behind the class token; 0 × 0 without relative positions.
    pub grid: [usize; 2],
    /// Entry `d + reach + 1` of a table is for a difference of `d` patches, −reach ..= reach; what is farther away takes
    /// the first or last of them.
    pub reach: usize,
}

impl Attention {
    /// Attention without relative positions.
    pub const fn plain(heads: usize) -> Self {
        Self { heads, grid: [0; 2], reach: 0 }
    }

    /// Whether relative positions count.
    pub const fn is_relative(&self) -> bool {
        self.grid[0] != 0 || self.grid[1] != 0
    }

    /// Rows of each of the four tables: one for the class token and one for each difference.
    pub const fn entries(&self) -> usize {
        self.reach.saturating_mul(2).saturating_add(2)
    }

    /// Channels of one head.
    pub const fn width(&self, input: Shape) -> usize {
        input.channels / (3 * self.heads)
    }

    /// Multiply-adds of one sample by the definition above: of tokens, and of relative positions if they count, for logits and
    /// results.
    pub const fn macs(&self, input: Shape) -> u64 {
        let tokens = input.positions_per_image() as u64;
        let pairs = tokens.saturating_mul(tokens);
        let products = if self.is_relative() { 4 } else { 2 };
        pairs.saturating_mul(products * (input.channels / 3) as u64)
    }

    /// Every head of every sample, its queries in tiles of about the same size.
    fn tiles(&self, input: Shape) -> impl Iterator<Item = (usize, usize, Range<usize>)> + use<> {
        let (heads, tokens) = (self.heads, input.positions_per_image());
        let count = tile_len(tokens);
        (0..input.batch * heads).flat_map(move |each| {
            let tiles = (0..tokens).step_by(count).map(move |first| first..tokens.min(first + count));
            tiles.map(move |queries| (each / heads, each % heads, queries))
        })
    }
}

impl Operation for Attention {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Inputs, keeps_zero: false, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let input = only(inputs)?;
        let parts = self.heads.checked_mul(3).filter(|&parts| parts > 0 && input.channels.is_multiple_of(parts));
        if parts.is_none() || input.channels == 0 {
            return Err(Error::Invalid { field: "heads", expected: "a divisor of a third of the channels" });
        }
        let tokens = self.grid[0].checked_mul(self.grid[1]).and_then(|patches| patches.checked_add(1));
        let fits = tokens == Some(input.height) && input.width == 1 || !self.is_relative();
        if !fits || input.positions_per_image() == 1 {
            return Err(Error::Invalid {
                field: "grid",
                expected: "of a token less than there are, and of one at least",
            });
        }
        Shape::new(4, self.entries(), 1, self.width(input))?;
        input.with_channels(input.channels / 3)
    }

    fn parameters(&self, input: Shape, _: Shape) -> Parameters {
        if !self.is_relative() {
            return Parameter::list([]);
        }
        let roles = [Role::KeyRow, Role::KeyColumn, Role::ValueRow, Role::ValueColumn];
        Parameter::list(roles.map(|role| Parameter::new(role, self.entries(), self.width(input))))
    }

    fn macs(&self, input: Shape, _: Shape) -> u64 {
        self.macs(input)
    }

    fn scratch(&self, input: Shape, _: Shape) -> Scratch {
        Scratch { forward: scratch_len(self, input), vjp: vjp_scratch_len(self, input) }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        let tables = call.parameters.map(Option::unwrap_or_default);
        forward(self, call.backend, call.inputs[0].stored, tables, call.out, call.scratch);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let VjpCall { backend, gradient, sink, scratch, .. } = call;
        let (input, tables) = (call.remembered[0].stored, call.parameters.map(Option::unwrap_or_default));
        vjp(self, backend, input, tables, gradient, sink.accumulate, sink.stored, scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        self.is_relative().then_some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for Attention {
    fn scratch_len(&self, input: Shape, _: Shape) -> usize {
        tables_scratch_len(self, input)
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let (tables, input) = (call.parameters.map(Option::unwrap_or_default), call.inputs[0].stored);
        tables_vjp(self, call.backend, input, tables, call.gradient, call.of_parameters, call.scratch);
    }
}

/// Numbers of scratch that [`forward`] needs: linear in the tokens, whatever the batch.
pub fn scratch_len(attention: &Attention, input: Shape) -> usize {
    let sizes = Sizes::new(attention, input);
    let lens = [sizes.table, sizes.table, sizes.logits, sizes.relative, sizes.product];
    lens.into_iter().fold(0, usize::saturating_add)
}

/// Numbers of scratch that [`vjp`] needs.
pub fn vjp_scratch_len(attention: &Attention, input: Shape) -> usize {
    scratch_len(attention, input).saturating_add(Sizes::new(attention, input).logits)
}

/// Writes the attention of `input` to `out`. `tables` are those of the keys for rows and for columns, then those of
/// the values, each [`entries`](Attention::entries) × [`width`](Attention::width); without relative positions they are empty.
pub fn forward(
    attention: &Attention,
    backend: Backend,
    input: View<'_>,
    tables: [&[f32]; 4],
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let mut work = Work::new(attention, backend, input, tables, scratch);
    let (tokens, width, pitch) = (work.tokens, work.width, work.pitch);
    for (sample, head, queries) in attention.tiles(input.shape) {
        let tile = work.probabilities(sample, head, queries.clone());
        let result = &mut out.data[(sample * tokens + queries.start) * out.pitch + head * width..];
        let (probabilities, values) = (Matrix::new(work.logits, pitch), work.operand(VALUES, sample, head, 0));
        let sizes = [tile.count, tokens, width];
        gemm(backend, sizes, probabilities, values, false, result, out.pitch, work.product);
        let (weights, table) = (&*work.logits, &*work.tables[1]);
        add_relative(backend, tile, weights, table, result, out.pitch, work.relative, work.product);
    }
}

/// Passes the gradient with respect to the result back to the argument, which is given again with the tables: writes
/// it to `out`, or with `accumulate` adds it to what is there.
pub fn vjp(
    attention: &Attention,
    backend: Backend,
    input: View<'_>,
    tables: [&[f32]; 4],
    gradient: View<'_>,
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let (gradients, scratch) = scratch.split_at_mut(Sizes::new(attention, input.shape).logits);
    let mut work = Work::new(attention, backend, input, tables, scratch);
    let (tokens, width, pitch) = (work.tokens, work.width, work.pitch);
    for (sample, head, queries) in attention.tiles(input.shape) {
        let tile = work.probabilities(sample, head, queries.clone());
        let count = tile.count;
        let first = queries.start;
        let position = sample * tokens;
        let channel = |third: usize| (third * attention.heads + head) * width;
        // Keys and values hear from every tile of queries.
        let add = accumulate || first > 0;

        let of_result = matrix(&gradient, position + first, head * width);
        let of_values = &mut out.data[position * out.pitch + channel(VALUES)..];
        let transposed = Matrix::new(work.logits, pitch).transposed();
        gemm(backend, [tokens, count, width], transposed, of_result, add, of_values, out.pitch, work.product);

        work.differentiate(tile, sample, head, of_result, gradients);
        let of_logits = Matrix::new(gradients, pitch);
        let of_queries = &mut out.data[(position + first) * out.pitch + channel(QUERIES)..];
        let keys = work.operand(KEYS, sample, head, 0);
        gemm(backend, [count, tokens, width], of_logits, keys, accumulate, of_queries, out.pitch, work.product);
        let table = &*work.tables[0];
        add_relative(backend, tile, gradients, table, of_queries, out.pitch, work.relative, work.product);

        let of_keys = &mut out.data[position * out.pitch + channel(KEYS)..];
        let (of_logits, queries) = (of_logits.transposed(), work.operand(QUERIES, sample, head, first));
        gemm(backend, [tokens, count, width], of_logits, queries, add, of_keys, out.pitch, work.product);
    }
}

/// Numbers of scratch that [`tables_vjp`] needs.
#[cfg(feature = "gradients")]
pub fn tables_scratch_len(attention: &Attention, input: Shape) -> usize {
    let Sizes { table, .. } = Sizes::new(attention, input);
    vjp_scratch_len(attention, input).saturating_add(table).saturating_add(table)
}

/// Writes to `of_tables` the gradients with respect to the four tables, from that with respect to the result. The argument and
/// the tables are given again.
///
/// With the notation above, the entries of a difference gain `Σ Sᵢⱼ qᵢ` of the keys and `Σ Pᵢⱼ dOᵢ` of the values, over the
/// pairs with that difference.
#[cfg(feature = "gradients")]
pub fn tables_vjp(
    attention: &Attention,
    backend: Backend,
    input: View<'_>,
    tables: [&[f32]; 4],
    gradient: View<'_>,
    of_tables: [&mut [f32]; 4],
    scratch: &mut [f32],
) {
    let sizes = Sizes::new(attention, input.shape);
    let (gradients, scratch) = scratch.split_at_mut(sizes.logits);
    let (of_keys, scratch) = scratch.split_at_mut(sizes.table);
    let (of_values, scratch) = scratch.split_at_mut(sizes.table);
    let mut work = Work::new(attention, backend, input, tables, scratch);
    let (tokens, width) = (work.tokens, work.width);
    of_keys.fill(0.0);
    of_values.fill(0.0);
    for (sample, head, queries) in attention.tiles(input.shape) {
        let tile = work.probabilities(sample, head, queries.clone());
        let of_result = matrix(&gradient, sample * tokens + queries.start, head * width);
        work.differentiate(tile, sample, head, of_result, gradients);
        let queries = work.operand(QUERIES, sample, head, queries.start);
        let differences = tile.differences();
        for (weights, rows, sums) in
            [(&*work.logits, of_result, &mut *of_values), (&*gradients, queries, &mut *of_keys)]
        {
            backend.run(Gather { tile, weights, relative: work.relative });
            let gathered = Matrix::new(work.relative, differences).transposed();
            gemm(backend, [differences, tile.count, width], gathered, rows, true, sums, width, work.product);
        }
    }
    let [key_rows, key_columns, value_rows, value_columns] = of_tables;
    attention.roll_up(width, of_keys, [key_rows, key_columns]);
    attention.roll_up(width, of_values, [value_rows, value_columns]);
}

/// Queries in a tile.
fn tile_len(tokens: usize) -> usize {
    tokens.div_ceil(tokens.div_ceil(TILE))
}

/// The lengths of the parts of the scratch, each whole cache lines.
struct Sizes {
    /// A table with an entry per difference.
    table: usize,
    /// The logits of a tile.
    logits: usize,
    /// The numbers per difference of a tile.
    relative: usize,
    /// What the matrix products need.
    product: usize,
}

impl Sizes {
    fn new(attention: &Attention, input: Shape) -> Self {
        let (tokens, width) = (input.positions_per_image(), attention.width(input));
        let queries = tile_len(tokens);
        let differences = attention.differences();
        let lines = |a: usize, b: usize| a.saturating_mul(b).saturating_add(LINE - 1) / LINE * LINE;
        let products = [(width, tokens), (width, differences), (tokens, width), (queries, width), (differences, width)];
        Self {
            table: lines(differences, width),
            logits: lines(queries, tokens.next_multiple_of(LINE)),
            relative: lines(queries, differences),
            product: products.map(|(inner, columns)| gemm_scratch_len(inner, columns)).into_iter().fold(0, usize::max),
        }
    }
}

/// What the forward and the backward pass share.
struct Work<'a> {
    attention: &'a Attention,
    backend: Backend,
    input: View<'a>,
    tokens: usize,
    width: usize,
    scale: f32,
    /// Numbers from the logits of a query to those of the next.
    pitch: usize,
    /// For keys and for values, an entry per difference.
    tables: [&'a mut [f32]; 2],
    logits: &'a mut [f32],
    relative: &'a mut [f32],
    product: &'a mut [f32],
}

impl<'a> Work<'a> {
    fn new(
        attention: &'a Attention,
        backend: Backend,
        input: View<'a>,
        tables: [&[f32]; 4],
        scratch: &'a mut [f32],
    ) -> Self {
        let (tokens, width) = (input.shape.positions_per_image(), attention.width(input.shape));
        let sizes = Sizes::new(attention, input.shape);
        let (of_keys, scratch) = scratch.split_at_mut(sizes.table);
        let (of_values, scratch) = scratch.split_at_mut(sizes.table);
        let (logits, scratch) = scratch.split_at_mut(sizes.logits);
        let (relative, product) = scratch.split_at_mut(sizes.relative);
        let [key_rows, key_columns, value_rows, value_columns] = tables;
        attention.unroll(width, [key_rows, key_columns], of_keys);
        attention.unroll(width, [value_rows, value_columns], of_values);
        Self {
            attention,
            backend,
            input,
            tokens,
            width,
            scale: 1.0 / root::sqrt_f32(width as f32),
            pitch: tokens.next_multiple_of(LINE),
            tables: [of_keys, of_values],
            logits,
            relative,
            product,
        }
    }

    /// The queries, keys or values of one head, from `token` on.
    fn operand(&self, third: usize, sample: usize, head: usize, token: usize) -> Matrix<'a> {
        matrix(&self.input, sample * self.tokens + token, (third * self.attention.heads + head) * self.width)
    }

    /// Leaves the probabilities of a tile in `logits`.
    fn probabilities(&mut self, sample: usize, head: usize, queries: Range<usize>) -> Tile {
        let tile = Tile {
            first: queries.start,
            count: queries.len(),
            width: self.width,
            tokens: self.tokens,
            grid: self.attention.grid,
            pitch: self.pitch,
        };
        let (keys, queries) = (self.operand(KEYS, sample, head, 0), self.operand(QUERIES, sample, head, queries.start));
        let sizes = [tile.count, self.width, self.tokens];
        gemm(self.backend, sizes, queries, keys.transposed(), false, self.logits, self.pitch, self.product);
        if self.attention.is_relative() {
            let table = Matrix::new(self.tables[0], self.width).transposed();
            let differences = tile.differences();
            let sizes = [tile.count, self.width, differences];
            gemm(self.backend, sizes, queries, table, false, self.relative, differences, self.product);
        }
        self.backend.run(Softmax { tile, scale: self.scale, relative: self.relative, logits: self.logits });
        tile
    }

    /// Writes the gradient with respect to the logits of a tile, before the scale, whose probabilities are in `logits`.
    fn differentiate(&mut self, tile: Tile, sample: usize, head: usize, of_result: Matrix<'_>, gradients: &mut [f32]) {
        let Self { backend, tokens, width, pitch, scale, .. } = *self;
        let values = self.operand(VALUES, sample, head, 0).transposed();
        gemm(backend, [tile.count, width, tokens], of_result, values, false, gradients, pitch, self.product);
        if self.attention.is_relative() {
            let table = Matrix::new(self.tables[1], width).transposed();
            let differences = tile.differences();
            let sizes = [tile.count, width, differences];
            gemm(backend, sizes, of_result, table, false, self.relative, differences, self.product);
        }
        let (relative, probabilities) = (&*self.relative, &*self.logits);
        backend.run(Differentiate { tile, scale, relative, probabilities, gradients });
    }
}

impl Attention {
    /// Differences of rows and of columns in the grid, and the class token once for each.
    fn differences(&self) -> usize {
        self.grid[0].saturating_add(self.grid[1]).saturating_mul(2)
    }

    /// Copies the tables for rows and for columns to one with an entry per difference, as [`rows`] wants it.
    fn unroll(&self, width: usize, tables: [&[f32]; 2], out: &mut [f32]) {
        let mut out = out.chunks_exact_mut(width);
        for (table, size) in tables.into_iter().zip(self.grid) {
            for (place, out) in (0..2 * size).zip(&mut out) {
                out.copy_from_slice(&table[self.entry(place, size) * width..][..width]);
            }
        }
    }

    /// Sums what belongs to one entry of the tables in a table with an entry per difference.
    #[cfg(feature = "gradients")]
    fn roll_up(&self, width: usize, unrolled: &[f32], tables: [&mut [f32]; 2]) {
        let mut rows = unrolled.chunks_exact(width);
        for (table, size) in tables.into_iter().zip(self.grid) {
            table.fill(0.0);
            for (place, row) in (0..2 * size).zip(&mut rows) {
                for (sum, x) in table[self.entry(place, size) * width..][..width].iter_mut().zip(row) {
                    *sum += x;
                }
            }
        }
    }

    /// The entry that `place` in a table with an entry per difference has in the table of an axis of `size` patches.
    fn entry(&self, place: usize, size: usize) -> usize {
        let distance = place.abs_diff(size).min(self.reach);
        match place {
            0 => 0,
            _ if place < size => self.reach + 1 - distance,
            _ => self.reach + 1 + distance,
        }
    }
}

/// Adds to `out` what the numbers per key, `weights`, make of a table, if there is one: gathered by difference, times the
/// entries.
fn add_relative(
    backend: Backend,
    tile: Tile,
    weights: &[f32],
    table: &[f32],
    out: &mut [f32],
    pitch: usize,
    relative: &mut [f32],
    product: &mut [f32],
) {
    if tile.differences() == 0 {
        return;
    }
    backend.run(Gather { tile, weights, relative });
    let differences = tile.differences();
    let width = tile.width;
    let (sums, table) = (Matrix::new(relative, differences), Matrix::new(table, width));
    gemm(backend, [tile.count, differences, width], sums, table, true, out, pitch, product);
}

/// The part of a tensor that starts at a position and a channel, a row a position.
fn matrix<'a>(view: &View<'a>, position: usize, channel: usize) -> Matrix<'a> {
    Matrix::new(&view.data[position * view.pitch + channel..], view.pitch)
}
