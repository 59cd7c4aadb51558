//! Cells that compute the same function, told by equal canonical forms.
//!
//! The text of a node is built from the texts of its sources; sorting what is summed makes the order of the edges
//! irrelevant. The longest form has [`CAPACITY`] bytes, so everything lives in fixed arrays.
//!
//! Source: `Structure.to_unique_str` in `genotypes.py` of NAS-Bench-201.

use super::{Cell, EDGES, NODES, Operation};
use core::fmt;

/// Which cells count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Equivalence {
    /// The benchmark's rule, 6466 classes: skips disappear and a term that is cut becomes `#`, but a sum of zeros is
    /// not seen to be zero, and the terms of a skipped sum stay together.
    Official,
    /// The stricter rule, 4930 classes: zero terms are dropped, also those of nodes that are zero themselves, and
    /// skipped sums melt into the sum they go to. Repeated terms stay: x + x is not x.
    Strict,
}

/// Bytes of the longest form: `(…)@` and a name of 12 bytes on every edge.
/// Every edge adds 15 bytes to its source: node 1 has 16, node 2 has 16 + 1 + 31 = 48, node 3 has 16 + 1 + 31 + 1 + 63.
const CAPACITY: usize = 112;

/// Terms of the longest sum once skips have melted: one from each of nodes 0 and 1, two from node 2.
const TERMS: usize = 4;

/// The canonical form of a cell: equal for cells of the same class, different otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalForm {
    // Bytes past the length are zero, so that the derived comparisons are those of the text.
    bytes: [u8; CAPACITY],
    length: u8,
}

impl CanonicalForm {
    const EMPTY: Self = Self { bytes: [0; CAPACITY], length: 0 };

    fn of(text: &str) -> Self {
        let mut form = Self::EMPTY;
        form.push(text.as_bytes());
        form
    }

    fn push(&mut self, text: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + text.len()].copy_from_slice(text);
        self.length += text.len() as u8;
    }

    /// The form as ASCII text: `0` is the input, `(a)@op` an operation on the sum `a`, `#` a cut term.
    /// The strict form of a cell that is always zero is empty.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Display for CanonicalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for CanonicalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalForm({self})")
    }
}

/// What a node sums.
#[derive(Clone, Copy)]
struct Sum {
    terms: [CanonicalForm; TERMS],
    count: usize,
}

impl Sum {
    const ZERO: Self = Self { terms: [CanonicalForm::EMPTY; TERMS], count: 0 };

    fn of(term: CanonicalForm) -> Self {
        let mut sum = Self::ZERO;
        sum.add(term);
        sum
    }

    fn terms(&self) -> &[CanonicalForm] {
        &self.terms[..self.count]
    }

    fn add(&mut self, term: CanonicalForm) {
        self.terms[self.count] = term;
        self.count += 1;
    }

    /// The terms in sorted order, joined by `+`.
    fn joined(&mut self) -> CanonicalForm {
        self.terms[..self.count].sort_unstable();
        let mut form = CanonicalForm::EMPTY;
        for (position, term) in self.terms().iter().enumerate() {
            if position > 0 {
                form.push(b"+");
            }
            form.push(term.as_bytes());
        }
        form
    }
}

impl Cell {
    /// The canonical form of this cell: two cells are of the same class exactly if their forms are equal.
    pub fn canonical(&self, equivalence: Equivalence) -> CanonicalForm {
        match equivalence {
            Equivalence::Official => self.official_form(),
            Equivalence::Strict => self.strict_form(),
        }
    }

    fn official_form(&self) -> CanonicalForm {
        let cut = CanonicalForm::of("#");
        let mut nodes = [CanonicalForm::of("0"); NODES];
        for target in 1..NODES {
            let mut sum = Sum::ZERO;
            for (operation, source) in self.incoming(target) {
                sum.add(match operation {
                    Operation::None => cut,
                    _ if nodes[source] == cut => cut,
                    Operation::SkipConnect => nodes[source],
                    _ => applied(operation, nodes[source]),
                });
            }
            nodes[target] = sum.joined();
        }
        nodes[NODES - 1]
    }

    fn strict_form(&self) -> CanonicalForm {
        let mut nodes = [Sum::ZERO; NODES];
        nodes[0] = Sum::of(CanonicalForm::of("0"));
        for target in 1..NODES {
            let mut sum = Sum::ZERO;
            for (operation, source) in self.incoming(target) {
                match operation {
                    Operation::None => {}
                    _ if nodes[source].count == 0 => {}
                    Operation::SkipConnect => nodes[source].terms().iter().for_each(|&term| sum.add(term)),
                    _ => sum.add(applied(operation, nodes[source].joined())),
                }
            }
            nodes[target] = sum;
        }
        nodes[NODES - 1].joined()
    }

    /// The edges into `target`, as (operation, source node).
    fn incoming(&self, target: usize) -> impl Iterator<Item = (Operation, usize)> {
        self.0
            .into_iter()
            .zip(EDGES)
            .filter(move |&(_, (_, to))| to == target)
            .map(|(operation, (from, _))| (operation, from))
    }
}

/// `(source)@operation`.
fn applied(operation: Operation, source: CanonicalForm) -> CanonicalForm {
    let mut form = CanonicalForm::of("(");
    form.push(source.as_bytes());
    form.push(b")@");
    form.push(operation.name().as_bytes());
    form
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// The benchmark's `to_unique_str`, as it stands there.
    fn official_text(cell: &Cell) -> String {
        let mut nodes = Vec::from([String::from("0")]);
        let mut operations = cell.0.iter();
        for target in 1..4 {
            let mut terms = Vec::new();
            for source in 0..target {
                let operation = *operations.next().unwrap();
                terms.push(match (operation, nodes[source].as_str()) {
                    (Operation::None, _) | (_, "#") => String::from("#"),
                    (Operation::SkipConnect, text) => text.to_string(),
                    (_, text) => format!("({text})@{}", operation.name()),
                });
            }
            terms.sort();
            nodes.push(terms.join("+"));
        }
        nodes.remove(3)
    }

    /// The value of a cell as a tree of sorted multisets.
    #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
    enum Term {
        Input,
        Applied(Operation, Vec<Term>),
    }

    fn value(cell: &Cell) -> Vec<Term> {
        let mut nodes = Vec::from([Vec::from([Term::Input])]);
        let mut operations = cell.0.iter();
        for target in 1..4 {
            let mut terms = Vec::new();
            for source in nodes.iter().take(target) {
                match *operations.next().unwrap() {
                    Operation::SkipConnect => terms.extend(source.iter().cloned()),
                    Operation::None => {}
                    operation if !source.is_empty() => terms.push(Term::Applied(operation, source.clone())),
                    _ => {}
                }
            }
            terms.sort();
            nodes.push(terms);
        }
        nodes.remove(3)
    }

    /// Asserts that `form` and `reference` tell the same cells apart, and returns the number of classes.
    fn classes<T: Ord + Clone>(equivalence: Equivalence, reference: impl Fn(&Cell) -> T) -> usize {
        let mut forms = BTreeMap::new();
        let mut references = BTreeSet::new();
        for cell in Cell::all() {
            let reference = reference(&cell);
            let first = forms.entry(cell.canonical(equivalence)).or_insert_with(|| reference.clone());
            assert!(*first == reference, "{cell} is not like another cell of its class");
            references.insert(reference);
        }
        assert_eq!(forms.len(), references.len());
        forms.len()
    }

    #[test]
    fn the_official_rule_has_6466_classes() {
        assert!(Cell::all().all(|cell| cell.canonical(Equivalence::Official).to_string() == official_text(&cell)));
        assert_eq!(classes(Equivalence::Official, official_text), 6466);
    }

    #[test]
    fn the_strict_rule_has_4930_classes() {
        assert_eq!(classes(Equivalence::Strict, value), 4930);
    }

    /// How many cells are a multiple of their input, by factor.
    #[test]
    fn multiples_of_the_input_are_as_many_as_published() {
        for (form, count) in [("", 341), ("0", 400), ("0+0", 62), ("0+0+0", 4), ("0+0+0+0", 1)] {
            let alike = Cell::all().filter(|cell| cell.canonical(Equivalence::Strict).as_bytes() == form.as_bytes());
            assert_eq!(alike.count(), count, "{form}");
        }
    }

    #[test]
    fn the_longest_form_fills_the_capacity() {
        let cell = Cell([Operation::AvgPool3x3; 6]);
        for equivalence in [Equivalence::Official, Equivalence::Strict] {
            assert_eq!(cell.canonical(equivalence).as_bytes().len(), CAPACITY);
        }
    }
}
