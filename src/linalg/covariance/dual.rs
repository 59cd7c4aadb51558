//! The Gram matrix of positions, which has the eigenvalues of the covariance of channels.

use super::panels::{Source, panels_len};
use super::sample_mean;
use super::symmetric::Symmetric;
use crate::simd::{Backend, Simd};
use crate::tensor::View;
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Numbers of scratch that [`dual`] needs; fastest when aligned to 64 bytes.
pub const fn dual_scratch_len(positions: usize, channels: usize) -> usize {
    panels_len(positions) + channels
}

/// The dual of the covariance: the doubly centred Gram matrix of the positions over n, positions × positions.
///
/// It has the same non-zero eigenvalues as [`covariance`] and is smaller where there are fewer positions than
/// channels. Shifting all positions by the same vector does not change it; it is shifted like [`covariance`],
/// so that constant channels contribute exactly nothing.
///
/// `scratch` has [`dual_scratch_len`] numbers, `sums` one a position.
///
/// [`covariance`]: super::covariance()
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
    fn prefetch(&self, _: Range<usize>, _: &mut Prefetch) {}
}
