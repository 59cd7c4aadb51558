//! Products of panels, added to a matrix of double precision.

use super::panels::{CHUNK, Panels};
use crate::simd::Simd;
use crate::simd::rows::widen;
use crate::simd::tile::{self, Rows, Strided, Tile};
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// A place in a row-major matrix: the rows that exist from its first on, and its first column.
pub(super) struct Corner<'a> {
    pub(super) out: &'a mut [f64],
    pub(super) columns: usize,
    pub(super) rows: Range<usize>,
    pub(super) column: usize,
}

impl Corner<'_> {
    /// Adds `UᵀV` of two packed matrices in a tile, chunk by chunk. `place` says where a row of the product goes.
    #[inline(always)]
    pub(super) fn add_products<S: Simd, const TALL: usize, const WIDE: usize>(
        &mut self,
        simd: S,
        u: Panels<'_>,
        v: Panels<'_>,
        place: impl Fn(usize) -> usize,
        prefetch: &mut Prefetch,
    ) {
        let mut total: Tile<S, TALL, WIDE> = tile::zero(simd);
        for first in (0..u.rows).step_by(CHUNK) {
            prefetch.advance(simd, 1);
            let left = Strided { data: u.from(first, self.rows.start), row: 1, step: u.pitch };
            let right = Rows { data: v.from(first, self.column), pitch: v.pitch };
            let depth = CHUNK.min(u.rows - first);
            let tile: Tile<S, TALL, WIDE> = tile::accumulate(simd, tile::zero(simd), left, right, depth);
            for i in 0..TALL {
                for j in 0..WIDE {
                    total[i][j] = simd.add(total[i][j], tile[i][j]);
                }
            }
        }
        for i in 0..TALL.min(self.rows.len()) {
            let out = &mut self.out[place(self.rows.start + i) * self.columns..][self.column..self.columns];
            for j in 0..WIDE {
                add_widened(simd, total[i][j], &mut out[j * S::LANES..]);
            }
        }
    }
}

/// Adds the first lanes of a vector to `out`, as many as it takes.
#[inline(always)]
pub(super) fn add_widened<S: Simd>(simd: S, vector: S::F32, out: &mut [f64]) {
    widen(
        simd,
        [vector],
        [out],
        #[inline(always)]
        |[x], [sum]| [simd.add_f64(sum, x)],
    );
}
