//! Concatenation along the channels: each part is a range of channels of the whole, written and read in place.

use super::combine;
#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall};
use crate::Error;
use crate::simd::Backend;
use crate::tensor::{Gradient, Shape, Sink, Value, View, ViewMut};

/// Its inputs side by side along the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat;

impl Operation for Concat {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, parts: &[Shape]) -> Result<Shape, Error> {
        let [first, rest @ ..] = parts else {
            return Err(Error::Invalid { field: "inputs", expected: "at least one" });
        };
        rest.iter().try_fold(*first, |whole, part| {
            if (part.batch, part.height, part.width) != (whole.batch, whole.height, whole.width) {
                return Err(Error::Invalid { field: "inputs", expected: "of one batch, height and width" });
            }
            let channels = whole.channels.checked_add(part.channels);
            whole.with_channels(channels.ok_or(Error::Overflow { quantity: "the channels of a concatenation" })?)
        })
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
        forward(call.backend, call.inputs, call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let first = call.inputs[..call.position].iter().map(|part| part.channels).sum();
        vjp(call.backend, call.gradient, first, call.sink);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

/// Writes `values` side by side to `out`, whose channels are all of theirs.
pub fn forward(backend: Backend, values: &[Value<'_>], mut out: ViewMut<'_>) {
    let mut first = 0;
    for value in values {
        let channels = value.stored.shape.channels;
        combine::forward(backend, &[*value], false, false, out.channels(first..first + channels));
        first += channels;
    }
}

/// Passes the gradient of the whole to the part whose channels start at `first`; `sink` has the part's shape.
pub fn vjp(backend: Backend, gradient: View<'_>, first: usize, sink: Sink<'_>) {
    let stored = gradient.channels(first..first + sink.stored.shape.channels);
    combine::vjp(backend, Gradient { stored, normalised: None }, sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences};
    use std::format;
    use std::vec::Vec;

    const PARTS: [&[usize]; 4] = [&[5], &[1, 16, 3], &[8, 8], &[17, 7, 9, 2]];

    #[test]
    fn shapes_are_checked() {
        let shape = Shape::new(2, 3, 4, 5).unwrap();
        assert_eq!(Concat.output(&[shape, shape.with_channels(2).unwrap()]), shape.with_channels(7));
        assert_eq!(Concat.output(&[]).unwrap_err().code(), -2);
        assert_eq!(Concat.output(&[shape, Shape { width: 3, ..shape }]).unwrap_err().code(), -2);
        let wide = Shape { channels: usize::MAX, ..shape };
        assert_eq!(Concat.output(&[shape, wide]).unwrap_err().code(), -5);
    }

    #[test]
    fn parts_lie_side_by_side_and_take_their_gradients() {
        for (backend, channels) in Backend::available().flat_map(|b| PARTS.map(|c| (b, c))) {
            let case = format!("{backend:?}, {channels:?}");
            let parts: Vec<_> = (channels.iter().enumerate())
                .map(|(place, &channels)| Tensor::random(Shape::new(2, 3, 1, channels).unwrap(), place, place))
                .collect();
            let shapes: Vec<_> = parts.iter().map(|part| part.shape).collect();
            let whole = Concat.output(&shapes).unwrap();
            let reference = |x: &[f64]| {
                let mut rest = x;
                let mut rows = std::vec![Vec::new(); whole.positions()];
                for &channels in channels {
                    let (part, others) = rest.split_at(whole.positions() * channels);
                    rows.iter_mut().zip(part.chunks(channels)).for_each(|(row, part)| row.extend(part));
                    rest = others;
                }
                rows.concat()
            };
            let values: Vec<_> =
                (parts.iter()).map(|part| Value { stored: part.view(), affine: None, rectified: false }).collect();
            let x: Vec<_> = parts.iter().flat_map(Tensor::dense).collect();
            let mut out = Tensor::filled(whole, 2, f32::NAN);
            forward(backend, &values, out.view_mut());
            assert_close(&out.dense(), &reference(&x), 0.0, &case);

            let g = Tensor::random(whole, 1, 9);
            let expected = differences(&x, &g.dense(), reference);
            let (mut first, mut taken) = (0, Vec::new());
            for &shape in &shapes {
                let mut part = Tensor::filled(shape, 1, 1.0);
                vjp(
                    backend,
                    g.view(),
                    first,
                    Sink { stored: part.view_mut(), accumulate: true, gate: None, sums: None },
                );
                taken.extend(part.dense().into_iter().map(|x| x - 1.0));
                first += shape.channels;
            }
            assert_close(&taken, &expected, 1e-6, &case);
        }
    }
}
