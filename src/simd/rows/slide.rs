//! Rows joined with their two neighbours, in one walk.

use super::{Rows, check, load_partial};
use crate::simd::Simd;
use core::ops::Range;

/// What [`slide`] does with what it reads; the first row and the last are the border.
pub(crate) trait Neighbours<S: Simd, const N: usize, const M: usize> {
    /// What stands for the rows beyond the border.
    fn outside(&self, simd: S) -> S::F32;
    /// Reduces a row's numbers of all inputs to one for each output.
    fn reduce(&self, simd: S, border: bool, values: [S::F32; N]) -> [S::F32; M];
    /// Joins a row, or it and the one before, with the next.
    fn join(&self, simd: S, joined: S::F32, next: S::F32) -> S::F32;
    /// A row's result from it and its two neighbours.
    fn finish(&self, simd: S, border: bool, joined: S::F32) -> S::F32;
}

/// Reduces `V` vectors of each of `count` rows of the inputs, three at least, and joins those of each row and its two
/// neighbours to its results.
#[inline(always)]
pub(crate) fn slide<S: Simd, const N: usize, const M: usize, const V: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    mut outputs: [&mut [f32]; M],
    pitch: usize,
    neighbours: &impl Neighbours<S, N, M>,
) {
    assert!(count >= 3);
    for output in &outputs {
        check(simd, output.len(), pitch, count, V);
    }
    for input in inputs {
        check(simd, input.data.len(), input.pitch, count, V);
    }
    // Lines of memory are best read in order, as far as the registers allow.
    if S::REGISTERS >= 32 {
        // SAFETY: the slices were checked for `count` rows of `V` vectors.
        unsafe { slide_vectors::<S, N, M, V>(simd, count, inputs, outputs, pitch, 0, neighbours) };
    } else {
        for vector in 0..V {
            let outputs = outputs.each_mut().map(|output| &mut **output);
            // SAFETY: the slices were checked for `count` rows of `V` vectors.
            unsafe { slide_vectors::<S, N, M, 1>(simd, count, inputs, outputs, pitch, vector, neighbours) };
        }
    }
}

/// [`slide`] of the vectors from `first` on.
///
/// # Safety
/// [`check`] has passed for `count` rows and `first + V` vectors of each input and output.
#[inline(always)]
unsafe fn slide_vectors<S: Simd, const N: usize, const M: usize, const V: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    mut outputs: [&mut [f32]; M],
    pitch: usize,
    first: usize,
    neighbours: &impl Neighbours<S, N, M>,
) {
    walk::<S, N, M, V>(
        simd,
        count,
        neighbours,
        #[inline(always)]
        |row, vector| {
            let mut values = [simd.splat(0.0); N];
            for (value, input) in values.iter_mut().zip(&inputs) {
                // SAFETY: the row is below `count`, the vector below `first + V`: the caller's promise.
                *value = unsafe { input.vector(simd, row, first + vector) };
            }
            values
        },
        #[inline(always)]
        |row, vector, results: [S::F32; M]| {
            for (output, result) in outputs.iter_mut().zip(results) {
                let place = row * pitch + (first + vector) * S::LANES;
                // SAFETY: the row is below `count`, the vector below `first + V`: the caller's promise.
                unsafe { simd.store_ptr(result, output.as_mut_ptr().add(place)) };
            }
        },
    );
}

/// [`slide`] of some channels, at most as many as a vector holds.
#[inline(always)]
pub(crate) fn slide_partial<S: Simd, const N: usize, const M: usize>(
    simd: S,
    count: usize,
    channels: Range<usize>,
    inputs: [Rows<'_>; N],
    mut outputs: [&mut [f32]; M],
    pitch: usize,
    neighbours: &impl Neighbours<S, N, M>,
) {
    walk::<S, N, M, 1>(
        simd,
        count,
        neighbours,
        #[inline(always)]
        |row, _| load_partial(simd, inputs.map(|input| &input.data[row * input.pitch..]), &channels),
        #[inline(always)]
        |row, _, results| {
            for (output, result) in outputs.iter_mut().zip(results) {
                simd.store_partial(result, &mut output[row * pitch..][channels.clone()]);
            }
        },
    );
}

/// [`slide`] over what `read` gives, by row and vector.
#[inline(always)]
fn walk<S: Simd, const N: usize, const M: usize, const V: usize>(
    simd: S,
    count: usize,
    neighbours: &impl Neighbours<S, N, M>,
    read: impl Fn(usize, usize) -> [S::F32; N],
    mut write: impl FnMut(usize, usize, [S::F32; M]),
) {
    let outside = neighbours.outside(simd);
    // The row last read, and it joined with the one before.
    let mut last = [[outside; M]; V];
    let mut joined = [[outside; M]; V];
    for vector in 0..V {
        last[vector] = neighbours.reduce(simd, true, read(0, vector));
        for output in 0..M {
            joined[vector][output] = neighbours.join(simd, outside, last[vector][output]);
        }
    }
    for row in 1..count {
        for vector in 0..V {
            let next = neighbours.reduce(simd, row == count - 1, read(row, vector));
            let mut results = next;
            for output in 0..M {
                let result = neighbours.join(simd, joined[vector][output], next[output]);
                results[output] = neighbours.finish(simd, row == 1, result);
                joined[vector][output] = neighbours.join(simd, last[vector][output], next[output]);
            }
            write(row - 1, vector, results);
            last[vector] = next;
        }
    }
    for vector in 0..V {
        let mut results = joined[vector];
        for result in &mut results {
            *result = neighbours.finish(simd, true, neighbours.join(simd, *result, outside));
        }
        write(count - 1, vector, results);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::panic::catch_unwind;

    /// Adds up three rows at a time, doubled for the one output and tripled for the other.
    struct Slide<'a> {
        from: Rows<'a>,
        to: [&'a mut [f32]; 2],
        pitch: usize,
        count: usize,
        partial: bool,
    }

    struct Sums;

    impl<S: Simd> Neighbours<S, 1, 2> for Sums {
        #[inline(always)]
        fn outside(&self, simd: S) -> S::F32 {
            simd.splat(100.0)
        }
        #[inline(always)]
        fn reduce(&self, simd: S, _: bool, [x]: [S::F32; 1]) -> [S::F32; 2] {
            [simd.mul(simd.splat(2.0), x), simd.mul(simd.splat(3.0), x)]
        }
        #[inline(always)]
        fn join(&self, simd: S, a: S::F32, b: S::F32) -> S::F32 {
            simd.add(a, b)
        }
        #[inline(always)]
        fn finish(&self, simd: S, border: bool, joined: S::F32) -> S::F32 {
            simd.add(joined, simd.splat(if border { 1000.0 } else { 0.0 }))
        }
    }

    impl Kernel for Slide<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let Self { from, to, pitch, count, partial } = self;
            if partial {
                slide_partial(simd, count, 0..1, [from], to, pitch, &Sums);
            } else {
                slide::<S, 1, 2, 1>(simd, count, [from], to, pitch, &Sums);
            }
        }
    }

    #[test]
    fn rows_slide() {
        // A row holds its number.
        let from: [f32; 80] = core::array::from_fn(|place| (place / 16) as f32);
        for backend in Backend::available() {
            for partial in [false, true] {
                let (mut doubled, mut tripled) = ([-1.0; 80], [-1.0; 80]);
                let from = Rows { data: &from, pitch: 16 };
                let to = [&mut doubled[..], &mut tripled[..]];
                backend.run(Slide { from, to, pitch: 17, count: 4, partial });
                assert_eq!([0, 17, 34, 51].map(|place| doubled[place]), [1102.0, 6.0, 12.0, 1110.0]);
                assert_eq!([0, 17, 34, 51].map(|place| tripled[place]), [1103.0, 9.0, 18.0, 1115.0]);
                assert_eq!(doubled[68..], [-1.0; 12]);
            }
        }
        for (read, written, count) in
            [(16, 16, 6), (usize::MAX, 1, 2), (1, usize::MAX, 2), (1, 1, usize::MAX), (1, 1, 2)]
        {
            let from = Rows { data: &from, pitch: read };
            let refused = catch_unwind(|| {
                let to = [&mut [0.0; 80][..], &mut [0.0; 80][..]];
                Backend::Scalar.run(Slide { from, to, pitch: written, count, partial: false });
            });
            assert!(refused.is_err(), "{read}, {written}, {count}");
        }
    }
}
