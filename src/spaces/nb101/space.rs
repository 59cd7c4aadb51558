//! NAS-Bench-101 as a space.

use super::{Cell, CellNetwork, POLICY, Skeleton};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::Generator;
use crate::graph::StandIn;
use crate::spaces::{Cost, Policy, Reduction, SearchSpace, Settings, Space, of_target, text::printed, within};
use core::fmt::Display;

/// Cells of NAS-Bench-101 in a given skeleton.
///
/// Of isomorphic cells the benchmark has trained the least, see [`Cell::canonical`]; another order deals out channels in
/// another way, and then has some more or fewer parameters. So costs and networks are those of the least, however a cell
/// is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellSpace {
    /// What every cell is repeated in, as it is scored.
    pub skeleton: Skeleton,
    /// Channels of the first stack that costs are counted for.
    pub target_channels: u32,
    /// Rows and columns of the images that costs are counted for.
    pub target_resolution: u32,
    /// How much of the skeleton cells are scored in, if it is not whole: of the channels of each stack, and of its cells.
    pub reduction: Option<Reduction>,
}

impl SearchSpace for CellSpace {
    type Architecture = Cell;

    /// The benchmark names no cell to set out from.
    fn initial(&self) -> Option<Cell> {
        None
    }

    fn sample(&self, rng: &mut Generator) -> Cell {
        Cell::sample(rng).canonical()
    }

    /// Each replacement adds or takes an edge, or gives a vertex another operation.
    fn mutate(&self, parent: &Cell, replacements: usize, rng: &mut Generator) -> Cell {
        (0..replacements).fold(*parent, |cell, _| cell.mutate(rng).canonical())
    }

    /// Multiply-adds and parameters of the network that the benchmark trains. Layers are not counted.
    fn cost(&self, cell: &Cell) -> Result<Cost, Error> {
        let (cell, target) = (cell.canonical(), self.skeleton.with_channels(self.target_channels));
        Ok(Cost {
            complexity: target.macs(&cell, self.target_resolution).map_err(of_target)? as f64,
            parameters: target.params(&cell)?,
            ..Cost::default()
        })
    }
}

impl Space for CellSpace {
    type Network = CellNetwork;

    const POLICY: Policy = POLICY;

    fn new(settings: &Settings) -> Result<Self, Error> {
        let Settings { channels, cells, classes, target_channels, target_resolution, .. } = *settings;
        let skeleton = Skeleton::new(channels, cells, classes)?;
        within("target_channels", target_channels, 5..=65536, "from 5 to 65536")?;
        let smallest = Cell::parse("2:1:")?;
        Skeleton::CIFAR10.macs(&smallest, target_resolution).map_err(of_target)?;
        let space = Self { skeleton, target_channels, target_resolution, reduction: settings.reduction };
        if !SMALL {
            space.stand_in(&smallest)?;
        }
        Ok(space)
    }

    fn parse(&self, text: &[u8]) -> Result<Cell, Error> {
        Cell::parse(text)
    }

    fn network(&self, cell: &Cell) -> CellNetwork {
        let Self { skeleton, target_channels, target_resolution, .. } = *self;
        CellNetwork { cell: cell.canonical(), skeleton, target_channels, target_resolution }
    }

    fn target_network(&self, cell: &Cell) -> CellNetwork {
        let network = self.network(cell);
        CellNetwork { skeleton: self.skeleton.with_channels(self.target_channels), ..network }
    }

    fn stand_in(&self, cell: &Cell) -> Result<Option<StandIn<CellNetwork>>, Error> {
        let Some(reduction) = self.reduction.filter(|_| !SMALL) else { return Ok(None) };
        let counted = self.network(cell);
        let skeleton = self.skeleton.reduced(&reduction)?;
        let images = [self.target_resolution as usize; 2];
        Ok(Some(StandIn { scored: CellNetwork { skeleton, ..counted }, counted, images }))
    }

    fn layer(&self, cell: &Cell, index: usize) -> impl Display {
        let (cell, skeleton) = (cell.canonical(), self.skeleton);
        let cells = skeleton.cells() as usize;
        printed(move |f| match index.checked_sub(1) {
            None => write!(f, "stem to {}", skeleton.channels()),
            Some(place) if place == 3 * cells => write!(f, "head to {}", skeleton.classes()),
            Some(place) => write!(f, "cell {cell} to {}", skeleton.channels() << (place / cells)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::nb101::Cells;
    use crate::spaces::nb101::enumeration::orders;

    /// In whatever order their vertices are: all are scored and counted as the one that was trained.
    #[test]
    fn isomorphic_cells_are_the_same() {
        let space = CellSpace::new(&POLICY.settings).unwrap();
        let mut written_otherwise = 0;
        for trained in Cells::new().step_by(499) {
            let cost = space.cost(&trained).unwrap();
            for order in orders(trained.interior().len()) {
                let Some(cell) = trained.reordered(&order) else { continue };
                written_otherwise += u32::from(cell != trained);
                assert_eq!((space.cost(&cell), space.network(&cell).cell), (Ok(cost), trained), "{cell}");
            }
        }
        assert!(written_otherwise > 1000, "{written_otherwise}");
    }
}
