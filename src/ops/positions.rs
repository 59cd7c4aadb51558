//! A table of positions: every position of a map is told where it is by a vector of its own, the same for all images.
//!
//! What transformers without a class token start with; `tokens` does the same behind a class token.

use super::combine;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
#[cfg(feature = "gradients")]
use super::tokens;
use crate::Error;
use crate::simd::Backend;
use crate::tensor::{Gradient, Role, Shape, Sink, Value, View, ViewMut};

/// Every position plus a vector of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Positions;

impl Operation for Positions {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: false, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        only(inputs)
    }

    fn parameters(&self, map: Shape, _: Shape) -> Parameters {
        Parameter::list([Parameter::new(Role::Position, map.positions_per_image(), map.channels)])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, call.inputs[0], call.parameters[0].unwrap_or_default(), call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, call.gradient, call.sink);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        Some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for Positions {
    fn scratch_len(&self, _: Shape, _: Shape) -> usize {
        0
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let [positions, ..] = call.of_parameters;
        tokens::sum_of_images(call.backend, call.gradient, positions);
    }
}

/// Writes `map` plus `positions`, a row a position, to `out`.
pub fn forward(backend: Backend, map: Value<'_>, positions: &[f32], out: ViewMut<'_>) {
    let shape = Shape { batch: 1, ..out.shape };
    let table = Value { stored: View::dense(positions, shape), affine: None, rectified: false };
    let count = shape.positions();
    for image in 0..out.shape.batch {
        let data = &map.stored.data[image * count * map.stored.pitch..];
        let map = Value { stored: View { data, shape, pitch: map.stored.pitch }, ..map };
        let data = &mut out.data[image * count * out.pitch..];
        combine::forward(backend, &[map, table], false, false, ViewMut { data, shape, pitch: out.pitch });
    }
}

/// Passes the gradient with respect to the result back to the map.
pub fn vjp(backend: Backend, gradient: View<'_>, sink: Sink<'_>) {
    combine::vjp(backend, Gradient { stored: gradient, normalised: None }, sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use std::vec::Vec;
    use std::{format, vec};

    fn reference(positions: &[f64], x: &[f64]) -> Vec<f64> {
        x.iter().zip(positions.iter().cycle()).map(|(x, place)| x + place).collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| [1, 3, 8, 17, 31].map(|c| (b, c))) {
            let shape = Shape::new(3, 2, 5, channels).unwrap();
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
            let positions = numbers(10 * channels, 4);
            let case = format!("{backend:?}, {channels} channels");
            for rectified in [false, true] {
                let value = |x: &[f64]| {
                    let floor = if rectified { 0.0 } else { f64::NEG_INFINITY };
                    let loaded: Vec<_> = x.iter().map(|x| x.max(floor)).collect();
                    reference(&widen(&positions), &loaded)
                };
                let mut out = Tensor::filled(shape, 3, f32::NAN);
                forward(backend, Value { stored: x.view(), affine: None, rectified }, &positions, out.view_mut());
                assert_close(&out.dense(), &value(&x.dense()), 1e-6, &case);
                let slopes = differences(&x.dense(), &g.dense(), value);
                let gate = rectified.then_some(Value { stored: x.view(), affine: None, rectified });
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(shape, 0, before);
                    vjp(backend, g.view(), Sink { stored: out.view_mut(), accumulate, gate, sums: None });
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 1e-6, &case);
                }
            }
        }
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn gradients_of_the_positions() {
        for (backend, channels) in Backend::available().flat_map(|b| [1, 3, 8, 17, 31].map(|c| (b, c))) {
            for batch in [0, 1, 5] {
                let shape = Shape::new(batch, 2, 5, channels).unwrap();
                let (x, g) = (Tensor::random(shape, 0, 1).dense(), Tensor::random(shape, 2, 2));
                let positions = widen(&numbers(10 * channels, 4));
                let expected = differences(&positions, &g.dense(), |positions| reference(positions, &x));
                let mut of_positions = vec![f32::NAN; 10 * channels];
                tokens::sum_of_images(backend, g.view(), &mut of_positions);
                assert_close(&widen(&of_positions), &expected, 1e-6, &format!("{backend:?}, {channels} × {batch}"));
            }
        }
    }
}
