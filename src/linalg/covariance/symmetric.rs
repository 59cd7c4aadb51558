//! The product of a matrix with itself.

use super::panels::{PACKED, Source, VECTORS, chunks, pack, width};
use super::products::Corner;
use crate::simd::{Kernel, Simd};
use crate::tensor::prefetch::Prefetch;

/// `out = XᵀX` in its upper triangle, for a source X of rows × columns. What lies below is arbitrary.
pub(super) struct Symmetric<'a, X> {
    pub(super) source: X,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) out: &'a mut [f64],
    pub(super) panels: &'a mut [f32],
}

impl<X: Source> Kernel for Symmetric<'_, X> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if S::REGISTERS >= 32 { self.tiles::<S, 8>(simd) } else { self.tiles::<S, 4>(simd) }
    }
}

impl<X: Source> Symmetric<'_, X> {
    #[inline(always)]
    fn tiles<S: Simd, const TALL: usize>(mut self, simd: S) {
        self.out.fill(0.0);
        for row in (0..self.rows).step_by(PACKED) {
            let rows = row..self.rows.min(row + PACKED);
            let mut prefetch = Prefetch::new();
            self.source.prefetch(rows.end..self.rows.min(rows.end + PACKED), &mut prefetch);
            // Tiles on and above the diagonal: half of all, and half of a strip.
            let strips = self.columns.div_ceil(VECTORS * S::LANES);
            prefetch.spread(chunks(&rows) * (strips + 1) * self.columns.div_ceil(TALL) / 2);
            let panels = pack(simd, &mut self.source, rows, self.columns, width::<S, TALL>(self.columns), self.panels);
            for first in (0..self.columns).step_by(VECTORS * S::LANES) {
                let last = self.columns.min(first + VECTORS * S::LANES);
                for i in (0..last).step_by(TALL) {
                    // The first vector that holds a column right of the diagonal.
                    let from = first.max(i / S::LANES * S::LANES);
                    let mut out = Corner { out: self.out, columns: self.columns, rows: i..self.columns, column: from };
                    if last - from > S::LANES {
                        out.add_products::<S, TALL, VECTORS>(simd, panels, panels, |row| row, &mut prefetch);
                    } else {
                        out.add_products::<S, TALL, 1>(simd, panels, panels, |row| row, &mut prefetch);
                    }
                }
            }
        }
    }
}
