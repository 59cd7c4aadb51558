//! The gradient with respect to a bias: that with respect to the output, summed over all positions.

use crate::simd::rows::{self, Rows};
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::{Columns, for_each_block, summed_rows};
use crate::tensor::{Gradient, View};
use core::ops::Range;

/// Channels whose sums in double precision are held at a time.
const CHANNELS: usize = 64;

/// Writes to `out`, one number an output channel, the gradient with respect to the bias of a convolution or linear map. The
/// channels of `gradients` side by side are the output channels.
///
/// In front of a batch normalisation it is 0 but for rounding: that takes a constant away again.
pub fn vjp(backend: Backend, gradients: &[Gradient<'_>], out: &mut [f32]) {
    let mut out = out.iter_mut();
    for gradient in gradients {
        let View { shape, .. } = gradient.stored;
        for first in (0..shape.channels).step_by(CHANNELS) {
            let channels = first..shape.channels.min(first + CHANNELS);
            let [mut of_gradient, mut of_input] = [[0.0; CHANNELS]; 2];
            let add = |view: &View<'_>, totals: &mut [f64; CHANNELS]| {
                let view = view.channels(channels.clone());
                let totals = &mut totals[..channels.len()];
                backend.run(Sum {
                    rows: Rows { data: view.data, pitch: view.pitch },
                    count: shape.positions(),
                    totals,
                });
            };
            add(&gradient.stored, &mut of_gradient);
            if let Some(normalised) = &gradient.normalised {
                add(&normalised.input, &mut of_input);
            }
            for (place, (channel, out)) in channels.zip(&mut out).enumerate() {
                let sum = match &gradient.normalised {
                    None => of_gradient[place],
                    Some(normalised) => {
                        f64::from(normalised.by_gradient[channel]) * of_gradient[place]
                            + f64::from(normalised.by_input[channel]) * of_input[place]
                            + f64::from(normalised.constant[channel]) * shape.positions() as f64
                    }
                };
                *out = sum as f32;
            }
        }
    }
}

/// Adds rows to totals. A few are summed in single precision, those sums in double precision.
struct Sum<'a> {
    rows: Rows<'a>,
    count: usize,
    totals: &'a mut [f64],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.totals.len();
        for_each_block(simd, self.count, channels, summed_rows(channels), &mut self);
    }
}

impl Sum<'_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, channels: Range<usize>, sum: [S::F32; 1]) {
        rows::widen(
            simd,
            sum,
            [&mut self.totals[channels]],
            #[inline(always)]
            |[sum], [total]| [simd.add_f64(total, sum)],
        );
    }
}

impl<S: Simd> Columns<S> for Sum<'_> {
    #[inline(always)]
    fn whole<const V: usize>(&mut self, simd: S, rows: Range<usize>, first: usize) {
        let input = self.rows.skip(rows.start * self.rows.pitch + first);
        let sums: [_; V] = rows::sum(
            simd,
            rows.len(),
            [input],
            [],
            #[inline(always)]
            |[], [x], [sum]| *sum = simd.add(*sum, x),
        );
        for (vector, sum) in sums.into_iter().enumerate() {
            let first = first + vector * S::LANES;
            self.take(simd, first..first + S::LANES, sum);
        }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn partial(&mut self, simd: S, rows: Range<usize>, channels: Range<usize>) {
        let input = self.rows.skip(rows.start * self.rows.pitch);
        let sum = rows::sum_partial(
            simd,
            rows.len(),
            channels.clone(),
            [input],
            [],
            #[inline(always)]
            |[], [x], [sum]| *sum = simd.add(*sum, x),
        );
        self.take(simd, channels, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use crate::tensor::{Normalised, Shape};
    use std::vec::Vec;
    use std::{format, vec};

    /// Some numbers plus `bias` at every position.
    fn reference(positions: usize, bias: &[f64]) -> Vec<f64> {
        (0..positions).flat_map(|position| bias.iter().map(move |bias| bias + position as f64)).collect()
    }

    #[test]
    fn sums_of_gradients_side_by_side() {
        for (backend, positions) in Backend::available().flat_map(|b| [0, 1, 7, 130, 700].map(|p| (b, p))) {
            for channels in [1, 3, 8, 17, 31, 64, 83, 200] {
                let shapes = [channels, 5].map(|channels| Shape::new(1, positions, 1, channels).unwrap());
                let g = shapes.map(|shape| Tensor::random(shape, 2, 1));
                let z = Tensor::random(shapes[0], 1, 2);
                let [by_gradient, by_input, constant] = [3, 4, 5].map(|seed| numbers(channels, seed));
                let normalised =
                    Normalised { input: z.view(), by_gradient: &by_gradient, by_input: &by_input, constant: &constant };
                for normalised in [None, Some(normalised)] {
                    let gradients = [
                        Gradient { stored: g[0].view(), normalised },
                        Gradient { stored: g[1].view(), normalised: None },
                    ];
                    let mut out = vec![f32::NAN; channels + 5];
                    vjp(backend, &gradients, &mut out);
                    let mut seen = g[0].dense();
                    if normalised.is_some() {
                        for (place, (g, z)) in seen.iter_mut().zip(z.dense()).enumerate() {
                            let at = |numbers: &[f32]| f64::from(numbers[place % channels]);
                            *g = at(&by_gradient) * *g + at(&by_input) * z + at(&constant);
                        }
                    }
                    let case = format!("{backend:?}, {positions} × {channels}");
                    // Sums of 700 numbers below 10, a few of which at a time are added in single precision.
                    let expected = [(channels, seen), (5, g[1].dense())].map(|(channels, seen)| {
                        differences(&vec![0.0; channels], &seen, |bias| reference(positions, bias))
                    });
                    assert_close(&widen(&out), &expected.concat(), 1e-3, &case);
                }
            }
        }
    }
}
