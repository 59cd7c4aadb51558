//! NAS-Bench-201: a cell of four nodes, every pair of them joined by one of five operations.
//!
//! Source: Dong and Yang, *NAS-Bench-201*, ICLR 2020, its topology search space, and the program that scores it in
//! Lee and Ham, *AZ-NAS*, CVPR 2024. Node 0 is the input of the cell and node 3 its output; a node is the sum of
//! what its incoming edges carry. The same cell is repeated through a fixed [`Skeleton`].

mod canonical;
mod cost;
mod grammar;
mod network;
mod policy;
mod space;

pub use canonical::{CanonicalForm, Equivalence};
pub use cost::Skeleton;
pub use network::CellNetwork;
pub use policy::POLICY;
pub use space::CellSpace;

use crate::Error;
use crate::base::rng::below;
use rand_core::Rng;

/// Nodes of a cell.
pub const NODES: usize = 4;

/// The edges of a cell as (source node, target node), in the order of [`Cell`].
pub const EDGES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];

/// Number of cells, 5⁶.
pub const CELLS: usize = Operation::ALL.len().pow(EDGES.len() as u32);

/// What an edge does to the value of its source node, in the benchmark's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Carries zero.
    None,
    /// Carries the value as it is.
    SkipConnect,
    /// ReLU, 1×1 convolution, batch normalisation.
    Conv1x1,
    /// ReLU, 3×3 convolution with padding 1, batch normalisation.
    Conv3x3,
    /// 3×3 average with stride 1; positions outside the image do not count.
    AvgPool3x3,
}

impl Operation {
    /// Every operation, in the benchmark's order.
    pub const ALL: [Self; 5] = [Self::None, Self::SkipConnect, Self::Conv1x1, Self::Conv3x3, Self::AvgPool3x3];

    /// The name in an architecture text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SkipConnect => "skip_connect",
            Self::Conv1x1 => "nor_conv_1x1",
            Self::Conv3x3 => "nor_conv_3x3",
            Self::AvgPool3x3 => "avg_pool_3x3",
        }
    }
}

/// A candidate: the operation of each of the [`EDGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(pub [Operation; EDGES.len()]);

impl Cell {
    /// All cells, by index.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator {
        (0..CELLS).map(Self::decode)
    }

    /// The position in the enumeration: the operations as digits of base 5, the first edge most significant.
    /// The released benchmark file is ordered differently; join with it by text.
    pub fn index(&self) -> usize {
        self.0.iter().fold(0, |index, &operation| index * Operation::ALL.len() + operation as usize)
    }

    /// The cell at a position of the enumeration.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `index` is not below [`CELLS`].
    pub fn from_index(index: usize) -> Result<Self, Error> {
        if index < CELLS {
            Ok(Self::decode(index))
        } else {
            Err(Error::Invalid { field: "index", expected: "below 15625" })
        }
    }

    fn decode(mut index: usize) -> Self {
        let mut operations = [Operation::None; EDGES.len()];
        for operation in operations.iter_mut().rev() {
            *operation = Operation::ALL[index % Operation::ALL.len()];
            index /= Operation::ALL.len();
        }
        Self(operations)
    }

    /// A uniformly drawn cell: every edge on its own, in order.
    pub fn sample(rng: &mut (impl Rng + ?Sized)) -> Self {
        Self(core::array::from_fn(|_| Operation::ALL[below(rng, Operation::ALL.len() as u64) as usize]))
    }

    /// This cell with the operation of one uniformly drawn edge replaced by a different, uniformly drawn one.
    pub fn mutate(&self, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut mutant = *self;
        let edge = &mut mutant.0[below(rng, EDGES.len() as u64) as usize];
        let offset = 1 + below(rng, Operation::ALL.len() as u64 - 1) as usize;
        *edge = Operation::ALL[(*edge as usize + offset) % Operation::ALL.len()];
        mutant
    }

    /// For each edge, whether it lies on a path from input to output that no [`Operation::None`] cuts.
    /// Only these edges can influence the output.
    pub fn live_edges(&self) -> [bool; EDGES.len()] {
        let mut from_input = [false; NODES];
        from_input[0] = true;
        let mut to_output = [false; NODES];
        to_output[NODES - 1] = true;
        let passes = self.0.map(|operation| operation != Operation::None);
        // `EDGES` is sorted by target, so one sweep in each direction settles every node.
        for (&(source, target), passes) in EDGES.iter().zip(passes) {
            from_input[target] |= passes && from_input[source];
        }
        for (&(source, target), passes) in EDGES.iter().zip(passes).rev() {
            to_output[source] |= passes && to_output[target];
        }
        core::array::from_fn(|edge| {
            let (source, target) = EDGES[edge];
            passes[edge] && from_input[source] && to_output[target]
        })
    }

    /// Whether the output is zero whatever the input and the weights.
    pub fn is_zero(&self) -> bool {
        self.live_edges() == [false; EDGES.len()]
    }

    /// Whether the output equals the input whatever the weights.
    pub fn is_identity(&self) -> bool {
        self.canonical(Equivalence::Strict).as_bytes() == b"0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::generator;

    #[test]
    fn the_enumeration_has_the_first_edge_most_significant() {
        use Operation::{AvgPool3x3, None, SkipConnect};
        for (index, operations) in [
            (0, [None; 6]),
            (1, [None, None, None, None, None, SkipConnect]),
            (124, [None, None, None, AvgPool3x3, AvgPool3x3, AvgPool3x3]),
            (625, [None, SkipConnect, None, None, None, None]),
            (3125, [SkipConnect, None, None, None, None, None]),
            (15624, [AvgPool3x3; 6]),
        ] {
            assert_eq!(Cell::from_index(index), Ok(Cell(operations)));
        }
        assert!(Cell::all().enumerate().all(|(index, cell)| cell.index() == index));
        assert_eq!(Cell::all().len(), 15625);
        assert_eq!(Cell::from_index(CELLS), Err(Error::Invalid { field: "index", expected: "below 15625" }));
    }

    #[test]
    fn zero_and_identity_cells_are_as_many_as_published() {
        assert_eq!(Cell::all().filter(Cell::is_zero).count(), 341);
        assert_eq!(Cell::all().filter(Cell::is_identity).count(), 400);
    }

    /// An edge is live exactly if some none-free path, all of which are listed here, uses it.
    #[test]
    fn live_edges_are_those_of_the_open_paths() {
        let paths: [&[usize]; 4] = [&[3], &[0, 4], &[1, 5], &[0, 2, 5]];
        for cell in Cell::all() {
            let mut expected = [false; 6];
            for path in paths {
                if path.iter().all(|&edge| cell.0[edge] != Operation::None) {
                    path.iter().for_each(|&edge| expected[edge] = true);
                }
            }
            assert_eq!(cell.live_edges(), expected, "{cell}");
        }
    }

    #[test]
    fn samples_are_uniform_on_every_edge() {
        let mut rng = generator(1);
        let mut counts = [[0u32; 5]; 6];
        for _ in 0..50_000 {
            let cell = Cell::sample(&mut rng);
            cell.0.iter().zip(&mut counts).for_each(|(&operation, counts)| counts[operation as usize] += 1);
        }
        // 5 standard deviations of a binomial count of mean 10^4 (p = 1/5).
        assert!(counts.iter().flatten().all(|count| count.abs_diff(10_000) < 450), "{counts:?}");
    }

    #[test]
    fn mutants_differ_in_one_edge_uniformly() {
        let mut rng = generator(2);
        let parent = Cell(core::array::from_fn(|edge| Operation::ALL[edge % 5]));
        let mut counts = [[0u32; 5]; 6];
        for _ in 0..24_000 {
            let mutant = parent.mutate(&mut rng);
            let mut changed = (0..6).filter(|&edge| mutant.0[edge] != parent.0[edge]);
            let edge = changed.next().expect("an edge changes");
            assert_eq!(changed.next(), None);
            counts[edge][mutant.0[edge] as usize] += 1;
        }
        for (counts, parent) in counts.iter().zip(parent.0) {
            for (operation, count) in Operation::ALL.iter().zip(counts) {
                // 5 standard deviations of a binomial count of mean 10^3.
                assert!(if *operation == parent { *count == 0 } else { count.abs_diff(1000) < 160 }, "{counts:?}");
            }
        }
    }
}
