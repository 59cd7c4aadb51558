//! Eigenvalues of a symmetric tridiagonal matrix, given by its diagonal and the squares of its off-diagonal.

use crate::base::math;

/// Sweeps allowed per eigenvalue on average; fewer than two are usual.
const MAX_SWEEPS_PER_VALUE: usize = 30;

/// Below this, products of two pivots are taken the careful way.
const SMALL_PRODUCT: f64 = 1e-140;

/// Replaces `diagonal` (`n` numbers) by the eigenvalues, ascending, by the implicit QL method free of square roots of
/// Pal, Walker and Kahan (LAPACK's `sterf`). `squares[i]` couples `i` and `i + 1`; destroyed.
///
/// Elements may not exceed `2^60` in magnitude. Couplings below `ε/2` times the largest element are dropped. `false`,
/// with unusable values, if the sweeps do not converge.
pub(super) fn eigenvalues(diagonal: &mut [f64], squares: &mut [f64]) -> bool {
    let n = diagonal.len();
    let largest_square = diagonal.iter().map(|d| d * d).chain(squares.iter().copied()).fold(0.0, f64::max);
    let negligible = largest_square * (0.25 * f64::EPSILON * f64::EPSILON);
    let mut sweeps = MAX_SWEEPS_PER_VALUE * n;
    let mut first = 0;
    while first < n {
        let coupled = squares[first..n - 1].iter().take_while(|&&square| square > negligible).count();
        match coupled {
            0 => first += 1,
            1 => {
                let (a, b) = (diagonal[first], diagonal[first + 1]);
                let half = 0.5 * (a - b);
                let radius = math::sqrt(half * half + squares[first]);
                (diagonal[first], diagonal[first + 1]) = (0.5 * (a + b) - radius, 0.5 * (a + b) + radius);
                first += 2;
            }
            _ if sweeps == 0 => return false,
            _ => {
                sweeps -= 1;
                sweep(&mut diagonal[first..=first + coupled], &mut squares[first..first + coupled]);
            }
        }
    }
    diagonal.sort_unstable_by(f64::total_cmp);
    true
}

/// One QL sweep over an unreduced block, with the shift of Wilkinson at its upper end.
///
/// With `p = γ²/c` the recurrence of Pal, Walker and Kahan is
/// `r = p + b²`, `c = p/r`, `s = b²/r`, `γ' = c·(α − σ) − s·γ`, `p' = γ'²/c`: three divisions, each waiting for
/// the one before. Here `t = p·(α − σ) − b²·γ` gives `γ' = t/r` and `p' = t²/(r·p)`, which wait for nothing but `p`.
fn sweep(diagonal: &mut [f64], squares: &mut [f64]) {
    let coupling = math::sqrt(squares[0]);
    let ratio = (diagonal[1] - diagonal[0]) / (2.0 * coupling);
    let shift = diagonal[0] - coupling / (ratio + math::hypot(ratio, 1.0).copysign(ratio));

    let last = squares.len();
    let mut gamma = diagonal[last] - shift;
    let mut pivot = gamma * gamma;
    let mut sine = 0.0;
    let (mut previous_pivot, mut previous_sum) = (1.0, 1.0);
    for i in (0..last).rev() {
        let square = squares[i];
        let sum = pivot + square;
        if i + 1 < last {
            squares[i + 1] = sine * sum;
        }
        sine = square / sum;
        let (alpha, old_gamma) = (diagonal[i], gamma);
        let scaled_gamma = pivot * (alpha - shift) - square * old_gamma;
        gamma = scaled_gamma / sum;
        diagonal[i + 1] = old_gamma + (alpha - gamma);
        let product = pivot * sum;
        let next_pivot = if product > SMALL_PRODUCT {
            scaled_gamma * scaled_gamma / product
        } else if pivot > 0.0 {
            gamma * gamma / pivot * sum
        } else {
            square * (previous_pivot / previous_sum)
        };
        (previous_pivot, previous_sum) = (pivot, sum);
        pivot = next_pivot;
    }
    squares[0] = sine * pivot;
    diagonal[0] = shift + gamma;
}
