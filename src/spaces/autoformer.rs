//! The AutoFormer space: vision transformers of one width, whose blocks choose their heads and hidden width.
//!
//! Source: Chen et al., *AutoFormer*, ICCV 2021, with the search of Lee and Ham, *AZ-NAS*, CVPR 2024. Patches of
//! 16 × 16 pixels are embedded, a class token and absolute positions are added, then each block adds attention with
//! relative positions and a two-layer perceptron, both after layer normalisation.

mod cost;
mod grammar;
mod network;
mod policy;
mod sampling;
mod space;

pub use network::TransformerNetwork;
pub use policy::POLICY;
pub use sampling::{Choices, Size, Window};
pub use space::TransformerSpace;

use super::within;
use crate::Error;
use core::fmt;

/// Side of a patch in pixels.
pub const PATCH: u32 = 16;

/// Width of one attention head, whatever the width of the network. Logits are divided by its square root.
pub const HEAD_WIDTH: u32 = 64;

/// Farthest relative position, in patches along one axis, that attention tells from nearer ones.
pub const MAX_RELATIVE_POSITION: u32 = 14;

/// Rows of a table of relative positions: one for the class token and one for each distance.
/// Each block has four, for keys and values along both axes, all [`HEAD_WIDTH`] wide.
pub const RELATIVE_POSITIONS: u32 = 2 * MAX_RELATIVE_POSITION + 2;

/// The most blocks an architecture can have.
pub const MAX_DEPTH: usize = 32;

/// Where the parameters of a candidate come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Parameters {
    /// The leading slices of one largest network, the same for every candidate of a seed: the authors' search.
    #[default]
    Shared,
    /// Drawn for each candidate alone.
    Own,
}

/// The width of a perceptron relative to that of the network, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ratio(u16);

impl Ratio {
    /// Hundredths of the narrowest perceptron: as wide as the network.
    const MIN: u16 = 100;
    /// Hundredths of the widest perceptron.
    const MAX: u16 = 1600;

    /// A ratio from 1 to 16, in hundredths.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a ratio out of range.
    pub fn from_hundredths(hundredths: u16) -> Result<Self, Error> {
        within("ratio", hundredths.into(), Self::MIN.into()..=Self::MAX.into(), "from 1 to 16")?;
        Ok(Self(hundredths))
    }

    /// The ratio in hundredths.
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

/// The choices of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block {
    /// Attention heads.
    pub heads: u8,
    /// Width of the perceptron relative to that of the network.
    pub ratio: Ratio,
}

impl Block {
    /// Channels of the queries, of the keys and of the values.
    pub fn attention_width(self) -> u32 {
        HEAD_WIDTH * u32::from(self.heads)
    }

    /// Channels inside the perceptron of a network `embed` wide, rounded down.
    pub fn hidden_width(self, embed: u32) -> u32 {
        (u64::from(embed) * u64::from(self.ratio.0) / 100) as u32
    }
}

/// A candidate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Architecture {
    embed: u16,
    depth: u8,
    // Blocks past the depth are vacant, so that the derived comparisons are those of `blocks()`.
    blocks: [Block; MAX_DEPTH],
}

impl Architecture {
    const VACANT: Block = Block { heads: 0, ratio: Ratio(0) };

    /// An architecture of width `embed`, with one block for each entry of `heads` and `ratios`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `embed`, `heads` or `ratios`: a width of 0, no heads at all or a block without
    /// heads, ratios that are not as many as heads. [`Error::TooLarge`] for more than [`MAX_DEPTH`] blocks.
    pub fn new(embed: u16, heads: &[u8], ratios: &[Ratio]) -> Result<Self, Error> {
        within("embed", embed.into(), 1..=u16::MAX.into(), "from 1 to 65535")?;
        if heads.is_empty() || heads.contains(&0) {
            return Err(Error::Invalid { field: "heads", expected: "from 1 to 255, at least once" });
        }
        if heads.len() > MAX_DEPTH {
            return Err(Error::TooLarge { quantity: "depth", limit: MAX_DEPTH });
        }
        if ratios.len() != heads.len() {
            return Err(Error::Invalid { field: "ratios", expected: "as many as heads" });
        }
        let mut blocks = [Self::VACANT; MAX_DEPTH];
        for (block, (&heads, &ratio)) in blocks.iter_mut().zip(heads.iter().zip(ratios)) {
            *block = Block { heads, ratio };
        }
        Ok(Self { embed, depth: heads.len() as u8, blocks })
    }

    /// Channels of every token.
    pub fn embed(&self) -> u32 {
        self.embed.into()
    }

    /// Number of blocks.
    pub fn depth(&self) -> usize {
        self.depth.into()
    }

    /// The blocks, from the input on. There is at least one.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks[..self.depth()]
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_fields_are_named() {
        let ratios = [Ratio(350); MAX_DEPTH + 1];
        let heads = [3; MAX_DEPTH + 1];
        let error = |embed, heads: &[u8], ratios: &[Ratio]| Architecture::new(embed, heads, ratios).unwrap_err();
        for (error, field) in [
            (error(0, &heads[..2], &ratios[..2]), "embed"),
            (error(192, &[], &[]), "heads"),
            (error(192, &[3, 0], &ratios[..2]), "heads"),
            (error(192, &heads[..2], &ratios[..1]), "ratios"),
            (error(192, &heads[..2], &ratios[..3]), "ratios"),
            (Ratio::from_hundredths(99).unwrap_err(), "ratio"),
            (Ratio::from_hundredths(1601).unwrap_err(), "ratio"),
        ] {
            assert!(matches!(error, Error::Invalid { field: named, .. } if named == field), "{error}");
        }
        assert_eq!(error(192, &heads, &ratios), Error::TooLarge { quantity: "depth", limit: MAX_DEPTH });
        assert_eq!(Architecture::new(192, &heads[1..], &ratios[1..]).unwrap().depth(), MAX_DEPTH);
    }

    #[test]
    fn widths_of_a_block() {
        let block = Block { heads: 3, ratio: Ratio(350) };
        assert_eq!((block.attention_width(), block.hidden_width(192), block.hidden_width(3)), (192, 672, 10));
    }
}
