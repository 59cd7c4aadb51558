//! The back end of AArch64, where NEON is part of the base instruction set.
#![allow(unsafe_code)]

use super::{EXPONENT_IN_LOW_BITS, Kernel, Simd};
use core::arch::aarch64::*;

/// Proof that the build is for a processor with NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token; the module exists only where the instructions do.
    #[inline]
    pub fn detect() -> Option<Self> {
        Some(Self(()))
    }
}

/// The trait's methods that are one intrinsic each, under the names `$op: $intrinsic(arguments)`.
macro_rules! one_to_one {
    ($vector:ty, $($op:ident: $intrinsic:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: $vector),*) -> $vector {
            // SAFETY: the token proves NEON.
            unsafe { $intrinsic($($arg),*) }
        })*
    };
}

impl Simd for Neon {
    const LANES: usize = 4;
    const LANES_F64: usize = 2;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;
    type F32 = float32x4_t;
    type F64 = float64x2_t;

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    one_to_one! { float32x4_t,
        add: vaddq_f32(a, b);
        sub: vsubq_f32(a, b);
        mul: vmulq_f32(a, b);
        div: vdivq_f32(a, b);
        maximum: vmaxq_f32(a, b);
        sqrt: vsqrtq_f32(a);
    }
    one_to_one! { float64x2_t,
        add_f64: vaddq_f64(a, b);
        sub_f64: vsubq_f64(a, b);
        mul_f64: vmulq_f64(a, b);
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        // SAFETY: the token proves NEON.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::F32 {
        // SAFETY: the slice holds a full vector.
        unsafe { vld1q_f32(x[..Self::LANES].as_ptr()) }
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
        unsafe { vst1q_f32(x[..Self::LANES].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn store_partial(self, v: Self::F32, x: &mut [f32]) {
        let mut lanes = [0.0; Self::LANES];
        self.store(v, &mut lanes);
        x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane);
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // SAFETY: the token proves NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        // The instructions for maxima treat a NaN on the left otherwise.
        // SAFETY: the token proves NEON.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        // SAFETY: the token proves NEON.
        unsafe { [vzip1q_f32(a, b), vzip2q_f32(a, b)] }
    }
    #[inline(always)]
    fn power_of_two(self, exponent: Self::F32) -> Self::F32 {
        let biased = self.add(exponent, self.splat(EXPONENT_IN_LOW_BITS));
        // SAFETY: the token proves NEON.
        unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(biased))) }
    }
    #[inline(always)]
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32 {
        // SAFETY: the token proves NEON.
        unsafe { vbslq_f32(vcgtzq_f32(gate), x, vdupq_n_f32(0.0)) }
    }
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        // SAFETY: the token proves NEON.
        unsafe {
            let pair = vadd_f32(vget_low_f32(a), vget_high_f32(a));
            vget_lane_f32::<0>(pair) + vget_lane_f32::<1>(pair)
        }
    }
    #[inline(always)]
    fn is_zero(self, a: Self::F32) -> bool {
        // SAFETY: the token proves NEON.
        unsafe { vminvq_u32(vceqzq_f32(a)) != 0 }
    }

    #[inline(always)]
    fn splat_f64(self, x: f64) -> Self::F64 {
        // SAFETY: the token proves NEON.
        unsafe { vdupq_n_f64(x) }
    }
    #[inline(always)]
    fn load_f64(self, x: &[f64]) -> Self::F64 {
        // SAFETY: the slice holds a full vector.
        unsafe { vld1q_f64(x[..Self::LANES_F64].as_ptr()) }
    }
    #[inline(always)]
    fn store_f64(self, v: Self::F64, x: &mut [f64]) {
        // SAFETY: the slice holds a full vector.
        unsafe { vst1q_f64(x[..Self::LANES_F64].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn load_widened(self, x: &[f32]) -> Self::F64 {
        // SAFETY: the slice holds two numbers.
        unsafe { vcvt_f64_f32(vld1_f32(x[..Self::LANES_F64].as_ptr())) }
    }
    #[inline(always)]
    fn mul_add_f64(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64 {
        // SAFETY: the token proves NEON.
        unsafe { vfmaq_f64(c, a, b) }
    }
    #[inline(always)]
    fn reduce_add_f64(self, a: Self::F64) -> f64 {
        // SAFETY: the token proves NEON.
        unsafe { vgetq_lane_f64::<0>(a) + vgetq_lane_f64::<1>(a) }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32 {
        // SAFETY: the caller promises a full vector.
        unsafe { vld1q_f32(x) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32) {
        // SAFETY: the caller promises a full vector.
        unsafe { vst1q_f32(x, v) }
    }
}
