//! Square blocks of a matrix, copied out of it so that their rows lie together, and their products.

use super::real::Real;
use crate::base::SMALL;
use crate::simd::Simd;

/// Rows and columns of a block.
pub(super) const SIZE: usize = 32;

/// Numbers in a block.
pub(super) const LEN: usize = SIZE * SIZE;

/// A block, row after row.
pub(super) type Block<T> = [T; LEN];

/// [`blocks`], to be changed.
pub(super) fn blocks_mut<T>(numbers: &mut [T]) -> &mut [Block<T>] {
    numbers.as_chunks_mut().0
}

/// The blocks of a slice of numbers, without what is left over.
pub(super) fn blocks<T>(numbers: &[T]) -> &[Block<T>] {
    numbers.as_chunks().0
}

/// Copies the `rows × columns` corner of `matrix` (rows `stride` apart), times a power of two, to `block`, zeros elsewhere.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn load<T: Real>(
    matrix: &[f64],
    stride: usize,
    rows: usize,
    columns: usize,
    factor: f64,
    block: &mut Block<T>,
) {
    load_rows(matrix, stride, rows, columns, SIZE, factor, block);
    block[rows.min(SIZE) * SIZE..].fill(T::ZERO);
}

/// [`load`] that leaves the rows below the corner as they are, and what is beside it beyond so many columns.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn load_rows<T: Real>(
    matrix: &[f64],
    stride: usize,
    rows: usize,
    columns: usize,
    width: usize,
    factor: f64,
    block: &mut Block<T>,
) {
    let (rows, columns) = (rows.min(SIZE), columns.min(SIZE));
    let width = width.max(columns).min(SIZE);
    let copy = |row: &mut [T], numbers: &[f64]| {
        row.iter_mut().zip(numbers).for_each(|(to, &from)| *to = T::of(factor * from));
    };
    if !SMALL && (rows, columns) == (SIZE, SIZE) {
        for (i, row) in block.chunks_exact_mut(SIZE).enumerate() {
            copy(row, &matrix[i * stride..][..SIZE]); // of known length
        }
        return;
    }
    for (i, row) in block.chunks_exact_mut(SIZE).take(rows).enumerate() {
        let (inside, outside) = row[..width].split_at_mut(columns);
        if columns > 0 {
            copy(inside, &matrix[i * stride..][..columns]);
        }
        outside.fill(T::ZERO);
    }
}

/// Copies the corner of `block` that lies inside to the `rows × columns` corner of `matrix` (rows `stride` apart).
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn store(block: &Block<f64>, matrix: &mut [f64], stride: usize, rows: usize, columns: usize) {
    let (rows, columns) = (rows.min(SIZE), columns.min(SIZE));
    if !SMALL && (rows, columns) == (SIZE, SIZE) {
        for (i, row) in block.chunks_exact(SIZE).enumerate() {
            matrix[i * stride..][..SIZE].copy_from_slice(row); // of known length
        }
        return;
    }
    for (i, row) in block.chunks_exact(SIZE).take(rows).enumerate() {
        let to = &mut matrix[i * stride..][..columns];
        if SMALL {
            to.copy_from_slice(&row[..columns]);
            continue;
        }
        // Short rows are not worth a call.
        let (vectors, rest) = to.as_chunks_mut::<8>();
        for (to, from) in vectors.iter_mut().zip(row.as_chunks().0) {
            *to = *from;
        }
        let done = columns - rest.len();
        rest.iter_mut().zip(&row[done..]).for_each(|(to, &from)| *to = from);
    }
}

/// Transposes in place.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn transpose<T>(block: &mut Block<T>) {
    for i in 1..SIZE {
        for j in 0..i {
            block.swap(i * SIZE + j, j * SIZE + i);
        }
    }
}

/// `out ← out + a·b`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn add_product<S: Simd, T: Real>(simd: S, a: &Block<T>, b: &Block<T>, out: &mut Block<T>) {
    add_in_tiles::<S, T, false>(simd, a, b, [SIZE; 3], out);
}

/// `out ← out + aᵀ·b`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn add_transposed_product<S: Simd, T: Real>(simd: S, a: &Block<T>, b: &Block<T>, out: &mut Block<T>) {
    add_in_tiles::<S, T, true>(simd, a, b, [SIZE; 3], out);
}

/// [`add_transposed_product`] of corners: so many rows of both, columns of a and columns of b. What lies outside of the
/// `columns × columns` corner of `out` is not to be used.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn add_transposed_product_of_corners<S: Simd, T: Real>(
    simd: S,
    a: &Block<T>,
    b: &Block<T>,
    corners: [usize; 3],
    out: &mut Block<T>,
) {
    let corners = corners.map(|extent| extent.min(SIZE));
    if !SMALL && corners[2] <= 2 * T::lanes::<S>() {
        // In tiles of one vector.
        return add_tiled::<S, T, 8, 1, true>(simd, a, b, corners, out);
    }
    add_in_tiles::<S, T, true>(simd, a, b, corners, out);
}

/// Adds the product in tiles of sixteen accumulators where there are registers for them, else eight; no wider than a block.
#[inline(always)]
fn add_in_tiles<S: Simd, T: Real, const TRANSPOSED: bool>(
    simd: S,
    a: &Block<T>,
    b: &Block<T>,
    corners: [usize; 3],
    out: &mut Block<T>,
) {
    if S::REGISTERS < 32 {
        add_tiled::<S, T, 4, 2, TRANSPOSED>(simd, a, b, corners, out);
    } else if 4 * T::lanes::<S>() <= SIZE {
        add_tiled::<S, T, 4, 4, TRANSPOSED>(simd, a, b, corners, out);
    } else {
        add_tiled::<S, T, 8, 2, TRANSPOSED>(simd, a, b, corners, out);
    }
}

/// Adds the product in tiles of `R` rows and `C` vectors: sums of so many products, so many rows and columns at least.
#[inline(always)]
fn add_tiled<S: Simd, T: Real, const R: usize, const C: usize, const TRANSPOSED: bool>(
    simd: S,
    a: &Block<T>,
    b: &Block<T>,
    [depth, rows, columns]: [usize; 3],
    out: &mut Block<T>,
) {
    let lanes = T::lanes::<S>();
    for i in (0..rows).step_by(R) {
        for j in (0..columns).step_by(C * lanes) {
            let mut tile = [[T::splat(simd, T::ZERO); C]; R];
            for r in 0..R {
                for c in 0..C {
                    tile[r][c] = T::load(simd, &out[(i + r) * SIZE + j + c * lanes..]);
                }
            }
            for k in 0..depth {
                let mut right = [T::splat(simd, T::ZERO); C];
                for c in 0..C {
                    right[c] = T::load(simd, &b[k * SIZE + j + c * lanes..]);
                }
                for r in 0..R {
                    let left = if TRANSPOSED { a[k * SIZE + i + r] } else { a[(i + r) * SIZE + k] };
                    let left = T::splat(simd, left);
                    for c in 0..C {
                        tile[r][c] = T::mul_add(simd, left, right[c], tile[r][c]);
                    }
                }
            }
            for r in 0..R {
                for c in 0..C {
                    T::store(simd, tile[r][c], &mut out[(i + r) * SIZE + j + c * lanes..]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};

    struct Product<'a, T> {
        transposed: bool,
        a: &'a Block<T>,
        b: &'a Block<T>,
        out: &'a mut Block<T>,
    }

    impl<T: Real> Kernel for Product<'_, T> {
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

    fn check_products<T: Real>() {
        let a: Block<T> = core::array::from_fn(|at| T::of((at * 7 % 23) as f64 - 11.0));
        let b: Block<T> = core::array::from_fn(|at| T::of((at * 5 % 19) as f64 - 9.0));
        let start: Block<T> = core::array::from_fn(|at| T::of(at as f64));
        let mut a_transposed = a;
        transpose(&mut a_transposed);
        for (transposed, left) in [(false, &a), (true, &a_transposed)] {
            for backend in Backend::available() {
                let mut out = start;
                backend.run(Product { transposed, a: left, b: &b, out: &mut out });
                for i in 0..SIZE {
                    for j in 0..SIZE {
                        let product: f64 = (0..SIZE).map(|k| a[i * SIZE + k].double() * b[k * SIZE + j].double()).sum();
                        let expected = start[i * SIZE + j].double() + product;
                        assert_eq!(out[i * SIZE + j].double(), expected, "{backend:?} {i} {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_are_exact_on_small_integers() {
        check_products::<f32>();
        check_products::<f64>();
    }

    struct CornerProduct<'a, T> {
        a: &'a Block<T>,
        b: &'a Block<T>,
        corners: [usize; 3],
        out: &'a mut Block<T>,
    }

    impl<T: Real> Kernel for CornerProduct<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            add_transposed_product_of_corners(simd, self.a, self.b, self.corners, self.out);
        }
    }

    #[test]
    fn products_of_corners_read_no_rows_behind_them() {
        let extents = [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 40];
        for depth in extents {
            // Zeros beside the corner, anything below.
            let corner = |columns: usize, factor: usize| -> Block<f64> {
                core::array::from_fn(|at| match (at / SIZE, at % SIZE) {
                    (row, _) if row >= depth => f64::NAN,
                    (_, column) if column >= columns => 0.0,
                    _ => (at * factor % 23) as f64 - 11.0,
                })
            };
            for (rows, columns) in extents.into_iter().flat_map(|rows| extents.map(|columns| (rows, columns))) {
                let (a, b) = (corner(rows, 7), corner(columns, 5));
                for backend in Backend::available() {
                    let mut out = [1.0; LEN];
                    backend.run(CornerProduct { a: &a, b: &b, corners: [depth, rows, columns], out: &mut out });
                    for (i, j) in (0..rows.min(SIZE)).flat_map(|i| (0..columns.min(SIZE)).map(move |j| (i, j))) {
                        let product: f64 = (0..depth.min(SIZE)).map(|k| a[k * SIZE + i] * b[k * SIZE + j]).sum();
                        assert_eq!(out[i * SIZE + j], 1.0 + product, "{backend:?} {depth} {rows} {columns} {i} {j}");
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
            let (mut block, mut singles) = ([-1.0; LEN], [-1.0f32; LEN]);
            load(&matrix, stride, rows, columns, 1.0, &mut block);
            load(&matrix, stride, rows, columns, 0.5, &mut singles);
            let mut copy = std::vec![0.0; stride * stride];
            store(&block, &mut copy, stride, rows, columns);
            for i in 0..stride {
                for j in 0..stride {
                    let inside = i < rows.min(SIZE) && j < columns.min(SIZE);
                    let expected = if inside { matrix[i * stride + j] } else { 0.0 };
                    assert_eq!(copy[i * stride + j], expected);
                    if i < SIZE && j < SIZE {
                        assert_eq!(block[i * SIZE + j], expected);
                        assert_eq!(f64::from(singles[i * SIZE + j]), 0.5 * expected);
                    }
                }
            }
        }
    }
}
