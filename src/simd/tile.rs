//! The register tile of a matrix product: the inner loop of products, covariances and convolutions.
//!
//! A tile has `ROWS × VECTORS` accumulators, which must fit the registers beside `VECTORS` vectors of the right
//! factor: 8 × 2 where [`Simd::REGISTERS`] is 32, 4 × 2 where it is 16. Fewer than 8 accumulators do not hide the
//! latency of a multiply-add.
#![allow(unsafe_code)]

use super::Simd;

/// Numbers at two strides: the left factor of a tile, element (i, k) at `data[i · row + k · step]`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    /// The numbers, starting with element (0, 0).
    pub(crate) data: &'a [f32],
    /// From a row of the tile to the next.
    pub(crate) row: usize,
    /// From a step of the sum to the next.
    pub(crate) step: usize,
}

/// Rows of vectors: the right factor of a tile, vector j of step k at `data[k · pitch + j · LANES ..]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The numbers, starting with the first vector of the first step.
    pub(crate) data: &'a [f32],
    /// From a step of the sum to the next.
    pub(crate) pitch: usize,
}

/// An accumulator for each vector of a tile.
pub(crate) type Tile<S, const ROWS: usize, const VECTORS: usize> = [[<S as Simd>::F32; VECTORS]; ROWS];

/// A tile of zeros.
#[inline(always)]
pub(crate) fn zero<S: Simd, const ROWS: usize, const VECTORS: usize>(simd: S) -> Tile<S, ROWS, VECTORS> {
    [[simd.splat(0.0); VECTORS]; ROWS]
}

/// `tile[i][j] + Σ a[i, k] · b[k, j]` over the first `depth` steps k, in ascending order.
///
/// # Panics
/// If a factor has fewer steps, rows or vectors.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    mut tile: Tile<S, ROWS, VECTORS>,
    a: Strided<'_>,
    b: Rows<'_>,
    depth: usize,
) -> Tile<S, ROWS, VECTORS> {
    if depth == 0 {
        return tile;
    }
    assert!(reach(&[(ROWS, a.row), (depth, a.step)], 1) <= a.data.len());
    assert!(reach(&[(depth, b.pitch)], VECTORS * S::LANES) <= b.data.len());
    let (mut a_step, mut b_step) = (a.data.as_ptr(), b.data.as_ptr());
    for _ in 0..depth {
        // SAFETY: in step k the pointers stand at k · a.step and k · b.pitch. What is read from there, up to
        // (ROWS - 1) · a.row and VECTORS · LANES numbers on, lies in the slices by the assertions.
        unsafe {
            let mut row = [simd.splat(0.0); VECTORS];
            for j in 0..VECTORS {
                row[j] = simd.load_ptr(b_step.add(j * S::LANES));
            }
            for i in 0..ROWS {
                let factor = simd.splat(*a_step.add(i * a.row));
                for j in 0..VECTORS {
                    tile[i][j] = simd.mul_add(factor, row[j], tile[i][j]);
                }
            }
        }
        a_step = a_step.wrapping_add(a.step);
        b_step = b_step.wrapping_add(b.pitch);
    }
    tile
}

/// The length of a slice that holds `width` numbers at the last of positive `counts` with these strides.
#[inline(always)]
fn reach(axes: &[(usize, usize)], width: usize) -> usize {
    // Saturated sums exceed the length of any slice of numbers.
    axes.iter().fold(width, |reach, &(count, stride)| reach.saturating_add((count - 1).saturating_mul(stride)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::{vec, vec::Vec};

    struct Product<'a> {
        a: Strided<'a>,
        b: Rows<'a>,
        depth: usize,
        out: &'a mut Vec<f32>,
    }

    impl Kernel for Product<'_> {
        type Output = usize;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> usize {
            let tile = accumulate::<S, 3, 2>(simd, zero(simd), self.a, self.b, self.depth);
            self.out.resize(6 * S::LANES, f32::NAN);
            for (out, &vector) in self.out.chunks_exact_mut(S::LANES).zip(tile.as_flattened()) {
                simd.store(vector, out);
            }
            S::LANES
        }
    }

    #[test]
    fn a_tile_is_the_sum_of_products() {
        let a: Vec<f32> = (0..64).map(|i| (i % 7) as f32 - 3.0).collect();
        let b: Vec<f32> = (0..400).map(|i| (i % 11) as f32 - 5.0).collect();
        for backend in Backend::available() {
            for (row, step, pitch, depth) in [(9, 1, 33, 9), (1, 5, 40, 8), (0, 1, 32, 1), (3, 3, 0, 7), (1, 1, 32, 0)]
            {
                let mut out = vec![];
                let product =
                    Product { a: Strided { data: &a, row, step }, b: Rows { data: &b, pitch }, depth, out: &mut out };
                let lanes = backend.run(product);
                for i in 0..3 {
                    for j in 0..2 * lanes {
                        // Small integers: exact in any order.
                        let expected: f32 = (0..depth).map(|k| a[i * row + k * step] * b[k * pitch + j]).sum();
                        assert_eq!(out[i * 2 * lanes + j], expected, "{} {depth} ({i}, {j})", backend.name());
                    }
                }
            }
        }
    }

    #[test]
    fn factors_that_are_too_short_are_refused() {
        let numbers = [0.0; 64];
        let refused = |row, step, pitch, depth| {
            let (a, b) = (Strided { data: &numbers, row, step }, Rows { data: &numbers, pitch });
            std::panic::catch_unwind(|| Backend::Scalar.run(Product { a, b, depth, out: &mut vec![] })).is_err()
        };
        assert!(!refused(1, 1, 8, 8));
        assert!(refused(1, 1, 8, 9));
        assert!(refused(31, 2, 0, 2));
        assert!(refused(1, usize::MAX, 0, 3));
        assert!(refused(usize::MAX, 1, 0, 1));
        assert!(refused(0, 0, usize::MAX, 2));
    }
}
