//! Every cell once, and which cells are the same.
//!
//! Two cells are isomorphic if one is the other with the vertices between input and output in another order. Of those the
//! least, by vertices, edges and operations, stands for all. That is the one that the benchmark's generator finds first, and
//! has trained: the published parameters are its own.

use super::{Cell, MAX_EDGES, MAX_INTERIOR, MAX_VERTICES, Operation, bit, pairs};

/// Orders of at most five things.
const ORDERS: usize = 120;

/// An order of the vertices between input and output: where each of them, from vertex 1 on, goes.
pub(super) type Order = [u8; MAX_INTERIOR];

/// Every order of `count` things.
pub(super) fn orders(count: usize) -> impl Iterator<Item = Order> {
    let factorial: usize = (1..=count).product();
    (0..factorial).map(move |mut number| {
        let mut left: Order = core::array::from_fn(|i| i as u8);
        let mut order = left;
        for place in 0..count {
            let options = count - place;
            let pick = number % options;
            number /= options;
            order[place] = left[pick];
            left[pick..].rotate_left(1);
        }
        order
    })
}

impl Cell {
    /// The cell with its vertices in another order; `None` if an edge would lead backwards.
    pub(super) fn reordered(&self, order: &Order) -> Option<Self> {
        let place = |vertex: usize| match vertex {
            _ if self.interior().contains(&vertex) => usize::from(order[vertex - 1]) + 1,
            end => end,
        };
        let mut edges = 0;
        for (source, target) in self.edges() {
            let (source, target) = (place(source), place(target));
            if source >= target {
                return None;
            }
            edges |= bit(source, target);
        }
        let mut operations = self.operations;
        for vertex in self.interior() {
            operations[place(vertex) - 1] = self.operation(vertex);
        }
        Some(Self { edges, operations, ..*self })
    }

    /// The least of all isomorphic cells: equal for cells that are isomorphic, different otherwise.
    pub fn canonical(&self) -> Self {
        orders(self.interior().len()).filter_map(|order| self.reordered(&order)).min().unwrap_or(*self)
    }
}

/// Every cell of the benchmark once, the least of those that are isomorphic.
#[derive(Clone, Debug)]
pub struct Cells {
    /// A graph of the least order of its vertices, with no operations yet.
    graph: Cell,
    /// The orders that leave the graph as it is.
    symmetries: [Order; ORDERS],
    symmetry_count: usize,
    /// The next operations as a number of base 3; past the last if the graph is done.
    labels: u32,
}

impl Cells {
    /// From the first on.
    pub fn new() -> Self {
        let graph = Cell::of(2, 0, &[]);
        Self { graph, symmetries: [[0; MAX_INTERIOR]; ORDERS], symmetry_count: 0, labels: 1 }
    }

    fn label_count(&self) -> u32 {
        (Operation::ALL.len() as u32).pow(self.graph.interior().len() as u32)
    }

    /// The next graph whose vertices are in the least order, with its symmetries. False if there is none.
    fn next_graph(&mut self) -> bool {
        loop {
            let all = pairs(self.graph.vertices()).fold(0, |all, (source, target)| all | bit(source, target));
            if self.graph.edges < all {
                self.graph.edges += 1;
            } else if self.graph.vertices() < MAX_VERTICES {
                self.graph = Cell::of(self.graph.vertices() + 1, 1, &[]);
            } else {
                return false;
            }
            if self.graph.edge_count() <= MAX_EDGES && self.graph.dead_vertex().is_none() && self.find_symmetries() {
                return true;
            }
        }
    }

    /// Notes the symmetries of the graph; false if another order of its vertices is less.
    fn find_symmetries(&mut self) -> bool {
        self.symmetry_count = 0;
        for order in orders(self.graph.interior().len()) {
            match self.graph.reordered(&order) {
                Some(other) if other.edges < self.graph.edges => return false,
                Some(other) if other.edges == self.graph.edges => {
                    self.symmetries[self.symmetry_count] = order;
                    self.symmetry_count += 1;
                }
                _ => {}
            }
        }
        true
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Cells {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        loop {
            if self.labels == self.label_count() {
                if !self.next_graph() {
                    return None;
                }
                self.labels = 0;
            }
            let mut cell = self.graph;
            let mut number = self.labels;
            self.labels += 1;
            for vertex in cell.interior().rev() {
                cell.operations[vertex - 1] = Operation::ALL[(number % 3) as usize];
                number /= 3;
            }
            let symmetries = &self.symmetries[..self.symmetry_count];
            if symmetries.iter().all(|order| cell.reordered(order).is_none_or(|other| cell <= other)) {
                return Some(cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use crate::spaces::nb101::CELLS;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn orders_are_all_and_different() {
        for count in 0..=MAX_INTERIOR {
            let all: BTreeSet<Order> = orders(count).collect();
            assert_eq!(all.len(), (1..=count).product::<usize>());
            assert!(all.iter().all(|order| order[..count].iter().collect::<BTreeSet<_>>().len() == count));
        }
    }

    /// As many as published, none the same by the benchmark's names, so that no two names collide.
    #[test]
    fn the_enumeration_finds_every_cell_once() {
        let mut names: Vec<_> = Cells::new().map(|cell| cell.fingerprint()).collect();
        assert_eq!(names.len(), CELLS);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CELLS);
    }

    #[test]
    fn the_order_of_vertices_changes_neither_name_nor_canonical_cell() {
        let mut rng = generator(1);
        for cell in Cells::new().step_by(53) {
            assert_eq!(cell.canonical(), cell);
            let order = orders(cell.interior().len())
                .nth(below(&mut rng, ORDERS as u64) as usize)
                .unwrap_or(core::array::from_fn(|i| i as u8));
            if let Some(other) = cell.reordered(&order) {
                assert_eq!((other.canonical(), other.fingerprint()), (cell, cell.fingerprint()), "{other}");
            }
        }
    }
}
