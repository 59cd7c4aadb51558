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
        // matrix stays at the start of every row.
        for k in (1..n).rev() {
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
        diagonal[0] = matrix[0] + 2.0 * pending.v[0] * pending.w[0];
    }
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
