//! GraSP: whether a step along the gradient keeps the gradient long (Wang, Zhang and Grosse, ICLR 2020; as a proxy:
//! Abdelfattah et al., ICLR 2021).
//!
//! `−w · H g` over the weights of all convolutions and linear maps, with g the gradient and H the Hessian of the mean
//! cross entropy of one batch; any number. The sign is that of the proxy, not of the criterion for pruning, which
//! removes what is lowest in `w · H g`.
//!
//! There is no second derivative here. Where all weights are s times as large, the squared norm of the gradient changes as
//! `d/ds ‖g‖² = 2 g · H w` at s = 1, whatever the number of weights, so that `−w · H g = −½ d/ds ‖g(s w)‖²`. The
//! derivative is a difference of four norms, of a network whose rectifiers pass on the same as at s = 1 (their changing
//! sides is no part of the Hessian),
//!
//! ```text
//! f′(1) ≈ (f(1 − 2h) − 8 f(1 − h) + 8 f(1 + h) − f(1 + 2h)) / 12h,
//! ```
//!
//! which errs by h⁴/30 of the fifth derivative. Behind a batch normalisation g falls as 1/s, so f as 1/s², whose
//! derivative comes out too large by `12h⁴`, 1.1·10⁻⁵; what single precision loses grows as 1/h.
//!
//! Published setting: Kaiming initialisation of the fan-in, batch 64, images and labels of the data set.

use super::entry::{Entry, Measurement, Origin};
use super::grad_norm::squared_norm;
use crate::simd::Backend;

pub(super) const ENTRY: Entry = Entry { name: "grasp", origin: Origin::Network(Measurement::Curvature) };

/// h
const STEP: f32 = 1.0 / 32.0;

/// What the weights are multiplied by.
pub const SCALES: [f32; 4] = [1.0 - 2.0 * STEP, 1.0 - STEP, 1.0 + STEP, 1.0 + 2.0 * STEP];

/// The squared norms of the gradients at each of the [`SCALES`], while their parts arrive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grasp {
    squares: [f64; SCALES.len()],
}

impl Grasp {
    /// Adds the gradient of a weight where all are multiplied by the scale of this place among the [`SCALES`].
    pub fn add(&mut self, backend: Backend, place: usize, gradient: &[f32]) {
        self.squares[place] += squared_norm(backend, gradient);
    }

    /// `−w · H g`; NaN if any gradient is.
    pub fn value(&self) -> f64 {
        let [far_below, below, above, far_above] = self.squares;
        (far_above - far_below + 8.0 * (below - above)) / (24.0 * f64::from(STEP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// That of the difference, and of gradients rounded to single precision.
    const ERROR: f64 = 12.0 * (STEP * STEP * STEP * STEP) as f64 + 1e-7 / STEP as f64;

    /// Of a function whose gradient is known at every scale, in single precision as networks have it.
    fn grasp(gradient: impl Fn(f64) -> Vec<f64>) -> f64 {
        let mut grasp = Grasp::default();
        for (place, scale) in SCALES.into_iter().enumerate() {
            grasp.add(Backend::Scalar, place, &gradient(scale.into()).iter().map(|&g| g as f32).collect::<Vec<_>>());
        }
        grasp.value()
    }

    #[test]
    fn a_quadratic_form() {
        // L = ½ wᵀ A w: g = A w, H = A, so −w · H g = −‖A w‖².
        let (a, w) = ([[2.0, 1.0], [1.0, 3.0]], [0.5, -2.0]);
        let product = a.map(|row| row[0] * w[0] + row[1] * w[1]);
        let expected = -product.iter().map(|x| x * x).sum::<f64>();
        let found = grasp(|scale| product.map(|x| scale * x).to_vec());
        assert!((found / expected - 1.0).abs() < ERROR, "{found} {expected}");
    }

    #[test]
    fn weights_whose_scale_does_not_matter() {
        // L(c w) = L(w): g(c w) = g(w) / c and H w = −g, so −w · H g = ‖g‖².
        let g = [3.0, -4.0, 1e-3];
        let expected = g.iter().map(|x| x * x).sum::<f64>();
        let found = grasp(|scale| g.map(|x| x / scale).to_vec());
        assert!((found / expected - 1.0).abs() < ERROR, "{found} {expected}");
        assert_eq!(grasp(|_| g.to_vec()), 0.0);
        assert!(grasp(|_| std::vec![f64::NAN]).is_nan());
    }
}
