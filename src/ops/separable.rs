//! Reductions over rectangular windows as two passes: first over the rows a window spans, then over its columns; the most
//! common windows as one ([`rolling`]).
//!
//! A window of k × l positions costs k + l operations this way and not k · l. Rows that need a prologue, or have gaps, are
//! read once into a ring of as many rows as a window spans; what the two passes share stays in the first-level cache.
//! A mean divides by the rows it covers in the first pass, and by the window's columns; where it covers fewer the few
//! positions at the border are corrected.

mod rolling;

use self::rolling::Rolling;
use super::window::{Axis, Window};
use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Load, Shape, Sink};
use core::ops::Range;

/// What is done with the numbers of a window.
pub(super) trait Reduction: Copy {
    /// Whether each window's result is divided by the number of positions of the map that the window covers.
    const MEAN: bool;
    /// What changes nothing, whatever its weight.
    const NEUTRAL: f32;
    /// The first number, times its weight.
    fn start<S: Simd>(self, simd: S, x: S::F32, weight: S::F32) -> S::F32;
    /// One number more, times its weight. Maxima ignore weights.
    fn reduce<S: Simd>(self, simd: S, reduced: S::F32, x: S::F32, weight: S::F32) -> S::F32;
    /// The first three of four numbers, and the last three, times their weights.
    #[inline(always)]
    fn reduce_windows<S: Simd>(self, simd: S, values: [S::F32; 4], weights: [[S::F32; 3]; 2]) -> [S::F32; 2] {
        let mut windows = [values[0], values[1]];
        for (first, (window, weights)) in windows.iter_mut().zip(weights).enumerate() {
            *window = self.start(simd, values[first], weights[0]);
            for tap in 1..3 {
                *window = self.reduce(simd, *window, values[first + tap], weights[tap]);
            }
        }
        windows
    }
}

/// Whether windows along these axes are reduced in one walk.
pub(super) fn rolls(axes: &[Axis; 2]) -> bool {
    !SMALL && rolling::fits(axes)
}

/// Numbers of scratch for reducing a map of shape `input` to `output` or back.
pub(super) fn scratch_len(window: &Window, input: Shape, output: Shape) -> usize {
    let axes @ [rows, columns] = window.axes(input, output);
    let row = columns.inputs.max(columns.outputs).saturating_mul(input.channels);
    // The ring, the reduced row and the row of results.
    let count = if rolls(&axes) { rolling::SCRATCH_ROWS } else { rows.span().saturating_add(2) };
    count.saturating_mul(row)
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

    /// Positions to write for which `kernel` positions are read, each time one further on.
    fn run(self, axis: &Axis) -> Range<usize> {
        match self {
            _ if !axis.has_unit_stride() => 0..0,
            Self::Forward => axis.whole_windows(),
            Self::Backward => axis.fully_covered(),
        }
    }
}

/// A reduction of `source`, forward or backward, into `sink`.
pub(super) struct Separable<'a, 'b, L, R> {
    pub(super) source: L,
    pub(super) axes: [Axis; 2],
    pub(super) batch: usize,
    pub(super) direction: Direction,
    pub(super) reduction: R,
    pub(super) scratch: &'a mut [f32],
    pub(super) sink: Sink<'b>,
}

impl<L: Load, R: Reduction> Separable<'_, '_, L, R> {
    /// Computes it the best way.
    pub(super) fn reduce(self, backend: Backend) {
        if rolls(&self.axes) {
            backend.run(Rolling(self));
        } else {
            backend.run(self);
        }
    }
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
        let stored = source.as_stored();
        let whole = columns.whole_windows();
        let run = direction.run(&columns);
        for image in 0..batch {
            let mut loaded = 0;
            let mut taps = 0..0;
            for target in 0..target_height {
                direction.advance(&rows, &mut taps, target);
                if stored.is_none() {
                    for row in loaded.max(taps.start)..taps.end {
                        let slot = &mut ring[row % slots * row_len..][..row_len];
                        source.load(simd, (image * height + row) * width, width, slot, channels);
                    }
                    loaded = loaded.max(taps.end);
                }
                let first_slot = taps.start % slots;
                let share = |window: usize| 1.0 / (rows.inputs_of(window).len() as f32 * columns.kernel() as f32);
                gather(
                    simd,
                    reduction,
                    taps.len(),
                    #[inline(always)]
                    |tap| match stored {
                        Some(stored) => &stored[(image * height + taps.start + tap) * row_len..][..row_len],
                        None => {
                            let slot = first_slot + tap;
                            &ring[if slot < slots { slot } else { slot - slots } * row_len..][..row_len]
                        }
                    },
                    #[inline(always)]
                    |tap| match direction {
                        Direction::Forward => share(target),
                        Direction::Backward => share(taps.start + tap),
                    },
                    reduced,
                );
                if R::MEAN && direction == Direction::Backward {
                    correct_border(simd, &columns, &whole, reduced, channels);
                }
                across(simd, reduction, direction, &columns, &run, reduced, result, channels);
                if R::MEAN && direction == Direction::Forward {
                    correct_border(simd, &columns, &whole, result, channels);
                }
                sink.store(simd, (image * target_height + target) * target_width, target_width, result, channels);
            }
        }
    }
}

/// Reduces a row along its columns; in the `run` the taps of all positions are a few long rows.
#[cfg_attr(not(feature = "small"), inline(always))]
fn across<S: Simd, R: Reduction>(
    simd: S,
    reduction: R,
    direction: Direction,
    columns: &Axis,
    run: &Range<usize>,
    row: &[f32],
    result: &mut [f32],
    channels: usize,
) {
    let (_, width) = direction.lengths(columns);
    let mut taps = 0..0;
    let mut first = 0;
    while first < width {
        direction.advance(columns, &mut taps, first);
        let end = if first == run.start { run.end.max(first + 1) } else { first + 1 };
        let out = &mut result[first * channels..end * channels];
        let len = out.len();
        gather(
            simd,
            reduction,
            taps.len(),
            #[inline(always)]
            |tap| &row[(taps.start + tap) * channels..][..len],
            #[inline(always)]
            |_| 1.0,
            out,
        );
        first = end;
    }
}

/// Makes up for windows that cover fewer columns than the kernel has, in a row of the windows' means or gradients.
#[cfg_attr(not(feature = "small"), inline(always))]
fn correct_border<S: Simd>(simd: S, columns: &Axis, whole: &Range<usize>, row: &mut [f32], channels: usize) {
    for window in (0..whole.start).chain(whole.end..columns.outputs) {
        let factor = simd.splat(columns.kernel() as f32 / columns.inputs_of(window).len() as f32);
        let row = &mut row[window * channels..][..channels];
        for_each_part(
            simd,
            channels,
            #[inline(always)]
            |part| part.write(simd, simd.mul(factor, part.read(simd, row)), row),
        );
    }
}

/// `out = reduction of count taps` with their weights, all as long as `out`; 0 without taps.
#[cfg_attr(not(feature = "small"), inline(always))]
fn gather<'a, S: Simd, R: Reduction>(
    simd: S,
    reduction: R,
    count: usize,
    tap: impl Fn(usize) -> &'a [f32],
    weight: impl Fn(usize) -> f32,
    out: &mut [f32],
) {
    match count {
        0 => out.fill(0.0),
        1 if !SMALL => gather_fixed::<S, R, 1>(simd, reduction, tap, weight, out),
        2 if !SMALL => gather_fixed::<S, R, 2>(simd, reduction, tap, weight, out),
        3 if !SMALL => gather_fixed::<S, R, 3>(simd, reduction, tap, weight, out),
        _ => for_each_part(
            simd,
            out.len(),
            #[inline(always)]
            |part| {
                let mut reduced = reduction.start(simd, part.read(simd, tap(0)), simd.splat(weight(0)));
                for next in 1..count {
                    reduced = reduction.reduce(simd, reduced, part.read(simd, tap(next)), simd.splat(weight(next)));
                }
                part.write(simd, reduced, out);
            },
        ),
    }
}

/// The common sizes, unrolled.
#[inline(always)]
fn gather_fixed<'a, S: Simd, R: Reduction, const COUNT: usize>(
    simd: S,
    reduction: R,
    tap: impl Fn(usize) -> &'a [f32],
    weight: impl Fn(usize) -> f32,
    out: &mut [f32],
) {
    let mut taps = [tap(0); COUNT];
    let mut weights = [simd.splat(weight(0)); COUNT];
    for next in 1..COUNT {
        taps[next] = tap(next);
        weights[next] = simd.splat(weight(next));
    }
    let len = out.len();
    for tap in &mut taps {
        *tap = &tap[..len];
    }
    for_each_part(
        simd,
        len,
        #[inline(always)]
        |part| {
            let mut reduced = reduction.start(simd, part.read(simd, taps[0]), weights[0]);
            for next in 1..COUNT {
                reduced = reduction.reduce(simd, reduced, part.read(simd, taps[next]), weights[next]);
            }
            part.write(simd, reduced, out);
        },
    );
}
