//! The back end of WebAssembly with 128-bit vectors.
//!
//! A module is compiled with the instructions or without; one that has them does not load where they are missing. So
//! the back end exists in builds with `-Ctarget-feature=+simd128` only.
#![allow(unsafe_code)]

use super::{EXPONENT_IN_LOW_BITS, Kernel, Simd};
use core::arch::wasm32::*;

/// Proof that the build has 128-bit vectors.
#[derive(Clone, Copy, Debug)]
pub struct Simd128(());

impl Simd128 {
    /// The token; the module exists only where the instructions do.
    #[inline]
    pub fn detect() -> Option<Self> {
        Some(Self(()))
    }
}

/// The trait's methods that are one intrinsic each, under the names `$op: $intrinsic(arguments)`.
macro_rules! one_to_one {
    ($($op:ident: $intrinsic:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: v128),*) -> v128 {
            $intrinsic($($arg),*)
        })*
    };
}

impl Simd for Simd128 {
    const LANES: usize = 4;
    const LANES_F64: usize = 2;
    const REGISTERS: usize = 16;
    const FUSED: bool = false;
    type F32 = v128;
    type F64 = v128;

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    one_to_one! {
        add: f32x4_add(a, b);
        sub: f32x4_sub(a, b);
        mul: f32x4_mul(a, b);
        div: f32x4_div(a, b);
        maximum: f32x4_max(a, b);
        sqrt: f32x4_sqrt(a);
        add_f64: f64x2_add(a, b);
        sub_f64: f64x2_sub(a, b);
        mul_f64: f64x2_mul(a, b);
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        f32x4_splat(x)
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::F32 {
        // SAFETY: the slice holds a full vector.
        unsafe { v128_load(x[..Self::LANES].as_ptr().cast()) }
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Self::F32 {
        let mut lanes = [0.0; Self::LANES];
        lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = x);
        self.load(&lanes)
    }
    #[inline(always)]
    fn store(self, v: Self::F32, x: &mut [f32]) {
        // SAFETY: the slice holds a full vector.
        unsafe { v128_store(x[..Self::LANES].as_mut_ptr().cast(), v) }
    }
    #[inline(always)]
    fn store_partial(self, v: Self::F32, x: &mut [f32]) {
        let mut lanes = [0.0; Self::LANES];
        self.store(v, &mut lanes);
        x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane);
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        // The pseudo-maximum returns its left operand unless that is smaller.
        f32x4_pmax(b, a)
    }
    #[inline(always)]
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b)]
    }
    #[inline(always)]
    fn power_of_two(self, exponent: Self::F32) -> Self::F32 {
        i32x4_shl(f32x4_add(exponent, f32x4_splat(EXPONENT_IN_LOW_BITS)), 23)
    }
    #[inline(always)]
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32 {
        v128_and(f32x4_gt(gate, f32x4_splat(0.0)), x)
    }
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        let pair = f32x4_add(a, i32x4_shuffle::<2, 3, 2, 3>(a, a));
        f32x4_extract_lane::<0>(pair) + f32x4_extract_lane::<1>(pair)
    }
    #[inline(always)]
    fn is_zero(self, a: Self::F32) -> bool {
        i32x4_all_true(f32x4_eq(a, f32x4_splat(0.0)))
    }

    #[inline(always)]
    fn splat_f64(self, x: f64) -> Self::F64 {
        f64x2_splat(x)
    }
    #[inline(always)]
    fn load_f64(self, x: &[f64]) -> Self::F64 {
        // SAFETY: the slice holds a full vector.
        unsafe { v128_load(x[..Self::LANES_F64].as_ptr().cast()) }
    }
    #[inline(always)]
    fn store_f64(self, v: Self::F64, x: &mut [f64]) {
        // SAFETY: the slice holds a full vector.
        unsafe { v128_store(x[..Self::LANES_F64].as_mut_ptr().cast(), v) }
    }
    #[inline(always)]
    fn load_widened(self, x: &[f32]) -> Self::F64 {
        // SAFETY: the slice holds two numbers.
        f64x2_promote_low_f32x4(unsafe { v128_load64_zero(x[..Self::LANES_F64].as_ptr().cast()) })
    }
    #[inline(always)]
    fn mul_add_f64(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64 {
        f64x2_add(f64x2_mul(a, b), c)
    }
    #[inline(always)]
    fn reduce_add_f64(self, a: Self::F64) -> f64 {
        f64x2_extract_lane::<0>(a) + f64x2_extract_lane::<1>(a)
    }

    #[inline(always)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32 {
        // SAFETY: the caller promises a full vector, of any alignment.
        unsafe { v128_load(x.cast()) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32) {
        // SAFETY: the caller promises a full vector, of any alignment.
        unsafe { v128_store(x.cast(), v) }
    }
}
