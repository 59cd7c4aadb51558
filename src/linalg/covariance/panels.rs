//! Rows of a matrix packed in panels, as tiles of the product read them.

use crate::base::SMALL;
use crate::simd::{MAX_LANES, Simd};
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Rows whose products are added up one by one in single precision.
pub(super) const CHUNK: usize = 32;
/// Rows that are packed at a time, so that a result larger than the caches is not read for each chunk. The sums of their
/// chunks are added up in single precision too.
pub(super) const PACKED: usize = 8 * CHUNK;
/// The longest rows that are not copied to panels.
pub(super) const LONGEST_ROW: usize = 128;
/// Vectors in the width of a panel. With one, tiles of two need no code.
pub(super) const VECTORS: usize = if SMALL { 1 } else { 2 };

/// Numbers of the panels of a chunk with so many columns, on the back end with the widest.
pub(super) const fn panels_len(columns: usize) -> usize {
    columns.next_multiple_of(VECTORS * MAX_LANES) * PACKED
}

/// A matrix that is read in panels.
pub(super) trait Source {
    /// Rows that go to all panels before others do: few, so that memory is read along them.
    const STRIP: usize = 16;

    /// Writes `rows` of the `width` columns from `column` on to `panel`, anything beyond the last column.
    fn panel<S: Simd>(&mut self, simd: S, rows: Range<usize>, column: usize, width: usize, panel: &mut [f32]);

    /// Asks for the memory of rows.
    fn prefetch(&self, rows: Range<usize>, prefetch: &mut Prefetch);
}

/// Some rows of a source in panels of `width` columns: element (row, column) of panel p at
/// `numbers[p · panel + row · pitch + column]`.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub(super) numbers: &'a [f32],
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) panel: usize,
    pub(super) pitch: usize,
}

impl<'a> Panels<'a> {
    /// The numbers from element (row, column) on, the column counted over all panels.
    #[inline(always)]
    pub(super) fn from(&self, row: usize, column: usize) -> &'a [f32] {
        &self.numbers[column / self.width * self.panel + row * self.pitch + column % self.width..]
    }
}

/// Chunks of some rows: what is prefetched is spread over those of all tiles.
pub(super) fn chunks(rows: &Range<usize>) -> usize {
    rows.len().div_ceil(CHUNK)
}

/// The width of a panel: whole vectors, and no fewer numbers than a tile has rows.
#[inline(always)]
pub(super) fn width<S: Simd, const TALL: usize>(columns: usize) -> usize {
    if columns > S::LANES { VECTORS * S::LANES } else { S::LANES.max(TALL) }
}

/// Packs rows of a source in panels of `width` columns.
#[inline(always)]
pub(super) fn pack<'a, S: Simd, X: Source>(
    simd: S,
    source: &mut X,
    rows: Range<usize>,
    columns: usize,
    width: usize,
    packed: &'a mut [f32],
) -> Panels<'a> {
    let panel = width * rows.len();
    for first in rows.clone().step_by(X::STRIP) {
        let strip = first..rows.end.min(first + X::STRIP);
        let offset = (first - rows.start) * width;
        for (panel, column) in packed.chunks_exact_mut(panel).zip((0..columns).step_by(width)) {
            source.panel(simd, strip.clone(), column, width, &mut panel[offset..]);
        }
    }
    Panels { numbers: packed, rows: rows.len(), width, panel, pitch: width }
}
