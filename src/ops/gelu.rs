//! The Gaussian error linear unit `x Φ(x)` in its exact form, Φ(x) = ½ (1 + erf(x / √2)) (Hendrycks and Gimpel, 2016).

use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd, normal};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Shape, View, ViewMut};

/// `x Φ(x)`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gelu;

impl Operation for Gelu {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Inputs, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        only(inputs)
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, call.inputs[0].stored, call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, call.remembered[0].stored, call.gradient, call.sink.accumulate, call.sink.stored);
    }
}

/// Writes `x Φ(x)` for every number of `input` to `out`. The error is at most `4e-7 · |x|`.
pub fn forward(backend: Backend, input: View<'_>, out: ViewMut<'_>) {
    backend.run(Forward { input, out });
}

/// Passes the gradient back: writes `g (Φ(x) + x φ(x))` to `out`, or with `accumulate` adds it to what is there. `input`
/// is `x`. The error of the factor is at most 1e-6.
pub fn vjp(backend: Backend, input: View<'_>, gradient: View<'_>, accumulate: bool, out: ViewMut<'_>) {
    backend.run(Vjp { input, gradient, accumulate, out });
}

struct Forward<'a> {
    input: View<'a>,
    out: ViewMut<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for position in 0..self.input.shape.positions() {
            let (input, out) = (self.input.row(position), self.out.row(position));
            for_each_part(
                simd,
                input.len(),
                #[inline(always)]
                |part| {
                    let x = part.read(simd, input);
                    let (cumulative, _) = normal::distribution(simd, x);
                    part.write(simd, simd.mul(x, cumulative), out);
                },
            );
        }
    }
}

struct Vjp<'a> {
    input: View<'a>,
    gradient: View<'a>,
    accumulate: bool,
    out: ViewMut<'a>,
}

impl Kernel for Vjp<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for position in 0..self.input.shape.positions() {
            let (input, gradient) = (self.input.row(position), self.gradient.row(position));
            let out = self.out.row(position);
            for_each_part(
                simd,
                input.len(),
                #[inline(always)]
                |part| {
                    let x = part.read(simd, input);
                    let (cumulative, density) = normal::distribution(simd, x);
                    let slope = simd.mul_add(x, density, cumulative);
                    let before = if self.accumulate { part.read(simd, out) } else { simd.splat(0.0) };
                    part.write(simd, simd.mul_add(part.read(simd, gradient), slope, before), out);
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences};
    use std::format;
    use std::vec::Vec;

    fn reference(x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x * libm::erfc(-x / core::f64::consts::SQRT_2) / 2.0).collect()
    }

    #[test]
    fn values_and_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| [1, 3, 8, 17, 31, 64].map(|c| (b, c))) {
            let shape = Shape::new(2, 3, 1, channels).unwrap();
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
            let case = format!("{backend:?}, {channels} channels");
            let mut out = Tensor::filled(shape, 3, f32::NAN);
            forward(backend, x.view(), out.view_mut());
            assert_close(&out.dense(), &reference(&x.dense()), 8e-7, &case);
            let slopes = differences(&x.dense(), &g.dense(), reference);
            for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                let mut out = Tensor::filled(shape, 0, before);
                vjp(backend, x.view(), g.view(), accumulate, out.view_mut());
                let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                assert_close(&out.dense(), &expected, 2e-6, &case);
            }
        }
    }
}
