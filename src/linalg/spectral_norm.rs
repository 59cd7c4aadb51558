//! The largest singular value of a matrix.
//!
//! It is the root of the largest eigenvalue of the Gram matrix of the shorter side. The squaring that makes Gram
//! matrices lose small singular values costs the largest one nothing.

use super::block::{self, SIZE};
use super::magnitude::{largest_magnitude, scale};
use super::{householder, spectrum, tridiagonal};
use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd, root};

/// Numbers of scratch that [`spectral_norm`] needs for a matrix of `rows × columns`.
pub const fn scratch_len(rows: usize, columns: usize) -> usize {
    let n = order(rows, columns);
    let strip = (n.div_ceil(SIZE) + 1) * block::LEN;
    let solver = 2 * n + spectrum::reduction_scratch_len(n);
    n * n + if strip > solver { strip } else { solver }
}

/// The order of the Gram matrix, padded with zeros to the smallest that can be reduced.
const fn order(rows: usize, columns: usize) -> usize {
    let shorter = if rows < columns { rows } else { columns };
    if shorter < householder::MIN_ORDER { householder::MIN_ORDER } else { shorter }
}

/// The largest singular value of the row-major `rows × columns` matrix.
///
/// `scratch` holds [`scratch_len`]`(rows, columns)` numbers or more. The relative error is at most `ε · rows ·
/// columns` (rounding of the Gram matrix, worst case: 1.2e-10 for 2048 × 512) and usually below 1e-14, at any scale.
/// 0 for a matrix of zeros or without elements; NaN if the matrix holds an infinity or a NaN.
pub fn spectral_norm(backend: Backend, matrix: &[f64], rows: usize, columns: usize, scratch: &mut [f64]) -> f64 {
    let matrix = &matrix[..rows * columns];
    let Some(largest) = largest_magnitude(backend, matrix) else {
        return f64::NAN;
    };
    if largest == 0.0 {
        return 0.0;
    }
    let (factor, inverse) = scale(largest);
    let n = order(rows, columns);
    let (gram, scratch) = scratch.split_at_mut(n * n);
    backend.run(Gram { matrix, rows, columns, factor, gram, n, scratch });
    let (diagonal, scratch) = scratch.split_at_mut(n);
    let (squares, scratch) = scratch.split_at_mut(n);
    let squares = &mut squares[..n - 1];
    spectrum::tridiagonalize(backend, gram, n, 1.0, diagonal, squares, scratch);
    // The inverse of a factor may overflow a norm that is finite only when scaled: the answer is then infinite.
    root::sqrt(tridiagonal::largest_eigenvalue(backend, diagonal, squares)) * inverse
}

/// The Gram matrix of the shorter side of `factor · matrix`.
struct Gram<'a> {
    matrix: &'a [f64],
    rows: usize,
    columns: usize,
    factor: f64,
    gram: &'a mut [f64],
    n: usize,
    scratch: &'a mut [f64],
}

impl Kernel for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { matrix, rows, columns, factor, gram, n, scratch } = self;
        let tall = rows >= columns;
        let (shorter, longer) = if tall { (columns, rows) } else { (rows, columns) };
        let strip_blocks = n.div_ceil(SIZE);
        let (strip, rest) = block::blocks_mut(scratch).split_at_mut(strip_blocks);
        let product = &mut rest[0];
        if SMALL {
            gram.fill(0.0);
        }
        for depth in (0..longer).step_by(SIZE) {
            // Blocks of `SIZE` along the longer side × `SIZE` along the shorter.
            for (i, block) in strip.iter_mut().enumerate() {
                let across = i * SIZE;
                if tall {
                    let corner = &matrix[depth * columns + across..];
                    // Zeros make it as wide as the Gram matrix; what lies beyond meets nothing of it.
                    block::load_rows(corner, columns, rows - depth, shorter - across, n - across, factor, block);
                } else {
                    let corner = &matrix[across * columns + depth..];
                    block::load(corner, columns, shorter - across, columns - depth, factor, block);
                    block::transpose(block);
                }
            }
            for i in 0..strip_blocks {
                for j in i..strip_blocks {
                    let corner = &mut gram[i * SIZE * n + j * SIZE..];
                    if depth == 0 && !SMALL {
                        product[..(n - i * SIZE).min(SIZE) * SIZE].fill(0.0);
                    } else {
                        block::load_rows(corner, n, n - i * SIZE, n - j * SIZE, 0, 1.0, product);
                    }
                    let corners = [longer - depth, n - i * SIZE, n - j * SIZE];
                    block::add_transposed_product_of_corners(simd, &strip[i], &strip[j], corners, product);
                    block::store(product, corner, n, n - i * SIZE, n - j * SIZE);
                }
            }
        }
        for i in 1..n {
            for j in 0..i {
                gram[i * n + j] = gram[j * n + i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use std::vec;
    use std::vec::Vec;

    fn norm(backend: Backend, matrix: &[f64], rows: usize, columns: usize) -> f64 {
        // What the scratch holds must not matter.
        let mut scratch = vec![f64::NAN; scratch_len(rows, columns)];
        spectral_norm(backend, matrix, rows, columns, &mut scratch)
    }

    fn random(rows: usize, columns: usize) -> Vec<f64> {
        let mut state = (rows * 1000 + columns) as u64 | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        };
        (0..rows * columns).map(|_| next()).collect()
    }

    #[test]
    fn agrees_with_nalgebra_at_any_shape_and_scale() {
        let shapes = [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 100];
        for rows in shapes {
            for columns in shapes {
                let matrix = random(rows, columns);
                let expected = DMatrix::from_row_slice(rows, columns, &matrix).singular_values()[0];
                let scale = [1.0, 1e-300, 1e-150, 1e150, 1e300][(rows + columns) % 5];
                for backend in Backend::available() {
                    let scaled: Vec<f64> = matrix.iter().map(|x| x * scale).collect();
                    let value = norm(backend, &scaled, rows, columns) / scale;
                    let error = (value - expected).abs() / expected;
                    assert!(error <= 1e-13, "{rows} × {columns} times {scale:e}: {value} not {expected}, {error:e}");
                }
            }
        }
    }

    #[test]
    fn knows_simple_norms() {
        for (rows, columns) in [(1, 1), (1, 40), (40, 1), (16, 16), (33, 70), (130, 64), (300, 17), (400, 390)] {
            let (shorter, area) = (rows.min(columns), rows * columns);
            let ones = vec![1.0; area];
            let diagonal: Vec<f64> = (0..area)
                .map(|at| if at / columns == at % columns { -((at % columns + 1) as f64) } else { 0.0 })
                .collect();
            let identity: Vec<f64> = diagonal.iter().map(|&x| if x != 0.0 { 1.0 } else { 0.0 }).collect();
            let cases = [(ones, (area as f64).sqrt()), (diagonal, shorter as f64), (identity, 1.0)];
            for backend in Backend::available() {
                for (matrix, expected) in &cases {
                    let value = norm(backend, matrix, rows, columns);
                    assert!((value / expected - 1.0).abs() <= 1e-14, "{rows} × {columns}: {value} not {expected}");
                }
                assert_eq!(norm(backend, &vec![0.0; area], rows, columns), 0.0);
            }
        }
    }

    #[test]
    fn answers_nan_to_what_is_not_finite_and_zero_to_nothing() {
        for backend in Backend::available() {
            for (rows, columns) in [(1, 1), (5, 9), (64, 16)] {
                for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let mut matrix = random(rows, columns);
                    matrix[rows * columns - 1] = bad;
                    assert!(norm(backend, &matrix, rows, columns).is_nan());
                }
            }
            for (rows, columns) in [(0, 0), (0, 4), (4, 0)] {
                assert_eq!(norm(backend, &[], rows, columns), 0.0);
            }
        }
    }
}
