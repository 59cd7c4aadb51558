//! Square blocks of a matrix, copied out of it so that their rows lie together, and their products.

use crate::simd::{SMALL, Simd};

/// Rows and columns of a block.
pub(super) const SIZE: usize = 32;

/// Numbers in a block.
pub(super) const LEN: usize = SIZE * SIZE;

/// A block, row after row.
pub(super) type Block = [f64; LEN];

/// [`blocks`], to be changed.
pub(super) fn blocks_mut(numbers: &mut [f64]) -> &mut [Block] {
    numbers.as_chunks_mut().0
}

/// The blocks of a slice of numbers, without what is left over.
pub(super) fn blocks(numbers: &[f64]) -> &[Block] {
    numbers.as_chunks().0
}

/// Copies the `rows × columns` corner of `matrix` (rows `stride` apart) to `block`, zeros elsewhere.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn load(matrix: &[f64], stride: usize, rows: usize, columns: usize, block: &mut Block) {
    let (rows, columns) = (rows.min(SIZE), columns.min(SIZE));
    if !SMALL && (rows, columns) == (SIZE, SIZE) {
        for (i, row) in block.chunks_exact_mut(SIZE).enumerate() {
            row.copy_from_slice(&matrix[i * stride..][..SIZE]); // of known length
        }
        return;
    }
    for (i, row) in block.chunks_exact_mut(SIZE).enumerate() {
        let filled = if i < rows { columns } else { 0 };
        if filled > 0 {
            row[..filled].copy_from_slice(&matrix[i * stride..][..filled]);
        }
        row[filled..].fill(0.0);
    }
}

/// Copies the corner of `block` that lies inside to the `rows × columns` corner of `matrix` (rows `stride` apart).
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn store(block: &Block, matrix: &mut [f64], stride: usize, rows: usize, columns: usize) {
    let (rows, columns) = (rows.min(SIZE), columns.min(SIZE));
    if !SMALL && (rows, columns) == (SIZE, SIZE) {
        for (i, row) in block.chunks_exact(SIZE).enumerate() {
            matrix[i * stride..][..SIZE].copy_from_slice(row); // of known length
        }
        return;
    }
    for (i, row) in block.chunks_exact(SIZE).take(rows).enumerate() {
        matrix[i * stride..][..columns].copy_from_slice(&row[..columns]);
    }
}

/// Transposes in place.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn transpose(block: &mut Block) {
    for i in 1..SIZE {
        for j in 0..i {
            block.swap(i * SIZE + j, j * SIZE + i);
        }
    }
}

/// `out ← out + a·b`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn add_product<S: Simd>(simd: S, a: &Block, b: &Block, out: &mut Block) {
    // Sixteen accumulators where there are registers for them, else eight.
    if S::REGISTERS >= 32 {
        add_product_by_columns::<S, 4, false>(simd, a, b, out);
    } else {
        add_product_by_columns::<S, 2, false>(simd, a, b, out);
    }
}

/// `out ← out + aᵀ·b`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn add_transposed_product<S: Simd>(simd: S, a: &Block, b: &Block, out: &mut Block) {
    if S::REGISTERS >= 32 {
        add_product_by_columns::<S, 4, true>(simd, a, b, out);
    } else {
        add_product_by_columns::<S, 2, true>(simd, a, b, out);
    }
}

/// Rows of a tile of accumulators.
const TILE_ROWS: usize = 4;

/// Adds the product in tiles of four rows and `C` vectors.
#[inline(always)]
fn add_product_by_columns<S: Simd, const C: usize, const TRANSPOSED: bool>(
    simd: S,
    a: &Block,
    b: &Block,
    out: &mut Block,
) {
    let lanes = S::LANES_F64;
    for i in (0..SIZE).step_by(TILE_ROWS) {
        for j in (0..SIZE).step_by(C * lanes) {
            let mut tile = [[simd.splat_f64(0.0); C]; TILE_ROWS];
            for r in 0..TILE_ROWS {
                for c in 0..C {
                    tile[r][c] = simd.load_f64(&out[(i + r) * SIZE + j + c * lanes..]);
                }
            }
            for k in 0..SIZE {
                let mut right = [simd.splat_f64(0.0); C];
                for c in 0..C {
                    right[c] = simd.load_f64(&b[k * SIZE + j + c * lanes..]);
                }
                for r in 0..TILE_ROWS {
                    let left = if TRANSPOSED { a[k * SIZE + i + r] } else { a[(i + r) * SIZE + k] };
                    let left = simd.splat_f64(left);
                    for c in 0..C {
                        tile[r][c] = simd.mul_add_f64(left, right[c], tile[r][c]);
                    }
                }
            }
            for r in 0..TILE_ROWS {
                for c in 0..C {
                    simd.store_f64(tile[r][c], &mut out[(i + r) * SIZE + j + c * lanes..]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};

    struct Product<'a> {
        transposed: bool,
        a: &'a Block,
        b: &'a Block,
        out: &'a mut Block,
    }

    impl Kernel for Product<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            if self.transposed {
                add_transposed_product(simd, self.a, self.b, self.out);
            } else {
                add_product(simd, self.a, self.b, self.out);
            }
        }
    }

    #[test]
    fn products_are_exact_on_small_integers() {
        let a: Block = core::array::from_fn(|at| (at * 7 % 23) as f64 - 11.0);
        let b: Block = core::array::from_fn(|at| (at * 5 % 19) as f64 - 9.0);
        let start: Block = core::array::from_fn(|at| at as f64);
        let mut a_transposed = a;
        transpose(&mut a_transposed);
        for (transposed, left) in [(false, &a), (true, &a_transposed)] {
            for backend in Backend::available() {
                let mut out = start;
                backend.run(Product { transposed, a: left, b: &b, out: &mut out });
                for i in 0..SIZE {
                    for j in 0..SIZE {
                        let product: f64 = (0..SIZE).map(|k| a[i * SIZE + k] * b[k * SIZE + j]).sum();
                        assert_eq!(out[i * SIZE + j], start[i * SIZE + j] + product, "{backend:?} {i} {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn loads_and_stores_corners() {
        let stride = 41;
        let matrix: std::vec::Vec<f64> = (0..stride * stride).map(|at| at as f64 + 1.0).collect();
        for (rows, columns) in [(0, 0), (1, 1), (0, 5), (31, 33), (40, 3), (41, 41)] {
            let mut block = [-1.0; LEN];
            load(&matrix, stride, rows, columns, &mut block);
            let mut copy = std::vec![0.0; stride * stride];
            store(&block, &mut copy, stride, rows, columns);
            for i in 0..stride {
                for j in 0..stride {
                    let inside = i < rows.min(SIZE) && j < columns.min(SIZE);
                    let expected = if inside { matrix[i * stride + j] } else { 0.0 };
                    assert_eq!(copy[i * stride + j], expected);
                    if i < SIZE && j < SIZE {
                        assert_eq!(block[i * SIZE + j], expected);
                    }
                }
            }
        }
    }
}
