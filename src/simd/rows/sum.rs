//! Rows summed up.

use super::{Rows, check, for_each_row, join, load, load_partial};
use crate::simd::Simd;
use core::ops::Range;

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

/// Adds sums to totals.
#[inline(always)]
fn add<S: Simd, const A: usize>(simd: S, total: &mut [S::F32; A], sums: [S::F32; A]) {
    for (total, sum) in total.iter_mut().zip(sums) {
        *total = simd.add(*total, sum);
    }
}
