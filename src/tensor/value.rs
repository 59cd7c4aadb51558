//! Values that are computed while they are read, and gradients that are masked while they are written.
//!
//! Batch normalisation with known statistics is `scale · z + shift`, a rectifier is `max(·, 0)`: neither is worth a
//! pass over memory. A node of the network is therefore held as a [`Value`], a stored tensor with such a prologue,
//! and its readers apply the prologue as they load. Backwards the same: the gradient with respect to the input of a
//! batch normalisation is `by_gradient · g + by_input · z + constant` ([`Gradient`]), and a gradient that passes
//! a rectifier is masked by the sign of its input where it is stored ([`Sink`]).

use super::{View, ViewMut};
use crate::simd::rows::{self, Rows};
use crate::simd::{SMALL, Simd};

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
}

/// Something that can be read into a buffer, position by position.
pub trait Load {
    /// Channels of a position.
    fn channels(&self) -> usize;
    /// Writes the channels of positions `first .. first + count` to `out`, `pitch` numbers apart.
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize);
    /// The numbers in memory, if they are what [`load`](Self::load) gives and without gaps between the positions.
    fn as_stored(&self) -> Option<&[f32]>;
}

impl Load for Value<'_> {
    #[inline(always)]
    fn as_stored(&self) -> Option<&[f32]> {
        (self.affine.is_none() && !self.rectified && self.stored.is_dense()).then_some(self.stored.data)
    }

    #[inline(always)]
    fn channels(&self) -> usize {
        self.stored.shape.channels
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize) {
        let inputs = [from(&self.stored, first)];
        let extents = [count, self.channels()];
        match (self.affine, self.rectified) {
            (None, false) => copy(extents, inputs[0], out, pitch),
            (None, true) => map(
                simd,
                extents,
                inputs,
                out,
                pitch,
                |_| (),
                #[inline(always)]
                |_, [x], _| rectify(simd, x),
            ),
            (Some(affine), rectified) => map(
                simd,
                extents,
                inputs,
                out,
                pitch,
                #[inline(always)]
                |part: Part| affine.of(simd, part),
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
    #[inline(always)]
    fn as_stored(&self) -> Option<&[f32]> {
        (self.normalised.is_none() && self.stored.is_dense()).then_some(self.stored.data)
    }

    #[inline(always)]
    fn channels(&self) -> usize {
        self.stored.shape.channels
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize) {
        let stored = from(&self.stored, first);
        let extents = [count, self.channels()];
        match self.normalised {
            None => copy(extents, stored, out, pitch),
            Some(n) => map(
                simd,
                extents,
                [stored, from(&n.input, first)],
                out,
                pitch,
                #[inline(always)]
                |part: Part| [n.by_gradient, n.by_input, n.constant].map(|x| part.read(simd, x)),
                #[inline(always)]
                |[by_gradient, by_input, constant], [g, z], _| {
                    simd.mul_add(by_gradient, g, simd.mul_add(by_input, z, constant))
                },
            ),
        }
    }
}

impl Affine<'_> {
    /// The coefficients of a part of a row.
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, part: Part) -> [S::F32; 2] {
        [part.read(simd, self.scale), part.read(simd, self.shift)]
    }
}

impl Sink<'_> {
    /// Takes the gradients `new`, `pitch` numbers apart, of positions `first .. first + count`.
    #[cfg_attr(not(feature = "small"), inline(always))]
    pub fn store<S: Simd>(&mut self, simd: S, first: usize, count: usize, new: &[f32], pitch: usize) {
        let extents = [count, self.stored.shape.channels];
        let new = Rows { data: new, pitch };
        let (out, pitch) = (&mut self.stored.data[first * self.stored.pitch..], self.stored.pitch);
        match (self.gate, self.accumulate) {
            (None, false) => copy(extents, new, out, pitch),
            (None, true) => map(
                simd,
                extents,
                [new],
                out,
                pitch,
                |_| (),
                #[inline(always)]
                |_, [new], old| simd.add(old, new),
            ),
            (Some(Value { stored, affine: None, .. }), accumulate) => map(
                simd,
                extents,
                [new, from(&stored, first)],
                out,
                pitch,
                |_| (),
                #[inline(always)]
                |_, [new, gate], old| pass(simd, gate, new, old, accumulate),
            ),
            (Some(Value { stored, affine: Some(affine), .. }), accumulate) => map(
                simd,
                extents,
                [new, from(&stored, first)],
                out,
                pitch,
                #[inline(always)]
                |part: Part| affine.of(simd, part),
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

/// `out = f(coefficients, inputs, out)` of rows × channels, where `coefficients` gives those of a part of the channels.
#[inline(always)]
fn map<S: Simd, C: Copy, const N: usize>(
    simd: S,
    [count, channels]: [usize; 2],
    inputs: [Rows<'_>; N],
    out: &mut [f32],
    pitch: usize,
    coefficients: impl Fn(Part) -> C,
    f: impl Fn(C, [S::F32; N], S::F32) -> S::F32,
) {
    // Without coefficients, and gaps, the rows are one long row, cut anew into rows of a vector.
    if !SMALL && size_of::<C>() == 0 && pitch == channels && inputs.iter().all(|input| input.pitch == channels) {
        let numbers = count * channels;
        let last = Part { first: numbers - numbers % S::LANES, whole: false };
        let vectors = inputs.map(|input| Rows { pitch: S::LANES, ..input });
        let part = Part { first: 0, whole: true };
        map_part(simd, [numbers / S::LANES, S::LANES], part, vectors, out, S::LANES, coefficients(part), &f);
        map_part(simd, [1, numbers], last, inputs, out, pitch, coefficients(last), &f);
        return;
    }
    // A few rows at a time, so that wide ones stay in the cache from one part to the next.
    let block = (BLOCK / channels).max(1);
    for first in (0..count).step_by(block) {
        let extents = [block.min(count - first), channels];
        let inputs = inputs.map(|input| Rows { data: &input.data[first * input.pitch..], ..input });
        let out = &mut out[first * pitch..];
        for_each_part(
            simd,
            channels,
            #[inline(always)]
            |part| map_part(simd, extents, part, inputs, out, pitch, coefficients(part), &f),
        );
    }
}

/// Numbers of a tensor that are worked on at a time: 8 KiB.
const BLOCK: usize = 2048;

/// One part of the channels of [`map`].
#[inline(always)]
fn map_part<S: Simd, C: Copy, const N: usize>(
    simd: S,
    [count, channels]: [usize; 2],
    part: Part,
    inputs: [Rows<'_>; N],
    out: &mut [f32],
    pitch: usize,
    coefficients: C,
    f: &impl Fn(C, [S::F32; N], S::F32) -> S::F32,
) {
    if part.whole {
        let inputs = inputs.map(|input| Rows { data: &input.data[part.first..], ..input });
        return rows::map(
            simd,
            count,
            inputs,
            &mut out[part.first..],
            pitch,
            #[inline(always)]
            |x, old| f(coefficients, x, old),
        );
    }
    for row in 0..count {
        let mut x = [simd.splat(0.0); N];
        for (x, input) in x.iter_mut().zip(&inputs) {
            *x = simd.load_partial(&input.data[row * input.pitch..][part.first..channels]);
        }
        let out = &mut out[row * pitch..][part.first..channels];
        simd.store_partial(f(coefficients, x, simd.load_partial(out)), out);
    }
}

/// A vector's worth of a row, or the fewer numbers that are left at its end.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The first channel.
    pub(crate) first: usize,
    pub(crate) whole: bool,
}

impl Part {
    #[cfg_attr(not(feature = "small"), inline(always))]
    pub(crate) fn read<S: Simd>(self, simd: S, row: &[f32]) -> S::F32 {
        let row = &row[self.first..];
        if self.whole { simd.load(row) } else { simd.load_partial(row) }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    pub(crate) fn write<S: Simd>(self, simd: S, x: S::F32, row: &mut [f32]) {
        let row = &mut row[self.first..];
        if self.whole { simd.store(x, row) } else { simd.store_partial(x, row) }
    }
}

/// Calls `body` for every part of a row of `width` numbers, in order. To spare code, all go the way of the last.
#[inline(always)]
pub(crate) fn for_each_part<S: Simd>(_: S, width: usize, mut body: impl FnMut(Part)) {
    let mut first = 0;
    if !SMALL {
        while first + S::LANES <= width {
            body(Part { first, whole: true });
            first += S::LANES;
        }
    }
    while first < width {
        body(Part { first, whole: false });
        first += S::LANES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use crate::tensor::Shape;
    use std::vec;
    use std::vec::Vec;

    const CHANNELS: [usize; 12] = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64];
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

    struct Loading<'a, L: Load>(&'a L, &'a mut [f32], usize);

    impl<L: Load> Kernel for Loading<'_, L> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            self.0.load(simd, FIRST, COUNT, self.1, self.2);
        }
    }

    struct Storing<'a, 'b>(&'a mut Sink<'b>, &'a [f32], usize);

    impl Kernel for Storing<'_, '_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            self.0.store(simd, FIRST, COUNT, self.1, self.2);
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
                    backend.run(Loading(&value, &mut out, out_pitch));
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
            backend.run(Loading(&Value { stored, affine: None, rectified: true }, &mut out, 1));
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
                backend.run(Loading(&gradient, &mut out, out_pitch));
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
                    let mut sink = Sink { stored: ViewMut { data: &mut out, shape, pitch }, accumulate, gate };
                    backend.run(Storing(&mut sink, &rows, rows_pitch));
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
