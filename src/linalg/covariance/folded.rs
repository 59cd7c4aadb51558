//! The cross moment of two tensors, the maps of one of which may be larger by a whole factor.

use super::panels::{LONGEST_ROW, PACKED, Panels, Source, VECTORS, chunks, pack, panels_len, width};
use super::products::Corner;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::View;
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Numbers of scratch that [`cross_moment`] needs for so many rows and columns of its result; fastest when aligned
/// to 64 bytes.
pub const fn cross_moment_scratch_len(rows: usize, columns: usize) -> usize {
    panels_len(rows) + panels_len(columns)
}

/// The mean over positions of the outer product of two tensors: `out = Uᵀ V / n`.
///
/// If the maps of `u` are r times as high and as wide as those of `v`, blocks of r × r positions of `u` are
/// folded into channels first: row `channel · r² + dy · r + dx` of the result belongs to the channel at row dy and
/// column dx of each block (the order of PyTorch's `pixel_unshuffle`). Only the given `samples` of the batch count.
/// The result has `u.shape.channels · r²` rows and `v.shape.channels` columns; no positions make it NaN.
///
/// With u the gradient that a block pulls back from v, this is the transposed transfer matrix of its trainability
/// (AZ-NAS, equation 10).
///
/// The error is that of a covariance, relative to the root mean squares of the two channels.
/// `scratch` has [`cross_moment_scratch_len`] numbers.
pub fn cross_moment(
    backend: Backend,
    u: View<'_>,
    v: View<'_>,
    samples: Range<usize>,
    out: &mut [f64],
    scratch: &mut [f32],
) {
    let ratio = (u.shape.height / v.shape.height.max(1)).max(1);
    let u = Folded { features: u, ratio, width: v.shape.width };
    let v = Folded { features: v, ratio: 1, width: v.shape.width };
    let per_image = v.features.shape.positions_per_image();
    let positions = samples.start * per_image..samples.end * per_image;
    let out = &mut out[..u.columns() * v.columns()];
    let (u_panels, v_panels) = scratch.split_at_mut(panels_len(u.columns()));
    let scale = 1.0 / positions.len() as f64;
    backend.run(Cross { u, v, positions, out, u_panels, v_panels });
    out.iter_mut().for_each(|x| *x *= scale);
}

/// Positions × channels of maps whose blocks of `ratio × ratio` positions are folded into channels: the channels of
/// the first position of a block, of the next in its row, and so on. `width` is that of the folded map.
struct Folded<'a> {
    features: View<'a>,
    ratio: usize,
    width: usize,
}

impl Folded<'_> {
    #[inline(always)]
    fn columns(&self) -> usize {
        self.features.shape.channels * self.ratio * self.ratio
    }

    /// Whether tiles read the tensor itself. Long rows would compete for the same places of the cache.
    #[inline(always)]
    fn is_read_in_place(&self) -> bool {
        self.ratio == 1 && self.features.pitch <= LONGEST_ROW
    }
}

impl Source for Folded<'_> {
    #[inline(always)]
    fn panel<S: Simd>(&mut self, simd: S, rows: Range<usize>, column: usize, width: usize, panel: &mut [f32]) {
        let (channels, ratio) = (self.features.shape.channels, self.ratio);
        let end = self.columns().min(column + width);
        // Columns of the same position in every block lie side by side in memory, if not those of a row of the block.
        let run = if self.features.pitch == channels { channels * ratio } else { channels };
        let mut next = column;
        while next < end {
            let (place, channel) = (next / channels, next % channels);
            let count = (run - next % run).min(end - next);
            let (dy, dx) = (place / ratio, place % ratio);
            let (mut y, mut x) = (rows.start / self.width, rows.start % self.width);
            for row in 0..rows.len() {
                let position = (y * ratio + dy) * self.width * ratio + x * ratio + dx;
                let from = &self.features.data[position * self.features.pitch + channel..][..count];
                let to = &mut panel[row * width..][next - column..width];
                for i in (0..count).step_by(S::LANES) {
                    let vector = simd.load_partial(&from[i..]);
                    // Whole vectors, because they are faster: what is too much is overwritten next.
                    if i + S::LANES <= to.len() {
                        simd.store(vector, &mut to[i..]);
                    } else {
                        simd.store_partial(vector, &mut to[i..]);
                    }
                }
                x += 1;
                if x == self.width {
                    (y, x) = (y + 1, 0);
                }
            }
            next += count;
        }
    }

    fn prefetch(&self, rows: Range<usize>, prefetch: &mut Prefetch) {
        // The processor sees by itself what is next in rows that are read one after the other.
        if self.is_read_in_place() {
            return;
        }
        // Exact for whole rows of the folded map.
        let area = self.ratio * self.ratio;
        prefetch.add(&self.features, rows.start * area, rows.len() * area);
    }
}

/// `out = UᵀV` over some positions, the rows of `out` in channel-major order.
struct Cross<'a> {
    u: Folded<'a>,
    v: Folded<'a>,
    positions: Range<usize>,
    out: &'a mut [f64],
    u_panels: &'a mut [f32],
    v_panels: &'a mut [f32],
}

impl Kernel for Cross<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if S::REGISTERS >= 32 { self.tiles::<S, 8>(simd) } else { self.tiles::<S, 4>(simd) }
    }
}

impl Cross<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const TALL: usize>(mut self, simd: S) {
        let (rows, columns) = (self.u.columns(), self.v.columns());
        let (inputs, ratio) = (self.u.features.shape.channels, self.u.ratio);
        let (u_width, v_width) = (width::<S, TALL>(rows), width::<S, 1>(columns));
        self.out.fill(0.0);
        for position in self.positions.clone().step_by(PACKED) {
            let positions = position..self.positions.end.min(position + PACKED);
            let mut prefetch = Prefetch::new();
            let next = positions.end..self.positions.end.min(positions.end + PACKED);
            self.u.prefetch(next.clone(), &mut prefetch);
            self.v.prefetch(next, &mut prefetch);
            prefetch.spread(chunks(&positions) * columns.div_ceil(VECTORS * S::LANES) * rows.div_ceil(TALL));
            let u = pack_folded(simd, &mut self.u, positions.clone(), u_width, self.u_panels);
            let v = pack_folded(simd, &mut self.v, positions, v_width, self.v_panels);
            for first in (0..columns).step_by(VECTORS * S::LANES) {
                for i in (0..rows).step_by(TALL) {
                    let mut out = Corner { out: self.out, columns, rows: i..rows, column: first };
                    let place = |row| channel_major(row, inputs, ratio);
                    if columns - first > S::LANES {
                        out.add_products::<S, TALL, VECTORS>(simd, u, v, place, &mut prefetch);
                    } else {
                        out.add_products::<S, TALL, 1>(simd, u, v, place, &mut prefetch);
                    }
                }
            }
        }
    }
}

/// The place in channel-major order, `channel · ratio² + dy · ratio + dx`, of a column of [`Folded`].
#[inline(always)]
fn channel_major(column: usize, channels: usize, ratio: usize) -> usize {
    column % channels * ratio * ratio + column / channels
}

/// Packs rows of a folded tensor in panels of this width; or takes them as they are where tiles can read them.
#[cfg_attr(not(feature = "small"), inline(always))]
fn pack_folded<'a, S: Simd>(
    simd: S,
    source: &'a mut Folded<'_>,
    rows: Range<usize>,
    width: usize,
    packed: &'a mut [f32],
) -> Panels<'a> {
    let (columns, pitch) = (source.columns(), source.features.pitch);
    let length = columns.next_multiple_of(width);
    if source.is_read_in_place() {
        let numbers = &source.features.data[rows.start * pitch..];
        // What a tile reads behind the last column it does not use; but it must exist.
        if (rows.len() - 1) * pitch + length <= numbers.len() {
            return Panels { numbers, rows: rows.len(), width, panel: width, pitch };
        }
    }
    if length > LONGEST_ROW {
        return pack(simd, source, rows, columns, width, packed);
    }
    // Short rows stay whole, and their panels lie side by side.
    Panels { width, panel: width, ..pack(simd, source, rows, columns, length, packed) }
}
