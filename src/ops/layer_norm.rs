//! Layer normalisation: every position has mean 0 and variance 1 over its channels, then a gain and shift per channel.
//!
//! Backwards, with `d = x − mean`, `r = 1 / √(variance + ε)` and `h = γ g`, the gradient is
//! `r (h − mean(h) − d r² mean(h d))` (Ba, Kiros and Hinton, 2016). Statistics are computed again: cheaper than kept.

use crate::base::math;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::{Part, for_each_part};
use crate::tensor::{Shape, View, ViewMut};

/// A layer normalisation.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// γ, one number a channel; 1 if missing.
    pub gain: Option<&'a [f32]>,
    /// β, one number a channel; 0 if missing.
    pub shift: Option<&'a [f32]>,
    /// ε, added to the biased variance.
    pub epsilon: f64,
}

/// The shape of the result: the same.
pub const fn output(input: Shape) -> Shape {
    input
}

/// Numbers of scratch that [`LayerNorm::vjp`] needs.
pub const fn scratch_len(input: Shape) -> usize {
    input.channels
}

impl LayerNorm<'_> {
    /// Writes `γ (x − mean) / √(variance + ε) + β` to `out`.
    pub fn forward(&self, backend: Backend, input: View<'_>, out: ViewMut<'_>) {
        backend.run(Forward { norm: self, input, out });
    }

    /// Passes the gradient back to the input, which is given again: writes it to `out`, or with `accumulate` adds it to
    /// what is there.
    pub fn vjp(
        &self,
        backend: Backend,
        input: View<'_>,
        gradient: View<'_>,
        accumulate: bool,
        out: ViewMut<'_>,
        scratch: &mut [f32],
    ) {
        backend.run(Vjp { norm: self, input, gradient, accumulate, out, scratch });
    }

    #[inline(always)]
    fn gain<S: Simd>(&self, simd: S, part: Part) -> S::F32 {
        self.gain.map_or(simd.splat(1.0), |gain| part.read(simd, gain))
    }

    /// Writes the deviations of `row` from its mean and returns `1 / √(variance + ε)`.
    #[inline(always)]
    fn centre<S: Simd>(&self, simd: S, row: &[f32], deviations: &mut [f32]) -> f32 {
        let channels = row.len();
        let mut sum = simd.splat(0.0);
        for_each_part(
            simd,
            channels,
            #[inline(always)]
            |part| sum = simd.add(sum, part.read(simd, row)),
        );
        let mean = simd.splat(simd.reduce_add(sum) / channels as f32);
        let mut squares = simd.splat(0.0);
        for_each_part(
            simd,
            channels,
            #[inline(always)]
            |part| {
                part.write(simd, simd.sub(part.read(simd, row), mean), deviations);
                // Read again: lanes past the end are 0 there.
                let deviation = part.read(simd, deviations);
                squares = simd.mul_add(deviation, deviation, squares);
            },
        );
        let variance = f64::from(simd.reduce_add(squares)) / channels as f64;
        (1.0 / math::sqrt(variance + self.epsilon)) as f32
    }
}

struct Forward<'a> {
    norm: &'a LayerNorm<'a>,
    input: View<'a>,
    out: ViewMut<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for position in 0..self.input.shape.positions() {
            let (row, out) = (self.input.row(position), self.out.row(position));
            let scale = simd.splat(self.norm.centre(simd, row, out));
            for_each_part(
                simd,
                row.len(),
                #[inline(always)]
                |part| {
                    let normalised = simd.mul(part.read(simd, out), scale);
                    let shift = self.norm.shift.map_or(simd.splat(0.0), |shift| part.read(simd, shift));
                    part.write(simd, simd.mul_add(normalised, self.norm.gain(simd, part), shift), out);
                },
            );
        }
    }
}

struct Vjp<'a> {
    norm: &'a LayerNorm<'a>,
    input: View<'a>,
    gradient: View<'a>,
    accumulate: bool,
    out: ViewMut<'a>,
    scratch: &'a mut [f32],
}

impl Kernel for Vjp<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.input.shape.channels;
        let deviations = &mut self.scratch[..channels];
        for position in 0..self.input.shape.positions() {
            let (gradient, out) = (self.gradient.row(position), self.out.row(position));
            let scale = self.norm.centre(simd, self.input.row(position), deviations);
            let mut sum = simd.splat(0.0);
            let mut product = simd.splat(0.0);
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| {
                    let scaled = simd.mul(part.read(simd, gradient), self.norm.gain(simd, part));
                    sum = simd.add(sum, scaled);
                    product = simd.mul_add(scaled, part.read(simd, deviations), product);
                },
            );
            let mean = simd.splat(simd.reduce_add(sum) / channels as f32);
            let by_deviation = simd.splat(-(simd.reduce_add(product) / channels as f32) * scale * scale);
            let scale = simd.splat(scale);
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| {
                    let scaled = simd.mul(part.read(simd, gradient), self.norm.gain(simd, part));
                    let centred = simd.mul_add(part.read(simd, deviations), by_deviation, simd.sub(scaled, mean));
                    let before = if self.accumulate { part.read(simd, out) } else { simd.splat(0.0) };
                    part.write(simd, simd.mul_add(centred, scale, before), out);
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers};
    use std::vec::Vec;
    use std::{format, vec};

    fn reference(norm: &LayerNorm<'_>, channels: usize, x: &[f64]) -> Vec<f64> {
        let of = |given: Option<&[f32]>, missing: f64, channel: usize| given.map_or(missing, |g| f64::from(g[channel]));
        x.chunks(channels)
            .flat_map(|row| {
                let mean = row.iter().sum::<f64>() / channels as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                let scale = 1.0 / (variance + norm.epsilon).sqrt();
                let gain_and_shift = move |c| (of(norm.gain, 1.0, c), of(norm.shift, 0.0, c));
                row.iter().enumerate().map(move |(c, x)| {
                    let (gain, shift) = gain_and_shift(c);
                    (x - mean) * scale * gain + shift
                })
            })
            .collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| [2, 3, 8, 17, 31, 64].map(|c| (b, c))) {
            let shape = Shape::new(2, 3, 1, channels).unwrap();
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
            let (gain, shift) = (numbers(channels, 3), numbers(channels, 4));
            for norm in [
                LayerNorm { gain: None, shift: None, epsilon: 1e-5 },
                LayerNorm { gain: Some(&gain), shift: Some(&shift), epsilon: 0.1 },
            ] {
                let case = format!("{backend:?}, {channels} channels, {norm:?}");
                let mut out = Tensor::filled(shape, 3, f32::NAN);
                norm.forward(backend, x.view(), out.view_mut());
                assert_close(&out.dense(), &reference(&norm, channels, &x.dense()), 4e-6, &case);
                let slopes = differences(&x.dense(), &g.dense(), |x| reference(&norm, channels, x));
                let scale = slopes.iter().fold(1.0f64, |scale, slope| scale.max(slope.abs()));
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(shape, 0, before);
                    let mut scratch = vec![f32::NAN; scratch_len(shape)];
                    norm.vjp(backend, x.view(), g.view(), accumulate, out.view_mut(), &mut scratch);
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 2e-5 * scale, &case);
                }
            }
        }
    }

    #[test]
    fn a_constant_position_becomes_the_shift() {
        for backend in Backend::available() {
            let shape = Shape::new(1, 1, 1, 5).unwrap();
            let (x, shift) = (Tensor::filled(shape, 0, 3.0), [1.0, 2.0, 3.0, 4.0, 5.0]);
            let mut out = Tensor::filled(shape, 0, f32::NAN);
            LayerNorm { gain: None, shift: Some(&shift), epsilon: 1e-5 }.forward(backend, x.view(), out.view_mut());
            assert_eq!(out.dense(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        }
    }
}
