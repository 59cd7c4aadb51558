//! Determinants of small matrices.

use crate::base::math;

/// `ln |det|` of the row-major `n × n` `matrix`, which is destroyed; −∞ if it is singular, NaN if it holds NaN or an
/// infinity. 0 of no rows: an empty product.
///
/// Gaussian elimination with the largest pivot of each column. Of rows that are equal one is eliminated exactly, so
/// that a matrix is found singular where two of its rows are the same. The error of each pivot is that of the
/// elimination, some `n · 10⁻¹⁶` of the largest entry.
pub fn ln_abs_determinant(matrix: &mut [f64], n: usize) -> f64 {
    let matrix = &mut matrix[..n * n];
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return f64::NAN;
    }
    let mut logarithm = 0.0;
    for column in 0..n {
        let size = |row: usize| matrix[row * n + column].abs();
        let pivot = (column..n).fold(column, |best, row| if size(row) > size(best) { row } else { best });
        if pivot != column {
            let (upper, lower) = matrix.split_at_mut(pivot * n);
            upper[column * n..][..n].swap_with_slice(&mut lower[..n]);
        }
        let (upper, lower) = matrix.split_at_mut((column + 1) * n);
        let pivot_row = &upper[column * n + column..];
        let largest = pivot_row[0];
        logarithm += math::ln(largest.abs());
        if largest == 0.0 {
            return f64::NEG_INFINITY;
        }
        for row in lower.chunks_exact_mut(n) {
            // A quotient of equal numbers is exactly 1.
            let factor = row[column] / largest;
            row[column..].iter_mut().zip(pivot_row).for_each(|(entry, above)| *entry -= factor * above);
        }
    }
    logarithm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use nalgebra::DMatrix;
    use std::vec::Vec;

    #[test]
    fn known_determinants() {
        let of = |matrix: &[f64], n| ln_abs_determinant(&mut matrix.to_vec(), n);
        assert_eq!(of(&[], 0), 0.0);
        assert!((of(&[-3.0], 1) - 3f64.ln()).abs() < 1e-15);
        // Needs a pivot from below.
        assert!((of(&[0.0, 2.0, 3.0, 0.0], 2) - 6f64.ln()).abs() < 1e-15);
        assert!((of(&[2.0, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0], 3) - 4f64.ln()).abs() < 1e-15);
        // The determinant itself would overflow.
        let large: Vec<f64> = (0..300 * 300).map(|i| if i % 301 == 0 { 1e9 } else { 0.0 }).collect();
        assert!((of(&large, 300) - 300.0 * 1e9f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn equal_rows_are_singular_and_damage_is_no_number() {
        let mut rng = generator(3);
        for n in [2, 3, 8, 17, 64] {
            let mut matrix: Vec<f64> = (0..n * n).map(|_| below(&mut rng, 100_000) as f64).collect();
            let copy = matrix[..n].to_vec();
            matrix[(n - 1) * n..].copy_from_slice(&copy);
            assert_eq!(ln_abs_determinant(&mut matrix.clone(), n), f64::NEG_INFINITY, "{n}");
            assert_eq!(ln_abs_determinant(&mut std::vec![7.0; n * n], n), f64::NEG_INFINITY);
            for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                matrix[n * n - 1] = poison;
                assert!(ln_abs_determinant(&mut matrix.clone(), n).is_nan());
            }
        }
    }

    #[test]
    fn agrees_with_nalgebra_at_any_order() {
        let mut rng = generator(4);
        for n in 1..40 {
            let matrix: Vec<f64> = (0..n * n).map(|_| below(&mut rng, 1 << 20) as f64 / 1e6 - 0.5).collect();
            let upper = DMatrix::from_row_slice(n, n, &matrix).lu().u();
            let expected: f64 = upper.diagonal().iter().map(|x| x.abs().ln()).sum();
            let found = ln_abs_determinant(&mut matrix.clone(), n);
            assert!((found - expected).abs() < 1e-10 * expected.abs().max(1.0), "{n}: {found} {expected}");
        }
    }
}
