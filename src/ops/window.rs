//! The geometry of pooling: which positions a window covers, and which windows cover a position.

use crate::Error;
use crate::tensor::Shape;
use core::ops::Range;

/// A window that moves over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    rows: Side,
    columns: Side,
}

/// One side of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// Positions of the window.
    pub kernel: usize,
    /// From a window to the next.
    pub stride: usize,
    /// Positions before the map that count for nothing.
    pub before: usize,
    /// Positions behind the map that count for nothing. `stride - 1` more than the padding makes the number of windows round
    /// up instead of down, as `ceil_mode` of PyTorch.
    pub behind: usize,
}

/// A window along one axis of a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    window: Side,
    /// Positions of the map.
    pub(super) inputs: usize,
    /// Positions of the window.
    pub(super) outputs: usize,
}

impl Side {
    /// Refuses a side that no window has.
    #[inline(always)] // nothing is left to check of what is known to the compiler
    const fn check(&self) -> Result<(), Error> {
        if self.kernel == 0 {
            return Err(Error::Invalid { field: "kernel", expected: "at least 1" });
        }
        if self.stride == 0 {
            return Err(Error::Invalid { field: "stride", expected: "at least 1" });
        }
        if self.before > self.kernel / 2 {
            return Err(Error::Invalid { field: "padding", expected: "at most half of the kernel" });
        }
        Ok(())
    }

    /// Positions of the window over `size` positions of the map.
    fn outputs(&self, size: usize) -> Result<usize, Error> {
        let Self { kernel, stride, before, behind } = *self;
        let begun = size.checked_add(before).ok_or(Error::Overflow { quantity: "a padded map" })?;
        let padded = begun.checked_add(behind).ok_or(Error::Overflow { quantity: "a padded map" })?;
        let room = padded
            .checked_sub(kernel)
            .filter(|_| size > 0)
            .ok_or(Error::Invalid { field: "kernel", expected: "at most the padded size of the map" })?;
        // A window that begins behind the map would be empty.
        Ok((room / stride).min((begun - 1) / stride) + 1)
    }
}

impl Window {
    /// A window of `kernel` × `kernel` positions that moves `stride` at a time over a map that `padding` positions
    /// surround on each side.
    ///
    /// # Errors
    /// Those of [`Window::of_sides`].
    #[inline(always)] // most windows are known to the compiler
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Result<Self, Error> {
        let side = Side { kernel, stride, before: padding, behind: padding };
        match side.check() {
            Ok(()) => Ok(Self { rows: side, columns: side }),
            Err(error) => Err(error),
        }
    }

    /// A window with a side along the rows and one along the columns.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `kernel` or `stride` is 0 or `padding`, before the map, is more than half of `kernel`; the latter
    /// guarantees that every window covers at least one position of the map.
    pub fn of_sides([rows, columns]: [Side; 2]) -> Result<Self, Error> {
        rows.check()?;
        columns.check()?;
        Ok(Self { rows, columns })
    }

    /// The side along the rows and that along the columns.
    pub const fn sides(&self) -> [Side; 2] {
        [self.rows, self.columns]
    }

    /// The shape after pooling `input`: along each axis `⌊(size + before + behind − kernel) / stride⌋ + 1`, without windows that
    /// would begin behind the map.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the window does not fit in the padded map, [`Error::Overflow`] if the result does not
    /// fit the address space.
    pub fn output(&self, input: Shape) -> Result<Shape, Error> {
        let (height, width) = (self.rows.outputs(input.height)?, self.columns.outputs(input.width)?);
        Shape::new(input.batch, height, width, input.channels)
    }

    /// The two axes, rows first.
    pub(super) fn axes(&self, input: Shape, output: Shape) -> [Axis; 2] {
        [
            Axis { window: self.rows, inputs: input.height, outputs: output.height },
            Axis { window: self.columns, inputs: input.width, outputs: output.width },
        ]
    }
}

impl Axis {
    /// The positions of the map that the window covers at its position `output`; never empty.
    #[inline(always)]
    pub(super) fn inputs_of(&self, output: usize) -> Range<usize> {
        let Side { kernel, stride, before, .. } = self.window;
        let first = output * stride;
        first.saturating_sub(before)..(first + kernel - before).min(self.inputs)
    }

    /// Moves `outputs`, the positions at which the window covers an earlier position of the map (0..0 for none), on to
    /// those at which it covers the position `input`; may become empty. Going along a row this costs no division.
    #[inline(always)]
    pub(super) fn advance(&self, outputs: &mut Range<usize>, input: usize) {
        let Side { kernel, stride, before, .. } = self.window;
        while outputs.end < self.outputs && outputs.end * stride <= input + before {
            outputs.end += 1;
        }
        while outputs.start < outputs.end && outputs.start * stride + kernel <= input + before {
            outputs.start += 1;
        }
    }

    /// The positions of the window at which it lies in the map as a whole.
    pub(super) fn whole_windows(&self) -> Range<usize> {
        let Side { kernel, stride, before, .. } = self.window;
        let end = (self.inputs + before).checked_sub(kernel).map_or(0, |room| room / stride + 1);
        let first = before.div_ceil(stride).min(end);
        first..end
    }

    /// The positions of the map that `kernel` positions of a window of stride 1 cover.
    pub(super) fn fully_covered(&self) -> Range<usize> {
        let Side { kernel, before, .. } = self.window;
        let end = self.outputs.saturating_sub(before);
        (kernel - 1).saturating_sub(before).min(end)..end
    }

    /// Whether the window moves one position at a time.
    pub(super) fn has_unit_stride(&self) -> bool {
        self.window.stride == 1
    }

    /// Whether the window stands on every position of the map in turn, as many positions before it as behind it.
    pub(super) fn is_centred(&self) -> bool {
        self.has_unit_stride() && self.inputs == self.outputs && 2 * self.window.before + 1 == self.window.kernel
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
        // Sides of their own: a window of a whole row, and one that rounds up.
        let side = |kernel, stride, before, behind| Side { kernel, stride, before, behind };
        let output = |rows, columns| Window::of_sides([rows, columns]).unwrap().output(map);
        assert_eq!(output(side(1, 1, 0, 0), side(4, 1, 0, 0)), Shape::new(2, 5, 1, 3));
        assert_eq!(output(side(2, 2, 0, 1), side(3, 2, 0, 1)), Shape::new(2, 3, 2, 3));
        assert!(matches!(output(side(1, 1, 0, usize::MAX), side(1, 1, 0, 0)), Err(Error::Overflow { .. })));
        let bad = Window::of_sides([side(1, 1, 0, 0), side(3, 0, 0, 0)]);
        assert!(matches!(bad, Err(Error::Invalid { field: "stride", .. })));
    }

    /// The number of windows of PyTorch's `pooling_output_shape`, where it rounds up.
    #[test]
    fn windows_round_up() {
        for (kernel, stride, size) in (1..6).flat_map(|k| (1..6).flat_map(move |s| (1..12).map(move |n| (k, s, n)))) {
            for before in 0..=kernel / 2 {
                let side = Side { kernel, stride, before, behind: before + stride - 1 };
                let Some(room) = (size + 2 * before).checked_sub(kernel) else { continue };
                let mut expected = room.div_ceil(stride) + 1;
                if (expected - 1) * stride >= size + before {
                    expected -= 1;
                }
                assert_eq!(side.outputs(size), Ok(expected), "{side:?} over {size}");
            }
        }
    }

    #[test]
    fn windows_and_positions_cover_each_other() {
        for (kernel, stride, size) in (1..6).flat_map(|k| (1..5).flat_map(move |s| (1..9).map(move |n| (k, s, n)))) {
            for (before, behind) in (0..=kernel / 2).flat_map(|b| (0..=kernel + stride).map(move |e| (b, e))) {
                let window = Window::of_sides([Side { kernel, stride, before, behind }; 2]).unwrap();
                let map = Shape::new(1, size, size, 1).unwrap();
                let Ok(output) = window.output(map) else { continue };
                let [axis, _] = window.axes(map, output);
                for o in 0..axis.outputs {
                    let covered: Vec<usize> =
                        (0..size).filter(|i| (o * stride..o * stride + kernel).contains(&(i + before))).collect();
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
