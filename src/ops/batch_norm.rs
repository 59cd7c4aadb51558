//! Batch normalisation with the statistics of the batch, and its gradient through those statistics.
//!
//! Forwards, `γ (z − mean) / √(variance + ε) + β` with the biased variance is an affine map of each channel that the
//! value's readers apply. Backwards, with `ẑ = (z − mean) / √(variance + ε)` and `n` positions,
//! `dz = γ / √(variance + ε) · (g − Σg / n − ẑ · Σ(g ẑ) / n)` (Ioffe and Szegedy 2015), is a map of `g` and `z` that
//! the gradient's readers apply. What is left to do here are the two sums and the coefficients.

use super::combine;
use super::moments::Moments;
use super::operation::{Parameter, Parameters};
use crate::base::constant::Constant;
use crate::simd::{Backend, root};
use crate::tensor::{Gradient, Normalised, Role, Shape, Sink, Sums, View};

/// Normalisation by the batch's own mean and biased variance, then gain and shift per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchNorm {
    /// ε, added to the variance.
    pub epsilon: Constant,
}

impl BatchNorm {
    /// Its parameters on a map of shape `input`.
    pub(crate) fn parameters(&self, input: Shape) -> Parameters {
        Parameter::list([Role::Gain, Role::Shift].map(|role| Parameter::new(role, 1, input.channels)))
    }
}

/// Numbers a channel that the two passes share: `scale`, `shift` and `centre` of [`coefficients`], then `by_gradient`,
/// `by_input` and `constant` of [`vjp_coefficients`].
pub const COEFFICIENTS: usize = 6;

/// The coefficients in memory, `channels` of each one after another.
pub fn split(all: &mut [f32], channels: usize) -> [&mut [f32]; COEFFICIENTS] {
    let mut rest = all;
    core::array::from_fn(|_| {
        let (coefficients, others) = core::mem::take(&mut rest).split_at_mut(channels);
        rest = others;
        coefficients
    })
}

/// Writes the affine map that normalises the channels whose statistics are `moments`: `scale = γ / √(variance + ε)`,
/// `shift = β − mean · scale`; and the rounded mean as the `centre` of [`Sums`]. Without `gain` γ is 1, without `bias`
/// β is 0.
///
/// A constant channel, which one of a single position always is, becomes β exactly. A channel with NaN, or a constant one
/// at ε = 0, gets coefficients that are not finite.
pub fn coefficients(
    moments: &Moments<'_>,
    gain: Option<&[f32]>,
    bias: Option<&[f32]>,
    epsilon: f64,
    scale: &mut [f32],
    shift: &mut [f32],
    centre: &mut [f32],
) {
    for channel in 0..moments.mean().len() {
        let gain = gain.map_or(1.0, |gain| f64::from(gain[channel]));
        let bias = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        let inverse = inverse_deviation(moments, channel, epsilon);
        // Rounded terms of a difference that is 0 would leave noise, of which a rectifier passes what is positive.
        let constant = moments.squares()[channel] == 0.0 && inverse.is_finite();
        scale[channel] = if constant { 0.0 } else { (gain * inverse) as f32 };
        // The mean is mapped to β exactly only if its factor is the rounded one.
        shift[channel] = (bias - moments.mean()[channel] * f64::from(scale[channel])) as f32;
        centre[channel] = moments.mean()[channel] as f32;
    }
}

/// `1 / √(variance + ε)`
fn inverse_deviation(moments: &Moments<'_>, channel: usize, epsilon: f64) -> f64 {
    let variance = moments.squares()[channel] / moments.count().max(1) as f64;
    1.0 / root::sqrt(variance + epsilon)
}

/// Writes the coefficients of [`Normalised`]: `dz = by_gradient · g + by_input · z + constant`. All positions that
/// `moments` has seen must have been added to `sums`.
///
/// Over a single position `g − Σg / n` is 0, and so is `dz`, exactly.
pub fn vjp_coefficients(
    sums: &Sums<'_>,
    moments: &Moments<'_>,
    gain: Option<&[f32]>,
    epsilon: f64,
    by_gradient: &mut [f32],
    by_input: &mut [f32],
    constant: &mut [f32],
) {
    let count = moments.count().max(1) as f64;
    for channel in 0..moments.mean().len() {
        let mean = moments.mean()[channel];
        let inverse = inverse_deviation(moments, channel, epsilon);
        let gain = gain.map_or(1.0, |gain| f64::from(gain[channel]));
        let single = moments.count() == 1 && inverse.is_finite();
        let scale = if single { 0.0 } else { gain * inverse };
        let product = product(sums, moments, channel);
        by_gradient[channel] = scale as f32;
        by_input[channel] = (-scale * inverse * inverse * product / count) as f32;
        constant[channel] = (-scale * sums.gradient[channel] / count - f64::from(by_input[channel]) * mean) as f32;
    }
}

/// Writes the gradient with respect to γ, `Σ g ẑ`, and to β, `Σ g`, from the sums that [`vjp_coefficients`] reads too.
#[cfg(feature = "gradients")]
pub fn parameters_vjp(sums: &Sums<'_>, moments: &Moments<'_>, epsilon: f64, gain: &mut [f32], bias: &mut [f32]) {
    for channel in 0..moments.mean().len() {
        gain[channel] = (product(sums, moments, channel) * inverse_deviation(moments, channel, epsilon)) as f32;
        bias[channel] = sums.gradient[channel] as f32;
    }
}

/// `Σ g · (z − mean)`
fn product(sums: &Sums<'_>, moments: &Moments<'_>, channel: usize) -> f64 {
    let distance = f64::from(sums.centre[channel]) - moments.mean()[channel];
    sums.product[channel] + distance * sums.gradient[channel]
}

/// Passes the gradient with respect to the output of a normalisation to its input: writes `dz` to `sink`.
///
/// Not needed where the input is the result of a convolution, whose vjp reads a [`Gradient`] itself.
pub fn vjp(backend: Backend, gradient: View<'_>, normalised: Normalised<'_>, sink: Sink<'_>) {
    combine::vjp(backend, Gradient { stored: gradient, normalised: Some(normalised) }, sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use crate::simd::{Kernel, Simd};
    use crate::tensor::{Affine, Value};
    use std::vec::Vec;
    use std::{format, vec};

    const EPSILON: f64 = 1e-5;
    const CHANNELS: [usize; 8] = [1, 3, 8, 15, 16, 17, 64, 83];

    /// `relu?(batch norm(x))`, written out.
    fn reference(channels: usize, gain: &[f64], bias: &[f64], rectified: bool, x: &[f64]) -> Vec<f64> {
        let mut out = x.to_vec();
        let count = (x.len() / channels) as f64;
        for channel in 0..channels {
            let column = x.iter().skip(channel).step_by(channels);
            let mean = column.clone().sum::<f64>() / count;
            let variance = column.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
            for y in out.iter_mut().skip(channel).step_by(channels) {
                *y = gain[channel] * (*y - mean) / (variance + EPSILON).sqrt() + bias[channel];
                *y = if rectified { y.max(0.0) } else { *y };
            }
        }
        out
    }

    /// Passes gradients to a sink, piece by piece.
    struct Store<'a> {
        sink: Sink<'a>,
        gradients: View<'a>,
        pieces: [(usize, usize); 2],
    }

    impl Kernel for Store<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(mut self, simd: S) {
            let View { data, pitch, .. } = self.gradients;
            for (first, count) in self.pieces {
                self.sink.store(simd, first, count, data.get(first * pitch..).unwrap_or_default(), pitch);
            }
        }
    }

    /// The output, and the gradients with respect to the input, γ and β.
    struct Passes {
        out: Vec<f64>,
        dz: Vec<f64>,
        of_gain: Vec<f64>,
        of_bias: Vec<f64>,
    }

    /// Runs forward and backward through the module, with the statistics taken in two pieces.
    fn run(
        backend: Backend,
        z: &Tensor,
        g: &Tensor,
        gain: Option<&[f32]>,
        bias: Option<&[f32]>,
        rectified: bool,
    ) -> Passes {
        let channels = z.shape.channels;
        let positions = z.shape.positions();
        let pieces = [(0, positions / 3), (positions / 3, positions - positions / 3)];
        let [mut mean, mut squares, mut gradient, mut product] = [const { Vec::new() }; 4].map(|mut x: Vec<f64>| {
            x.resize(channels, f64::NAN);
            x
        });
        let mut moments = Moments::new(&mut mean, &mut squares);
        for (first, count) in pieces {
            moments.update(backend, &z.view(), first, count);
        }
        let [mut scale, mut shift, mut centre, mut by_gradient, mut by_input, mut constant] =
            core::array::from_fn(|_| vec![f32::NAN; channels]);
        coefficients(&moments, gain, bias, EPSILON, &mut scale, &mut shift, &mut centre);
        let affine = Affine { scale: &scale, shift: &shift };
        let mut out = Tensor::filled(z.shape, 1, f32::NAN);
        let value = Value { stored: z.view(), affine: Some(affine), rectified };
        combine::forward(backend, &[value], false, false, out.view_mut());

        // Through a rectifier, the sums are formed while the gradient before it is written.
        let mut passed = Tensor::filled(z.shape, 2, f32::NAN);
        let sums = Sums::new(&centre, &mut gradient, &mut product);
        if rectified {
            let gate = Some(Value { stored: z.view(), affine: Some(affine), rectified });
            let sink = Sink { stored: passed.view_mut(), accumulate: false, gate, sums: Some(sums) };
            backend.run(Store { sink, gradients: g.view(), pieces });
        } else {
            let mut sums = sums;
            for (first, count) in pieces {
                sums.update(backend, &g.view(), &z.view(), first, count);
            }
        }
        let g = if rectified { &passed } else { g };
        let sums = Sums { centre: &centre, gradient: &mut gradient, product: &mut product };
        vjp_coefficients(&sums, &moments, gain, EPSILON, &mut by_gradient, &mut by_input, &mut constant);
        let normalised =
            Normalised { input: z.view(), by_gradient: &by_gradient, by_input: &by_input, constant: &constant };
        let mut dz = Tensor::filled(z.shape, 1, f32::NAN);
        let sink = Sink { stored: dz.view_mut(), accumulate: false, gate: None, sums: None };
        vjp(backend, g.view(), normalised, sink);
        let [mut of_gain, mut of_bias] = [(); 2].map(|()| vec![f32::NAN; channels]);
        parameters_vjp(&sums, &moments, EPSILON, &mut of_gain, &mut of_bias);
        Passes { out: out.dense(), dz: dz.dense(), of_gain: widen(&of_gain), of_bias: widen(&of_bias) }
    }

    #[test]
    fn outputs_and_gradients_through_the_statistics() {
        for (backend, channels) in Backend::available().flat_map(|b| CHANNELS.map(|c| (b, c))) {
            let shape = Shape::new(2, 3, 4, channels).unwrap();
            let (z, g) = (Tensor::random(shape, 2, 1), Tensor::random(shape, 3, 2));
            let (gain, bias) = (numbers(channels, 3), numbers(channels, 4));
            for (affine, rectified) in [(false, false), (true, false), (true, true)] {
                let (gain, bias) = if affine { (Some(&*gain), Some(&*bias)) } else { (None, None) };
                let wide_gain = gain.map_or(vec![1.0; channels], widen);
                let wide_bias = bias.map_or(vec![0.0; channels], widen);
                let passes = run(backend, &z, &g, gain, bias, rectified);
                let f = |x: &[f64]| reference(channels, &wide_gain, &wide_bias, rectified, x);
                let case = format!("{backend:?}, {channels} channels, rectified: {rectified}");
                assert_close(&passes.out, &f(&z.dense()), 2e-6, &case);
                assert_close(&passes.dz, &differences(&z.dense(), &g.dense(), f), 5e-6, &case);
                let f = |gain: &[f64]| reference(channels, gain, &wide_bias, rectified, &z.dense());
                assert_close(&passes.of_gain, &differences(&wide_gain, &g.dense(), f), 2e-5, &case);
                let f = |bias: &[f64]| reference(channels, &wide_gain, bias, rectified, &z.dense());
                assert_close(&passes.of_bias, &differences(&wide_bias, &g.dense(), f), 2e-5, &case);
            }
        }
    }

    #[test]
    fn a_distant_mean_costs_no_more_digits_than_the_input_lost() {
        for backend in Backend::available() {
            let shape = Shape::new(1, 400, 1, 16).unwrap();
            let near = numbers(shape.len(), 1);
            let far: Vec<f32> = near.iter().map(|x| x + 1000.0).collect();
            let (z, g) = (Tensor::new(shape, 0, &far), Tensor::random(shape, 0, 2));
            let exact: Vec<f32> = far.iter().map(|x| x - 1000.0).collect();
            let Passes { dz, .. } = run(backend, &z, &g, None, None, false);
            let expected = run(backend, &Tensor::new(shape, 0, &exact), &g, None, None, false).dz;
            // `by_input` is below 0.1 here, and by_input · z + constant cancels to 2^-24 of 1000 · by_input.
            assert_close(&dz, &expected, 2e-5, &format!("{backend:?}"));
        }
    }

    #[test]
    fn constant_channels_single_positions_and_nan() {
        for backend in Backend::available() {
            // At one position, and in a constant channel, ẑ is 0: the output is β, and dz only what is left of g − Σg/n.
            for (positions, channels) in [1, 2, 5, 400].into_iter().flat_map(|p| CHANNELS.map(|c| (p, c))) {
                let shape = Shape::new(1, positions, 1, channels).unwrap();
                let (row, g) = (numbers(channels, 1), Tensor::random(shape, 0, 2));
                let (gain, bias) = (numbers(channels, 3), numbers(channels, 4));
                let z = Tensor::new(shape, 0, &row.repeat(positions));
                for rectified in [false, true] {
                    let case = format!("{backend:?}, {positions} positions of {channels} channels, {rectified}");
                    let Passes { out, dz, .. } = run(backend, &z, &g, Some(&gain), Some(&bias), rectified);
                    let beta = bias.iter().map(|&bias| f64::from(if rectified { bias.max(0.0) } else { bias }));
                    assert_eq!(out, beta.collect::<Vec<_>>().repeat(positions), "{case}");
                    if positions == 1 {
                        assert!(dz.iter().all(|&dz| dz == 0.0), "{case}: {dz:?}");
                    }
                }
            }
            let shape = Shape::new(1, 3, 1, 2).unwrap();
            let z = Tensor::new(shape, 0, &[1.0, f32::NAN, 2.0, 1.0, 3.0, 0.0]);
            let Passes { out, dz, .. } = run(backend, &z, &Tensor::random(shape, 0, 1), None, None, false);
            for (place, (y, dz)) in out.iter().zip(&dz).enumerate() {
                assert_eq!((y.is_nan(), dz.is_nan()), (place % 2 == 1, place % 2 == 1));
            }
            let none = Shape::new(0, 3, 4, 2).unwrap();
            assert!(
                run(backend, &Tensor::random(none, 0, 1), &Tensor::random(none, 0, 1), None, None, true).out.is_empty()
            );
        }
    }
}
