//! From a map of patches to tokens: the class token is put before them, and every token is told its position.

use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Role, Shape, Sink, View, ViewMut};

/// A token a position, row after row, and a class token before them, each plus a vector of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tokens;

impl Operation for Tokens {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Nothing, keeps_zero: false, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let map = only(inputs)?;
        Shape::new(map.batch, map.positions_per_image() + 1, 1, map.channels)
    }

    fn parameters(&self, map: Shape, tokens: Shape) -> Parameters {
        let class = Parameter::new(Role::ClassToken, 1, map.channels);
        Parameter::list([class, Parameter::new(Role::Position, tokens.positions_per_image(), map.channels)])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        let [class, positions, ..] = call.parameters.map(Option::unwrap_or_default);
        forward(call.backend, call.inputs[0].stored, class, positions, call.out);
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
impl ParameterGradients for Tokens {
    fn scratch_len(&self, _: Shape, _: Shape) -> usize {
        0
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let [class, positions, ..] = call.of_parameters;
        parameters_vjp(call.backend, call.gradient, class, positions);
    }
}

/// Writes the tokens of `map` to `out`: `class` and the positions of the map, plus `positions`, a row a token.
pub fn forward(backend: Backend, map: View<'_>, class: &[f32], positions: &[f32], out: ViewMut<'_>) {
    backend.run(Forward { map, class, positions, out });
}

/// Passes the gradient with respect to the tokens back to the map.
pub fn vjp(backend: Backend, gradient: View<'_>, sink: Sink<'_>) {
    backend.run(Vjp { gradient, sink });
}

/// Writes the gradient with respect to the class token and to the positions, a row a token, from that with respect to the
/// tokens: sums over the samples.
#[cfg(feature = "gradients")]
pub fn parameters_vjp(backend: Backend, gradient: View<'_>, class: &mut [f32], positions: &mut [f32]) {
    sum_of_images(backend, gradient, positions);
    // The class token and its position are added to each other.
    class.copy_from_slice(&positions[..gradient.shape.channels]);
}

/// Writes the sums of a map over the images of its batch, position by position.
#[cfg(feature = "gradients")]
pub(super) fn sum_of_images(backend: Backend, map: View<'_>, sums: &mut [f32]) {
    backend.run(SumOfImages { map, sums });
}

struct Forward<'a> {
    map: View<'a>,
    class: &'a [f32],
    positions: &'a [f32],
    out: ViewMut<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (tokens, channels) = (self.out.shape.positions_per_image(), self.out.shape.channels);
        for position in 0..self.out.shape.positions() {
            let (sample, token) = (position / tokens, position % tokens);
            let row = if token == 0 { self.class } else { self.map.row(sample * (tokens - 1) + token - 1) };
            let place = &self.positions[token * channels..][..channels];
            let out = self.out.row(position);
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| part.write(simd, simd.add(part.read(simd, row), part.read(simd, place)), out),
            );
        }
    }
}

struct Vjp<'a> {
    gradient: View<'a>,
    sink: Sink<'a>,
}

impl Kernel for Vjp<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Shape { batch, .. } = self.sink.stored.shape;
        let patches = self.sink.stored.shape.positions_per_image();
        for sample in 0..batch {
            // The class token stays behind.
            let first = sample * (patches + 1) + 1;
            let rows = &self.gradient.data[first * self.gradient.pitch..];
            self.sink.store(simd, sample * patches, patches, rows, self.gradient.pitch);
        }
    }
}

#[cfg(feature = "gradients")]
struct SumOfImages<'a> {
    map: View<'a>,
    sums: &'a mut [f32],
}

#[cfg(feature = "gradients")]
impl Kernel for SumOfImages<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Shape { batch, channels, .. } = self.map.shape;
        let positions = self.map.shape.positions_per_image();
        for (position, out) in self.sums.chunks_exact_mut(channels).enumerate().take(positions) {
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| {
                    let mut sum = simd.splat(0.0);
                    for image in 0..batch {
                        sum = simd.add(sum, part.read(simd, self.map.row(image * positions + position)));
                    }
                    part.write(simd, sum, out);
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use std::vec::Vec;
    use std::{format, vec};

    fn reference(map: Shape, class: &[f64], positions: &[f64], x: &[f64]) -> Vec<f64> {
        let samples = x.chunks(map.positions_per_image() * map.channels);
        let tokens = samples.map(|sample| class.iter().chain(sample));
        tokens.flat_map(|sample| sample.zip(positions).map(|(x, place)| x + place)).collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| [1, 3, 8, 17, 31].map(|c| (b, c))) {
            let shape = Shape::new(3, 2, 5, channels).unwrap();
            let result = Tokens.output(&[shape]).unwrap();
            assert_eq!(result, Shape::new(3, 11, 1, channels).unwrap());
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(result, 2, 2));
            let (class, positions) = (numbers(channels, 3), numbers(11 * channels, 4));
            let case = format!("{backend:?}, {channels} channels");
            let value = |x: &[f64]| reference(shape, &widen(&class), &widen(&positions), x);
            let mut out = Tensor::filled(result, 3, f32::NAN);
            forward(backend, x.view(), &class, &positions, out.view_mut());
            assert_close(&out.dense(), &value(&x.dense()), 1e-6, &case);
            let slopes = differences(&x.dense(), &g.dense(), value);
            for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                let mut out = Tensor::filled(shape, 0, before);
                vjp(backend, g.view(), Sink { stored: out.view_mut(), accumulate, gate: None, sums: None });
                let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                assert_close(&out.dense(), &expected, 1e-6, &case);
            }
        }
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn gradients_of_the_class_token_and_the_positions() {
        for (backend, channels) in Backend::available().flat_map(|b| [1, 3, 8, 17, 31].map(|c| (b, c))) {
            for batch in [0, 1, 5] {
                let shape = Shape::new(batch, 2, 5, channels).unwrap();
                let result = Tokens.output(&[shape]).unwrap();
                let (x, g) = (Tensor::random(shape, 0, 1).dense(), Tensor::random(result, 2, 2));
                let (class, places) = (widen(&numbers(channels, 3)), widen(&numbers(11 * channels, 4)));
                let of_class = differences(&class, &g.dense(), |class| reference(shape, class, &places, &x));
                let of_places = differences(&places, &g.dense(), |places| reference(shape, &class, places, &x));
                let (mut class, mut places) = (vec![f32::NAN; channels], vec![f32::NAN; 11 * channels]);
                parameters_vjp(backend, g.view(), &mut class, &mut places);
                let case = format!("{backend:?}, {channels} channels, {batch} samples");
                assert_close(&widen(&class), &of_class, 1e-6, &case);
                assert_close(&widen(&places), &of_places, 1e-6, &case);
            }
        }
    }

    #[test]
    fn sizes_are_checked() {
        assert!(matches!(
            Tokens.output(&[Shape { batch: usize::MAX, height: 1, width: 1, channels: 1 }]),
            Err(Error::Overflow { .. })
        ));
    }
}
