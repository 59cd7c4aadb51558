//! Householder reduction of a symmetric matrix to tridiagonal form, in one stage.
//!
//! The rank-two update of one step and the matrix-vector product of the next share one pass over the matrix. The
//! matrix is kept whole, not as a triangle: the product then needs no sums across lanes, and rows start where their
//! vectors start. Right for matrices that fit the second-level cache.

use super::reflector::{Reflector, combine, dot};
use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd};

/// The smallest order that [`tridiagonalize`] takes: the widest vector.
pub(super) const MIN_ORDER: usize = 8;

/// Vectors that a strip of columns keeps in registers.
const STRIP: usize = if SMALL { 1 } else { 4 };

/// Numbers of scratch that [`tridiagonalize`] needs.
pub(super) const fn scratch_len(n: usize) -> usize {
    4 * n.next_multiple_of(MIN_ORDER)
}

/// Reduces the symmetric `n × n` row-major `matrix` (`n ≥ MIN_ORDER`, destroyed) to a tridiagonal one with the same
/// eigenvalues: its `diagonal` (`n` numbers) and the `squares` of its off-diagonal (`n - 1`).
pub(super) fn tridiagonalize(
    backend: Backend,
    matrix: &mut [f64],
    n: usize,
    diagonal: &mut [f64],
    squares: &mut [f64],
    scratch: &mut [f64],
) {
    debug_assert!(n >= MIN_ORDER);
    backend.run(Tridiagonalize {
        matrix: &mut matrix[..n * n],
        n,
        diagonal: &mut diagonal[..n],
        squares: &mut squares[..n - 1],
        scratch: &mut scratch[..scratch_len(n)],
    });
}

struct Tridiagonalize<'a> {
    matrix: &'a mut [f64],
    n: usize,
    diagonal: &'a mut [f64],
    squares: &'a mut [f64],
    scratch: &'a mut [f64],
}

/// The similarity `A ← A + v·wᵀ + w·vᵀ`, with zeros behind the vectors' ends.
struct Update<'a> {
    v: &'a mut [f64],
    w: &'a mut [f64],
}

impl Kernel for Tridiagonalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { matrix, n, diagonal, squares, scratch } = self;
        scratch.fill(0.0);
        let (pending, next) = scratch.split_at_mut(scratch.len() / 2);
        let (v, w) = pending.split_at_mut(pending.len() / 2);
        let mut pending = Update { v, w };
        let (v, w) = next.split_at_mut(next.len() / 2);
        let mut next = Update { v, w };

        // Each step clears row `k` left of its neighbour of the diagonal, from the last row up: what is left of the
        // matrix stays at the start of every row. The last steps keep both vectors of the update in registers.
        let first = if SMALL { 1 } else { STRIP * S::LANES_F64 + 1 };
        for k in (first..n).rev() {
            let columns = k.next_multiple_of(S::LANES_F64);
            let row = &matrix[k * n..][..=k];
            next.v[..k].copy_from_slice(&row[..k]);
            next.v[k..].fill(0.0);
            let (v_k, w_k) = (pending.v[k], pending.w[k]);
            diagonal[k] = row[k] + 2.0 * v_k * w_k;
            (pending.v[k], pending.w[k]) = (0.0, 0.0);
            combine(simd, w_k, &pending.v[..columns], 1.0, &mut next.v[..columns]);
            combine(simd, v_k, &pending.w[..columns], 1.0, &mut next.v[..columns]);

            let Reflector { weight, image } = Reflector::replace(simd, &mut next.v[..columns], k - 1);
            squares[k - 1] = image * image;

            let mut column = 0;
            while column + STRIP * S::LANES_F64 <= columns {
                strip::<S, STRIP>(simd, matrix, n, k, column, &pending, &mut next);
                column += STRIP * S::LANES_F64;
            }
            match (columns - column) / S::LANES_F64 {
                _ if SMALL => {}
                3 => strip::<S, 3>(simd, matrix, n, k, column, &pending, &mut next),
                2 => strip::<S, 2>(simd, matrix, n, k, column, &pending, &mut next),
                1 => strip::<S, 1>(simd, matrix, n, k, column, &pending, &mut next),
                _ => {}
            }
            next.w[k..].fill(0.0);

            // With p = A·v, β = weight, (I − β·v·vᵀ) A (I − β·v·vᵀ) = A + v·wᵀ + w·vᵀ for w = (β²/2·pᵀv)·v − β·p.
            let along = dot(simd, &next.v[..columns], &next.w[..columns]);
            let (v, w) = (&next.v[..columns], &mut next.w[..columns]);
            combine(simd, 0.5 * weight * (weight * along), v, -weight, w);
            core::mem::swap(&mut pending, &mut next);
        }
        if !SMALL {
            let mut short = Short { matrix, n, diagonal, squares, pending: &mut pending, next: &mut *next.v };
            short.steps::<S, 4>(simd);
            short.steps::<S, 3>(simd);
            short.steps::<S, 2>(simd);
            short.steps::<S, 1>(simd);
        }
        diagonal[0] = matrix[0] + 2.0 * pending.v[0] * pending.w[0];
    }
}

/// The steps whose rows are short.
struct Short<'a, 'm> {
    matrix: &'a mut [f64],
    n: usize,
    diagonal: &'a mut [f64],
    squares: &'a mut [f64],
    pending: &'a mut Update<'m>,
    /// Room for a row.
    next: &'a mut [f64],
}

/// The most numbers of a short row.
const LONGEST_SHORT: usize = 4 * MIN_ORDER;

/// As many ones, then zeros: lanes from a place on are multiplied by 0.
const ONES: [f64; 2 * LONGEST_SHORT] = {
    let mut ones = [0.0; 2 * LONGEST_SHORT];
    let mut i = 0;
    while i < LONGEST_SHORT {
        ones[i] = 1.0;
        i += 1;
    }
    ones
};

/// A one behind so many zeros.
const UNIT: [f64; 2 * LONGEST_SHORT] = {
    let mut unit = [0.0; 2 * LONGEST_SHORT];
    unit[LONGEST_SHORT] = 1.0;
    unit
};

impl Short<'_, '_> {
    /// The steps whose rows take `C` vectors, with the same results as those of longer rows. A number of a vector is read
    /// where the whole vector was written: the other way round it would wait.
    #[inline(always)]
    fn steps<S: Simd, const C: usize>(&mut self, simd: S) {
        let Self { n, .. } = *self;
        let lanes = S::LANES_F64;
        if n <= (C - 1) * lanes {
            return;
        }
        let (mut v, mut w) = (load::<S, C>(simd, self.pending.v), load::<S, C>(simd, self.pending.w));
        for k in ((C - 1) * lanes + 1..n.min(C * lanes + 1)).rev() {
            let inside = load::<S, C>(simd, &ONES[LONGEST_SHORT - k..]);
            let (v_k, w_k) = (self.pending.v[k], self.pending.w[k]);
            let row = &self.matrix[k * n..];
            self.diagonal[k] = row[k] + 2.0 * v_k * w_k;
            let row = if row.len() >= C * lanes {
                load::<S, C>(simd, row)
            } else {
                self.next[..=k].copy_from_slice(&row[..=k]);
                load::<S, C>(simd, self.next)
            };
            let mut x = row;
            for c in 0..C {
                (v[c], w[c]) = (simd.mul_f64(v[c], inside[c]), simd.mul_f64(w[c], inside[c]));
                x[c] = simd.mul_f64(x[c], inside[c]);
                x[c] = simd.mul_add_f64(simd.splat_f64(w_k), v[c], x[c]);
                x[c] = simd.mul_add_f64(simd.splat_f64(v_k), w[c], x[c]);
            }
            store(simd, x, self.next);
            let Reflector { weight, image } = Reflector::new::<f64>(product(simd, x, x), self.next[k - 1]);
            self.squares[k - 1] = image * image;
            let unit = load::<S, C>(simd, &UNIT[LONGEST_SHORT + 1 - k..]);
            for c in 0..C {
                x[c] = simd.sub_f64(x[c], simd.mul_f64(simd.splat_f64(image), unit[c]));
            }
            store(simd, x, self.next);

            let mut image_of_x = [simd.splat_f64(0.0); C];
            let factors = self.pending.v[..k].iter().zip(&self.pending.w[..k]).zip(&self.next[..k]);
            for (row, ((&v_row, &w_row), &x_row)) in factors.enumerate() {
                let row = &mut self.matrix[row * n..][..C * lanes];
                let (v_row, w_row, x_row) = (simd.splat_f64(v_row), simd.splat_f64(w_row), simd.splat_f64(x_row));
                for c in 0..C {
                    let row = &mut row[c * lanes..][..lanes];
                    let updated = simd.mul_add_f64(v_row, w[c], simd.load_f64(row));
                    let updated = simd.mul_add_f64(w_row, v[c], updated);
                    simd.store_f64(updated, row);
                    image_of_x[c] = simd.mul_add_f64(x_row, updated, image_of_x[c]);
                }
            }
            for c in 0..C {
                image_of_x[c] = simd.mul_f64(image_of_x[c], inside[c]);
            }
            let along = product(simd, x, image_of_x);
            let (a, b) = (simd.splat_f64(0.5 * weight * (weight * along)), simd.splat_f64(-weight));
            for c in 0..C {
                w[c] = simd.mul_add_f64(a, x[c], simd.mul_f64(b, image_of_x[c]));
            }
            v = x;
            store(simd, v, self.pending.v);
            store(simd, w, self.pending.w);
        }
    }
}

/// Vectors that lie side by side.
#[inline(always)]
fn load<S: Simd, const C: usize>(simd: S, x: &[f64]) -> [S::F64; C] {
    let mut vectors = [simd.splat_f64(0.0); C];
    for c in 0..C {
        vectors[c] = simd.load_f64(&x[c * S::LANES_F64..]);
    }
    vectors
}

/// Writes vectors side by side.
#[inline(always)]
fn store<S: Simd, const C: usize>(simd: S, vectors: [S::F64; C], x: &mut [f64]) {
    for c in 0..C {
        simd.store_f64(vectors[c], &mut x[c * S::LANES_F64..]);
    }
}

/// `xᵀy` of vectors in registers, in the order of [`dot`].
#[inline(always)]
fn product<S: Simd, const C: usize>(simd: S, x: [S::F64; C], y: [S::F64; C]) -> f64 {
    let mut sums = [simd.splat_f64(0.0); 4];
    for c in 0..C {
        let sum = if C == 4 { c } else { 0 };
        sums[sum] = simd.mul_add_f64(x[c], y[c], sums[sum]);
    }
    let (left, right) = (simd.add_f64(sums[0], sums[1]), simd.add_f64(sums[2], sums[3]));
    simd.reduce_add_f64(simd.add_f64(left, right))
}

/// Applies `pending` to rows `0..rows` of `C` vectors of columns, and writes the product of what results with
/// `next.v` to `next.w`.
///
/// The last vector of a row may reach into the row below: there `pending` is zero and changes nothing. The last
/// row of the matrix is never among the rows, so this stays inside.
#[inline(always)]
fn strip<S: Simd, const C: usize>(
    simd: S,
    matrix: &mut [f64],
    n: usize,
    rows: usize,
    column: usize,
    pending: &Update<'_>,
    next: &mut Update<'_>,
) {
    let lanes = S::LANES_F64;
    let width = C * lanes;
    let mut v = [simd.splat_f64(0.0); C];
    let mut w = v;
    let mut product = v;
    for c in 0..C {
        v[c] = simd.load_f64(&pending.v[column + c * lanes..]);
        w[c] = simd.load_f64(&pending.w[column + c * lanes..]);
    }
    let factors = pending.v[..rows].iter().zip(&pending.w[..rows]).zip(&next.v[..rows]);
    for (row, ((&v_row, &w_row), &next_row)) in factors.enumerate() {
        let x = &mut matrix[row * n + column..][..width];
        let (v_row, w_row) = (simd.splat_f64(v_row), simd.splat_f64(w_row));
        let next_row = simd.splat_f64(next_row);
        for c in 0..C {
            let x = &mut x[c * lanes..][..lanes];
            let updated = simd.mul_add_f64(v_row, w[c], simd.load_f64(x));
            let updated = simd.mul_add_f64(w_row, v[c], updated);
            simd.store_f64(updated, x);
            product[c] = simd.mul_add_f64(next_row, updated, product[c]);
        }
    }
    for c in 0..C {
        simd.store_f64(product[c], &mut next.w[column + c * lanes..]);
    }
}
