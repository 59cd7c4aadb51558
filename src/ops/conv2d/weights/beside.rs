//! The gradient with respect to weights beside the vjp, in one go over its bands.
//!
//! Both read all of the gradient with respect to the output, and forming that through a normalisation takes as long as a
//! transform. What is loaded of it for a tile of the vjp, a row and a column more on every side, holds the tile that the weights
//! want; of the input they want the same rows and columns. So the bands of the vjp serve both.

use super::{Method, Operands, Weights, load};
use crate::ops::conv2d::bands::{Band, Bands};
use crate::ops::conv2d::grid::{Grid, Source};
use crate::ops::conv2d::weights::winograd::Sums;
use crate::ops::conv2d::window::Part;
use crate::ops::conv2d::winograd::TILE;
use crate::simd::winograd::PRODUCTS;
use crate::simd::{Backend, MAX_LANES};
use crate::tensor::Value;
use crate::tensor::prefetch::Prefetch;

/// The most numbers of transformed weights and of sums, of which every few tiles go through all: beyond the second-level cache
/// either finds less of its own there.
const MOST: usize = 256 * 1024;

/// Sees the bands of a vjp, the one behind each, and what they read of the gradient.
type Watch<'w> = dyn FnMut(&Band, Option<&Band>, Source<'_>) + 'w;

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
        vjp(&mut |band, next, gradient| {
            let loaded = load(backend, self.input_beside(input, band), self.channels[0], loaded);
            let mut prefetch = Prefetch::new();
            if let Some(next) = next {
                self.input_beside(input, next).prefetch(&mut prefetch);
            }
            sums.add(backend, self.operands_beside(band, loaded, gradient, &mut prefetch));
        });
        let (row, tap) = (self.kernels_len(), self.pass.source_channels);
        sums.finish(backend, out, row, tap);
        self.order(backend, out, scratch);
    }

    /// What a band of the vjp reads of the input: the rows and columns that it reads of the gradient.
    fn input_beside<'s, 'v>(&self, input: &'s Value<'v>, band: &Band) -> Part<'s, Value<'v>> {
        let [rows, columns] = band.window.clone();
        Part {
            sources: core::slice::from_ref(input),
            channels: 0..self.channels[0],
            extents: self.pass.axes.map(|axis| axis.sources),
            images: band.images.clone(),
            rows,
            columns,
        }
    }

    /// What of a band is multiplied, tile by tile. Those of the gradient begin behind the first row and column.
    fn operands_beside<'a>(
        &self,
        band: &Band,
        input: Source<'a>,
        gradient: Source<'a>,
        prefetch: &'a mut Prefetch,
    ) -> Operands<'a> {
        let apart = |[image, row, position]: [usize; 3]| [image, TILE * row, TILE * position];
        let [_, row, position] = gradient.steps;
        let grid = Grid {
            extents: [band.images.len(), band.rows.div_ceil(TILE), self.pass.axes[1].outputs.div_ceil(TILE)],
            source: 0,
            source_steps: apart(input.steps),
            output: 0,
            output_steps: apart(gradient.steps),
        };
        Operands {
            input: input.data,
            gradient: &gradient.data[row + position..],
            steps: [input.steps, gradient.steps].map(|[_, row, position]| [row, position]),
            grid: grid.joined(),
            taps: [3, 3],
            tap_steps: [input.steps[1], input.steps[2]],
            prefetch,
        }
    }
}
