//! Reduction of a large symmetric matrix to tridiagonal form in two stages: to a band, then along the band.
//!
//! A one-stage reduction reads the whole matrix once per row and waits for memory. The first stage here clears
//! [`SIZE`] rows at a time, so that all of its work but a sliver is products of blocks (Bischof, Lang and Sun, *A
//! framework for symmetric band reduction*, 2000). The second stage chases the band's bulges down in a band that fits
//! the second-level cache.

use super::block::{self, Block, SIZE};
use super::reflector::{Reflector, combine, dot};
use crate::simd::{Backend, Kernel, Simd};

/// Elements kept of a row of the band: `SIZE` left of the diagonal, the diagonal, and `2·SIZE - 1` right of it.
const BAND_WIDTH: usize = 3 * SIZE;

/// Blocks of scratch besides those that follow the order.
const SMALL_BLOCKS: usize = 4;

/// Numbers of scratch that [`tridiagonalize`] needs.
pub(super) const fn scratch_len(n: usize) -> usize {
    // The blocks of the first stage, three per `SIZE` rows, take the place that the band has in the second.
    SMALL_BLOCKS * block::LEN + BAND_WIDTH * (n + SIZE)
}

/// Reduces the symmetric `n × n` row-major `matrix` (scaled near one, destroyed) to a tridiagonal one with the same
/// eigenvalues: its `diagonal` (`n` numbers) and the `squares` of its off-diagonal (`n - 1`).
#[inline(never)] // its blocks are a burden for the stack of the one-stage reduction
pub(super) fn tridiagonalize(
    backend: Backend,
    matrix: &mut [f64],
    n: usize,
    diagonal: &mut [f64],
    squares: &mut [f64],
    scratch: &mut [f64],
) {
    let (small, large) = scratch[..scratch_len(n)].split_at_mut(SMALL_BLOCKS * block::LEN);
    backend.run(ReduceToBand {
        matrix: &mut matrix[..n * n],
        n,
        small: block::blocks_mut(small),
        large: block::blocks_mut(large),
    });
    copy_band(matrix, n, large);
    backend.run(ReduceBand { band: large, n, diagonal: &mut diagonal[..n], squares: &mut squares[..n - 1] });
}

/// The first stage. Leaves a symmetric band of half-width `SIZE` in the upper triangle of the matrix, and complete
/// diagonal blocks.
struct ReduceToBand<'a> {
    matrix: &'a mut [f64],
    n: usize,
    small: &'a mut [Block],
    large: &'a mut [Block],
}

impl Kernel for ReduceToBand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { matrix, n, small, large } = self;
        let [tile, gram, t, product] = small else { unreachable!("there are SMALL_BLOCKS") };
        let count = n.div_ceil(SIZE);
        let (v, rest) = large.split_at_mut(count);
        let (v_transposed, rest) = rest.split_at_mut(count);
        let x = &mut rest[..count];

        // Each step makes the reflections Q = I − V·T·Vᵀ that turn the part of `SIZE` rows right of the diagonal
        // block into a lower triangle, and applies them from both sides to what lies below, in place:
        // QᵀAQ = A + V·Xᵀ + X·Vᵀ with X = (½·V·Tᵀ·VᵀY − Y)·T and Y = A·V.
        for start in (SIZE..n).step_by(SIZE) {
            let size = n - start;
            let count = size.div_ceil(SIZE);
            let panel = &mut matrix[(start - SIZE) * n..];
            let (mut weights, mut lower) = ([0.0; SIZE], [0.0; block::LEN]);
            factor_panel(simd, panel, n, start, &mut weights, &mut lower);
            gram.fill(0.0);
            for i in 0..count {
                let inside = size - i * SIZE;
                block::load(&panel[start + i * SIZE..], n, SIZE, inside, &mut v_transposed[i]);
                v[i] = v_transposed[i];
                block::transpose(&mut v[i]);
                block::add_transposed_product(simd, &v[i], &v[i], gram);
                x[i].fill(0.0);
            }
            block::store(&lower, &mut panel[start..], n, SIZE, size);

            let trailing = &mut matrix[start * n + start..];
            for i in 0..count {
                for j in i..count {
                    let corner = &trailing[i * SIZE * n + j * SIZE..];
                    block::load(corner, n, size - i * SIZE, size - j * SIZE, tile);
                    block::add_product(simd, tile, &v[j], &mut x[i]);
                    if j > i {
                        block::add_transposed_product(simd, tile, &v[i], &mut x[j]);
                    }
                }
            }

            accumulate(&weights, gram, t);
            product.fill(0.0);
            for (v, y) in v.iter().zip(&x[..count]) {
                block::add_transposed_product(simd, v, y, product);
            }
            let half = &mut *gram;
            half.fill(0.0);
            block::add_transposed_product(simd, t, product, half);
            half.iter_mut().for_each(|value| *value *= -0.5);
            t.iter_mut().for_each(|value| *value = -*value);
            for (v, x) in v.iter().zip(&mut x[..count]) {
                block::add_product(simd, v, half, x);
                product.fill(0.0);
                block::add_product(simd, x, t, product);
                *x = *product;
                block::transpose(x);
            }

            for i in 0..count {
                for j in i..count {
                    let corner = &mut trailing[i * SIZE * n + j * SIZE..];
                    block::load(corner, n, size - i * SIZE, size - j * SIZE, tile);
                    block::add_transposed_product(simd, &v_transposed[i], &x[j], tile);
                    block::add_transposed_product(simd, &x[i], &v_transposed[j], tile);
                    block::store(tile, corner, n, size - i * SIZE, size - j * SIZE);
                }
            }
        }
    }
}

/// Turns the columns from `start` on of the first `SIZE` rows of `panel` (rows of `n`) into a lower triangle by
/// reflections from the right. The triangle goes to `lower`, the vectors of the reflections take the place of the rows.
#[inline(always)]
fn factor_panel<S: Simd>(
    simd: S,
    panel: &mut [f64],
    n: usize,
    start: usize,
    weights: &mut [f64; SIZE],
    lower: &mut Block,
) {
    for i in 0..SIZE {
        let (rows, below) = panel.split_at_mut((i + 1) * n);
        let row = &mut rows[i * n + start..][..n - start];
        let pivot = i.min(row.len());
        lower[i * SIZE..][..pivot].copy_from_slice(&row[..pivot]);
        row[..pivot].fill(0.0);
        if pivot == row.len() {
            continue;
        }
        let v = &mut row[pivot..];
        let reflector = Reflector::replace(simd, v, 0);
        lower[i * SIZE + i] = reflector.image;
        weights[i] = reflector.weight;
        for other in below.chunks_exact_mut(n).take(SIZE - 1 - i) {
            let other = &mut other[start + pivot..];
            let along = dot(simd, v, other);
            combine(simd, -reflector.weight * along, v, 1.0, other);
        }
    }
}

/// The upper triangle T with `(I − β₀v₀v₀ᵀ)(I − β₁v₁v₁ᵀ)… = I − V·T·Vᵀ`, from the weights β and the products `gram` of
/// the vectors.
fn accumulate(weights: &[f64; SIZE], gram: &Block, t: &mut Block) {
    t.fill(0.0);
    for (j, &weight) in weights.iter().enumerate() {
        for i in 0..j {
            let sum: f64 = (i..j).map(|k| t[i * SIZE + k] * gram[k * SIZE + j]).sum();
            t[i * SIZE + j] = -weight * sum;
        }
        t[j * SIZE + j] = weight;
    }
}

/// Where the band keeps the element in `row` and `column`. Equal columns of successive rows are `BAND_WIDTH - 1` apart.
#[inline(always)]
fn at(row: usize, column: usize) -> usize {
    row * BAND_WIDTH + SIZE + column - row
}

/// Copies the band out of the upper triangle of `matrix` to both sides of the diagonal of `band`; zeros around it.
fn copy_band(matrix: &[f64], n: usize, band: &mut [f64]) {
    band.fill(0.0);
    for i in 0..n {
        for j in i..n.min(i + SIZE + 1) {
            band[at(i, j)] = matrix[i * n + j];
            band[at(j, i)] = matrix[i * n + j];
        }
    }
}

/// The second stage. Below the last row the band goes on with zeros, so that all windows are whole.
struct ReduceBand<'a> {
    band: &'a mut [f64],
    n: usize,
    diagonal: &'a mut [f64],
    squares: &'a mut [f64],
}

/// A reflection of `SIZE` rows or columns.
struct Window {
    v: [f64; SIZE],
    reflector: Reflector,
}

impl Window {
    #[inline(always)]
    fn new<S: Simd>(simd: S, mut v: [f64; SIZE]) -> Self {
        let reflector = Reflector::replace(simd, &mut v, 0);
        Self { v, reflector }
    }
}

impl Kernel for ReduceBand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { band, n, diagonal, squares } = self;
        for row in 0..n - 1 {
            diagonal[row] = band[at(row, row)];
            let mut v = [0.0; SIZE];
            v.copy_from_slice(&band[at(row, row + 1)..][..SIZE]);
            let mut window = Window::new(simd, v);
            squares[row] = window.reflector.image * window.reflector.image;
            for start in (row + 1..n).step_by(SIZE) {
                reflect_diagonal(simd, band, start, &window);
                window = push_bulge(simd, band, start, &window);
            }
        }
        diagonal[n - 1] = band[at(n - 1, n - 1)];
    }
}

/// Applies the window's reflection from both sides to the diagonal block at `start`.
#[inline(always)]
fn reflect_diagonal<S: Simd>(simd: S, band: &mut [f64], start: usize, window: &Window) {
    let lanes = S::LANES_F64;
    let Window { v, reflector: Reflector { weight, .. } } = window;
    // As in the one-stage reduction.
    let mut w = weighted_rows(simd, band, start, start, v);
    let along = dot(simd, v, &w);
    combine(simd, 0.5 * weight * (weight * along), v, -weight, &mut w);
    for r in 0..SIZE {
        let row = &mut band[at(start + r, start)..][..SIZE];
        let (v_r, w_r) = (simd.splat_f64(v[r]), simd.splat_f64(w[r]));
        for c in (0..SIZE).step_by(lanes) {
            let x = &mut row[c..][..lanes];
            let updated = simd.mul_add_f64(v_r, simd.load_f64(&w[c..]), simd.load_f64(x));
            simd.store_f64(simd.mul_add_f64(w_r, simd.load_f64(&v[c..]), updated), x);
        }
    }
}

/// Applies the window's reflection from the left to the block right of the diagonal block at `start`, which fills it,
/// and from the right the reflection that clears its first row again, which is the answer.
#[inline(always)]
fn push_bulge<S: Simd>(simd: S, band: &mut [f64], start: usize, window: &Window) -> Window {
    let lanes = S::LANES_F64;
    let Window { v, reflector: Reflector { weight, .. } } = window;
    let column = start + SIZE;
    let mut z = weighted_rows(simd, band, start, column, v);
    z.iter_mut().for_each(|z| *z *= -weight);
    let mut first = [0.0; SIZE];
    first.copy_from_slice(&band[at(start, column)..][..SIZE]);
    combine(simd, v[0], &z, 1.0, &mut first);
    let next = Window::new(simd, first);

    // The first column is kept on both sides of the diagonal: it belongs to the next row's diagonal block.
    let mut first_column = [0.0; SIZE];
    for r in 0..SIZE {
        let row = &mut band[at(start + r, column)..][..SIZE];
        let v_r = simd.splat_f64(v[r]);
        let mut x = [simd.splat_f64(0.0); MAX_VECTORS];
        let mut sums = [simd.splat_f64(0.0); 2];
        for c in 0..SIZE / lanes {
            x[c] = simd.mul_add_f64(v_r, simd.load_f64(&z[c * lanes..]), simd.load_f64(&row[c * lanes..]));
            sums[c % 2] = simd.mul_add_f64(x[c], simd.load_f64(&next.v[c * lanes..]), sums[c % 2]);
        }
        let along = simd.reduce_add_f64(simd.add_f64(sums[0], sums[1]));
        let factor = simd.splat_f64(-next.reflector.weight * along);
        for c in 0..SIZE / lanes {
            let reflected = simd.mul_add_f64(factor, simd.load_f64(&next.v[c * lanes..]), x[c]);
            simd.store_f64(reflected, &mut row[c * lanes..]);
        }
        first_column[r] = row[0];
    }
    first_column[0] = next.reflector.image;
    let first_row = &mut band[at(start, column)..][..SIZE];
    first_row.fill(0.0);
    first_row[0] = next.reflector.image;
    band[at(column, start)..][..SIZE].copy_from_slice(&first_column);
    next
}

/// Vectors in a row of a block, for vectors of two numbers or more.
const MAX_VECTORS: usize = SIZE / 2;

/// The sum of `SIZE` rows of the band from `start`, each of `SIZE` elements from `column`, weighted by `v`.
#[inline(always)]
fn weighted_rows<S: Simd>(simd: S, band: &[f64], start: usize, column: usize, v: &[f64; SIZE]) -> [f64; SIZE] {
    let lanes = S::LANES_F64;
    let mut sums = [simd.splat_f64(0.0); MAX_VECTORS];
    for r in 0..SIZE {
        let row = &band[at(start + r, column)..][..SIZE];
        let v_r = simd.splat_f64(v[r]);
        for c in 0..SIZE / lanes {
            sums[c] = simd.mul_add_f64(v_r, simd.load_f64(&row[c * lanes..]), sums[c]);
        }
    }
    let mut result = [0.0; SIZE];
    for c in 0..SIZE / lanes {
        simd.store_f64(sums[c], &mut result[c * lanes..]);
    }
    result
}
