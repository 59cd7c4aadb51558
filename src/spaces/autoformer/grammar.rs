//! The architecture text, one entry per block in each list:
//!
//! ```text
//! autoformer(embed=192,heads=4-3-4,ratio=3.5-4-3.5)
//! ```
//!
//! The authors keep architectures in configuration files, which have no one-line form; this one is ours. The depth is
//! the length of the lists. Ratios are decimal numbers with at most two places.

use super::{Architecture, MAX_DEPTH, Ratio};
use crate::Error;
use crate::spaces::text::Cursor;
use core::fmt;
use core::str::FromStr;

impl Architecture {
    /// Reads an architecture text, given as `&str` or as bytes.
    ///
    /// The width ranges from 1 to 65535, heads from 1 to 255, ratios from 1 to 16.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit, [`Error::TooLarge`] for more than
    /// [`MAX_DEPTH`] blocks.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text.as_ref());
        let mut blocks = [Self::VACANT; MAX_DEPTH];
        let mut depth = 0;
        cursor.require("autoformer(")?;
        cursor.require("embed=")?;
        let embed = cursor.integer(1..=u16::MAX.into(), "a width from 1 to 65535")? as u16;
        cursor.require(",")?;
        cursor.require("heads=")?;
        while depth == 0 || cursor.accept("-") {
            let heads = cursor.integer(1..=u8::MAX.into(), "heads from 1 to 255")? as u8;
            let block = blocks.get_mut(depth).ok_or(Error::TooLarge { quantity: "depth", limit: MAX_DEPTH })?;
            block.heads = heads;
            depth += 1;
        }
        cursor.require(",")?;
        cursor.require("ratio=")?;
        for (position, block) in blocks[..depth].iter_mut().enumerate() {
            if position > 0 && !cursor.accept("-") {
                return Err(cursor.error("a ratio for every block"));
            }
            block.ratio = ratio(&mut cursor)?;
        }
        cursor.require(")")?;
        cursor.end()?;
        Ok(Self { embed, depth: depth as u8, blocks })
    }
}

fn ratio(cursor: &mut Cursor) -> Result<Ratio, Error> {
    const EXPECTED: &str = "a ratio from 1 to 16 with at most two decimals";
    let start = cursor.clone();
    let whole = cursor.integer(1..=16, EXPECTED)? as u16;
    let hundredths = if cursor.accept(".") {
        match *cursor.take_while(|byte| byte.is_ascii_digit()) {
            [tenths] => 10 * u16::from(tenths - b'0'),
            [tenths, hundredths] => 10 * u16::from(tenths - b'0') + u16::from(hundredths - b'0'),
            _ => return Err(start.error(EXPECTED)),
        }
    } else {
        0
    };
    Ratio::from_hundredths(100 * whole + hundredths).map_err(|_| start.error(EXPECTED))
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths, hundredths) = (self.0 / 100, self.0 / 10 % 10, self.0 % 10);
        match (tenths, hundredths) {
            (0, 0) => write!(f, "{whole}"),
            (_, 0) => write!(f, "{whole}.{tenths}"),
            _ => write!(f, "{whole}.{tenths}{hundredths}"),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "autoformer(embed={}", self.embed)?;
        for (position, block) in self.blocks().iter().enumerate() {
            write!(f, "{}{}", if position == 0 { ",heads=" } else { "-" }, block.heads)?;
        }
        for (position, block) in self.blocks().iter().enumerate() {
            write!(f, "{}{}", if position == 0 { ",ratio=" } else { "-" }, block.ratio)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec::Vec;

    const TEXT: &str = "autoformer(embed=192,heads=4-3-12,ratio=3.5-4-3.25)";

    #[test]
    fn texts_print_and_read_back() {
        let ratios = [350, 400, 325].map(Ratio);
        let architecture = Architecture::new(192, &[4, 3, 12], &ratios).unwrap();
        assert_eq!(architecture.to_string(), TEXT);
        assert_eq!(TEXT.parse(), Ok(architecture));
        for (text, ratio) in [("1", 100), ("16", 1600), ("3.05", 305), ("3.50", 350), ("4.00", 400)] {
            let architecture = Architecture::parse(std::format!("autoformer(embed=1,heads=1,ratio={text})")).unwrap();
            assert_eq!(architecture.blocks()[0].ratio, Ratio(ratio), "{text}");
        }
        for ratio in 100..=1600 {
            let architecture = Architecture::new(8, &[1], &[Ratio(ratio)]).unwrap();
            assert_eq!(architecture.to_string().parse(), Ok(architecture));
        }
    }

    #[test]
    fn errors_name_the_column() {
        const RATIO: &str = "a ratio from 1 to 16 with at most two decimals";
        const HEADS: &str = "heads from 1 to 255";
        for (text, column, expected) in [
            ("", 1, "autoformer("),
            ("autoformer[", 1, "autoformer("),
            ("autoformer(192", 12, "embed="),
            ("autoformer(embed=", 18, "a width from 1 to 65535"),
            ("autoformer(embed=0,", 18, "a width from 1 to 65535"),
            ("autoformer(embed=65536,", 18, "a width from 1 to 65535"),
            ("autoformer(embed=8;", 19, ","),
            ("autoformer(embed=8,ratio=4)", 20, "heads="),
            ("autoformer(embed=8,heads=0,ratio=4)", 26, HEADS),
            ("autoformer(embed=8,heads=256,ratio=4)", 26, HEADS),
            ("autoformer(embed=8,heads=3-,ratio=4)", 28, HEADS),
            ("autoformer(embed=8,heads=3", 27, ","),
            ("autoformer(embed=8,heads=3,ratio=0.5)", 34, RATIO),
            ("autoformer(embed=8,heads=3,ratio=16.01)", 34, RATIO),
            ("autoformer(embed=8,heads=3,ratio=3.)", 34, RATIO),
            ("autoformer(embed=8,heads=3,ratio=3.555)", 34, RATIO),
            ("autoformer(embed=8,heads=3,ratio=4-4)", 35, ")"),
            ("autoformer(embed=8,heads=3-3,ratio=4)", 37, "a ratio for every block"),
            ("autoformer(embed=8,heads=3-3,ratio=4-)", 38, RATIO),
            ("autoformer(embed=8,heads=3,ratio=4", 35, ")"),
            ("autoformer(embed=8,heads=3,ratio=4)\n", 36, "the end of the text"),
        ] {
            assert_eq!(Architecture::parse(text), Err(Error::Parse { column, expected }), "{text}");
        }
        let deep = |depth| {
            let text = std::format!(
                "autoformer(embed=8,heads={},ratio={})",
                ["3"; 40][..depth].join("-"),
                ["4"; 40][..depth].join("-")
            );
            Architecture::parse(text)
        };
        assert_eq!(deep(MAX_DEPTH).unwrap().depth(), MAX_DEPTH);
        assert_eq!(deep(MAX_DEPTH + 1), Err(Error::TooLarge { quantity: "depth", limit: MAX_DEPTH }));
    }

    proptest! {
        /// A text with one byte replaced, deleted or inserted either reads as what it says, or is refused in place.
        #[test]
        fn damaged_texts_are_refused_in_place(at in 0..TEXT.len(), byte: u8, keep in 0usize..2) {
            let mut text = TEXT.as_bytes().to_vec();
            text.splice(at..at + keep, [byte]);
            match Architecture::parse(&text) {
                Ok(architecture) => prop_assert_eq!(architecture.to_string().parse(), Ok(architecture)),
                Err(Error::Parse { column, .. }) => prop_assert!((1..=text.len() + 1).contains(&column)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(text: Vec<u8>) {
            prop_assert!(Architecture::parse(text).is_err());
        }
    }
}
