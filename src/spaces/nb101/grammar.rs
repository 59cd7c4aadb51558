//! The text of a cell: vertices, edges and operations, `7:101010101100001000001:333mm`.
//!
//! Bits say whether an edge leads from x to y, for y = 1, 2, … and for each of them x = 0 … y − 1. A letter stands for the
//! operation of each vertex between input and output: 3 for the 3×3 convolution, 1 for the 1×1 convolution, m for the
//! maximum. Read as well is what the benchmark's programs take and print, a matrix whose rows are sources and columns
//! targets, and a list of operations:
//!
//! ```text
//! ModelSpec(matrix=[[0, 1, 1], [0, 0, 1], [0, 0, 0]], ops=['input', 'conv3x3-bn-relu', 'output'])
//! module_adjacency: [[0 1 1] [0 0 1] [0 0 0]] module_operations: ['input', 'conv3x3-bn-relu', 'output']
//! ```

use super::{Cell, MAX_EDGES, MAX_VERTICES, Operation, bit, pairs};
use crate::Error;
use crate::spaces::text::{Cursor, NOTATIONS};
use core::fmt;
use core::str::FromStr;

const PATH: &str = "a vertex on a path from input to output";
const EDGES: &str = "at most 9 edges";

impl Operation {
    /// The letter in the text of a cell.
    pub const fn letter(self) -> char {
        match self {
            Self::Conv3x3 => '3',
            Self::Conv1x1 => '1',
            Self::MaxPool3x3 => 'm',
        }
    }

    /// The benchmark's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv3x3 => "conv3x3-bn-relu",
            Self::Conv1x1 => "conv1x1-bn-relu",
            Self::MaxPool3x3 => "maxpool3x3",
        }
    }
}

impl Cell {
    /// Reads a cell, given as `&str` or as bytes.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit: also the tenth edge, an edge that leads
    /// backwards, and the operation of a vertex that lies on no path from input to output.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text.as_ref());
        let cell = match cursor.peek() {
            _ if !NOTATIONS => own(&mut cursor)?,
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'[' => matrix(&mut cursor)?,
            _ => own(&mut cursor)?,
        };
        cursor.end()?;
        Ok(cell)
    }
}

fn own(cursor: &mut Cursor) -> Result<Cell, Error> {
    let vertices = cursor.integer(2..=MAX_VERTICES as u32, "vertices from 2 to 7")? as usize;
    cursor.require(":")?;
    let mut cell = Cell::of(vertices, 0, &[]);
    for (source, target) in pairs(vertices) {
        let start = cursor.clone();
        if cursor.one_of(b"01", "0 or 1 for each pair of vertices")? == b'1' {
            add(&mut cell, source, target, &start)?;
        }
    }
    cursor.require(":")?;
    let mut places = [const { None }; MAX_VERTICES];
    for vertex in cell.interior() {
        places[vertex] = Some(cursor.clone());
        cell.operations[vertex - 1] = match cursor.one_of(b"31m", "3, 1 or m for each vertex inside")? {
            b'3' => Operation::Conv3x3,
            b'1' => Operation::Conv1x1,
            _ => Operation::MaxPool3x3,
        };
    }
    alive(cell, &places, cursor)
}

/// Adds an edge that was read from `start` on.
fn add(cell: &mut Cell, source: usize, target: usize, start: &Cursor) -> Result<(), Error> {
    cell.edges |= bit(source, target);
    if cell.edge_count() > MAX_EDGES { Err(start.error(EDGES)) } else { Ok(()) }
}

/// The cell, if every vertex lies on a path; `places` says where their operations were read, and `end` where the text ends.
fn alive(cell: Cell, places: &[Option<Cursor>; MAX_VERTICES], end: &Cursor) -> Result<Cell, Error> {
    match cell.dead_vertex() {
        None => Ok(cell),
        Some(vertex) => Err(places[vertex].as_ref().unwrap_or(end).error(PATH)),
    }
}

/// The benchmark's matrix and list.
fn matrix(cursor: &mut Cursor) -> Result<Cell, Error> {
    const MATRIX: &str = "a matrix of 2 to 7 rows, [[0, 1], [0, 0]]";
    const FORWARDS: &str = "0: edges lead from earlier vertices to later ones, so that there is no cycle";
    let is_call = cursor.accept("ModelSpec(") || cursor.accept("api.ModelSpec(");
    if cursor.accept_token("matrix") {
        cursor.require_token("=")?;
    } else if cursor.accept("module_adjacency") {
        cursor.require_token(":")?;
    }
    cursor.require_token("[").map_err(|_| cursor.error(MATRIX))?;
    // As large as can be until the rows are counted.
    let mut cell = Cell::of(MAX_VERTICES, 0, &[]);
    let (mut rows, mut width) = (0, None);
    while !cursor.accept_token("]") {
        cursor.accept(",");
        cursor.require_token("[").map_err(|_| cursor.error(MATRIX))?;
        let mut columns = 0;
        while !cursor.accept_token("]") {
            cursor.accept(",");
            cursor.skip_blanks();
            let start = cursor.clone();
            let is_edge = cursor.one_of(b"01", "0 or 1")? == b'1';
            match (is_edge, columns < MAX_VERTICES) {
                (_, false) => return Err(start.error(MATRIX)),
                (true, _) if columns <= rows => return Err(start.error(FORWARDS)),
                (true, _) => add(&mut cell, rows, columns, &start)?,
                (false, _) => {}
            }
            columns += 1;
        }
        rows += 1;
        if *width.get_or_insert(columns) != columns || rows > columns {
            return Err(cursor.error("a matrix of as many rows as columns"));
        }
    }
    if rows < 2 || width != Some(rows) {
        return Err(cursor.error("a matrix of as many rows as columns"));
    }
    cell.vertices = rows as u8;
    cursor.accept_token(",");
    if cursor.accept_token("ops") {
        cursor.require_token("=")?;
    } else if cursor.accept("module_operations") {
        cursor.require_token(":")?;
    }
    cursor.require_token("[").map_err(|_| cursor.error("a list of operations"))?;
    let mut places = [const { None }; MAX_VERTICES];
    for (vertex, place) in places[..rows].iter_mut().enumerate() {
        if vertex > 0 {
            cursor.require_token(",")?;
        }
        cursor.skip_blanks();
        let start = place.insert(cursor.clone());
        let expected = match vertex {
            0 => "input",
            _ if vertex == cell.output() => "output",
            _ => "conv3x3-bn-relu, conv1x1-bn-relu or maxpool3x3",
        };
        let name = match cursor.peek() {
            Some(b'"' | b'\'') => cursor.quoted(expected)?,
            _ => cursor.word(),
        };
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if cell.interior().contains(&vertex) {
            // Constants of the benchmark's programs are the names up to the hyphen.
            let short = |operation: &Operation| is(operation.name().split('-').next().unwrap_or_default());
            let found = Operation::ALL.into_iter().find(|operation| is(operation.name()) || short(operation));
            cell.operations[vertex - 1] = found.ok_or_else(|| start.error(expected))?;
        } else if !is(expected) {
            return Err(start.error(expected));
        }
    }
    cursor.require_token("]")?;
    if is_call {
        cursor.accept_token(",");
        cursor.require_token(")")?;
    }
    alive(cell, &places, cursor)
}

impl FromStr for Cell {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.vertices)?;
        for (source, target) in pairs(self.vertices()) {
            f.write_str(if self.has_edge(source, target) { "1" } else { "0" })?;
        }
        f.write_str(":")?;
        self.operations().iter().try_for_each(|operation| write!(f, "{}", operation.letter()))
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::nb101::Cells;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// What the benchmark's programs print of a cell.
    fn matrix_text(cell: &Cell, separator: &str) -> String {
        let digit = |source, target| if cell.has_edge(source, target) { "1" } else { "0" };
        let row = |source| (0..cell.vertices()).map(|target| digit(source, target)).collect::<Vec<_>>().join(separator);
        let rows = (0..cell.vertices()).map(|source| format!("[{}]", row(source))).collect::<Vec<_>>();
        rows.join(separator)
    }

    #[test]
    fn every_cell_prints_and_reads_back() {
        let first: Vec<String> = Cells::new().take(8).map(|cell| cell.to_string()).collect();
        assert_eq!(first, ["2:1:", "3:101:3", "3:101:1", "3:101:m", "3:111:3", "3:111:1", "3:111:m", "4:101001:33"]);
        for cell in Cells::new() {
            assert_eq!(cell.to_string().parse(), Ok(cell));
        }
        for cell in Cells::new().step_by(101) {
            let names =
                cell.operations().iter().map(|operation| format!("'{}', ", operation.name())).collect::<String>();
            let constants = names.replace("-bn-relu", "").replace('\'', "").to_uppercase();
            for text in [
                format!("ModelSpec(matrix=[{}], ops=['input', {names}'output'])", matrix_text(&cell, ", ")),
                format!("api.ModelSpec(\n  matrix=[{}],\n  ops=[INPUT, {constants}OUTPUT])", matrix_text(&cell, ",")),
                format!(
                    "module_adjacency: [{}]\nmodule_operations: ['input', {names}'output']",
                    matrix_text(&cell, " ")
                ),
                format!("[{}], ['input', {names}'output']", matrix_text(&cell, ",\n ")),
            ] {
                assert_eq!(Cell::parse(&text), Ok(cell), "{text}");
            }
        }
    }

    #[test]
    fn errors_name_the_column() {
        const FORWARDS: &str = "0: edges lead from earlier vertices to later ones, so that there is no cycle";
        const SQUARE: &str = "a matrix of as many rows as columns";
        const NAMES: &str = "conv3x3-bn-relu, conv1x1-bn-relu or maxpool3x3";
        for (text, column, expected) in [
            ("", 1, "vertices from 2 to 7"),
            ("1::", 1, "vertices from 2 to 7"),
            ("8:1", 1, "vertices from 2 to 7"),
            ("3;101:3", 2, ":"),
            ("3:10:3", 5, "0 or 1 for each pair of vertices"),
            ("3:1012:3", 6, ":"),
            ("3:101:", 7, "3, 1 or m for each vertex inside"),
            ("3:101:x", 7, "3, 1 or m for each vertex inside"),
            ("3:101:33", 8, "the end of the text"),
            ("2:0:", 5, PATH),
            // Vertex 1 leads nowhere, vertex 2 is led to by none.
            ("4:110001:33", 10, PATH),
            ("4:100011:33", 11, PATH),
            ("5:1111111111:333", 12, EDGES),
            ("[[0,1],[1,0]],['input','output']", 9, FORWARDS),
            ("[[1,1],[0,0]],['input','output']", 3, FORWARDS),
            ("[[0,1]],['input','output']", 8, SQUARE),
            ("[[0,1],[0]],['input','output']", 11, SQUARE),
            ("[[0,1],[0,0],[0,0]],['input','output']", 19, SQUARE),
            ("[[0,2]", 5, "0 or 1"),
            ("[0,1]", 2, "a matrix of 2 to 7 rows, [[0, 1], [0, 0]]"),
            ("matrix", 7, "="),
            ("autoformer(", 1, "a matrix of 2 to 7 rows, [[0, 1], [0, 0]]"),
            ("ModelSpec([[0,1],[0,0]],['input','output']", 43, ")"),
            ("[[0,1],[0,0]]", 14, "a list of operations"),
            ("[[0,1],[0,0]],outputs", 15, "a list of operations"),
            ("[[0,1],[0,0]],['output','output']", 16, "input"),
            ("[[0,1],[0,0]],['input','input']", 24, "output"),
            ("[[0,1,0],[0,0,1],[0,0,0]],['input','conv5x5','output']", 36, NAMES),
            ("[[0,1,1],[0,0,0],[0,0,0]],['input','maxpool3x3','output']", 36, PATH),
            ("[[0,1],[0,0]],['input','output'", 32, "]"),
        ] {
            assert_eq!(Cell::parse(text), Err(Error::Parse { column, expected }), "{text}");
        }
    }

    proptest! {
        /// A text with one byte replaced, deleted or inserted either reads as what it says, or is refused in place.
        #[test]
        fn damaged_texts_are_refused_in_place(at in 0usize..60, byte: u8, keep in 0usize..2, is_matrix: bool) {
            let text = if is_matrix {
                "[[0,1,1],[0,0,1],[0,0,0]],['input','conv1x1','output']"
            } else {
                "7:101010101100001000001:333mm"
            };
            let mut text = text.as_bytes().to_vec();
            let at = at % text.len();
            text.splice(at..at + keep, [byte]);
            match Cell::parse(&text) {
                Ok(cell) => prop_assert_eq!(cell.to_string().parse(), Ok(cell)),
                Err(Error::Parse { column, .. }) => prop_assert!((1..=text.len() + 1).contains(&column)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(text: Vec<u8>) {
            prop_assert!(Cell::parse(text).is_err());
        }
    }
}
