//! The text of an architecture: a genotype as the programs of this field print it, with width and depth behind it.
//!
//! ```text
//! Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=[…], width=36, depth=20)
//! ```
//!
//! Two pairs of an operation and a state make a node. Read as well are `range(2, 6)` for a list of states, either kind of
//! quotes, brackets for the parentheses around a pair, pairs that are put together by nodes, and a name and `=` before it all.
//! Width and depth may be missing: then they are what the space says.

use super::{Architecture, Cell, Edge, MAX_NODES, Operation};
use crate::Error;
use crate::spaces::text::Cursor;
use core::fmt;

const NODES: &str = "from 1 to 5 nodes of two pairs each, ('sep_conv_3x3', 0)";
const STATE: &str = "a state that comes earlier: 0 and 1 are the cells before, 2 the first node";
const PARTS: &str = "at least one state of the cell, each once";
const READS: &str = "a state that the cell before leads to, so that the cell reads its input";
const OPERATION: &str = "none, skip_connect, avg_pool_3x3, max_pool_3x3 (5x5, 7x7), conv_1x1, conv_3x3, conv_3x1_1x3, \
    conv_7x1_1x7, sep_conv_3x3 (5x5, 7x7), dil_conv_3x3 (5x5) or dil_sep_conv_3x3";

impl Architecture {
    /// Reads an architecture, given as `&str` or as bytes. If it says neither width nor depth, they are `size`.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit: also an operation of none of the spaces, a
    /// state that does not exist, no parts, and the parts of a cell that does not depend on the output of the cell before.
    pub fn parse(text: impl AsRef<[u8]>, size: [u32; 2]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text.as_ref());
        cursor.skip_to(&["Genotype("]);
        cursor.require("Genotype(")?;
        let normal = cell(&mut cursor, ["normal", "normal_concat"], 0)?;
        cursor.require_token(",")?;
        let reduction = cell(&mut cursor, ["reduce", "reduce_concat"], 2)?;
        let [mut width, mut depth] = size;
        let mut comma = cursor.accept_token(",");
        if comma && cursor.accept_token("width") {
            cursor.require_token("=")?;
            width = cursor.integer(1..=Self::MAX_WIDTH, "a width from 1 to 4096")?;
            comma = cursor.accept_token(",");
        }
        if comma && cursor.accept_token("depth") {
            cursor.require_token("=")?;
            depth = cursor.integer(1..=Self::MAX_DEPTH, "a depth from 1 to 256")?;
            cursor.accept_token(",");
        }
        cursor.require_token(")")?;
        cursor.end()?;
        Self::new(normal, reduction, width, depth)
    }
}

/// A cell, whose parts are states from `first` on.
fn cell(cursor: &mut Cursor, [nodes, parts]: [&'static str; 2], first: u8) -> Result<Cell, Error> {
    let mut cell = Cell::EMPTY;
    field(cursor, nodes)?;
    pairs(cursor, &mut cell)?;
    cursor.require_token(",")?;
    field(cursor, parts)?;
    cursor.skip_blanks();
    let start = cursor.clone();
    states(cursor, &mut cell, first)?;
    if cell.reads_last() { Ok(cell) } else { Err(start.error(READS)) }
}

/// The name of a field and what follows it.
fn field(cursor: &mut Cursor, name: &'static str) -> Result<(), Error> {
    cursor.require_token(name)?;
    cursor.require_token("=")
}

/// The nodes of a cell.
fn pairs(cursor: &mut Cursor, cell: &mut Cell) -> Result<(), Error> {
    cursor.require_token("[")?;
    let mut first = None;
    // Two closing brackets may stand where one does: pairs may be put together by nodes.
    let mut is_grouped = false;
    while !cursor.accept_token("]") {
        if first.is_some() || cell.node_count > 0 {
            cursor.require_token(",")?;
            if cursor.accept_token("]") {
                break;
            }
        }
        cursor.skip_blanks();
        let start = cursor.clone();
        if usize::from(cell.node_count) == MAX_NODES {
            return Err(start.error(NODES));
        }
        cursor.one_of(b"([", NODES)?;
        cursor.skip_blanks();
        if first.is_none() && matches!(cursor.peek(), Some(b'(' | b'[')) {
            is_grouped = true;
            cursor.one_of(b"([", NODES)?;
        }
        let edge = pair(cursor, cell)?;
        match first.take() {
            None => first = Some(edge),
            Some(before) => {
                cell.push_node([before, edge]);
                if is_grouped {
                    cursor.skip_blanks();
                    cursor.one_of(b")]", ")")?;
                    is_grouped = false;
                }
            }
        }
    }
    if first.is_some() || cell.node_count == 0 { Err(cursor.error(NODES)) } else { Ok(()) }
}

/// What stands in the brackets of a pair, and their end.
fn pair(cursor: &mut Cursor, cell: &Cell) -> Result<Edge, Error> {
    cursor.skip_blanks();
    let start = cursor.clone();
    let name = cursor.quoted(OPERATION)?;
    let operation = Operation::ALL.into_iter().find(|operation| operation.name().as_bytes() == name);
    let operation = operation.ok_or_else(|| start.error(OPERATION))?;
    cursor.require_token(",")?;
    let state = cursor.integer(0..=cell.states() as u32 - 1, STATE)? as u8;
    cursor.skip_blanks();
    cursor.one_of(b")]", ")")?;
    Ok(Edge { operation, state })
}

/// The parts of a cell, from state `first` on: a list or a range.
fn states(cursor: &mut Cursor, cell: &mut Cell, first: u8) -> Result<(), Error> {
    let possible = u32::from(first)..=cell.states() as u32 - 1;
    if cursor.accept_token("range(") {
        let start = cursor.integer(possible.clone(), PARTS)?;
        cursor.require_token(",")?;
        let end = cursor.integer(start + 1..=cell.states() as u32, PARTS)?;
        (start..end).for_each(|part| cell.push_part(part as u8));
        return cursor.require_token(")");
    }
    cursor.require_token("[")?;
    while cell.part_count == 0 || !cursor.accept_token("]") {
        if cell.part_count > 0 {
            cursor.require_token(",")?;
            if cursor.accept_token("]") {
                break;
            }
        }
        cursor.skip_blanks();
        let start = cursor.clone();
        let part = cursor.integer(possible.clone(), PARTS)? as u8;
        if cell.parts().contains(&part) {
            return Err(start.error(PARTS));
        }
        cell.push_part(part);
    }
    Ok(())
}

/// Prints a list with commas between.
fn listed<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    print: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (place, item) in items.iter().enumerate() {
        f.write_str(if place > 0 { ", " } else { "" })?;
        print(f, item)?;
    }
    f.write_str("]")
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, cell) in [("Genotype(normal", self.normal()), (", reduce", self.reduction())] {
            write!(f, "{name}=")?;
            listed(f, cell.edges(), |f, edge| write!(f, "('{}', {})", edge.operation.name(), edge.state))?;
            write!(f, ", {}_concat=", name.trim_start_matches("Genotype(").trim_start_matches(", "))?;
            listed(f, cell.parts(), |f, part| write!(f, "{part}"))?;
        }
        write!(f, ", width={}, depth={})", self.width(), self.depth())
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A cell in a line without commas: `sep_conv_3x3~0+skip_connect~1|…|2.3.4.5`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for [a, b] in self.nodes() {
            write!(f, "{}~{}+{}~{}|", a.operation.name(), a.state, b.operation.name(), b.state)?;
        }
        for (place, part) in self.parts().iter().enumerate() {
            write!(f, "{}{part}", if place > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::rng::generator;
    use crate::spaces::nds::Operators;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    /// Cells as published.
    pub(in crate::spaces::nds) const PUBLISHED: [(&str, &str); 6] = [
        (
            "DARTS_V1",
            "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), \
             ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], \
             reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), \
             ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], \
             reduce_concat=[2, 3, 4, 5])",
        ),
        (
            "DARTS_V2",
            "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), \
             ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], \
             reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), \
             ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], \
             reduce_concat=[2, 3, 4, 5])",
        ),
        (
            "AmoebaNet",
            "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), \
             ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), \
             ('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), \
             ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), \
             ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])",
        ),
        (
            "NASNet",
            "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), \
             ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), \
             ('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), \
             ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), \
             ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6])",
        ),
        (
            "ENAS",
            "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 1), ('sep_conv_5x5', 1), ('skip_connect', 0), \
             ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 1), \
             ('avg_pool_3x3', 0)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 0), ('sep_conv_3x3', 1), \
             ('sep_conv_3x3', 1), ('avg_pool_3x3', 1), ('sep_conv_3x3', 1), ('avg_pool_3x3', 1), ('avg_pool_3x3', 1), \
             ('sep_conv_5x5', 4), ('sep_conv_3x3', 5), ('sep_conv_5x5', 0)], reduce_concat=[2, 3, 4, 5, 6])",
        ),
        (
            "PNAS",
            "Genotype(normal=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('sep_conv_7x7', 1), ('max_pool_3x3', 1), \
             ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), \
             ('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), \
             ('sep_conv_7x7', 1), ('max_pool_3x3', 1), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), \
             ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 1)], reduce_concat=[2, 3, 4, 5, 6])",
        ),
    ];

    const SIZE: [u32; 2] = [16, 8];

    #[test]
    fn published_genotypes_print_as_they_are() {
        for (name, text) in PUBLISHED {
            let architecture = Architecture::parse(text, [36, 20]).unwrap();
            assert_eq!(architecture.to_string(), text.replace("])", "], width=36, depth=20)"), "{name}");
            for other in [
                text.replace('\'', "\""),
                text.replace("[2, 3, 4, 5]", "range(2, 6)"),
                text.replace(", ", ","),
                text.replace(", ", " ,\n "),
                text.replace("('", "['").replace("),", "],").replace(")],", "]],"),
                text.replace("])", ",],)"),
                format!("{name} = {text}"),
            ] {
                assert_eq!(Architecture::parse(&other, [36, 20]), Ok(architecture), "{other}");
            }
        }
    }

    #[test]
    fn every_operation_prints_and_reads_back() {
        for operators in Operators::ALL {
            let mut rng = generator(1);
            for _ in 0..200 {
                let architecture = operators.sample(SIZE, &mut rng);
                assert_eq!(Architecture::parse(architecture.to_string(), [1, 1]), Ok(architecture));
                assert!(!architecture.normal().to_string().contains(','));
            }
        }
        for operation in Operation::ALL {
            let name = operation.name();
            let text = format!(
                "Genotype(normal=[(('{name}', 0), ('skip_connect', 1))], normal_concat=[2], \
                 reduce=[[[\"skip_connect\", 1], [\"{name}\", 1]]], reduce_concat=[2])"
            );
            let architecture = Architecture::parse(text, SIZE).unwrap();
            assert_eq!(architecture.normal().nodes()[0][0], Edge { operation, state: 0 });
            assert_eq!(architecture.reduction().nodes()[0][1], Edge { operation, state: 1 });
        }
    }

    #[test]
    fn errors_name_the_column() {
        const GOOD: &str = "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=[2], \
            reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])";
        assert!(Architecture::parse(GOOD, SIZE).is_ok());
        let nodes = "('skip_connect', 0), ('skip_connect', 1)";
        let six = [nodes; 6].join(", ");
        for (from, to, place, expected) in [
            ("Genotype(", "Cell(", "Cell", "Genotype("),
            ("'skip_connect', 0", "'skip', 0", "'skip'", OPERATION),
            ("'skip_connect', 0", "skip_connect, 0", "skip_connect, 0", OPERATION),
            ("'skip_connect', 0", "'skip_connect', 2", "2), ", STATE),
            ("'skip_connect', 0", "'skip_connect', -1", "-1", STATE),
            (nodes, "('skip_connect', 1)", ", normal_concat", NODES),
            (nodes, "", ", normal_concat", NODES),
            (nodes, six.as_str(), "", NODES),
            ("normal_concat=[2]", "normal_concat=[]", "], reduce", PARTS),
            ("normal_concat=[2]", "normal_concat=[3]", "3], reduce", PARTS),
            ("normal_concat=[2]", "normal_concat=[2, 2]", "2], reduce", PARTS),
            ("normal_concat=[2]", "normal_concat=range(2, 2)", "2), reduce", PARTS),
            ("normal_concat=[2]", "normal_concat=range(2, 4)", "4), reduce", PARTS),
            ("reduce_concat=[2]", "reduce_concat=[1]", "1])", PARTS),
            ("normal_concat=[2]", "normal_concat=[0]", "[0], reduce", READS),
            (nodes, "('skip_connect', 0), ('none', 1)", "[2], reduce", READS),
            ("reduce=", "reduction=", "reduction", "reduce"),
            ("reduce_concat=[2])", "reduce_concat=[2], width=4097)", "4097)", "a width from 1 to 4096"),
            ("reduce_concat=[2])", "reduce_concat=[2], depth=257)", "257)", "a depth from 1 to 256"),
            ("reduce_concat=[2])", "reduce_concat=[2]", "", ")"),
            ("reduce_concat=[2])", "reduce_concat=[2]).", ".", "the end of the text"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let column = match place {
                "" if text.contains(&six) => 1 + text.find(&six).unwrap() + [nodes; 5].join(", ").len() + 2,
                "" => text.len() + 1,
                place => 1 + text.find(place).unwrap(),
            };
            assert_eq!(Architecture::parse(&text, SIZE), Err(Error::Parse { column, expected }), "{text}");
        }
    }

    proptest! {
        /// A text with one byte replaced, deleted or inserted either reads as what it says, or is refused in place.
        #[test]
        fn damaged_texts_are_refused_in_place(at in 0usize..400, byte: u8, keep in 0usize..2, which in 0usize..6) {
            let mut text = PUBLISHED[which].1.as_bytes().to_vec();
            let at = at % text.len();
            text.splice(at..at + keep, [byte]);
            match Architecture::parse(&text, SIZE) {
                Ok(architecture) => prop_assert_eq!(Architecture::parse(architecture.to_string(), SIZE), Ok(architecture)),
                Err(Error::Parse { column, .. }) => prop_assert!((1..=text.len() + 1).contains(&column)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(text: Vec<u8>) {
            prop_assert!(Architecture::parse(text, SIZE).is_err());
        }
    }
}
