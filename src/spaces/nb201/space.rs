//! NAS-Bench-201 as a space.

use super::{Cell, CellNetwork, EDGES, Operation, POLICY, Skeleton};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::Generator;
use crate::graph::StandIn;
use crate::spaces::{Cost, Policy, Reduction, SearchSpace, Settings, Space, of_target, text::printed};
use core::fmt::Display;

/// Cells of NAS-Bench-201 in a given skeleton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellSpace {
    /// What every cell is repeated in.
    pub skeleton: Skeleton,
    /// Rows and columns of the images that costs are counted for.
    pub resolution: u32,
    /// What is left of the skeleton where cells are scored, if it is not whole: of the channels of each stage, and of its cells.
    pub reduction: Option<Reduction>,
}

impl SearchSpace for CellSpace {
    type Architecture = Cell;

    /// The benchmark names no cell to set out from.
    fn initial(&self) -> Option<Cell> {
        None
    }

    fn sample(&self, rng: &mut Generator) -> Cell {
        Cell::sample(rng)
    }

    /// Each replacement gives an edge another operation.
    fn mutate(&self, parent: &Cell, replacements: usize, rng: &mut Generator) -> Cell {
        (0..replacements).fold(*parent, |cell, _| cell.mutate(rng))
    }

    /// Multiply-adds and parameters by the benchmark's convention. Layers do not differ and are not counted.
    fn cost(&self, cell: &Cell) -> Result<Cost, Error> {
        Ok(Cost {
            complexity: self.skeleton.macs(cell, self.resolution)? as f64,
            parameters: self.skeleton.params(cell)?,
            ..Cost::default()
        })
    }
}

impl Space for CellSpace {
    type Network = CellNetwork;

    const POLICY: Policy = POLICY;

    fn new(settings: &Settings) -> Result<Self, Error> {
        let skeleton = Skeleton::new(settings.channels, settings.cells, settings.classes)?;
        let space = Self { skeleton, resolution: settings.target_resolution, reduction: settings.reduction };
        if !SMALL && space.reduction.is_some() {
            let cell = Cell([Operation::None; EDGES.len()]);
            space.skeleton.macs(&cell, space.resolution).map_err(of_target)?;
            space.stand_in(&cell)?;
        }
        Ok(space)
    }

    fn parse(&self, text: &[u8]) -> Result<Cell, Error> {
        Cell::parse(text)
    }

    fn network(&self, &cell: &Cell) -> CellNetwork {
        CellNetwork { cell, skeleton: self.skeleton }
    }

    fn stand_in(&self, &cell: &Cell) -> Result<Option<StandIn<CellNetwork>>, Error> {
        let Some(reduction) = self.reduction.filter(|_| !SMALL) else { return Ok(None) };
        Ok(Some(StandIn {
            scored: CellNetwork { cell, skeleton: self.skeleton.reduced(&reduction)? },
            counted: self.network(&cell),
            images: [self.resolution as usize; 2],
        }))
    }

    fn layer(&self, &cell: &Cell, index: usize) -> impl Display {
        let skeleton = self.skeleton;
        printed(move |f| {
            // A stage is its cells and the reduction after them; after the last stage comes the head.
            let stage = skeleton.cells() as usize + 1;
            match index {
                0 => write!(f, "stem to {}", skeleton.channels()),
                _ if index == 3 * stage => write!(f, "head to {}", skeleton.classes()),
                _ if index.is_multiple_of(stage) => f.write_str("reduction"),
                _ => write!(f, "cell {cell}"),
            }
        })
    }
}
