//! The five spaces: which operations their cells are drawn from, and how.

use super::Operation;

/// One of the five cell spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operators {
    /// Zoph et al., CVPR 2018.
    NasNet,
    /// Real et al., AAAI 2019.
    Amoeba,
    /// Liu et al., ECCV 2018.
    Pnas,
    /// Pham et al., ICML 2018.
    Enas,
    /// Liu et al., ICLR 2019.
    Darts,
}

impl Operators {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NasNet, Self::Amoeba, Self::Pnas, Self::Enas, Self::Darts];

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NasNet => "nasnet",
            Self::Amoeba => "amoeba",
            Self::Pnas => "pnas",
            Self::Enas => "enas",
            Self::Darts => "darts",
        }
    }

    /// The operations, in the order of `genotypes.py`.
    pub const fn operations(self) -> &'static [Operation] {
        use Operation::*;
        match self {
            Self::NasNet => &[
                SkipConnect,
                Conv3x1Conv1x3,
                Conv7x1Conv1x7,
                DilConv3x3,
                AvgPool3x3,
                MaxPool3x3,
                MaxPool5x5,
                MaxPool7x7,
                Conv1x1,
                Conv3x3,
                SepConv3x3,
                SepConv5x5,
                SepConv7x7,
            ],
            Self::Amoeba => &[
                SkipConnect,
                SepConv3x3,
                SepConv5x5,
                SepConv7x7,
                AvgPool3x3,
                MaxPool3x3,
                DilSepConv3x3,
                Conv7x1Conv1x7,
            ],
            Self::Pnas => {
                &[SepConv3x3, SepConv5x5, SepConv7x7, Conv7x1Conv1x7, SkipConnect, AvgPool3x3, MaxPool3x3, DilConv3x3]
            }
            Self::Enas => &[SkipConnect, SepConv3x3, SepConv5x5, AvgPool3x3, MaxPool3x3],
            Self::Darts => &[None, MaxPool3x3, AvgPool3x3, SkipConnect, SepConv3x3, SepConv5x5, DilConv3x3, DilConv5x5],
        }
    }

    /// Nodes of a cell.
    pub const fn nodes(self) -> usize {
        match self {
            Self::Darts => 4,
            _ => 5,
        }
    }

    /// Whether the output are all nodes; else those that no later node reads.
    pub const fn takes_all_nodes(self) -> bool {
        matches!(self, Self::Pnas | Self::Darts)
    }
}
