//! Vectors a fixed distance apart, as the same channels of consecutive positions are; the bounds are checked once.
#![allow(unsafe_code)]

use super::Simd;

/// Reads `N` vectors that start `pitch` numbers apart.
#[inline(always)]
pub(crate) fn load<S: Simd, const N: usize>(simd: S, x: &[f32], pitch: usize) -> [S::F32; N] {
    check::<S, N>(x.len(), pitch);
    let mut vectors = [simd.splat(0.0); N];
    for (place, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: `place < N`, and `check` passed.
        *vector = unsafe { simd.load_ptr(x.as_ptr().add(place * pitch)) };
    }
    vectors
}

/// Writes `N` vectors that start `pitch` numbers apart.
#[inline(always)]
pub(crate) fn store<S: Simd, const N: usize>(simd: S, vectors: [S::F32; N], x: &mut [f32], pitch: usize) {
    check::<S, N>(x.len(), pitch);
    for (place, vector) in vectors.into_iter().enumerate() {
        // SAFETY: `place < N`, and `check` passed.
        unsafe { simd.store_ptr(vector, x.as_mut_ptr().add(place * pitch)) };
    }
}

/// Panics unless `N` vectors `pitch` apart fit in `len` numbers.
#[inline(always)]
fn check<S: Simd, const N: usize>(len: usize, pitch: usize) {
    const { assert!(N >= 1 && N <= 8) };
    // A slice of f32 has less than usize::MAX / 8 elements, so that 7 · pitch does not overflow.
    assert!((N == 1 || pitch <= len) && (N - 1) * pitch + S::LANES <= len);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::vec::Vec;

    /// Copies four vectors from one pitch to another.
    struct Copy<'a>(&'a [f32], usize, &'a mut [f32], usize);

    impl Kernel for Copy<'_> {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> usize {
            store::<S, 4>(simd, load(simd, self.0, self.1), self.2, self.3);
            S::LANES
        }
    }

    #[test]
    fn vectors_keep_their_distance() {
        for backend in Backend::available() {
            let from: Vec<f32> = (0..100).map(|x| x as f32).collect();
            let mut to = std::vec![-1.0; 100];
            let lanes = backend.run(Copy(&from, 19, &mut to, 23));
            for (place, x) in to.into_iter().enumerate() {
                let (row, lane) = (place / 23, place % 23);
                let expected = if row < 4 && lane < lanes { (row * 19 + lane) as f32 } else { -1.0 };
                assert_eq!(x, expected, "{backend:?}, {place}");
            }
        }
    }

    #[test]
    fn slices_that_are_too_short_are_refused() {
        for pitch in [29, usize::MAX, usize::MAX / 3] {
            let refused = std::panic::catch_unwind(|| {
                Backend::Scalar.run(Copy(&[0.0; 90], pitch, &mut [0.0; 90], 1));
            });
            assert!(refused.is_err());
        }
    }
}
