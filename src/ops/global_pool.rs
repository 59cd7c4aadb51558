//! Global average pooling: the mean over the positions of each sample, of tokens without the class token.

#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use super::strip::{Prologue, read};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Shape, Sink, Value, View, ViewMut};

/// Sums that grow side by side: hides the latency of an addition, and keeps rounding errors small.
const SUMS: usize = 4;

/// Positions of the vjp that are stored at once.
const ROWS: usize = 8;

/// The mean over all positions of an image but the first few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalPool {
    /// Positions that are left out: none, or the class token.
    pub skip: usize,
}

impl Operation for GlobalPool {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Nothing, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let input = only(inputs)?;
        if input.positions_per_image() <= self.skip {
            let expected =
                if self.skip == 0 { "a map of at least one position" } else { "tokens behind a class token" };
            return Err(Error::Invalid { field: "inputs", expected });
        }
        Shape::new(input.batch, 1, 1, input.channels)
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, input: Shape, _: Shape) -> Scratch {
        Scratch { forward: 0, vjp: scratch_len(input) }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, call.inputs[0], self.skip, call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, call.gradient, self.skip, call.sink, call.scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

/// Numbers of scratch that [`vjp`] needs.
pub const fn scratch_len(input: Shape) -> usize {
    ROWS.saturating_mul(input.channels)
}

/// Writes the means of `value` to `out`, which has one position an image; the first `skip` positions of each do not count.
pub fn forward(backend: Backend, value: Value<'_>, skip: usize, out: ViewMut<'_>) {
    backend.run(Forward { value, skip, out });
}

/// Passes the gradient with respect to the means back to `sink`: to every position that counts an equal share.
pub fn vjp(backend: Backend, gradient: View<'_>, skip: usize, sink: Sink<'_>, scratch: &mut [f32]) {
    backend.run(Vjp { gradient, skip, sink, scratch });
}

struct Forward<'a, 'b> {
    value: Value<'a>,
    skip: usize,
    out: ViewMut<'b>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { value, skip, mut out } = self;
        let positions = value.stored.shape.positions_per_image();
        let share = simd.splat(1.0 / (positions - skip) as f32);
        for image in 0..value.stored.shape.batch {
            for_each_part(
                simd,
                value.stored.shape.channels,
                #[inline(always)]
                |part| {
                    let prologue = Prologue::new(simd, &value, part);
                    let mut sums = [simd.splat(0.0); SUMS];
                    let mut first = image * positions + skip;
                    let end = (image + 1) * positions;
                    while first + SUMS <= end {
                        let strip = read::<S, SUMS>(simd, part, &value.stored, first);
                        for chain in 0..SUMS {
                            sums[chain] = simd.add(sums[chain], prologue.apply(simd, strip[chain]));
                        }
                        first += SUMS;
                    }
                    for position in first..end {
                        let x = prologue.apply(simd, part.read(simd, value.stored.row(position)));
                        sums[0] = simd.add(sums[0], x);
                    }
                    let sum = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
                    part.write(simd, simd.mul(share, sum), out.row(image));
                },
            );
        }
    }
}

struct Vjp<'a, 'b, 'c> {
    gradient: View<'a>,
    skip: usize,
    sink: Sink<'b>,
    scratch: &'c mut [f32],
}

impl Kernel for Vjp<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { gradient, skip, mut sink, scratch } = self;
        let Shape { batch, channels, .. } = sink.stored.shape;
        let positions = sink.stored.shape.positions_per_image();
        let share = simd.splat(1.0 / (positions - skip) as f32);
        let rows = &mut scratch[..ROWS * channels];
        for image in 0..batch {
            rows.fill(0.0);
            for first in (0..skip).step_by(ROWS) {
                sink.store(simd, image * positions + first, ROWS.min(skip - first), rows, channels);
            }
            for_each_part(
                simd,
                channels,
                #[inline(always)]
                |part| {
                    let shared = simd.mul(share, part.read(simd, gradient.row(image)));
                    for row in 0..ROWS {
                        part.write(simd, shared, &mut rows[row * channels..][..channels]);
                    }
                },
            );
            for first in (skip..positions).step_by(ROWS) {
                sink.store(simd, image * positions + first, ROWS.min(positions - first), rows, channels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers};
    use crate::tensor::Affine;
    use std::vec::Vec;
    use std::{format, vec};

    const MAPS: [(usize, usize); 5] = [(1, 1), (2, 3), (3, 3), (8, 8), (1, 7)];
    const CHANNELS: [usize; 6] = [1, 5, 8, 16, 17, 40];

    fn reference(input: Shape, skip: usize, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; input.batch * input.channels];
        let positions = input.positions_per_image();
        for (place, x) in x.iter().enumerate() {
            let (position, channel) = (place / input.channels, place % input.channels);
            if position % positions >= skip {
                out[position / positions * input.channels + channel] += x / (positions - skip) as f64;
            }
        }
        out
    }

    #[test]
    fn a_map_without_positions_has_no_mean() {
        for (shape, skip) in [([2, 0, 3, 4], 0), ([2, 1, 1, 4], 1), ([2, 0, 1, 4], 1)] {
            let [batch, height, width, channels] = shape;
            assert_eq!(
                GlobalPool { skip }.output(&[Shape::new(batch, height, width, channels).unwrap()]).unwrap_err().code(),
                -2
            );
        }
        assert_eq!(GlobalPool { skip: 0 }.output(&[Shape::new(2, 5, 3, 4).unwrap()]), Shape::new(2, 1, 1, 4));
        assert_eq!(GlobalPool { skip: 1 }.output(&[Shape::new(2, 5, 1, 4).unwrap()]), Shape::new(2, 1, 1, 4));
    }

    #[test]
    fn means_and_their_gradients() {
        for backend in Backend::available() {
            let maps = MAPS.into_iter().flat_map(|map| CHANNELS.map(|channels| (map, channels)));
            for (((height, width), channels), skip) in maps.flat_map(|map| [0, 1, 9].map(|skip| (map, skip))) {
                let input = Shape::new(2, height, width, channels).unwrap();
                let Ok(means) = GlobalPool { skip }.output(&[input]) else { continue };
                let case = format!("{backend:?}, {input:?} but {skip}");
                let x = Tensor::random(input, 3, 1);
                let (scale, shift) = (numbers(channels, 2), numbers(channels, 3));
                let loaded: Vec<_> = (x.dense().iter().enumerate())
                    .map(|(place, x)| {
                        let channel = place % channels;
                        (f64::from(scale[channel]) * x + f64::from(shift[channel])).max(0.0)
                    })
                    .collect();
                let affine = Some(Affine { scale: &scale, shift: &shift });
                let mut out = Tensor::filled(means, 1, f32::NAN);
                forward(backend, Value { stored: x.view(), affine, rectified: true }, skip, out.view_mut());
                // Chains of up to 16 numbers below 6.
                assert_close(&out.dense(), &reference(input, skip, &loaded), 3e-6, &case);

                let g = Tensor::random(means, 1, 2);
                let mut scratch = vec![f32::NAN; scratch_len(input)];
                let slopes = differences(&vec![0.0; input.len()], &g.dense(), |x| reference(input, skip, x));
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(input, 1, before);
                    let sink = Sink { stored: out.view_mut(), accumulate, gate: None, sums: None };
                    vjp(backend, g.view(), skip, sink, &mut scratch);
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 1e-6, &case);
                }
            }
        }
    }
}
