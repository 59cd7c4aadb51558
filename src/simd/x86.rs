//! The back ends of x86-64: AVX2 with FMA, and AVX-512.
//!
//! The two implementations differ in the width and the names of their intrinsics, so one macro states what they share.
#![allow(unsafe_code)]

use super::{Bfloat16, Bfloat16Kernel, EXPONENT_IN_LOW_BITS, Kernel, Simd};
use core::arch::x86_64::*;
use core::mem::transmute;
use core::sync::atomic::{AtomicU8, Ordering};

cpufeatures::new!(avx2_fma, "avx2", "fma");
cpufeatures::new!(avx512_f_vl_bw_dq, "avx2", "fma", "avx512f", "avx512vl", "avx512bw", "avx512dq");

/// Whether the processor has AVX-512 BF16, which `cpufeatures` does not know. Asked once, because the question may take long in a
/// virtual machine.
fn has_avx512_bf16() -> bool {
    const UNKNOWN: u8 = u8::MAX;
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
    let known = ANSWER.load(Ordering::Relaxed);
    if known != UNKNOWN {
        return known == 1;
    }
    let leaf_7 = |subleaf| {
        // SAFETY: processors with AVX-512, the only ones that are asked, have the instruction and the leaf.
        #[allow(unused_unsafe, reason = "newer compilers know it as safe")]
        unsafe {
            __cpuid_count(7, subleaf)
        }
    };
    // The last subleaf there is; the bit of BF16 is in the one with number 1.
    let has = avx512_f_vl_bw_dq::get() && leaf_7(0).eax >= 1 && leaf_7(1).eax >> 5 & 1 == 1;
    ANSWER.store(u8::from(has), Ordering::Relaxed);
    has
}

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Proof that the processor has AVX-512 F, VL, BW and DQ, and BF16 too if the parameter says so.
#[derive(Clone, Copy, Debug)]
pub struct Avx512<const BF16: bool = false>(());

impl Avx2 {
    /// The token, if the processor has the instructions.
    #[inline]
    pub fn detect() -> Option<Self> {
        avx2_fma::get().then_some(Self(()))
    }
}

impl Avx512<false> {
    /// The token, if the processor has the instructions.
    #[inline]
    pub fn detect() -> Option<Self> {
        avx512_f_vl_bw_dq::get().then_some(Self(()))
    }
}

impl Avx512<true> {
    /// The token, if the processor has the instructions.
    #[inline]
    pub fn detect() -> Option<Self> {
        has_avx512_bf16().then_some(Self(()))
    }

    /// Runs `kernel` compiled for these instructions.
    #[inline]
    pub fn run_bfloat16<K: Bfloat16Kernel>(self, kernel: K) -> K::Output {
        // The list matches `avx512_f_vl_bw_dq` and `has_avx512_bf16` above.
        #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,avx512bf16")]
        fn inner<K: Bfloat16Kernel>(token: Avx512<true>, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token proves AVX-512 F, VL, BW, DQ and BF16.
        unsafe { inner(self, kernel) }
    }
}

/// The trait's methods that are one intrinsic each, under the names `$op: $intrinsic(arguments)`.
macro_rules! one_to_one {
    ($vector:ty, $($op:ident: $intrinsic:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: $vector),*) -> $vector {
            // SAFETY: the token proves that the processor has the instruction.
            unsafe { $intrinsic($($arg),*) }
        })*
    };
}

/// Lane masks for the first `n` of 8 lanes, read at offset `8 - n`.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

#[inline(always)]
fn first_lanes(n: usize) -> __m256i {
    // SAFETY: 8 - min(n, 8) + 8 <= 16; AVX2 is proven by the only callers, methods of `Avx2`.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n.min(8)).cast()) }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const LANES_F64: usize = 4;
    const REGISTERS: usize = 16;
    const FUSED: bool = true;
    type F32 = __m256;
    type F64 = __m256d;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // The list matches `avx2_fma` above.
        #[target_feature(enable = "avx2,fma")]
        #[inline(never)]
        fn inner<K: Kernel>(token: Avx2, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { inner(self, kernel) }
    }

    one_to_one! { __m256,
        add: _mm256_add_ps(a, b);
        sub: _mm256_sub_ps(a, b);
        mul: _mm256_mul_ps(a, b);
        div: _mm256_div_ps(a, b);
        mul_add: _mm256_fmadd_ps(a, b, c);
        max: _mm256_max_ps(a, b);
        sqrt: _mm256_sqrt_ps(a);
    }
    one_to_one! { __m256d,
        add_f64: _mm256_add_pd(a, b);
        sub_f64: _mm256_sub_pd(a, b);
        mul_f64: _mm256_mul_pd(a, b);
        mul_add_f64: _mm256_fmadd_pd(a, b, c);
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::F32 {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm256_loadu_ps(x[..Self::LANES].as_ptr()) }
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Self::F32 {
        // SAFETY: lanes at or beyond the end of `x` are masked off and not read.
        unsafe { _mm256_maskload_ps(x.as_ptr(), first_lanes(x.len())) }
    }
    #[inline(always)]
    fn store(self, v: Self::F32, x: &mut [f32]) {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm256_storeu_ps(x[..Self::LANES].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn store_partial(self, v: Self::F32, x: &mut [f32]) {
        // SAFETY: lanes at or beyond the end of `x` are masked off and not written.
        unsafe { _mm256_maskstore_ps(x.as_mut_ptr(), first_lanes(x.len()), v) }
    }
    #[inline(always)]
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        // SAFETY: the token proves AVX2.
        unsafe {
            // By halves of a vector.
            let (even, odd) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            [_mm256_permute2f128_ps::<0x20>(even, odd), _mm256_permute2f128_ps::<0x31>(even, odd)]
        }
    }
    #[inline(always)]
    fn maximum(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        // The instruction returns `b` if either is NaN.
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) }
    }
    #[inline(always)]
    fn power_of_two(self, exponent: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let biased = _mm256_castps_si256(_mm256_add_ps(exponent, _mm256_set1_ps(EXPONENT_IN_LOW_BITS)));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        }
    }
    #[inline(always)]
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate, _mm256_setzero_ps()), x) }
    }
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
        }
    }
    #[inline(always)]
    fn is_zero(self, a: Self::F32) -> bool {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(a, _mm256_setzero_ps())) == 0 }
    }
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: the instruction reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }

    #[inline(always)]
    fn splat_f64(self, x: f64) -> Self::F64 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_set1_pd(x) }
    }
    #[inline(always)]
    fn load_f64(self, x: &[f64]) -> Self::F64 {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm256_loadu_pd(x[..Self::LANES_F64].as_ptr()) }
    }
    #[inline(always)]
    fn store_f64(self, v: Self::F64, x: &mut [f64]) {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm256_storeu_pd(x[..Self::LANES_F64].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn load_widened(self, x: &[f32]) -> Self::F64 {
        // SAFETY: the slice holds four numbers.
        unsafe { _mm256_cvtps_pd(_mm_loadu_ps(x[..Self::LANES_F64].as_ptr())) }
    }
    #[inline(always)]
    fn reduce_add_f64(self, a: Self::F64) -> f64 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let half = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd::<1>(a));
            _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
        }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32 {
        // SAFETY: the caller promises a full vector.
        unsafe { _mm256_loadu_ps(x) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32) {
        // SAFETY: the caller promises a full vector.
        unsafe { _mm256_storeu_ps(x, v) }
    }
}

impl<const BF16: bool> Simd for Avx512<BF16> {
    const LANES: usize = 16;
    const LANES_F64: usize = 8;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;
    type F32 = __m512;
    type F64 = __m512d;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // The list matches `avx512_f_vl_bw_dq` above, whose token does for both.
        #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
        #[inline(never)]
        fn inner<K: Kernel>(token: Avx512<false>, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token proves AVX-512 F, VL, BW and DQ.
        unsafe { inner(Avx512(()), kernel) }
    }

    one_to_one! { __m512,
        add: _mm512_add_ps(a, b);
        sub: _mm512_sub_ps(a, b);
        mul: _mm512_mul_ps(a, b);
        div: _mm512_div_ps(a, b);
        mul_add: _mm512_fmadd_ps(a, b, c);
        max: _mm512_max_ps(a, b);
        sqrt: _mm512_sqrt_ps(a);
    }
    one_to_one! { __m512d,
        add_f64: _mm512_add_pd(a, b);
        sub_f64: _mm512_sub_pd(a, b);
        mul_f64: _mm512_mul_pd(a, b);
        mul_add_f64: _mm512_fmadd_pd(a, b, c);
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::F32 {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm512_loadu_ps(x[..Self::LANES].as_ptr()) }
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Self::F32 {
        // SAFETY: lanes at or beyond the end of `x` are masked off and not read.
        unsafe { _mm512_maskz_loadu_ps(first_of_16(x.len()), x.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: Self::F32, x: &mut [f32]) {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm512_storeu_ps(x[..Self::LANES].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn store_partial(self, v: Self::F32, x: &mut [f32]) {
        // SAFETY: lanes at or beyond the end of `x` are masked off and not written.
        unsafe { _mm512_mask_storeu_ps(x.as_mut_ptr(), first_of_16(x.len()), v) }
    }
    #[inline(always)]
    fn zip(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b)]
        }
    }
    #[inline(always)]
    fn maximum(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        // The instruction returns `b` if either is NaN.
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a) }
    }
    #[inline(always)]
    fn power_of_two(self, exponent: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let biased = _mm512_castps_si512(_mm512_add_ps(exponent, _mm512_set1_ps(EXPONENT_IN_LOW_BITS)));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }
    #[inline(always)]
    fn where_positive(self, gate: Self::F32, x: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate, _mm512_setzero_ps()), x) }
    }
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half));
            let pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
        }
    }
    #[inline(always)]
    fn is_zero(self, a: Self::F32) -> bool {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, _mm512_setzero_ps()) == 0 }
    }
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: the instruction reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }

    #[inline(always)]
    fn splat_f64(self, x: f64) -> Self::F64 {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_set1_pd(x) }
    }
    #[inline(always)]
    fn load_f64(self, x: &[f64]) -> Self::F64 {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm512_loadu_pd(x[..Self::LANES_F64].as_ptr()) }
    }
    #[inline(always)]
    fn store_f64(self, v: Self::F64, x: &mut [f64]) {
        // SAFETY: the slice holds a full vector.
        unsafe { _mm512_storeu_pd(x[..Self::LANES_F64].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn load_widened(self, x: &[f32]) -> Self::F64 {
        // SAFETY: the slice holds eight numbers.
        unsafe { _mm512_cvtps_pd(_mm256_loadu_ps(x[..Self::LANES_F64].as_ptr())) }
    }
    #[inline(always)]
    fn reduce_add_f64(self, a: Self::F64) -> f64 {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let half = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd::<1>(a));
            let pair = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd::<1>(half));
            _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)))
        }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, x: *const f32) -> Self::F32 {
        // SAFETY: the caller promises a full vector.
        unsafe { _mm512_loadu_ps(x) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::F32, x: *mut f32) {
        // SAFETY: the caller promises a full vector.
        unsafe { _mm512_storeu_ps(x, v) }
    }
}

impl Bfloat16 for Avx512<true> {
    #[inline(always)]
    fn round_pairs(self, first: Self::F32, second: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX-512 BF16; both types are 64 bytes of any bits.
        unsafe { transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(second, first)) }
    }
    #[inline(always)]
    fn dot_pairs(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // SAFETY: the token proves AVX-512 BF16; both types are 64 bytes of any bits.
        unsafe {
            let [a, b] = [transmute::<__m512, __m512bh>(a), transmute::<__m512, __m512bh>(b)];
            _mm512_dpbf16_ps(c, a, b)
        }
    }
}

/// The mask of the first `n` of 16 lanes.
#[inline(always)]
fn first_of_16(n: usize) -> __mmask16 {
    ((1u32 << n.min(16)) - 1) as __mmask16
}
