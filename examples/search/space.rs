//! What the driver needs of a search space beside searching it.

use aznas::Error;
use aznas::graph::Network;
use aznas::search::SearchSpace;
use aznas::search::mbv2::StructureSpace;
use aznas::search::nb201::CellSpace;
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork};
use std::fmt::Display;
use std::str::FromStr;

/// A search space whose architectures can be written down, read back and scored.
pub trait ScoredSpace: SearchSpace<Architecture: Display + FromStr<Err = Error> + Send> + Sync {
    /// Its kind of network.
    type Network: Network;

    /// The network of an architecture.
    fn network(&self, architecture: &Self::Architecture) -> Self::Network;
}

impl ScoredSpace for CellSpace {
    type Network = CellNetwork;

    fn network(&self, &cell: &Cell) -> CellNetwork {
        CellNetwork { cell, skeleton: self.skeleton }
    }
}

impl ScoredSpace for StructureSpace {
    type Network = UnitNetwork;

    fn network(&self, &structure: &Structure) -> UnitNetwork {
        UnitNetwork { structure, classes: self.classes, target_resolution: self.target_resolution }
    }
}
