//! Drawing cells and varying them.
//!
//! The benchmark's example draws and mutates a matrix of seven vertices, every pair by itself, and drops what lies on no
//! path. That leaves cells of four or five vertices, while six of seven cells of the benchmark have seven. So here cells are
//! drawn evenly, and a mutation is one change of a cell itself.

use super::{Cell, MAX_EDGES, MAX_VERTICES, Operation, bit, pairs};
use crate::base::rng::below;
use core::cmp::Ordering;
use rand_core::Rng;

/// Graphs of two to seven vertices, of which each lies on a path from input to output, with at most nine edges.
const GRAPHS: [u64; MAX_VERTICES - 1] = [1, 2, 10, 121, 1545, 4793];

/// Draws after which a cell stays as it is. Of seven vertices one draw in 438 is a cell: nobody ever gets there.
const MAX_DRAWS: usize = 100_000;

impl Cell {
    /// A random cell: uniform over graphs and operations with the vertices in their order, so that of isomorphic cells each
    /// order counts.
    pub fn sample(rng: &mut (impl Rng + ?Sized)) -> Self {
        let cells = |(extra, graphs): (usize, &u64)| graphs * (Operation::ALL.len() as u64).pow(extra as u32);
        let mut place = below(rng, GRAPHS.iter().enumerate().map(cells).sum());
        let mut vertices = 2;
        for entry in GRAPHS.iter().enumerate().map(cells) {
            if place < entry {
                break;
            }
            (place, vertices) = (place - entry, vertices + 1);
        }
        let mut cell = Self::of(vertices, 0, &[]);
        for vertex in cell.interior() {
            cell.operations[vertex - 1] = operation(rng);
        }
        let masks = 1 << pairs(vertices).count();
        for _ in 0..MAX_DRAWS {
            cell.edges = below(rng, masks) as u32;
            if cell.is_whole() {
                return cell;
            }
        }
        Self::of(2, bit(0, 1), &[])
    }

    /// A random variation, another cell: a pair of vertices gains or loses its edge, a vertex gets another operation, or a
    /// vertex with one source and one target is added or taken away. Vertices are taken away as rarely as the reverse
    /// is drawn, so that a long walk visits cells of all sizes about evenly.
    pub fn mutate(&self, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut draw = || self.varied(rng).filter(|mutant| mutant != self && mutant.is_whole());
        (0..MAX_DRAWS).find_map(|_| draw()).unwrap_or(*self)
    }

    /// One change, if it can be made; maybe to what is no cell.
    fn varied(&self, rng: &mut (impl Rng + ?Sized)) -> Option<Self> {
        let mut mutant = *self;
        let (pairs, interior) = (pairs(self.vertices()).count(), self.interior().len());
        match below(rng, (pairs + interior + 2) as u64) as usize {
            pair if pair < pairs => mutant.edges ^= 1 << pair,
            place if place < pairs + interior => {
                let operation = &mut mutant.operations[place - pairs];
                let offset = 1 + below(rng, Operation::ALL.len() as u64 - 1) as usize;
                *operation = Operation::ALL[(*operation as usize + offset) % Operation::ALL.len()];
            }
            place if place == pairs + interior => return self.with_vertex(rng),
            _ => return self.without_vertex(rng),
        }
        Some(mutant)
    }

    /// The cell with one vertex more; `None` if it has all it can have.
    fn with_vertex(&self, rng: &mut (impl Rng + ?Sized)) -> Option<Self> {
        if self.vertices() == MAX_VERTICES {
            return None;
        }
        let vertex = 1 + below(rng, self.output() as u64) as usize;
        let mut cell = self.moved(self.vertices() + 1, |old| if old < vertex { Some(old) } else { Some(old + 1) });
        cell.operations[vertex - 1] = operation(rng);
        let source = below(rng, vertex as u64) as usize;
        let target = vertex + 1 + below(rng, (cell.output() - vertex) as u64) as usize;
        cell.edges |= bit(source, vertex) | bit(vertex, target);
        Some(cell)
    }

    /// The cell without one of its vertices, which had one source and one target.
    fn without_vertex(&self, rng: &mut (impl Rng + ?Sized)) -> Option<Self> {
        let vertex = 1 + below(rng, self.interior().len() as u64) as usize;
        let is_simple = self.edges().filter(|&(source, target)| source == vertex || target == vertex).count() == 2;
        if self.interior().is_empty() || !is_simple {
            return None;
        }
        // The operations, sources and targets that adding this vertex has to choose from.
        let choices = Operation::ALL.len() * vertex * (self.output() - vertex);
        if below(rng, choices as u64) > 0 {
            return None;
        }
        Some(self.moved(self.vertices() - 1, |old| match old.cmp(&vertex) {
            Ordering::Less => Some(old),
            Ordering::Equal => None,
            Ordering::Greater => Some(old - 1),
        }))
    }

    /// The edges and operations of the vertices that have a place in a cell of so many vertices.
    fn moved(&self, vertices: usize, place: impl Fn(usize) -> Option<usize>) -> Self {
        let mut cell = Self::of(vertices, 0, &[]);
        for (source, target) in self.edges() {
            if let (Some(source), Some(target)) = (place(source), place(target)) {
                cell.edges |= bit(source, target);
            }
        }
        for old in self.interior() {
            if let Some(new) = place(old) {
                cell.operations[new - 1] = self.operation(old);
            }
        }
        cell
    }

    /// Whether every vertex lies on a path and there are not too many edges.
    fn is_whole(&self) -> bool {
        self.edge_count() <= MAX_EDGES && self.dead_vertex().is_none()
    }
}

fn operation(rng: &mut (impl Rng + ?Sized)) -> Operation {
    Operation::ALL[below(rng, Operation::ALL.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::generator;
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;
    use std::string::ToString;

    #[test]
    fn graphs_are_as_many_as_are_counted() {
        for (vertices, graphs) in (2..).zip(GRAPHS) {
            let masks = 0..1u32 << pairs(vertices).count();
            let whole = masks.filter(|&edges| Cell::of(vertices, edges, &[]).is_whole()).count();
            assert_eq!(whole as u64, graphs, "{vertices}");
        }
    }

    #[test]
    fn samples_are_even() {
        let mut rng = generator(1);
        let mut sizes = [0u32; MAX_VERTICES + 1];
        let mut graphs = BTreeMap::new();
        for _ in 0..20_000 {
            let cell = Cell::sample(&mut rng);
            assert_eq!(cell.to_string().parse(), Ok(cell));
            sizes[cell.vertices()] += 1;
            *graphs.entry((cell.vertices, cell.edges)).or_insert(0u32) += 1;
        }
        // Shares of 4793 · 243, 1545 · 81 and 121 · 27 among 1 293 208, within 5 standard deviations.
        for (vertices, mean, deviation) in [(7, 18012.4, 42.3), (6, 1935.4, 41.8), (5, 50.5, 7.1)] {
            assert!((f64::from(sizes[vertices]) - mean).abs() < 5.0 * deviation, "{sizes:?}");
        }
        // No graph of seven vertices is drawn much more often than 18012 / 4793 = 3.8 times.
        assert!(graphs.values().all(|&count| count < 20) && graphs.len() > 4000, "{}", graphs.len());
    }

    /// Every neighbour by an edge or an operation is found, and no other.
    #[test]
    fn mutants_differ_in_one_change() {
        let mut rng = generator(2);
        for text in ["2:1:", "3:111:3", "5:1101101111:31m", "7:101010101100001000001:333mm"] {
            let parent = Cell::parse(text).unwrap();
            let mutants: BTreeSet<Cell> = (0..5_000).map(|_| parent.mutate(&mut rng)).collect();
            assert!(!mutants.contains(&parent), "{text}");
            for mutant in &mutants {
                assert_eq!(mutant.to_string().parse(), Ok(*mutant), "{text}");
                assert!(mutant.vertices().abs_diff(parent.vertices()) <= 1, "{text}: {mutant}");
            }
            let mut neighbours = BTreeSet::new();
            for pair in 0..pairs(parent.vertices()).count() {
                neighbours.insert(Cell { edges: parent.edges ^ 1 << pair, ..parent });
            }
            for vertex in parent.interior() {
                for operation in Operation::ALL {
                    let mut other = parent;
                    other.operations[vertex - 1] = operation;
                    neighbours.insert(other);
                }
            }
            neighbours.remove(&parent);
            neighbours.retain(Cell::is_whole);
            let same: BTreeSet<_> = mutants.iter().copied().filter(|m| m.vertices() == parent.vertices()).collect();
            assert_eq!(same, neighbours, "{text}");
            let grows = mutants.iter().any(|mutant| mutant.vertices() > parent.vertices());
            assert_eq!(grows, parent.vertices() < MAX_VERTICES && parent.edge_count() + 2 <= MAX_EDGES, "{text}");
        }
    }

    #[test]
    fn walks_visit_cells_of_every_size() {
        let mut rng = generator(3);
        let mut cell = Cell::parse("2:1:").unwrap();
        let mut sizes = [0u32; MAX_VERTICES + 1];
        for _ in 0..5_000 {
            cell = cell.mutate(&mut rng);
            sizes[cell.vertices()] += 1;
        }
        // Nine of ten labelled cells have seven vertices.
        assert!(sizes[3..].iter().all(|&count| count > 0) && sizes[7] > 2500 && sizes[6] > 100, "{sizes:?}");
    }
}
