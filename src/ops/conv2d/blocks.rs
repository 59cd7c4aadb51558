//! How output channels are cut into the vectors of a back end.

use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd};

/// A backend's vectors: numbers in one, and how many of them a tile's pixel has at most.
#[derive(Clone, Copy)]
pub(super) struct Width {
    pub(super) lanes: usize,
    pub(super) vectors: usize,
}

impl Width {
    pub(super) fn of(backend: Backend) -> Self {
        struct Query;
        impl Kernel for Query {
            type Output = Width;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> Width {
                let vectors = match S::REGISTERS {
                    _ if SMALL => 1,
                    32.. => 4,
                    _ => 2,
                };
                Width { lanes: S::LANES, vectors }
            }
        }
        backend.run(Query)
    }

    /// Cuts output channels into blocks of about equal numbers of vectors.
    pub(super) fn blocks(self, channels: usize) -> impl Iterator<Item = Block> {
        let vectors = channels.div_ceil(self.lanes);
        let blocks = vectors.div_ceil(self.vectors);
        (0..blocks).map(move |index| {
            let [first, end] = [index, index + 1].map(|index| index * vectors / blocks);
            let first_channel = first * self.lanes;
            Block { first_channel, channels: channels.min(end * self.lanes) - first_channel, vectors: end - first }
        })
    }
}

/// Output channels that are computed together.
pub(super) struct Block {
    pub(super) first_channel: usize,
    pub(super) channels: usize,
    pub(super) vectors: usize,
}
