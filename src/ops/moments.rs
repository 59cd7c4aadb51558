//! Means and variances of channels, gathered piece by piece without cancellation.
//!
//! Each piece of a tensor, while it is still in the cache, yields the mean and the sum of squared deviations of
//! every channel; pieces are merged in double precision by the update of Chan, Golub and LeVeque (1979),
//! `M₂ = M₂ₐ + M₂ᵦ + (mᵦ − mₐ)² · nₐ nᵦ / (nₐ + nᵦ)`. Inside a piece, sums are of differences from the piece's
//! first row, so that a mean far from zero costs no digits either.

use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::View;

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
        let mut first = 0;
        while first + S::LANES <= channels {
            let sums = self.sums(
                simd,
                #[inline(always)]
                |row| simd.load(&self.rows[row * self.pitch + first..]),
            );
            let part = first..first + S::LANES;
            merge(sums, self.count, self.seen, &mut self.mean[part.clone()], &mut self.squares[part]);
            first += S::LANES;
        }
        if first < channels {
            let sums = self.sums(
                simd,
                #[inline(always)]
                |row| simd.load_partial(&self.rows[row * self.pitch + first..row * self.pitch + channels]),
            );
            merge(sums, self.count, self.seen, &mut self.mean[first..], &mut self.squares[first..]);
        }
    }
}

/// Of up to 16 channels: the first row, and the sums and sums of squares of the differences from it.
struct Sums {
    origin: [f32; 16],
    sum: [f32; 16],
    squares: [f32; 16],
}

impl Piece<'_> {
    #[inline(always)]
    fn sums<S: Simd>(&self, simd: S, load: impl Fn(usize) -> S::F32) -> Sums {
        /// Independent sums, to hide the latency of an addition.
        const CHAINS: usize = 4;
        let origin = load(0);
        let mut sum = [simd.splat(0.0); CHAINS];
        let mut squares = sum;
        let mut row = 0;
        while row + CHAINS <= self.count {
            for chain in 0..CHAINS {
                let difference = simd.sub(load(row + chain), origin);
                sum[chain] = simd.add(sum[chain], difference);
                squares[chain] = simd.mul_add(difference, difference, squares[chain]);
            }
            row += CHAINS;
        }
        for chain in 0..self.count - row {
            let difference = simd.sub(load(row + chain), origin);
            sum[chain] = simd.add(sum[chain], difference);
            squares[chain] = simd.mul_add(difference, difference, squares[chain]);
        }
        let mut sums = Sums { origin: [0.0; 16], sum: [0.0; 16], squares: [0.0; 16] };
        simd.store(origin, &mut sums.origin);
        simd.store(simd.add(simd.add(sum[0], sum[1]), simd.add(sum[2], sum[3])), &mut sums.sum);
        let squares = simd.add(simd.add(squares[0], squares[1]), simd.add(squares[2], squares[3]));
        simd.store(squares, &mut sums.squares);
        sums
    }
}

#[inline(always)]
fn merge(sums: Sums, count: usize, seen: usize, mean: &mut [f64], squares: &mut [f64]) {
    let (count, seen) = (count as f64, seen as f64);
    let weight = count / (seen + count);
    for ((((mean, squares), origin), sum), sum_of_squares) in
        mean.iter_mut().zip(squares).zip(sums.origin).zip(sums.sum).zip(sums.squares)
    {
        let offset = f64::from(sum) / count;
        let deviations = f64::from(sum_of_squares) - f64::from(sum) * offset;
        let difference = f64::from(origin) + offset - *mean;
        *mean += difference * weight;
        *squares += deviations.max(0.0) + difference * difference * seen * weight;
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
