//! Reductions over windows of 3 × 3 positions that lie one position apart and keep the map's size, in one walk along the
//! columns.
//!
//! The rows that a window spans are reduced column by column, and the reduced columns that the next windows share stay in
//! registers. The sums are those of the two passes of [`super::separable`], bit for bit.

use super::separable::{Direction, Reduction, Separable};
use super::window::Axis;
use crate::simd::rows::{self, Rows};
use crate::simd::{Kernel, Simd};
use crate::tensor::Load;
use crate::tensor::columns::{Part, for_each_part};

/// Positions along a side of the window.
const SIDE: usize = 3;

/// A reduction whose windows [`fits`] has passed.
pub(super) struct Rolling<'a, 'b, L, R>(pub(super) Separable<'a, 'b, L, R>);

/// Whether windows along these axes are those of this module.
pub(super) fn fits([rows, columns]: &[Axis; 2]) -> bool {
    let keeps_size = columns.has_unit_stride() && rows.inputs == rows.outputs && columns.inputs == columns.outputs;
    // A single column would be the first and the last.
    keeps_size && columns.kernel() == SIDE && columns.inputs > 1
}

impl<L: Load, R: Reduction> Kernel for Rolling<'_, '_, L, R> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Separable { source, axes: [rows, columns], batch, direction, reduction, scratch, mut sink } = self.0;
        let channels = source.channels();
        let (height, width) = (rows.inputs, columns.inputs);
        let row_len = width * channels;
        let slots = rows.span();
        let (ring, scratch) = scratch.split_at_mut(slots * row_len);
        let result = &mut scratch[..row_len];
        let stored = source.as_stored();
        // By the number of rows of the map that a window covers; a division for each row would take longer than the row.
        let shares: [f32; SIDE + 1] = core::array::from_fn(|covered| 1.0 / (covered * SIDE) as f32);
        let covered = |row: usize| row.saturating_sub(1)..(row + 2).min(height);
        let along = Along { reduction, direction, columns: width, channels };
        for image in 0..batch {
            let mut loaded = 0;
            let mut slot = 0;
            for row in 0..height {
                let taps = covered(row);
                if stored.is_none() {
                    while loaded < taps.end {
                        let out = &mut ring[slot * row_len..][..row_len];
                        source.load(simd, (image * height + loaded) * width, width, out, channels);
                        loaded += 1;
                        slot = if slot + 1 < slots { slot + 1 } else { 0 };
                    }
                }
                // The rows of the ring are the last ones loaded.
                let (mut read, mut weights) = ([&[][..]; SIDE], [0.0; SIDE]);
                for tap in 0..taps.len() {
                    read[tap] = match stored {
                        Some(stored) => &stored[(image * height + taps.start + tap) * row_len..][..row_len],
                        None => {
                            let behind = taps.len() - tap;
                            let place = if slot >= behind { slot - behind } else { slot + slots - behind };
                            &ring[place * row_len..][..row_len]
                        }
                    };
                    let window = if direction == Direction::Forward { row } else { taps.start + tap };
                    weights[tap] = shares[covered(window).len()];
                }
                let first = (image * height + row) * width;
                if let Some((out, pitch)) = sink.as_stored() {
                    along.reduce(simd, taps.len(), read, weights, &mut out[first * pitch..], pitch);
                } else {
                    along.reduce(simd, taps.len(), read, weights, result, channels);
                    sink.store(simd, first, width, result, channels);
                }
            }
        }
    }
}

/// How a row is reduced along its columns, of which there are at least two.
#[derive(Clone, Copy)]
struct Along<R> {
    reduction: R,
    direction: Direction,
    columns: usize,
    channels: usize,
}

impl<R: Reduction> Along<R> {
    /// Reduces `count` rows, one to three, times their weights, and those along the columns, to a row of results `pitch`
    /// numbers apart.
    #[inline(always)]
    fn reduce<S: Simd>(
        self,
        simd: S,
        count: usize,
        [a, b, c]: [&[f32]; SIDE],
        weights: [f32; SIDE],
        out: &mut [f32],
        pitch: usize,
    ) {
        let [u, v, w] = weights.map(
            #[inline(always)]
            |weight| simd.splat(weight),
        );
        match count {
            1 => self.reduce_rows(simd, [a], [u], out, pitch),
            2 => self.reduce_rows(simd, [a, b], [u, v], out, pitch),
            _ => self.reduce_rows(simd, [a, b, c], [u, v, w], out, pitch),
        }
    }

    #[inline(always)]
    fn reduce_rows<S: Simd, const ROWS: usize>(
        self,
        simd: S,
        rows: [&[f32]; ROWS],
        weights: [S::F32; ROWS],
        out: &mut [f32],
        pitch: usize,
    ) {
        let Self { direction, columns, channels, .. } = self;
        // Windows at the border cover one column less: their means, or the gradients of these, are that much larger.
        let border = if R::MEAN { SIDE as f32 / (SIDE - 1) as f32 } else { 1.0 };
        let [before, after] = if direction == Direction::Forward { [1.0, border] } else { [border, 1.0] };
        let (before, after) = (simd.splat(before), simd.splat(after));
        let last = columns - 1;
        for_each_part(
            simd,
            channels,
            #[inline(always)]
            |part| {
                let first = simd.mul(before, self.column(simd, self.read(simd, part, &rows, 0), &weights));
                let mut shared = [first, self.column(simd, self.read(simd, part, &rows, 1), &weights)];
                if last == 1 {
                    shared[1] = simd.mul(before, shared[1]);
                }
                let result = simd.mul(after, self.join(simd, shared[0], shared[1]));
                part.write(simd, result, &mut out[..channels]);
                if last > 1 {
                    shared = self.slide(simd, part, &rows, &weights, shared, out, pitch);
                    let third = simd.mul(before, self.column(simd, self.read(simd, part, &rows, last), &weights));
                    let result = self.join(simd, self.join(simd, shared[0], shared[1]), third);
                    part.write(simd, result, &mut out[(last - 1) * pitch..][..channels]);
                    shared = [shared[1], third];
                }
                let result = simd.mul(after, self.join(simd, shared[0], shared[1]));
                part.write(simd, result, &mut out[last * pitch..][..channels]);
            },
        );
    }

    /// Writes the results that share no column with the last.
    #[inline(always)]
    fn slide<S: Simd, const ROWS: usize>(
        self,
        simd: S,
        part: Part,
        rows: &[&[f32]; ROWS],
        weights: &[S::F32; ROWS],
        mut shared: [S::F32; 2],
        out: &mut [f32],
        pitch: usize,
    ) -> [S::F32; 2] {
        let Self { columns, channels, .. } = self;
        let results = 1..columns - 2;
        if part.whole {
            let inputs = rows.map(|row| Rows { data: &row[part.first..], pitch: channels });
            return rows::slide(
                simd,
                results,
                inputs,
                shared,
                &mut out[part.first..],
                pitch,
                #[inline(always)]
                |values| self.column(simd, values, weights),
                #[inline(always)]
                |[first, second, third]| self.join(simd, self.join(simd, first, second), third),
            );
        }
        for column in results {
            let third = self.column(simd, self.read(simd, part, rows, column + 1), weights);
            let result = self.join(simd, self.join(simd, shared[0], shared[1]), third);
            part.write(simd, result, &mut out[column * pitch..][..channels]);
            shared = [shared[1], third];
        }
        shared
    }

    /// A vector of each row at one column.
    #[inline(always)]
    fn read<S: Simd, const ROWS: usize>(
        self,
        simd: S,
        part: Part,
        rows: &[&[f32]; ROWS],
        column: usize,
    ) -> [S::F32; ROWS] {
        let mut values = [simd.splat(0.0); ROWS];
        for (value, row) in values.iter_mut().zip(rows) {
            *value = part.read(simd, &row[column * self.channels..][..self.channels]);
        }
        values
    }

    /// The rows at one column, reduced.
    #[inline(always)]
    fn column<S: Simd, const ROWS: usize>(self, simd: S, values: [S::F32; ROWS], weights: &[S::F32; ROWS]) -> S::F32 {
        let mut reduced = self.reduction.start(simd, values[0], weights[0]);
        for row in 1..ROWS {
            reduced = self.reduction.reduce(simd, reduced, values[row], weights[row]);
        }
        reduced
    }

    /// One column more.
    #[inline(always)]
    fn join<S: Simd>(self, simd: S, reduced: S::F32, column: S::F32) -> S::F32 {
        self.reduction.reduce(simd, reduced, column, simd.splat(1.0))
    }
}
