//! Reading values and gradients through what stands between them and memory.

use super::map::map;
use super::{Gradient, Normalised, Value, View};
use crate::simd::rows::Rows;
use crate::simd::{Kernel, Simd};
use core::ops::Range;

/// Something that can be read into a buffer, position by position.
pub trait Load {
    /// Some of the channels.
    fn slice(&self, channels: Range<usize>) -> Self;
    /// Channels of a position.
    fn channels(&self) -> usize;
    /// Writes the channels of positions `first .. first + count` to `out`, `pitch` numbers apart.
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize);
    /// What is read of memory.
    fn tensors(&self) -> [View<'_>; 2];
    /// The numbers in memory, if they are what [`load`](Self::load) gives and without gaps between the positions.
    fn as_stored(&self) -> Option<&[f32]>;
}

impl Load for Value<'_> {
    fn slice(&self, channels: Range<usize>) -> Self {
        let affine = self.affine.map(|affine| affine.channels(channels.clone()));
        Self { stored: self.stored.channels(channels), affine, rectified: self.rectified }
    }

    fn tensors(&self) -> [View<'_>; 2] {
        [self.stored, View::EMPTY]
    }

    #[inline(always)]
    fn as_stored(&self) -> Option<&[f32]> {
        (self.affine.is_none() && !self.rectified && self.stored.is_dense()).then_some(self.stored.data)
    }

    #[inline(always)]
    fn channels(&self) -> usize {
        self.stored.shape.channels
    }

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize) {
        simd.run(LoadRows { source: self, first, count, out, pitch });
    }
}

/// [`Load::load`]
struct LoadRows<'a, L> {
    source: &'a L,
    first: usize,
    count: usize,
    out: &'a mut [f32],
    pitch: usize,
}

impl Kernel for LoadRows<'_, Value<'_>> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { source, first, count, out, pitch } = self;
        let inputs = [from(&source.stored, first)];
        let extents = [count, source.channels()];
        match (source.affine, source.rectified) {
            (None, false) => copy(extents, inputs[0], out, pitch),
            (None, true) => map(
                simd,
                extents,
                inputs,
                [],
                out,
                pitch,
                #[inline(always)]
                |[], [x], _| rectify(simd, x),
            ),
            (Some(affine), rectified) => map(
                simd,
                extents,
                inputs,
                [affine.scale, affine.shift],
                out,
                pitch,
                #[inline(always)]
                |coefficients, [x], _| {
                    let value = apply(simd, coefficients, x);
                    if rectified { rectify(simd, value) } else { value }
                },
            ),
        }
    }
}

impl Load for Gradient<'_> {
    fn slice(&self, channels: Range<usize>) -> Self {
        let normalised = self.normalised.map(|normalised| Normalised {
            input: normalised.input.channels(channels.clone()),
            by_gradient: &normalised.by_gradient[channels.clone()],
            by_input: &normalised.by_input[channels.clone()],
            constant: &normalised.constant[channels.clone()],
        });
        Self { stored: self.stored.channels(channels), normalised }
    }

    fn tensors(&self) -> [View<'_>; 2] {
        [self.stored, self.normalised.map_or(View::EMPTY, |normalised| normalised.input)]
    }

    #[inline(always)]
    fn as_stored(&self) -> Option<&[f32]> {
        (self.normalised.is_none() && self.stored.is_dense()).then_some(self.stored.data)
    }

    #[inline(always)]
    fn channels(&self) -> usize {
        self.stored.shape.channels
    }

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize) {
        simd.run(LoadRows { source: self, first, count, out, pitch });
    }
}

impl Kernel for LoadRows<'_, Gradient<'_>> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { source, first, count, out, pitch } = self;
        let stored = from(&source.stored, first);
        let extents = [count, source.channels()];
        match source.normalised {
            None => copy(extents, stored, out, pitch),
            Some(n) => map(
                simd,
                extents,
                [stored, from(&n.input, first)],
                [n.by_gradient, n.by_input, n.constant],
                out,
                pitch,
                #[inline(always)]
                |[by_gradient, by_input, constant], [g, z], _| {
                    simd.mul_add(by_gradient, g, simd.mul_add(by_input, z, constant))
                },
            ),
        }
    }
}

/// Positions `first ..` of a view.
#[inline(always)]
pub(super) fn from<'a>(view: &View<'a>, first: usize) -> Rows<'a> {
    Rows { data: &view.data[first * view.pitch..], pitch: view.pitch }
}

/// `max(x, 0)`; the operands are in the order that keeps NaN.
#[inline(always)]
fn rectify<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    simd.max(simd.splat(0.0), x)
}

/// `scale · x + shift`
#[inline(always)]
pub(super) fn apply<S: Simd>(simd: S, [scale, shift]: [S::F32; 2], x: S::F32) -> S::F32 {
    simd.mul_add(scale, x, shift)
}

/// Copies rows × channels.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn copy([count, channels]: [usize; 2], input: Rows<'_>, out: &mut [f32], pitch: usize) {
    if input.pitch == channels && pitch == channels {
        out[..count * channels].copy_from_slice(&input.data[..count * channels]);
        return;
    }
    for row in 0..count {
        out[row * pitch..][..channels].copy_from_slice(&input.data[row * input.pitch..][..channels]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Backend;
    use crate::tensor::reference::{COUNT, FIRST, POSITIONS, assert_rows, cases, numbers};
    use crate::tensor::{Affine, Shape};
    use std::vec;

    #[test]
    fn values_are_loaded_through_their_prologue() {
        for (backend, channels, pitch, out_pitch) in cases() {
            let data = numbers(POSITIONS * pitch, 1);
            let (scale, shift) = (numbers(channels, 2), numbers(channels, 3));
            let stored = View { data: &data, shape: Shape::new(1, POSITIONS, 1, channels).unwrap(), pitch };
            for affine in [None, Some(Affine { scale: &scale, shift: &shift })] {
                for rectified in [false, true] {
                    let mut out = vec![f32::NAN; COUNT * out_pitch + 1];
                    let value = Value { stored, affine, rectified };
                    backend.run(LoadRows {
                        source: &value,
                        first: FIRST,
                        count: COUNT,
                        out: &mut out,
                        pitch: out_pitch,
                    });
                    assert_rows(&out, out_pitch, channels, |position, channel| {
                        let x = data[position * pitch + channel];
                        let x = if affine.is_some() { scale[channel] * x + shift[channel] } else { x };
                        if rectified { x.max(0.0) } else { x }
                    });
                }
            }
        }
    }

    #[test]
    fn a_rectifier_keeps_nan() {
        for backend in Backend::available() {
            let data = [f32::NAN; POSITIONS];
            let stored = View::dense(&data, Shape::new(1, POSITIONS, 1, 1).unwrap());
            let mut out = [0.0; COUNT];
            let source = &Value { stored, affine: None, rectified: true };
            backend.run(LoadRows { source, first: FIRST, count: COUNT, out: &mut out, pitch: 1 });
            assert!(out.iter().all(|x| x.is_nan()));
        }
    }

    #[test]
    fn gradients_pass_the_normalisation() {
        for (backend, channels, pitch, out_pitch) in cases() {
            let shape = Shape::new(1, POSITIONS, 1, channels).unwrap();
            let (g, z) = (numbers(POSITIONS * pitch, 1), numbers(POSITIONS * out_pitch, 2));
            let coefficients = [3, 4, 5].map(|seed| numbers(channels, seed));
            let [by_gradient, by_input, constant] = coefficients.each_ref().map(|x| x.as_slice());
            let input = View { data: &z, shape, pitch: out_pitch };
            for normalised in [None, Some(Normalised { input, by_gradient, by_input, constant })] {
                let gradient = Gradient { stored: View { data: &g, shape, pitch }, normalised };
                let mut out = vec![f32::NAN; COUNT * out_pitch];
                backend.run(LoadRows {
                    source: &gradient,
                    first: FIRST,
                    count: COUNT,
                    out: &mut out,
                    pitch: out_pitch,
                });
                assert_rows(&out, out_pitch, channels, |position, channel| {
                    let (g, z) = (g[position * pitch + channel], z[position * out_pitch + channel]);
                    match normalised {
                        None => g,
                        Some(_) => by_gradient[channel] * g + by_input[channel] * z + constant[channel],
                    }
                });
            }
        }
    }
}
