//! The eigenvalues of a symmetric matrix by the method that suits its order.

use super::magnitude::{largest_magnitude, scale};
use super::reflector::dot;
use super::{band, householder, jacobi, tridiagonal};
use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd};

/// The order from which the two-stage reduction is used. Milliseconds of one stage and of two on a Zen 4 core with 1
/// MB of second-level cache: AVX2 1.5 and 1.7 at 288, 2.9 and 2.7 at 352, 6.6 and 4.8 at 448; AVX-512 1.1 and 1.5,
/// 2.1 and 2.5, 4.4 and 4.5.
const TWO_STAGE_ORDER: usize = 384;

/// The order from which the first of two stages computes in single precision, where that suffices: in 171 instead of
/// 280 ms at 2048 on that core (`cargo bench --bench eigen`).
const SINGLE_ORDER: usize = 1024;

/// The largest part of the trace that the Frobenius norm may be for single precision to suffice. Its roundings, some 6e-8 of
/// the norm, are then of the size of those of a covariance of so many channels, which was summed in single precision. A matrix
/// near rank one, where they would spread over all the small eigenvalues, is reduced in double precision.
const LARGEST_NORM: f64 = 0.1;

/// Whether a matrix of order `n` is reduced in two stages. Where code is to be short, so are matrices: one stage does for all.
const fn takes_two_stages(n: usize) -> bool {
    !SMALL && n >= TWO_STAGE_ORDER
}

/// Numbers of scratch that [`eigenvalues`] needs for a matrix of order `n`.
pub const fn scratch_len(n: usize) -> usize {
    n + reduction_scratch_len(n)
}

/// Writes the eigenvalues of the symmetric `n × n` row-major `matrix` to `values`, ascending.
///
/// `matrix` is destroyed, and must be symmetric for the values to mean anything; `scratch` holds [`scratch_len`]`(n)`
/// numbers or more. Every value is within `1e-14 · ‖matrix‖` (Frobenius norm; measured: 2.7e-15) of an exact one, at
/// any scale; but from order 1024 on within `1e-7 · ‖matrix‖` where that is at most a tenth of the trace, else `2e-14`. If the matrix holds
/// an infinity or a NaN, every value is NaN and the answer is `false`.
pub fn eigenvalues(backend: Backend, matrix: &mut [f64], n: usize, values: &mut [f64], scratch: &mut [f64]) -> bool {
    if n < householder::MIN_ORDER {
        return jacobi::eigenvalues(matrix, n, values);
    }
    let (matrix, values) = (&mut matrix[..n * n], &mut values[..n]);
    let Some(largest) = largest_magnitude(backend, matrix) else {
        values.fill(f64::NAN);
        return false;
    };
    let (factor, inverse) = scale(largest);
    let (squares, scratch) = scratch.split_at_mut(n);
    let squares = &mut squares[..n - 1];
    if takes_two_stages(n) && n >= SINGLE_ORDER && is_balanced(backend, matrix, n) {
        band::tridiagonalize::<f32>(backend, matrix, n, factor, values, squares, scratch);
    } else {
        tridiagonalize(backend, matrix, n, factor, values, squares, scratch);
    }
    let converged = tridiagonal::eigenvalues(values, squares);
    values.iter_mut().for_each(|value| *value *= inverse);
    if !converged {
        values.fill(f64::NAN);
    }
    converged
}

/// The trace of a symmetric `n × n` matrix of variances, and the sum of the squares of its eigenvalues over that of the trace: from
/// `1 / n` of equal ones to 1 of a single one. NaN of a matrix of zeros.
pub fn concentration(backend: Backend, matrix: &[f64], n: usize) -> (f64, f64) {
    let [trace, square] = sums(backend, matrix, n);
    (trace, square / (trace * trace))
}

/// Whether no direction dominates so much that single precision would not do. Not so if the norm cannot be told.
fn is_balanced(backend: Backend, matrix: &[f64], n: usize) -> bool {
    let [trace, square] = sums(backend, matrix, n);
    square.is_normal() && square <= (LARGEST_NORM * LARGEST_NORM) * (trace * trace)
}

/// The trace, and the sum of all squares.
fn sums(backend: Backend, matrix: &[f64], n: usize) -> [f64; 2] {
    [(0..n).map(|i| matrix[i * n + i]).sum(), backend.run(SquaredNorm(&matrix[..n * n]))]
}

/// The sum of all squares.
struct SquaredNorm<'a>(&'a [f64]);

impl Kernel for SquaredNorm<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        dot(simd, self.0, self.0)
    }
}

/// Numbers of scratch that [`tridiagonalize`] needs.
pub(super) const fn reduction_scratch_len(n: usize) -> usize {
    if takes_two_stages(n) { band::scratch_len(n) } else { householder::scratch_len(n) }
}

/// Reduces `factor`, a power of two that scales it near one, times the symmetric `n × n` row-major `matrix`
/// (`n ≥ householder::MIN_ORDER`, destroyed) to a tridiagonal one with the same eigenvalues: its `diagonal` and the
/// `squares` of its off-diagonal.
pub(super) fn tridiagonalize(
    backend: Backend,
    matrix: &mut [f64],
    n: usize,
    factor: f64,
    diagonal: &mut [f64],
    squares: &mut [f64],
    scratch: &mut [f64],
) {
    if takes_two_stages(n) {
        return band::tridiagonalize::<f64>(backend, matrix, n, factor, diagonal, squares, scratch);
    }
    matrix.iter_mut().for_each(|x| *x *= factor);
    householder::tridiagonalize(backend, matrix, n, diagonal, squares, scratch);
}

#[cfg(test)]
mod tests;
