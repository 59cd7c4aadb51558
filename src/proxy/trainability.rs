//! Trainability: whether a block keeps gradients at unit scale (AZ-NAS, Sec. 3.2, Eqs. 8–11).
//!
//! A ±1 vector `v` is pulled back through the block; the mean over positions of `u vᵀ` estimates the transpose of the
//! block's Jacobian between channels, whose largest singular value σ should be 1. Kept from the authors' program:
//! 1e-6 in the denominator, so that σ = 0 gives −999998.

const SIGMA_FLOOR: f64 = 1e-6;

/// `2 − σ − 1 / (σ + 1e-6)`: about 0 at σ = 1, negative elsewhere.
pub fn block_trainability(sigma: f64) -> f64 {
    2.0 - sigma - 1.0 / (sigma + SIGMA_FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_at_one_and_finite_at_zero() {
        assert!((block_trainability(1.0) - 1e-6).abs() < 1e-11);
        assert_eq!(block_trainability(0.0), 2.0 - 1.0 / 1e-6);
        assert!(block_trainability(0.5) < 0.0 && block_trainability(2.0) < 0.0);
        assert!(block_trainability(f64::NAN).is_nan());
    }
}
