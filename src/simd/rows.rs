//! A few vectors of channels over many rows: maps and sums whose bounds are checked once.
#![allow(unsafe_code)]

mod map;
mod slide;
mod sum;
mod widen;

pub(crate) use map::{map, map_partial};
pub(crate) use slide::{Neighbours, slide, slide_partial};
pub(crate) use sum::{sum, sum_partial};
pub(crate) use widen::widen;

use super::Simd;
use core::ops::Range;

/// Rows to read, `pitch` numbers apart; of each, the first vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) pitch: usize,
}

impl Rows<'_> {
    /// The same rows without their first `channels` numbers.
    #[inline(always)]
    pub(crate) fn skip(self, channels: usize) -> Self {
        Rows { data: &self.data[channels..], pitch: self.pitch }
    }

    /// A vector of a row.
    ///
    /// # Safety
    /// [`check`] has passed for more rows and more vectors.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, vector: usize) -> S::F32 {
        // SAFETY: the caller's promise.
        unsafe { simd.load_ptr(self.data.as_ptr().add(row * self.pitch + vector * S::LANES)) }
    }
}

/// Panics unless the first `vectors` vectors of each of `count` rows lie inside `len` numbers.
#[inline(always)]
fn check<S: Simd>(_: S, len: usize, pitch: usize, count: usize, vectors: usize) {
    // A saturated sum exceeds the length of any slice of numbers.
    assert!(count == 0 || (count - 1).saturating_mul(pitch).saturating_add(vectors * S::LANES) <= len);
}

/// The first vectors of each slice: of every vector, one from each.
#[inline(always)]
fn load<S: Simd, const M: usize, const V: usize>(simd: S, slices: [&[f32]; M]) -> [[S::F32; M]; V] {
    let mut vectors = [[simd.splat(0.0); M]; V];
    for (index, vectors) in vectors.iter_mut().enumerate() {
        for (vector, slice) in vectors.iter_mut().zip(&slices) {
            *vector = simd.load(&slice[index * S::LANES..]);
        }
    }
    vectors
}

/// Some channels of each slice, at most as many as a vector holds.
#[inline(always)]
fn load_partial<S: Simd, const M: usize>(simd: S, slices: [&[f32]; M], channels: &Range<usize>) -> [S::F32; M] {
    let mut vectors = [simd.splat(0.0); M];
    for (vector, slice) in vectors.iter_mut().zip(&slices) {
        *vector = simd.load_partial(&slice[channels.clone()]);
    }
    vectors
}

/// Visits all rows in order, each with the chain it belongs to.
#[inline(always)]
pub(super) fn for_each_row<const CHAINS: usize>(count: usize, mut visit: impl FnMut(usize, usize)) {
    let whole = count - count % CHAINS;
    for first in (0..whole).step_by(CHAINS) {
        for chain in 0..CHAINS {
            visit(first + chain, chain);
        }
    }
    for row in whole..count {
        visit(row, row - whole);
    }
}

/// The sum of some chains, neighbours first.
#[inline(always)]
fn join<S: Simd, const A: usize, const CHAINS: usize>(simd: S, mut chains: [[S::F32; A]; CHAINS]) -> [S::F32; A] {
    const { assert!(CHAINS.is_power_of_two()) };
    let mut left = CHAINS;
    while left > 1 {
        left /= 2;
        for chain in 0..left {
            for index in 0..A {
                chains[chain][index] = simd.add(chains[2 * chain][index], chains[2 * chain + 1][index]);
            }
        }
    }
    chains[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::panic::catch_unwind;

    /// Doubles three rows and adds up what was read.
    struct Double<'a> {
        from: Rows<'a>,
        to: &'a mut [f32],
        pitch: usize,
    }

    impl Kernel for Double<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> [f32; 2] {
            let [[mapped]] =
                map(simd, 3, [self.from], [], self.to, self.pitch, &|[], [x], _, [sum]: &mut [S::F32; 1]| {
                    *sum = simd.add(*sum, x);
                    simd.add(x, x)
                });
            let [[summed]] = sum(
                simd,
                3,
                [self.from],
                [],
                #[inline(always)]
                |[], [x], [sum]: &mut [S::F32; 1]| *sum = simd.add(*sum, x),
            );
            [mapped, summed].map(|sums| simd.reduce_add(sums))
        }
    }

    struct Width;

    impl Kernel for Width {
        type Output = usize;

        fn run<S: Simd>(self, _: S) -> usize {
            S::LANES
        }
    }

    #[test]
    fn rows_are_mapped_and_summed() {
        let from: [f32; 64] = core::array::from_fn(|place| place as f32);
        for backend in Backend::available() {
            let mut to = [-1.0; 64];
            let sums = backend.run(Double { from: Rows { data: &from, pitch: 17 }, to: &mut to, pitch: 19 });
            let lanes = backend.run(Width);
            let expected: f32 = (0..3).flat_map(|row| (0..lanes).map(move |lane| (row * 17 + lane) as f32)).sum();
            assert_eq!(sums, [expected; 2]);
            for (place, x) in to.into_iter().enumerate() {
                let (row, lane) = (place / 19, place % 19);
                let expected = if row < 3 && lane < lanes { 2.0 * (row * 17 + lane) as f32 } else { -1.0 };
                assert_eq!(x, expected, "{backend:?}, {place}");
            }
        }
    }

    #[test]
    fn rows_beyond_a_slice_are_refused() {
        let from = [0.0; 64];
        // Twice the last two, or twice the one and the length of a vector more, wrap around to almost nothing.
        for pitch in [63, usize::MAX, usize::MAX / 2 + 1, usize::MAX / 2] {
            for (read, written) in [(pitch, 1), (1, pitch)] {
                let rows = Rows { data: &from, pitch: read };
                let refused = catch_unwind(|| {
                    Backend::Scalar.run(Double { from: rows, to: &mut [0.0; 64], pitch: written });
                });
                assert!(refused.is_err(), "{read}, {written}");
            }
        }
    }
}
