//! The back ends of this build, what this processor has of them, and the jump into one.

use super::{Bfloat16Kernel, Kernel, Scalar, Simd};

/// A vector instruction set that kernels are compiled for. `Default` is the best one of this processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Portable code, four lanes, no fused multiply-add: the reference.
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, VL, BW and DQ.
    Avx512,
    /// AArch64.
    Neon,
    /// WebAssembly, in builds with the feature `simd128`.
    Simd128,
}

impl Backend {
    /// Every back end the crate knows, slowest first; whether or not it is available here.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Avx2, Self::Avx512, Self::Neon, Self::Simd128];

    /// The back ends this processor can run, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|backend| backend.is_available())
    }

    /// Whether this build and this processor can run the back end.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::Avx512::<false>::detect().is_some(),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Self::Neon => super::Neon::detect().is_some(),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => super::Simd128::detect().is_some(),
            _ => false,
        }
    }

    /// The fastest back end of this processor.
    pub fn detect() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }

    /// The lower-case name of the back end.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
            Self::Simd128 => "simd128",
        }
    }

    /// Runs `kernel` on this back end; on [`Backend::Scalar`] where the processor lacks it.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                if let Some(token) = super::Avx2::detect() {
                    return token.run(kernel);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                if let Some(token) = super::Avx512::<false>::detect() {
                    return token.run(kernel);
                }
            }
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Self::Neon => {
                if let Some(token) = super::Neon::detect() {
                    return token.run(kernel);
                }
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => {
                if let Some(token) = super::Simd128::detect() {
                    return token.run(kernel);
                }
            }
            _ => {}
        }
        Scalar.run(kernel)
    }

    /// Whether this processor multiplies bfloat16 numbers on the back end: AVX-512 with BF16.
    pub fn has_bfloat16(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::Avx512::<true>::detect().is_some(),
            _ => false,
        }
    }

    /// Runs `kernel` on this back end if it [`has_bfloat16`](Self::has_bfloat16).
    #[inline]
    pub fn run_bfloat16<K: Bfloat16Kernel>(self, kernel: K) -> Option<K::Output> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Some(super::Avx512::<true>::detect()?.run_bfloat16(kernel)),
            _ => {
                let _ = kernel;
                None
            }
        }
    }
}

impl Default for Backend {
    fn default() -> Self {
        Self::detect()
    }
}
