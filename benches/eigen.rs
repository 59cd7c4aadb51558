//! Eigenvalues of symmetric matrices and the largest singular value.
//!
//! Operations are those of the reduction to tridiagonal form, 4/3 n³, where nearly all of the time goes for large n, and for
//! singular values those of the whole Gram matrix besides. Small matrices do more than that.

use aznas::linalg::{jacobi, spectral_norm, spectrum};
use aznas::simd::Backend;
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench, bench_part};
use std::hint::black_box;
use std::time::Instant;

/// Uniform in ±1.
fn random(count: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn random_symmetric(n: usize) -> Vec<f64> {
    let x = random(n * n);
    (0..n * n).map(|at| x[at] + x[at % n * n + at / n]).collect()
}

/// Operations of the reduction to tridiagonal form.
fn reduction(n: usize) -> f64 {
    4.0 / 3.0 * (n as f64).powi(3)
}

fn eigenvalues(criterion: &mut Criterion) {
    for n in [4, 7, 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048] {
        let matrix = random_symmetric(n);
        let mut destroyed = matrix.clone();
        let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; spectrum::scratch_len(n)]);
        let work = Work::DoubleOperations(reduction(n));
        // With as much on the diagonal as a covariance has, single precision does for large orders.
        let mut balanced = matrix.clone();
        (0..n).for_each(|i| balanced[i * n + i] += 30.0);
        let rows = [(format!("eigenvalues {n}"), &matrix), (format!("eigenvalues {n} of a covariance"), &balanced)];
        for (name, matrix) in rows.into_iter().take(if n >= 1024 { 2 } else { 1 }) {
            for backend in Backend::available().filter(|&backend| n <= 512 || backend == Backend::detect()) {
                bench_part(criterion, &name, backend, work, || {
                    destroyed.copy_from_slice(matrix);
                    let start = Instant::now();
                    black_box(spectrum::eigenvalues(backend, &mut destroyed, n, &mut values, &mut scratch));
                    start.elapsed()
                });
            }
        }
        if n <= 64 {
            bench_part(criterion, &format!("eigenvalues {n} by Jacobi"), Backend::Scalar, work, || {
                destroyed.copy_from_slice(&matrix);
                let start = Instant::now();
                black_box(jacobi::eigenvalues(&mut destroyed, n, &mut values));
                start.elapsed()
            });
        }
    }
}

fn largest_singular_value(criterion: &mut Criterion) {
    for (rows, columns) in [(16, 16), (32, 16), (32, 32), (64, 64), (64, 128), (128, 64), (512, 512), (2048, 512)] {
        let matrix = random(rows * columns);
        let mut scratch = vec![0.0; spectral_norm::scratch_len(rows, columns)];
        let shorter = rows.min(columns);
        let work = Work::DoubleOperations((2 * rows * columns * shorter) as f64 + reduction(shorter));
        for backend in Backend::available() {
            bench(criterion, &format!("spectral norm {rows}x{columns}"), backend, work, || {
                black_box(spectral_norm::spectral_norm(backend, &matrix, rows, columns, &mut scratch));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = eigenvalues, largest_singular_value
}
criterion_main!(benches);
