//! Group normalisation: every group of channels of an image has mean 0 and variance 1 over its channels and positions, then a
//! gain and shift per channel. With a group a channel it is instance normalisation; batches do not matter to either.
//!
//! Backwards, with `d = x − mean`, `r = 1 / √(variance + ε)` and `h = γ g`, the gradient is
//! `r (h − mean(h) − d r² mean(h d))` (Wu and He, 2018). Statistics are computed again: cheaper than kept.

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
use core::ops::Range;

/// Normalisation of groups of neighbouring channels of every image, then gain and shift per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupNorm {
    /// Groups that the channels are split into: as many as channels for instance normalisation.
    pub groups: usize,
    /// ε, added to the biased variance.
    pub epsilon: Constant,
}

impl Operation for GroupNorm {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Inputs, keeps_zero: false, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let input = only(inputs)?;
        if self.groups == 0 || !input.channels.is_multiple_of(self.groups) {
            return Err(Error::Invalid { field: "groups", expected: "a divisor of the channels" });
        }
        Ok(input)
    }

    fn parameters(&self, input: Shape, _: Shape) -> Parameters {
        Parameter::list([Role::Gain, Role::Shift].map(|role| Parameter::new(role, 1, input.channels)))
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, input: Shape, _: Shape) -> Scratch {
        Scratch { forward: scratch_len(input), vjp: scratch_len(input) }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        let [gain, shift, ..] = call.parameters;
        forward(call.backend, self, gain, shift, call.inputs[0].stored, call.out, call.scratch);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let VjpCall { backend, gradient, sink, scratch, .. } = call;
        let (gain, input) = (call.parameters[0], call.remembered[0].stored);
        vjp(backend, self, gain, input, gradient, sink.accumulate, sink.stored, scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        Some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for GroupNorm {
    fn scratch_len(&self, input: Shape, _: Shape) -> usize {
        scratch_len(input)
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let ([gain, shift, ..], input) = (call.of_parameters, call.inputs[0].stored);
        parameters_vjp(call.backend, self, input, call.gradient, gain, shift, call.scratch);
    }
}

/// Rows of scratch, each a number a channel: means, deviations, two sums, and the two of a few positions.
const ROWS: usize = 6;

/// Numbers of scratch that all passes need.
pub const fn scratch_len(input: Shape) -> usize {
    ROWS.saturating_mul(input.channels)
}

/// Writes `γ (x − mean) / √(variance + ε) + β` to `out`. γ, the `gain`, and β, the `shift`, have one number a channel; if
/// missing they are 1 and 0. `scratch` has [`scratch_len`] numbers.
pub fn forward(
    backend: Backend,
    norm: &GroupNorm,
    gain: Option<&[f32]>,
    shift: Option<&[f32]>,
    input: View<'_>,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    backend.run(Forward { norm, gain, shift, input, out, scratch });
}

/// Passes the gradient back to the input, which is given again: writes it to `out`, or with `accumulate` adds it to what
/// is there. `scratch` has [`scratch_len`] numbers.
#[allow(clippy::too_many_arguments)]
pub fn vjp(
    backend: Backend,
    norm: &GroupNorm,
    gain: Option<&[f32]>,
    input: View<'_>,
    gradient: View<'_>,
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    backend.run(Vjp { norm, gain, input, gradient, accumulate, out, scratch });
}

/// Writes the gradient with respect to γ, `Σ g (x − mean) / √(variance + ε)` over all positions, and to β, `Σ g`, from that with
/// respect to the result. `scratch` has [`scratch_len`] numbers.
#[cfg(feature = "gradients")]
pub fn parameters_vjp(
    backend: Backend,
    norm: &GroupNorm,
    input: View<'_>,
    gradient: View<'_>,
    gain: &mut [f32],
    shift: &mut [f32],
    scratch: &mut [f32],
) {
    backend.run(OfParameters { norm, input, gradient, gain, shift, scratch });
}

/// The scratch of an image, a number a channel each.
struct Image<'a> {
    /// The mean of the channel's group, and `1 / √(variance + ε)`.
    mean: &'a mut [f32],
    scale: &'a mut [f32],
    /// Sums over the image, then what follows from those of the group.
    sums: [&'a mut [f32]; 2],
    /// Sums over a few positions.
    short: [&'a mut [f32]; 2],
}

impl<'a> Image<'a> {
    fn new(scratch: &'a mut [f32], channels: usize) -> Self {
        let mut rest = scratch;
        let mut row = || {
            let (row, others) = core::mem::take(&mut rest).split_at_mut(channels);
            rest = others;
            row
        };
        Self { mean: row(), scale: row(), sums: [row(), row()], short: [row(), row()] }
    }

    /// Means and deviations of the groups over some positions.
    #[inline(always)]
    fn statistics<S: Simd>(&mut self, simd: S, norm: &GroupNorm, input: &View<'_>, positions: Range<usize>) {
        let channels = input.shape.channels;
        let count = (positions.len() * (channels / norm.groups)) as f64;
        let Self { mean, scale, sums, short } = self;
        sum(
            simd,
            positions.clone(),
            channels,
            sums,
            short,
            #[inline(always)]
            |part, position| [part.read(simd, input.row(position)), simd.splat(0.0)],
        );
        for_each_group(norm, sums[0], mean, |sum| (sum / count) as f32);
        let mean = &**mean;
        sum(
            simd,
            positions,
            channels,
            sums,
            short,
            #[inline(always)]
            |part, position| {
                let deviation = simd.sub(part.read(simd, input.row(position)), part.read(simd, mean));
                [simd.mul(deviation, deviation), simd.splat(0.0)]
            },
        );
        for_each_group(norm, sums[0], scale, |sum| (1.0 / root::sqrt(sum / count + norm.epsilon.get())) as f32);
    }
}

/// Writes to all channels of a group what `of` makes of their sum.
fn for_each_group(norm: &GroupNorm, sums: &[f32], out: &mut [f32], of: impl Fn(f64) -> f32) {
    let width = sums.len() / norm.groups;
    for (sums, out) in sums.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        out.fill(of(sums.iter().map(|&sum| f64::from(sum)).sum()));
    }
}

/// Sums over positions, channel by channel, of two numbers each.
#[inline(always)]
fn sum<S: Simd>(
    simd: S,
    positions: Range<usize>,
    channels: usize,
    sums: &mut [&mut [f32]; 2],
    short: &mut [&mut [f32]; 2],
    terms: impl Fn(Part, usize) -> [S::F32; 2],
) {
    /// Positions whose sums are formed by themselves: short sums of short sums err less than long ones.
    const SHORT: usize = 128;
    sums.iter_mut().for_each(|sum| sum.fill(0.0));
    for first in positions.clone().step_by(SHORT) {
        short.iter_mut().for_each(|sum| sum.fill(0.0));
        for position in first..positions.end.min(first + SHORT) {
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| {
                    let terms = terms(part, position);
                    for (short, term) in short.iter_mut().zip(terms) {
                        part.write(simd, simd.add(part.read(simd, short), term), short);
                    }
                },
            );
        }
        for (sum, short) in sums.iter_mut().zip(&*short) {
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| part.write(simd, simd.add(part.read(simd, sum), part.read(simd, short)), sum),
            );
        }
    }
}

/// `γ g` of a position.
#[inline(always)]
fn scaled<S: Simd>(simd: S, gain: Option<&[f32]>, gradient: &[f32], part: Part) -> S::F32 {
    let gain = gain.map_or(simd.splat(1.0), |gain| part.read(simd, gain));
    simd.mul(part.read(simd, gradient), gain)
}

/// The positions of an image.
fn positions_of(image: usize, shape: Shape) -> Range<usize> {
    let count = shape.positions_per_image();
    image * count..(image + 1) * count
}

struct Forward<'a> {
    norm: &'a GroupNorm,
    gain: Option<&'a [f32]>,
    shift: Option<&'a [f32]>,
    input: View<'a>,
    out: ViewMut<'a>,
    scratch: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { norm, gain, shift, input, mut out, scratch } = self;
        let channels = input.shape.channels;
        let mut of = Image::new(scratch, channels);
        for image in 0..input.shape.batch {
            let positions = positions_of(image, input.shape);
            of.statistics(simd, norm, &input, positions.clone());
            for position in positions {
                let (row, out) = (input.row(position), out.row(position));
                for_each_part(
                    simd,
                    channels,
                    #[inline(always)]
                    |part| {
                        let deviation = simd.sub(part.read(simd, row), part.read(simd, of.mean));
                        let normalised = simd.mul(deviation, part.read(simd, of.scale));
                        let gain = gain.map_or(simd.splat(1.0), |gain| part.read(simd, gain));
                        let shift = shift.map_or(simd.splat(0.0), |shift| part.read(simd, shift));
                        part.write(simd, simd.mul_add(normalised, gain, shift), out);
                    },
                );
            }
        }
    }
}

struct Vjp<'a> {
    norm: &'a GroupNorm,
    gain: Option<&'a [f32]>,
    input: View<'a>,
    gradient: View<'a>,
    accumulate: bool,
    out: ViewMut<'a>,
    scratch: &'a mut [f32],
}

impl Kernel for Vjp<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { norm, gain, input, gradient, accumulate, mut out, scratch } = self;
        let channels = input.shape.channels;
        let mut of = Image::new(scratch, channels);
        for image in 0..input.shape.batch {
            let positions = positions_of(image, input.shape);
            let count = (positions.len() * (channels / norm.groups)) as f64;
            of.statistics(simd, norm, &input, positions.clone());
            let Image { mean, scale, sums, short } = &mut of;
            let (mean, scale) = (&**mean, &**scale);
            sum(
                simd,
                positions.clone(),
                channels,
                sums,
                short,
                #[inline(always)]
                |part, position| {
                    let deviation = simd.sub(part.read(simd, input.row(position)), part.read(simd, mean));
                    let scaled = scaled(simd, gain, gradient.row(position), part);
                    [scaled, simd.mul(scaled, deviation)]
                },
            );
            // The means of the groups take the places of the sums over a few positions.
            let ([sums, products], [means, slopes]) = (sums, short);
            for_each_group(norm, sums, means, |sum| (sum / count) as f32);
            for_each_group(norm, products, slopes, |sum| (sum / count) as f32);
            for position in positions {
                let (row, out) = (input.row(position), out.row(position));
                for_each_part(
                    simd,
                    channels,
                    #[inline(always)]
                    |part| {
                        let scale = part.read(simd, scale);
                        let normalised = simd.mul(simd.sub(part.read(simd, row), part.read(simd, mean)), scale);
                        let slope = simd.mul(part.read(simd, slopes), scale);
                        let centred =
                            simd.sub(scaled(simd, gain, gradient.row(position), part), part.read(simd, means));
                        let centred = simd.sub(centred, simd.mul(normalised, slope));
                        let before = if accumulate { part.read(simd, out) } else { simd.splat(0.0) };
                        part.write(simd, simd.mul_add(centred, scale, before), out);
                    },
                );
            }
        }
    }
}

#[cfg(feature = "gradients")]
struct OfParameters<'a> {
    norm: &'a GroupNorm,
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
        let Self { norm, input, gradient, gain, shift, scratch } = self;
        let channels = input.shape.channels;
        let mut totals = [&mut gain[..channels], &mut shift[..channels]];
        totals.iter_mut().for_each(|total| total.fill(0.0));
        let mut of = Image::new(scratch, channels);
        for image in 0..input.shape.batch {
            let positions = positions_of(image, input.shape);
            of.statistics(simd, norm, &input, positions.clone());
            let Image { mean, scale, sums, short } = &mut of;
            let (mean, scale) = (&**mean, &**scale);
            sum(
                simd,
                positions,
                channels,
                sums,
                short,
                #[inline(always)]
                |part, position| {
                    let deviation = simd.sub(part.read(simd, input.row(position)), part.read(simd, mean));
                    let gradient = part.read(simd, gradient.row(position));
                    [simd.mul(gradient, simd.mul(deviation, part.read(simd, scale))), gradient]
                },
            );
            for (total, sum) in totals.iter_mut().zip(&*sums) {
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

    /// Channels and groups, whole vectors of them and others.
    const CASES: [(usize, usize); 8] = [(2, 1), (3, 3), (6, 2), (8, 8), (17, 1), (30, 3), (31, 31), (64, 4)];

    fn norm(groups: usize, epsilon: f64) -> GroupNorm {
        GroupNorm { groups, epsilon: epsilon.into() }
    }

    /// The normalisation by its definition.
    fn reference(norm: &GroupNorm, shape: Shape, gain: &[f64], shift: &[f64], x: &[f64]) -> Vec<f64> {
        let (channels, image) = (shape.channels, shape.positions_per_image() * shape.channels);
        let group = |place: usize| place / image * norm.groups + place % channels / (channels / norm.groups);
        let count = (image / norm.groups) as f64;
        let [mut means, mut variances] = [(); 2].map(|()| vec![0.0; shape.batch * norm.groups]);
        x.iter().enumerate().for_each(|(place, x)| means[group(place)] += x / count);
        x.iter().enumerate().for_each(|(place, x)| {
            variances[group(place)] += (x - means[group(place)]).powi(2) / count;
        });
        let of = |(place, x): (usize, &f64)| {
            let normalised = (x - means[group(place)]) / (variances[group(place)] + norm.epsilon.get()).sqrt();
            normalised * gain[place % channels] + shift[place % channels]
        };
        x.iter().enumerate().map(of).collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, (channels, groups)) in Backend::available().flat_map(|b| CASES.map(|c| (b, c))) {
            let shape = Shape::new(2, 2, 3, channels).unwrap();
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
            let (gain, shift) = (numbers(channels, 3), numbers(channels, 4));
            for (epsilon, affine) in [(1e-5, [None, None]), (0.1, [Some(&*gain), Some(&*shift)])] {
                let case = format!("{backend:?}, {channels} channels in {groups} groups, {epsilon}");
                let norm = norm(groups, epsilon);
                let of = |given: Option<&[f32]>, missing: f64| given.map_or(vec![missing; channels], widen);
                let (given_gain, given_shift) = (of(affine[0], 1.0), of(affine[1], 0.0));
                let value = |x: &[f64]| reference(&norm, shape, &given_gain, &given_shift, x);
                let mut scratch = vec![f32::NAN; scratch_len(shape)];
                let mut out = Tensor::filled(shape, 3, f32::NAN);
                forward(backend, &norm, affine[0], affine[1], x.view(), out.view_mut(), &mut scratch);
                assert_close(&out.dense(), &value(&x.dense()), 4e-6, &case);
                let slopes = differences(&x.dense(), &g.dense(), value);
                let scale = slopes.iter().fold(1.0f64, |scale, slope| scale.max(slope.abs()));
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(shape, 0, before);
                    scratch.fill(f32::NAN);
                    vjp(backend, &norm, affine[0], x.view(), g.view(), accumulate, out.view_mut(), &mut scratch);
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 2e-5 * scale, &case);
                }
            }
        }
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn gradients_of_gain_and_shift() {
        for (backend, (channels, groups)) in Backend::available().flat_map(|b| CASES.map(|c| (b, c))) {
            for batch in [0, 1, 3] {
                let (norm, shape) = (norm(groups, 0.1), Shape::new(batch, 2, 2, channels).unwrap());
                let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
                let (gain, shift) = (widen(&numbers(channels, 3)), widen(&numbers(channels, 4)));
                let [mut of_gain, mut of_shift] = [(); 2].map(|()| vec![f32::NAN; channels]);
                let mut scratch = vec![f32::NAN; scratch_len(shape)];
                parameters_vjp(backend, &norm, x.view(), g.view(), &mut of_gain, &mut of_shift, &mut scratch);
                let case = format!("{backend:?}, {batch} × {channels} channels in {groups} groups");
                let (x, g) = (x.dense(), g.dense());
                let expected = differences(&gain, &g, |gain| reference(&norm, shape, gain, &shift, &x));
                assert_close(&widen(&of_gain), &expected, 5e-5, &case);
                let expected = differences(&shift, &g, |shift| reference(&norm, shape, &gain, shift, &x));
                assert_close(&widen(&of_shift), &expected, 5e-5, &case);
            }
        }
    }

    /// More positions than are summed at once, far from zero.
    #[test]
    fn long_sums_of_large_numbers() {
        for backend in Backend::available() {
            let shape = Shape::new(1, 20, 30, 3).unwrap();
            let dense: Vec<f32> = numbers(shape.len(), 1).iter().map(|x| 100.0 + x).collect();
            let (x, norm) = (Tensor::new(shape, 0, &dense), norm(1, 1e-5));
            let mut out = Tensor::filled(shape, 0, f32::NAN);
            forward(backend, &norm, None, None, x.view(), out.view_mut(), &mut vec![f32::NAN; scratch_len(shape)]);
            let mean = x.dense().iter().sum::<f64>() / 1800.0;
            let variance = x.dense().iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1800.0;
            let expected: Vec<_> = x.dense().iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect();
            // Numbers of size 100 are known to 8e-6.
            assert_close(&out.dense(), &expected, 3e-5, &format!("{backend:?}"));
        }
    }

    #[test]
    fn groups_are_checked() {
        let shape = Shape::new(2, 2, 2, 6).unwrap();
        for groups in [1, 2, 3, 6] {
            assert_eq!(norm(groups, 1e-5).output(&[shape]), Ok(shape));
        }
        for groups in [0, 4, 12] {
            let error = norm(groups, 1e-5).output(&[shape]).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: "groups", .. }), "{groups}: {error}");
        }
    }
}
