//! Global average pooling: the mean over the positions of each sample.

use super::strip::{Prologue, read};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Shape, Sink, Value, View, ViewMut};

/// Sums that grow side by side: hides the latency of an addition, and keeps rounding errors small.
const SUMS: usize = 4;

/// Positions of the vjp that are stored at once.
const ROWS: usize = 8;

/// The shape of the means of a map: one position a sample.
///
/// # Errors
/// [`Error::Invalid`] if the map has no position.
pub fn output(input: Shape) -> Result<Shape, Error> {
    if input.positions_per_image() == 0 {
        return Err(Error::Invalid { field: "input", expected: "a map of at least one position" });
    }
    Shape::new(input.batch, 1, 1, input.channels)
}

/// Numbers of scratch that [`vjp`] needs.
pub const fn scratch_len(input: Shape) -> usize {
    ROWS.saturating_mul(input.channels)
}

/// Writes the means of `value` to `out`, whose shape is [`output`] of the value's.
pub fn forward(backend: Backend, value: Value<'_>, out: ViewMut<'_>) {
    backend.run(Forward { value, out });
}

/// Passes the gradient with respect to the means back to `sink`: to every position an equal share.
pub fn vjp(backend: Backend, gradient: View<'_>, sink: Sink<'_>, scratch: &mut [f32]) {
    backend.run(Vjp { gradient, sink, scratch });
}

struct Forward<'a, 'b> {
    value: Value<'a>,
    out: ViewMut<'b>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { value, mut out } = self;
        let positions = value.stored.shape.positions_per_image();
        let share = simd.splat(1.0 / positions as f32);
        for image in 0..value.stored.shape.batch {
            for_each_part(
                simd,
                value.stored.shape.channels,
                #[inline(always)]
                |part| {
                    let prologue = Prologue::new(simd, &value, part);
                    let mut sums = [simd.splat(0.0); SUMS];
                    let mut first = image * positions;
                    let end = first + positions;
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
    sink: Sink<'b>,
    scratch: &'c mut [f32],
}

impl Kernel for Vjp<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { gradient, mut sink, scratch } = self;
        let Shape { batch, channels, .. } = sink.stored.shape;
        let positions = sink.stored.shape.positions_per_image();
        let share = simd.splat(1.0 / positions as f32);
        let rows = &mut scratch[..ROWS * channels];
        for image in 0..batch {
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
            for first in (0..positions).step_by(ROWS) {
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

    fn reference(input: Shape, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; input.batch * input.channels];
        for (place, x) in x.iter().enumerate() {
            let image = place / (input.positions_per_image() * input.channels);
            out[image * input.channels + place % input.channels] += x / input.positions_per_image() as f64;
        }
        out
    }

    #[test]
    fn a_map_without_positions_has_no_mean() {
        assert_eq!(output(Shape::new(2, 0, 3, 4).unwrap()).unwrap_err().code(), -2);
        assert_eq!(output(Shape::new(2, 5, 3, 4).unwrap()), Shape::new(2, 1, 1, 4));
    }

    #[test]
    fn means_and_their_gradients() {
        for backend in Backend::available() {
            for ((height, width), channels) in MAPS.into_iter().flat_map(|m| CHANNELS.map(|c| (m, c))) {
                let input = Shape::new(2, height, width, channels).unwrap();
                let means = output(input).unwrap();
                let case = format!("{backend:?}, {input:?}");
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
                forward(backend, Value { stored: x.view(), affine, rectified: true }, out.view_mut());
                // Chains of up to 16 numbers below 6.
                assert_close(&out.dense(), &reference(input, &loaded), 3e-6, &case);

                let g = Tensor::random(means, 1, 2);
                let mut out = Tensor::filled(input, 1, f32::NAN);
                let mut scratch = vec![f32::NAN; scratch_len(input)];
                let sink = Sink { stored: out.view_mut(), accumulate: false, gate: None, sums: None };
                vjp(backend, g.view(), sink, &mut scratch);
                let expected = differences(&vec![0.0; input.len()], &g.dense(), |x| reference(input, x));
                assert_close(&out.dense(), &expected, 1e-6, &case);
            }
        }
    }
}
