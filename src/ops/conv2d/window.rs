//! The part of a source map that a band reads: loaded through its prologue, with zeros around.

use super::ahead::Ahead;
use crate::simd::{Kernel, Simd};
use crate::tensor::Load;
use core::ops::Range;

/// Loads rows and columns of some images, padding included, into a map of its own.
///
/// Channels of several sources come to lie side by side. What lies between them and the next position is not written.
pub(super) struct Window<'a, L> {
    pub(super) sources: &'a [L],
    /// Channels to load, of all those side by side.
    pub(super) channels: Range<usize>,
    /// Rows and columns of an image of the sources.
    pub(super) extents: [usize; 2],
    pub(super) images: Range<usize>,
    /// Rows and columns to load; those outside the image are 0.
    pub(super) rows: Range<isize>,
    pub(super) columns: Range<isize>,
    pub(super) out: &'a mut [f32],
    /// Numbers from one loaded position to the next.
    pub(super) pitch: usize,
}

impl<L: Load> Kernel for Window<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [height, width] = self.extents;
        let [rows, columns] = [inside(&self.rows, height), inside(&self.columns, width)];
        if rows.is_empty() || columns.is_empty() {
            return self.out.fill(0.0);
        }
        let row_length = self.columns.len() * self.pitch;
        let left = (columns.start as isize - self.columns.start) as usize * self.pitch;
        let right = left + columns.len() * self.pitch;
        for (image, out) in self.images.zip(self.out.chunks_exact_mut(self.rows.len() * row_length)) {
            let (above, rest) = out.split_at_mut((rows.start as isize - self.rows.start) as usize * row_length);
            let (middle, below) = rest.split_at_mut(rows.len() * row_length);
            above.fill(0.0);
            below.fill(0.0);
            let first = (image * height + rows.start) * width + columns.start;
            if columns.len() == width && self.columns.len() == width {
                load(simd, self.sources, &self.channels, first, rows.len() * width, middle, self.pitch);
                continue;
            }
            for (row, out) in middle.chunks_exact_mut(row_length).enumerate() {
                out[..left].fill(0.0);
                out[right..].fill(0.0);
                let out = &mut out[left..];
                load(simd, self.sources, &self.channels, first + row * width, columns.len(), out, self.pitch);
            }
        }
    }
}

/// Loads some channels of consecutive positions.
#[inline(always)]
fn load<S: Simd, L: Load>(
    simd: S,
    sources: &[L],
    channels: &Range<usize>,
    first: usize,
    count: usize,
    out: &mut [f32],
    pitch: usize,
) {
    let mut start = 0;
    for source in sources {
        let end = start + source.channels();
        let wanted = channels.start.max(start)..channels.end.min(end);
        if wanted == (start..end) {
            source.load(simd, first, count, &mut out[start - channels.start..], pitch);
        } else if !wanted.is_empty() {
            let slice = source.slice(wanted.start - start..wanted.end - start);
            slice.load(simd, first, count, &mut out[wanted.start - channels.start..], pitch);
        }
        start = end;
    }
}

/// Adds what [`Window`] will read of some rows.
pub(super) fn look_ahead<L: Load>(
    sources: &[L],
    channels: &Range<usize>,
    [height, width]: [usize; 2],
    images: &Range<usize>,
    rows: &Range<isize>,
    ahead: &mut Ahead,
) {
    let rows = inside(rows, height);
    let first = (images.start * height + rows.start) * width;
    // Whole images lie one behind the other.
    let count = images.len() * rows.len() * width;
    let mut start = 0;
    for source in sources {
        let end = start + source.channels();
        let wanted = channels.start.max(start)..channels.end.min(end);
        if !wanted.is_empty() {
            let slice = source.slice(wanted.start - start..wanted.end - start);
            slice.tensors().iter().for_each(|view| ahead.add(view, first, count));
        }
        start = end;
    }
}

/// The part of `range` that lies in `0..extent`.
fn inside(range: &Range<isize>, extent: usize) -> Range<usize> {
    range.start.max(0) as usize..range.end.clamp(0, extent as isize) as usize
}
