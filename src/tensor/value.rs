//! Values that are computed while they are read, and gradients that are masked while they are written.
//!
//! Batch normalisation with known statistics is `scale · z + shift`, a rectifier is `max(·, 0)`: neither is worth a
//! pass over memory. A node of the network is therefore held as a [`Value`], a stored tensor with such a prologue,
//! and its readers apply the prologue as they load. Backwards the same: the gradient with respect to the input of a
//! batch normalisation is `by_gradient · g + by_input · z + constant` ([`Gradient`]), and a gradient that passes
//! a rectifier is masked by the sign of its input where it is stored ([`Sink`]).

use super::map::{map, map_and_sum};
use super::sums::Sums;
use super::{View, ViewMut};
use crate::simd::rows::Rows;
use crate::simd::{Kernel, Simd};
use core::ops::Range;

/// `scale · x + shift`, a pair of numbers per channel.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Factors, one a channel.
    pub scale: &'a [f32],
    /// Summands, one a channel.
    pub shift: &'a [f32],
}

/// A node's value as its readers see it: `relu?(affine?(stored))`.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// What is in memory.
    pub stored: View<'a>,
    /// Applied first.
    pub affine: Option<Affine<'a>>,
    /// Whether a rectifier follows.
    pub rectified: bool,
}

impl Value<'_> {
    /// A value without elements, to fill unused places of a list.
    pub const EMPTY: Self = Self { stored: View::EMPTY, affine: None, rectified: false };
}

impl Affine<'_> {
    /// Of some of the channels.
    fn channels(&self, channels: Range<usize>) -> Self {
        Self { scale: &self.scale[channels.clone()], shift: &self.shift[channels] }
    }
}

/// The gradient with respect to a convolution's output `z`: either stored as it is, or that of a batch
/// normalisation that follows, in terms of the gradient `g` with respect to *its* output.
#[derive(Clone, Copy, Debug)]
pub struct Gradient<'a> {
    /// `g`
    pub stored: View<'a>,
    /// If a batch normalisation stands between: `by_gradient · g + by_input · z + constant`.
    pub normalised: Option<Normalised<'a>>,
}

impl Gradient<'_> {
    /// A gradient without elements, to fill unused places of a list.
    pub const EMPTY: Self = Self { stored: View::EMPTY, normalised: None };
}

/// The backward pass of batch normalisation as a map of `g` and `z`, coefficients per channel.
#[derive(Clone, Copy, Debug)]
pub struct Normalised<'a> {
    /// The input of the normalisation.
    pub input: View<'a>,
    /// Factors of `g`.
    pub by_gradient: &'a [f32],
    /// Factors of `z`.
    pub by_input: &'a [f32],
    /// Summands.
    pub constant: &'a [f32],
}

/// Where a gradient goes.
#[derive(Debug)]
pub struct Sink<'a> {
    /// The stored gradient.
    pub stored: ViewMut<'a>,
    /// Whether to add to what is there or to replace it.
    pub accumulate: bool,
    /// If a rectifier stands between: the gradient passes where this value (its input, before the
    /// rectifier) is positive, and is 0 elsewhere. `rectified` of the value is ignored.
    pub gate: Option<Value<'a>>,
    /// If the value of the gate is a batch normalisation, nothing is accumulated, and every position is written once:
    /// the sums that its backward pass needs, formed of what is written and of what is stored of the gate.
    pub sums: Option<Sums<'a>>,
}

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

impl Sink<'_> {
    /// Of some of the channels, for a shorter time.
    pub fn channels(&mut self, channels: Range<usize>) -> Sink<'_> {
        Sink {
            stored: self.stored.channels(channels.clone()),
            accumulate: self.accumulate,
            gate: self.gate.map(|gate| gate.slice(channels.clone())),
            sums: self.sums.as_mut().map(|sums| Sums {
                centre: &sums.centre[channels.clone()],
                gradient: &mut sums.gradient[channels.clone()],
                product: &mut sums.product[channels],
            }),
        }
    }

    /// The stored numbers and their pitch, if they are just what [`store`](Self::store) is given.
    #[inline(always)]
    pub fn as_stored(&mut self) -> Option<(&mut [f32], usize)> {
        let computes = self.accumulate || self.gate.is_some() || self.sums.is_some();
        (!computes).then_some((&mut *self.stored.data, self.stored.pitch))
    }

    /// Takes the gradients `new`, `pitch` numbers apart, of positions `first .. first + count`.
    #[inline(always)]
    pub fn store<S: Simd>(&mut self, simd: S, first: usize, count: usize, new: &[f32], pitch: usize) {
        simd.run(StoreRows { sink: self, first, count, new: Rows { data: new, pitch } });
    }
}

/// [`Sink::store`]
pub(crate) struct StoreRows<'a, 'b, 'c> {
    pub(crate) sink: &'a mut Sink<'b>,
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) new: Rows<'c>,
}

impl Kernel for StoreRows<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sink: Sink { stored: out, accumulate, gate, sums }, first, count, new } = self;
        let extents = [count, out.shape.channels];
        let (out, pitch) = (&mut out.data[first * out.pitch..], out.pitch);
        if let (Some(sums), Some(Value { stored, affine: Some(affine), .. })) = (sums, &gate) {
            let centre = sums.centre;
            return map_and_sum(
                simd,
                extents,
                [new, from(stored, first)],
                [affine.scale, affine.shift, centre],
                out,
                pitch,
                #[inline(always)]
                |[scale, shift, centre], [new, z], _, sums| {
                    let gradient = simd.where_positive(apply(simd, [scale, shift], z), new);
                    Sums::add(simd, gradient, simd.sub(z, centre), sums);
                    gradient
                },
                #[inline(always)]
                |channels, some| sums.take(simd, channels, some),
            );
        }
        match (*gate, *accumulate) {
            (None, false) => copy(extents, new, out, pitch),
            (None, true) => map(
                simd,
                extents,
                [new],
                [],
                out,
                pitch,
                #[inline(always)]
                |[], [new], old| simd.add(old, new),
            ),
            (Some(Value { stored, affine: None, .. }), accumulate) => map(
                simd,
                extents,
                [new, from(&stored, first)],
                [],
                out,
                pitch,
                #[inline(always)]
                |[], [new, gate], old| pass(simd, gate, new, old, accumulate),
            ),
            (Some(Value { stored, affine: Some(affine), .. }), accumulate) => map(
                simd,
                extents,
                [new, from(&stored, first)],
                [affine.scale, affine.shift],
                out,
                pitch,
                #[inline(always)]
                |coefficients, [new, gate], old| pass(simd, apply(simd, coefficients, gate), new, old, accumulate),
            ),
        }
    }
}

/// Positions `first ..` of a view.
#[inline(always)]
fn from<'a>(view: &View<'a>, first: usize) -> Rows<'a> {
    Rows { data: &view.data[first * view.pitch..], pitch: view.pitch }
}

/// `max(x, 0)`; the operands are in the order that keeps NaN.
#[inline(always)]
fn rectify<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    simd.max(simd.splat(0.0), x)
}

/// `scale · x + shift`
#[inline(always)]
fn apply<S: Simd>(simd: S, [scale, shift]: [S::F32; 2], x: S::F32) -> S::F32 {
    simd.mul_add(scale, x, shift)
}

/// What is stored after a gradient `new` has met a gate.
#[inline(always)]
fn pass<S: Simd>(simd: S, gate: S::F32, new: S::F32, old: S::F32, accumulate: bool) -> S::F32 {
    let passed = simd.where_positive(gate, new);
    if accumulate { simd.add(old, passed) } else { passed }
}

/// Copies rows × channels.
#[cfg_attr(not(feature = "small"), inline(always))]
fn copy([count, channels]: [usize; 2], input: Rows<'_>, out: &mut [f32], pitch: usize) {
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
    use crate::tensor::Shape;
    use std::vec;
    use std::vec::Vec;

    const CHANNELS: [usize; 13] = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 83];
    const POSITIONS: usize = 7;
    const FIRST: usize = 2;
    const COUNT: usize = 4;
    /// One rounding, of a fused or unfused multiply-add, of numbers below 4.
    const TOLERANCE: f32 = 1e-6;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 101) % 64) as f32 / 16.0 - 2.03125).collect()
    }

    fn assert_rows(got: &[f32], pitch: usize, channels: usize, expected: impl Fn(usize, usize) -> f32) {
        for (index, &x) in got.iter().enumerate() {
            let (position, channel) = (index / pitch, index % pitch);
            if channel < channels && position < COUNT {
                let expected = expected(FIRST + position, channel);
                assert!((x - expected).abs() <= TOLERANCE, "{position}, {channel}: {x} is not {expected}");
            } else {
                assert!(x.is_nan(), "{position}, {channel}: written beyond the channels");
            }
        }
    }

    /// Every back end, number of channels, and pitches of the two sides.
    fn cases() -> impl Iterator<Item = (Backend, usize, usize, usize)> {
        Backend::available().flat_map(|backend| {
            CHANNELS.into_iter().flat_map(move |channels| {
                [(0, 0), (0, 3), (5, 0), (16, 2)]
                    .map(|(one, other)| (backend, channels, channels + one, channels + other))
            })
        })
    }

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

    #[test]
    fn sinks_gate_and_accumulate() {
        for (backend, channels, pitch, rows_pitch) in cases() {
            let shape = Shape::new(1, POSITIONS, 1, channels).unwrap();
            let (rows, values) = (numbers(COUNT * rows_pitch, 1), numbers(POSITIONS * rows_pitch, 2));
            let (scale, shift) = (numbers(channels, 3), numbers(channels, 4));
            let stored = View { data: &values, shape, pitch: rows_pitch };
            let plain = Value { stored, affine: None, rectified: true };
            let scaled = Value { affine: Some(Affine { scale: &scale, shift: &shift }), ..plain };
            for gate in [None, Some(plain), Some(scaled)] {
                for accumulate in [false, true] {
                    let before = if accumulate { 0.5 } else { f32::NAN };
                    let mut out = vec![f32::NAN; POSITIONS * pitch];
                    for position in FIRST..FIRST + COUNT {
                        out[position * pitch..][..channels].fill(before);
                    }
                    let mut sink =
                        Sink { stored: ViewMut { data: &mut out, shape, pitch }, accumulate, gate, sums: None };
                    let new = Rows { data: &rows, pitch: rows_pitch };
                    backend.run(StoreRows { sink: &mut sink, first: FIRST, count: COUNT, new });
                    assert!(out[..FIRST * pitch].iter().all(|x| x.is_nan()));
                    assert_rows(&out[FIRST * pitch..], pitch, channels, |position, channel| {
                        let value = values[position * rows_pitch + channel];
                        let value = match gate {
                            Some(Value { affine: Some(_), .. }) => scale[channel] * value + shift[channel],
                            _ => value,
                        };
                        let new = rows[(position - FIRST) * rows_pitch + channel];
                        let passed = if gate.is_none() || value > 0.0 { new } else { 0.0 };
                        if accumulate { before + passed } else { passed }
                    });
                }
            }
        }
    }
}
