//! The cell spaces of NDS: ENAS, Amoeba, NASNet, PNAS and DARTS.
//!
//! Source: Radosavovic et al., *On Network Design Spaces for Visual Recognition*, ICCV 2019, and its programs (`genotypes.py`,
//! `nas.py`, `operations.py` of pycls). A cell reads the outputs of the two cells before it; each of its nodes is the sum of
//! two operations on earlier states, and some of the states, side by side, are what it makes. An architecture is a cell that
//! is repeated, a cell that halves the map, the filters it begins with and how many cells there are.

mod cost;
mod grammar;
mod network;
mod operation;
mod operators;
mod policy;
mod sampling;
mod space;
mod stem;

pub use network::CellNetwork;
pub use operation::Operation;
pub use operators::Operators;
pub use policy::POLICY;
pub use space::GenotypeSpace;
pub use stem::Stem;

use crate::Error;
use crate::spaces::{Reduction, within};

/// The most nodes of a cell.
pub const MAX_NODES: usize = 5;

/// The most states of a cell: its two inputs and its nodes.
pub const MAX_STATES: usize = MAX_NODES + 2;

/// The state that is the output of the cell before.
const LAST: u8 = 1;

/// An operation on a state: 0 is the output of the cell before the last, 1 that of the last, 2 and up are the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// What is done.
    pub operation: Operation,
    /// To which state.
    pub state: u8,
}

/// The nodes of a cell, and which of its states are its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    // What is past the counts is always the same, so that the derived comparisons are those of the lists.
    node_count: u8,
    nodes: [[Edge; 2]; MAX_NODES],
    part_count: u8,
    parts: [u8; MAX_STATES],
}

impl Cell {
    /// A cell of these nodes, each a sum of two edges, whose output are the states `parts` in their order.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `nodes` or `parts`: none or more than five nodes, a state that does not come earlier, no
    /// parts, parts that do not exist or are the same, and parts of which none depends on the output of the cell before,
    /// so that there is no gradient from the one to the other.
    pub fn new(nodes: &[[Edge; 2]], parts: &[u8]) -> Result<Self, Error> {
        if !(1..=MAX_NODES).contains(&nodes.len()) {
            return Err(Error::Invalid { field: "nodes", expected: "from 1 to 5" });
        }
        let mut cell = Self::EMPTY;
        for &node in nodes {
            if node.iter().any(|edge| usize::from(edge.state) >= cell.states()) {
                return Err(Error::Invalid { field: "nodes", expected: "of earlier states" });
            }
            cell.push_node(node);
        }
        for &part in parts {
            if usize::from(part) >= cell.states() || cell.parts().contains(&part) {
                return Err(Error::Invalid { field: "parts", expected: "different states of the cell" });
            }
            cell.push_part(part);
        }
        if !cell.reads_last() {
            return Err(Error::Invalid { field: "parts", expected: "some that the cell before leads to" });
        }
        Ok(cell)
    }

    /// No nodes and no parts.
    const EMPTY: Self = Self {
        node_count: 0,
        nodes: [[Edge { operation: Operation::None, state: 0 }; 2]; MAX_NODES],
        part_count: 0,
        parts: [0; MAX_STATES],
    };

    /// Adds a node to fewer than there can be.
    fn push_node(&mut self, node: [Edge; 2]) {
        self.nodes[usize::from(self.node_count)] = node;
        self.node_count += 1;
    }

    /// Adds a part to fewer than there can be.
    fn push_part(&mut self, part: u8) {
        self.parts[usize::from(self.part_count)] = part;
        self.part_count += 1;
    }

    /// The nodes: each is the sum of two edges.
    pub fn nodes(&self) -> &[[Edge; 2]] {
        &self.nodes[..self.node_count.into()]
    }

    /// All edges, two a node.
    pub fn edges(&self) -> &[Edge] {
        self.nodes().as_flattened()
    }

    /// The states that are the output, side by side.
    pub fn parts(&self) -> &[u8] {
        &self.parts[..self.part_count.into()]
    }

    /// Inputs and nodes.
    pub fn states(&self) -> usize {
        2 + usize::from(self.node_count)
    }

    /// Whether the output depends on that of the cell before.
    fn reads_last(&self) -> bool {
        let mut depends = [false; MAX_STATES];
        depends[usize::from(LAST)] = true;
        for (place, node) in self.nodes().iter().enumerate() {
            let leads = |edge: &Edge| edge.operation != Operation::None && depends[usize::from(edge.state)];
            depends[place + 2] = node.iter().any(leads);
        }
        self.parts().iter().any(|&part| depends[usize::from(part)])
    }
}

/// A candidate: two cells, width and depth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Architecture {
    normal: Cell,
    reduction: Cell,
    width: u32,
    depth: u32,
}

impl Architecture {
    /// The most filters that a network begins with.
    pub const MAX_WIDTH: u32 = 4096;

    /// The most cells of a network.
    pub const MAX_DEPTH: u32 = 256;

    /// `depth` cells that begin with `width` filters: a third and two thirds of the way through `reduction`, else `normal`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `width` or `depth` if it is out of range, or `parts` if an input of the reduction, which
    /// is larger than its nodes, is to be part of its output.
    pub fn new(normal: Cell, reduction: Cell, width: u32, depth: u32) -> Result<Self, Error> {
        check_size(width, depth)?;
        if reduction.parts().iter().any(|&part| part < 2) {
            return Err(Error::Invalid { field: "parts", expected: "nodes, where the cell halves the map" });
        }
        Ok(Self { normal, reduction, width, depth })
    }

    /// What is left of it: of its width, in steps of two where the stem halves it, and of the cells of each third of its
    /// depth.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no channel is left.
    fn reduced(&self, reduction: &Reduction, stem: Stem) -> Result<Self, Error> {
        let width = match stem {
            Stem::Cifar => reduction.channels(self.width)?,
            Stem::ImageNet => 2 * reduction.channels(self.width / 2)?,
        };
        Ok(Self { width, depth: self.depth.min(reduction.cells().saturating_mul(3)), ..*self })
    }

    /// The cell that keeps the size of the map.
    pub fn normal(&self) -> &Cell {
        &self.normal
    }

    /// The cell that halves it.
    pub fn reduction(&self) -> &Cell {
        &self.reduction
    }

    /// Filters of the first cell.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Cells in all.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether the cell at this place halves the map.
    fn reduces(&self, place: u32) -> bool {
        place == self.depth / 3 || place == 2 * self.depth / 3
    }

    /// Whether the output of the cell before the last is larger than that of the last, which the cell at this place reads.
    fn reads_larger(&self, place: u32, stem: Stem) -> bool {
        match place.checked_sub(1) {
            Some(before) => self.reduces(before),
            None => stem == Stem::ImageNet,
        }
    }

    /// Channels of the output of the cell before the last, which the cell at this place reads too.
    fn channels_before(&self, place: u32, stem: Stem) -> u32 {
        match place.checked_sub(2) {
            Some(before) => self.cell(before).parts().len() as u32 * self.filters(before),
            None => stem.channels(self.width),
        }
    }

    /// How often the map has been halved once the cell at this place has.
    fn halvings(&self, place: u32) -> u32 {
        (0..=place).filter(|&place| self.reduces(place)).count() as u32
    }

    /// The cell at a place.
    fn cell(&self, place: u32) -> &Cell {
        if self.reduces(place) { &self.reduction } else { &self.normal }
    }

    /// Channels of each state of the cell at a place.
    fn filters(&self, place: u32) -> u32 {
        self.width << self.halvings(place)
    }
}

/// Refuses a width or a depth out of range.
fn check_size(width: u32, depth: u32) -> Result<(), Error> {
    within("width", width, 1..=Architecture::MAX_WIDTH, "from 1 to 4096")?;
    within("depth", depth, 1..=Architecture::MAX_DEPTH, "from 1 to 256")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(operation: Operation, state: u8) -> Edge {
        Edge { operation, state }
    }

    #[test]
    fn impossible_cells_are_refused() {
        use Operation::{None, SkipConnect};
        let refused = |nodes: &[[Edge; 2]], parts: &[u8]| match Cell::new(nodes, parts) {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let node = [edge(SkipConnect, 0), edge(SkipConnect, 1)];
        assert_eq!(refused(&[], &[1]), "nodes");
        assert_eq!(refused(&[node; 6], &[2]), "nodes");
        assert_eq!(refused(&[[edge(SkipConnect, 2); 2]], &[2]), "nodes");
        assert_eq!(refused(&[node], &[]), "parts");
        assert_eq!(refused(&[node], &[3]), "parts");
        assert_eq!(refused(&[node], &[2, 2]), "parts");
        assert_eq!(refused(&[[edge(SkipConnect, 0); 2]], &[2]), "parts");
        assert_eq!(refused(&[[edge(SkipConnect, 0), edge(None, 1)]], &[0, 2]), "parts");
        let cell = Cell::new(&[node], &[2]).unwrap();
        assert_eq!((cell.nodes(), cell.parts(), cell.states()), (&[node][..], &[2][..], 3));

        let through = Cell::new(&[node], &[1, 2]).unwrap();
        let field = |result: Result<Architecture, Error>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(Architecture::new(cell, through, 16, 8)), "parts");
        assert_eq!(field(Architecture::new(through, cell, 0, 8)), "width");
        assert_eq!(field(Architecture::new(through, cell, 4097, 8)), "width");
        assert_eq!(field(Architecture::new(through, cell, 16, 0)), "depth");
        assert_eq!(field(Architecture::new(through, cell, 16, 257)), "depth");
        assert!(Architecture::new(through, cell, 16, 8).is_ok());
    }

    #[test]
    fn reductions_are_at_a_third_and_two_thirds() {
        let cell = Cell::new(&[[edge(Operation::SkipConnect, 1); 2]], &[2]).unwrap();
        for (depth, reductions, filters) in [
            (1, &[0][..], 32),
            (2, &[0, 1], 64),
            (3, &[1, 2], 64),
            (4, &[1, 2], 64),
            (8, &[2, 5], 64),
            (20, &[6, 13], 64),
        ] {
            let architecture = Architecture::new(cell, cell, 16, depth).unwrap();
            let found: std::vec::Vec<u32> = (0..depth).filter(|&place| architecture.reduces(place)).collect();
            assert_eq!(found, reductions, "{depth}");
            assert_eq!(architecture.filters(depth - 1), filters, "{depth}");
        }
    }
}
