//! What the driver needs of a search space beside searching it.

use aznas::Error;
use aznas::graph::Network;
use aznas::search::SearchSpace;
use aznas::search::mbv2::StructureSpace;
use aznas::search::nb201::CellSpace;
use aznas::spaces::mbv2::{Shortcut, Structure, Unit, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork};
use std::fmt::Display;
use std::str::FromStr;

/// A search space whose architectures can be written down, read back and scored.
pub trait ScoredSpace: SearchSpace<Architecture: Display + FromStr<Err = Error> + Send> + Sync {
    /// Its kind of network.
    type Network: Network;

    /// The network of an architecture.
    fn network(&self, architecture: &Self::Architecture) -> Self::Network;

    /// A name of a block of the network, or of its head past the last block. With the shape of its input it tells
    /// apart layers that do different work. It holds no comma.
    fn layer(&self, architecture: &Self::Architecture, index: usize) -> String;
}

impl ScoredSpace for CellSpace {
    type Network = CellNetwork;

    fn network(&self, &cell: &Cell) -> CellNetwork {
        CellNetwork { cell, skeleton: self.skeleton }
    }

    fn layer(&self, cell: &Cell, index: usize) -> String {
        // A stage is its cells and the reduction after them; after the last stage comes the head.
        let stage = self.skeleton.cells() as usize + 1;
        match index {
            0 => format!("stem to {}", self.skeleton.channels()),
            _ if index == 3 * stage => format!("head to {}", self.skeleton.classes()),
            _ if index.is_multiple_of(stage) => "reduction".to_string(),
            _ => format!("cell {cell}"),
        }
    }
}

impl ScoredSpace for StructureSpace {
    type Network = UnitNetwork;

    fn network(&self, &structure: &Structure) -> UnitNetwork {
        UnitNetwork { structure, classes: self.classes, target_resolution: self.target_resolution }
    }

    fn layer(&self, structure: &Structure, index: usize) -> String {
        match structure.units().nth(index) {
            Some(Unit::Conv { output, kernel, stride, .. }) => format!("conv k{kernel} s{stride} to {output}"),
            Some(Unit::InvertedResidual { output, hidden, kernel, stride, shortcut, .. }) => {
                let shortcut = match shortcut {
                    Shortcut::Identity => "identity",
                    Shortcut::Projection => "projection",
                };
                format!("residual k{kernel} s{stride} by {hidden} to {output} {shortcut}")
            }
            None => format!("head to {}", self.classes),
        }
    }
}
