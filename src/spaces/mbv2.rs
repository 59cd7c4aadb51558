//! The MobileNetV2-like space: a chain of super-blocks, each a run of convolutions or inverted residuals.
//!
//! Source: the `PlainNet` of Lin et al., *Zen-NAS*, ICCV 2021, with the search space `search_space_IDW_fixfc.py` as
//! used by Lee and Ham, *AZ-NAS*, CVPR 2024. A network is its super-blocks in order, then global average pooling and
//! a linear classifier. Squeeze-and-excitation, which the authors add for the final training only, is not part of it.

mod cost;
mod grammar;
mod mutation;
mod network;
mod policy;
mod space;
mod unit;

pub use mutation::Mutation;
pub use network::UnitNetwork;
pub use policy::POLICY;
pub use space::StructureSpace;
pub use unit::{Shortcut, Unit};

use crate::Error;
use crate::spaces::Reduction;
use core::fmt;
use unit::round_to_eight;

/// The most super-blocks a network can have.
pub const MAX_BLOCKS: usize = 64;

/// What a super-block repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `SuperConvK{kernel}BNRELU`: convolution, batch normalisation, ReLU.
    Conv {
        /// Side of the kernel: 1, 3, 5 or 7.
        kernel: u8,
    },
    /// `SuperResIDWE{expansion}K{kernel}`: two inverted residuals, first to the bottleneck, then to the output.
    InvertedResidual {
        /// Width inside an inverted residual, relative to its output: 1, 2, 4 or 6.
        expansion: u8,
        /// Side of the depthwise kernel: 3, 5 or 7.
        kernel: u8,
        /// Channels between the two inverted residuals.
        bottleneck: u16,
    },
}

/// One call of the structure text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SuperBlock {
    /// What is repeated.
    pub kind: Kind,
    /// Channels of the input of the first repetition.
    pub input: u16,
    /// Channels of the output of every repetition.
    pub output: u16,
    /// Stride of the first repetition; 1 afterwards.
    pub stride: u8,
    /// Number of repetitions.
    pub repetitions: u8,
}

/// A candidate: super-blocks, each of which takes what the one before it makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Structure {
    // Blocks past the count are vacant, so that the derived comparisons are those of `blocks()`.
    blocks: [SuperBlock; MAX_BLOCKS],
    count: u8,
}

impl Structure {
    /// The structure every search of the authors starts from.
    pub const INITIAL: Self = {
        let blocks = [
            SuperBlock::conv(3, 3, 8, 2),
            SuperBlock::inverted_residual(8, 32, 8),
            SuperBlock::inverted_residual(32, 48, 32),
            SuperBlock::inverted_residual(48, 96, 48),
            SuperBlock::inverted_residual(96, 128, 96),
            SuperBlock::conv(1, 128, 2048, 1),
        ];
        let mut network = Self::EMPTY;
        while (network.count as usize) < blocks.len() {
            network.blocks[network.count as usize] = blocks[network.count as usize];
            network.count += 1;
        }
        network
    };

    const EMPTY: Self = Self { blocks: [SuperBlock::conv(1, 0, 0, 0); MAX_BLOCKS], count: 0 };

    /// The super-blocks, from the input on. There is at least one.
    pub fn blocks(&self) -> &[SuperBlock] {
        &self.blocks[..usize::from(self.count)]
    }

    /// Number of layers as the search limits it: the repetitions of all super-blocks together.
    pub fn layers(&self) -> u32 {
        self.blocks().iter().map(|block| u32::from(block.repetitions)).sum()
    }

    /// What is left of it: of every number of channels but those of the input, in steps of eight as a mutation rounds them, at
    /// least eight; and of the repetitions of each super-block.
    #[must_use]
    pub fn reduced(&self, reduction: &Reduction) -> Self {
        let width = |channels: u16| match reduction.width() {
            100 => channels,
            percent => round_to_eight(u32::from(channels) * percent, 100) as u16,
        };
        let mut reduced = *self;
        for (place, block) in reduced.blocks[..usize::from(self.count)].iter_mut().enumerate() {
            block.input = if place == 0 { block.input } else { width(block.input) };
            block.output = width(block.output);
            block.repetitions = u32::from(block.repetitions).min(reduction.cells()) as u8;
            if let Kind::InvertedResidual { bottleneck, .. } = &mut block.kind {
                *bottleneck = width(*bottleneck);
            }
        }
        reduced
    }

    fn push(&mut self, block: SuperBlock) -> Result<(), Error> {
        let place = self
            .blocks
            .get_mut(usize::from(self.count))
            .ok_or(Error::TooLarge { quantity: "super-blocks", limit: MAX_BLOCKS })?;
        *place = block;
        self.count += 1;
        Ok(())
    }
}

impl fmt::Debug for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Structure({self})")
    }
}

impl SuperBlock {
    const fn conv(kernel: u8, input: u16, output: u16, stride: u8) -> Self {
        Self { kind: Kind::Conv { kernel }, input, output, stride, repetitions: 1 }
    }

    const fn inverted_residual(input: u16, output: u16, bottleneck: u16) -> Self {
        let kind = Kind::InvertedResidual { expansion: 6, kernel: 3, bottleneck };
        Self { kind, input, output, stride: 2, repetitions: 1 }
    }
}
