//! NAS-Bench-101: a cell of at most seven vertices and nine edges, every vertex inside one of three operations.
//!
//! Source: Ying et al., *NAS-Bench-101*, ICML 2019, and its programs (`model_spec.py`, `model_builder.py`, `graph_util.py`).
//! Vertex 0 is the input of the cell and the last vertex its output; edges lead from earlier to later vertices. The same
//! cell is repeated through a fixed [`Skeleton`].

mod cost;
mod enumeration;
mod grammar;
mod hash;
mod md5;
mod network;
mod policy;
mod sampling;
mod space;

pub use cost::Skeleton;
pub use enumeration::Cells;
pub use hash::Fingerprint;
pub use network::CellNetwork;
pub use policy::POLICY;
pub use space::CellSpace;

use crate::Error;
use core::ops::Range;

/// The most vertices of a cell, input and output included.
pub const MAX_VERTICES: usize = 7;

/// The most edges of a cell.
pub const MAX_EDGES: usize = 9;

/// The most vertices between input and output.
pub const MAX_INTERIOR: usize = MAX_VERTICES - 2;

/// Number of cells that are not isomorphic.
pub const CELLS: usize = 423_624;

/// What a vertex does to the sum of what its edges carry, in the benchmark's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// 3×3 convolution, batch normalisation, ReLU.
    Conv3x3,
    /// 1×1 convolution, batch normalisation, ReLU.
    Conv1x1,
    /// 3×3 maximum with stride 1.
    MaxPool3x3,
}

impl Operation {
    /// Every operation, in the benchmark's order.
    pub const ALL: [Self; 3] = [Self::Conv3x3, Self::Conv1x1, Self::MaxPool3x3];
}

/// A candidate: vertices, edges and operations. Every vertex lies on a path from the input to the output.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    vertices: u8,
    /// Bit y (y − 1) / 2 + x says whether an edge leads from x to y.
    edges: u32,
    // Operations past the vertices are the first of all, so that the derived comparisons are those of `operations()`.
    operations: [Operation; MAX_INTERIOR],
}

/// The bit of an edge from `source` to the later `target`.
const fn bit(source: usize, target: usize) -> u32 {
    1 << (target * (target - 1) / 2 + source)
}

/// All edges that a cell of so many vertices can have: (source, target), in the order of their bits.
fn pairs(vertices: usize) -> impl Iterator<Item = (usize, usize)> {
    (1..vertices).flat_map(|target| (0..target).map(move |source| (source, target)))
}

impl Cell {
    /// The cell of these edges, each from an earlier to a later vertex, and the operations of the vertices between
    /// input and output.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `operations` or `edges`: more than five vertices inside, more than nine edges, an edge
    /// that does not lead forwards or leads out of the cell, a vertex that lies on no path from input to output.
    pub fn new(edges: &[(usize, usize)], operations: &[Operation]) -> Result<Self, Error> {
        if operations.len() > MAX_INTERIOR {
            return Err(Error::Invalid { field: "operations", expected: "at most 5" });
        }
        let vertices = operations.len() + 2;
        let mut cell = Self::of(vertices, 0, operations);
        for &(source, target) in edges {
            if source >= target || target >= vertices {
                return Err(Error::Invalid {
                    field: "edges",
                    expected: "from an earlier vertex of the cell to a later",
                });
            }
            cell.edges |= bit(source, target);
        }
        if cell.edge_count() > MAX_EDGES {
            return Err(Error::Invalid { field: "edges", expected: "at most 9" });
        }
        match cell.dead_vertex() {
            None => Ok(cell),
            Some(_) => Err(Error::Invalid { field: "edges", expected: "through every vertex from input to output" }),
        }
    }

    /// A cell that is not checked.
    fn of(vertices: usize, edges: u32, operations: &[Operation]) -> Self {
        let mut all = [Operation::Conv3x3; MAX_INTERIOR];
        all[..operations.len()].copy_from_slice(operations);
        Self { vertices: vertices as u8, edges, operations: all }
    }

    /// Vertices, input and output included.
    pub fn vertices(&self) -> usize {
        self.vertices.into()
    }

    /// The number of the last vertex, the output.
    pub fn output(&self) -> usize {
        self.vertices() - 1
    }

    /// The vertices between input and output.
    pub fn interior(&self) -> Range<usize> {
        1..self.output()
    }

    /// The operations of the vertices between input and output.
    pub fn operations(&self) -> &[Operation] {
        &self.operations[..self.vertices() - 2]
    }

    /// The operation of a vertex between input and output.
    fn operation(&self, vertex: usize) -> Operation {
        self.operations[vertex - 1]
    }

    /// Whether an edge leads from `source` to the later `target`.
    pub fn has_edge(&self, source: usize, target: usize) -> bool {
        source < target && target < self.vertices() && self.edges & bit(source, target) != 0
    }

    /// The edges, by target and then source.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let cell = *self;
        pairs(self.vertices()).filter(move |&(source, target)| cell.has_edge(source, target))
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.edges.count_ones() as usize
    }

    /// The first vertex, input and output included, that lies on no path from input to output.
    fn dead_vertex(&self) -> Option<usize> {
        // As all edges lead forwards, whoever is reached at all is reached from the input, and leads to the output.
        let is_alive = |vertex: usize| {
            let reached = vertex == 0 || (0..vertex).any(|source| self.has_edge(source, vertex));
            reached
                && (vertex == self.output() || (vertex..self.vertices()).any(|target| self.has_edge(vertex, target)))
        };
        (0..self.vertices()).find(|&vertex| !is_alive(vertex))
    }

    /// Channels of every vertex in a cell from `input` channels to `output`; of vertices past the cell 0.
    ///
    /// The output's are dealt out among the vertices inside that lead to it, one more to the first of them where they
    /// cannot be dealt out evenly. Any other vertex has as many as the widest it leads to.
    pub fn channels(&self, input: u32, output: u32) -> [u32; MAX_VERTICES] {
        let mut channels = [0; MAX_VERTICES];
        channels[0] = input;
        channels[self.output()] = output;
        let parts = self.interior().filter(|&vertex| self.has_edge(vertex, self.output())).count() as u32;
        for (dealt, vertex) in (0..).zip(self.interior().filter(|&vertex| self.has_edge(vertex, self.output()))) {
            channels[vertex] = output / parts + u32::from(dealt < output % parts);
        }
        for vertex in self.interior().rev().filter(|&vertex| !self.has_edge(vertex, self.output())) {
            let later = vertex + 1..self.output();
            let widest = later.filter(|&target| self.has_edge(vertex, target)).map(|target| channels[target]).max();
            channels[vertex] = widest.unwrap_or(0);
        }
        channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_dealt_out_to_who_leads_to_the_output() {
        for (text, input, output, channels) in [
            ("2:1:", 3, 8, [3, 8, 0, 0, 0, 0, 0]),
            ("3:111:3", 8, 8, [8, 8, 8, 0, 0, 0, 0]),
            // Three lead to the output; the first of 128 = 43 + 43 + 42.
            ("5:1101101111:333", 128, 128, [128, 43, 43, 42, 128, 0, 0]),
            // Vertices 2 and 3 lead to the output; vertex 1 leads to 2.
            ("5:1011010011:1m3", 64, 128, [64, 64, 64, 64, 128, 0, 0]),
        ] {
            let cell = Cell::parse(text).unwrap();
            assert_eq!(cell.channels(input, output), channels, "{text}");
        }
        for cell in Cells::new().step_by(97) {
            let channels = cell.channels(60, 120);
            let to_output = cell.interior().filter(|&vertex| cell.has_edge(vertex, cell.output()));
            let dealt: u32 = to_output.clone().map(|vertex| channels[vertex]).sum();
            assert_eq!(dealt, if to_output.count() > 0 { 120 } else { 0 }, "{cell}");
            // No edge widens: what is added to a vertex has at least its channels.
            for (source, target) in cell.edges().filter(|&(source, target)| source > 0 && target < cell.output()) {
                assert!(channels[source] >= channels[target] && channels[target] > 0, "{cell}");
            }
        }
    }

    #[test]
    fn impossible_cells_are_refused() {
        use Operation::{Conv1x1, Conv3x3};
        let refused = |edges: &[(usize, usize)], operations: &[Operation]| match Cell::new(edges, operations) {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&[(0, 1)], &[Conv3x3; 6]), "operations");
        assert_eq!(refused(&[], &[]), "edges");
        assert_eq!(refused(&[(0, 1)], &[Conv1x1]), "edges");
        assert_eq!(refused(&[(0, 2)], &[Conv1x1]), "edges");
        assert_eq!(refused(&[(0, 1), (1, 2), (2, 1)], &[Conv1x1]), "edges");
        assert_eq!(refused(&[(0, 1), (1, 1), (1, 2)], &[Conv1x1]), "edges");
        assert_eq!(refused(&[(0, 1), (1, 3)], &[Conv1x1]), "edges");
        let all: std::vec::Vec<_> = pairs(5).collect();
        assert_eq!(refused(&all, &[Conv1x1; 3]), "edges");
        let cell = Cell::new(&all[1..], &[Conv1x1; 3]);
        assert!(matches!(cell, Err(Error::Invalid { field: "edges", .. })), "vertex 1 has no source");
        assert_eq!(Cell::new(&[(0, 1), (1, 2), (0, 2)], &[Conv1x1]), Cell::parse("3:111:1"));
    }
}
