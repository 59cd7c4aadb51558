//! Closed-form costs of a cell in its skeleton.
//!
//! Source: `flop_benchmark.py` of NAS-Bench-201. Multiply-accumulates of convolutions and of the classifier count
//! (and, once per image, its bias); normalisation, ReLU, pooling and sums are free. Every trainable scalar is a
//! parameter. The benchmark counts every edge, also those that cannot influence the output.

use super::{Cell, EDGES, Operation};
use crate::Error;
use crate::spaces::{Reduction, check_classes, total, within};

/// The network around the cells: a 3×3 convolution, three stages of equal cells at widths C, 2C and 4C, a residual
/// block that halves the resolution and doubles the width between stages, and a linear classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skeleton {
    channels: u32,
    cells: u32,
    classes: u32,
}

impl Skeleton {
    /// The benchmark's network for CIFAR-10, at resolution 32.
    pub const CIFAR10: Self = Self { channels: 16, cells: 5, classes: 10 };
    /// The benchmark's network for CIFAR-100, at resolution 32.
    pub const CIFAR100: Self = Self { channels: 16, cells: 5, classes: 100 };
    /// The benchmark's network for ImageNet16-120, at resolution 16.
    pub const IMAGENET16_120: Self = Self { channels: 16, cells: 5, classes: 120 };

    /// A skeleton with `channels` channels in the first stage, `cells` cells in each stage and `classes` classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the field that is out of range.
    pub fn new(channels: u32, cells: u32, classes: u32) -> Result<Self, Error> {
        within("channels", channels, 1..=65536, "from 1 to 65536")?;
        within("cells", cells, 1..=1024, "from 1 to 1024")?;
        check_classes(classes)?;
        Ok(Self { channels, cells, classes })
    }

    /// What is left of it: of the channels of the first stage, and so of all, and of the cells of each stage.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no channel is left.
    pub(super) fn reduced(&self, reduction: &Reduction) -> Result<Self, Error> {
        Ok(Self { channels: reduction.channels(self.channels)?, cells: self.cells.min(reduction.cells()), ..*self })
    }

    /// Channels of the first stage.
    pub const fn channels(&self) -> u32 {
        self.channels
    }

    /// Cells in each stage.
    pub const fn cells(&self) -> u32 {
        self.cells
    }

    /// Classes.
    pub const fn classes(&self) -> u32 {
        self.classes
    }

    /// Multiply-accumulates for one image of `resolution` × `resolution` pixels, by the benchmark's convention.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a resolution that is not a multiple of 4 from 4 to 65536 (the two branches of a
    /// residual block would disagree), [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn macs(&self, cell: &Cell, resolution: u32) -> Result<u64, Error> {
        self.count_macs(cell, resolution, [true; EDGES.len()])
    }

    /// As [`Self::macs`], without the edges that cannot influence the output: the work that must really be done.
    ///
    /// # Errors
    /// Those of [`Self::macs`].
    pub fn live_macs(&self, cell: &Cell, resolution: u32) -> Result<u64, Error> {
        self.count_macs(cell, resolution, cell.live_edges())
    }

    fn count_macs(&self, cell: &Cell, resolution: u32, counted: [bool; EDGES.len()]) -> Result<u64, Error> {
        if !(4..=65536).contains(&resolution) || !resolution.is_multiple_of(4) {
            return Err(Error::Invalid { field: "resolution", expected: "a multiple of 4 from 4 to 65536" });
        }
        let channels = u128::from(self.channels);
        let pixels = u128::from(resolution) * u128::from(resolution);
        let weights: u128 = cell.0.iter().zip(counted).filter(|&(_, counted)| counted).map(|(&op, _)| taps(op)).sum();
        // A stage has a quarter of the pixels and four times the weights of the one before: equal work.
        let stages = 3 * u128::from(self.cells) * weights * channels * channels * pixels;
        let stem = 9 * 3 * channels * pixels;
        let reductions = 2 * REDUCTION_TAPS * channels * channels * (pixels / 4);
        let classifier = 4 * channels * u128::from(self.classes) + u128::from(self.classes);
        total("multiply-accumulates", stages + stem + reductions + classifier)
    }

    /// Trainable scalars, by the benchmark's convention.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn params(&self, cell: &Cell) -> Result<u64, Error> {
        let first = u128::from(self.channels);
        let classes = u128::from(self.classes);
        let stages = [first, 2 * first, 4 * first].map(|channels| {
            let edge = |&operation: &Operation| match taps(operation) {
                0 => 0,
                taps => taps * channels * channels + 2 * channels,
            };
            u128::from(self.cells) * cell.0.iter().map(edge).sum::<u128>()
        });
        // Each of the two convolutions of a residual block is followed by a normalisation of the doubled width.
        let reductions = [first, 2 * first].map(|channels| REDUCTION_TAPS * channels * channels + 8 * channels);
        let stem = 9 * 3 * first + 2 * first;
        let head = 2 * 4 * first + 4 * first * classes + classes;
        total("parameters", stages.iter().sum::<u128>() + reductions.iter().sum::<u128>() + stem + head)
    }
}

/// Weights of a residual block that doubles c channels, in units of c²: 3×3 to 2c, 3×3 at 2c, and the 1×1 shortcut.
const REDUCTION_TAPS: u128 = 9 * 2 + 9 * 4 + 2;

/// Weights per pair of channels.
fn taps(operation: Operation) -> u128 {
    match operation {
        Operation::None | Operation::SkipConnect | Operation::AvgPool3x3 => 0,
        Operation::Conv1x1 => 1,
        Operation::Conv3x3 => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_NONE: Cell = Cell([Operation::None; 6]);

    /// `arch,params,macs` of cells in the CIFAR-10 skeleton, counted on PyTorch modules.
    #[test]
    fn counts_equal_those_of_the_benchmark() {
        let mut rows = 0;
        for row in include_str!("../../../tests/golden/nb201_flops.csv").lines().skip(1) {
            let mut fields = row.split(',');
            let cell = fields.next().unwrap().parse().unwrap();
            let params = fields.next().unwrap().parse().unwrap();
            let macs = fields.next().unwrap().parse().unwrap();
            assert_eq!(Skeleton::CIFAR10.params(&cell), Ok(params), "{row}");
            assert_eq!(Skeleton::CIFAR10.macs(&cell, 32), Ok(macs), "{row}");
            rows += 1;
        }
        assert_eq!(rows, 200);
    }

    #[test]
    fn counts_of_all_datasets() {
        let selected =
            "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|";
        let pooling = Cell([Operation::AvgPool3x3; 6]);
        for (cell, macs, params) in [
            (selected.parse().unwrap(), [121_815_690, 121_821_540, 30_461_560], [858_426, 864_276, 865_576]),
            (Cell([Operation::Conv3x3; 6]), [220_119_690, 220_125_540, 55_037_560], [1_531_546, 1_537_396, 1_538_696]),
            (Cell([Operation::Conv1x1; 6]), [31_376_010, 31_381_860, 7_851_640], [241_306, 247_156, 248_456]),
            (ALL_NONE, [7_783_050, 7_788_900, 1_953_400], [73_306, 79_156, 80_456]),
            (pooling, [7_783_050, 7_788_900, 1_953_400], [73_306, 79_156, 80_456]),
        ] {
            let skeletons = [(Skeleton::CIFAR10, 32), (Skeleton::CIFAR100, 32), (Skeleton::IMAGENET16_120, 16)];
            for (((skeleton, resolution), macs), params) in skeletons.into_iter().zip(macs).zip(params) {
                assert_eq!(skeleton.macs(&cell, resolution), Ok(macs), "{cell}");
                assert_eq!(skeleton.params(&cell), Ok(params), "{cell}");
            }
        }
    }

    #[test]
    fn live_counts_leave_out_dead_edges_only() {
        let skeleton = Skeleton::CIFAR10;
        let base = skeleton.macs(&ALL_NONE, 32).unwrap();
        // The 3×3 edges 0→1 and 0→2 are dead (nothing leaves node 1; node 2 → 3 is cut), the 1×1 edge is live.
        let cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|none~1|none~2|".parse().unwrap();
        assert_eq!(skeleton.live_macs(&cell, 32), Ok(base + 3_932_160));
        assert_eq!(skeleton.macs(&cell, 32), Ok(base + 3_932_160 + 2 * 35_389_440));
        for cell in Cell::all().filter(Cell::is_zero) {
            assert_eq!(skeleton.live_macs(&cell, 32), Ok(base));
        }
        let all = Cell([Operation::Conv3x3; 6]);
        assert_eq!(skeleton.live_macs(&all, 32), skeleton.macs(&all, 32));
    }

    #[test]
    fn bad_fields_are_named() {
        let field = |result: Result<Skeleton, Error>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        for channels in [0, 65537, u32::MAX] {
            assert_eq!(field(Skeleton::new(channels, 5, 10)), "channels");
        }
        for cells in [0, 1025, u32::MAX] {
            assert_eq!(field(Skeleton::new(16, cells, 10)), "cells");
        }
        for classes in [0, (1 << 20) + 1, u32::MAX] {
            assert_eq!(field(Skeleton::new(16, 5, classes)), "classes");
        }
        for resolution in [0, 2, 30, 65540, u32::MAX] {
            let error = Error::Invalid { field: "resolution", expected: "a multiple of 4 from 4 to 65536" };
            assert_eq!(Skeleton::CIFAR10.macs(&ALL_NONE, resolution), Err(error));
        }
        let largest = Skeleton::new(65536, 1024, 1 << 20).unwrap();
        let cell = Cell([Operation::Conv3x3; 6]);
        assert_eq!(largest.macs(&cell, 65536), Err(Error::Overflow { quantity: "multiply-accumulates" }));
        assert_eq!(largest.params(&cell), Ok(4_988_867_854_532_608));
    }
}
