//! The linear map `W x + b` of every position: projections, perceptrons and classifiers.

use crate::Error;
use crate::linalg::gemm::{Matrix, gemm, gemm_plus_row, gemm_scratch_len};
use crate::simd::Backend;
use crate::tensor::{Shape, View, ViewMut};

/// A linear map of channels.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// `W`, row-major, a row of `inputs` numbers for each output.
    pub weight: &'a [f32],
    /// `b`, one number an output.
    pub bias: Option<&'a [f32]>,
    /// Channels of the argument.
    pub inputs: usize,
    /// Channels of the result.
    pub outputs: usize,
}

/// The shape of the result of a map from `inputs` to `outputs` channels.
///
/// # Errors
/// [`Error::Invalid`] if `input` does not have `inputs` channels, [`Error::Overflow`] if the result or the weights do
/// not fit the address space.
pub fn output(input: Shape, inputs: usize, outputs: usize) -> Result<Shape, Error> {
    if input.channels != inputs {
        return Err(Error::Invalid { field: "inputs", expected: "the number of channels of the argument" });
    }
    Shape::new(1, 1, outputs, inputs)?;
    input.with_channels(outputs)
}

/// Multiply-adds of one sample, without the additions of a bias.
pub const fn macs(input: Shape, outputs: usize) -> u64 {
    (input.positions_per_image() as u64).saturating_mul(input.channels as u64).saturating_mul(outputs as u64)
}

/// Numbers of scratch that [`Linear::forward`] needs; [`Linear::vjp`] needs those of the map the other way.
pub const fn scratch_len(inputs: usize, outputs: usize) -> usize {
    gemm_scratch_len(inputs, outputs)
}

impl Linear<'_> {
    /// Writes `W x + b` for every position `x` of `input` to `out`.
    pub fn forward(&self, backend: Backend, input: View<'_>, out: ViewMut<'_>, scratch: &mut [f32]) {
        let Self { weight, bias, inputs, outputs } = *self;
        let sizes = [input.shape.positions(), inputs, outputs];
        let (a, b) = (Matrix::new(input.data, input.pitch), Matrix::new(weight, inputs).transposed());
        match bias {
            Some(bias) => gemm_plus_row(backend, sizes, a, b, bias, out.data, out.pitch, scratch),
            None => gemm(backend, sizes, a, b, false, out.data, out.pitch, scratch),
        }
    }

    /// Passes the gradient with respect to the result back: writes `Wᵀ g` for every position to `out`, or with
    /// `accumulate` adds it to what is there.
    pub fn vjp(&self, backend: Backend, gradient: View<'_>, accumulate: bool, out: ViewMut<'_>, scratch: &mut [f32]) {
        let sizes = [gradient.shape.positions(), self.outputs, self.inputs];
        let (a, b) = (Matrix::new(gradient.data, gradient.pitch), Matrix::new(self.weight, self.inputs));
        gemm(backend, sizes, a, b, accumulate, out.data, out.pitch, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers};
    use std::vec::Vec;
    use std::{format, vec};

    /// Positions, inputs, outputs.
    const SIZES: [(usize, usize, usize); 9] =
        [(1, 1, 1), (3, 5, 2), (4, 8, 3), (5, 16, 10), (9, 17, 7), (2, 64, 10), (0, 3, 2), (7, 15, 33), (13, 200, 18)];

    fn reference(weight: &[f32], bias: Option<&[f32]>, inputs: usize, outputs: usize, x: &[f64]) -> Vec<f64> {
        x.chunks(inputs)
            .flat_map(|x| {
                (0..outputs).map(move |output| {
                    let row = &weight[output * inputs..][..inputs];
                    let bias = bias.map_or(0.0, |bias| f64::from(bias[output]));
                    bias + x.iter().zip(row).map(|(x, w)| x * f64::from(*w)).sum::<f64>()
                })
            })
            .collect()
    }

    #[test]
    fn shapes_and_costs() {
        let tokens = Shape::new(2, 7, 1, 5).unwrap();
        assert_eq!(output(tokens, 5, 3), Shape::new(2, 7, 1, 3));
        assert_eq!(output(tokens, 4, 3).unwrap_err().code(), -2);
        assert_eq!(output(tokens, 5, usize::MAX).unwrap_err().code(), -5);
        assert_eq!(macs(tokens, 3), 7 * 5 * 3);
    }

    #[test]
    fn products_and_their_gradients() {
        for (backend, (positions, inputs, outputs)) in Backend::available().flat_map(|b| SIZES.map(|s| (b, s))) {
            let shape = Shape::new(1, positions, 1, inputs).unwrap();
            let result = output(shape, inputs, outputs).unwrap();
            let (weight, shift) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let (x, g) = (Tensor::random(shape, 2, 3), Tensor::random(result, 3, 4));
            for bias in [None, Some(shift.as_slice())] {
                let case = format!("{backend:?}, {positions}, {inputs}, {outputs}");
                let linear = Linear { weight: &weight, bias, inputs, outputs };
                let mut scratch = vec![f32::NAN; scratch_len(inputs, outputs)];
                let mut out = Tensor::filled(result, 1, f32::NAN);
                linear.forward(backend, x.view(), out.view_mut(), &mut scratch);
                let expected = reference(&weight, bias, inputs, outputs, &x.dense());
                // 200 products below 4.
                assert_close(&out.dense(), &expected, 1e-4, &case);

                let zero = vec![0.0; shape.len()];
                let gradient = differences(&zero, &g.dense(), |x| reference(&weight, bias, inputs, outputs, x));
                let mut scratch = vec![f32::NAN; scratch_len(outputs, inputs)];
                for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                    let mut out = Tensor::filled(shape, 1, before);
                    linear.vjp(backend, g.view(), accumulate, out.view_mut(), &mut scratch);
                    let expected: Vec<_> = gradient.iter().map(|x| if accumulate { x + 1.0 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 1e-5, &case);
                }
            }
        }
    }
}
