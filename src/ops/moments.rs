//! Means and variances of channels, gathered piece by piece without cancellation.
//!
//! Each piece of a tensor, while it is still in the cache, yields the mean and the sum of squared deviations of
//! every channel; pieces are merged in double precision by the update of Chan, Golub and LeVeque (1979),
//! `M₂ = M₂ₐ + M₂ᵦ + (mᵦ − mₐ)² · nₐ nᵦ / (nₐ + nᵦ)`. Inside a piece, sums are of differences from the piece's
//! first row, so that a mean far from zero costs no digits either.

use crate::simd::rows::{self, CHAINS, Rows};
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::View;
use core::ops::Range;

/// Rows summed in single precision before they are merged.
const PIECE: usize = 128;

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

    /// Adds positions `first .. first + count` of a tensor.
    pub fn update(&mut self, backend: Backend, view: &View<'_>, first: usize, count: usize) {
        for start in (0..count).step_by(PIECE) {
            let piece = Piece {
                rows: &view.data[(first + start) * view.pitch..],
                pitch: view.pitch,
                count: PIECE.min(count - start),
                seen: self.count,
                mean: &mut self.mean[..view.shape.channels],
                squares: &mut self.squares[..view.shape.channels],
            };
            self.count += piece.count;
            backend.run(piece);
        }
    }
}

/// A few rows to merge into the moments of `seen` others.
struct Piece<'a> {
    rows: &'a [f32],
    pitch: usize,
    count: usize,
    seen: usize,
    mean: &'a mut [f64],
    squares: &'a mut [f64],
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.mean.len();
        for first in (0..channels).step_by(S::LANES) {
            let part = first..channels.min(first + S::LANES);
            let (origin, sums) = if part.len() == S::LANES {
                let rows = Rows { data: &self.rows[first..], pitch: self.pitch };
                let origin = simd.load(rows.data);
                (origin, rows::deviations(simd, self.count, rows, origin))
            } else {
                self.sums_of_part(simd, part.clone())
            };
            let mut totals = Totals { origin: [0.0; 16], sum: [0.0; 16], squares: [0.0; 16] };
            simd.store(origin, &mut totals.origin);
            simd.store(sums[0], &mut totals.sum);
            simd.store(sums[1], &mut totals.squares);
            merge(totals, self.count, self.seen, &mut self.mean[part.clone()], &mut self.squares[part]);
        }
    }
}

/// Of up to 16 channels: the first row, and the sums and sums of squares of the differences from it.
struct Totals {
    origin: [f32; 16],
    sum: [f32; 16],
    squares: [f32; 16],
}

impl Piece<'_> {
    /// The first row of fewer channels than a vector holds, and the sums of [`rows::deviations`].
    #[inline(always)]
    fn sums_of_part<S: Simd>(&self, simd: S, part: Range<usize>) -> (S::F32, [S::F32; 2]) {
        let origin = simd.load_partial(&self.rows[part.clone()]);
        let mut sums = [simd.splat(0.0); 2];
        // A few short sums err less than a long one.
        for chain in 0..CHAINS {
            let mut of_chain = [simd.splat(0.0); 2];
            for row in (chain..self.count).step_by(CHAINS) {
                let value = simd.load_partial(&self.rows[row * self.pitch..][part.clone()]);
                let difference = simd.sub(value, origin);
                of_chain[0] = simd.add(of_chain[0], difference);
                of_chain[1] = simd.mul_add(difference, difference, of_chain[1]);
            }
            sums = [simd.add(sums[0], of_chain[0]), simd.add(sums[1], of_chain[1])];
        }
        (origin, sums)
    }
}

#[inline(always)]
fn merge(totals: Totals, count: usize, seen: usize, mean: &mut [f64], squares: &mut [f64]) {
    let (count, seen) = (count as f64, seen as f64);
    let (inverse, weight) = (1.0 / count, count / (seen + count));
    for (channel, (mean, squares)) in mean.iter_mut().zip(squares).enumerate().take(16) {
        let [origin, sum, sum_of_squares] = [totals.origin, totals.sum, totals.squares].map(|x| f64::from(x[channel]));
        let offset = sum * inverse;
        let deviations = sum_of_squares - sum * offset;
        let difference = origin + offset - *mean;
        *mean += difference * weight;
        *squares += deviations.max(0.0) + difference * difference * (seen * weight);
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
            for channels in [1, 3, 7, 8, 9, 16, 17, 40] {
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
