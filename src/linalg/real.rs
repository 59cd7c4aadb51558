//! Numbers of either precision, for kernels that are written once for both.

use crate::mem::singles;
use crate::simd::Simd;

/// `f32` or `f64`, and their vectors.
pub(super) trait Real: Copy + 'static {
    /// A vector of them.
    type Vector<S: Simd>: Copy;

    const ZERO: Self;

    /// Vectors, of matrices scaled near one, whose squared norm is below this are zero: what is divided by it stays finite.
    const NEGLIGIBLE_SQUARE: f64;

    /// The nearest number.
    fn of(x: f64) -> Self;
    fn double(self) -> f64;

    /// Memory for numbers of double precision as memory for as many or more of this one; their values are lost.
    fn memory(numbers: &mut [f64]) -> &mut [Self];

    /// Numbers in a vector.
    fn lanes<S: Simd>() -> usize;
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    fn load<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    fn store<S: Simd>(simd: S, v: Self::Vector<S>, x: &mut [Self]);
    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    fn reduce_add<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
}

macro_rules! real {
    ($number:ty, $vector:ident, $lanes:ident, $splat:ident, $load:ident, $store:ident, $add:ident, $mul_add:ident,
     $reduce_add:ident, $negligible_square:literal, $memory:expr) => {
        impl Real for $number {
            type Vector<S: Simd> = S::$vector;
            const ZERO: Self = 0.0;
            const NEGLIGIBLE_SQUARE: f64 = $negligible_square;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn double(self) -> f64 {
                f64::from(self)
            }
            fn memory(numbers: &mut [f64]) -> &mut [Self] {
                $memory(numbers)
            }
            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn load<S: Simd>(simd: S, x: &[Self]) -> S::$vector {
                simd.$load(x)
            }
            #[inline(always)]
            fn store<S: Simd>(simd: S, v: S::$vector, x: &mut [Self]) {
                simd.$store(v, x);
            }
            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn reduce_add<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$reduce_add(a)
            }
        }
    };
}

real!(f32, F32, LANES, splat, load, store, add, mul_add, reduce_add, 1e-30, singles);
real!(
    f64,
    F64,
    LANES_F64,
    splat_f64,
    load_f64,
    store_f64,
    add_f64,
    mul_add_f64,
    reduce_add_f64,
    1e-280,
    core::convert::identity
);
