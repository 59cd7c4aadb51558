//! The covariance of channels.

use super::panels::{Source, VECTORS, panels_len};
use super::products::add_widened;
use super::sample_mean;
use super::symmetric::Symmetric;
use crate::base::SMALL;
use crate::simd::rows::{self, map, map_partial};
use crate::simd::{Backend, MAX_LANES, Simd};
use crate::tensor::View;
use crate::tensor::prefetch::Prefetch;
use core::ops::Range;

/// Numbers of scratch that [`covariance`] needs; fastest when aligned to 64 bytes.
pub const fn covariance_scratch_len(channels: usize) -> usize {
    panels_len(channels) + channels.next_multiple_of(VECTORS * MAX_LANES)
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

    fn prefetch(&self, rows: Range<usize>, prefetch: &mut Prefetch) {
        prefetch.add(&self.features, rows.start, rows.len());
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
