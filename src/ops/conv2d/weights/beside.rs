//! The gradient with respect to weights beside the vjp, in one go over its bands.
//!
//! Both read all of the gradient with respect to the output, and forming that through a normalisation takes as long as a
//! transform. What is loaded of it for a tile of the vjp, a row and a column more on every side, holds the tile that the weights
//! want; of the input they want the same rows and columns. So the bands of the vjp serve both.

use super::winograd::Sums;
use super::{Band, Method, Weights, load};
use crate::ops::conv2d::bands::{self, Bands};
use crate::ops::conv2d::grid::Source;
use crate::simd::winograd::PRODUCTS;
use crate::simd::{Backend, MAX_LANES};
use crate::tensor::Value;
use crate::tensor::prefetch::Prefetch;

/// The most numbers of transformed weights and of sums, of which every few tiles go through all: beyond the second-level cache
/// either finds less of its own there.
const MOST: usize = 256 * 1024;

/// Sees the bands of a vjp, the one behind each, and what they read of the gradient.
type Watch<'w> = dyn FnMut(&bands::Band, Option<&bands::Band>, Source<'_>) + 'w;

/// The output rows of a band of the vjp, which makes a map of the same size: of the input they read what the band reads of the
/// gradient.
fn own(band: &bands::Band) -> Band {
    Band { images: band.images.clone(), row: band.row, rows: band.rows }
}

impl Weights {
    /// Numbers of scratch for [`Self::run_beside`] the vjp that is cut to `bands`; `None` where the two do not go together.
    pub(in super::super) fn scratch_len_beside(&self, backend: Backend, bands: &Bands) -> Option<usize> {
        let all = [self.pass.all_source_channels(), self.pass.all_output_channels()];
        let near = all.into_iter().fold(2 * PRODUCTS, usize::saturating_mul) <= MOST;
        let together = self.method == Method::Winograd && bands.tiles_a_map() && self.channels == all && near;
        let sums = self.layout(backend, self.channels).scratch_len();
        together.then(|| (self.input_len_beside(bands) + sums).max(self.turned_len()))
    }

    /// Numbers of the input in a band of the vjp.
    fn input_len_beside(&self, bands: &Bands) -> usize {
        (bands.source_positions() * self.channels[0] + MAX_LANES).next_multiple_of(MAX_LANES)
    }

    /// Writes the gradient to `out` while `vjp` runs, which is cut to `bands` and shows each.
    pub(in super::super) fn run_beside(
        &self,
        backend: Backend,
        bands: &Bands,
        input: &Value<'_>,
        out: &mut [f32],
        scratch: &mut [f32],
        vjp: impl FnOnce(&mut Watch<'_>),
    ) {
        let (loaded, rest) = scratch.split_at_mut(self.input_len_beside(bands));
        let mut sums = Sums::new(self.layout(backend, self.channels), rest);
        let part = |band: &Band| self.input(input, &(0..self.channels[0]), band);
        vjp(&mut |band, next, gradient| {
            let band = own(band);
            let loaded = load(backend, part(&band), self.channels[0], loaded);
            let mut prefetch = Prefetch::new();
            if let Some(next) = next {
                part(&own(next)).prefetch(&mut prefetch);
            }
            // A row and a column that only the vjp reads come first.
            let [_, row, position] = gradient.steps;
            let gradient = Source { data: &gradient.data[row + position..], ..gradient };
            sums.add(backend, self.operands(&band, loaded, gradient, &mut prefetch));
        });
        let (row, tap) = (self.kernels_len(), self.pass.source_channels);
        sums.finish(backend, out, row, tap);
        self.order(backend, out, scratch);
    }
}
