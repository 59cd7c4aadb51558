//! Strips: the same vector of channels of a few consecutive positions, in registers.
//!
//! Coefficients of the channels are read once a strip, offsets checked once, and independent rows hide latencies.

use crate::base::SMALL;
use crate::simd::{Simd, strided};
use crate::tensor::columns::Part;
use crate::tensor::{Sink, Value, View, ViewMut};
use core::ops::Range;

/// Positions of a strip.
pub(super) const STRIP: usize = 8;

/// A computation over strips.
pub(super) trait Strips {
    /// Computes positions `first .. first + ROWS`.
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize);
}

/// Computes full strips, and then the single positions that are left.
#[inline(always)]
pub(super) fn for_each_strip<S: Simd>(simd: S, positions: Range<usize>, strips: &mut impl Strips) {
    let mut first = positions.start;
    while !SMALL && first + STRIP <= positions.end {
        strips.strip::<S, STRIP>(simd, first);
        first += STRIP;
    }
    while first < positions.end {
        strips.strip::<S, 1>(simd, first);
        first += 1;
    }
}

/// Reads the strip that starts at position `first`.
#[inline(always)]
pub(super) fn read<S: Simd, const ROWS: usize>(simd: S, part: Part, view: &View<'_>, first: usize) -> [S::F32; ROWS] {
    if part.whole {
        strided::load(simd, &view.data[first * view.pitch + part.first..], view.pitch)
    } else {
        let mut strip = [simd.splat(0.0); ROWS];
        for (row, vector) in strip.iter_mut().enumerate() {
            *vector = part.read(simd, view.row(first + row));
        }
        strip
    }
}

/// Writes the strip that starts at position `first`.
#[inline(always)]
pub(super) fn write<S: Simd, const ROWS: usize>(
    simd: S,
    part: Part,
    strip: [S::F32; ROWS],
    view: &mut ViewMut<'_>,
    first: usize,
) {
    if part.whole {
        strided::store(simd, strip, &mut view.data[first * view.pitch + part.first..], view.pitch);
    } else {
        for (row, vector) in strip.into_iter().enumerate() {
            part.write(simd, vector, view.row(first + row));
        }
    }
}

/// Leaves gradients in a sink, in the strip that starts at position `first`: those that its gate lets through, added to what
/// is there if it accumulates. Sums are not formed.
#[inline(always)]
pub(super) fn leave<S: Simd, const ROWS: usize>(
    simd: S,
    part: Part,
    sink: &mut Sink<'_>,
    first: usize,
    mut new: [S::F32; ROWS],
) {
    if let Some(gate) = &sink.gate {
        let prologue = Prologue::new(simd, gate, part);
        let gates = read::<S, ROWS>(simd, part, &gate.stored, first);
        for row in 0..ROWS {
            new[row] = simd.where_positive(prologue.affine(simd, gates[row]), new[row]);
        }
    }
    if sink.accumulate {
        let old = read::<S, ROWS>(simd, part, &sink.stored.as_view(), first);
        for row in 0..ROWS {
            new[row] = simd.add(old[row], new[row]);
        }
    }
    write(simd, part, new, &mut sink.stored, first);
}

/// The prologue of a [`Value`] for one vector of channels. A missing step is one that changes nothing.
pub(super) struct Prologue<S: Simd> {
    scale: S::F32,
    shift: S::F32,
    floor: S::F32,
}

impl<S: Simd> Prologue<S> {
    #[inline(always)]
    pub(super) fn new(simd: S, value: &Value<'_>, part: Part) -> Self {
        let (scale, shift) = match value.affine {
            Some(affine) => (part.read(simd, affine.scale), part.read(simd, affine.shift)),
            None => (simd.splat(1.0), simd.splat(0.0)),
        };
        Self { scale, shift, floor: floor(simd, value.rectified) }
    }

    /// The affine map alone.
    #[inline(always)]
    pub(super) fn affine(&self, simd: S, x: S::F32) -> S::F32 {
        simd.mul_add(x, self.scale, self.shift)
    }

    #[inline(always)]
    pub(super) fn apply(&self, simd: S, x: S::F32) -> S::F32 {
        // In this order of operands NaN is kept.
        simd.max(self.floor, self.affine(simd, x))
    }
}

/// The least value a possible rectifier lets through.
#[inline(always)]
pub(super) fn floor<S: Simd>(simd: S, rectified: bool) -> S::F32 {
    simd.splat(if rectified { 0.0 } else { f32::NEG_INFINITY })
}
