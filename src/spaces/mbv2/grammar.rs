//! The structure text: super-blocks without a separator, each `Name(numbers,…)`.
//!
//! ```text
//! SuperConvK{1,3,5,7}BNRELU(input,output,stride,repetitions)
//! SuperResIDWE{1,2,4,6}K{3,5,7}(input,output,stride,bottleneck,repetitions)
//! ```
//! A label before the first number, `Name(label|numbers,…)`, is skipped; it has letters, digits, `_`, `-` and `.` only. Blanks
//! between tokens are skipped, and so is what a log line has before the structure, such as `best_structure=`. Source:
//! `create_netblock_list_from_str` in `PlainNet` and the `create_from_str` of its super-blocks.

use super::{Kind, Structure, SuperBlock};
use crate::Error;
use crate::spaces::text::Cursor;
use core::fmt;
use core::str::FromStr;

impl Structure {
    /// Reads a structure text, given as `&str` or as bytes.
    ///
    /// Channels range from 1 to 65535, strides from 1 to 8, repetitions from 1 to 255. The input of every super-block
    /// must equal the output of the one before it.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first token that does not fit, [`Error::TooLarge`] for more than
    /// [`MAX_BLOCKS`](super::MAX_BLOCKS) super-blocks.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text.as_ref());
        let mut network = Self::EMPTY;
        let mut previous = None;
        cursor.skip_to(&["SuperConvK", "SuperResIDWE"]);
        while previous.is_none() || !cursor.is_at_end() {
            let block = block(&mut cursor, previous)?;
            network.push(block)?;
            previous = Some(block.output);
            cursor.skip_blanks();
        }
        Ok(network)
    }
}

/// One super-block, whose input must be `previous` if there is one.
fn block(cursor: &mut Cursor, previous: Option<u16>) -> Result<SuperBlock, Error> {
    let mut kind = kind(cursor)?;
    cursor.require_token("(")?;
    skip_label(cursor)?;
    cursor.skip_blanks();
    let start = cursor.clone();
    let input = channels(cursor)?;
    if previous.is_some_and(|previous| previous != input) {
        return Err(start.error("the output channels of the super-block before"));
    }
    cursor.require_token(",")?;
    let output = channels(cursor)?;
    cursor.require_token(",")?;
    let stride = cursor.integer(1..=8, "a stride from 1 to 8")? as u8;
    cursor.require_token(",")?;
    if let Kind::InvertedResidual { bottleneck, .. } = &mut kind {
        *bottleneck = channels(cursor)?;
        cursor.require_token(",")?;
    }
    let repetitions = cursor.integer(1..=255, "repetitions from 1 to 255")? as u8;
    cursor.require_token(")")?;
    Ok(SuperBlock { kind, input, output, stride, repetitions })
}

/// The name of a super-block; its bottleneck is still to come.
fn kind(cursor: &mut Cursor) -> Result<Kind, Error> {
    if cursor.accept("SuperConvK") {
        let kernel = cursor.one_of(b"1357", "a kernel of 1, 3, 5 or 7")? - b'0';
        cursor.require("BNRELU")?;
        Ok(Kind::Conv { kernel })
    } else if cursor.accept("SuperResIDWE") {
        let expansion = cursor.one_of(b"1246", "an expansion of 1, 2, 4 or 6")? - b'0';
        cursor.require("K")?;
        let kernel = cursor.one_of(b"357", "a kernel of 3, 5 or 7")? - b'0';
        Ok(Kind::InvertedResidual { expansion, kernel, bottleneck: 0 })
    } else {
        Err(cursor.error("SuperConvK…BNRELU or SuperResIDWE…K…"))
    }
}

fn skip_label(cursor: &mut Cursor) -> Result<(), Error> {
    let start = cursor.clone();
    cursor.take_while(|byte| !b"|(),".contains(&byte));
    let has_label = cursor.accept("|");
    *cursor = start;
    if has_label {
        cursor.take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        cursor.require("|").map_err(|_| cursor.error("a label of letters, digits, _, - and . before |"))?;
    }
    Ok(())
}

fn channels(cursor: &mut Cursor) -> Result<u16, Error> {
    Ok(cursor.integer(1..=u32::from(u16::MAX), "channels from 1 to 65535")? as u16)
}

impl FromStr for Structure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocks().iter().try_for_each(|block| block.fmt(f))
    }
}

impl fmt::Display for SuperBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, input, output, stride, repetitions } = self;
        match kind {
            Kind::Conv { kernel } => write!(f, "SuperConvK{kernel}BNRELU({input},{output},{stride},{repetitions})"),
            Kind::InvertedResidual { expansion, kernel, bottleneck } => {
                write!(f, "SuperResIDWE{expansion}K{kernel}({input},{output},{stride},{bottleneck},{repetitions})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::mbv2::MAX_BLOCKS;
    use proptest::prelude::*;
    use std::string::{String, ToString};

    const INITIAL: &str = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperResIDWE6K3(32,48,2,32,1)\
        SuperResIDWE6K3(48,96,2,48,1)SuperResIDWE6K3(96,128,2,96,1)SuperConvK1BNRELU(128,2048,1,1)";

    #[test]
    fn the_initial_structure_prints_as_published() {
        assert_eq!(Structure::INITIAL.to_string(), INITIAL);
        assert_eq!(INITIAL.parse(), Ok(Structure::INITIAL));
    }

    #[test]
    fn every_name_prints_and_reads_back() {
        for expansion in [1, 2, 4, 6] {
            for kernel in [3, 5, 7] {
                let text = std::format!("SuperResIDWE{expansion}K{kernel}(3,65535,8,1,255)");
                let network = Structure::parse(&text).unwrap();
                let kind = Kind::InvertedResidual { expansion, kernel, bottleneck: 1 };
                let block = SuperBlock { kind, input: 3, output: 65535, stride: 8, repetitions: 255 };
                assert_eq!(network.blocks(), [block]);
                assert_eq!(network.to_string(), text);
            }
        }
        for kernel in [1, 3, 5, 7] {
            let text = std::format!("SuperConvK{kernel}BNRELU(3,16,2,4)");
            let network = Structure::parse(&text).unwrap();
            let block = SuperBlock { repetitions: 4, ..SuperBlock::conv(kernel, 3, 16, 2) };
            assert_eq!(network.blocks(), [block]);
            assert_eq!(network.to_string(), text);
        }
    }

    #[test]
    fn labels_blanks_and_log_lines_are_skipped() {
        for text in [
            "SuperConvK3BNRELU(stem|3,8,2,1)SuperResIDWE6K3(|8,32,2,8,1)",
            "SuperConvK3BNRELU(Stem_0-1.a|3,8,2,1)SuperResIDWE6K3(0|8,32,2,8,1)",
            "SuperConvK3BNRELU(3,8,2, 1)SuperResIDWE6K3(8, 32,2,8,1)",
            " SuperConvK3BNRELU ( 3 , 8 , 2 , 1 )\n\tSuperResIDWE6K3( 8,32,2,8,1 )\r\n",
            "\u{feff}SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)",
            "max_structure=SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)",
            "[12:00:01] loop 100/1000, best structure: SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)",
        ] {
            let printed = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)";
            assert_eq!(Structure::parse(text).unwrap().to_string(), printed, "{text}");
        }
        // Between any two tokens.
        let tokens: std::vec::Vec<&str> = INITIAL.split_inclusive(['(', ',', ')']).collect();
        for place in 0..=tokens.len() {
            let text = [tokens[..place].concat(), " ".into(), tokens[place..].concat()].concat();
            assert_eq!(text.parse(), Ok(Structure::INITIAL), "{text}");
        }
    }

    #[test]
    fn errors_name_the_column() {
        const NAME: &str = "SuperConvK…BNRELU or SuperResIDWE…K…";
        const CHANNELS: &str = "channels from 1 to 65535";
        const LABEL: &str = "a label of letters, digits, _, - and . before |";
        const CHAIN: &str = "the output channels of the super-block before";
        for (text, column, expected) in [
            ("", 1, NAME),
            ("SuperResK3K3(3,8,2,8,1)", 1, NAME),
            ("SuperConvK2BNRELU(3,8,2,1)", 11, "a kernel of 1, 3, 5 or 7"),
            ("SuperConvK33BNRELU(3,8,2,1)", 12, "BNRELU"),
            ("SuperResIDWE3K3(3,8,2,8,1)", 13, "an expansion of 1, 2, 4 or 6"),
            ("SuperResIDWE6K1(3,8,2,8,1)", 15, "a kernel of 3, 5 or 7"),
            ("SuperConvK3BNRELU", 18, "("),
            ("SuperConvK3BNRELU(", 19, CHANNELS),
            ("SuperConvK3BNRELU(0,8,2,1)", 19, CHANNELS),
            ("SuperConvK3BNRELU(3,65536,2,1)", 21, CHANNELS),
            ("SuperConvK3BNRELU(3,-8,2,1)", 21, CHANNELS),
            ("SuperConvK3BNRELU(a|b|3,8,2,1)", 21, CHANNELS),
            ("SuperConvK3BNRELU(3,8,0,1)", 23, "a stride from 1 to 8"),
            ("SuperConvK3BNRELU(3,8,2,256)", 25, "repetitions from 1 to 255"),
            ("SuperConvK3BNRELU(3,8,2,1", 26, ")"),
            ("SuperConvK3BNRELU(3,8,2,1,1)", 26, ")"),
            ("SuperResIDWE6K3(3,8,2,1)", 24, ","),
            ("SuperConvK3BNRELU(3,8,2,1) ;", 28, NAME),
            ("SuperConvK3BNRELU( 3 , 8 , 2 , 0 )", 32, "repetitions from 1 to 255"),
            ("SuperConvK3BNRELU(a\nb|3,8,2,1)", 20, LABEL),
            ("SuperConvK3BNRELU(a\"b|3,8,2,1)", 20, LABEL),
            ("SuperConvK3BNRELU(a b|3,8,2,1)", 20, LABEL),
            ("xSuperConvK3BNRELU(3,8,2,1)", 1, NAME),
            ("best: SuperConvK2BNRELU(3,8,2,1)", 17, "a kernel of 1, 3, 5 or 7"),
            ("SuperConvK3BNRELU(3,8,2,1)SuperConvK1BNRELU(9,8,1,1)", 45, CHAIN),
        ] {
            assert_eq!(Structure::parse(text), Err(Error::Parse { column, expected }), "{text}");
        }
    }

    #[test]
    fn too_many_blocks_are_refused() {
        let repeated = |count: usize| Structure::parse("SuperConvK1BNRELU(3,3,1,1)".repeat(count));
        assert_eq!(repeated(MAX_BLOCKS).unwrap().blocks().len(), MAX_BLOCKS);
        assert_eq!(repeated(MAX_BLOCKS + 1), Err(Error::TooLarge { quantity: "super-blocks", limit: MAX_BLOCKS }));
    }

    proptest! {
        /// A text with one byte replaced, deleted or inserted either reads as what it says, or is refused in place.
        #[test]
        fn damaged_texts_are_refused_in_place(at in 0..INITIAL.len(), byte: u8, keep in 0usize..2) {
            let mut text = INITIAL.as_bytes().to_vec();
            text.splice(at..at + keep, [byte]);
            match Structure::parse(&text) {
                Ok(network) => prop_assert_eq!(Structure::parse(network.to_string()), Ok(network)),
                Err(Error::Parse { column, .. }) => prop_assert!((1..=text.len() + 1).contains(&column)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(tail: std::vec::Vec<u8>) {
            let mut text = String::from(INITIAL).into_bytes();
            text.push(b'S');
            text.extend(&tail);
            prop_assert!(Structure::parse(text).is_err());
            prop_assert!(Structure::parse(tail).is_err());
        }
    }
}
