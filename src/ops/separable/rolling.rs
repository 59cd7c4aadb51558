//! Reductions over windows of 3 × 3 positions that lie one position apart and keep the map's size, in one walk along the
//! columns for two rows of results, which share two of the rows they read.
//!
//! The rows that a window spans are reduced column by column, and the reduced columns that the next windows share stay in
//! registers. The sums are those of the two passes of [`super`], bit for bit but for the sign of a zero.

use super::{Direction, Reduction, Separable};
use crate::ops::window::Axis;
use crate::simd::rows::{self, Neighbours, Rows};
use crate::simd::{Kernel, Simd};
use crate::tensor::Load;
use crate::tensor::columns::{Columns, for_each_column};
use core::ops::Range;

/// Positions along a side of the window.
const SIDE: usize = 3;

/// Rows that are written together, and that are read for them.
const WRITTEN: usize = 2;
const READ: usize = WRITTEN + SIDE - 1;

/// Rows of scratch: the last rows read, a neutral one beyond the border, and results.
pub(super) const SCRATCH_ROWS: usize = READ + 1 + WRITTEN;

/// A reduction whose windows [`fits`] has passed.
pub(super) struct Rolling<'a, 'b, L, R>(pub(super) Separable<'a, 'b, L, R>);

/// Whether windows along these axes are those of this module.
pub(super) fn fits([rows, columns]: &[Axis; 2]) -> bool {
    let is_centred = |axis: &Axis| axis.is_centred() && axis.kernel() == SIDE;
    is_centred(rows) && is_centred(columns) && columns.inputs >= SIDE
}

impl<L: Load, R: Reduction> Kernel for Rolling<'_, '_, L, R> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Separable { source, axes: [rows, columns], batch, direction, reduction, scratch, mut sink } = self.0;
        let channels = source.channels();
        let (height, width) = (rows.inputs, columns.inputs);
        let row_len = width * channels;
        let (ring, scratch) = scratch.split_at_mut(READ * row_len);
        let (neutral, scratch) = scratch.split_at_mut(row_len);
        let (results, _) = scratch.split_at_mut(WRITTEN * row_len);
        neutral.fill(R::NEUTRAL);
        let stored = source.as_stored();
        // By the number of rows of the map that a window covers, at least one if it counts; a division for each row would
        // take longer than the row.
        let shares: [f32; SIDE + 1] = core::array::from_fn(|covered| 1.0 / (covered.max(1) * SIDE) as f32);
        let share = |row: usize| shares[(row + 2).min(height) - row.saturating_sub(1).min(height)];
        // Windows at the border cover one column less: their means, or the gradients of these, are that much larger.
        let border = if R::MEAN { SIDE as f32 / (SIDE - 1) as f32 } else { 1.0 };
        let [before, after] = if direction == Direction::Forward { [1.0, border] } else { [border, 1.0] };
        let [before, after] = [simd.splat(before), simd.splat(after)];
        for image in 0..batch {
            let mut loaded = 0;
            for row in (0..height).step_by(WRITTEN) {
                let written = WRITTEN.min(height - row);
                if stored.is_none() {
                    while loaded < (row + written + 1).min(height) {
                        let out = &mut ring[loaded % READ * row_len..][..row_len];
                        source.load(simd, (image * height + loaded) * width, width, out, channels);
                        loaded += 1;
                    }
                }
                let mut read = [&*neutral; READ];
                for (tap, read) in read.iter_mut().enumerate() {
                    if let Some(row) = (row + tap).checked_sub(1).filter(|&row| row < height) {
                        *read = match stored {
                            Some(stored) => &stored[(image * height + row) * row_len..][..row_len],
                            None => &ring[row % READ * row_len..][..row_len],
                        };
                    }
                }
                let mut weights = [[simd.splat(0.0); SIDE]; WRITTEN];
                for (result, weights) in weights.iter_mut().enumerate() {
                    for (tap, weight) in weights.iter_mut().enumerate() {
                        let forward = direction == Direction::Forward;
                        let window = if forward { row + result } else { (row + result + tap).saturating_sub(1) };
                        *weight = simd.splat(share(window));
                    }
                }
                let along = Along { reduction, weights, before, after };
                let first = (image * height + row) * width;
                let direct = written == WRITTEN && sink.as_stored().is_some();
                let (out, pitch) = match sink.as_stored() {
                    Some((out, pitch)) if direct => (&mut out[first * pitch..], pitch),
                    _ => (&mut *results, channels),
                };
                let (above, below) = out.split_at_mut(width * pitch);
                let mut pair = Pair { along, read, out: [above, below], pitch, channels };
                for_each_column(simd, 0..width, 0..channels, &mut pair);
                if !direct {
                    sink.store(simd, first, written * width, results, channels);
                }
            }
        }
    }
}

/// How two rows are reduced along their columns.
#[derive(Clone, Copy)]
struct Along<S: Simd, R> {
    reduction: R,
    weights: [[S::F32; SIDE]; WRITTEN],
    /// What the reduced columns at the border are multiplied by, and the results there.
    before: S::F32,
    after: S::F32,
}

impl<S: Simd, R: Reduction> Neighbours<S, READ, WRITTEN> for Along<S, R> {
    #[inline(always)]
    fn outside(&self, simd: S) -> S::F32 {
        simd.splat(R::NEUTRAL)
    }
    #[inline(always)]
    fn reduce(&self, simd: S, border: bool, values: [S::F32; READ]) -> [S::F32; WRITTEN] {
        let [above, below] = self.reduction.reduce_windows(simd, values, self.weights);
        if R::MEAN && border { [simd.mul(self.before, above), simd.mul(self.before, below)] } else { [above, below] }
    }
    #[inline(always)]
    fn join(&self, simd: S, joined: S::F32, next: S::F32) -> S::F32 {
        self.reduction.reduce(simd, joined, next, simd.splat(1.0))
    }
    #[inline(always)]
    fn finish(&self, simd: S, border: bool, joined: S::F32) -> S::F32 {
        if R::MEAN && border { simd.mul(self.after, joined) } else { joined }
    }
}

/// Two rows of results, `pitch` numbers apart, and the four they are reduced from.
struct Pair<'a, 'b, S: Simd, R> {
    along: Along<S, R>,
    read: [&'a [f32]; READ],
    out: [&'b mut [f32]; WRITTEN],
    pitch: usize,
    channels: usize,
}

impl<S: Simd, R: Reduction> Pair<'_, '_, S, R> {
    /// What is read and written, from some channel on.
    #[inline(always)]
    fn skip(&mut self, first: usize) -> ([Rows<'_>; READ], [&mut [f32]; WRITTEN]) {
        let inputs = self.read.map(|row| Rows { data: &row[first..], pitch: self.channels });
        let [above, below] = &mut self.out;
        (inputs, [&mut above[first..], &mut below[first..]])
    }
}

impl<S: Simd, R: Reduction> Columns<S> for Pair<'_, '_, S, R> {
    #[inline(always)]
    fn whole<const V: usize>(&mut self, simd: S, columns: Range<usize>, first: usize) {
        let (along, pitch) = (self.along, self.pitch);
        let (inputs, outputs) = self.skip(first);
        rows::slide::<S, READ, WRITTEN, V>(simd, columns.len(), inputs, outputs, pitch, &along);
    }
    #[inline(always)]
    fn partial(&mut self, simd: S, columns: Range<usize>, channels: Range<usize>) {
        let (along, pitch) = (self.along, self.pitch);
        let (inputs, outputs) = self.skip(0);
        rows::slide_partial(simd, columns.len(), channels, inputs, outputs, pitch, &along);
    }
}
