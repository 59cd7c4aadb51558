//! Second moments of features: channel covariance, its dual, and the cross moment of two gradients.
//!
//! All three are sums of products over many rows, taken in chunks of 32: a chunk is copied to panels in the
//! caller's scratch, centred on the way, and multiplied in single precision by the register tile of
//! [`gemm`](super::gemm). The sums of eight chunks are added to the result in double precision. Memory is read once.
//!
//! Accuracy: rounding errors of chunks average out. Relative to `√(V_ii · V_jj)` the error of an element is below
//! 5e-7 for up to 64 rows and falls with the square root of their number: 1.25e-7 for 1024, 3e-8 for 16384.

use crate::base::SMALL;
use crate::simd::rows::{self, map, map_partial, widen};
use crate::simd::tile::{self, Rows, Strided, Tile};
use crate::simd::{Backend, Kernel, MAX_LANES, Simd};
use crate::tensor::View;
use crate::tensor::ahead::Ahead;
use core::ops::Range;

/// Rows whose products are added up one by one in single precision.
const CHUNK: usize = 32;
/// Rows that are packed at a time, so that a result larger than the caches is not read for each chunk. The sums of their
/// chunks are added up in single precision too.
const PACKED: usize = 8 * CHUNK;
/// Rows whose mean is the shift.
const SAMPLE: usize = 64;
/// The longest rows that are not copied to panels.
const LONGEST_ROW: usize = 128;
/// Vectors in the width of a panel.
const VECTORS: usize = 2;

/// Numbers of the panels of a chunk with so many columns, on the back end with the widest.
const fn panels_len(columns: usize) -> usize {
    columns.next_multiple_of(VECTORS * MAX_LANES) * PACKED
}

/// Numbers of scratch that [`covariance`] needs; fastest when aligned to 64 bytes.
pub const fn covariance_scratch_len(channels: usize) -> usize {
    panels_len(channels) + channels.next_multiple_of(VECTORS * MAX_LANES)
}

/// Numbers of scratch that [`dual`] needs; fastest when aligned to 64 bytes.
pub const fn dual_scratch_len(positions: usize, channels: usize) -> usize {
    panels_len(positions) + channels
}

/// Numbers of scratch that [`cross_moment`] needs for so many rows and columns of its result; fastest when aligned
/// to 64 bytes.
pub const fn cross_moment_scratch_len(rows: usize, columns: usize) -> usize {
    panels_len(rows) + panels_len(columns)
}

/// The covariance of the channels over all positions: `out = Σ (x - x̄)(x - x̄)ᵀ / n`, channels × channels.
///
/// To read memory once, the channels are shifted by the mean of 64 positions spread over the tensor, and the
/// result is corrected by the mean r of what is left: `S / n - r rᵀ`. A channel that is constant has exactly zero
/// covariances. What is not a number makes its channel's row and column NaN; no positions make all of them NaN.
///
/// `scratch` has [`covariance_scratch_len`] numbers, `sums` one a channel.
pub fn covariance(backend: Backend, features: View<'_>, out: &mut [f64], scratch: &mut [f32], sums: &mut [f64]) {
    let (positions, channels) = (features.shape.positions(), features.shape.channels);
    let (panels, shift) = scratch.split_at_mut(panels_len(channels));
    let shift = &mut shift[..channels.next_multiple_of(VECTORS * MAX_LANES)];
    let (sums, out) = (&mut sums[..channels], &mut out[..channels * channels]);
    sample_mean(features, &mut shift[..channels]);
    shift[channels..].fill(0.0);
    sums.fill(0.0);
    let source = Centred { features, shift, sums };
    backend.run(Symmetric { source, rows: positions, columns: channels, out, panels });

    let scale = 1.0 / positions as f64;
    for i in 0..channels {
        for j in i..channels {
            let moment = out[i * channels + j] * scale - (sums[i] * scale) * (sums[j] * scale);
            out[i * channels + j] = moment;
            out[j * channels + i] = moment;
        }
    }
}

/// The dual of the covariance: the doubly centred Gram matrix of the positions over n, positions × positions.
///
/// It has the same non-zero eigenvalues as [`covariance`] and is smaller where there are fewer positions than
/// channels. Shifting all positions by the same vector does not change it; it is shifted like [`covariance`],
/// so that constant channels contribute exactly nothing.
///
/// `scratch` has [`dual_scratch_len`] numbers, `sums` one a position.
pub fn dual(backend: Backend, features: View<'_>, out: &mut [f64], scratch: &mut [f32], sums: &mut [f64]) {
    let (positions, channels) = (features.shape.positions(), features.shape.channels);
    let (panels, shift) = scratch.split_at_mut(panels_len(positions));
    let (shift, sums, out) = (&mut shift[..channels], &mut sums[..positions], &mut out[..positions * positions]);
    sample_mean(features, shift);
    let source = Transposed { features, shift };
    backend.run(Symmetric { source, rows: channels, columns: positions, out, panels });

    let scale = 1.0 / positions as f64;
    for i in 0..positions {
        for j in 0..i {
            out[i * positions + j] = out[j * positions + i];
        }
        sums[i] = out[i * positions..][..positions].iter().sum::<f64>() * scale;
    }
    let mean = sums.iter().sum::<f64>() * scale;
    for i in 0..positions {
        for j in 0..positions {
            out[i * positions + j] = (out[i * positions + j] - (sums[i] + sums[j]) + mean) * scale;
        }
    }
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

/// Writes to `shift` the mean of some positions, evenly spread. That of equal numbers is exactly that number.
fn sample_mean(features: View<'_>, shift: &mut [f32]) {
    const BLOCK: usize = 16;
    let positions = features.shape.positions();
    let count = positions.min(SAMPLE);
    for (block, shift) in shift.chunks_mut(BLOCK).enumerate() {
        let mut sums = [0.0; BLOCK];
        for i in 0..count {
            let row = &features.row(i * positions / count)[block * BLOCK..];
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += f64::from(x);
            }
        }
        for (shift, sum) in shift.iter_mut().zip(sums) {
            *shift = (sum / count as f64) as f32;
        }
    }
}

/// A matrix that is read in panels.
trait Source {
    /// Rows that go to all panels before others do: few, so that memory is read along them.
    const STRIP: usize = 16;

    /// Writes `rows` of the `width` columns from `column` on to `panel`, anything beyond the last column.
    fn panel<S: Simd>(&mut self, simd: S, rows: Range<usize>, column: usize, width: usize, panel: &mut [f32]);

    /// Asks for the memory of rows.
    fn look_ahead(&self, rows: Range<usize>, ahead: &mut Ahead);
}

/// Positions × channels, less a shift of each channel, zeros behind the last; the sums of what is left are added to
/// `sums`.
struct Centred<'a> {
    features: View<'a>,
    shift: &'a [f32],
    sums: &'a mut [f64],
}

impl Source for Centred<'_> {
    // More, because each strip adds to the sums.
    const STRIP: usize = 64;

    #[inline(always)]
    fn panel<S: Simd>(&mut self, simd: S, rows: Range<usize>, column: usize, width: usize, panel: &mut [f32]) {
        if width == VECTORS * S::LANES && !SMALL {
            self.vectors::<S, VECTORS>(simd, rows, column, width, panel);
        } else {
            let width_used = width.min(self.sums.len() - column);
            for offset in (0..width_used).step_by(S::LANES) {
                self.vectors::<S, 1>(simd, rows.clone(), column + offset, width, &mut panel[offset..]);
            }
        }
    }

    fn look_ahead(&self, rows: Range<usize>, ahead: &mut Ahead) {
        ahead.add(&self.features, rows.start, rows.len());
    }
}

impl Centred<'_> {
    /// Writes the `V` vectors from `column` on of each row, `width` apart.
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        rows: Range<usize>,
        column: usize,
        width: usize,
        panel: &mut [f32],
    ) {
        let View { data, pitch, .. } = self.features;
        let data = &data[rows.start * pitch + column..];
        let (inputs, shift) = ([rows::Rows { data, pitch }], [&self.shift[column..]]);
        let (count, sums) = (rows.len(), &mut self.sums[column..]);
        let centre = |[shift]: [S::F32; 1], [x]: [S::F32; 1], _: S::F32, [sum]: &mut [S::F32; 1]| {
            let centred = simd.sub(x, shift);
            *sum = simd.add(*sum, centred);
            centred
        };
        if (count - 1) * pitch + V * S::LANES <= data.len() && !SMALL {
            let strip: [_; V] = map(simd, count, inputs, shift, panel, width, &centre);
            for ([strip], sums) in strip.into_iter().zip(sums.chunks_mut(S::LANES)) {
                add_widened(simd, strip, sums);
            }
        } else {
            // Whole vectors of the last row would end behind the tensor.
            for (vector, sums) in sums.chunks_mut(S::LANES).take(V).enumerate() {
                let channels = vector * S::LANES..vector * S::LANES + sums.len();
                let [strip] = map_partial(simd, count, channels, inputs, shift, panel, width, &centre);
                add_widened(simd, strip, sums);
            }
        }
    }
}

/// Channels × positions, less a shift of each channel.
struct Transposed<'a> {
    features: View<'a>,
    shift: &'a [f32],
}

impl Source for Transposed<'_> {
    #[inline(always)]
    fn panel<S: Simd>(&mut self, _: S, rows: Range<usize>, column: usize, width: usize, panel: &mut [f32]) {
        let used = width.min(self.features.shape.positions() - column);
        for j in 0..used {
            let numbers = &self.features.row(column + j)[rows.clone()];
            for (k, (x, shift)) in numbers.iter().zip(&self.shift[rows.clone()]).enumerate() {
                panel[k * width + j] = x - shift;
            }
        }
    }

    // Such tensors have few positions.
    fn look_ahead(&self, _: Range<usize>, _: &mut Ahead) {}
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

    fn look_ahead(&self, rows: Range<usize>, ahead: &mut Ahead) {
        // The processor sees by itself what is next in rows that are read one after the other.
        if self.is_read_in_place() {
            return;
        }
        // Exact for whole rows of the folded map.
        let area = self.ratio * self.ratio;
        ahead.add(&self.features, rows.start * area, rows.len() * area);
    }
}

/// `out = XᵀX` in its upper triangle, for a source X of rows × columns. What lies below is arbitrary.
struct Symmetric<'a, X> {
    source: X,
    rows: usize,
    columns: usize,
    out: &'a mut [f64],
    panels: &'a mut [f32],
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
            let mut ahead = Ahead::new();
            self.source.look_ahead(rows.end..self.rows.min(rows.end + PACKED), &mut ahead);
            // Tiles on and above the diagonal: half of all, and half of a strip.
            let strips = self.columns.div_ceil(VECTORS * S::LANES);
            ahead.spread(chunks(&rows) * (strips + 1) * self.columns.div_ceil(TALL) / 2);
            let panels = pack(simd, &mut self.source, rows, self.columns, width::<S, TALL>(self.columns), self.panels);
            for first in (0..self.columns).step_by(VECTORS * S::LANES) {
                let last = self.columns.min(first + VECTORS * S::LANES);
                for i in (0..last).step_by(TALL) {
                    // The first vector that holds a column right of the diagonal.
                    let from = first.max(i / S::LANES * S::LANES);
                    let mut out = Block { out: self.out, columns: self.columns, rows: i..self.columns, column: from };
                    if last - from > S::LANES {
                        out.add_products::<S, TALL, VECTORS>(simd, panels, panels, |row| row, &mut ahead);
                    } else {
                        out.add_products::<S, TALL, 1>(simd, panels, panels, |row| row, &mut ahead);
                    }
                }
            }
        }
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
        self.out.fill(0.0);
        for position in self.positions.clone().step_by(PACKED) {
            let positions = position..self.positions.end.min(position + PACKED);
            let mut ahead = Ahead::new();
            let next = positions.end..self.positions.end.min(positions.end + PACKED);
            self.u.look_ahead(next.clone(), &mut ahead);
            self.v.look_ahead(next, &mut ahead);
            ahead.spread(chunks(&positions) * columns.div_ceil(VECTORS * S::LANES) * rows.div_ceil(TALL));
            let u = pack_folded::<S, TALL>(simd, &mut self.u, positions.clone(), self.u_panels);
            let v = pack_folded::<S, 1>(simd, &mut self.v, positions, self.v_panels);
            for first in (0..columns).step_by(VECTORS * S::LANES) {
                for i in (0..rows).step_by(TALL) {
                    let mut out = Block { out: self.out, columns, rows: i..rows, column: first };
                    let place = |row| channel_major(row, inputs, ratio);
                    if columns - first > S::LANES {
                        out.add_products::<S, TALL, VECTORS>(simd, u, v, place, &mut ahead);
                    } else {
                        out.add_products::<S, TALL, 1>(simd, u, v, place, &mut ahead);
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

/// Some rows of a source in panels of `width` columns: element (row, column) of panel p at
/// `numbers[p · panel + row · pitch + column]`.
#[derive(Clone, Copy)]
struct Panels<'a> {
    numbers: &'a [f32],
    rows: usize,
    width: usize,
    panel: usize,
    pitch: usize,
}

impl<'a> Panels<'a> {
    /// The numbers from element (row, column) on, the column counted over all panels.
    #[inline(always)]
    fn from(&self, row: usize, column: usize) -> &'a [f32] {
        &self.numbers[column / self.width * self.panel + row * self.pitch + column % self.width..]
    }
}

/// Chunks of some rows: what is asked for ahead is spread over those of all tiles.
fn chunks(rows: &Range<usize>) -> usize {
    rows.len().div_ceil(CHUNK)
}

/// The width of a panel: whole vectors, and no fewer numbers than a tile has rows.
#[inline(always)]
fn width<S: Simd, const TALL: usize>(columns: usize) -> usize {
    if columns > S::LANES { VECTORS * S::LANES } else { S::LANES.max(TALL) }
}

/// Packs rows of a source in panels of `width` columns.
#[inline(always)]
fn pack<'a, S: Simd, X: Source>(
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

/// Packs rows of a folded tensor, to be read by tiles `TALL` columns at a time, or vectors; or takes them as they are where
/// the tile can read them.
#[inline(always)]
fn pack_folded<'a, S: Simd, const TALL: usize>(
    simd: S,
    source: &'a mut Folded<'_>,
    rows: Range<usize>,
    packed: &'a mut [f32],
) -> Panels<'a> {
    let (columns, pitch) = (source.columns(), source.features.pitch);
    let width = width::<S, TALL>(columns);
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

/// A place in a row-major matrix: the rows that exist from its first on, and its first column.
struct Block<'a> {
    out: &'a mut [f64],
    columns: usize,
    rows: Range<usize>,
    column: usize,
}

impl Block<'_> {
    /// Adds `UᵀV` of two packed matrices in a tile, chunk by chunk. `place` says where a row of the product goes.
    #[inline(always)]
    fn add_products<S: Simd, const TALL: usize, const WIDE: usize>(
        &mut self,
        simd: S,
        u: Panels<'_>,
        v: Panels<'_>,
        place: impl Fn(usize) -> usize,
        ahead: &mut Ahead,
    ) {
        let mut total: Tile<S, TALL, WIDE> = tile::zero(simd);
        for first in (0..u.rows).step_by(CHUNK) {
            ahead.advance(simd, 1);
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
fn add_widened<S: Simd>(simd: S, vector: S::F32, out: &mut [f64]) {
    widen(
        simd,
        [vector],
        [out],
        #[inline(always)]
        |[x], [sum]| [simd.add_f64(sum, x)],
    );
}

#[cfg(test)]
mod tests;
