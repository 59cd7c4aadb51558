//! Layer scale (Touvron et al., 2021): a factor per channel, which is a parameter.

use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
use super::{combine, product};
use crate::Error;
use crate::simd::Backend;
use crate::tensor::{Gradient, Role, Shape, Sink, Value, View, ViewMut};

/// Every channel times its own gain, 1 unless given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale;

impl Operation for Scale {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        only(inputs)
    }

    fn parameters(&self, input: Shape, _: Shape) -> Parameters {
        Parameter::list([Parameter::new(Role::Gain, 1, input.channels)])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, call.inputs[0].stored, call.parameters[0], call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, call.gradient, call.parameters[0], call.sink);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        Some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for Scale {
    fn scratch_len(&self, _: Shape, _: Shape) -> usize {
        0
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let [gain, ..] = call.of_parameters;
        parameters_vjp(call.backend, call.inputs[0].stored, call.gradient, gain);
    }
}

/// Writes the channels of `map` times their `gain` to `out`.
pub fn forward(backend: Backend, map: View<'_>, gain: Option<&[f32]>, out: ViewMut<'_>) {
    match gain {
        Some(gain) => {
            let shape = as_one_image(out.shape);
            product::forward(backend, value(View { shape, ..map }), factor(gain), ViewMut { shape, ..out });
        }
        None => combine::forward(backend, &[value(map)], false, false, out),
    }
}

/// Passes the gradient with respect to the result back to the map.
pub fn vjp(backend: Backend, gradient: View<'_>, gain: Option<&[f32]>, sink: Sink<'_>) {
    match gain {
        Some(gain) => {
            let shape = as_one_image(gradient.shape);
            let sink = Sink { stored: ViewMut { shape, ..sink.stored }, ..sink };
            product::vjp_of_map(backend, factor(gain), View { shape, ..gradient }, sink);
        }
        None => combine::vjp(backend, Gradient { stored: gradient, normalised: None }, sink),
    }
}

/// Writes the gradient with respect to the gain.
#[cfg(feature = "gradients")]
pub fn parameters_vjp(backend: Backend, map: View<'_>, gradient: View<'_>, of_gain: &mut [f32]) {
    let shape = as_one_image(gradient.shape);
    let stored = ViewMut::dense(of_gain, of_channels(of_gain.len()));
    let sink = Sink { stored, accumulate: false, gate: None, sums: None };
    product::vjp_of_factor(backend, value(View { shape, ..map }), View { shape, ..gradient }, sink);
}

/// All positions of a batch as those of one image: one factor meets them all.
fn as_one_image(shape: Shape) -> Shape {
    Shape { batch: 1, height: shape.positions(), width: 1, ..shape }
}

fn of_channels(channels: usize) -> Shape {
    Shape { batch: 1, height: 1, width: 1, channels }
}

fn value(stored: View<'_>) -> Value<'_> {
    Value { stored, affine: None, rectified: false }
}

fn factor(gain: &[f32]) -> Value<'_> {
    value(View::dense(gain, of_channels(gain.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use std::format;
    use std::vec::Vec;

    fn cases() -> impl Iterator<Item = (Backend, Shape)> {
        let channels = [1, 3, 8, 15, 16, 17, 40];
        let shapes = move |backend| {
            let of = move |channels| [(1, 1), (3, 5)].map(|(h, w)| (backend, Shape::new(3, h, w, channels).unwrap()));
            channels.into_iter().flat_map(of)
        };
        Backend::available().flat_map(shapes)
    }

    fn reference(gain: &[f64], x: &[f64]) -> Vec<f64> {
        x.iter().enumerate().map(|(place, x)| x * gain[place % gain.len()]).collect()
    }

    #[test]
    fn every_channel_has_its_factor() {
        for (backend, shape) in cases() {
            let case = format!("{backend:?}, {shape:?}");
            let (x, gain) = (Tensor::random(shape, 2, 1), numbers(shape.channels, 2));
            let mut out = Tensor::filled(shape, 1, f32::NAN);
            forward(backend, x.view(), Some(&gain), out.view_mut());
            // One rounding.
            assert_close(&out.dense(), &reference(&widen(&gain), &x.dense()), 1e-6, &case);
            forward(backend, x.view(), None, out.view_mut());
            assert_close(&out.dense(), &x.dense(), 0.0, &case);
        }
    }

    #[test]
    fn gradients_are_differences() {
        for (backend, shape) in cases() {
            let case = format!("{backend:?}, {shape:?}");
            let (x, g) = (Tensor::random(shape, 2, 1), Tensor::random(shape, 0, 3));
            let gain = numbers(shape.channels, 2);
            for given in [Some(&gain[..]), None] {
                let wide = given.map_or(std::vec![1.0; shape.channels], widen);
                let expected = differences(&x.dense(), &g.dense(), |x| reference(&wide, x));
                for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                    let mut out = Tensor::filled(shape, 3, before);
                    let sink = Sink { stored: out.view_mut(), accumulate, gate: None, sums: None };
                    vjp(backend, g.view(), given, sink);
                    let base = if accumulate { 1.0 } else { 0.0 };
                    let got: Vec<f64> = out.dense().into_iter().map(|x| x - base).collect();
                    assert_close(&got, &expected, 2e-6, &case);
                }
            }
            #[cfg(feature = "gradients")]
            {
                let expected = differences(&widen(&gain), &g.dense(), |gain| reference(gain, &x.dense()));
                let mut of_gain = std::vec![f32::NAN; shape.channels];
                parameters_vjp(backend, x.view(), g.view(), &mut of_gain);
                assert_close(&widen(&of_gain), &expected, 1e-5, &case);
            }
        }
    }
}
