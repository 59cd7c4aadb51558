//! The geometry of pooling: which positions a window covers, and which windows cover a position.

use crate::Error;
use crate::tensor::Shape;
use core::ops::Range;

/// A square window that moves over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    kernel: usize,
    stride: usize,
    padding: usize,
}

/// A window along one axis of a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    window: Window,
    /// Positions of the map.
    pub(super) inputs: usize,
    /// Positions of the window.
    pub(super) outputs: usize,
}

impl Window {
    /// A window of `kernel` × `kernel` positions that moves `stride` at a time over a map that `padding` positions
    /// surround on each side.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `kernel` or `stride` is 0 or `padding` is more than half of `kernel`; the latter
    /// guarantees that every window covers at least one position of the map.
    pub fn new(kernel: usize, stride: usize, padding: usize) -> Result<Self, Error> {
        if kernel == 0 {
            return Err(Error::Invalid { field: "kernel", expected: "at least 1" });
        }
        if stride == 0 {
            return Err(Error::Invalid { field: "stride", expected: "at least 1" });
        }
        if padding > kernel / 2 {
            return Err(Error::Invalid { field: "padding", expected: "at most half of the kernel" });
        }
        Ok(Self { kernel, stride, padding })
    }

    /// Rows and columns of the window.
    pub const fn kernel(&self) -> usize {
        self.kernel
    }

    /// Step between windows.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Positions around the map that count for nothing, on each side.
    pub const fn padding(&self) -> usize {
        self.padding
    }

    /// The shape after pooling `input`: along each axis `⌊(size + 2 · padding − kernel) / stride⌋ + 1`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the window does not fit in the padded map, [`Error::Overflow`] if the result does not
    /// fit the address space.
    pub fn output(&self, input: Shape) -> Result<Shape, Error> {
        let along = |size: usize| {
            let padded = size.checked_add(2 * self.padding).ok_or(Error::Overflow { quantity: "a padded map" })?;
            let room = padded
                .checked_sub(self.kernel)
                .filter(|_| size > 0)
                .ok_or(Error::Invalid { field: "kernel", expected: "at most the padded size of the map" })?;
            Ok(room / self.stride + 1)
        };
        Shape::new(input.batch, along(input.height)?, along(input.width)?, input.channels)
    }

    /// The two axes, rows first.
    pub(super) fn axes(&self, input: Shape, output: Shape) -> [Axis; 2] {
        [(input.height, output.height), (input.width, output.width)].map(|(inputs, outputs)| Axis {
            window: *self,
            inputs,
            outputs,
        })
    }
}

impl Axis {
    /// The positions of the map that the window covers at its position `output`; never empty.
    #[inline(always)]
    pub(super) fn inputs_of(&self, output: usize) -> Range<usize> {
        let Window { kernel, stride, padding } = self.window;
        let first = output * stride;
        first.saturating_sub(padding)..(first + kernel - padding).min(self.inputs)
    }

    /// Moves `outputs`, the positions at which the window covers an earlier position of the map (0..0 for none), on to
    /// those at which it covers the position `input`; may become empty. Going along a row this costs no division.
    #[inline(always)]
    pub(super) fn advance(&self, outputs: &mut Range<usize>, input: usize) {
        let Window { kernel, stride, padding } = self.window;
        while outputs.end < self.outputs && outputs.end * stride <= input + padding {
            outputs.end += 1;
        }
        while outputs.start < outputs.end && outputs.start * stride + kernel <= input + padding {
            outputs.start += 1;
        }
    }

    /// The positions of the window at which it lies in the map as a whole.
    pub(super) fn whole_windows(&self) -> Range<usize> {
        let Window { kernel, stride, padding } = self.window;
        let end = (self.inputs + padding).checked_sub(kernel).map_or(0, |room| room / stride + 1);
        let first = padding.div_ceil(stride).min(end);
        first..end
    }

    /// The positions of the map that `kernel` positions of a window of stride 1 cover.
    pub(super) fn fully_covered(&self) -> Range<usize> {
        let Window { kernel, padding, .. } = self.window;
        let end = self.outputs.saturating_sub(padding);
        (kernel - 1).saturating_sub(padding).min(end)..end
    }

    /// Whether the window moves one position at a time.
    pub(super) fn has_unit_stride(&self) -> bool {
        self.window.stride == 1
    }

    /// Positions that a window covers if it lies in the map as a whole.
    pub(super) fn kernel(&self) -> usize {
        self.window.kernel
    }

    /// How many rows a window spans that are in the map at all.
    #[inline(always)]
    pub(super) fn span(&self) -> usize {
        self.window.kernel.min(self.inputs.max(self.outputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn windows_are_checked() {
        for (kernel, stride, padding, field) in [(0, 1, 0, "kernel"), (2, 0, 0, "stride"), (3, 1, 2, "padding")] {
            assert!(matches!(Window::new(kernel, stride, padding), Err(Error::Invalid { field: f, .. }) if f == field));
        }
        let map = Shape::new(2, 5, 4, 3).unwrap();
        let output = |kernel, stride, padding| Window::new(kernel, stride, padding).unwrap().output(map);
        assert_eq!(output(3, 1, 1), Ok(map));
        assert_eq!(output(2, 2, 0), Shape::new(2, 2, 2, 3));
        assert_eq!(output(4, 3, 2), Shape::new(2, 2, 2, 3));
        assert_eq!(output(2, 1, 1), Shape::new(2, 6, 5, 3));
        assert!(matches!(output(5, 1, 0), Err(Error::Invalid { field: "kernel", .. })));
        let none = Shape::new(2, 0, 4, 3).unwrap();
        assert!(matches!(Window::new(2, 1, 1).unwrap().output(none), Err(Error::Invalid { field: "kernel", .. })));
        let kernel = Window::new(usize::MAX, 1, usize::MAX / 2).unwrap();
        assert!(matches!(kernel.output(map), Err(Error::Overflow { .. })));
    }

    #[test]
    fn windows_and_positions_cover_each_other() {
        for (kernel, stride, size) in (1..6).flat_map(|k| (1..5).flat_map(move |s| (1..9).map(move |n| (k, s, n)))) {
            for padding in 0..=kernel / 2 {
                let window = Window::new(kernel, stride, padding).unwrap();
                let map = Shape::new(1, size, size, 1).unwrap();
                let Ok(output) = window.output(map) else { continue };
                let [axis, _] = window.axes(map, output);
                for o in 0..axis.outputs {
                    let covered: Vec<usize> =
                        (0..size).filter(|i| (o * stride..o * stride + kernel).contains(&(i + padding))).collect();
                    assert!(!covered.is_empty());
                    assert_eq!(axis.inputs_of(o).collect::<Vec<_>>(), covered);
                }
                let mut outputs = 0..0;
                for i in 0..size {
                    let covering: Vec<usize> = (0..axis.outputs).filter(|&o| axis.inputs_of(o).contains(&i)).collect();
                    axis.advance(&mut outputs, i);
                    assert_eq!(outputs.clone().collect::<Vec<_>>(), covering);
                    assert!(stride > 1 || axis.fully_covered().contains(&i) == (covering.len() == kernel));
                }
                let whole: Vec<usize> = (0..axis.outputs).filter(|&o| axis.inputs_of(o).len() == kernel).collect();
                assert_eq!(axis.whole_windows().collect::<Vec<_>>(), whole);
            }
        }
    }
}
