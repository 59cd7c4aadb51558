//! Zero padding, of each side by its own amount.
//!
//! Convolutions pad evenly by themselves, and pools leave out what lies beyond the map. This is for all else: convolutions
//! whose sides differ, such as the "same" padding of TensorFlow with a stride, and average pools that count zeros.

use super::combine;
#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use crate::Error;
use crate::simd::Backend;
use crate::tensor::{Gradient, Shape, Sink, Value, View, ViewMut};

/// Zeros around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// Rows above and columns to the left.
    pub before: [usize; 2],
    /// Rows below and columns to the right.
    pub behind: [usize; 2],
}

impl Operation for Pad {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let x = only(inputs)?;
        let along = |size: usize, axis: usize| {
            let padded = size.checked_add(self.before[axis]).and_then(|size| size.checked_add(self.behind[axis]));
            padded.ok_or(Error::Overflow { quantity: "a padded map" })
        };
        Shape::new(x.batch, along(x.height, 0)?, along(x.width, 1)?, x.channels)
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
        forward(call.backend, self, call.inputs[0], call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, self, call.gradient, call.sink);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

/// Writes `value` with zeros around it to `out`, which has the padded shape.
pub fn forward(backend: Backend, pad: &Pad, value: Value<'_>, out: ViewMut<'_>) {
    let (input, output) = (value.stored.shape, out.shape);
    let [left, right] = [pad.before[1], output.width - pad.behind[1]];
    for (line, source) in
        (0..output.batch).flat_map(|image| (0..output.height).map(move |row| (image, row))).enumerate()
    {
        let (image, row) = source;
        let mut write = |columns: core::ops::Range<usize>, terms: &[Value<'_>]| {
            let shape = row_of(output, columns.len());
            let data = out.data.get_mut((line * output.width + columns.start) * out.pitch..).unwrap_or_default();
            combine::forward(backend, terms, false, false, ViewMut { data, shape, pitch: out.pitch });
        };
        match row.checked_sub(pad.before[0]).filter(|&row| row < input.height) {
            None => write(0..output.width, &[]),
            Some(row) => {
                write(0..left, &[]);
                write(left..right, &[row_of_value(&value, image * input.height + row)]);
                write(right..output.width, &[]);
            }
        }
    }
}

/// Passes the gradient with respect to the padded map back to the map: that of the zeros is dropped.
pub fn vjp(backend: Backend, pad: &Pad, gradient: View<'_>, sink: Sink<'_>) {
    let Sink { stored, accumulate, gate, .. } = sink;
    let (input, output) = (stored.shape, gradient.shape);
    let shape = row_of(input, input.width);
    for row in 0..input.batch * input.height {
        let (image, line) = (row / input.height, row % input.height);
        let first = (image * output.height + pad.before[0] + line) * output.width + pad.before[1];
        let gradient = View { data: &gradient.data[first * gradient.pitch..], shape, pitch: gradient.pitch };
        let data = &mut stored.data[row * input.width * stored.pitch..];
        let gate = gate.as_ref().map(|gate| row_of_value(gate, row));
        let sink = Sink { stored: ViewMut { data, shape, pitch: stored.pitch }, accumulate, gate, sums: None };
        combine::vjp(backend, Gradient { stored: gradient, normalised: None }, sink);
    }
}

/// The shape of so many columns of a row.
fn row_of(shape: Shape, columns: usize) -> Shape {
    Shape { batch: 1, height: 1, width: columns, ..shape }
}

/// A row of all images, counted together.
fn row_of_value<'a>(value: &Value<'a>, row: usize) -> Value<'a> {
    let View { data, shape, pitch } = value.stored;
    let data = &data[row * shape.width * pitch..];
    Value { stored: View { data, shape: row_of(shape, shape.width), pitch }, ..*value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences};
    use crate::tensor::Affine;
    use std::format;
    use std::vec::Vec;

    fn cases() -> Vec<(Shape, Pad)> {
        let mut cases = Vec::new();
        for channels in [1, 3, 8, 17] {
            for (height, width) in [(3, 4), (1, 1), (2, 5)] {
                for (before, behind) in [([0, 0], [0, 0]), ([0, 0], [1, 1]), ([1, 2], [0, 3]), ([2, 0], [0, 0])] {
                    cases.push((Shape::new(2, height, width, channels).unwrap(), Pad { before, behind }));
                }
            }
        }
        cases
    }

    /// The padded map by its definition.
    fn reference(pad: &Pad, input: Shape, x: &[f64]) -> Vec<f64> {
        let output = pad.output(&[input]).unwrap();
        let mut out = std::vec![0.0; output.len()];
        for (place, &x) in x.iter().enumerate() {
            let (position, channel) = (place / input.channels, place % input.channels);
            let (row, column) = (position / input.width, position % input.width);
            let (image, row) = (row / input.height, row % input.height);
            let row = image * output.height + pad.before[0] + row;
            out[(row * output.width + pad.before[1] + column) * output.channels + channel] = x;
        }
        out
    }

    #[test]
    fn shapes_are_checked() {
        let shape = Shape::new(2, 4, 5, 6).unwrap();
        let pad = Pad { before: [1, 2], behind: [3, 0] };
        assert_eq!(pad.output(&[shape]), Shape::new(2, 8, 7, 6));
        assert!(pad.output(&[shape, shape]).is_err());
        for bad in [Pad { before: [usize::MAX, 0], ..pad }, Pad { behind: [0, usize::MAX / 2], ..pad }] {
            assert!(matches!(bad.output(&[shape]), Err(Error::Overflow { .. })), "{bad:?}");
        }
    }

    /// Through a normalisation and a rectifier, against the definition; what is copied is exact.
    #[test]
    fn zeros_surround_the_map() {
        for (backend, (input, pad)) in Backend::available().flat_map(|b| cases().into_iter().map(move |c| (b, c))) {
            let case = format!("{backend:?}, {input:?}, {pad:?}");
            let x = Tensor::random(input, 3, 1);
            let mut out = Tensor::filled(pad.output(&[input]).unwrap(), 1, f32::NAN);
            forward(backend, &pad, Value { stored: x.view(), affine: None, rectified: false }, out.view_mut());
            assert_close(&out.dense(), &reference(&pad, input, &x.dense()), 0.0, &case);

            let scale: Vec<f32> = (0..input.channels).map(|c| 0.5 + (c % 4) as f32 / 8.0).collect();
            let shift: Vec<f32> = (0..input.channels).map(|c| 0.25 - (c % 5) as f32 / 8.0).collect();
            let affine = Some(Affine { scale: &scale, shift: &shift });
            forward(backend, &pad, Value { stored: x.view(), affine, rectified: true }, out.view_mut());
            let prologue = |(i, x): (usize, f64)| {
                let c = i % input.channels;
                (x * f64::from(scale[c]) + f64::from(shift[c])).max(0.0)
            };
            let value: Vec<f64> = x.dense().into_iter().enumerate().map(prologue).collect();
            assert_close(&out.dense(), &reference(&pad, input, &value), 1e-6, &case);
        }
    }

    #[test]
    fn the_vjp_is_the_gradient() {
        for (backend, (input, pad)) in Backend::available().flat_map(|b| cases().into_iter().map(move |c| (b, c))) {
            let case = format!("{backend:?}, {input:?}, {pad:?}");
            let x = Tensor::random(input, 3, 1);
            let g = Tensor::random(pad.output(&[input]).unwrap(), 1, 2);
            let expected = differences(&x.dense(), &g.dense(), |x| reference(&pad, input, x));
            for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                let mut taken = Tensor::filled(input, 2, before);
                vjp(backend, &pad, g.view(), Sink { stored: taken.view_mut(), accumulate, gate: None, sums: None });
                let base = if accumulate { 1.0 } else { 0.0 };
                let got: Vec<f64> = taken.dense().into_iter().map(|x| x - base).collect();
                assert_close(&got, &expected, 1e-6, &case);
            }
            // Behind a rectifier, where its input is positive only.
            let gate = Some(Value { stored: x.view(), affine: None, rectified: true });
            let mut taken = Tensor::filled(input, 0, f32::NAN);
            vjp(backend, &pad, g.view(), Sink { stored: taken.view_mut(), accumulate: false, gate, sums: None });
            let gated: Vec<f64> = expected.iter().zip(x.dense()).map(|(g, x)| if x > 0.0 { *g } else { 0.0 }).collect();
            assert_close(&taken.dense(), &gated, 1e-6, &case);
        }
    }
}
