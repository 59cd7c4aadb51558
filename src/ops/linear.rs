//! The linear map `W x + b` of every position: classifiers, and small layers that a matrix product does not pay for.

use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::value::for_each_part;
use crate::tensor::{Gradient, Load, Shape, Sink, Value, ViewMut};

/// Positions that share each read of the weights.
const ROWS: usize = 4;

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

/// Numbers of scratch that [`Linear::forward`] and [`Linear::vjp`] need.
pub const fn scratch_len(inputs: usize, outputs: usize) -> usize {
    ROWS.saturating_mul(inputs.saturating_add(outputs))
}

impl Linear<'_> {
    /// Writes `W x + b` for every position `x` of `value` to `out`.
    pub fn forward(&self, backend: Backend, value: Value<'_>, out: ViewMut<'_>, scratch: &mut [f32]) {
        backend.run(Forward { linear: self, value, out, scratch });
    }

    /// Passes the gradient with respect to the result back to `sink`: `Wᵀ g` for every position.
    pub fn vjp(&self, backend: Backend, gradient: Gradient<'_>, sink: Sink<'_>, scratch: &mut [f32]) {
        backend.run(Vjp { linear: self, gradient, sink, scratch });
    }

    #[inline(always)]
    fn weights_of(&self, output: usize) -> &[f32] {
        &self.weight[output * self.inputs..][..self.inputs]
    }
}

struct Forward<'a, 'b, 'c> {
    linear: &'a Linear<'a>,
    value: Value<'a>,
    out: ViewMut<'b>,
    scratch: &'c mut [f32],
}

impl Kernel for Forward<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { linear, value, mut out, scratch } = self;
        let Linear { inputs, outputs, .. } = *linear;
        let positions = value.stored.shape.positions();
        let rows = &mut scratch[..ROWS * inputs];
        for first in (0..positions).step_by(ROWS) {
            let count = ROWS.min(positions - first);
            value.load(simd, first, count, rows, inputs);
            rows[count * inputs..].fill(0.0);
            for output in 0..outputs {
                let mut sums = [simd.splat(0.0); ROWS];
                for_each_part(
                    simd,
                    inputs,
                    #[inline(always)]
                    |part| {
                        let weights = part.read(simd, linear.weights_of(output));
                        for row in 0..ROWS {
                            let x = part.read(simd, &rows[row * inputs..][..inputs]);
                            sums[row] = simd.mul_add(weights, x, sums[row]);
                        }
                    },
                );
                let bias = linear.bias.map_or(0.0, |bias| bias[output]);
                for row in 0..count {
                    out.row(first + row)[output] = simd.reduce_add(sums[row]) + bias;
                }
            }
        }
    }
}

struct Vjp<'a, 'b, 'c> {
    linear: &'a Linear<'a>,
    gradient: Gradient<'a>,
    sink: Sink<'b>,
    scratch: &'c mut [f32],
}

impl Kernel for Vjp<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { linear, gradient, mut sink, scratch } = self;
        let Linear { inputs, outputs, .. } = *linear;
        let positions = sink.stored.shape.positions();
        let (gradients, scratch) = scratch.split_at_mut(ROWS * outputs);
        let rows = &mut scratch[..ROWS * inputs];
        for first in (0..positions).step_by(ROWS) {
            let count = ROWS.min(positions - first);
            gradient.load(simd, first, count, gradients, outputs);
            gradients[count * outputs..].fill(0.0);
            for_each_part(
                simd,
                inputs,
                #[inline(always)]
                |part| {
                    let mut sums = [simd.splat(0.0); ROWS];
                    for output in 0..outputs {
                        let weights = part.read(simd, linear.weights_of(output));
                        for row in 0..ROWS {
                            let given = simd.splat(gradients[row * outputs + output]);
                            sums[row] = simd.mul_add(weights, given, sums[row]);
                        }
                    }
                    for row in 0..ROWS {
                        part.write(simd, sums[row], &mut rows[row * inputs..][..inputs]);
                    }
                },
            );
            sink.store(simd, first, count, rows, inputs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers};
    use std::vec::Vec;
    use std::{format, vec};

    /// Positions, inputs, outputs.
    const SIZES: [(usize, usize, usize); 8] =
        [(1, 1, 1), (3, 5, 2), (4, 8, 3), (5, 16, 10), (9, 17, 7), (2, 64, 10), (0, 3, 2), (7, 15, 33)];

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
                for rectified in [false, true] {
                    let mut out = Tensor::filled(result, 1, f32::NAN);
                    let value = Value { stored: x.view(), affine: None, rectified };
                    linear.forward(backend, value, out.view_mut(), &mut scratch);
                    let floor = if rectified { 0.0 } else { f64::NEG_INFINITY };
                    let loaded: Vec<_> = x.dense().iter().map(|x| x.max(floor)).collect();
                    let expected = reference(&weight, bias, inputs, outputs, &loaded);
                    // 64 products below 4, at random signs.
                    assert_close(&out.dense(), &expected, 1e-5, &case);
                }
                let mut out = Tensor::filled(shape, 1, 1.0);
                let sink = Sink { stored: out.view_mut(), accumulate: true, gate: None };
                linear.vjp(backend, Gradient { stored: g.view(), normalised: None }, sink, &mut scratch);
                let zero = vec![0.0; shape.len()];
                let expected = differences(&zero, &g.dense(), |x| reference(&weight, bias, inputs, outputs, x));
                let expected: Vec<_> = expected.iter().map(|x| x + 1.0).collect();
                assert_close(&out.dense(), &expected, 1e-5, &case);
            }
        }
    }
}
