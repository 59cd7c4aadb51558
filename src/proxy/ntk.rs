//! The tangent kernel of TE-NAS: how evenly a network can be trained (Chen, Gong and Wang, ICLR 2021).
//!
//! −κ, with κ the condition number of the tangent kernel `Θ[i, j] = J_i · J_j` of a batch, where `J_i` is the gradient of
//! the sum of the outputs for image i with respect to the weights of convolutions and linear maps and the gains of
//! normalisations; −1 at best. Batch normalisation couples the images, so `J_i` is of the batch as a whole.
//!
//! TE-NAS adds the rank of this to that of the number of linear regions (`linear_regions.rs`).
//!
//! As in AZ-NAS's program κ is 100000 where it is 0/0: no gradient at all. Mended: rounding leaves a singular kernel
//! a smallest eigenvalue of either sign, and below 0 it made for the best of all scores; here κ is infinite where the
//! smallest eigenvalue is no more than rounding.
//!
//! Published setting: the frameworks' default initialisation, images of the data set, batch 64.

use super::entry::{Entry, Measurement, Origin};
use crate::linalg::spectrum;
use crate::simd::Backend;

pub(super) const ENTRY: Entry = Entry { name: "ntk", origin: Origin::Network(Measurement::TangentKernel) };

/// κ of a kernel of zeros.
pub const UNDEFINED: f64 = 100_000.0;

/// What rounding can leave of an eigenvalue of 0, in parts of the largest: the kernel is summed in double precision
/// of gradients in single precision.
const ROUNDING: f64 = 1e-12;

/// Minus the condition number of the symmetric `n × n` row-major `kernel`, which is destroyed. −∞ if it is singular,
/// −[`UNDEFINED`] if it is zero, NaN if it holds NaN or an infinity. `values` holds `n` numbers and `scratch`
/// [`spectrum::scratch_len`]`(n)`, or more.
pub fn conditioning(backend: Backend, kernel: &mut [f64], n: usize, values: &mut [f64], scratch: &mut [f64]) -> f64 {
    if !spectrum::eigenvalues(backend, kernel, n, values, scratch) {
        return f64::NAN;
    }
    let (Some(&smallest), Some(&largest)) = (values[..n].first(), values[..n].last()) else { return -UNDEFINED };
    if largest == 0.0 && smallest == 0.0 {
        -UNDEFINED
    } else if smallest <= ROUNDING * largest {
        f64::NEG_INFINITY
    } else {
        -largest / smallest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn of(kernel: &[f64], n: usize) -> f64 {
        let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; spectrum::scratch_len(n)]);
        conditioning(Backend::default(), &mut kernel.to_vec(), n, &mut values, &mut scratch)
    }

    #[test]
    fn known_kernels() {
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        near(of(&[5.0], 1), -1.0);
        near(of(&[3.0, 0.0, 0.0, 3.0], 2), -1.0);
        // Eigenvalues 1 and 3.
        near(of(&[2.0, 1.0, 1.0, 2.0], 2), -3.0);
        near(of(&[2e-30, 1e-30, 1e-30, 2e-30], 2), -3.0);
    }

    #[test]
    fn singular_kernels_are_worst() {
        for n in [1, 2, 3, 8, 16, 33] {
            assert_eq!(of(&vec![0.0; n * n], n), -UNDEFINED, "{n}");
            if n > 1 {
                assert_eq!(of(&vec![1.0; n * n], n), f64::NEG_INFINITY, "{n}");
                // The gradients of two images are the same, those of the others at right angles.
                let gradient = |i: usize| if i == 1 { 0 } else { i };
                let parallel = |a: usize, b: usize| gradient(a) == gradient(b);
                let entry = |k: usize| if parallel(k / n, k % n) { 0.3 + gradient(k / n) as f64 } else { 0.0 };
                let kernel: Vec<f64> = (0..n * n).map(entry).collect();
                assert_eq!(of(&kernel, n), f64::NEG_INFINITY, "{n}");
            }
            let mut damaged = vec![1.0; n * n];
            damaged[n * n - 1] = f64::NAN;
            assert!(of(&damaged, n).is_nan(), "{n}");
        }
    }
}
