//! Layer normalisation: every position has mean 0 and variance 1 over its channels, then a gain and shift per channel.
//!
//! Backwards, with `d = x − mean`, `r = 1 / √(variance + ε)` and `h = γ g`, the gradient is
//! `r (h − mean(h) − d r² mean(h d))` (Ba, Kiros and Hinton, 2016). Statistics are computed again: cheaper than kept.

use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
use crate::Error;
use crate::base::constant::Constant;
use crate::simd::{Backend, Kernel, Simd, root};
use crate::tensor::columns::{Part, for_each_part};
use crate::tensor::{Role, Shape, View, ViewMut};

/// Normalisation of every position over its channels, then gain and shift per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerNorm {
    /// ε, added to the biased variance.
    pub epsilon: Constant,
}

impl Operation for LayerNorm {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Inputs, keeps_zero: false, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        only(inputs)
    }

    fn parameters(&self, input: Shape, _: Shape) -> Parameters {
        Parameter::list([Role::Gain, Role::Shift].map(|role| Parameter::new(role, 1, input.channels)))
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, input: Shape, _: Shape) -> Scratch {
        Scratch { forward: 0, vjp: vjp_scratch_len(input) }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        let [gain, shift, ..] = call.parameters;
        forward(call.backend, self.epsilon.get(), gain, shift, call.inputs[0].stored, call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let VjpCall { backend, gradient, sink, scratch, .. } = call;
        let (gain, input) = (call.parameters[0], call.remembered[0].stored);
        vjp(backend, self.epsilon.get(), gain, input, gradient, sink.accumulate, sink.stored, scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        Some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for LayerNorm {
    fn scratch_len(&self, input: Shape, _: Shape) -> usize {
        parameters_scratch_len(input)
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let ([gain, shift, ..], input) = (call.of_parameters, call.inputs[0].stored);
        parameters_vjp(call.backend, self.epsilon.get(), input, call.gradient, gain, shift, call.scratch);
    }
}

/// Numbers of scratch that [`vjp`] needs.
pub const fn vjp_scratch_len(input: Shape) -> usize {
    input.channels
}

/// Writes `γ (x − mean) / √(variance + ε) + β` to `out`. γ, the `gain`, and β, the `shift`, have one number a channel; if
/// missing they are 1 and 0.
pub fn forward(
    backend: Backend,
    epsilon: f64,
    gain: Option<&[f32]>,
    shift: Option<&[f32]>,
    input: View<'_>,
    out: ViewMut<'_>,
) {
    backend.run(Forward { norm: Norm { gain, epsilon }, shift, input, out });
}

/// Passes the gradient back to the input, which is given again: writes it to `out`, or with `accumulate` adds it to what
/// is there.
#[allow(clippy::too_many_arguments)]
pub fn vjp(
    backend: Backend,
    epsilon: f64,
    gain: Option<&[f32]>,
    input: View<'_>,
    gradient: View<'_>,
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    backend.run(Vjp { norm: Norm { gain, epsilon }, input, gradient, accumulate, out, scratch });
}

/// Numbers of scratch that [`parameters_vjp`] needs.
#[cfg(feature = "gradients")]
pub const fn parameters_scratch_len(input: Shape) -> usize {
    3 * input.channels
}

/// Writes the gradient with respect to γ, `Σ g (x − mean) / √(variance + ε)` over all positions, and to β, `Σ g`, from that with
/// respect to the result.
#[cfg(feature = "gradients")]
pub fn parameters_vjp(
    backend: Backend,
    epsilon: f64,
    input: View<'_>,
    gradient: View<'_>,
    gain: &mut [f32],
    shift: &mut [f32],
    scratch: &mut [f32],
) {
    backend.run(OfParameters { norm: Norm { gain: None, epsilon }, input, gradient, gain, shift, scratch });
}

/// What all passes share.
struct Norm<'a> {
    gain: Option<&'a [f32]>,
    epsilon: f64,
}

impl Norm<'_> {
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
        (1.0 / root::sqrt(variance + self.epsilon)) as f32
    }
}

struct Forward<'a> {
    norm: Norm<'a>,
    shift: Option<&'a [f32]>,
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
                    let shift = self.shift.map_or(simd.splat(0.0), |shift| part.read(simd, shift));
                    part.write(simd, simd.mul_add(normalised, self.norm.gain(simd, part), shift), out);
                },
            );
        }
    }
}

struct Vjp<'a> {
    norm: Norm<'a>,
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

#[cfg(feature = "gradients")]
struct OfParameters<'a> {
    norm: Norm<'a>,
    input: View<'a>,
    gradient: View<'a>,
    gain: &'a mut [f32],
    shift: &'a mut [f32],
    scratch: &'a mut [f32],
}

#[cfg(feature = "gradients")]
impl Kernel for OfParameters<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        /// Positions whose sums are formed by themselves: short sums of short sums err less than long ones.
        const SHORT: usize = 128;
        let Self { norm, input, gradient, gain, shift, scratch } = self;
        let (positions, channels) = (input.shape.positions(), input.shape.channels);
        let (deviations, rest) = scratch.split_at_mut(channels);
        let (products, rest) = rest.split_at_mut(channels);
        let mut sums = [(products, &mut gain[..channels]), (&mut rest[..channels], &mut shift[..channels])];
        sums.iter_mut().for_each(|(_, total)| total.fill(0.0));
        for first in (0..positions).step_by(SHORT) {
            sums.iter_mut().for_each(|(sum, _)| sum.fill(0.0));
            let [(products, _), (gradients, _)] = &mut sums;
            for position in first..positions.min(first + SHORT) {
                let gradient = gradient.row(position);
                let scale = simd.splat(norm.centre(simd, input.row(position), deviations));
                for_each_part(
                    simd,
                    channels,
                    #[inline(always)]
                    |part| {
                        let gradient = part.read(simd, gradient);
                        let normalised = simd.mul(part.read(simd, deviations), scale);
                        part.write(simd, simd.mul_add(gradient, normalised, part.read(simd, products)), products);
                        part.write(simd, simd.add(gradient, part.read(simd, gradients)), gradients);
                    },
                );
            }
            for (sum, total) in &mut sums {
                for_each_part(
                    simd,
                    channels,
                    #[inline(always)]
                    |part| part.write(simd, simd.add(part.read(simd, total), part.read(simd, sum)), total),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use std::vec::Vec;
    use std::{format, vec};

    fn reference(epsilon: f64, affine: [Option<&[f32]>; 2], channels: usize, x: &[f64]) -> Vec<f64> {
        let of = |given: Option<&[f32]>, missing: f64| given.map_or(vec![missing; channels], widen);
        affine_reference(epsilon, &of(affine[0], 1.0), &of(affine[1], 0.0), x)
    }

    fn affine_reference(epsilon: f64, gain: &[f64], shift: &[f64], x: &[f64]) -> Vec<f64> {
        let channels = gain.len();
        x.chunks(channels)
            .flat_map(|row| {
                let mean = row.iter().sum::<f64>() / channels as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                let scale = 1.0 / (variance + epsilon).sqrt();
                row.iter().enumerate().map(move |(c, x)| (x - mean) * scale * gain[c] + shift[c])
            })
            .collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| [2, 3, 8, 17, 31, 64].map(|c| (b, c))) {
            let shape = Shape::new(2, 3, 1, channels).unwrap();
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
            let (gain, shift) = (numbers(channels, 3), numbers(channels, 4));
            for (epsilon, affine) in [(1e-5, [None, None]), (0.1, [Some(&*gain), Some(&*shift)])] {
                let case = format!("{backend:?}, {channels} channels, {epsilon}");
                let mut out = Tensor::filled(shape, 3, f32::NAN);
                forward(backend, epsilon, affine[0], affine[1], x.view(), out.view_mut());
                assert_close(&out.dense(), &reference(epsilon, affine, channels, &x.dense()), 4e-6, &case);
                let slopes = differences(&x.dense(), &g.dense(), |x| reference(epsilon, affine, channels, x));
                let scale = slopes.iter().fold(1.0f64, |scale, slope| scale.max(slope.abs()));
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(shape, 0, before);
                    let mut scratch = vec![f32::NAN; vjp_scratch_len(shape)];
                    vjp(backend, epsilon, affine[0], x.view(), g.view(), accumulate, out.view_mut(), &mut scratch);
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 2e-5 * scale, &case);
                }
            }
        }
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn gradients_of_gain_and_shift() {
        const EPSILON: f64 = 0.1;
        for (backend, channels) in Backend::available().flat_map(|b| [2, 3, 8, 17, 31, 64].map(|c| (b, c))) {
            for positions in [0, 1, 6, 300] {
                let shape = Shape::new(1, positions, 1, channels).unwrap();
                let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
                let (gain, shift) = (widen(&numbers(channels, 3)), widen(&numbers(channels, 4)));
                let [mut of_gain, mut of_shift] = [(); 2].map(|()| vec![f32::NAN; channels]);
                let mut scratch = vec![f32::NAN; parameters_scratch_len(shape)];
                parameters_vjp(backend, EPSILON, x.view(), g.view(), &mut of_gain, &mut of_shift, &mut scratch);
                let case = format!("{backend:?}, {positions} × {channels}");
                let (x, g) = (x.dense(), g.dense());
                let expected = differences(&gain, &g, |gain| affine_reference(EPSILON, gain, &shift, &x));
                // Sums of 300 products below 8.
                assert_close(&widen(&of_gain), &expected, 5e-5, &case);
                let expected = differences(&shift, &g, |shift| affine_reference(EPSILON, &gain, shift, &x));
                assert_close(&widen(&of_shift), &expected, 5e-5, &case);
            }
        }
    }

    #[test]
    fn a_constant_position_becomes_the_shift() {
        for backend in Backend::available() {
            let shape = Shape::new(1, 1, 1, 5).unwrap();
            let (x, shift) = (Tensor::filled(shape, 0, 3.0), [1.0, 2.0, 3.0, 4.0, 5.0]);
            let mut out = Tensor::filled(shape, 0, f32::NAN);
            forward(backend, 1e-5, None, Some(&shift), x.view(), out.view_mut());
            assert_eq!(out.dense(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        }
    }
}
