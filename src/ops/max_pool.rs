//! Max pooling. Padding counts as −∞; NaN in a window makes its maximum NaN.
//!
//! The vjp finds the maxima again in the input instead of keeping their places. Of equal numbers the first in row-major
//! order takes the gradient, as in PyTorch; where the maximum is NaN, the first position of the window does.

mod sliding;

use self::sliding::Sliding;
#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use super::separable::{self, Direction, Reduction, Separable};
use super::window::{Axis, Window};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::{Part, for_each_part};
use crate::tensor::{Gradient, Load, Shape, Sink, Value, ViewMut};
use core::ops::Range;

/// The maximum over a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// The window.
    pub window: Window,
}

impl Operation for MaxPool {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Inputs, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        self.window.output(only(inputs)?)
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, input: Shape, output: Shape) -> Scratch {
        let len = scratch_len(&self.window, input, output);
        Scratch { forward: len, vjp: len }
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, &self.window, call.inputs[0], false, call.out, call.scratch);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let gradient = Gradient { stored: call.gradient, normalised: None };
        vjp(call.backend, &self.window, call.remembered[0], gradient, call.sink, call.scratch);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

#[derive(Clone, Copy)]
struct Maximum;

impl Reduction for Maximum {
    const MEAN: bool = false;
    const NEUTRAL: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn start<S: Simd>(self, _: S, x: S::F32, _: S::F32) -> S::F32 {
        x
    }
    #[inline(always)]
    fn reduce<S: Simd>(self, simd: S, reduced: S::F32, x: S::F32, _: S::F32) -> S::F32 {
        simd.maximum(x, reduced)
    }
    #[inline(always)]
    fn reduce_windows<S: Simd>(self, simd: S, [a, b, c, d]: [S::F32; 4], _: [[S::F32; 3]; 2]) -> [S::F32; 2] {
        let shared = simd.maximum(b, c);
        [simd.maximum(shared, a), simd.maximum(shared, d)]
    }
}

/// Numbers of scratch that [`forward`] and [`vjp`] need between maps of these shapes; a few rows of the map.
pub fn scratch_len(window: &Window, input: Shape, output: Shape) -> usize {
    let [rows, columns] = window.axes(input, output);
    let ring = rows.span().saturating_mul(columns.inputs);
    let vjp = ring.saturating_mul(2).saturating_add(columns.outputs).saturating_mul(input.channels);
    separable::scratch_len(window, input, output).max(vjp)
}

/// Writes the maximum of each window over `value` to `out`, whose shape is [`Window::output`] of the value's, or with
/// `accumulate` adds it to what is there.
pub fn forward(
    backend: Backend,
    window: &Window,
    value: Value<'_>,
    accumulate: bool,
    out: ViewMut<'_>,
    scratch: &mut [f32],
) {
    let axes = window.axes(value.stored.shape, out.shape);
    let sink = Sink { stored: out, accumulate, gate: None, sums: None };
    let batch = value.stored.shape.batch;
    let direction = Direction::Forward;
    Separable { source: value, axes, batch, direction, reduction: Maximum, scratch, sink }.reduce(backend);
}

/// Passes the gradient with respect to the maxima back to `sink`, the gradient with respect to the map `value`.
pub fn vjp(
    backend: Backend,
    window: &Window,
    value: Value<'_>,
    gradient: Gradient<'_>,
    sink: Sink<'_>,
    scratch: &mut [f32],
) {
    let axes = window.axes(value.stored.shape, gradient.stored.shape);
    backend.run(Vjp { value, gradient, axes, scratch, sink });
}

struct Vjp<'a, 'b, 'c> {
    value: Value<'a>,
    gradient: Gradient<'a>,
    axes: [Axis; 2],
    scratch: &'b mut [f32],
    sink: Sink<'c>,
}

impl Kernel for Vjp<'_, '_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { value, gradient, axes: [rows, columns], scratch, mut sink } = self;
        let shape = value.stored.shape;
        let channels = shape.channels;
        let row_len = columns.inputs * channels;
        let slots = rows.span();
        let (values, scratch) = scratch.split_at_mut(slots * row_len);
        let (gradients, scratch) = scratch.split_at_mut(slots * row_len);
        let windows = &mut scratch[..columns.outputs * channels];
        let slides = separable::rolls(&[rows, columns]);
        for image in 0..shape.batch {
            let first_position = |row: usize| (image * rows.inputs + row) * columns.inputs;
            // Rows below `stored` have all their gradients, rows from `loaded` on have none yet.
            let (mut stored, mut loaded) = (0, 0);
            for output in 0..=rows.outputs {
                let covered = if output < rows.outputs { rows.inputs_of(output) } else { rows.inputs..rows.inputs };
                for row in stored..covered.start {
                    let slot = &mut gradients[row % slots * row_len..][..row_len];
                    if row >= loaded {
                        slot.fill(0.0);
                    }
                    sink.store(simd, first_position(row), columns.inputs, slot, channels);
                }
                stored = covered.start;
                for row in loaded.max(covered.start)..covered.end {
                    let slot = row % slots * row_len..(row % slots + 1) * row_len;
                    gradients[slot.clone()].fill(0.0);
                    value.load(simd, first_position(row), columns.inputs, &mut values[slot], channels);
                }
                loaded = loaded.max(covered.end);
                if output == rows.outputs {
                    break;
                }
                let first = (image * rows.outputs + output) * columns.outputs;
                gradient.load(simd, first, columns.outputs, windows, channels);
                if slides && covered.len() > 1 {
                    let mut sliding = Sliding { windows, values, gradients, channels };
                    let [first, second, third] = [0, 1, 2].map(|row| (covered.start + row) % slots * row_len);
                    for_each_part(
                        simd,
                        channels,
                        #[inline(always)]
                        |part| match covered.len() {
                            2 => sliding.scatter(simd, part, [first, second]),
                            _ => sliding.scatter(simd, part, [first, second, third]),
                        },
                    );
                    continue;
                }
                let first_slot = covered.start % slots;
                for column in 0..columns.outputs {
                    let rows = first_slot..first_slot + covered.len();
                    let window = Covered { rows, slots, columns: columns.inputs_of(column), row_len, channels };
                    for_each_part(
                        simd,
                        channels,
                        #[inline(always)]
                        |part| {
                            let given = part.read(simd, &windows[column * channels..][..channels]);
                            window.scatter(simd, part, given, values, gradients);
                        },
                    );
                }
            }
        }
    }
}

/// What a position takes of the gradient that is left of its window, and what is left after it: all up to the first maximum,
/// nothing from there on.
#[inline(always)]
fn take<S: Simd>(simd: S, maximum: S::F32, value: S::F32, left: S::F32) -> [S::F32; 2] {
    let after = simd.where_positive(simd.sub(maximum, value), left);
    [simd.sub(left, after), after]
}

/// The positions of one window, in rows of a ring of `slots`.
struct Covered {
    rows: Range<usize>,
    slots: usize,
    columns: Range<usize>,
    row_len: usize,
    channels: usize,
}

impl Covered {
    /// Visits where each position's channels start in the ring, in row-major order.
    #[inline(always)]
    fn for_each_place(&self, mut visit: impl FnMut(usize)) {
        for row in self.rows.clone() {
            let slot = if row < self.slots { row } else { row - self.slots };
            for column in self.columns.clone() {
                visit(slot * self.row_len + column * self.channels);
            }
        }
    }

    /// Adds the gradient `given` to the first position that holds the maximum.
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn scatter<S: Simd>(&self, simd: S, part: Part, given: S::F32, values: &[f32], gradients: &mut [f32]) {
        let mut maximum = simd.splat(f32::NEG_INFINITY);
        self.for_each_place(
            #[inline(always)]
            |place| maximum = simd.maximum(maximum, part.read(simd, &values[place..][..self.channels])),
        );
        let mut left = given;
        self.for_each_place(
            #[inline(always)]
            |place| {
                let [taken, after] = take(simd, maximum, part.read(simd, &values[place..][..self.channels]), left);
                let gradient = &mut gradients[place..][..self.channels];
                part.write(simd, simd.add(part.read(simd, gradient), taken), gradient);
                left = after;
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, for_each_window};
    use crate::tensor::View;
    use std::vec;
    use std::vec::Vec;

    fn reference(windows: &[Vec<usize>], x: &[f64]) -> Vec<f64> {
        windows.iter().map(|covered| covered.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(x[i]))).collect()
    }

    #[test]
    fn maxima_of_windows() {
        for_each_window(&[1, 5, 8, 16, 19], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            for (rectified, gap) in [(false, 0), (false, 3), (true, 0)] {
                let x = Tensor::random(input, gap, 1);
                let mut out = Tensor::filled(output, 2, f32::NAN);
                let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
                let value = Value { stored: x.view(), affine: None, rectified };
                forward(backend, &window, value, false, out.view_mut(), &mut scratch);
                let floor = if rectified { 0.0 } else { f64::NEG_INFINITY };
                let loaded: Vec<_> = x.dense().iter().map(|x| x.max(floor)).collect();
                assert_close(&out.dense(), &reference(&windows, &loaded), 0.0, case);
            }
        });
    }

    #[test]
    fn nan_and_infinities_reach_the_maximum() {
        for backend in Backend::available() {
            let window = Window::new(3, 1, 1).unwrap();
            let map = Shape::new(1, 3, 5, 1).unwrap();
            for place in 0..map.len() {
                for (x, rest) in [(f32::NAN, 1.0), (f32::INFINITY, f32::NEG_INFINITY)] {
                    let mut dense = vec![rest; map.len()];
                    dense[place] = x;
                    let value = Value { stored: View::dense(&dense, map), affine: None, rectified: false };
                    let mut out = Tensor::filled(map, 0, 0.0);
                    let mut scratch = vec![0.0; scratch_len(&window, map, map)];
                    forward(backend, &window, value, false, out.view_mut(), &mut scratch);
                    for (at, maximum) in out.dense().into_iter().enumerate() {
                        let near = (at / 5).abs_diff(place / 5) <= 1 && (at % 5).abs_diff(place % 5) <= 1;
                        let expected = if near { x } else { rest };
                        assert!(maximum as f32 == expected || maximum.is_nan() && expected.is_nan());
                    }
                }
            }
        }
    }

    #[test]
    fn the_vjp_is_the_gradient() {
        for_each_window(&[9], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            let (x, g) = (Tensor::random(input, 2, 1), Tensor::random(output, 1, 2));
            let expected = differences(&x.dense(), &g.dense(), |x| reference(&windows, x));
            let mut out = Tensor::filled(input, 2, 1.0);
            let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
            let value = Value { stored: x.view(), affine: None, rectified: false };
            for accumulate in [false, true] {
                let sink = Sink { stored: out.view_mut(), accumulate, gate: None, sums: None };
                let gradient = Gradient { stored: g.view(), normalised: None };
                vjp(backend, &window, value, gradient, sink, &mut scratch);
                let times = if accumulate { 2.0 } else { 1.0 };
                let expected: Vec<_> = expected.iter().map(|x| x * times).collect();
                assert_close(&out.dense(), &expected, 5e-6, case);
            }
        });
    }

    #[test]
    fn of_equal_numbers_the_first_takes_the_gradient() {
        for_each_window(&[3, 19], |backend, geometry, window, input, output, case| {
            let windows = geometry.windows(input, output);
            // Few different numbers, among them infinities.
            let levels = [0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 1.0, 2.0];
            let dense: Vec<f32> = (0..input.len()).map(|i| levels[i * 7 / 3 % levels.len()]).collect();
            let (x, g) = (Tensor::new(input, 0, &dense), Tensor::random(output, 0, 2));
            let mut expected = vec![0.0; input.len()];
            for (covered, g) in windows.iter().zip(g.dense()) {
                let mut first = covered[0];
                for &candidate in covered {
                    if dense[candidate] > dense[first] {
                        first = candidate;
                    }
                }
                expected[first] += g;
            }
            let mut out = Tensor::filled(input, 0, f32::NAN);
            let mut scratch = vec![f32::NAN; scratch_len(&window, input, output)];
            let value = Value { stored: x.view(), affine: None, rectified: false };
            let sink = Sink { stored: out.view_mut(), accumulate: false, gate: None, sums: None };
            vjp(backend, &window, value, Gradient { stored: g.view(), normalised: None }, sink, &mut scratch);
            assert_close(&out.dense(), &expected, 5e-6, case);
        });
    }

    #[test]
    fn a_window_with_nan_gives_its_gradient_once() {
        for backend in Backend::available() {
            let (window, map) = (Window::new(2, 2, 0).unwrap(), Shape::new(1, 2, 2, 1).unwrap());
            let output = window.output(map).unwrap();
            let dense = [1.0, 2.0, f32::NAN, 3.0];
            let g = Tensor::filled(output, 0, 5.0);
            let mut out = Tensor::filled(map, 0, f32::NAN);
            let mut scratch = vec![f32::NAN; scratch_len(&window, map, output)];
            let value = Value { stored: View::dense(&dense, map), affine: None, rectified: false };
            let sink = Sink { stored: out.view_mut(), accumulate: false, gate: None, sums: None };
            vjp(backend, &window, value, Gradient { stored: g.view(), normalised: None }, sink, &mut scratch);
            assert_eq!(out.dense(), [5.0, 0.0, 0.0, 0.0]);
        }
    }
}
