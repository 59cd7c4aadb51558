//! Writing gradients through the gate that stands between them and memory.

use super::load::{Load, apply, copy, from};
use super::map::{map, map_and_sum};
use super::{Sink, Sums, Value};
use crate::simd::rows::Rows;
use crate::simd::{Kernel, Simd};
use core::ops::Range;

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

/// What is stored after a gradient `new` has met a gate.
#[inline(always)]
fn pass<S: Simd>(simd: S, gate: S::F32, new: S::F32, old: S::F32, accumulate: bool) -> S::F32 {
    let passed = simd.where_positive(gate, new);
    if accumulate { simd.add(old, passed) } else { passed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::reference::{COUNT, FIRST, POSITIONS, assert_rows, cases, numbers};
    use crate::tensor::{Affine, Shape, View, ViewMut};
    use std::vec;

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
