//! What super-blocks expand to: the units whose outputs are the features that are scored.
//!
//! Source: `PlainNet/super_blocks.py` and `PlainNet/SuperResIDWEXKX.py`.

use super::{Kind, Structure, SuperBlock};

/// What a unit adds to its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shortcut {
    /// Its input.
    Identity,
    /// Its input through a 1×1 convolution with bias and the stride of the unit, then batch normalisation.
    Projection,
}

/// A primary block: what lies between two features. Convolutions have padding (kernel − 1) / 2 and no bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Convolution, batch normalisation, ReLU.
    Conv {
        /// Input channels.
        input: u32,
        /// Output channels.
        output: u32,
        /// Side of the kernel.
        kernel: u32,
        /// Stride.
        stride: u32,
    },
    /// 1×1 convolution, batch normalisation, ReLU; depthwise convolution, batch normalisation, ReLU; 1×1 convolution,
    /// batch normalisation; plus the shortcut; ReLU.
    InvertedResidual {
        /// Input channels.
        input: u32,
        /// Output channels.
        output: u32,
        /// Channels of the depthwise convolution.
        hidden: u32,
        /// Side of the depthwise kernel.
        kernel: u32,
        /// Stride of the depthwise convolution.
        stride: u32,
        /// What is added.
        shortcut: Shortcut,
    },
}

impl Structure {
    /// The units of all super-blocks, from the input on.
    pub fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.blocks().iter().flat_map(SuperBlock::units)
    }

    /// Channels of the last feature, which the classifier reads.
    pub fn output(&self) -> u32 {
        self.blocks().last().map_or(0, |block| u32::from(block.output))
    }
}

impl SuperBlock {
    /// The units of this super-block: one for each repetition of a convolution, two for each of an inverted residual.
    pub fn units(&self) -> impl Iterator<Item = Unit> + use<> {
        let block = *self;
        let halves = match block.kind {
            Kind::Conv { .. } => 1,
            Kind::InvertedResidual { .. } => 2,
        };
        (0..u32::from(block.repetitions) * halves).map(move |position| block.unit(position / halves, position % halves))
    }

    fn unit(&self, repetition: u32, half: u32) -> Unit {
        let output = u32::from(self.output);
        let (input, stride) = match (repetition, half) {
            (0, 0) => (u32::from(self.input), u32::from(self.stride)),
            _ => (output, 1),
        };
        match self.kind {
            Kind::Conv { kernel } => Unit::Conv { input, output, kernel: kernel.into(), stride },
            Kind::InvertedResidual { expansion, kernel, bottleneck } => {
                let bottleneck = u32::from(bottleneck);
                let (input, output) = if half == 0 { (input, bottleneck) } else { (bottleneck, output) };
                // The first unit projects even if the shapes match.
                let projects = (repetition, half) == (0, 0) || input != output;
                Unit::InvertedResidual {
                    input,
                    output,
                    hidden: round_to_eight(output * u32::from(expansion), 1),
                    kernel: kernel.into(),
                    stride,
                    shortcut: if projects { Shortcut::Projection } else { Shortcut::Identity },
                }
            }
        }
    }
}

/// The multiple of 8, at least 8, nearest to a fraction; half-way to the even multiple.
pub(super) fn round_to_eight(numerator: u32, denominator: u32) -> u32 {
    let unit = 8 * denominator;
    let (quotient, remainder) = (numerator / unit, numerator % unit);
    let up = 2 * remainder > unit || (2 * remainder == unit && quotient % 2 == 1);
    8 * (quotient + u32::from(up)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn rounding_goes_to_the_even_multiple() {
        for (value, rounded) in [(1, 8), (4, 8), (11, 8), (12, 16), (20, 16), (28, 32), (44, 48), (52, 48), (53, 56)] {
            assert_eq!(round_to_eight(value, 1), rounded, "{value}");
        }
        assert_eq!(round_to_eight(256, 3), 88);
    }

    #[test]
    fn units_of_the_super_blocks() {
        let network = Structure::parse("SuperConvK5BNRELU(3,8,2,2)SuperResIDWE6K7(8,16,2,8,2)").unwrap();
        let conv = |input, stride| Unit::Conv { input, output: 8, kernel: 5, stride };
        let residual = |input, output, hidden, stride, shortcut| Unit::InvertedResidual {
            input,
            output,
            hidden,
            kernel: 7,
            stride,
            shortcut,
        };
        assert_eq!(
            network.units().collect::<Vec<_>>(),
            [
                conv(3, 2),
                conv(8, 1),
                residual(8, 8, 48, 2, Shortcut::Projection),
                residual(8, 16, 96, 1, Shortcut::Projection),
                residual(16, 8, 48, 1, Shortcut::Projection),
                residual(8, 16, 96, 1, Shortcut::Projection),
            ]
        );
        assert_eq!(network.output(), 16);
    }

    #[test]
    fn only_the_first_unit_projects_equal_shapes() {
        let network = Structure::parse("SuperResIDWE1K3(16,16,1,16,2)").unwrap();
        let shortcuts: Vec<_> = network
            .units()
            .map(|unit| match unit {
                Unit::InvertedResidual { shortcut, .. } => shortcut,
                Unit::Conv { .. } => panic!("{unit:?}"),
            })
            .collect();
        assert_eq!(shortcuts, [Shortcut::Projection, Shortcut::Identity, Shortcut::Identity, Shortcut::Identity]);
    }

    #[test]
    fn the_initial_structure_has_ten_features() {
        assert_eq!(Structure::INITIAL.units().count(), 10);
    }
}
