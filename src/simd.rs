//! Vectors of the processor behind one small trait, and the choice of the processor's back end.
//!
//! A kernel is a struct of its arguments that implements [`Kernel`]; its one generic body is compiled once per
//! back end inside a `#[target_feature]` wrapper, and [`Backend::run`] picks the instance. A token such as
//! `Avx2` exists only where the processor supports it, so holding one *is* the proof that its instructions may run.
//! Every function between the wrapper and an intrinsic must be `#[inline(always)]`, closures included:
//! otherwise the intrinsic becomes a call and its features are lost. What many kernels have in common is a kernel too, which
//! they run by [`Simd::run`].
//!
//! The scalar back end is the reference of every kernel's test. Back ends differ in the order of sums and in
//! fused multiply-adds; each kernel states the tolerance. Within one back end results are the same bits always.

mod backend;
pub(crate) mod convolution;
pub(crate) mod exponential;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
pub(crate) mod normal;
pub mod root;
pub(crate) mod rows;
mod scalar;
pub(crate) mod strided;
pub(crate) mod tile;
pub(crate) mod transpose;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
pub(crate) mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use backend::Backend;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub use neon::Neon;
pub use scalar::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::Simd128;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// Added to an integer from −126 to 127 of single precision, it leaves that integer plus the bias of an exponent, 127, in
/// the low nine bits.
const EXPONENT_IN_LOW_BITS: f32 = 12_582_912.0 + 127.0;

/// Numbers in the widest vector of any back end.
pub(crate) const MAX_LANES: usize = 16;

/// A computation compiled once for every back end.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The one generic body. Mark the implementation `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// A computation compiled for every back end that multiplies bfloat16 numbers.
pub trait Bfloat16Kernel {
    /// What it returns.
    type Output;
    /// The one generic body. Mark the implementation `#[inline(always)]`.
    fn run<S: Bfloat16>(self, simd: S) -> Self::Output;
}

/// A vector instruction set. A value of the type proves that the processor has it.
///
/// `F32` holds [`LANES`](Simd::LANES) and `F64` holds [`LANES_F64`](Simd::LANES_F64) numbers. The slice methods
/// panic when a slice is too short; `*_partial` take what the slice has, up to a full vector, and fill with zeros.
pub trait Simd: Copy + 'static {
    /// Numbers in an `F32`; a power of two, at most 16.
    const LANES: usize;
    /// Numbers in an `F64`; a power of two, at most 8.
    const LANES_F64: usize;
    /// Vector registers available to a kernel; micro-kernels choose their tile by it.
    const REGISTERS: usize;
    /// Whether `mul_add` rounds once.
    const FUSED: bool;
    /// A vector of single precision.
    type F32: Copy;
    /// A vector of double precision.
    type F64: Copy;

    /// Runs `kernel` compiled for these instructions, as a function of its own: also for what many kernels have in common and takes
    /// much longer than a call.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;
    /// All lanes equal to `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// Reads a full vector from the start of `x`.
    fn load(self, x: &[f32]) -> Self::F32;
    /// Reads the first lanes from `x`, zeros beyond its end.
    fn load_partial(self, x: &[f32]) -> Self::F32;
    /// Writes a full vector to the start of `x`.
    fn store(self, v: Self::F32, x: &mut [f32]);
    /// Writes as many lanes as `x` takes.
    fn store_partial(self, v: Self::F32, x: &mut [f32]);
    /// `a + b`
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b`
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`, correctly rounded.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b + c`, fused where the back end can.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The larger of each pair; `b` where `a` is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger of each pair; NaN where either is NaN.
    fn maximum(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Square root, correctly rounded.
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// 2 to the power of each lane, an integer from −126 to 127; anything else gives an unspecified number.
    fn power_of_two(self, exponent: Self::F32) -> Self::F32;
    /// `x` where `gate > 0`, else 0 (also where `gate` is NaN): the derivative of a rectifier.
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32;
    /// The sum of all lanes, in a fixed tree order.
    fn reduce_add(self, a: Self::F32) -> f32;
    /// Whether all lanes are 0, of either sign.
    fn is_zero(self, a: Self::F32) -> bool;
    /// `a` and `b` by turns: the numbers of their first halves, and those of their second halves.
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2];
    /// Asks for a cache line, to be near when it is needed; does nothing where there is no such instruction. Any address
    /// will do.
    #[inline(always)]
    fn prefetch(self, _address: *const f32) {}

    /// All lanes equal to `x`.
    fn splat_f64(self, x: f64) -> Self::F64;
    /// Reads a full vector from the start of `x`.
    fn load_f64(self, x: &[f64]) -> Self::F64;
    /// Writes a full vector to the start of `x`.
    fn store_f64(self, v: Self::F64, x: &mut [f64]);
    /// Reads [`LANES_F64`](Simd::LANES_F64) numbers of single precision and widens them.
    fn load_widened(self, x: &[f32]) -> Self::F64;
    /// `a + b`
    fn add_f64(self, a: Self::F64, b: Self::F64) -> Self::F64;
    /// `a - b`
    fn sub_f64(self, a: Self::F64, b: Self::F64) -> Self::F64;
    /// `a · b`
    fn mul_f64(self, a: Self::F64, b: Self::F64) -> Self::F64;
    /// `a · b + c`, fused where the back end can.
    fn mul_add_f64(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64;
    /// The sum of all lanes, in a fixed tree order.
    fn reduce_add_f64(self, a: Self::F64) -> f64;

    /// Reads a full vector.
    ///
    /// # Safety
    /// `x` points to [`LANES`](Simd::LANES) readable numbers.
    #[allow(unsafe_code)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32;
    /// Writes a full vector.
    ///
    /// # Safety
    /// `x` points to [`LANES`](Simd::LANES) writable numbers.
    #[allow(unsafe_code)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32);
}

/// A vector instruction set that multiplies bfloat16 numbers, pairs of which take the place of one of single precision:
/// the first in the low half of its bits.
pub trait Bfloat16: Simd {
    /// Rounds the numbers of two vectors, one behind the other, to nearest even, and joins neighbours to pairs.
    fn round_pairs(self, first: Self::F32, second: Self::F32) -> Self::F32;
    /// `c + a₀ · b₀ + a₁ · b₁` of the pairs in each lane. Subnormal numbers count as 0.
    fn dot_pairs(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
}
