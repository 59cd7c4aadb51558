//! Average pooling. Padding counts neither in the sum nor in the divisor, as PyTorch's `count_include_pad=False`.

#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use super::separable::{self, Direction, Reduction, Separable};
use super::window::Window;
use crate::Error;
use crate::simd::{Backend, Simd};
use crate::tensor::{Gradient, Shape, Sink, Value, ViewMut};

/// The mean over a window; padding does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AveragePool {
    /// The window.
    pub window: Window,
}

impl Operation for AveragePool {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        self.window.output(only(inputs)?)
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, input: Shape, output: Shape) -> Scratch {
        let len = scratch_len(&self.window, input, output);
        Scratch { forward: len, vjp: len }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, &self.window, call.inputs[0], false, call.out, call.scratch);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let gradient = Gradient { stored: call.gradient, normalised: None };
        vjp(call.backend, &self.window, gradient, call.sink, call.scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

#[derive(Clone, Copy)]
struct Mean;

impl Reduction for Mean {
    const MEAN: bool = true;
    const NEUTRAL: f32 = 0.0;
    #[inline(always)]
    fn start<S: Simd>(self, simd: S, x: S::F32, weight: S::F32) -> S::F32 {
        simd.mul(weight, x)
    }
    #[inline(always)]
    fn reduce<S: Simd>(self, simd: S, reduced: S::F32, x: S::F32, weight: S::F32) -> S::F32 {
        simd.mul_add(weight, x, reduced)
    }
}

/// Numbers of scratch that [`forward`] and [`vjp`] need between maps of these shapes; a few rows of the map.
pub fn scratch_len(window: &Window, input: Shape, output: Shape) -> usize {
    separable::scratch_len(window, input, output)
}

/// Writes the mean of each window over `value` to `out`, whose shape is [`Window::output`] of the value's, or with
/// `accumulate` adds it to what is there.
pub fn forward(
    backend: Backend,
    window: &Window,
    value: Value<'_>,
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let axes = window.axes(value.stored.shape, out.shape);
    let sink = Sink { stored: out, accumulate, gate: None, sums: None };
    let batch = value.stored.shape.batch;
    Separable { source: value, axes, batch, direction: Direction::Forward, reduction: Mean, scratch, sink }
        .reduce(backend);
}

/// Passes the gradient with respect to the means back to `sink`, the gradient with respect to the map.
pub fn vjp(backend: Backend, window: &Window, gradient: Gradient<'_>, sink: Sink<'_>, scratch: &mut [f32]) {
    let axes = window.axes(sink.stored.shape, gradient.stored.shape);
    let batch = sink.stored.shape.batch;
    let direction = Direction::Backward;
    Separable { source: gradient, axes, batch, direction, reduction: Mean, scratch, sink }.reduce(backend);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, for_each_window, numbers, widen};
    use crate::tensor::{Affine, Normalised};
    use std::vec;
    use std::vec::Vec;

    fn reference(windows: &[Vec<usize>], x: &[f64]) -> Vec<f64> {
        let mean = |covered: &Vec<usize>| covered.iter().map(|&i| x[i]).sum::<f64>() / covered.len() as f64;
        windows.iter().map(mean).collect()
    }

    #[test]
    fn means_of_windows() {
        for_each_window(&[1, 5, 8, 16, 19], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            let (scale, shift) = (numbers(input.channels, 2), numbers(input.channels, 3));
            let affine = Some(Affine { scale: &scale, shift: &shift });
            for (affine, accumulate, gap) in [(None, false, 0), (None, true, 3), (affine, true, 0), (affine, false, 1)]
            {
                let x = Tensor::random(input, gap, 1);
                let mut out = Tensor::filled(output, 2, if accumulate { 1.0 } else { f32::NAN });
                let value = Value { stored: x.view(), affine, rectified: affine.is_some() };
                let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
                forward(backend, &window, value, accumulate, out.view_mut(), &mut scratch);
                let loaded: Vec<_> = (x.dense().iter().enumerate())
                    .map(|(place, &x)| match affine {
                        Some(_) => {
                            let channel = place % input.channels;
                            (f64::from(scale[channel]) * x + f64::from(shift[channel])).max(0.0)
                        }
                        None => x,
                    })
                    .collect();
                let mut expected = reference(&windows, &loaded);
                if accumulate {
                    expected.iter_mut().for_each(|x| *x += 1.0);
                }
                // Up to 25 numbers below 6 with errors of 2^-24.
                assert_close(&out.dense(), &expected, 3e-6, case);
            }
        });
    }

    #[test]
    fn the_vjp_is_the_gradient() {
        for_each_window(&[9], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            let dense = numbers(output.len(), 1);
            let zero = vec![0.0; input.len()];
            let expected = differences(&zero, &widen(&dense), |x| reference(&windows, x));
            let mut out = Tensor::filled(input, 2, 1.0);
            let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
            // In place first, then through the ring.
            for (accumulate, gap) in [(false, 0), (true, 1)] {
                let g = Tensor::new(output, gap, &dense);
                let sink = Sink { stored: out.view_mut(), accumulate, gate: None, sums: None };
                vjp(backend, &window, Gradient { stored: g.view(), normalised: None }, sink, &mut scratch);
                let times = if accumulate { 2.0 } else { 1.0 };
                let expected: Vec<_> = expected.iter().map(|x| x * times).collect();
                assert_close(&out.dense(), &expected, 3e-6, case);
            }
        });
    }

    #[test]
    fn the_vjp_passes_a_normalisation_and_a_rectifier() {
        for_each_window(&[5], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            let [g, z] = [1, 2].map(|seed| Tensor::random(output, seed, seed));
            let x = Tensor::random(input, 1, 3);
            let [a, b, c] = [4, 5, 6].map(|seed| numbers(output.channels, seed));
            let normalised = Normalised { input: z.view(), by_gradient: &a, by_input: &b, constant: &c };
            let dz: Vec<_> = (g.dense().iter().zip(z.dense()).enumerate())
                .map(|(place, (g, z))| {
                    let [a, b, c] = [&a, &b, &c].map(|x| f64::from(x[place % output.channels]));
                    a * g + b * z + c
                })
                .collect();
            let expected = differences(&x.dense(), &dz, |x| {
                let rectified: Vec<_> = x.iter().map(|x| x.max(0.0)).collect();
                reference(&windows, &rectified)
            });
            let mut out = Tensor::filled(input, 2, f32::NAN);
            let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
            let gate = Some(Value { stored: x.view(), affine: None, rectified: true });
            let sink = Sink { stored: out.view_mut(), accumulate: false, gate, sums: None };
            let gradient = Gradient { stored: g.view(), normalised: Some(normalised) };
            vjp(backend, &window, gradient, sink, &mut scratch);
            assert_close(&out.dense(), &expected, 5e-6, case);
        });
    }
}
