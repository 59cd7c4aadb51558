//! The vjp of maxima over windows of 3 × 3 positions that lie one position apart, along a row of windows.

use super::take;
use crate::simd::Simd;
use crate::tensor::columns::Part;

/// The windows of a row that `separable::rolls` has passed. What neighbours share stays in registers: where each adds to
/// the gradients in memory, it waits for the one before.
pub(super) struct Sliding<'a> {
    pub(super) windows: &'a [f32],
    pub(super) values: &'a [f32],
    pub(super) gradients: &'a mut [f32],
    pub(super) channels: usize,
}

impl Sliding<'_> {
    /// Adds the gradient of each window to the first position that holds its maximum, in the rows that start at `rows`.
    #[inline(always)]
    pub(super) fn scatter<S: Simd, const R: usize>(&mut self, simd: S, part: Part, rows: [usize; R]) {
        let last = self.windows.len() / self.channels - 1;
        let (first, second) = (self.read(simd, part, &rows, 0), self.read(simd, part, &rows, 1));
        let [mut before, mut middle] = self.share(simd, part, 0, [first, second]);
        for column in 1..last {
            let next = self.read(simd, part, &rows, column + 1);
            let [done, left, right] = self.share(simd, part, column, [before, middle, next]);
            self.write(simd, part, &rows, column - 1, &done);
            (before, middle) = (left, right);
        }
        let columns = self.share(simd, part, last, [before, middle]);
        for (column, done) in (last - 1..).zip(&columns) {
            self.write(simd, part, &rows, column, done);
        }
    }

    /// Adds the gradient of one window to its columns.
    #[inline(always)]
    fn share<S: Simd, const R: usize, const N: usize>(
        &self,
        simd: S,
        part: Part,
        window: usize,
        mut columns: [Column<S, R>; N],
    ) -> [Column<S, R>; N] {
        let mut maximum = columns[0].maximum;
        for index in 1..N {
            maximum = simd.maximum(maximum, columns[index].maximum);
        }
        let mut left = part.read(simd, &self.windows[window * self.channels..][..self.channels]);
        for row in 0..R {
            for index in 0..N {
                let column = &mut columns[index];
                let [taken, after] = take(simd, maximum, column.values[row], left);
                column.sums[row] = simd.add(column.sums[row], taken);
                left = after;
            }
        }
        columns
    }

    #[inline(always)]
    fn read<S: Simd, const R: usize>(&self, simd: S, part: Part, rows: &[usize; R], column: usize) -> Column<S, R> {
        let zero = simd.splat(0.0);
        let mut read = Column { values: [zero; R], sums: [zero; R], maximum: simd.splat(f32::NEG_INFINITY) };
        for row in 0..R {
            let place = rows[row] + column * self.channels;
            read.values[row] = part.read(simd, &self.values[place..][..self.channels]);
            read.sums[row] = part.read(simd, &self.gradients[place..][..self.channels]);
            read.maximum = simd.maximum(read.maximum, read.values[row]);
        }
        read
    }

    #[inline(always)]
    fn write<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        part: Part,
        rows: &[usize; R],
        column: usize,
        done: &Column<S, R>,
    ) {
        for row in 0..R {
            let place = rows[row] + column * self.channels;
            part.write(simd, done.sums[row], &mut self.gradients[place..][..self.channels]);
        }
    }
}

/// A column of values that windows cover, the gradients gathered for them, and their maximum.
#[derive(Clone, Copy)]
struct Column<S: Simd, const R: usize> {
    values: [S::F32; R],
    sums: [S::F32; R],
    maximum: S::F32,
}
