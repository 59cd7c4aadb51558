//! Square roots of single numbers, correctly rounded.
//!
//! On x86-64 `libm` may state the instruction in its oldest encoding, whatever the function it is inlined into is compiled
//! for. Between vectors of 256 or 512 bits Intel's processors then wait for more than a hundred cycles: the encoding has to
//! be the surrounding kernel's.
#![cfg_attr(target_arch = "x86_64", allow(unsafe_code))]

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{_mm_cvtsd_f64, _mm_cvtss_f32, _mm_set_sd, _mm_set_ss, _mm_sqrt_sd, _mm_sqrt_ss};

/// The square root.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has SSE2.
    unsafe {
        let x = _mm_set_sd(x);
        _mm_cvtsd_f64(_mm_sqrt_sd(x, x))
    }
    #[cfg(not(target_arch = "x86_64"))]
    libm::sqrt(x)
}

/// The square root in single precision, with every feature: the bits of random tensors depend on it.
#[inline]
pub fn sqrt_f32(x: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has SSE.
    unsafe {
        _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)))
    }
    #[cfg(not(target_arch = "x86_64"))]
    libm::sqrtf(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_those_of_libm() {
        // Every exponent, of both signs, with numbers that are no squares; zeros, infinities and NaN among them.
        for exponent in 0..=0x7ffu64 {
            for fraction in [0, 1, 0x5_5555_5555_5555, 0xf_ffff_ffff_ffff] {
                for sign in [0, 1 << 63] {
                    let x = f64::from_bits(sign | exponent << 52 | fraction);
                    let (root, expected) = (sqrt(x), libm::sqrt(x));
                    assert!(root.to_bits() == expected.to_bits() || root.is_nan() && expected.is_nan(), "{x:e}");
                }
            }
        }
        for exponent in 0..=0xffu32 {
            for fraction in [0, 1, 0x55_5555, 0x7f_ffff] {
                for sign in [0, 1 << 31] {
                    let x = f32::from_bits(sign | exponent << 23 | fraction);
                    let (root, expected) = (sqrt_f32(x), libm::sqrtf(x));
                    assert!(root.to_bits() == expected.to_bits() || root.is_nan() && expected.is_nan(), "{x:e}");
                }
            }
        }
    }
}
