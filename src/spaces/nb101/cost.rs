//! Closed-form costs of a cell in its skeleton.
//!
//! Source: `model_builder.py` of NAS-Bench-101. Multiply-accumulates of convolutions and of the classifier count;
//! normalisation, ReLU, pooling and sums are free. Every trainable scalar is a parameter.

use super::{Cell, Operation};
use crate::Error;
use crate::spaces::{Reduction, check_classes, total, within};

/// Every vertex that leads to the output has a channel at least.
const MIN_CHANNELS: u32 = 5;

/// The network around the cells: a 3×3 convolution, three stacks of equal cells, of which the second and the third begin
/// with a 2×2 maximum of stride 2 and have twice the channels, and a linear classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skeleton {
    channels: u32,
    cells: u32,
    classes: u32,
}

impl Skeleton {
    /// The benchmark's network, at resolution 32.
    pub const CIFAR10: Self = Self { channels: 128, cells: 3, classes: 10 };

    /// A skeleton with `channels` channels in the first stack, `cells` cells in each stack and `classes` classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the field that is out of range.
    pub fn new(channels: u32, cells: u32, classes: u32) -> Result<Self, Error> {
        within("channels", channels, MIN_CHANNELS..=65536, "from 5 to 65536")?;
        within("cells", cells, 1..=1024, "from 1 to 1024")?;
        check_classes(classes)?;
        Ok(Self { channels, cells, classes })
    }

    /// What is left of it: of the channels of the first stack, and so of all, and of the cells of each stack.
    ///
    /// # Errors
    /// [`Error::Invalid`] if so few channels are left that a vertex may get none.
    pub(super) fn reduced(&self, reduction: &Reduction) -> Result<Self, Error> {
        let channels = reduction.channels(self.channels)?;
        within("score_width", channels, MIN_CHANNELS..=65536, "enough to leave 5 channels")?;
        Ok(Self { channels, cells: self.cells.min(reduction.cells()), ..*self })
    }

    /// Channels of the first stack.
    pub const fn channels(&self) -> u32 {
        self.channels
    }

    /// Cells in each stack.
    pub const fn cells(&self) -> u32 {
        self.cells
    }

    /// Classes.
    pub const fn classes(&self) -> u32 {
        self.classes
    }

    /// The same with another number of channels.
    pub(super) const fn with_channels(self, channels: u32) -> Self {
        Self { channels, ..self }
    }

    /// Input channels, output channels and stack of every cell.
    fn widths(&self) -> impl Iterator<Item = (u32, u32, u32)> + use<> {
        let Self { channels, cells, .. } = *self;
        (0..3 * cells).map(move |place| {
            let (stack, output) = (place / cells, channels << (place / cells));
            let doubles = stack > 0 && place % cells == 0;
            (if doubles { output / 2 } else { output }, output, stack)
        })
    }

    /// Multiply-accumulates for one image of `resolution` × `resolution` pixels.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a resolution that is not a multiple of 4 from 4 to 65536, [`Error::Overflow`] if the
    /// count exceeds 64 bits.
    pub fn macs(&self, cell: &Cell, resolution: u32) -> Result<u64, Error> {
        const EXPECTED: &str = "a multiple of 4 from 4 to 65536";
        within("resolution", resolution, 4..=65536, EXPECTED)?;
        if !resolution.is_multiple_of(4) {
            return Err(Error::Invalid { field: "resolution", expected: EXPECTED });
        }
        let pixels = |stack: u32| u128::from(resolution >> stack).pow(2);
        let stem = 9 * 3 * u128::from(self.channels) * pixels(0);
        let cells: u128 = self
            .widths()
            .map(|(input, output, stack)| {
                let weights: u128 = cell.convolutions(input, output).map(|(weights, _)| weights).sum();
                weights * pixels(stack)
            })
            .sum();
        let classifier = 4 * u128::from(self.channels) * u128::from(self.classes);
        total("multiply-accumulates", stem + cells + classifier)
    }

    /// Trainable scalars: what the benchmark publishes.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn params(&self, cell: &Cell) -> Result<u64, Error> {
        let first = u128::from(self.channels);
        let cells: u128 = self
            .widths()
            .flat_map(|(input, output, _)| cell.convolutions(input, output))
            // Each is followed by a normalisation.
            .map(|(weights, channels)| weights + 2 * channels)
            .sum();
        let stem = 9 * 3 * first + 2 * first;
        let classifier = (4 * first + 1) * u128::from(self.classes);
        total("parameters", stem + cells + classifier)
    }
}

impl Cell {
    /// Weights and output channels of every convolution of a cell from `input` to `output` channels.
    fn convolutions(&self, input: u32, output: u32) -> impl Iterator<Item = (u128, u128)> + use<> {
        let (cell, channels) = (*self, self.channels(input, output));
        (1..self.vertices()).flat_map(move |vertex| {
            let own = u128::from(channels[vertex]);
            let projection = cell.has_edge(0, vertex).then_some((u128::from(input) * own, own));
            let operation = match cell.interior().contains(&vertex).then(|| cell.operation(vertex)) {
                Some(Operation::Conv3x3) => Some((9 * own * own, own)),
                Some(Operation::Conv1x1) => Some((own * own, own)),
                Some(Operation::MaxPool3x3) | None => None,
            };
            [projection, operation].into_iter().flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cell of the benchmark's own example, `trainable_parameters` as it prints them.
    #[test]
    fn parameters_are_those_that_are_published() {
        let cell = Cell::parse(
            "module_adjacency: [[0 1 1 1 1 0 0] [0 0 0 0 0 0 1] [0 0 0 0 0 0 1] [0 0 0 0 0 0 1] [0 0 0 0 0 1 0] \
             [0 0 0 0 0 0 1] [0 0 0 0 0 0 0]] module_operations: ['input', 'conv3x3-bn-relu', 'conv1x1-bn-relu', \
             'maxpool3x3', 'conv3x3-bn-relu', 'conv3x3-bn-relu', 'output']",
        );
        assert_eq!(Skeleton::CIFAR10.params(&cell.unwrap()), Ok(2_694_282));
    }

    /// A projection in every cell is a chain of 1×1 convolutions.
    #[test]
    fn costs_of_the_smallest_cell() {
        let cell = Cell::parse("2:1:").unwrap();
        let skeleton = Skeleton::new(8, 1, 3).unwrap();
        let [a, b, c] = [8 * 8, 8 * 16, 16 * 32];
        assert_eq!(skeleton.macs(&cell, 8), Ok(27 * 8 * 64 + a * 64 + b * 16 + c * 4 + 32 * 3));
        assert_eq!(skeleton.params(&cell), Ok(27 * 8 + 16 + a + 16 + b + 32 + c + 64 + 33 * 3));
    }

    #[test]
    fn bad_fields_are_named() {
        let field = |result: Result<Skeleton, Error>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        for channels in [0, 4, 65537, u32::MAX] {
            assert_eq!(field(Skeleton::new(channels, 3, 10)), "channels");
        }
        for cells in [0, 1025, u32::MAX] {
            assert_eq!(field(Skeleton::new(16, cells, 10)), "cells");
        }
        for classes in [0, (1 << 20) + 1, u32::MAX] {
            assert_eq!(field(Skeleton::new(16, 3, classes)), "classes");
        }
        let cell = Cell::parse("3:111:3").unwrap();
        for resolution in [0, 2, 30, 65540, u32::MAX] {
            let error = Error::Invalid { field: "resolution", expected: "a multiple of 4 from 4 to 65536" };
            assert_eq!(Skeleton::CIFAR10.macs(&cell, resolution), Err(error));
        }
        let largest = Skeleton::new(65536, 1024, 1 << 20).unwrap();
        assert_eq!(largest.macs(&cell, 65536), Err(Error::Overflow { quantity: "multiply-accumulates" }));
        assert!(largest.params(&cell).is_ok());
    }
}
