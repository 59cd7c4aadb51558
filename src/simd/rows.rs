//! A few vectors of channels over many rows: maps and sums whose bounds are checked once.
#![allow(unsafe_code)]

use super::{MAX_LANES, Simd};
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

/// `out = f(coefficients, inputs, out, sums)` for `V` vectors of each of `count` rows, and the sums that `f` formed.
///
/// The coefficients, one a channel, and the sums stay in registers. A `f` that ignores `out` does not read it.
#[inline(always)]
pub(crate) fn map<S: Simd, const N: usize, const M: usize, const A: usize, const V: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    out: &mut [f32],
    pitch: usize,
    f: &impl Fn([S::F32; M], [S::F32; N], S::F32, &mut [S::F32; A]) -> S::F32,
) -> [[S::F32; A]; V] {
    check(simd, out.len(), pitch, count, V);
    for input in inputs {
        check(simd, input.data.len(), input.pitch, count, V);
    }
    let coefficients: [_; V] = load(simd, coefficients);
    let mut sums = [[[simd.splat(0.0); A]; MAPPED_CHAINS]; V];
    let mut values = [simd.splat(0.0); N];
    for_each_row::<MAPPED_CHAINS>(
        count,
        #[inline(always)]
        |row, chain| {
            for vector in 0..V {
                for (value, input) in values.iter_mut().zip(&inputs) {
                    // SAFETY: the row is below `count`, the vector below `V`, for which the slice was checked.
                    *value = unsafe { input.vector(simd, row, vector) };
                }
                // SAFETY: the row is below `count`, the vector below `V`, for which the slice was checked.
                unsafe {
                    let out = out.as_mut_ptr().add(row * pitch + vector * S::LANES);
                    simd.store_ptr(f(coefficients[vector], values, simd.load_ptr(out), &mut sums[vector][chain]), out);
                }
            }
        },
    );
    let mut totals = [[simd.splat(0.0); A]; V];
    for (total, chains) in totals.iter_mut().zip(sums) {
        *total = join(simd, chains);
    }
    totals
}

/// [`map`] of some channels, at most as many as a vector holds.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn map_partial<S: Simd, const N: usize, const M: usize, const A: usize>(
    simd: S,
    count: usize,
    channels: Range<usize>,
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    out: &mut [f32],
    pitch: usize,
    f: &impl Fn([S::F32; M], [S::F32; N], S::F32, &mut [S::F32; A]) -> S::F32,
) -> [S::F32; A] {
    let coefficients = load_partial(simd, coefficients, &channels);
    let mut sums = [[simd.splat(0.0); A]; MAPPED_CHAINS];
    for row in 0..count {
        let values = load_partial(simd, inputs.map(|input| &input.data[row * input.pitch..]), &channels);
        let out = &mut out[row * pitch..][channels.clone()];
        let sums = &mut sums[row % MAPPED_CHAINS];
        simd.store_partial(f(coefficients, values, simd.load_partial(out), sums), out);
    }
    join(simd, sums)
}

/// Sums that grow side by side, row after row: that hides the latency of an addition, and short sums err less than a
/// long one.
const CHAINS: usize = 4;

/// The same of sums beside a map, whose other operands take registers too.
const MAPPED_CHAINS: usize = 2;

/// Rows after which chains are joined and begin anew.
const SHORT: usize = 128;

/// The sums that `f(coefficients, inputs, sums)` forms of `V` vectors of each of `count` rows, the same bits for any `V`.
#[inline(always)]
pub(crate) fn sum<S: Simd, const N: usize, const M: usize, const A: usize, const V: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    f: impl Fn([S::F32; M], [S::F32; N], &mut [S::F32; A]),
) -> [[S::F32; A]; V] {
    for input in inputs {
        check(simd, input.data.len(), input.pitch, count, V);
    }
    let coefficients: [_; V] = load(simd, coefficients);
    let mut totals = [[simd.splat(0.0); A]; V];
    let mut first = 0;
    // Lines of memory are best read in order, as far as the registers allow.
    while S::REGISTERS >= 32 && first + 2 <= V {
        let pair = [coefficients[first], coefficients[first + 1]];
        // SAFETY: the slices were checked for `count` rows of `V` vectors.
        let sums: [_; 2] = unsafe { sum_vectors(simd, count, inputs, pair, first, &f) };
        totals[first..first + 2].copy_from_slice(&sums);
        first += 2;
    }
    while first < V {
        // SAFETY: the slices were checked for `count` rows of `V` vectors.
        [totals[first]] = unsafe { sum_vectors(simd, count, inputs, [coefficients[first]], first, &f) };
        first += 1;
    }
    totals
}

/// [`sum`] of the vectors from `first` on, row after row.
///
/// # Safety
/// [`check`] has passed for `count` rows and `first + V` vectors of each input.
#[inline(always)]
unsafe fn sum_vectors<S: Simd, const N: usize, const M: usize, const A: usize, const V: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    coefficients: [[S::F32; M]; V],
    first: usize,
    f: &impl Fn([S::F32; M], [S::F32; N], &mut [S::F32; A]),
) -> [[S::F32; A]; V] {
    let mut totals = [[simd.splat(0.0); A]; V];
    let mut values = [simd.splat(0.0); N];
    for start in (0..count).step_by(SHORT) {
        let mut chains = [[[simd.splat(0.0); A]; CHAINS]; V];
        for_each_row::<CHAINS>(
            SHORT.min(count - start),
            #[inline(always)]
            |row, chain| {
                for vector in 0..V {
                    for (value, input) in values.iter_mut().zip(&inputs) {
                        // SAFETY: the row is below `count`, the vector below `first + V`: the caller's promise.
                        *value = unsafe { input.vector(simd, start + row, first + vector) };
                    }
                    f(coefficients[vector], values, &mut chains[vector][chain]);
                }
            },
        );
        for (total, chains) in totals.iter_mut().zip(chains) {
            add(simd, total, join(simd, chains));
        }
    }
    totals
}

/// [`sum`] of some channels, at most as many as a vector holds.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn sum_partial<S: Simd, const N: usize, const M: usize, const A: usize>(
    simd: S,
    count: usize,
    channels: Range<usize>,
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    f: impl Fn([S::F32; M], [S::F32; N], &mut [S::F32; A]),
) -> [S::F32; A] {
    let coefficients = load_partial(simd, coefficients, &channels);
    let mut total = [simd.splat(0.0); A];
    for start in (0..count).step_by(SHORT) {
        let mut chains = [[simd.splat(0.0); A]; CHAINS];
        for row in 0..SHORT.min(count - start) {
            let rows = inputs.map(|input| &input.data[(start + row) * input.pitch..]);
            let values = load_partial(simd, rows, &channels);
            f(coefficients, values, &mut chains[row % CHAINS]);
        }
        add(simd, &mut total, join(simd, chains));
    }
    total
}

/// Visits all rows in order, each with the chain it belongs to.
#[inline(always)]
fn for_each_row<const CHAINS: usize>(count: usize, mut visit: impl FnMut(usize, usize)) {
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

/// Adds sums to totals.
#[inline(always)]
fn add<S: Simd, const A: usize>(simd: S, total: &mut [S::F32; A], sums: [S::F32; A]) {
    for (total, sum) in total.iter_mut().zip(sums) {
        *total = simd.add(*total, sum);
    }
}

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

/// Single precision, aligned so that its halves can be read right after a whole vector was written.
#[repr(align(64))]
struct Lanes([f32; MAX_LANES]);

/// `totals = f(totals, numbers)` in double precision, for a vector of each of `numbers` and as many numbers of each of
/// `totals`; numbers behind the end of the totals do not count.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn widen<S: Simd, const A: usize, const T: usize>(
    simd: S,
    numbers: [S::F32; A],
    mut totals: [&mut [f64]; T],
    f: impl Fn([S::F64; A], [S::F64; T]) -> [S::F64; T],
) {
    let mut lanes = [const { Lanes([0.0; MAX_LANES]) }; A];
    for (lanes, number) in lanes.iter_mut().zip(numbers) {
        simd.store(number, &mut lanes.0);
    }
    for first in (0..S::LANES).step_by(S::LANES_F64) {
        let mut wide = [simd.splat_f64(0.0); A];
        for (wide, lanes) in wide.iter_mut().zip(&lanes) {
            *wide = simd.load_widened(&lanes.0[first..]);
        }
        let mut padded = [[0.0; 8]; T];
        let mut sums = [simd.splat_f64(0.0); T];
        for ((sum, padded), total) in sums.iter_mut().zip(&mut padded).zip(&totals) {
            let total = total.get(first..).unwrap_or_default();
            *sum = if total.len() >= S::LANES_F64 {
                simd.load_f64(total)
            } else {
                padded[..total.len()].copy_from_slice(total);
                simd.load_f64(padded)
            };
        }
        sums = f(wide, sums);
        for ((sum, padded), total) in sums.into_iter().zip(&mut padded).zip(&mut totals) {
            let total = total.get_mut(first..).unwrap_or_default();
            if total.len() >= S::LANES_F64 {
                simd.store_f64(sum, total);
            } else {
                simd.store_f64(sum, padded);
                total.copy_from_slice(&padded[..total.len()]);
            }
        }
    }
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
