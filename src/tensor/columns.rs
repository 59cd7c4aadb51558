//! Rows of channels, walked vector by vector: one row a vector at a time, or many a few vectors at a time.

use crate::base::SMALL;
use crate::simd::Simd;
use core::ops::Range;

/// A vector's worth of a row, or the fewer numbers that are left at its end.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The first channel.
    pub(crate) first: usize,
    pub(crate) whole: bool,
}

impl Part {
    #[cfg_attr(not(feature = "small"), inline(always))]
    pub(crate) fn read<S: Simd>(self, simd: S, row: &[f32]) -> S::F32 {
        let row = &row[self.first..];
        if self.whole { simd.load(row) } else { simd.load_partial(row) }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    pub(crate) fn write<S: Simd>(self, simd: S, x: S::F32, row: &mut [f32]) {
        let row = &mut row[self.first..];
        if self.whole { simd.store(x, row) } else { simd.store_partial(x, row) }
    }
}

/// Calls `body` for every part of a row of `width` numbers, in order; to spare code with the feature `small`, all the way of the last.
#[inline(always)]
pub(crate) fn for_each_part<S: Simd>(_: S, width: usize, mut body: impl FnMut(Part)) {
    let mut first = 0;
    if !SMALL {
        while first + S::LANES <= width {
            body(Part { first, whole: true });
            first += S::LANES;
        }
    }
    while first < width {
        body(Part { first, whole: false });
        first += S::LANES;
    }
}

/// Vectors of a row that are worked on together, at most.
pub(crate) const VECTORS: usize = 4;

/// Rows that are mapped together at most.
const ROWS: usize = 128;

/// Rows that are mapped together where they are long, so that memory is read in order.
const LONG_ROWS: usize = 8;

/// The same if sums of them are then added in double precision, which takes as long as a few rows.
const LONG_SUMMED_ROWS: usize = 32;

/// Numbers that are summed in single precision together, and the fewest and most rows that takes.
const SUMMED: usize = 16384;
const SUMMED_ROWS: [usize; 2] = [128, 512];

/// What is done with some channels of some rows.
pub(crate) trait Columns<S: Simd> {
    /// `V` whole vectors of channels, from `first` on.
    fn whole<const V: usize>(&mut self, simd: S, rows: Range<usize>, first: usize);
    /// At most as many channels as a vector holds.
    fn partial(&mut self, simd: S, rows: Range<usize>, channels: Range<usize>);
}

/// Rows to map together, `summed` if sums of them are formed too.
pub(crate) fn mapped_rows<S: Simd>(_: S, channels: usize, summed: bool) -> usize {
    match channels {
        _ if channels <= VECTORS * S::LANES => ROWS,
        _ if summed => LONG_SUMMED_ROWS,
        _ => LONG_ROWS,
    }
}

/// Rows whose sums are formed in single precision before those in double precision take them.
pub(crate) fn summed_rows(channels: usize) -> usize {
    let [fewest, most] = SUMMED_ROWS;
    (SUMMED / channels.max(1)).clamp(fewest, most)
}

/// Visits all channels of all rows, `block` rows at a time.
#[inline(always)]
pub(crate) fn for_each_block<S: Simd>(
    simd: S,
    rows: usize,
    channels: usize,
    block: usize,
    columns: &mut impl Columns<S>,
) {
    let mut first = 0;
    while first < rows {
        let end = rows.min(first + block);
        for_each_column(simd, first..end, 0..channels, columns);
        first = end;
    }
}

/// Visits some channels of some rows; to spare code with the feature `small`, a vector at a time the way of the last.
#[inline(always)]
pub(crate) fn for_each_column<S: Simd>(
    simd: S,
    rows: Range<usize>,
    channels: Range<usize>,
    columns: &mut impl Columns<S>,
) {
    let mut first = channels.start;
    while first < channels.end {
        let vectors = if SMALL { 0 } else { (channels.end - first) / S::LANES };
        let end = channels.end.min(first + vectors.clamp(1, VECTORS) * S::LANES);
        match vectors {
            0 => columns.partial(simd, rows.clone(), first..end),
            1 => columns.whole::<1>(simd, rows.clone(), first),
            2 => columns.whole::<2>(simd, rows.clone(), first),
            3 => columns.whole::<3>(simd, rows.clone(), first),
            _ => columns.whole::<VECTORS>(simd, rows.clone(), first),
        }
        first = end;
    }
}
