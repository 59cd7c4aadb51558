//! Householder reflections, and the vector operations they are made of.

use super::real::Real;
use crate::simd::{Simd, root};

/// The reflection `I - weight · v·vᵀ`, without its vector.
#[derive(Clone, Copy, Default)]
pub(super) struct Reflector {
    /// `2 / vᵀv`; 0 for the identity.
    pub(super) weight: f64,
    /// What the pivot element becomes when all others become zero.
    pub(super) image: f64,
}

impl Reflector {
    /// The reflection that maps a vector of numbers `T` with this squared norm to a multiple of the unit vector of the
    /// pivot.
    #[inline(always)]
    pub(super) fn new<T: Real>(square: f64, pivot: f64) -> Self {
        if square < T::NEGLIGIBLE_SQUARE {
            return Self::default();
        }
        let norm = root::sqrt(square);
        Self { weight: 1.0 / (norm * (norm + pivot.abs())), image: -norm.copysign(pivot) }
    }

    /// Replaces `x` by the vector v of the reflection that maps `x` to a multiple of the unit vector of `pivot`.
    #[cfg_attr(not(feature = "small"), inline(always))]
    pub(super) fn replace<S: Simd>(simd: S, x: &mut [f64], pivot: usize) -> Self {
        let reflector = Self::new::<f64>(dot(simd, x, x), x[pivot]);
        x[pivot] -= reflector.image;
        reflector
    }
}

/// `y ← a·x + b·y`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn combine<S: Simd>(simd: S, a: f64, x: &[f64], b: f64, y: &mut [f64]) {
    let lanes = S::LANES_F64;
    let (a_lanes, b_lanes) = (simd.splat_f64(a), simd.splat_f64(b));
    let (mut xs, mut ys) = (x.chunks_exact(lanes), y.chunks_exact_mut(lanes));
    for (x, y) in (&mut xs).zip(&mut ys) {
        let scaled = simd.mul_f64(b_lanes, simd.load_f64(y));
        simd.store_f64(simd.mul_add_f64(a_lanes, simd.load_f64(x), scaled), y);
    }
    for (x, y) in xs.remainder().iter().zip(ys.into_remainder()) {
        *y = a * x + b * *y;
    }
}

/// `xᵀy`
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn dot<S: Simd>(simd: S, x: &[f64], y: &[f64]) -> f64 {
    let lanes = S::LANES_F64;
    let mut sums = [simd.splat_f64(0.0); 4];
    let (mut xs, mut ys) = (x.chunks_exact(4 * lanes), y.chunks_exact(4 * lanes));
    for (x, y) in (&mut xs).zip(&mut ys) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = simd.mul_add_f64(simd.load_f64(&x[i * lanes..]), simd.load_f64(&y[i * lanes..]), *sum);
        }
    }
    let (mut xs, mut ys) = (xs.remainder().chunks_exact(lanes), ys.remainder().chunks_exact(lanes));
    for (x, y) in (&mut xs).zip(&mut ys) {
        sums[0] = simd.mul_add_f64(simd.load_f64(x), simd.load_f64(y), sums[0]);
    }
    let tail: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    let (left, right) = (simd.add_f64(sums[0], sums[1]), simd.add_f64(sums[2], sums[3]));
    simd.reduce_add_f64(simd.add_f64(left, right)) + tail
}
