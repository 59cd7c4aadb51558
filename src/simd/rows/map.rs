//! Rows mapped to rows, with sums formed beside.

use super::{Rows, check, for_each_row, join, load, load_partial};
use crate::simd::Simd;
use core::ops::Range;

/// Sums that grow side by side, row after row, as in [`super::sum`]; fewer, because the other operands of the map take
/// registers too.
const MAPPED_CHAINS: usize = 2;

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
