//! Channel shuffles (Zhang et al., *ShuffleNet*, 2018): the channels of a map, taken from its groups in turn.

#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::{Shape, View, ViewMut};

/// The first channel of every group, then the second of every group, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shuffle {
    /// Groups of as many channels each.
    pub groups: usize,
}

impl Operation for Shuffle {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Stored, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let x = only(inputs)?;
        if self.groups == 0 || !x.channels.is_multiple_of(self.groups) {
            return Err(Error::Invalid { field: "groups", expected: "a divisor of the channels" });
        }
        Ok(x)
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
        forward(call.backend, self, call.inputs[0].stored, false, call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let back = self.back(call.gradient.shape.channels);
        forward(call.backend, &back, call.gradient, call.sink.accumulate, call.sink.stored);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

impl Shuffle {
    /// The shuffle that puts so many channels back in order, which is also what its gradient passes through.
    pub const fn back(&self, channels: usize) -> Self {
        Self { groups: channels / self.groups }
    }
}

/// Writes the shuffled channels of `map` to `out`, or with `accumulate` adds them to what is there.
pub fn forward(backend: Backend, shuffle: &Shuffle, map: View<'_>, accumulate: bool, out: ViewMut<'_>) {
    backend.run(Move { groups: shuffle.groups, map, accumulate, out });
}

struct Move<'a, 'b> {
    groups: usize,
    map: View<'a>,
    accumulate: bool,
    out: ViewMut<'b>,
}

impl Kernel for Move<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        // One number goes at a time: which lie together before do not behind.
        let (groups, channels) = (self.groups, self.map.shape.channels);
        let size = channels / groups;
        for position in 0..self.map.shape.positions() {
            let (from, to) = (self.map.row(position), self.out.row(position));
            for group in 0..groups {
                let from = &from[group * size..][..size];
                for (place, &x) in to[group..].iter_mut().step_by(groups).zip(from) {
                    *place = if self.accumulate { *place + x } else { x };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences};
    use std::format;
    use std::vec::Vec;

    fn cases() -> impl Iterator<Item = (Backend, Shape, Shuffle)> {
        let sizes = [(1, 1), (1, 5), (5, 1), (2, 2), (2, 58), (3, 7), (8, 3), (16, 4)];
        Backend::available().flat_map(move |backend| {
            sizes.map(|(groups, size)| (backend, Shape::new(2, 3, 1, groups * size).unwrap(), Shuffle { groups }))
        })
    }

    /// The shuffle by its definition: channels as a matrix of groups, transposed.
    fn reference(shuffle: Shuffle, channels: usize, x: &[f64]) -> Vec<f64> {
        let size = channels / shuffle.groups;
        let of = |place: usize| {
            let (first, channel) = (place / channels * channels, place % channels);
            first + channel % shuffle.groups * size + channel / shuffle.groups
        };
        (0..x.len()).map(|place| x[of(place)]).collect()
    }

    #[test]
    fn shapes_are_checked() {
        let shape = Shape::new(2, 3, 4, 6).unwrap();
        for groups in [1, 2, 3, 6] {
            assert_eq!(Shuffle { groups }.output(&[shape]), Ok(shape));
        }
        for groups in [0, 4, 7, 12, usize::MAX] {
            let error = Shuffle { groups }.output(&[shape]).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: "groups", .. }), "{groups}: {error}");
        }
        assert!(Shuffle { groups: 2 }.output(&[shape, shape]).is_err());
    }

    #[test]
    fn channels_are_taken_from_groups_in_turn() {
        for (backend, shape, shuffle) in cases() {
            let case = format!("{backend:?}, {shape:?}, {shuffle:?}");
            let x = Tensor::random(shape, 3, 1);
            let mut out = Tensor::filled(shape, 1, f32::NAN);
            forward(backend, &shuffle, x.view(), false, out.view_mut());
            let expected = reference(shuffle, shape.channels, &x.dense());
            assert_close(&out.dense(), &expected, 0.0, &case);
            let mut again = Tensor::filled(shape, 0, f32::NAN);
            forward(backend, &shuffle.back(shape.channels), out.view(), false, again.view_mut());
            assert_close(&again.dense(), &x.dense(), 0.0, &case);
        }
    }

    #[test]
    fn gradients_go_back_in_order() {
        for (backend, shape, shuffle) in cases() {
            let case = format!("{backend:?}, {shape:?}, {shuffle:?}");
            let (x, g) = (Tensor::random(shape, 0, 1), Tensor::random(shape, 2, 2));
            let expected = differences(&x.dense(), &g.dense(), |x| reference(shuffle, shape.channels, x));
            for (accumulate, before) in [(false, f32::NAN), (true, 1.0)] {
                let mut out = Tensor::filled(shape, 3, before);
                forward(backend, &shuffle.back(shape.channels), g.view(), accumulate, out.view_mut());
                let base = if accumulate { 1.0 } else { 0.0 };
                let got: Vec<f64> = out.dense().into_iter().map(|x| x - base).collect();
                assert_close(&got, &expected, 1e-6, &case);
            }
        }
    }
}
