//! What the proxies need to know of a block: the spectrum of its feature and the size of its Jacobian.

use super::{Runner, buffer};
use crate::base::{SMALL, math};
use crate::linalg::{covariance, spectral_norm, spectrum};
use crate::mem::Loans;
use crate::options::Sigma;
use crate::plan::{Region, covariance_order, is_dual, spectra};
use crate::proxy::expressivity::block_expressivity;
use crate::proxy::trainability::{block_trainability, half_split};
use crate::proxy::{BlockScores, Flags};
use crate::tensor::{Shape, View, equal};
use core::ops::Range;

impl Runner<'_> {
    pub(super) fn empty_scores(&self) -> BlockScores {
        let shape = self.block.output_shape();
        let mut scores = BlockScores::unmeasured(self.block.index(), [shape.height, shape.width, shape.channels]);
        if self.plan.is_uneven() {
            scores.flags |= Flags::UNEVEN_BLOCK;
        }
        scores
    }

    /// The entropy of the eigenvalues of the channel covariance of the feature over all positions, and how concentrated they
    /// are; of its halves too where that corrects both.
    pub(super) fn spectrum(&self, loans: &mut Loans<'_>, scores: &mut BlockScores) {
        let (backend, shape, planned) = (self.options.backend, self.block.output_shape(), &self.plan.statistics);
        let feature: &[f32] = loans.read(self.slot(Region::Output));
        let matrix = loans.write(self.slot(buffer(planned.covariance)));
        // Room for sums while the matrix is formed.
        let values = loans.write(self.slot(buffer(planned.eigenvalues)));
        let scratch = loans.write(self.slot(buffer(planned.covariance_scratch)));
        let eigenvalue_scratch = loans.write(self.slot(buffer(planned.eigenvalue_scratch)));
        let mut is_finite = true;
        let mut measure = |first: usize, shape: Shape| {
            let part =
                View::dense(&feature[first * shape.positions_per_image() * shape.channels..][..shape.len()], shape);
            let order = covariance_order(shape);
            let (matrix, values) = (&mut matrix[..order * order], &mut values[..order]);
            if is_dual(shape) {
                covariance::dual(backend, part, matrix, scratch, values);
            } else {
                covariance::covariance(backend, part, matrix, scratch, values);
            }
            let mut concentration = f64::NAN;
            if !SMALL && planned.concentration {
                let trace;
                (trace, concentration) = spectrum::concentration(backend, matrix, order);
                is_finite &= trace.is_finite();
            }
            if !SMALL && planned.eigenvalue_scratch.is_none() {
                return [f64::NAN, concentration];
            }
            is_finite &= spectrum::eigenvalues(backend, matrix, order, values, eigenvalue_scratch);
            [block_expressivity(values), concentration]
        };
        let mut parts = spectra(shape, self.options.entropy);
        let [mut entropy, mut concentration] = parts.next().map_or([f64::NAN; 2], |shape| measure(0, shape));
        if let [Some(first), Some(second)] = [parts.next(), parts.next()] {
            let share = first.batch as f64 / shape.batch as f64;
            let [one, other] = [measure(0, first), measure(first.batch, second)];
            let most = math::ln(shape.channels as f64);
            entropy = half_split(entropy, [one[0], other[0]], share);
            // `min` would swallow NaN.
            entropy = if entropy > most { most } else { entropy };
            if !SMALL {
                let least = 1.0 / shape.channels as f64;
                concentration = half_split(concentration, [one[1], other[1]], share);
                concentration = if concentration < least { least } else { concentration };
            }
        }
        (scores.expressivity, scores.concentration) = (entropy, concentration);
        if shape.positions() < 2 * shape.channels {
            scores.flags |= Flags::FEW_POSITIONS;
        }
        if !is_finite {
            scores.flags |= Flags::NOT_FINITE;
        } else if scores.expressivity.is_nan() && scores.concentration.is_nan() {
            scores.flags |= Flags::CONSTANT_FEATURE;
        }
    }

    /// What the spectrum shows where it is taken.
    fn output_is_finite(&self, loans: &mut Loans<'_>) -> bool {
        let feature = loans.read::<f32>(self.slot(Region::Output));
        // Without an early end, which would keep the comparisons from being vectors.
        feature.iter().fold(true, |all, x| all & x.is_finite())
    }

    /// The mean over positions of `u vᵀ`, its largest singular value, and whether `u` is `v` unchanged.
    pub(super) fn transfer(&self, loans: &mut Loans<'_>, scores: &mut BlockScores) {
        let (backend, planned) = (self.options.backend, &self.plan.statistics);
        let output = self.block.output_shape();
        let pulled_back = self.gradient(self.block.input(), loans);
        let direction = View::dense(loans.read(self.slot(buffer(planned.direction))), output);
        let matrix = loans.write(self.slot(buffer(planned.transfer)));
        // Rows are the channels of the input, as often as the map shrinks.
        let (rows, columns) = (matrix.len() / output.channels.max(1), output.channels);
        let panels = loans.write(self.slot(buffer(planned.transfer_scratch)));
        let norm_scratch = loans.write(self.slot(buffer(planned.norm_scratch)));
        let mut moment = |samples: Range<usize>, matrix: &mut [f64]| {
            covariance::cross_moment(backend, pulled_back, direction, samples, matrix, panels);
        };
        let mut norm = |matrix: &[f64]| spectral_norm::spectral_norm(backend, matrix, rows, columns, norm_scratch);
        scores.sigma = match self.options.sigma {
            Sigma::Plain => {
                moment(0..output.batch, matrix);
                norm(matrix)
            }
            Sigma::HalfSplit => {
                let second = loans.write(self.slot(buffer(planned.half_transfer)));
                let middle = output.batch / 2;
                moment(0..middle, matrix);
                moment(middle..output.batch, second);
                let parts = [norm(matrix), norm(second)];
                let share = middle as f64 / output.batch as f64;
                matrix.iter_mut().zip(&*second).for_each(|(a, &b)| *a = share * *a + (1.0 - share) * b);
                half_split(norm(matrix), parts, share)
            }
        };
        if planned.eigenvalues.is_none() && !self.output_is_finite(loans) {
            scores.flags |= Flags::NOT_FINITE;
        }
        if scores.flags.contains(Flags::NOT_FINITE) {
            // Rectifiers cut gradients off where the value is NaN: what is left says nothing.
            scores.sigma = f64::NAN;
        }
        scores.trainability = block_trainability(scores.sigma);
        if !scores.sigma.is_finite() {
            scores.flags |= Flags::NOT_FINITE;
        }
        if equal(backend, pulled_back, direction) {
            scores.trainability = f64::NEG_INFINITY;
            scores.flags |= Flags::IDENTITY_BLOCK;
        }
    }
}
