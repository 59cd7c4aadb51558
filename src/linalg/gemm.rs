//! Matrix products in single precision, with any combination of transposed factors.
//!
//! The right factor is copied, a block at a time, into panels of two vectors' width in the caller's scratch, padded
//! with zeros; the left one is read where it is, one number for all lanes. A panel stays in the first-level cache
//! while the rows of a block pass by, a block of panels in the second-level cache while all rows do
//! (Goto and van de Geijn, 2008, without the second copy).

use crate::base::SMALL;
use crate::simd::tile::{self, Rows, Strided, Tile};
use crate::simd::{Backend, Kernel, MAX_LANES, Simd};
use crate::tensor::columns::Part;
use core::ops::Range;

/// Steps of the sum in a block: a panel has this many rows.
const DEPTH: usize = 192;
/// Columns in a block, a multiple of every panel's width.
const COLUMNS: usize = 512;
/// Rows of the left factor that pass a panel before the next panel's turn.
const ROWS: usize = 64;
/// Vectors in the width of a panel.
const VECTORS: usize = if SMALL { 1 } else { 2 };

/// A matrix to read: element (i, j) at `data[i · row + j · column]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The numbers, starting with element (0, 0).
    pub data: &'a [f32],
    /// Numbers from a row to the next.
    pub row: usize,
    /// Numbers from a column to the next.
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix whose rows are `pitch` numbers apart.
    pub const fn new(data: &'a [f32], pitch: usize) -> Self {
        Self { data, row: pitch, column: 1 }
    }

    /// The transposed matrix: the same numbers, read with rows and columns exchanged.
    pub const fn transposed(self) -> Self {
        Self { data: self.data, row: self.column, column: self.row }
    }

    /// The numbers from element (i, j) on; none beyond the end.
    #[inline(always)]
    fn from(&self, i: usize, j: usize) -> &'a [f32] {
        self.data.get(i * self.row + j * self.column..).unwrap_or(&[])
    }
}

/// Numbers of scratch that [`gemm`] needs; fastest when aligned to 64 bytes.
pub const fn gemm_scratch_len(inner: usize, columns: usize) -> usize {
    let depth = if inner < DEPTH { inner } else { DEPTH };
    let padded = columns.next_multiple_of(MAX_LANES);
    depth * if padded < COLUMNS { padded } else { COLUMNS }
}

/// `c = a · b`, or `c += a · b` if `accumulate`.
///
/// `a` has `rows` × `inner` elements, `b` `inner` × `columns`, and `c` `rows` × `columns` in rows `pitch` numbers
/// apart; numbers between its rows are not touched. `scratch` has [`gemm_scratch_len`] numbers.
///
/// An element is a sum of `inner` products in ascending order, in blocks of 192: its error is at most
/// `2⁻²⁴ · inner · Σ |a · b|` and typically √inner times less.
pub fn gemm(
    backend: Backend,
    [rows, inner, columns]: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    accumulate: bool,
    c: &mut [f32],
    pitch: usize,
    scratch: &mut [f32],
) {
    backend.run(Gemm { rows, inner, columns, a, b, accumulate, start: &[], c, pitch, scratch });
}

/// `c = a · b`, plus `row` in every row. The rest is as in [`gemm`].
pub fn gemm_plus_row(
    backend: Backend,
    [rows, inner, columns]: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    row: &[f32],
    c: &mut [f32],
    pitch: usize,
    scratch: &mut [f32],
) {
    backend.run(Gemm { rows, inner, columns, a, b, accumulate: false, start: row, c, pitch, scratch });
}

struct Gemm<'a> {
    rows: usize,
    inner: usize,
    columns: usize,
    a: Matrix<'a>,
    b: Matrix<'a>,
    /// Whether the product is added to what is there.
    accumulate: bool,
    /// What it is added to otherwise, the same in every row; empty for nothing. (Of an `Option` the length could be
    /// undefined, and is compared before anybody asks whether there is one.)
    start: &'a [f32],
    c: &'a mut [f32],
    pitch: usize,
    scratch: &'a mut [f32],
}

/// A panel of the right factor, and where it lies there.
#[derive(Clone, Copy)]
struct Panel<'a> {
    packed: &'a [f32],
    step: usize,
    depth: usize,
    column: usize,
}

impl Kernel for Gemm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if S::REGISTERS >= 32 { self.blocks::<S, 8>(simd) } else { self.blocks::<S, 4>(simd) }
    }
}

impl Gemm<'_> {
    /// The product in tiles of `TALL` rows.
    #[inline(always)]
    fn blocks<S: Simd, const TALL: usize>(mut self, simd: S) {
        let scratch = core::mem::take(&mut self.scratch);
        for column in (0..self.columns).step_by(COLUMNS) {
            let columns = COLUMNS.min(self.columns - column);
            // At least one block, so that an empty sum is written too.
            for step in (0..self.inner.max(1)).step_by(DEPTH) {
                let depth = DEPTH.min(self.inner - step);
                let packed = &mut scratch[..depth * columns.next_multiple_of(S::LANES)];
                pack(simd, self.b, step..step + depth, column..column + columns, packed);
                for row in (0..self.rows).step_by(ROWS) {
                    let rows = row..self.rows.min(row + ROWS);
                    for first in (0..columns).step_by(VECTORS * S::LANES) {
                        let panel = Panel { packed: &packed[first * depth..], step, depth, column: column + first };
                        if columns - first > S::LANES {
                            self.panel::<S, TALL, VECTORS>(simd, rows.clone(), panel);
                        } else {
                            self.panel::<S, 8, 1>(simd, rows.clone(), panel);
                        }
                    }
                }
            }
        }
    }

    /// The product of some rows with one panel of `WIDE` vectors.
    #[inline(always)]
    fn panel<S: Simd, const TALL: usize, const WIDE: usize>(&mut self, simd: S, rows: Range<usize>, panel: Panel<'_>) {
        let mut row = rows.start;
        while !SMALL && row + TALL <= rows.end {
            self.tile::<S, TALL, WIDE>(simd, row, panel);
            row += TALL;
        }
        if !SMALL && row + 4 <= rows.end {
            self.tile::<S, 4, WIDE>(simd, row, panel);
            row += 4;
        }
        for row in row..rows.end {
            self.tile::<S, 1, WIDE>(simd, row, panel);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const TALL: usize, const WIDE: usize>(&mut self, simd: S, row: usize, panel: Panel<'_>) {
        let a = Strided { data: self.a.from(row, panel.step), row: self.a.row, step: self.a.column };
        let b = Rows { data: panel.packed, pitch: WIDE * S::LANES };
        let tile: Tile<S, TALL, WIDE> = tile::accumulate(simd, tile::zero(simd), a, b, panel.depth);
        let accumulate = self.accumulate || panel.step > 0;
        for i in 0..TALL {
            let out = &mut self.c[(row + i) * self.pitch..][..self.columns];
            for j in 0..WIDE {
                let first = panel.column + j * S::LANES;
                if first >= self.columns {
                    break;
                }
                let part = Part { first, whole: first + S::LANES <= self.columns };
                let sum = match (accumulate, self.start.is_empty()) {
                    (true, _) => simd.add(part.read(simd, out), tile[i][j]),
                    (false, false) => simd.add(part.read(simd, self.start), tile[i][j]),
                    (false, true) => tile[i][j],
                };
                part.write(simd, sum, out);
            }
        }
    }
}

/// Copies a block of `b` into panels of `VECTORS` vectors' width, the last of one vector if that is enough.
#[inline(always)]
fn pack<S: Simd>(_: S, b: Matrix<'_>, steps: Range<usize>, columns: Range<usize>, mut packed: &mut [f32]) {
    for column in columns.clone().step_by(VECTORS * S::LANES) {
        let used = (columns.end - column).min(VECTORS * S::LANES);
        let width = used.next_multiple_of(S::LANES);
        let (panel, rest) = packed.split_at_mut(steps.len() * width);
        packed = rest;
        for (step, out) in steps.clone().zip(panel.chunks_exact_mut(width)) {
            let numbers = b.from(step, column);
            let (out, padding) = out.split_at_mut(used);
            if b.column == 1 {
                out.copy_from_slice(&numbers[..used]);
            } else {
                for j in 0..used {
                    out[j] = numbers[j * b.column];
                }
            }
            padding.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{Key, Stream};
    use crate::tensor::random;
    use std::{vec, vec::Vec};

    fn numbers(node: u32, len: usize) -> Vec<f32> {
        let mut out = vec![0.0; len];
        random::fill_normal(Backend::Scalar, Key::new(3, Stream::Input, 0, node), 1.0, &mut out);
        out
    }

    /// A matrix of `rows × columns` in storage with gaps, transposed or not.
    fn matrix(data: &[f32], rows: usize, columns: usize, gap: usize, transposed: bool) -> Matrix<'_> {
        if transposed { Matrix::new(data, rows + gap).transposed() } else { Matrix::new(data, columns + gap) }
    }

    #[test]
    fn products_of_every_form_and_size() {
        let sizes = [
            [0, 3, 2],
            [3, 0, 5],
            [1, 1, 1],
            [2, 3, 0],
            [7, 5, 3],
            [8, 16, 16],
            [9, 17, 33],
            [13, 31, 15],
            [65, 193, 7],
            [11, 400, 48],
            [5, 3, 530],
            [130, 64, 64],
        ];
        let (left, right) = (numbers(1, 70_000), numbers(2, 70_000));
        for backend in Backend::available() {
            for size in sizes {
                for form in 0..8 {
                    let [rows, inner, columns] = size;
                    let (gap, accumulate) = (form % 3, form >= 4);
                    let a = matrix(&left, rows, inner, gap, form & 1 != 0);
                    let b = matrix(&right, inner, columns, gap, form & 2 != 0);
                    let pitch = columns + gap;
                    let before = if accumulate { 0.5 } else { f32::NAN };
                    let mut c = vec![before; rows * pitch];
                    let mut scratch = vec![f32::NAN; gemm_scratch_len(inner, columns)];
                    gemm(backend, size, a, b, accumulate, &mut c, pitch, &mut scratch);
                    for i in 0..rows {
                        for j in 0..pitch {
                            let case = (backend.name(), size, form, i, j);
                            if j >= columns {
                                assert_eq!(c[i * pitch + j].to_bits(), before.to_bits(), "gap of {case:?}");
                                continue;
                            }
                            let products = (0..inner).map(|k| {
                                f64::from(a.data[i * a.row + k * a.column])
                                    * f64::from(b.data[k * b.row + j * b.column])
                            });
                            let start = if accumulate { 0.5 } else { 0.0 };
                            let expected = start + products.clone().sum::<f64>();
                            let magnitude = start + products.map(f64::abs).sum::<f64>();
                            let error = (f64::from(c[i * pitch + j]) - expected).abs();
                            let steps = (inner + 1) as f64;
                            assert!(error <= 2f64.powi(-24) * steps * magnitude, "{case:?}: {error:e}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_is_added_to_every_row() {
        let numbers = numbers(5, 9000);
        for backend in Backend::available() {
            for [rows, inner, columns] in [[1, 0, 3], [5, 7, 16], [13, 200, 37]] {
                let (a, b) = (Matrix::new(&numbers[..], inner), Matrix::new(&numbers[50..], columns));
                let row = &numbers[8000..8000 + columns];
                let (mut sum, mut product) = (vec![f32::NAN; rows * columns], vec![f32::NAN; rows * columns]);
                let mut scratch = vec![f32::NAN; gemm_scratch_len(inner, columns)];
                gemm_plus_row(backend, [rows, inner, columns], a, b, row, &mut sum, columns, &mut scratch);
                gemm(backend, [rows, inner, columns], a, b, false, &mut product, columns, &mut scratch);
                for (place, (sum, product)) in sum.iter().zip(product).enumerate() {
                    let expected = product + row[place % columns];
                    assert!((sum - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{sum} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn the_bits_of_a_row_do_not_depend_on_its_place() {
        let (left, right) = (numbers(3, 37 * 40), numbers(4, 40 * 24));
        for backend in Backend::available() {
            let product = |from: usize| {
                let rows = 37 - from;
                let (mut c, mut scratch) = (vec![0.0; rows * 24], vec![0.0; gemm_scratch_len(40, 24)]);
                let (a, b) = (Matrix::new(&left[from * 40..], 40), Matrix::new(&right, 24));
                gemm(backend, [rows, 40, 24], a, b, false, &mut c, 24, &mut scratch);
                c
            };
            let all = product(0);
            for from in [1, 5, 8, 36] {
                assert_eq!(product(from), all[from * 24..], "{} from row {from}", backend.name());
            }
        }
    }
}
