//! The linear map `W x + b` of every position: projections, perceptrons and classifiers.

#[cfg(feature = "gradients")]
use super::bias;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
#[cfg(feature = "gradients")]
use super::operation::{ParameterGradients, ParametersCall};
use crate::Error;
use crate::linalg::gemm::{Matrix, gemm, gemm_plus_row, gemm_scratch_len};
use crate::simd::Backend;
use crate::tensor::{Role, Shape, View, ViewMut};

/// A linear map of the channels of every position, with bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    /// Channels of the result.
    pub channels: usize,
}

impl Operation for Linear {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Nothing, keeps_zero: false, is_layer: true }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let input = only(inputs)?;
        if self.channels == 0 {
            return Err(Error::Invalid { field: "channels", expected: "at least 1" });
        }
        Shape::new(1, 1, self.channels, input.channels)?;
        input.with_channels(self.channels)
    }

    fn parameters(&self, input: Shape, _: Shape) -> Parameters {
        let weight = Parameter::new(Role::Weight, self.channels, input.channels);
        Parameter::list([weight, Parameter::new(Role::Bias, 1, self.channels)])
    }

    fn macs(&self, input: Shape, output: Shape) -> u64 {
        macs(input, output.channels)
    }

    fn scratch(&self, input: Shape, output: Shape) -> Scratch {
        Scratch {
            forward: scratch_len(input.channels, output.channels),
            vjp: scratch_len(output.channels, input.channels),
        }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        let [weight, bias, ..] = call.parameters;
        forward(call.backend, call.inputs[0].stored, weight.unwrap_or_default(), bias, call.out, call.scratch);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let weight = call.parameters[0].unwrap_or_default();
        vjp(call.backend, call.gradient, weight, call.sink.accumulate, call.sink.stored, call.scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        Some(self)
    }
}

#[cfg(feature = "gradients")]
impl ParameterGradients for Linear {
    fn scratch_len(&self, input: Shape, _: Shape) -> usize {
        weight_scratch_len(input)
    }

    fn parameters_vjp(&self, call: ParametersCall<'_>) {
        let [weight, bias, ..] = call.of_parameters;
        weight_vjp(call.backend, call.inputs[0].stored, call.gradient, weight, call.scratch);
        bias::vjp(call.backend, &[crate::tensor::Gradient { stored: call.gradient, normalised: None }], bias);
    }
}

/// Multiply-adds of one sample, without the additions of a bias.
pub const fn macs(input: Shape, outputs: usize) -> u64 {
    (input.positions_per_image() as u64).saturating_mul(input.channels as u64).saturating_mul(outputs as u64)
}

/// Numbers of scratch that [`forward`] needs; [`vjp`] needs those of the map the other way.
pub const fn scratch_len(inputs: usize, outputs: usize) -> usize {
    gemm_scratch_len(inputs, outputs)
}

/// Writes `W x + b` for every position `x` of `input` to `out`. `W` is row-major, a row of the input's channels for each of
/// the result's; `b` has one number for each of these.
pub fn forward(
    backend: Backend,
    input: View<'_>,
    weight: &[f32],
    bias: Option<&[f32]>,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let inputs = input.shape.channels;
    let sizes = [input.shape.positions(), inputs, out.shape.channels];
    let (a, b) = (Matrix::new(input.data, input.pitch), Matrix::new(weight, inputs).transposed());
    match bias {
        Some(bias) => gemm_plus_row(backend, sizes, a, b, bias, out.data, out.pitch, scratch),
        None => gemm(backend, sizes, a, b, false, out.data, out.pitch, scratch),
    }
}

/// Passes the gradient with respect to the result back: writes `Wᵀ g` for every position to `out`, or with `accumulate`
/// adds it to what is there.
pub fn vjp(
    backend: Backend,
    gradient: View<'_>,
    weight: &[f32],
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let inputs = out.shape.channels;
    let sizes = [gradient.shape.positions(), gradient.shape.channels, inputs];
    let (a, b) = (Matrix::new(gradient.data, gradient.pitch), Matrix::new(weight, inputs));
    gemm(backend, sizes, a, b, accumulate, out.data, out.pitch, scratch);
}

/// Numbers of scratch that [`weight_vjp`] needs.
#[cfg(feature = "gradients")]
pub const fn weight_scratch_len(input: Shape) -> usize {
    gemm_scratch_len(input.positions(), input.channels)
}

/// Writes to `weight` the gradient with respect to `W`, from that with respect to the result: the sum of `g xᵀ` over all
/// positions. That with respect to `b` is in [`bias`].
#[cfg(feature = "gradients")]
pub fn weight_vjp(backend: Backend, input: View<'_>, gradient: View<'_>, weight: &mut [f32], scratch: &mut [f32]) {
    let (inputs, outputs) = (input.shape.channels, gradient.shape.channels);
    let sizes = [outputs, input.shape.positions(), inputs];
    let (a, b) = (Matrix::new(gradient.data, gradient.pitch).transposed(), Matrix::new(input.data, input.pitch));
    gemm(backend, sizes, a, b, false, weight, inputs, scratch);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use std::vec::Vec;
    use std::{format, vec};

    /// Positions, inputs, outputs.
    const SIZES: [(usize, usize, usize); 9] =
        [(1, 1, 1), (3, 5, 2), (4, 8, 3), (5, 16, 10), (9, 17, 7), (2, 64, 10), (0, 3, 2), (7, 15, 33), (13, 200, 18)];

    fn reference(weight: &[f64], bias: Option<&[f32]>, inputs: usize, outputs: usize, x: &[f64]) -> Vec<f64> {
        x.chunks(inputs)
            .flat_map(|x| {
                (0..outputs).map(move |output| {
                    let row = &weight[output * inputs..][..inputs];
                    let bias = bias.map_or(0.0, |bias| f64::from(bias[output]));
                    bias + x.iter().zip(row).map(|(x, w)| x * w).sum::<f64>()
                })
            })
            .collect()
    }

    #[test]
    fn shapes_and_costs() {
        let tokens = Shape::new(2, 7, 1, 5).unwrap();
        assert_eq!(Linear { channels: 3 }.output(&[tokens]), Shape::new(2, 7, 1, 3));
        assert_eq!(Linear { channels: 3 }.output(&[tokens, tokens]).unwrap_err().code(), -2);
        assert_eq!(Linear { channels: usize::MAX }.output(&[tokens]).unwrap_err().code(), -5);
        assert_eq!(macs(tokens, 3), 7 * 5 * 3);
    }

    #[test]
    fn products_and_their_gradients() {
        for (backend, (positions, inputs, outputs)) in Backend::available().flat_map(|b| SIZES.map(|s| (b, s))) {
            let shape = Shape::new(1, positions, 1, inputs).unwrap();
            let result = Linear { channels: outputs }.output(&[shape]).unwrap();
            let (weight, shift) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let (x, g) = (Tensor::random(shape, 2, 3), Tensor::random(result, 3, 4));
            let wide = widen(&weight);
            for bias in [None, Some(shift.as_slice())] {
                let case = format!("{backend:?}, {positions}, {inputs}, {outputs}");
                let mut scratch = vec![f32::NAN; scratch_len(inputs, outputs)];
                let mut out = Tensor::filled(result, 1, f32::NAN);
                forward(backend, x.view(), &weight, bias, out.view_mut(), &mut scratch);
                let expected = reference(&wide, bias, inputs, outputs, &x.dense());
                // 200 products below 4.
                assert_close(&out.dense(), &expected, 1e-4, &case);

                let zero = vec![0.0; shape.len()];
                let gradient = differences(&zero, &g.dense(), |x| reference(&wide, bias, inputs, outputs, x));
                let mut scratch = vec![f32::NAN; scratch_len(outputs, inputs)];
                for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                    let mut out = Tensor::filled(shape, 1, before);
                    vjp(backend, g.view(), &weight, accumulate, out.view_mut(), &mut scratch);
                    let expected: Vec<_> = gradient.iter().map(|x| if accumulate { x + 1.0 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 1e-5, &case);
                }
            }
        }
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn gradients_of_weights() {
        // More positions than a block of the product has steps.
        let sizes = SIZES.into_iter().chain([(500, 17, 9)]);
        for ((positions, inputs, outputs), backend) in sizes.flat_map(|s| Backend::available().map(move |b| (s, b))) {
            let shape = Shape::new(1, positions, 1, inputs).unwrap();
            let result = Linear { channels: outputs }.output(&[shape]).unwrap();
            let (x, g) = (Tensor::random(shape, 2, 3), Tensor::random(result, 3, 4));
            let mut weight = vec![f32::NAN; inputs * outputs];
            let mut scratch = vec![f32::NAN; weight_scratch_len(shape)];
            weight_vjp(backend, x.view(), g.view(), &mut weight, &mut scratch);
            let dense = x.dense();
            let value = |weight: &[f64]| reference(weight, None, inputs, outputs, &dense);
            let slopes = differences(&vec![0.0; inputs * outputs], &g.dense(), value);
            let case = format!("{backend:?}, {positions}, {inputs}, {outputs}");
            // 500 products below 4.
            assert_close(&widen(&weight), &slopes, 5e-5, &case);
        }
    }
}
