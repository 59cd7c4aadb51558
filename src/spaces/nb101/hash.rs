//! The name that the benchmark gives a cell: equal for isomorphic cells.
//!
//! Source: `hash_module` of `graph_util.py`: every vertex starts as the digest of its degrees and operation, and takes up
//! its neighbours' digests as often as there are vertices; the sorted digests make up the name.

use super::md5::{Md5, hexadecimal};
use super::{Cell, MAX_VERTICES, Operation};
use core::fmt;

/// A digest in hexadecimal digits.
type Digits = [u8; 32];

/// The benchmark's name of a cell, 32 hexadecimal digits when printed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Cell {
    /// The benchmark's name of the cell.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut digests = [[0; 32]; MAX_VERTICES];
        let digests = &mut digests[..self.vertices()];
        for (vertex, digest) in digests.iter_mut().enumerate() {
            *digest = self.first_digest(vertex);
        }
        for _ in 0..self.vertices() {
            let mut next = [[0; 32]; MAX_VERTICES];
            for (vertex, digest) in next[..self.vertices()].iter_mut().enumerate() {
                let sources = joined(Md5::new(), digests, |source| self.has_edge(source, vertex)).then(b"|");
                let both = joined(sources, digests, |target| self.has_edge(vertex, target)).then(b"|");
                *digest = hexadecimal(both.then(&digests[vertex]).finish());
            }
            digests.copy_from_slice(&next[..self.vertices()]);
        }
        // A list as Python prints it.
        digests.sort_unstable();
        let mut list = Md5::new().then(b"[");
        for (position, digest) in digests.iter().enumerate() {
            list = list.then(if position == 0 { b"'" } else { b", '" }).then(digest).then(b"'");
        }
        Fingerprint(list.then(b"]").finish())
    }

    /// The digest of `(edges out, edges in, label)` as Python prints it.
    fn first_digest(&self, vertex: usize) -> Digits {
        let digit = |count: usize| [b'0' + count as u8];
        let count =
            |is_neighbour: &dyn Fn(usize) -> bool| digit((0..self.vertices()).filter(|&v| is_neighbour(v)).count());
        let label: &[u8] = match vertex {
            0 => b"-1",
            _ if vertex == self.output() => b"-2",
            _ => match self.operation(vertex) {
                Operation::Conv3x3 => b"0",
                Operation::Conv1x1 => b"1",
                Operation::MaxPool3x3 => b"2",
            },
        };
        let out = count(&|target| self.has_edge(vertex, target));
        let degrees = Md5::new().then(b"(").then(&out).then(b", ");
        let degrees = degrees.then(&count(&|source| self.has_edge(source, vertex))).then(b", ");
        hexadecimal(degrees.then(label).then(b")").finish())
    }
}

/// Continues with the digests of the neighbours in sorted order.
fn joined(md5: Md5, digests: &[Digits], is_neighbour: impl Fn(usize) -> bool) -> Md5 {
    let mut neighbours = [[0; 32]; MAX_VERTICES];
    let mut count = 0;
    for (vertex, digest) in digests.iter().enumerate() {
        if is_neighbour(vertex) {
            neighbours[count] = *digest;
            count += 1;
        }
    }
    neighbours[..count].sort_unstable();
    neighbours[..count].iter().fold(md5, |md5, digest| md5.then(digest))
}
