//! The part of a source map that a band reads: loaded through its prologue, with zeros around.

use crate::simd::{Kernel, Simd};
use crate::tensor::Load;
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Rows and columns of some images, padding included.
pub(super) struct Part<'a, L> {
    pub(super) sources: &'a [L],
    /// Channels, of those of all sources side by side.
    pub(super) channels: Range<usize>,
    /// Rows and columns of an image of the sources.
    pub(super) extents: [usize; 2],
    pub(super) images: Range<usize>,
    /// Those outside the image are padding.
    pub(super) rows: Range<isize>,
    pub(super) columns: Range<isize>,
}

impl<L: Load> Part<'_, L> {
    /// Asks for what is read of memory.
    pub(super) fn prefetch(&self, prefetch: &mut Prefetch) {
        let [height, width] = self.extents;
        let rows = inside(&self.rows, height);
        let first = (self.images.start * height + rows.start) * width;
        // Whole images lie one behind the other.
        let count = self.images.len() * rows.len() * width;
        for (source, _) in self.slices() {
            source.tensors().iter().for_each(|view| prefetch.add(view, first, count));
        }
    }

    /// Loads the channels of consecutive positions.
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, first: usize, count: usize, out: &mut [f32], pitch: usize) {
        for (source, place) in self.slices() {
            source.load(simd, first, count, &mut out[place..], pitch);
        }
    }

    /// The channels that each source has of those wanted, and the place of the first among these.
    #[inline(always)]
    fn slices(&self) -> impl Iterator<Item = (L, usize)> {
        let mut end = 0;
        self.sources.iter().filter_map(move |source| {
            let start = end;
            end += source.channels();
            let wanted = self.channels.start.max(start)..self.channels.end.min(end);
            let place = wanted.start - self.channels.start;
            (!wanted.is_empty()).then(|| (source.slice(wanted.start - start..wanted.end - start), place))
        })
    }
}

/// Loads a part into a map of its own, zeros where it is padding.
///
/// What lies between the channels and the next position is not written.
pub(super) struct Window<'a, L> {
    pub(super) part: Part<'a, L>,
    pub(super) out: &'a mut [f32],
    /// Numbers from one loaded position to the next.
    pub(super) pitch: usize,
}

impl<L: Load> Kernel for Window<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { part, out, pitch } = self;
        let [height, width] = part.extents;
        let [rows, columns] = [inside(&part.rows, height), inside(&part.columns, width)];
        if rows.is_empty() || columns.is_empty() {
            return out.fill(0.0);
        }
        let row_length = part.columns.len() * pitch;
        let left = (columns.start as isize - part.columns.start) as usize * pitch;
        let right = left + columns.len() * pitch;
        for (image, out) in part.images.clone().zip(out.chunks_exact_mut(part.rows.len() * row_length)) {
            let (above, rest) = out.split_at_mut((rows.start as isize - part.rows.start) as usize * row_length);
            let (middle, below) = rest.split_at_mut(rows.len() * row_length);
            above.fill(0.0);
            below.fill(0.0);
            let first = (image * height + rows.start) * width + columns.start;
            if columns.len() == width && part.columns.len() == width {
                part.load(simd, first, rows.len() * width, middle, pitch);
                continue;
            }
            for (row, out) in middle.chunks_exact_mut(row_length).enumerate() {
                out[..left].fill(0.0);
                out[right..].fill(0.0);
                part.load(simd, first + row * width, columns.len(), &mut out[left..], pitch);
            }
        }
    }
}

/// The part of `range` that lies in `0..extent`.
fn inside(range: &Range<isize>, extent: usize) -> Range<usize> {
    range.start.max(0) as usize..range.end.clamp(0, extent as isize) as usize
}
