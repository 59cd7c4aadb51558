//! The architecture text: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, one group per node, one `op~source` per edge.
//!
//! Source: `genotypes.py` of the benchmark (`Structure.str2structure`, `Structure.tostr`). Its parser also takes
//! texts with bars left out; this one takes what the benchmark prints, and what other programs do:
//!
//! * `Structure(4 nodes with |op~0|+…)`, as in log lines;
//! * `[(('op', 0),), (('op', 0), ('op', 1)), …]`, its lists, however the brackets are nested;
//! * `{'0_1': 'op', …}` or `{'1<-0': 'op', …}`, from source to target, the edges in any order; `conv_1x1` and
//!   `conv_3x3` do without `nor_`.
//!
//! * `nb201(3, 0, …)`, digits in the order of [`Operation`] and of [`EDGES`];
//! * `naslib(2, 1, …)`, the `op_indices` of NASLib, which has another order of both.
//!
//! Digits alone are refused: they stand for different operations in different programs.

use super::{Cell, EDGES, NODES, Operation};
use crate::Error;
use crate::spaces::text::{Cursor, NOTATIONS};
use core::fmt;
use core::str::FromStr;

const SOURCES: [&str; NODES - 1] = ["0", "1", "2"];

impl Cell {
    /// Reads an architecture text, given as `&str` or as bytes.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text.as_ref());
        let operations = match cursor.peek() {
            _ if !NOTATIONS => bars(&mut cursor)?,
            Some(b'[' | b'(') => list(&mut cursor)?,
            Some(b'{') => dictionary(&mut cursor)?,
            _ if cursor.accept("Structure(4 nodes with ") => {
                let operations = bars(&mut cursor)?;
                cursor.require(")")?;
                operations
            }
            _ if cursor.accept("nb201") => digits(&mut cursor, Operation::ALL, [0, 1, 2, 3, 4, 5])?,
            _ if cursor.accept("naslib") => {
                use Operation::{AvgPool3x3, Conv1x1, Conv3x3, None, SkipConnect};
                // All edges that leave node 0 come first.
                digits(&mut cursor, [SkipConnect, None, Conv3x3, Conv1x1, AvgPool3x3], [0, 1, 3, 2, 4, 5])?
            }
            _ => bars(&mut cursor)?,
        };
        cursor.end()?;
        Ok(Self(operations))
    }
}

type Operations = [Operation; EDGES.len()];

/// The benchmark's own text.
fn bars(cursor: &mut Cursor) -> Result<Operations, Error> {
    let mut operations = [Operation::None; EDGES.len()];
    for (operation, &(source, target)) in operations.iter_mut().zip(&EDGES) {
        if source == 0 {
            cursor.require(if target == 1 { "|" } else { "+|" })?;
        }
        let start = cursor.clone();
        *operation = named(cursor.word(), &start)?;
        cursor.require("~")?;
        cursor.require(SOURCES[source])?;
        cursor.require("|")?;
    }
    Ok(operations)
}

/// Pairs of an operation and its source, in the order of [`EDGES`].
fn list(cursor: &mut Cursor) -> Result<Operations, Error> {
    const PAIR: &str = "an operation in quotes (before digits say whose they are: nb201 or naslib)";
    let mut operations = [Operation::None; EDGES.len()];
    for (operation, &(source, _)) in operations.iter_mut().zip(&EDGES) {
        cursor.take_while(|byte| b"([)], \t\r\n".contains(&byte));
        let start = cursor.clone();
        *operation = named(cursor.quoted(PAIR)?, &start)?;
        cursor.require_token(",")?;
        cursor.require_token(SOURCES[source])?;
        cursor.skip_blanks();
        cursor.one_of(b")]", ")")?;
    }
    cursor.take_while(|byte| b")], \t\r\n".contains(&byte));
    Ok(operations)
}

/// The places of operations in `order`, for each of `edges`.
fn digits(
    cursor: &mut Cursor,
    order: [Operation; Operation::ALL.len()],
    edges: [usize; EDGES.len()],
) -> Result<Operations, Error> {
    let mut operations = [Operation::None; EDGES.len()];
    let open = cursor.one_of(b"([", "( or [")?;
    for (position, edge) in edges.into_iter().enumerate() {
        if position > 0 {
            cursor.require_token(",")?;
        }
        operations[edge] = order[cursor.integer(0..=4, "a digit from 0 to 4")? as usize];
    }
    cursor.require_token(if open == b'(' { ")" } else { "]" })?;
    Ok(operations)
}

/// Operations by edge.
fn dictionary(cursor: &mut Cursor) -> Result<Operations, Error> {
    const EDGE: &str = "an edge that was not named before, such as '0_1' or '1<-0'";
    let mut operations = [None; EDGES.len()];
    cursor.require("{")?;
    for position in 0..EDGES.len() {
        if position > 0 && !cursor.accept_token(",") {
            return Err(cursor.error("an operation for each of the six edges"));
        }
        cursor.skip_blanks();
        let start = cursor.clone();
        let key = cursor.quoted(EDGE)?;
        let edge = match *key {
            [source, b'_', target] | [target, b'<', b'-', source] => EDGES
                .iter()
                .position(|&edge| edge == [source, target].map(|digit| usize::from(digit.wrapping_sub(b'0'))).into()),
            _ => None,
        };
        let place = edge.and_then(|edge| operations.get_mut(edge)).filter(|operation| operation.is_none());
        let place = place.ok_or_else(|| start.error(EDGE))?;
        cursor.require_token(":")?;
        cursor.skip_blanks();
        let start = cursor.clone();
        *place = Some(match cursor.quoted(OPERATION)? {
            b"conv_1x1" => Operation::Conv1x1,
            b"conv_3x3" => Operation::Conv3x3,
            name => named(name, &start)?,
        });
    }
    cursor.accept_token(",");
    cursor.require_token("}")?;
    Ok(operations.map(|operation| operation.unwrap_or(Operation::None)))
}

const OPERATION: &str = "none, skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3";

/// The operation of a name that was read from `start` on.
fn named(name: &[u8], start: &Cursor) -> Result<Operation, Error> {
    let found = Operation::ALL.into_iter().find(|operation| operation.name().as_bytes() == name);
    found.ok_or_else(|| start.error(OPERATION))
}

impl FromStr for Cell {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, &(source, target)) in self.0.iter().zip(&EDGES) {
            if source == 0 {
                f.write_str(if target == 1 { "|" } else { "+|" })?;
            }
            write!(f, "{}~{source}|", operation.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::nb201::CELLS;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn every_cell_prints_and_reads_back() {
        assert_eq!(
            Cell([
                Operation::None,
                Operation::SkipConnect,
                Operation::Conv1x1,
                Operation::Conv3x3,
                Operation::AvgPool3x3,
                Operation::None
            ])
            .to_string(),
            "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
        );
        for cell in Cell::all() {
            assert_eq!(cell.to_string().parse(), Ok(cell));
        }
    }

    /// NASLib's digit of an operation.
    fn of_naslib(name: &str) -> &str {
        match name {
            "skip_connect" => "0",
            "none" => "1",
            "nor_conv_3x3" => "2",
            "nor_conv_1x1" => "3",
            _ => "4",
        }
    }

    /// Every seventh cell in every notation.
    #[test]
    fn notations_of_other_programs_read_as_the_same_cell() {
        for cell in Cell::all().step_by(7) {
            let [a, b, c, d, e, f] = cell.0.map(Operation::name);
            let short = |name: &'static str| name.strip_prefix("nor_").unwrap_or(name);
            for text in [
                std::format!("Structure(4 nodes with {cell})"),
                std::format!("\u{feff} {cell}\r\n"),
                std::format!("[(('{a}', 0),), (('{b}', 0), ('{c}', 1)), (('{d}', 0), ('{e}', 1), ('{f}', 2))]"),
                std::format!(
                    "[[(\"{a}\", 0)], [(\"{b}\", 0), (\"{c}\", 1)], [(\"{d}\", 0), (\"{e}\",1), (\"{f}\",2)]]"
                ),
                std::format!("('{a}',0),('{b}',0),('{c}',1),('{d}',0),('{e}',1),('{f}',2)"),
                std::format!(
                    "{{'0_1': '{}', '0_2': '{}', '0_3': '{}', '1_2': '{}', '1_3': '{}', '2_3': '{}'}}",
                    short(a),
                    short(b),
                    short(d),
                    short(c),
                    short(e),
                    short(f)
                ),
                std::format!("{{'3<-2':'{f}','2<-1':'{c}','3<-1':'{e}','1<-0':'{a}','2<-0':'{b}','3<-0':'{d}',}}"),
                std::format!("nb201({})", cell.0.map(|operation| (operation as u8).to_string()).join(", ")),
                std::format!("naslib[{}]", [a, b, d, c, e, f].map(of_naslib).join(",")),
            ] {
                assert_eq!(Cell::parse(&text), Ok(cell), "{text}");
            }
        }
    }

    #[test]
    fn errors_name_the_column() {
        for (text, column, expected) in [
            ("", 1, "|"),
            ("none~0", 1, "|"),
            ("|", 2, OPERATION),
            ("|nor_conv_5x5~0|", 2, OPERATION),
            ("|nonesuch~0|", 2, OPERATION),
            ("|none|", 6, "~"),
            ("|none~1|", 7, "0"),
            ("|none~00|", 8, "|"),
            ("|none~0|", 9, "+|"),
            ("|none~0|none~1|", 9, "+|"),
            ("|none~0|+|none~0|+|", 18, OPERATION),
            ("|none~0|+|none~0|none~0|", 23, "1"),
            ("|none~0|+|none~0|none~1|+|none~0|none~1|", 41, OPERATION),
            ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2", 47, "|"),
            ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+", 48, "the end of the text"),
            ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2| ;", 49, "the end of the text"),
            ("\u{feff}none~0", 4, "|"),
            ("Structure(4 nodes with none", 24, "|"),
            ("(3, 1, 0, 0, 2, 4)", 2, "an operation in quotes (before digits say whose they are: nb201 or naslib)"),
            ("nb201(0,1,2,3,4,5)", 17, "a digit from 0 to 4"),
            ("naslib(0,1,2,3,4)", 17, ","),
            ("naslib 0", 7, "( or ["),
            ("naslib(0,1,2,3,4,0]", 19, ")"),
            ("[('none', 1)", 11, "0"),
            ("[('nor', 0)", 3, OPERATION),
            ("{'0_1': 'none', '0_1': 'none'", 17, "an edge that was not named before, such as '0_1' or '1<-0'"),
            ("{'1_0': 'none'", 2, "an edge that was not named before, such as '0_1' or '1<-0'"),
            ("{'0_1': 'none'}", 15, "an operation for each of the six edges"),
            ("{'0_1': 'conv'", 9, OPERATION),
        ] {
            assert_eq!(Cell::parse(text), Err(Error::Parse { column, expected }), "{text}");
        }
        assert_eq!(Cell::parse(b"|none~0|\xff"), Err(Error::Parse { column: 9, expected: "+|" }));
    }

    proptest! {
        /// One replaced, deleted or inserted byte never panics, and never points beyond the text.
        #[test]
        fn damaged_texts_are_refused_in_place(index in 0..CELLS, at in 0usize..90, byte: u8, keep in 0usize..2) {
            let mut text = Cell::from_index(index).unwrap().to_string().into_bytes();
            let at = at % text.len();
            text.splice(at..at + keep, [byte]);
            match Cell::parse(&text) {
                // Blanks around the text do not count.
                Ok(cell) => prop_assert_eq!(cell.to_string().into_bytes(), text.trim_ascii().to_vec()),
                Err(Error::Parse { column, .. }) => prop_assert!((1..=text.len() + 1).contains(&column)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(text: std::vec::Vec<u8>) {
            prop_assert!(Cell::parse(text).is_err());
        }
    }
}
