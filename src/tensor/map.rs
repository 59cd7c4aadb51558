//! A function of the numbers at one place of several tensors, and of coefficients of the channel, at every place.

use super::columns::{Columns, VECTORS, for_each_block, for_each_column, mapped_rows};
use crate::base::SMALL;
use crate::simd::Simd;
use crate::simd::rows::{self, Rows};
use core::ops::Range;

/// `out = f(coefficients, inputs, out)` of rows × channels, with coefficients of each channel.
#[inline(always)]
pub(super) fn map<S: Simd, const N: usize, const M: usize>(
    simd: S,
    [count, channels]: [usize; 2],
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    out: &mut [f32],
    pitch: usize,
    f: impl Fn([S::F32; M], [S::F32; N], S::F32) -> S::F32,
) {
    map_and_sum(
        simd,
        [count, channels],
        inputs,
        coefficients,
        out,
        pitch,
        #[inline(always)]
        |coefficients, inputs, old, _: &mut [S::F32; 0]| f(coefficients, inputs, old),
        |_, _| (),
    );
}

/// [`map`] with sums of each channel that `f` forms; `take` is called with sums of some rows and the channels they
/// belong to.
#[inline(always)]
pub(super) fn map_and_sum<S: Simd, const N: usize, const M: usize, const A: usize>(
    simd: S,
    [count, channels]: [usize; 2],
    inputs: [Rows<'_>; N],
    coefficients: [&[f32]; M],
    out: &mut [f32],
    pitch: usize,
    f: impl Fn([S::F32; M], [S::F32; N], S::F32, &mut [S::F32; A]) -> S::F32,
    take: impl FnMut(Range<usize>, [S::F32; A]),
) {
    let dense = pitch == channels && inputs.iter().all(|input| input.pitch == channels);
    let mut map = Map { inputs, coefficients, out, pitch, f, take };
    // Where no number belongs to a channel, and without gaps, the rows are one long row, cut anew.
    if !SMALL && M == 0 && A == 0 && dense {
        let (columns, numbers) = (VECTORS * S::LANES, count * channels);
        map.pitch = columns;
        map.inputs.iter_mut().for_each(|input| input.pitch = columns);
        map.whole::<VECTORS>(simd, 0..numbers / columns, 0);
        return for_each_column(simd, 0..1, numbers - numbers % columns..numbers, &mut map);
    }
    let block = mapped_rows(simd, channels, A > 0);
    for_each_block(simd, count, channels, block, &mut map);
}

/// The arguments of [`map_and_sum`].
struct Map<'a, F, T, const N: usize, const M: usize, const A: usize> {
    inputs: [Rows<'a>; N],
    coefficients: [&'a [f32]; M],
    out: &'a mut [f32],
    pitch: usize,
    f: F,
    take: T,
}

impl<S, F, T, const N: usize, const M: usize, const A: usize> Columns<S> for Map<'_, F, T, N, M, A>
where
    S: Simd,
    F: Fn([S::F32; M], [S::F32; N], S::F32, &mut [S::F32; A]) -> S::F32,
    T: FnMut(Range<usize>, [S::F32; A]),
{
    #[inline(always)]
    fn whole<const V: usize>(&mut self, simd: S, rows: Range<usize>, first: usize) {
        let inputs = self.inputs.map(|input| input.skip(rows.start * input.pitch + first));
        let coefficients = self.coefficients.map(|row| &row[first..]);
        let out = &mut self.out[rows.start * self.pitch + first..];
        let sums: [_; V] = rows::map(simd, rows.len(), inputs, coefficients, out, self.pitch, &self.f);
        for (vector, sums) in sums.into_iter().enumerate() {
            let first = first + vector * S::LANES;
            (self.take)(first..first + S::LANES, sums);
        }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn partial(&mut self, simd: S, rows: Range<usize>, channels: Range<usize>) {
        let inputs = self.inputs.map(|input| input.skip(rows.start * input.pitch));
        let out = &mut self.out[rows.start * self.pitch..];
        let sums =
            rows::map_partial(simd, rows.len(), channels.clone(), inputs, self.coefficients, out, self.pitch, &self.f);
        (self.take)(channels, sums);
    }
}
