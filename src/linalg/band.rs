//! Reduction of a large symmetric matrix to tridiagonal form in two stages: to a band, then along the band.
//!
//! A one-stage reduction reads the whole matrix once per row and waits for memory. The first stage here clears
//! [`SIZE`] rows at a time, so that all of its work but a sliver is products of blocks (Bischof, Lang and Sun, *A
//! framework for symmetric band reduction*, 2000). The second stage chases the band's bulges down in a band that fits
//! the second-level cache.

use super::block::{self, Block, SIZE};
use super::real::Real;
use super::reflector::{Reflector, combine, dot};
use crate::simd::{Backend, Kernel, Simd};

/// Elements kept of a row of the band: `SIZE` left of the diagonal, the diagonal, and `2·SIZE - 1` right of it.
const BAND_WIDTH: usize = 3 * SIZE;

/// Blocks of scratch besides those that follow the order.
const SMALL_BLOCKS: usize = 4;

/// Numbers of the band.
const fn band_len(n: usize) -> usize {
    BAND_WIDTH * (n + SIZE)
}

/// Numbers of scratch that [`tridiagonalize`] needs.
pub(super) const fn scratch_len(n: usize) -> usize {
    // Three more blocks per `SIZE` rows, of the first stage, take the place that the band has in the second.
    SMALL_BLOCKS * block::LEN + n.div_ceil(SIZE) * block::LEN + band_len(n)
}

/// Reduces `factor`, a power of two that scales it near one, times the symmetric `n × n` row-major `matrix` (destroyed) to a
/// tridiagonal one with the same eigenvalues: its `diagonal` (`n` numbers) and the `squares` of its off-diagonal
/// (`n - 1`). The first stage computes with numbers `T`.
#[inline(never)] // its blocks are a burden for the stack of the one-stage reduction
pub(super) fn tridiagonalize<T: Real>(
    backend: Backend,
    matrix: &mut [f64],
    n: usize,
    factor: f64,
    diagonal: &mut [f64],
    squares: &mut [f64],
    scratch: &mut [f64],
) {
    let (small, scratch) = scratch[..scratch_len(n)].split_at_mut(SMALL_BLOCKS * block::LEN);
    let (first_row, large) = scratch.split_at_mut(n.div_ceil(SIZE) * block::LEN);
    let first_row = block::blocks_mut(T::memory(first_row));
    let matrix = &mut matrix[..n * n];
    cut(matrix, n, factor, first_row);
    let other_rows = T::memory(matrix);
    backend.run(ReduceToBand {
        first_row,
        other_rows,
        n,
        small: block::blocks_mut(T::memory(small)),
        large: block::blocks_mut(T::memory(large)),
    });
    copy_band(first_row, other_rows, n, large);
    backend.run(ReduceBand { band: large, n, diagonal: &mut diagonal[..n], squares: &mut squares[..n - 1] });
}

/// Cuts the upper triangle of the matrix into rows of blocks, each from its diagonal block on, zeros beyond the last
/// row and column. The first goes to `first_row`, the others to where the matrix begins, `SIZE` of its rows of numbers `T`
/// for each: there it has been cut already.
fn cut<T: Real>(matrix: &mut [f64], n: usize, factor: f64, first_row: &mut [Block<T>]) {
    let count = n.div_ceil(SIZE);
    for (j, block) in first_row.iter_mut().take(count).enumerate() {
        block::load(&matrix[j * SIZE..], n, n, n - j * SIZE, factor, block);
    }
    for i in 1..count {
        let (before, rows) = matrix.split_at_mut(i * SIZE * n);
        let blocks = block::blocks_mut(&mut T::memory(before)[(i - 1) * SIZE * n..]);
        for (j, block) in (i..count).zip(blocks) {
            block::load(&rows[j * SIZE..], n, n - i * SIZE, n - j * SIZE, factor, block);
        }
    }
}

/// The first stage, on what [`cut`] leaves. Of each row of blocks the first two become the band's: a complete diagonal
/// block and a lower triangle.
struct ReduceToBand<'a, T> {
    first_row: &'a mut [Block<T>],
    other_rows: &'a mut [T],
    n: usize,
    small: &'a mut [Block<T>],
    large: &'a mut [Block<T>],
}

impl<T: Real> Kernel for ReduceToBand<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { first_row, mut other_rows, n, small, large } = self;
        let [lower, gram, t, product, ..] = small else { unreachable!("there are SMALL_BLOCKS") };
        let mut row = &mut first_row[..n.div_ceil(SIZE)];
        let (v, rest) = large.split_at_mut(row.len());
        let (mut x, rest) = rest.split_at_mut(row.len());
        let mut y = &mut rest[..row.len()];
        let mut previous: &[Block<T>] = &[];

        // Each step makes the reflections Q = I − V·T·Vᵀ that turn the part of a row right of its diagonal block into a
        // lower triangle, and applies them from both sides to what lies below: QᵀAQ = A + V·Xᵀ + X·Vᵀ with
        // X = (½·V·Tᵀ·VᵀY − Y)·T and Y = A·V. Only the next row is changed at once; the others wait until the next step
        // reads them to form its Y. The row keeps Vᵀ.
        while row.len() > 1 {
            let panel = &mut row[1..];
            let count = panel.len();
            let mut weights = [0.0; SIZE];
            factor_panel(simd, panel, &mut weights, lower);
            gram.fill(T::ZERO);
            for (v, panel) in v.iter_mut().zip(&*panel) {
                *v = *panel;
                block::transpose(v);
                block::add_transposed_product(simd, v, v, gram);
            }

            y[..count].iter_mut().for_each(|y| y.fill(T::ZERO));
            for (i, blocks) in other_rows.chunks_mut(SIZE * n).take(count).enumerate() {
                for (j, block) in (i..count).zip(block::blocks_mut(blocks)) {
                    if let [_, _, previous @ ..] = previous {
                        let x = &x[1..];
                        block::add_transposed_product(simd, &previous[i], &x[j], block);
                        block::add_transposed_product(simd, &x[i], &previous[j], block);
                    }
                    block::add_product(simd, block, &v[j], &mut y[i]);
                    if j > i {
                        block::add_transposed_product(simd, block, &v[i], &mut y[j]);
                    }
                }
            }

            accumulate(&weights, gram, t);
            product.fill(T::ZERO);
            for (v, y) in v.iter().zip(&y[..count]) {
                block::add_transposed_product(simd, v, y, product);
            }
            let half = &mut *gram;
            half.fill(T::ZERO);
            block::add_transposed_product(simd, t, product, half);
            half.iter_mut().for_each(|value| *value = T::of(-0.5 * value.double()));
            t.iter_mut().for_each(|value| *value = T::of(-value.double()));
            core::mem::swap(&mut x, &mut y);
            for (v, x) in v.iter().zip(&mut x[..count]) {
                block::add_product(simd, v, half, x);
                product.fill(T::ZERO);
                block::add_product(simd, x, t, product);
                *x = *product;
                block::transpose(x);
            }

            let (next_row, rest) = core::mem::take(&mut other_rows).split_at_mut(SIZE * n);
            let next_row = &mut block::blocks_mut(next_row)[..count];
            for (j, block) in next_row.iter_mut().enumerate() {
                block::add_transposed_product(simd, &panel[0], &x[j], block);
                block::add_transposed_product(simd, &x[0], &panel[j], block);
            }
            panel[0] = *lower;
            (previous, row, other_rows) = (row, next_row, rest);
        }
    }
}

/// Vectors in a row of a block, for vectors of two numbers or more.
const MAX_VECTORS: usize = SIZE / 2;

/// A row of a block.
#[inline(always)]
fn load_row<S: Simd, T: Real>(simd: S, block: &Block<T>, row: usize) -> [T::Vector<S>; MAX_VECTORS] {
    let lanes = T::lanes::<S>();
    let mut vectors = [T::splat(simd, T::ZERO); MAX_VECTORS];
    for c in 0..SIZE / lanes {
        vectors[c] = T::load(simd, &block[row * SIZE + c * lanes..]);
    }
    vectors
}

/// Turns the rows of `panel` into a lower triangle by reflections from the right. The triangle goes to `lower`, the
/// vectors of the reflections take the place of the rows.
#[inline(always)]
fn factor_panel<S: Simd, T: Real>(simd: S, panel: &mut [Block<T>], weights: &mut [f64; SIZE], lower: &mut Block<T>) {
    let lanes = T::lanes::<S>();
    lower.fill(T::ZERO);
    // Each row awaits a multiple of the vector before the one that is being made.
    let mut factors = [T::ZERO; SIZE];
    for i in 0..SIZE {
        let before = i.saturating_sub(1);
        let factor = T::splat(simd, factors[i]);
        let mut sums = [T::splat(simd, T::ZERO); MAX_VECTORS];
        for (j, block) in panel.iter_mut().enumerate() {
            let v = load_row(simd, block, before);
            let row = &mut block[i * SIZE..][..SIZE];
            for c in 0..SIZE / lanes {
                let x = &mut row[c * lanes..][..lanes];
                T::store(simd, T::mul_add(simd, factor, v[c], T::load(simd, x)), x);
            }
            if j == 0 {
                lower[i * SIZE..][..i].copy_from_slice(&row[..i]);
                row[..i].fill(T::ZERO);
            }
            for c in 0..SIZE / lanes {
                let x = T::load(simd, &row[c * lanes..]);
                sums[c] = T::mul_add(simd, x, x, sums[c]);
            }
        }
        let square = (1..SIZE / lanes).fold(sums[0], |sum, c| T::add(simd, sum, sums[c]));
        let pivot = &mut panel[0][i * SIZE + i];
        let reflector = Reflector::new::<T>(T::reduce_add(simd, square).double(), pivot.double());
        *pivot = T::of(pivot.double() - reflector.image);
        lower[i * SIZE + i] = T::of(reflector.image);
        weights[i] = reflector.weight;

        let mut sums = [T::splat(simd, T::ZERO); SIZE];
        for block in &mut *panel {
            let (v_before, v) = (load_row(simd, block, before), load_row(simd, block, i));
            for r in i + 1..SIZE {
                let factor = T::splat(simd, factors[r]);
                let row = &mut block[r * SIZE..][..SIZE];
                let mut sum = sums[r];
                for c in 0..SIZE / lanes {
                    let x = &mut row[c * lanes..][..lanes];
                    let updated = T::mul_add(simd, factor, v_before[c], T::load(simd, x));
                    T::store(simd, updated, x);
                    sum = T::mul_add(simd, updated, v[c], sum);
                }
                sums[r] = sum;
            }
        }
        for r in i + 1..SIZE {
            factors[r] = T::of(-reflector.weight * T::reduce_add(simd, sums[r]).double());
        }
    }
}

/// The upper triangle T with `(I − β₀v₀v₀ᵀ)(I − β₁v₁v₁ᵀ)… = I − V·T·Vᵀ`, from the weights β and the products `gram` of
/// the vectors.
fn accumulate<T: Real>(weights: &[f64; SIZE], gram: &Block<T>, t: &mut Block<T>) {
    t.fill(T::ZERO);
    for (j, &weight) in weights.iter().enumerate() {
        for i in 0..j {
            let sum: f64 = (i..j).map(|k| t[i * SIZE + k].double() * gram[k * SIZE + j].double()).sum();
            t[i * SIZE + j] = T::of(-weight * sum);
        }
        t[j * SIZE + j] = T::of(weight);
    }
}

/// Where the band keeps the element in `row` and `column`. Equal columns of successive rows are `BAND_WIDTH - 1` apart.
#[inline(always)]
fn at(row: usize, column: usize) -> usize {
    row * BAND_WIDTH + SIZE + column - row
}

/// Copies the band out of the first two blocks of each row to both sides of the diagonal of `band`; zeros around it.
fn copy_band<T: Real>(first_row: &[Block<T>], other_rows: &[T], n: usize, band: &mut [f64]) {
    band.fill(0.0);
    let other_rows = other_rows.chunks(SIZE * n).map(block::blocks);
    for (start, blocks) in (0..n).step_by(SIZE).zip(core::iter::once(first_row).chain(other_rows)) {
        for i in start..n.min(start + SIZE) {
            for j in i..n.min(i + SIZE + 1) {
                let (r, c) = (i - start, j - start);
                let x = blocks[c / SIZE][r * SIZE + c % SIZE].double();
                band[at(i, j)] = x;
                band[at(j, i)] = x;
            }
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
