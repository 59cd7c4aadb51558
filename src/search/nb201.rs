//! NAS-Bench-201 as a space to search.

use super::{Cost, SearchSpace};
use crate::Error;
use crate::base::rng::Generator;
use crate::spaces::nb201::{Cell, Skeleton};

/// Cells of NAS-Bench-201 in a given skeleton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellSpace {
    /// What every cell is repeated in.
    pub skeleton: Skeleton,
    /// Rows and columns of the images that costs are counted for.
    pub resolution: u32,
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
