//! Eigenvalues of a symmetric matrix by cyclic Jacobi rotations: the reference, and the method for tiny matrices.
//!
//! Golub and Van Loan, *Matrix Computations*, §8.5. A rotation zeroes one off-diagonal element; sweeps over all of
//! them converge quadratically, from any symmetric matrix.

use super::magnitude::{largest_magnitude, scale};
use crate::base::math;
use crate::base::sort::sort_by;
use crate::simd::{Backend, root};

/// Six to ten sweeps are usual; this many only bound the time.
const MAX_SWEEPS: usize = 40;

/// Writes the eigenvalues of the symmetric `n × n` row-major `matrix` to `values`, ascending. Destroys `matrix`.
///
/// Every value is within `1e-14 · ‖matrix‖` (Frobenius norm) of an exact one, at any scale. If the matrix holds an
/// infinity or a NaN, every value is NaN and the answer is `false`.
pub fn eigenvalues(matrix: &mut [f64], n: usize, values: &mut [f64]) -> bool {
    let (matrix, values) = (&mut matrix[..n * n], &mut values[..n]);
    let Some(largest) = largest_magnitude(Backend::Scalar, matrix) else {
        values.fill(f64::NAN);
        return false;
    };
    let (factor, inverse) = scale(largest);
    matrix.iter_mut().for_each(|x| *x *= factor);
    // What is left off the diagonal at the end has a norm below ε · largest, hence moves no eigenvalue by more.
    let negligible = f64::EPSILON * largest * factor / n.max(1) as f64;
    let converged = (0..MAX_SWEEPS).any(|_| !sweep(matrix, n, negligible));
    for (i, value) in values.iter_mut().enumerate() {
        *value = matrix[i * n + i] * inverse;
    }
    sort_by(values, f64::total_cmp);
    converged
}

/// Rotates away every off-diagonal element that is not negligible; whether there was one.
fn sweep(matrix: &mut [f64], n: usize, negligible: f64) -> bool {
    let mut rotated = false;
    for q in 1..n {
        for p in 0..q {
            if matrix[p * n + q].abs() > negligible {
                rotate(matrix, n, p, q);
                rotated = true;
            }
        }
    }
    rotated
}

/// The similarity rotation in the plane `p < q` that zeroes element `(p, q)`.
fn rotate(matrix: &mut [f64], n: usize, p: usize, q: usize) {
    let (upper, lower) = matrix.split_at_mut(q * n);
    let (row_p, row_q) = (&mut upper[p * n..][..n], &mut lower[..n]);
    let (pp, pq, qq) = (row_p[p], row_p[q], row_q[q]);
    let cotangent = (qq - pp) / (2.0 * pq);
    // The smaller root of t² + 2·cotangent·t = 1 keeps the angle within 45°, which convergence needs.
    let tangent = 1.0f64.copysign(cotangent) / (cotangent.abs() + math::hypot(cotangent, 1.0));
    let cosine = 1.0 / root::sqrt(1.0 + tangent * tangent);
    let sine = tangent * cosine;
    for (a, b) in row_p.iter_mut().zip(row_q.iter_mut()) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
    (row_p[p], row_p[q]) = (pp - tangent * pq, 0.0);
    (row_q[p], row_q[q]) = (0.0, qq + tangent * pq);
    for i in 0..n {
        matrix[i * n + p] = matrix[p * n + i];
        matrix[i * n + q] = matrix[q * n + i];
    }
}
