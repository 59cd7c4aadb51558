//! Reductions over square windows as two passes: first over the rows a window spans, then over its columns.
//!
//! Each row of the source is read once into a ring that holds as many rows as a window spans; the passes over it
//! stay in the first-level cache. A window of k × k positions costs 2k operations this way and not k².

use super::window::{Axis, Window};
use crate::simd::{Kernel, Simd};
use crate::tensor::value::for_each_part;
use crate::tensor::{Load, Shape, Sink};
use core::ops::Range;

/// What is done with the numbers of a window.
pub(super) trait Reduction: Copy {
    /// Whether each window's result is divided by the number of positions of the map that the window covers.
    const MEAN: bool;
    fn reduce<S: Simd>(self, simd: S, a: S::F32, b: S::F32) -> S::F32;
}

/// Numbers of scratch for reducing a map of shape `input` to `output` or back.
pub(super) fn scratch_len(window: &Window, input: Shape, output: Shape) -> usize {
    let [rows, columns] = window.axes(input, output);
    let row = columns.inputs.max(columns.outputs).saturating_mul(input.channels);
    // The ring, the reduced row and the row of results.
    rows.span().saturating_add(2).saturating_mul(row)
}

/// From the map to the windows' results, or for the vjp from the results to the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// Positions along `axis` to read and to write.
    fn lengths(self, axis: &Axis) -> (usize, usize) {
        match self {
            Self::Forward => (axis.inputs, axis.outputs),
            Self::Backward => (axis.outputs, axis.inputs),
        }
    }

    /// Moves `taps`, the positions to read for an earlier position to write (0..0 for none), on to those for `target`.
    #[inline(always)]
    fn advance(self, axis: &Axis, taps: &mut Range<usize>, target: usize) {
        match self {
            Self::Forward => *taps = axis.inputs_of(target),
            Self::Backward => axis.advance(taps, target),
        }
    }

    /// Positions to write for which as many positions are read as can be, each time one further on.
    fn run(self, axis: &Axis) -> Range<usize> {
        match self {
            Self::Forward => axis.whole_windows(),
            Self::Backward => axis.fully_covered(),
        }
    }
}

pub(super) struct Separable<'a, 'b, L, R> {
    pub(super) source: L,
    pub(super) axes: [Axis; 2],
    pub(super) batch: usize,
    pub(super) direction: Direction,
    pub(super) reduction: R,
    pub(super) scratch: &'a mut [f32],
    pub(super) sink: Sink<'b>,
}

impl<L: Load, R: Reduction> Kernel for Separable<'_, '_, L, R> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { source, axes: [rows, columns], batch, direction, reduction, scratch, mut sink } = self;
        let channels = source.channels();
        let (height, target_height) = direction.lengths(&rows);
        let (width, target_width) = direction.lengths(&columns);
        let row_len = width * channels;
        let slots = rows.span();
        let (ring, scratch) = scratch.split_at_mut(slots * row_len);
        let (reduced, scratch) = scratch.split_at_mut(row_len);
        let result = &mut scratch[..target_width * channels];
        for image in 0..batch {
            let mut loaded = 0;
            let mut taps = 0..0;
            for target in 0..target_height {
                direction.advance(&rows, &mut taps, target);
                for row in loaded.max(taps.start)..taps.end {
                    let slot = &mut ring[row % slots * row_len..][..row_len];
                    source.load(simd, (image * height + row) * width, width, slot, channels);
                    if R::MEAN && direction == Direction::Backward {
                        divide(simd, &columns, rows.inputs_of(row).len(), slot, channels);
                    }
                }
                loaded = loaded.max(taps.end);
                let first_slot = taps.start % slots;
                gather(
                    simd,
                    reduction,
                    taps.len(),
                    #[inline(always)]
                    |tap| {
                        let slot = first_slot + tap;
                        &ring[if slot < slots { slot } else { slot - slots } * row_len..][..row_len]
                    },
                    1.0,
                    reduced,
                );
                let rows_covered = if R::MEAN && direction == Direction::Forward { taps.len() } else { 0 };
                across(simd, reduction, direction, &columns, rows_covered, reduced, result, channels);
                sink.store(simd, (image * target_height + target) * target_width, target_width, result, channels);
            }
        }
    }
}

/// Reduces a row along its columns. If `rows_covered` is not 0 the results are divided by the windows' positions.
#[inline(always)]
fn across<S: Simd, R: Reduction>(
    simd: S,
    reduction: R,
    direction: Direction,
    columns: &Axis,
    rows_covered: usize,
    row: &[f32],
    result: &mut [f32],
    channels: usize,
) {
    let (_, width) = direction.lengths(columns);
    // In the run the taps of all positions are three or so long rows.
    let run = direction.run(columns);
    let mut taps = 0..0;
    let mut first = 0;
    while first < width {
        direction.advance(columns, &mut taps, first);
        let end = if first == run.start { run.end.max(first + 1) } else { first + 1 };
        let len = (end - first) * channels;
        let scale = if rows_covered == 0 { 1.0 } else { 1.0 / (rows_covered * taps.len()) as f32 };
        gather(
            simd,
            reduction,
            taps.len(),
            #[inline(always)]
            |tap| &row[(taps.start + tap) * channels..][..len],
            scale,
            &mut result[first * channels..][..len],
        );
        first = end;
    }
}

/// Divides a row of the windows' gradients by the positions that each window covers.
#[inline(always)]
fn divide<S: Simd>(simd: S, columns: &Axis, rows_covered: usize, row: &mut [f32], channels: usize) {
    let mut first = 0;
    while first < columns.outputs {
        let covered = columns.inputs_of(first).len();
        let mut end = first + 1;
        while end < columns.outputs && columns.inputs_of(end).len() == covered {
            end += 1;
        }
        let scale = simd.splat(1.0 / (rows_covered * covered) as f32);
        let row = &mut row[first * channels..end * channels];
        for_each_part(
            simd,
            row.len(),
            #[inline(always)]
            |part| part.write(simd, simd.mul(scale, part.read(simd, row)), row),
        );
        first = end;
    }
}

/// `out = scale · reduction of count taps`, all as long as `out`; 0 without taps.
#[inline(always)]
fn gather<'a, S: Simd, R: Reduction>(
    simd: S,
    reduction: R,
    count: usize,
    tap: impl Fn(usize) -> &'a [f32],
    scale: f32,
    out: &mut [f32],
) {
    match count {
        0 => out.fill(0.0),
        1 => gather_fixed(simd, reduction, [tap(0)], scale, out),
        2 => gather_fixed(simd, reduction, [tap(0), tap(1)], scale, out),
        3 => gather_fixed(simd, reduction, [tap(0), tap(1), tap(2)], scale, out),
        _ => for_each_part(
            simd,
            out.len(),
            #[inline(always)]
            |part| {
                let mut reduced = part.read(simd, tap(0));
                for next in 1..count {
                    reduced = reduction.reduce(simd, reduced, part.read(simd, tap(next)));
                }
                part.write(simd, simd.mul(simd.splat(scale), reduced), out);
            },
        ),
    }
}

/// The common sizes, unrolled.
#[inline(always)]
fn gather_fixed<S: Simd, R: Reduction, const COUNT: usize>(
    simd: S,
    reduction: R,
    taps: [&[f32]; COUNT],
    scale: f32,
    out: &mut [f32],
) {
    let taps = taps.map(
        #[inline(always)]
        |tap| &tap[..out.len()],
    );
    let scale = simd.splat(scale);
    for_each_part(
        simd,
        out.len(),
        #[inline(always)]
        |part| {
            let mut reduced = part.read(simd, taps[0]);
            for tap in &taps[1..] {
                reduced = reduction.reduce(simd, reduced, part.read(simd, tap));
            }
            part.write(simd, simd.mul(scale, reduced), out);
        },
    );
}
