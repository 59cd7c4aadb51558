//! Means and variances of channels, gathered piece by piece without cancellation.
//!
//! Each piece of a tensor, while it is still in the cache, yields the mean and the sum of squared deviations of
//! every channel; pieces are merged in double precision by the update of Chan, Golub and LeVeque (1979),
//! `M₂ = M₂ₐ + M₂ᵦ + (mᵦ − mₐ)² · nₐ nᵦ / (nₐ + nᵦ)`. Inside a piece, sums are of differences from the piece's
//! first row, so that a mean far from zero costs no digits either.

use crate::simd::rows::{self, Rows};
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::View;
use crate::tensor::columns::{self, Columns, for_each_column};
use core::ops::Range;

/// Running means and sums of squared deviations, one of each a channel.
#[derive(Debug)]
pub struct Moments<'a> {
    count: usize,
    mean: &'a mut [f64],
    squares: &'a mut [f64],
}

impl<'a> Moments<'a> {
    /// Moments of nothing yet, in two slices of one number a channel each.
    pub fn new(mean: &'a mut [f64], squares: &'a mut [f64]) -> Self {
        mean.fill(0.0);
        squares.fill(0.0);
        Self { count: 0, mean, squares }
    }

    /// The moments of `count` numbers of each channel, as they were left in the two slices.
    pub fn resume(count: usize, mean: &'a mut [f64], squares: &'a mut [f64]) -> Self {
        Self { count, mean, squares }
    }

    /// Numbers seen of each channel.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The mean of each channel.
    pub fn mean(&self) -> &[f64] {
        self.mean
    }

    /// The sum of squared deviations from the mean, of each channel; divided by [`count`](Self::count), the
    /// (biased) variance that batch normalisation uses. The relative error is below 1e-6.
    pub fn squares(&self) -> &[f64] {
        self.squares
    }

    /// Adds positions `first .. first + count` of a tensor to some of the channels, which have seen those before `first`
    /// and no others.
    pub(super) fn update_channels(
        &mut self,
        backend: Backend,
        view: &View<'_>,
        channels: Range<usize>,
        first: usize,
        count: usize,
    ) {
        let (mean, squares) = (&mut self.mean[channels.clone()], &mut self.squares[channels.clone()]);
        Moments { count: first, mean, squares }.update(backend, &view.channels(channels), first, count);
        self.count = first + count;
    }

    /// Adds positions `first .. first + count` of a tensor.
    pub fn update(&mut self, backend: Backend, view: &View<'_>, first: usize, count: usize) {
        let channels = view.shape.channels;
        backend.run(Update {
            rows: Rows { data: view.data.get(first * view.pitch..).unwrap_or_default(), pitch: view.pitch },
            count,
            seen: self.count,
            mean: &mut self.mean[..channels],
            squares: &mut self.squares[..channels],
        });
        self.count += count;
    }
}

/// Rows to merge into the moments of `seen` others.
struct Update<'a> {
    rows: Rows<'a>,
    count: usize,
    seen: usize,
    mean: &'a mut [f64],
    squares: &'a mut [f64],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.mean.len();
        let rows = columns::summed_rows(channels);
        for first in (0..self.count).step_by(rows) {
            let rows = rows.min(self.count - first);
            let (count, seen) = (rows as f64, (self.seen + first) as f64);
            let weight = count / (seen + count);
            let mut piece = Piece {
                rows: self.rows.skip(first * self.rows.pitch),
                inverse: 1.0 / count,
                weight,
                spread: seen * weight,
                mean: &mut *self.mean,
                squares: &mut *self.squares,
            };
            for_each_column(simd, 0..rows, 0..channels, &mut piece);
        }
    }
}

/// A few rows to merge into the moments of those before.
struct Piece<'a> {
    rows: Rows<'a>,
    /// 1 / rows of the piece.
    inverse: f64,
    /// The share of the piece in all rows so far.
    weight: f64,
    /// Rows before the piece times its share.
    spread: f64,
    mean: &'a mut [f64],
    squares: &'a mut [f64],
}

impl<S: Simd> Columns<S> for Piece<'_> {
    #[inline(always)]
    fn whole<const V: usize>(&mut self, simd: S, rows: Range<usize>, first: usize) {
        let data = self.rows.skip(first);
        let sums: [_; V] = rows::sum(
            simd,
            rows.len(),
            [data],
            [data.data],
            #[inline(always)]
            |[origin], [x], sums| add(simd, simd.sub(x, origin), sums),
        );
        for (vector, sums) in sums.into_iter().enumerate() {
            let offset = vector * S::LANES;
            let channels = first + offset..first + offset + S::LANES;
            self.merge(simd, channels, simd.load(&data.data[offset..]), sums);
        }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn partial(&mut self, simd: S, rows: Range<usize>, channels: Range<usize>) {
        let origin = simd.load_partial(&self.rows.data[channels.clone()]);
        let sums = rows::sum_partial(
            simd,
            rows.len(),
            channels.clone(),
            [self.rows],
            [self.rows.data],
            #[inline(always)]
            |[origin], [x], sums| add(simd, simd.sub(x, origin), sums),
        );
        self.merge(simd, channels, origin, sums);
    }
}

/// Adds a difference from the origin and its square.
#[inline(always)]
fn add<S: Simd>(simd: S, difference: S::F32, [sum, squares]: &mut [S::F32; 2]) {
    *sum = simd.add(*sum, difference);
    *squares = simd.mul_add(difference, difference, *squares);
}

impl Piece<'_> {
    /// Merges the sums of the differences of `channels` from their first row, the origin, and of their squares.
    #[inline(always)]
    fn merge<S: Simd>(&mut self, simd: S, channels: Range<usize>, origin: S::F32, [sum, squares]: [S::F32; 2]) {
        let [inverse, weight, spread] =
            [simd.splat_f64(self.inverse), simd.splat_f64(self.weight), simd.splat_f64(self.spread)];
        rows::widen(
            simd,
            [origin, sum, squares],
            [&mut self.mean[channels.clone()], &mut self.squares[channels]],
            #[inline(always)]
            |[origin, sum, sum_of_squares], [mean, squares]| {
                let offset = simd.mul_f64(sum, inverse);
                // Not negative: the origin is one of the rows, so that this is at least Σ² / (count + 1).
                let deviations = simd.sub_f64(sum_of_squares, simd.mul_f64(sum, offset));
                let difference = simd.sub_f64(simd.add_f64(origin, offset), mean);
                let between = simd.mul_f64(simd.mul_f64(difference, difference), spread);
                [simd.mul_add_f64(difference, weight, mean), simd.add_f64(squares, simd.add_f64(deviations, between))]
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Shape;
    use std::vec;
    use std::vec::Vec;

    /// Of the sum of squares; the mean's is relative to the standard deviation.
    const TOLERANCE: f64 = 1e-6;

    #[test]
    fn moments_match_two_passes_in_double_precision() {
        for backend in Backend::available() {
            for channels in [1, 3, 7, 8, 9, 16, 17, 40, 83] {
                for (positions, gap, offset) in
                    [(1, 0, 0.0), (5, 2, 1e3), (127, 0, -30.0), (128, 1, 0.0), (1000, 0, 1e3)]
                {
                    let pitch = channels + gap;
                    let data: Vec<f32> = (0..positions * pitch)
                        .map(|index| (index * 7919 % 1009) as f32 / 256.0 - 2.0 + offset)
                        .collect();
                    let view = View { data: &data, shape: Shape::new(1, positions, 1, channels).unwrap(), pitch };
                    let (mut mean, mut squares) = (vec![f64::NAN; channels], vec![f64::NAN; channels]);
                    let mut moments = Moments::new(&mut mean, &mut squares);
                    let half = positions / 2;
                    moments.update(backend, &view, half, positions - half);
                    moments.update(backend, &view, 0, half);
                    assert_eq!(moments.count(), positions);
                    for channel in 0..channels {
                        let column = || (0..positions).map(|position| f64::from(view.row(position)[channel]));
                        let mean = column().sum::<f64>() / positions as f64;
                        let squares = column().map(|x| (x - mean) * (x - mean)).sum::<f64>();
                        let deviation = (squares / positions as f64).sqrt();
                        let error = (moments.mean()[channel] - mean).abs();
                        assert!(error <= TOLERANCE * deviation + 1e-12 * mean.abs(), "{channels} {positions}: {error}");
                        let error = (moments.squares()[channel] - squares).abs();
                        assert!(error <= TOLERANCE * squares, "{channels} {positions}: {error} of {squares}");
                    }
                }
            }
        }
    }
}
