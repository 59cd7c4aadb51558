//! Slices: some of the channels of every so many rows and columns, copied together.
//!
//! With stride 2, the slices that start at 0 and at 1 are the two halves that a factorised reduction reads (`x[::2, ::2]` and
//! `x[1::2, 1::2]`).

use super::combine;
#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use crate::Error;
use crate::simd::Backend;
use crate::tensor::{Gradient, Shape, Sink, Value, View, ViewMut};

/// Some of the channels of every so many rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The first channel.
    pub first: usize,
    /// Channels, from the first on.
    pub channels: usize,
    /// The first row and the first column.
    pub offset: [usize; 2],
    /// From a row to the next, and from a column to the next; at least 1.
    pub stride: [usize; 2],
}

impl Slice {
    /// Some of the channels of every position.
    pub const fn of_channels(first: usize, channels: usize) -> Self {
        Self { first, channels, offset: [0; 2], stride: [1; 2] }
    }

    /// The same channels of every other row and column, from the `offset`-th on.
    pub const fn of_positions(channels: usize, offset: usize) -> Self {
        Self { first: 0, channels, offset: [offset; 2], stride: [2; 2] }
    }

    /// Whether all positions are taken.
    fn is_of_channels(&self) -> bool {
        self.offset == [0; 2] && self.stride == [1; 2]
    }

    /// The first position of each row of the slice, in the order of the slice's rows.
    fn rows(&self, input: Shape, output: Shape) -> impl Iterator<Item = usize> {
        let ([row, column], stride, height) = (self.offset, self.stride[0], input.height);
        (0..output.batch).flat_map(move |image| {
            (0..output.height).map(move |r| (image * height + row + r * stride) * input.width + column)
        })
    }

    /// As many positions of a row of the input as the slice has columns, and their channels of the slice.
    fn row<'a>(&self, input: View<'a>, position: usize, columns: usize) -> View<'a> {
        let shape = Shape { batch: 1, height: 1, width: columns, channels: self.channels };
        View { data: &input.data[position * input.pitch + self.first..], shape, pitch: input.pitch * self.stride[1] }
    }

    fn row_of_value<'a>(&self, value: &Value<'a>, position: usize, columns: usize) -> Value<'a> {
        let affine = value.affine.map(|affine| affine.channels(self.first..self.first + self.channels));
        Value { stored: self.row(value.stored, position, columns), affine, ..*value }
    }
}

impl Operation for Slice {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let x = only(inputs)?;
        if self.stride.contains(&0) {
            return Err(Error::Invalid { field: "stride", expected: "at least 1" });
        }
        let end = self.first.checked_add(self.channels);
        if self.channels == 0 || end.is_none_or(|end| end > x.channels) {
            return Err(Error::Invalid { field: "channels", expected: "some of the input's" });
        }
        if self.offset[0] >= x.height || self.offset[1] >= x.width {
            return Err(Error::Invalid { field: "offset", expected: "a row and a column of the input" });
        }
        let [height, width] =
            [(x.height, 0), (x.width, 1)].map(|(side, axis)| (side - self.offset[axis]).div_ceil(self.stride[axis]));
        Ok(Shape { height, width, channels: self.channels, ..x })
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

/// Writes the slice of `value` to `out`, which has the slice's shape.
pub fn forward(backend: Backend, slice: &Slice, value: Value<'_>, out: ViewMut<'_>) {
    if slice.is_of_channels() {
        let value = slice.row_of_value(&value, 0, out.shape.positions());
        return combine::forward(backend, &[value], false, false, out);
    }
    let columns = out.shape.width;
    for (row, position) in slice.rows(value.stored.shape, out.shape).enumerate() {
        let data = &mut out.data[row * columns * out.pitch..];
        let shape = Shape { batch: 1, height: 1, ..out.shape };
        let value = slice.row_of_value(&value, position, columns);
        combine::forward(backend, &[value], false, false, ViewMut { data, shape, pitch: out.pitch });
    }
}

/// Passes the gradient of the slice to the places it was taken from; all others get 0.
pub fn vjp(backend: Backend, slice: &Slice, gradient: View<'_>, sink: Sink<'_>) {
    let Sink { mut stored, accumulate, gate, .. } = sink;
    let input = stored.shape;
    if !accumulate {
        combine::forward(backend, &[], false, false, stored.reborrow());
    }
    let mut pass = |gradient: View<'_>, position: usize| {
        let columns = gradient.shape.positions();
        let (shape, pitch) = (gradient.shape, stored.pitch * slice.stride[1]);
        let data = &mut stored.data[position * stored.pitch + slice.first..];
        let gate = gate.as_ref().map(|gate| slice.row_of_value(gate, position, columns));
        let sink = Sink { stored: ViewMut { data, shape, pitch }, accumulate: true, gate, sums: None };
        combine::vjp(backend, Gradient { stored: gradient, normalised: None }, sink);
    };
    if slice.is_of_channels() {
        return pass(gradient, 0);
    }
    let columns = gradient.shape.width;
    for (row, position) in slice.rows(input, gradient.shape).enumerate() {
        let shape = Shape { batch: 1, height: 1, ..gradient.shape };
        pass(View { data: &gradient.data[row * columns * gradient.pitch..], shape, ..gradient }, position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences};
    use crate::tensor::Affine;
    use std::format;
    use std::vec::Vec;

    fn cases() -> Vec<(Shape, Slice)> {
        let shape = |height, width, channels| Shape::new(2, height, width, channels).unwrap();
        let mut cases = Vec::new();
        for (first, channels, of) in [(0, 5, 5), (0, 3, 8), (1, 16, 17), (7, 1, 8), (3, 17, 40)] {
            cases.push((shape(3, 1, of), Slice::of_channels(first, channels)));
            for (height, width) in [(4, 4), (5, 3), (2, 7)] {
                for offset in [0, 1] {
                    cases.push((shape(height, width, of), Slice { first, ..Slice::of_positions(channels, offset) }));
                }
            }
            let slice = Slice { first, channels, offset: [2, 0], stride: [1, 3] };
            cases.push((shape(4, 8, of), slice));
        }
        cases
    }

    /// The slice by its definition.
    fn reference(slice: &Slice, input: Shape, x: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        for image in 0..input.batch {
            for row in (slice.offset[0]..input.height).step_by(slice.stride[0]) {
                for column in (slice.offset[1]..input.width).step_by(slice.stride[1]) {
                    let position = (image * input.height + row) * input.width + column;
                    out.extend(&x[position * input.channels..][slice.first..slice.first + slice.channels]);
                }
            }
        }
        out
    }

    #[test]
    fn shapes_are_checked() {
        let shape = Shape::new(2, 4, 5, 6).unwrap();
        let good = Slice { first: 1, channels: 3, offset: [1, 0], stride: [2, 3] };
        assert_eq!(good.output(&[shape]), Shape::new(2, 2, 2, 3));
        for (bad, named) in [
            (Slice { stride: [0, 1], ..good }, "stride"),
            (Slice { channels: 0, ..good }, "channels"),
            (Slice { channels: 6, ..good }, "channels"),
            (Slice { first: usize::MAX, ..good }, "channels"),
            (Slice { offset: [4, 0], ..good }, "offset"),
            (Slice { offset: [0, usize::MAX], ..good }, "offset"),
        ] {
            let error = bad.output(&[shape]).unwrap_err();
            assert!(matches!(error, Error::Invalid { field, .. } if field == named), "{bad:?}: {error}");
        }
        assert!(good.output(&[shape, shape]).is_err());
    }

    /// Through a normalisation and a rectifier, against the definition; what is copied is exact.
    #[test]
    fn slices_are_copies() {
        for (backend, (input, slice)) in Backend::available().flat_map(|b| cases().into_iter().map(move |c| (b, c))) {
            let case = format!("{backend:?}, {input:?}, {slice:?}");
            let x = Tensor::random(input, 3, 1);
            let output = slice.output(&[input]).unwrap();
            let mut out = Tensor::filled(output, 1, f32::NAN);
            let plain = Value { stored: x.view(), affine: None, rectified: false };
            forward(backend, &slice, plain, out.view_mut());
            assert_close(&out.dense(), &reference(&slice, input, &x.dense()), 0.0, &case);

            let scale: Vec<f32> = (0..input.channels).map(|c| 0.5 + (c % 4) as f32 / 8.0).collect();
            let shift: Vec<f32> = (0..input.channels).map(|c| 0.25 - (c % 5) as f32 / 8.0).collect();
            let affine = Some(Affine { scale: &scale, shift: &shift });
            forward(backend, &slice, Value { stored: x.view(), affine, rectified: true }, out.view_mut());
            let prologue = |(i, x): (usize, f64)| {
                let c = i % input.channels;
                (x * f64::from(scale[c]) + f64::from(shift[c])).max(0.0)
            };
            let value: Vec<f64> = x.dense().into_iter().enumerate().map(prologue).collect();
            assert_close(&out.dense(), &reference(&slice, input, &value), 1e-6, &case);
        }
    }

    #[test]
    fn gradients_go_where_the_slice_was_taken() {
        for (backend, (input, slice)) in Backend::available().flat_map(|b| cases().into_iter().map(move |c| (b, c))) {
            let case = format!("{backend:?}, {input:?}, {slice:?}");
            let x = Tensor::random(input, 3, 1);
            let g = Tensor::random(slice.output(&[input]).unwrap(), 1, 2);
            let expected = differences(&x.dense(), &g.dense(), |x| reference(&slice, input, x));
            for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                let mut taken = Tensor::filled(input, 2, before);
                let sink = Sink { stored: taken.view_mut(), accumulate, gate: None, sums: None };
                vjp(backend, &slice, g.view(), sink);
                let base = if accumulate { 1.0 } else { 0.0 };
                let got: Vec<f64> = taken.dense().into_iter().map(|x| x - base).collect();
                assert_close(&got, &expected, 1e-6, &case);
            }
            // Behind a rectifier, where its input is positive only.
            let gate = Some(Value { stored: x.view(), affine: None, rectified: true });
            let mut taken = Tensor::filled(input, 0, f32::NAN);
            vjp(backend, &slice, g.view(), Sink { stored: taken.view_mut(), accumulate: false, gate, sums: None });
            let gated: Vec<f64> = expected.iter().zip(x.dense()).map(|(g, x)| if x > 0.0 { *g } else { 0.0 }).collect();
            assert_close(&taken.dense(), &gated, 1e-6, &case);
        }
    }
}
