//! The portable back end: four lanes as plain arrays, which the compiler may or may not turn into vectors.

use super::{EXPONENT_IN_LOW_BITS, Kernel, Simd, root};

/// The portable back end's token.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

const LANES: usize = 4;

#[inline(always)]
fn map2<T: Copy>(a: [T; LANES], b: [T; LANES], f: impl Fn(T, T) -> T) -> [T; LANES] {
    core::array::from_fn(|i| f(a[i], b[i]))
}

#[inline(always)]
fn first<T: Copy>(x: &[T]) -> [T; LANES] {
    let x = &x[..LANES];
    core::array::from_fn(|i| x[i])
}

impl Simd for Scalar {
    const LANES: usize = LANES;
    const LANES_F64: usize = LANES;
    const REGISTERS: usize = 16;
    const FUSED: bool = false;
    type F32 = [f32; LANES];
    type F64 = [f64; LANES];

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        [x; LANES]
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load(self, x: &[f32]) -> Self::F32 {
        first(x)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load_partial(self, x: &[f32]) -> Self::F32 {
        core::array::from_fn(|i| x.get(i).copied().unwrap_or(0.0))
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn store(self, v: Self::F32, x: &mut [f32]) {
        x[..LANES].copy_from_slice(&v);
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn store_partial(self, v: Self::F32, x: &mut [f32]) {
        x.iter_mut().zip(v).for_each(|(x, v)| *x = v);
    }
    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a / b)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        self.add(self.mul(a, b), c)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| if a > b { a } else { b })
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn maximum(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| if a > b || a.is_nan() { a } else { b })
    }
    #[inline(always)]
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        [[a[0], b[0], a[1], b[1]], [a[2], b[2], a[3], b[3]]]
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn sqrt(self, a: Self::F32) -> Self::F32 {
        a.map(root::sqrt_f32)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn power_of_two(self, exponent: Self::F32) -> Self::F32 {
        exponent.map(|exponent| f32::from_bits((exponent + EXPONENT_IN_LOW_BITS).to_bits() << 23))
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32 {
        map2(gate, x, |gate, x| if gate > 0.0 { x } else { 0.0 })
    }
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn is_zero(self, a: Self::F32) -> bool {
        a.iter().all(|&a| a == 0.0)
    }

    #[inline(always)]
    fn splat_f64(self, x: f64) -> Self::F64 {
        [x; LANES]
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load_f64(self, x: &[f64]) -> Self::F64 {
        first(x)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn store_f64(self, v: Self::F64, x: &mut [f64]) {
        x[..LANES].copy_from_slice(&v);
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load_widened(self, x: &[f32]) -> Self::F64 {
        first(x).map(f64::from)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn add_f64(self, a: Self::F64, b: Self::F64) -> Self::F64 {
        map2(a, b, |a, b| a + b)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn sub_f64(self, a: Self::F64, b: Self::F64) -> Self::F64 {
        map2(a, b, |a, b| a - b)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn mul_f64(self, a: Self::F64, b: Self::F64) -> Self::F64 {
        map2(a, b, |a, b| a * b)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn mul_add_f64(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64 {
        self.add_f64(self.mul_f64(a, b), c)
    }
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn reduce_add_f64(self, a: Self::F64) -> f64 {
        (a[0] + a[2]) + (a[1] + a[3])
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32 {
        // SAFETY: the caller promises LANES readable numbers; an array of f32 has the alignment of one.
        unsafe { x.cast::<Self::F32>().read() }
    }
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32) {
        // SAFETY: the caller promises LANES writable numbers; an array of f32 has the alignment of one.
        unsafe { x.cast::<Self::F32>().write(v) }
    }
}
