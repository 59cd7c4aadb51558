//! The architecture text, one entry per block in each list:
//!
//! ```text
//! autoformer(embed=192,heads=4-3-4,ratio=3.5-4-3.5)
//! ```
//!
//! The authors keep architectures in configuration files, which have no one-line form; this one is ours. The depth is
//! the length of the lists. Ratios are decimal numbers with at most two places.
//!
//! What their programs write is read too:
//!
//! * configuration files, whole or the part behind `RETRAIN:`, and dictionaries: `mlp_ratio`, `num_heads`, `embed_dim`
//!   (or `hidden_dim`; a number, or one for each block, all equal) and maybe `depth` (or `layer_num`), in any order,
//!   as capitals or not, with `:` or `=`;
//! * candidates of the search, `(depth, ratios …, heads …, embed)`, also as in its log lines, behind `No.1`.

use super::{Architecture, Block, MAX_DEPTH, Ratio};
use crate::Error;
use crate::spaces::text::{Cursor, NOTATIONS};
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
        if NOTATIONS && cursor.accept("No.") {
            cursor.take_while(|byte| byte.is_ascii_digit() || byte == b' ');
            let architecture = Self::candidate(&mut cursor)?;
            // The rest of a log line tells accuracies.
            cursor.take_while(|byte| byte != b'\n');
            cursor.end()?;
            return Ok(architecture);
        }
        let architecture = match cursor.peek() {
            _ if !NOTATIONS => {
                cursor.require("autoformer(")?;
                Self::own(&mut cursor)?
            }
            Some(b'(' | b'[') => Self::candidate(&mut cursor)?,
            _ if cursor.accept("autoformer(") => Self::own(&mut cursor)?,
            None => return Err(cursor.error("autoformer(")),
            _ => Self::configuration(&mut cursor)?,
        };
        cursor.end()?;
        Ok(architecture)
    }

    /// The text that is printed, behind its name.
    fn own(cursor: &mut Cursor) -> Result<Self, Error> {
        let mut blocks = Blocks::default();
        cursor.require("embed=")?;
        let embed = embed(cursor)?;
        cursor.require(",")?;
        cursor.require("heads=")?;
        while blocks.heads == 0 || cursor.accept("-") {
            blocks.add_heads(cursor)?;
        }
        cursor.require(",")?;
        cursor.require("ratio=")?;
        while blocks.ratios < blocks.heads {
            if blocks.ratios > 0 && !cursor.accept("-") {
                return Err(cursor.error("a ratio for every block"));
            }
            blocks.add_ratio(cursor)?;
        }
        cursor.require(")")?;
        Ok(blocks.with(embed))
    }

    /// The authors' tuple: depth, ratios, heads, width.
    fn candidate(cursor: &mut Cursor) -> Result<Self, Error> {
        const DEPTH: &str = "a depth from 1 to 32";
        let mut blocks = Blocks::default();
        let open = cursor.one_of(b"([", "( or [")?;
        let depth = cursor.integer(1..=MAX_DEPTH as u32, DEPTH)? as usize;
        for position in 0..2 * depth {
            cursor.require_token(",")?;
            if position < depth { blocks.add_ratio(cursor)? } else { blocks.add_heads(cursor)? }
        }
        cursor.require_token(",")?;
        let embed = embed(cursor)?;
        cursor.accept_token(",");
        cursor.require_token(if open == b'(' { ")" } else { "]" })?;
        Ok(blocks.with(embed))
    }

    /// Keys and values, as in YAML and as in Python.
    fn configuration(cursor: &mut Cursor) -> Result<Self, Error> {
        const KEY: &str = "mlp_ratio, num_heads, embed_dim or depth, each once";
        let mut blocks = Blocks::default();
        let (mut width, mut depth) = (None, None);
        cursor.skip_past("RETRAIN:");
        let is_dictionary = cursor.accept_token("{");
        loop {
            cursor.take_while(|byte| byte.is_ascii_whitespace() || byte == b',');
            if cursor.is_at_end() || (is_dictionary && cursor.accept("}")) {
                break;
            }
            let start = cursor.clone();
            let key = if matches!(cursor.peek(), Some(b'"' | b'\'')) { cursor.quoted(KEY)? } else { cursor.word() };
            let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
            cursor.skip_blanks();
            let value = cursor.clone();
            if is("mlp_ratio") && blocks.ratios == 0 {
                cursor.one_of(b":=", ":")?;
                values(cursor, |cursor| blocks.add_ratio(cursor))?;
            } else if is("num_heads") && blocks.heads == 0 {
                cursor.one_of(b":=", ":")?;
                values(cursor, |cursor| blocks.add_heads(cursor))?;
            } else if (is("embed_dim") || is("hidden_dim")) && width.is_none() {
                cursor.one_of(b":=", ":")?;
                values(cursor, |cursor| {
                    cursor.skip_blanks();
                    let start = cursor.clone();
                    let embed = embed(cursor)?;
                    if *width.get_or_insert(embed) == embed {
                        Ok(())
                    } else {
                        Err(start.error("the same for every block"))
                    }
                })?;
            } else if (is("depth") || is("layer_num")) && depth.is_none() {
                cursor.one_of(b":=", ":")?;
                depth = Some((cursor.integer(1..=MAX_DEPTH as u32, "a depth from 1 to 32")? as usize, value));
            } else {
                return Err(start.error(KEY));
            }
        }
        let embed = match width {
            Some(embed) if blocks.heads > 0 && blocks.ratios > 0 => embed,
            _ => return Err(cursor.error("mlp_ratio, num_heads and embed_dim")),
        };
        if blocks.heads != blocks.ratios {
            return Err(cursor.error("as many of mlp_ratio as of num_heads"));
        }
        match depth {
            Some((depth, value)) if depth != blocks.heads => Err(value.error("as many of num_heads as the depth says")),
            _ => Ok(blocks.with(embed)),
        }
    }
}

/// Blocks whose heads and ratios come one after the other.
struct Blocks {
    blocks: [Block; MAX_DEPTH],
    heads: usize,
    ratios: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { blocks: [Architecture::VACANT; MAX_DEPTH], heads: 0, ratios: 0 }
    }
}

impl Blocks {
    fn add_heads(&mut self, cursor: &mut Cursor) -> Result<(), Error> {
        let heads = cursor.integer(1..=u8::MAX.into(), "heads from 1 to 255")? as u8;
        block(&mut self.blocks, self.heads)?.heads = heads;
        self.heads += 1;
        Ok(())
    }

    fn add_ratio(&mut self, cursor: &mut Cursor) -> Result<(), Error> {
        let ratio = ratio(cursor)?;
        block(&mut self.blocks, self.ratios)?.ratio = ratio;
        self.ratios += 1;
        Ok(())
    }

    /// The architecture of these blocks, which have as many heads as ratios.
    fn with(self, embed: u16) -> Architecture {
        Architecture { embed, depth: self.heads as u8, blocks: self.blocks }
    }
}

fn block(blocks: &mut [Block; MAX_DEPTH], position: usize) -> Result<&mut Block, Error> {
    blocks.get_mut(position).ok_or(Error::TooLarge { quantity: "depth", limit: MAX_DEPTH })
}

fn embed(cursor: &mut Cursor) -> Result<u16, Error> {
    Ok(cursor.integer(1..=u16::MAX.into(), "a width from 1 to 65535")? as u16)
}

/// One value, or several between brackets or behind dashes.
fn values(cursor: &mut Cursor, mut value: impl FnMut(&mut Cursor) -> Result<(), Error>) -> Result<(), Error> {
    if cursor.accept_token("[") {
        value(cursor)?;
        while !cursor.accept_token("]") {
            cursor.require(",")?;
            value(cursor)?;
        }
        return Ok(());
    }
    let has_dashes = cursor.accept_token("-");
    value(cursor)?;
    while has_dashes && cursor.accept_token("-") {
        value(cursor)?;
    }
    Ok(())
}

fn ratio(cursor: &mut Cursor) -> Result<Ratio, Error> {
    const EXPECTED: &str = "a ratio from 1 to 16 with at most two decimals";
    cursor.skip_blanks();
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
    fn what_the_programs_of_the_authors_write_is_read() {
        let expected = Architecture::parse(TEXT).unwrap();
        for text in [
            "\u{feff} autoformer(embed=192,heads=4-3-12,ratio=3.5-4-3.25)\n",
            "(3, 3.5, 4.0, 3.25, 4, 3, 12, 192)",
            "[3,3.5,4,3.25,4,3,12,192]",
            "No.1 (3, 3.5, 4.0, 3.25, 4, 3, 12, 192) Top-1 val acc = 75.1, Top-1 test acc = 74.9, params = 5.9",
            "RETRAIN:\n  MLP_RATIO: [3.5, 4, 3.25]\n  NUM_HEADS: [4, 3, 12]\n  DEPTH: 3\n  EMBED_DIM: 192\n",
            "SUPERNET:\n  MLP_RATIO: 4.0\n  NUM_HEADS: 4\n  EMBED_DIM: 256\n  DEPTH: 14\nSEARCH_SPACE:\n  MLP_RATIO:\n    - 3.5\n\
             RETRAIN:\n  MLP_RATIO:\n    - 3.5\n    - 4.0\n    - 3.25\n  NUM_HEADS:\n  - 4\n  - 3\n  - 12\n  DEPTH: 3\n  EMBED_DIM: 192",
            "HIDDEN_DIM: 192\nMLP_RATIO:\n- 3.5\n- 4.0\n- 3.25\nNUM_HEADS:\n- 4\n- 3\n- 12",
            "{'mlp_ratio': [3.5, 4.0, 3.25], 'num_heads': [4, 3, 12], 'embed_dim': [192, 192, 192], 'layer_num': 3}",
            "mlp_ratio=[3.5, 4.0, 3.25], num_heads=[4, 3, 12], embed_dim=192",
            "{\"embed_dim\": 192, \"depth\": 3, \"num_heads\": [4, 3, 12], \"mlp_ratio\": [3.5, 4.0, 3.25],}",
        ] {
            assert_eq!(Architecture::parse(text), Ok(expected), "{text}");
        }
        let deep = std::format!("{{'num_heads': [3{}]}}", ", 3".repeat(MAX_DEPTH));
        assert_eq!(Architecture::parse(deep), Err(Error::TooLarge { quantity: "depth", limit: MAX_DEPTH }));
    }

    #[test]
    fn errors_name_the_column() {
        const RATIO: &str = "a ratio from 1 to 16 with at most two decimals";
        const HEADS: &str = "heads from 1 to 255";
        for (text, column, expected) in [
            ("", 1, "autoformer("),
            ("autoformer[", 1, "mlp_ratio, num_heads, embed_dim or depth, each once"),
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
            ("autoformer(embed=8,heads=3,ratio=4)\n.", 37, "the end of the text"),
            ("(33, 4, 4)", 2, "a depth from 1 to 32"),
            ("(2, 4, 4, 3, 3)", 15, ","),
            ("(2, 4, 4, 3, 3, 0)", 17, "a width from 1 to 65535"),
            ("(1, 4, 3, 8]", 12, ")"),
            ("No.7 (1, 4, 300, 8) Top-1", 13, HEADS),
            ("MLP_RATIO: [4]", 15, "mlp_ratio, num_heads and embed_dim"),
            ("MLP_RATIO: [4]\nMLP_RATIO: [4]", 16, "mlp_ratio, num_heads, embed_dim or depth, each once"),
            ("MLP_RATIO: [4\nNUM_HEADS: [3]", 15, ","),
            ("MLP_RATIO: [4, 4]\nNUM_HEADS: [3]\nEMBED_DIM: 8", 46, "as many of mlp_ratio as of num_heads"),
            ("MLP_RATIO: [4]\nNUM_HEADS: [3]\nEMBED_DIM: 8\nDEPTH: 2", 49, "as many of num_heads as the depth says"),
            ("{'embed_dim': [8, 9]}", 19, "the same for every block"),
            ("{'heads': 3}", 2, "mlp_ratio, num_heads, embed_dim or depth, each once"),
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
