//! Transcendental functions, square roots and the like without a standard library.
//!
//! Everything that leaves the four basic operations goes through here, so that one place decides between
//! `libm` (default: errors below 1 ULP) and `micromath` (feature `micromath`: f32 functions that are smaller and faster
//! on microcontrollers, relative error up to about 1e-2). Square roots are correctly rounded with either.
//! f64 always goes through `libm`: statistics are never approximated. There is no `mul_add`: without a fused
//! instruction it is slow, and whether to fuse is the business of [`crate::simd`].

/// Natural logarithm.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Square root, correctly rounded.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    libm::sqrt(x)
}

/// `sqrt(a² + b²)` without undue overflow or underflow.
#[inline]
pub fn hypot(a: f64, b: f64) -> f64 {
    libm::hypot(a, b)
}

/// Square root in single precision, correctly rounded with every feature: the bits of random tensors depend on it.
#[inline]
pub fn sqrt_f32(x: f32) -> f32 {
    libm::sqrtf(x)
}
