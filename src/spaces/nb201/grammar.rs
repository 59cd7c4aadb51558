//! The architecture text: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, one group per node, one `op~source` per edge.
//!
//! Source: `genotypes.py` of the benchmark (`Structure.str2structure`, `Structure.tostr`). Its parser also takes
//! texts with bars left out; this one takes exactly what the benchmark prints.

use super::{Cell, EDGES, NODES, Operation};
use crate::Error;
use crate::spaces::text::Cursor;
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
        let mut operations = [Operation::None; EDGES.len()];
        for (operation, &(source, target)) in operations.iter_mut().zip(&EDGES) {
            if source == 0 {
                cursor.require(if target == 1 { "|" } else { "+|" })?;
            }
            *operation = self::operation(&mut cursor)?;
            cursor.require("~")?;
            cursor.require(SOURCES[source])?;
            cursor.require("|")?;
        }
        cursor.end()?;
        Ok(Self(operations))
    }
}

fn operation(cursor: &mut Cursor) -> Result<Operation, Error> {
    let start = cursor.clone();
    let name = cursor.word();
    Operation::ALL
        .into_iter()
        .find(|operation| operation.name().as_bytes() == name)
        .ok_or_else(|| start.error("none, skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3"))
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

    #[test]
    fn errors_name_the_column() {
        const OPERATION: &str = "none, skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3";
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
            ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2| ", 48, "the end of the text"),
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
                Ok(cell) => prop_assert_eq!(cell.to_string().into_bytes(), text),
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
