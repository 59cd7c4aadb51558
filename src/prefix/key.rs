//! What a block's feature and scores depend on, as a number.

use crate::base::digest::{self, Digest};
use crate::graph::{Block, Node};
use crate::options::Options;
use crate::score::want;
use core::hash::{Hash, Hasher};

/// A digest of 128 bits of the options and of all blocks up to one. Two different prefixes have the same with
/// probability 2⁻¹²⁸.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u64; 2]);

impl Key {
    /// The key of no prefix.
    pub(super) const NONE: Self = Self([0; 2]);

    /// The key before the first block, in one repeat.
    pub(super) fn of(options: &Options) -> Self {
        // Taken apart so that an option that is added has to be thought about.
        // A block says its shape itself, another repeat has another seed, and proxies matter by what they want.
        let Options {
            batch: _,
            height: _,
            width: _,
            seed,
            initialisation,
            repeats: _,
            sigma,
            entropy,
            proxies: _,
            backend,
            algorithm,
        } = *options;
        Self::NONE.digest(|state| (seed, initialisation, sigma, entropy, want(options), backend, algorithm).hash(state))
    }

    /// The key after one more block.
    pub(super) fn then(self, block: &Block) -> Self {
        self.digest(|state| {
            (block.index(), block.output(), block.nodes().len()).hash(state);
            block.nodes().iter().for_each(|node| hash_node(node, state));
        })
    }

    /// Where to look in a table of `len` places.
    pub(super) fn place(self, len: usize) -> usize {
        digest::place(self.0, len)
    }

    fn digest(self, feed: impl FnOnce(&mut Digest)) -> Self {
        Self(Digest::of(self.0, feed))
    }
}

fn hash_node(node: &Node, state: &mut impl Hasher) {
    (node.op, node.shape, node.key, node.inputs()).hash(state);
    node.draw.hash(state);
}
