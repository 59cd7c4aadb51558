//! Eigenvalues of a symmetric tridiagonal matrix, given by its diagonal and the squares of its off-diagonal.

use super::magnitude::{power_of_two, scale};
use crate::base::SMALL;
use crate::base::sort::sort_by;
use crate::simd::{Backend, Kernel, Simd, root};

/// Sweeps allowed per eigenvalue on average; fewer than two are usual.
const MAX_SWEEPS_PER_VALUE: usize = 30;

/// What brings the numbers of a sweep back once their squares exceed its square, and its inverse once they fall short.
const LARGE: f64 = (1u64 << 50) as f64;

/// Replaces `diagonal` (`n` numbers) by the eigenvalues, ascending, by the implicit QL method free of square roots.
/// `squares[i]` couples `i` and `i + 1`; destroyed.
///
/// The matrix is scaled near one. Couplings below `ε/2` times the largest element are dropped. `false`,
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
                let radius = root::sqrt(half * half + squares[first]);
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
    sort_by(diagonal, f64::total_cmp);
    true
}

/// One QL sweep over an unreduced block, with the shift of Wilkinson at its upper end.
///
/// The recurrence of Pal, Walker and Kahan (LAPACK's `sterf`), for `x = α − σ` and a coupling b, is `r = p + b²`, `c
/// = p/r`, `s = b²/r`, `γ' = c·x − s·γ`, `p' = γ'²/c`: three divisions that wait for each other, and a special case
/// where `c` vanishes. Put `p = w²/m` and `γ = w·v/m`: then `w' = x·w − b²·v`, `v' = w`, `m' = w² + b²·m`, `r =
/// m'/m`, `s = b²·m/m'` and `γ' = w·w'/m'`, where the only division is not in the recurrence and `m'` never vanishes.
/// The w are characteristic polynomials of the trailing blocks, exact for elements of the matrix that differ by
/// roundings; the m are sums of positive terms.
fn sweep(diagonal: &mut [f64], squares: &mut [f64]) {
    let coupling = root::sqrt(squares[0]);
    let ratio = (diagonal[1] - diagonal[0]) / (2.0 * coupling);
    let shift = diagonal[0] - coupling / (ratio + root::sqrt(1.0 + ratio * ratio).copysign(ratio));

    let last = squares.len();
    let mut gamma = diagonal[last] - shift;
    let (mut w, mut v, mut m, mut inverse_m) = (gamma, 1.0, 1.0, 1.0);
    let mut sine = 0.0;
    for i in (0..last).rev() {
        let (alpha, square) = (diagonal[i], squares[i]);
        let next_w = (alpha - shift) * w - square * v;
        let next_m = w * w + square * m;
        let inverse_next_m = 1.0 / next_m;
        if i + 1 < last {
            squares[i + 1] = sine * (next_m * inverse_m);
        }
        sine = square * m * inverse_next_m;
        let next_gamma = w * next_w * inverse_next_m;
        diagonal[i + 1] = gamma + (alpha - next_gamma);
        (gamma, v, w, m, inverse_m) = (next_gamma, w, next_w, next_m, inverse_next_m);
        // `m` is a square in the units of w and v.
        if !(1.0 / (LARGE * LARGE)..=LARGE * LARGE).contains(&m) {
            let factor = if m > 1.0 { 1.0 / LARGE } else { LARGE };
            (w, v) = (w * factor, v * factor);
            (m, inverse_m) = (m * (factor * factor), inverse_m / (factor * factor));
        }
    }
    squares[0] = sine * (w * w * inverse_m);
    diagonal[0] = shift + gamma;
}

/// The largest eigenvalue, within a few units in the last place of `‖T‖`, of the matrix T that [`eigenvalues`] takes.
/// Nothing is destroyed; `diagonal` holds at least one number.
///
/// All eigenvalues lie below x exactly if the leading minors of `x − T` are all positive, also in floating point for a
/// matrix that differs from T by a few roundings. The interval between the largest diagonal element and the bound of
/// Gershgorin shrinks 17-fold with every 16 such tests, which share one pass. The first ones are close to a guess: where it
/// is right, as it nearly always is, two passes do for thirteen.
pub(super) fn largest_eigenvalue(backend: Backend, diagonal: &[f64], squares: &[f64]) -> f64 {
    let coupling = |i: usize| squares.get(i).map_or(0.0, |&square| root::sqrt(square));
    let (mut lower, mut upper, mut least) = (f64::NEG_INFINITY, f64::NEG_INFINITY, f64::INFINITY);
    let mut before = 0.0;
    for (i, &d) in diagonal.iter().enumerate() {
        let after = coupling(i);
        (lower, least) = (lower.max(d), least.min(d));
        upper = upper.max(d + before + after);
        before = after;
    }
    // No point is farther from an element of the diagonal than one half to one.
    let factor = 0.5 * scale(upper - least).0;
    let unit = f64::EPSILON * upper.abs().max(lower.abs());
    // Small builds have no room for it.
    let mut near = (!SMALL).then(|| {
        let guess = approach(diagonal, squares, upper, factor).max(lower).min(upper);
        (lower.max(guess - NEAR * unit), upper.min(guess + NEAR * unit))
    });
    for _ in 0..MAX_SECTIONS {
        let (first, last) = near.take().unwrap_or((lower, upper));
        let step = (last - first) / (POINTS + 1) as f64;
        let mut points = [0.0; POINTS];
        for (i, point) in points.iter_mut().enumerate() {
            *point = first + (i + 1) as f64 * step;
        }
        let least_minors = backend.run(LeastMinors { diagonal, squares, points, factor });
        let below = least_minors.iter().take_while(|&&minor| minor <= 0.0).count();
        if below > 0 {
            lower = points[below - 1];
        }
        if below < POINTS {
            upper = points[below];
        }
        // Nothing is between them: with and without a guess it comes to the same.
        let middle = lower + 0.5 * (upper - lower);
        if !SMALL && (middle == lower || middle == upper) {
            break;
        }
    }
    lower + 0.5 * (upper - lower)
}

/// A guess of the largest eigenvalue, nearly always within [`NEAR`], from a bound above it: by the iteration of Laguerre, whose
/// error is cubed by every step towards a polynomial's outermost root.
fn approach(diagonal: &[f64], squares: &[f64], bound: f64, factor: f64) -> f64 {
    let (n, mut x) = (diagonal.len() as f64, bound);
    for _ in 0..MAX_STEPS {
        let [p, first, second] = characteristic(diagonal, squares, x, factor);
        let slope = first / p;
        let curvature = slope * slope - second / p;
        let root = root::sqrt(((n - 1.0) * (n * curvature - slope * slope)).max(0.0));
        let step = n / (slope + root) / factor;
        // Behind the root.
        if step.is_nan() || step <= 0.0 {
            break;
        }
        x -= step;
        if step <= f64::EPSILON * x.abs() {
            break;
        }
    }
    x
}

/// The characteristic polynomial of `factor · T` at `factor · x` with its first two derivatives, up to a common positive factor.
fn characteristic(diagonal: &[f64], squares: &[f64], x: f64, factor: f64) -> [f64; 3] {
    let (mut before, mut now) = ([0.0; 3], [1.0, 0.0, 0.0]);
    let mut square = 0.0;
    for (i, &d) in diagonal.iter().enumerate() {
        let distance = factor * (x - d);
        let next = [
            distance * now[0] - square * before[0],
            distance * now[1] - square * before[1] + now[0],
            distance * now[2] - square * before[2] + 2.0 * now[1],
        ];
        (before, now) = (now, next);
        square = factor * factor * squares.get(i).copied().unwrap_or(0.0);
        if i % ROWS == ROWS - 1 && now[0] < VANISHING {
            let lift = 1.0 / (VANISHING * VANISHING);
            (before, now) = (before.map(|x| lift * x), now.map(|x| lift * x));
        }
    }
    now
}

/// Steps towards the largest eigenvalue. From a bound of Gershgorin five are usual.
const MAX_STEPS: usize = 8;

/// How near to the guess the first points are, in units in the last place of the bound: less than one lies between them.
const NEAR: f64 = 8.0;

/// Points tested in one pass: enough to keep the multiplications of a row busy while they wait for those of the row before.
const POINTS: usize = 16;

/// `17^13 > 2^53`; one more if there is a guess.
const MAX_SECTIONS: usize = if SMALL { 13 } else { 14 };

/// The least leading minor of `x − T` for each of several points x, up to positive factors: whether all are positive.
///
/// With a factor that keeps `x − T` below one, no minor that counts exceeds the one before. They are products, not pivots:
/// a pivot is a division that the next one waits for.
struct LeastMinors<'a> {
    diagonal: &'a [f64],
    squares: &'a [f64],
    points: [f64; POINTS],
    /// A power of two.
    factor: f64,
}

/// Rows after which minors are looked at whether they vanish. They lose less than 2¹⁶⁰ each, which is `x − d` and the
/// roundings of two products.
const ROWS: usize = 4;

/// Below this a minor, and the one before, are multiplied by `1 / VANISHING²`.
const VANISHING: f64 = power_of_two(-200);

impl Kernel for LeastMinors<'_> {
    type Output = [f64; POINTS];

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Self::Output {
        let Self { diagonal, squares, points, factor } = self;
        let (mut before, mut minor, mut least) = ([1.0; POINTS], [0.0; POINTS], [0.0; POINTS]);
        for i in 0..POINTS {
            minor[i] = factor * (points[i] - diagonal[0]);
            least[i] = minor[i];
        }
        for (diagonal, squares) in diagonal[1..].chunks(ROWS).zip(squares.chunks(ROWS)) {
            for (&d, &square) in diagonal.iter().zip(squares) {
                let square = factor * factor * square;
                for i in 0..POINTS {
                    let next = factor * (points[i] - d) * minor[i] - square * before[i];
                    // Behind a minor that is not positive anything may follow, even NaN.
                    least[i] = if next < least[i] { next } else { least[i] };
                    (before[i], minor[i]) = (minor[i], next);
                }
            }
            for i in 0..POINTS {
                let lift = if minor[i] < VANISHING { 1.0 / (VANISHING * VANISHING) } else { 1.0 };
                (before[i], minor[i]) = (lift * before[i], lift * minor[i]);
            }
        }
        least
    }
}
