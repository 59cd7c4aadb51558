//! Drawing architectures and varying them.

use super::{Architecture, Cell, Edge, LAST, MAX_NODES, Operation, Operators};
use crate::base::rng::below;
use rand_core::Rng;

/// Draws after which a cell is made to read its input. One draw in some dozens does not: nobody ever gets there.
const MAX_DRAWS: usize = 1000;

impl Operators {
    /// A random architecture of this width and depth: every operation and every state of each edge is equally likely, among
    /// cells that read the output of the cell before. The two states of a node of DARTS differ.
    pub fn sample(self, [width, depth]: [u32; 2], rng: &mut (impl Rng + ?Sized)) -> Architecture {
        let [normal, reduction] = [(); 2].map(|()| self.draw(rng));
        Architecture { normal, reduction, width, depth }
    }

    /// A random variation: one edge of one of the cells gets another operation or another state. What the output is made of
    /// follows the space's rule.
    pub fn mutate(self, parent: &Architecture, rng: &mut (impl Rng + ?Sized)) -> Architecture {
        let mut mutant = *parent;
        for _ in 0..MAX_DRAWS {
            let of_normal = below(rng, 2) == 0;
            let cell = if of_normal { parent.normal() } else { parent.reduction() };
            let Some(varied) = self.varied(cell, rng) else { continue };
            *(if of_normal { &mut mutant.normal } else { &mut mutant.reduction }) = varied;
            break;
        }
        mutant
    }

    fn draw(self, rng: &mut (impl Rng + ?Sized)) -> Cell {
        let skip = Edge { operation: Operation::SkipConnect, state: LAST };
        let mut nodes = [[skip; 2]; MAX_NODES];
        let nodes = &mut nodes[..self.nodes()];
        for _ in 0..MAX_DRAWS {
            for (place, node) in nodes.iter_mut().enumerate() {
                *node = [(); 2]
                    .map(|()| Edge { operation: self.operation(rng), state: below(rng, place as u64 + 2) as u8 });
                if self.states_differ() {
                    let offset = 1 + below(rng, place as u64 + 1) as u8;
                    node[1].state = (node[0].state + offset) % (place as u8 + 2);
                }
            }
            if let Some(cell) = self.finished(nodes) {
                return cell;
            }
        }
        let mut cell = Cell::EMPTY;
        cell.push_node([skip; 2]);
        cell.push_part(2);
        cell
    }

    fn operation(self, rng: &mut (impl Rng + ?Sized)) -> Operation {
        self.operations()[below(rng, self.operations().len() as u64) as usize]
    }

    /// One change; `None` if it makes no cell of the space.
    fn varied(self, cell: &Cell, rng: &mut (impl Rng + ?Sized)) -> Option<Cell> {
        let mut mutant = *cell;
        let nodes = &mut mutant.nodes[..cell.nodes().len()];
        let place = below(rng, nodes.len() as u64) as usize;
        let node = &mut nodes[place];
        let before = *node;
        let edge = &mut node[below(rng, 2) as usize];
        if below(rng, 2) == 0 {
            edge.operation = self.operation(rng);
        } else {
            edge.state = below(rng, place as u64 + 2) as u8;
        }
        if *node == before || (self.states_differ() && node[0].state == node[1].state) {
            return None;
        }
        self.finished(nodes)
    }

    /// Whether the states of a node differ: the two strongest of a relaxed cell come from different ones.
    fn states_differ(self) -> bool {
        self == Self::Darts
    }

    /// The cell of these nodes with the output that the space prescribes, if it reads the output of the cell before.
    fn finished(self, nodes: &[[Edge; 2]]) -> Option<Cell> {
        let mut cell = Cell::EMPTY;
        nodes.iter().for_each(|&node| cell.push_node(node));
        for part in 2..cell.states() as u8 {
            let is_read = nodes.as_flattened().iter().any(|edge| edge.state == part);
            if self.takes_all_nodes() || !is_read {
                cell.push_part(part);
            }
        }
        cell.reads_last().then_some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::generator;
    use std::collections::{BTreeMap, BTreeSet};

    const SIZE: [u32; 2] = [16, 8];

    /// Whether an architecture is of the space, by its definition.
    fn belongs(operators: Operators, architecture: &Architecture) {
        for cell in [architecture.normal(), architecture.reduction()] {
            assert_eq!(Cell::new(cell.nodes(), cell.parts()), Ok(*cell));
            assert_eq!(cell.nodes().len(), operators.nodes());
            assert!(cell.edges().iter().all(|edge| operators.operations().contains(&edge.operation)));
            let loose = |&part: &u8| cell.edges().iter().all(|edge| edge.state != part);
            let all = 2..cell.states() as u8;
            let expected: std::vec::Vec<u8> =
                if operators.takes_all_nodes() { all.collect() } else { all.filter(loose).collect() };
            assert_eq!(cell.parts(), expected);
            assert!(operators != Operators::Darts || cell.nodes().iter().all(|[a, b]| a.state != b.state));
        }
        assert_eq!([architecture.width(), architecture.depth()], SIZE);
    }

    #[test]
    fn samples_are_of_the_space_and_even() {
        for operators in Operators::ALL {
            let mut rng = generator(1);
            let mut counts: BTreeMap<Operation, f64> = BTreeMap::new();
            let mut all = BTreeSet::new();
            for _ in 0..2000 {
                let architecture = operators.sample(SIZE, &mut rng);
                belongs(operators, &architecture);
                architecture.normal().edges().iter().for_each(|e| *counts.entry(e.operation).or_default() += 1.0);
                all.insert(architecture);
            }
            assert_eq!(all.len(), 2000, "no architecture is drawn twice");
            let mean = 2000.0 * 2.0 * operators.nodes() as f64 / operators.operations().len() as f64;
            assert_eq!(counts.len(), operators.operations().len());
            // None is drawn a little less often, as with it a cell may not read its input.
            for (operation, count) in counts {
                let tolerance = if operation == Operation::None { 0.1 * mean } else { 6.0 * mean.sqrt() };
                assert!((count - mean).abs() < tolerance, "{operators:?} {operation:?}: {count} of {mean}");
            }
        }
    }

    /// Every neighbour is found, and no other.
    #[test]
    fn mutants_differ_in_one_edge() {
        for operators in Operators::ALL {
            let mut rng = generator(2);
            let parent = operators.sample(SIZE, &mut rng);
            let mut expected = BTreeSet::new();
            for of_normal in [true, false] {
                let cell = if of_normal { parent.normal() } else { parent.reduction() };
                for place in 0..cell.nodes().len() {
                    for side in 0..2 {
                        let edge = cell.nodes()[place][side];
                        let others = operators.operations().iter().map(|&operation| Edge { operation, ..edge });
                        for other in others.chain((0..place as u8 + 2).map(|state| Edge { state, ..edge })) {
                            let mut nodes = cell.nodes().to_vec();
                            nodes[place][side] = other;
                            let [a, b] = nodes[place];
                            if other == edge || (operators == Operators::Darts && a.state == b.state) {
                                continue;
                            }
                            if let Some(cell) = operators.finished(&nodes) {
                                let mut mutant = parent;
                                *(if of_normal { &mut mutant.normal } else { &mut mutant.reduction }) = cell;
                                expected.insert(mutant);
                            }
                        }
                    }
                }
            }
            let mutants: BTreeSet<Architecture> = (0..20_000).map(|_| operators.mutate(&parent, &mut rng)).collect();
            mutants.iter().for_each(|mutant| belongs(operators, mutant));
            assert_eq!(mutants, expected, "{operators:?}");
        }
    }
}
