//! What attention does to the logits of a query: all that is not a matrix product.
//!
//! Relative positions come as numbers per difference, for query i: entry 0 for the class token and entry `rows + d` for
//! keys `d` rows below, d = 1 − rows ..= rows − 1, then as many for columns. The keys of a query meet the entries of both
//! axes as runs of neighbours.

use crate::simd::exponential::exp;
use crate::simd::{Kernel, MAX_LANES, Simd};
use crate::tensor::columns::for_each_part;
use core::ops::Range;

/// Which queries have their logits in memory, and how they lie there.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// The first query.
    pub(super) first: usize,
    /// Queries.
    pub(super) count: usize,
    /// Channels of a head.
    pub(super) width: usize,
    /// Keys of each query.
    pub(super) tokens: usize,
    /// Rows and columns of the grid.
    pub(super) grid: [usize; 2],
    /// Numbers from a query's logits to the next; they end at a cache line.
    pub(super) pitch: usize,
}

impl Tile {
    /// Numbers per difference of one query; none without relative positions.
    #[inline(always)]
    pub(super) fn differences(&self) -> usize {
        2 * (self.grid[0] + self.grid[1])
    }

    /// The entries that the rows, and the columns, of the grid meet for a query; `None` for the class token.
    #[inline(always)]
    fn runs(&self, query: usize) -> Option<[Range<usize>; 2]> {
        let [rows, columns] = self.grid;
        let patch = query.checked_sub(1)?;
        let (row, column) = (rows - patch / columns, 2 * rows + columns - patch % columns);
        Some([row..row + rows, column..column + columns])
    }

    /// Adds to the logits of the query its numbers per difference, if it has any.
    #[inline(always)]
    fn spread<S: Simd>(&self, simd: S, query: usize, relative: &[f32], logits: &mut [f32]) {
        if relative.is_empty() {
            return;
        }
        let [rows, columns] = self.grid;
        let of_class = relative[0] + relative[2 * rows];
        let Some([by_row, by_column]) = self.runs(query) else {
            let of_class = simd.splat(of_class);
            for_each_part(
                simd,
                self.tokens,
                #[inline(always)]
                |part| part.write(simd, simd.add(part.read(simd, logits), of_class), logits),
            );
            return;
        };
        logits[0] += of_class;
        let (by_row, by_column, logits) = (&relative[by_row], &relative[by_column], &mut logits[1..]);
        for_each_part(
            simd,
            columns,
            #[inline(always)]
            |part| {
                let of_columns = part.read(simd, by_column);
                let mut next = part.read(simd, &logits[..columns]);
                for row in 0..rows {
                    let of_both = simd.add(of_columns, simd.splat(by_row[row]));
                    let sum = simd.add(next, of_both);
                    // Read before this row is written: a load next to a store in flight has to wait for it.
                    if row + 1 < rows {
                        next = part.read(simd, &logits[(row + 1) * columns..][..columns]);
                    }
                    part.write(simd, sum, &mut logits[row * columns..][..columns]);
                }
            },
        );
    }
}

/// Turns logits into probabilities: adds the numbers per difference, scales, and takes the softmax.
pub(super) struct Softmax<'a> {
    pub(super) tile: Tile,
    pub(super) scale: f32,
    pub(super) relative: &'a [f32],
    pub(super) logits: &'a mut [f32],
}

impl Kernel for Softmax<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tile, scale, relative, logits } = self;
        let tokens = tile.tokens;
        for i in 0..tile.count {
            let logits = &mut logits[i * tile.pitch..][..tile.pitch];
            // Up to the end of the line: only whole vectors have a maximum.
            logits[tokens..].fill(f32::NEG_INFINITY);
            tile.spread(
                simd,
                tile.first + i,
                &relative[i * tile.differences()..][..tile.differences()],
                &mut logits[..tokens],
            );
            let mut largest = simd.splat(f32::NEG_INFINITY);
            for x in logits.chunks_exact(S::LANES) {
                largest = simd.max(simd.load(x), largest);
            }
            let mut lanes = [f32::NEG_INFINITY; MAX_LANES];
            simd.store(largest, &mut lanes);
            let largest = lanes.into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
            let (factor, shift) = (simd.splat(scale), simd.splat(-scale * largest));
            let mut sum = simd.splat(0.0);
            for x in logits.chunks_exact_mut(S::LANES) {
                let exponential = exp(simd, simd.mul_add(simd.load(x), factor, shift));
                simd.store(exponential, x);
                sum = simd.add(sum, exponential);
            }
            let inverse = simd.splat(1.0 / simd.reduce_add(sum));
            let logits = &mut logits[..tokens];
            for_each_part(
                simd,
                tokens,
                #[inline(always)]
                |part| part.write(simd, simd.mul(part.read(simd, logits), inverse), logits),
            );
        }
    }
}

/// Turns the gradient with respect to probabilities, after adding the numbers per difference, into that with respect to
/// logits before the scale.
pub(super) struct Differentiate<'a> {
    pub(super) tile: Tile,
    pub(super) scale: f32,
    pub(super) relative: &'a [f32],
    pub(super) probabilities: &'a [f32],
    pub(super) gradients: &'a mut [f32],
}

impl Kernel for Differentiate<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tile, scale, relative, probabilities, gradients } = self;
        let tokens = tile.tokens;
        for i in 0..tile.count {
            let probabilities = &probabilities[i * tile.pitch..][..tokens];
            let gradients = &mut gradients[i * tile.pitch..][..tokens];
            tile.spread(simd, tile.first + i, &relative[i * tile.differences()..][..tile.differences()], gradients);
            let mut mean = simd.splat(0.0);
            for_each_part(
                simd,
                tokens,
                #[inline(always)]
                |part| mean = simd.mul_add(part.read(simd, probabilities), part.read(simd, gradients), mean),
            );
            let (mean, scale) = (simd.splat(simd.reduce_add(mean)), simd.splat(scale));
            for_each_part(
                simd,
                tokens,
                #[inline(always)]
                |part| {
                    let deviation = simd.sub(part.read(simd, gradients), mean);
                    let scaled = simd.mul(part.read(simd, probabilities), scale);
                    part.write(simd, simd.mul(scaled, deviation), gradients);
                },
            );
        }
    }
}

/// Sums numbers per key into numbers per difference.
pub(super) struct Gather<'a> {
    pub(super) tile: Tile,
    pub(super) weights: &'a [f32],
    pub(super) relative: &'a mut [f32],
}

impl Kernel for Gather<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tile, weights, relative } = self;
        let [rows, columns] = tile.grid;
        for i in 0..tile.count {
            let weights = &weights[i * tile.pitch..][..tile.tokens];
            let relative = &mut relative[i * tile.differences()..][..tile.differences()];
            relative.fill(0.0);
            let Some([by_row, by_column]) = tile.runs(tile.first + i) else {
                let mut sum = simd.splat(0.0);
                for_each_part(
                    simd,
                    weights.len(),
                    #[inline(always)]
                    |part| sum = simd.add(sum, part.read(simd, weights)),
                );
                let sum = simd.reduce_add(sum);
                (relative[0], relative[2 * rows]) = (sum, sum);
                continue;
            };
            (relative[0], relative[2 * rows]) = (weights[0], weights[0]);
            let (of_rows, of_columns) = relative.split_at_mut(by_column.start);
            let (of_rows, of_columns) = (&mut of_rows[by_row], &mut of_columns[..columns]);
            for_each_part(
                simd,
                columns,
                #[inline(always)]
                |part| {
                    let mut sum = simd.splat(0.0);
                    for row in 0..rows {
                        let weights = part.read(simd, &weights[1 + row * columns..][..columns]);
                        sum = simd.add(sum, weights);
                        of_rows[row] += simd.reduce_add(weights);
                    }
                    part.write(simd, sum, of_columns);
                },
            );
        }
    }
}
