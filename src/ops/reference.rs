//! What the tests of all primitives share: tensors with gaps, and gradients by differences.

use super::window::{Side, Window};
use crate::simd::Backend;
use crate::tensor::{Shape, View, ViewMut};
use std::vec::Vec;
use std::{format, vec};

/// Reproducible numbers in −2 .. 2, no two neighbours equal, none 0.
pub(super) fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|i| {
            let mixed = ((i * 1009 + seed * 7919 + 17) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            (mixed as f32 + 0.5) / (1u32 << 22) as f32 - 2.0
        })
        .collect()
}

/// A tensor whose rows have a gap of NaN between them, which nothing may read or write.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) shape: Shape,
    pitch: usize,
    data: Vec<f32>,
}

impl Tensor {
    /// The numbers without gaps, put `gap` numbers apart.
    pub(super) fn new(shape: Shape, gap: usize, dense: &[f32]) -> Self {
        assert_eq!(dense.len(), shape.len());
        let pitch = shape.channels + gap;
        let mut data = vec![f32::NAN; shape.positions() * pitch];
        for (row, dense) in data.chunks_exact_mut(pitch).zip(dense.chunks_exact(shape.channels)) {
            row[..shape.channels].copy_from_slice(dense);
        }
        Self { shape, pitch, data }
    }

    pub(super) fn random(shape: Shape, gap: usize, seed: usize) -> Self {
        Self::new(shape, gap, &numbers(shape.len(), seed))
    }

    pub(super) fn filled(shape: Shape, gap: usize, x: f32) -> Self {
        Self::new(shape, gap, &vec![x; shape.len()])
    }

    pub(super) fn view(&self) -> View<'_> {
        View { data: &self.data, shape: self.shape, pitch: self.pitch }
    }

    pub(super) fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut { data: &mut self.data, shape: self.shape, pitch: self.pitch }
    }

    /// The numbers without gaps, widened; fails if a gap was written.
    pub(super) fn dense(&self) -> Vec<f64> {
        let rows = self.data.chunks_exact(self.pitch);
        assert!(rows.clone().all(|row| row[self.shape.channels..].iter().all(|x| x.is_nan())), "a gap was written");
        rows.flat_map(|row| row[..self.shape.channels].iter().map(|&x| f64::from(x))).collect()
    }
}

pub(super) fn widen(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Fails unless all numbers are within `tolerance` of what is expected, absolutely.
pub(super) fn assert_close(got: &[f64], expected: &[f64], tolerance: f64, case: &str) {
    assert_eq!(got.len(), expected.len(), "{case}");
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= tolerance, "{case}, element {place}: {got} is not {expected}");
    }
}

/// The gradient of `⟨direction, f(x)⟩` by central differences. For a piecewise linear or smooth `f` of numbers of
/// size 1 the error is about 1e-9.
pub(super) fn differences(x: &[f64], direction: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|place| {
            let middle = x[place];
            let [above, below] = [STEP, -STEP].map(|step| {
                x[place] = middle + step;
                f(&x).iter().zip(direction).map(|(y, v)| y * v).sum::<f64>()
            });
            x[place] = middle;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

/// A window, by its sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry([Side; 2]);

impl Geometry {
    /// For each element of the result the elements of the map that its window covers, in row-major order.
    pub(super) fn windows(self, input: Shape, output: Shape) -> Vec<Vec<usize>> {
        (0..output.len()).map(|place| self.covered(input, output, place)).collect()
    }

    fn covered(self, input: Shape, output: Shape, place: usize) -> Vec<usize> {
        let Self([rows, columns]) = self;
        let (position, channel) = (place / output.channels, place % output.channels);
        let (image, position) = (position / output.positions_per_image(), position % output.positions_per_image());
        let (row, column) = (position / output.width, position % output.width);
        let inside = |side: Side, place: usize, tap: usize, size: usize| {
            (place * side.stride + tap).checked_sub(side.before).filter(|&at| at < size)
        };
        (0..rows.kernel * columns.kernel)
            .filter_map(|at| {
                let y = inside(rows, row, at / columns.kernel, input.height)?;
                let x = inside(columns, column, at % columns.kernel, input.width)?;
                Some((image * input.height + y) * input.width + x)
            })
            .map(|position| position * input.channels + channel)
            .collect()
    }
}

/// Calls `test` with every back end, window, map that the window fits, the shape of the result, and a name.
pub(super) fn for_each_window(channels: &[usize], test: impl Fn(Backend, Geometry, Window, Shape, Shape, &str)) {
    const fn side(kernel: usize, stride: usize, before: usize, behind: usize) -> Side {
        Side { kernel, stride, before, behind }
    }
    const WINDOWS: [[Side; 2]; 14] = [
        [side(3, 1, 1, 1); 2],
        [side(2, 2, 0, 0); 2],
        [side(3, 2, 1, 1); 2],
        [side(1, 1, 0, 0); 2],
        [side(2, 1, 1, 1); 2],
        [side(2, 3, 0, 0); 2],
        [side(5, 2, 2, 2); 2],
        [side(4, 1, 0, 0); 2],
        // Sides that differ, and more windows than begin in the map.
        [side(3, 2, 0, 1); 2],
        [side(3, 1, 0, 2); 2],
        [side(3, 1, 1, 1), side(1, 1, 0, 0)],
        [side(1, 1, 0, 0), side(3, 1, 1, 1)],
        [side(4, 1, 0, 0), side(2, 2, 1, 9)],
        [side(3, 3, 1, 3), side(3, 1, 1, 1)],
    ];
    const MAPS: [(usize, usize); 4] = [(5, 6), (1, 1), (7, 3), (4, 9)];
    for backend in Backend::available() {
        for geometry in WINDOWS {
            let window = Window::of_sides(geometry).unwrap();
            let geometry = Geometry(geometry);
            for ((height, width), &channels) in MAPS.into_iter().flat_map(|m| channels.iter().map(move |c| (m, c))) {
                let input = Shape::new(2, height, width, channels).unwrap();
                let Ok(output) = window.output(input) else { continue };
                test(backend, geometry, window, input, output, &format!("{backend:?}, {geometry:?}, {input:?}"));
            }
        }
    }
}
