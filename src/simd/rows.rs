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
    let mut sums = [[simd.splat(0.0); A]; V];
    let mut values = [simd.splat(0.0); N];
    for row in 0..count {
        for vector in 0..V {
            for (value, input) in values.iter_mut().zip(&inputs) {
                // SAFETY: the row is below `count`, the vector below `V`, for which the slice was checked.
                *value = unsafe { input.vector(simd, row, vector) };
            }
            // SAFETY: the row is below `count`, the vector below `V`, for which the slice was checked.
            unsafe {
                let out = out.as_mut_ptr().add(row * pitch + vector * S::LANES);
                simd.store_ptr(f(coefficients[vector], values, simd.load_ptr(out), &mut sums[vector]), out);
            }
        }
    }
    sums
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
    let mut sums = [simd.splat(0.0); A];
    for row in 0..count {
        let values = load_partial(simd, inputs.map(|input| &input.data[row * input.pitch..]), &channels);
        let out = &mut out[row * pitch..][channels.clone()];
        simd.store_partial(f(coefficients, values, simd.load_partial(out), &mut sums), out);
    }
    sums
}

/// Sums that grow side by side, row after row: that hides the latency of an addition, and short sums err less than a
/// long one.
const CHAINS: usize = 4;

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
        for_each_row(
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
            join(simd, total, chains);
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
        join(simd, &mut total, chains);
    }
    total
}

/// Visits all rows in order, each with the chain it belongs to.
#[inline(always)]
fn for_each_row(count: usize, mut visit: impl FnMut(usize, usize)) {
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

/// Adds chains to a total.
#[inline(always)]
fn join<S: Simd, const A: usize>(simd: S, total: &mut [S::F32; A], [a, b, c, d]: [[S::F32; A]; CHAINS]) {
    for (index, total) in total.iter_mut().enumerate() {
        let sum = simd.add(simd.add(a[index], b[index]), simd.add(c[index], d[index]));
        *total = simd.add(*total, sum);
    }
}

/// `out = join(f(row − 1), f(row), f(row + 1))` for the first vector of each row of `rows`, where `f` is of the first vectors
/// of the inputs' rows; `last` are those of the first two rows, and what is returned those of the last two.
#[inline(always)]
pub(crate) fn slide<S: Simd, const N: usize>(
    simd: S,
    rows: Range<usize>,
    inputs: [Rows<'_>; N],
    mut last: [S::F32; 2],
    out: &mut [f32],
    pitch: usize,
    f: impl Fn([S::F32; N]) -> S::F32,
    join: impl Fn([S::F32; 3]) -> S::F32,
) -> [S::F32; 2] {
    check(simd, out.len(), pitch, rows.end, 1);
    for input in inputs {
        check(simd, input.data.len(), input.pitch, rows.end.saturating_add(1), 1);
    }
    for row in rows {
        let mut values = [simd.splat(0.0); N];
        for (value, input) in values.iter_mut().zip(&inputs) {
            // SAFETY: the row is at most the end, and one more row was checked.
            *value = unsafe { input.vector(simd, row + 1, 0) };
        }
        let next = f(values);
        // SAFETY: the row is below the end, and rows up to there were checked.
        unsafe { simd.store_ptr(join([last[0], last[1], next]), out.as_mut_ptr().add(row * pitch)) };
        last = [last[1], next];
    }
    last
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

    /// Adds up three rows at a time.
    struct Neighbours<'a> {
        from: Rows<'a>,
        to: &'a mut [f32],
        pitch: usize,
        end: usize,
    }

    impl Kernel for Neighbours<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> [f32; 2] {
            let first = [simd.splat(100.0), simd.splat(10.0)];
            slide(
                simd,
                1..self.end,
                [self.from],
                first,
                self.to,
                self.pitch,
                #[inline(always)]
                |[x]| simd.add(x, x),
                #[inline(always)]
                |[a, b, c]| simd.add(simd.add(a, b), c),
            )
            .map(|last| simd.reduce_add(last) / S::LANES as f32)
        }
    }

    #[test]
    fn rows_slide() {
        // A row holds its number.
        let from: [f32; 80] = core::array::from_fn(|place| (place / 16) as f32);
        for backend in Backend::available() {
            let mut to = [-1.0; 80];
            let rows = Rows { data: &from, pitch: 16 };
            let last = backend.run(Neighbours { from: rows, to: &mut to, pitch: 17, end: 4 });
            assert_eq!(last, [6.0, 8.0]);
            assert_eq!([0, 17, 34, 51].map(|place| to[place]), [-1.0, 114.0, 20.0, 18.0]);
            assert_eq!(to[68..], [-1.0; 12]);
            let last = backend.run(Neighbours { from: rows, to: &mut to, pitch: 17, end: 1 });
            assert_eq!(last, [100.0, 10.0]);
            for (read, written, end) in [(16, 16, 5), (usize::MAX, 1, 2), (1, usize::MAX, 2), (1, 1, usize::MAX)] {
                let rows = Rows { data: &from, pitch: read };
                let refused = catch_unwind(|| {
                    Backend::Scalar.run(Neighbours { from: rows, to: &mut [0.0; 80], pitch: written, end });
                });
                assert!(refused.is_err(), "{read}, {written}, {end}");
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
