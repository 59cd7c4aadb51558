//! Second moments of features: channel covariance, its dual, and the cross moment of two gradients.
//!
//! All three are sums of products over many rows, taken in chunks of 32: a chunk is copied to panels in the
//! caller's scratch, centred on the way, and multiplied in single precision by the register tile of
//! [`gemm`](super::gemm). The sums of eight chunks are added to the result in double precision. Memory is read once.
//!
//! Accuracy: rounding errors of chunks average out. Relative to `√(V_ii · V_jj)` the error of an element is below
//! 5e-7 for up to 64 rows and falls with the square root of their number: 1.25e-7 for 1024, 3e-8 for 16384.

mod centred;
mod dual;
mod folded;
mod panels;
mod products;
mod symmetric;
#[cfg(test)]
mod tests;

pub use centred::{covariance, covariance_scratch_len};
pub use dual::{dual, dual_scratch_len};
pub use folded::{cross_moment, cross_moment_scratch_len};

use crate::tensor::View;

/// Rows whose mean is the shift.
const SAMPLE: usize = 64;

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
