//! The numbers of the back ends.

use core::ffi::{CStr, c_char};

/// The instruction set to run on. The same back end gives the same bits on every machine that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Backend {
    /// The fastest one of this processor.
    Best = 0,
    /// Portable code, available everywhere.
    Scalar = 1,
    /// x86-64 with AVX2 and FMA.
    Avx2 = 2,
    /// x86-64 with AVX-512 F, VL, BW and DQ.
    Avx512 = 3,
    /// AArch64.
    Neon = 4,
    /// WebAssembly, in builds with the feature `simd128`.
    Simd128 = 5,
}

impl Backend {
    const ALL: [Self; 6] = [Self::Best, Self::Scalar, Self::Avx2, Self::Avx512, Self::Neon, Self::Simd128];

    fn of(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| *backend as u32 == number)
    }

    /// The core's back end with this number, available or not.
    pub(crate) fn to_core(number: u32) -> Option<aznas::simd::Backend> {
        Self::of(number).map(|backend| match backend {
            Self::Best => aznas::simd::Backend::default(),
            Self::Scalar => aznas::simd::Backend::Scalar,
            Self::Avx2 => aznas::simd::Backend::Avx2,
            Self::Avx512 => aznas::simd::Backend::Avx512,
            Self::Neon => aznas::simd::Backend::Neon,
            Self::Simd128 => aznas::simd::Backend::Simd128,
        })
    }
}

fn name(backend: aznas::simd::Backend) -> &'static CStr {
    match backend {
        aznas::simd::Backend::Scalar => c"scalar",
        aznas::simd::Backend::Avx2 => c"avx2",
        aznas::simd::Backend::Avx512 => c"avx512",
        aznas::simd::Backend::Neon => c"neon",
        aznas::simd::Backend::Simd128 => c"simd128",
        _ => c"other",
    }
}

/// The lower-case name of a back end, whether or not it is available here; of `AZNAS_BACKEND_BEST`, that of the one it
/// stands for on this processor. "unknown" for a number that is none of `aznas_backend`. Never NULL, never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn aznas_backend_name(backend: u32) -> *const c_char {
    Backend::to_core(backend).map_or(c"unknown", name).as_ptr()
}
