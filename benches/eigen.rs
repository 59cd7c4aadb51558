//! Eigenvalues of symmetric matrices and the largest singular value, on every back end.

use aznas::linalg::{jacobi, spectral_norm, spectrum};
use aznas::simd::Backend;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

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

fn eigenvalues(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("eigenvalues");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600));
    for n in [4, 7, 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048] {
        let matrix = random_symmetric(n);
        let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; spectrum::scratch_len(n)]);
        for backend in Backend::available().filter(|&backend| n <= 512 || backend == Backend::detect()) {
            group.bench_function(BenchmarkId::new(backend.name(), n), |bencher| {
                bencher.iter_batched_ref(
                    || matrix.clone(),
                    |matrix| black_box(spectrum::eigenvalues(backend, matrix, n, &mut values, &mut scratch)),
                    BatchSize::LargeInput,
                );
            });
        }
        if n <= 64 {
            group.bench_function(BenchmarkId::new("jacobi", n), |bencher| {
                bencher.iter_batched_ref(
                    || matrix.clone(),
                    |matrix| black_box(jacobi::eigenvalues(matrix, n, &mut values)),
                    BatchSize::LargeInput,
                );
            });
        }
    }
}

fn largest_singular_value(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spectral_norm");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600));
    for (rows, columns) in [(16, 16), (32, 16), (32, 32), (64, 64), (64, 128), (128, 64), (512, 512), (2048, 512)] {
        let matrix = random(rows * columns);
        let mut scratch = vec![0.0; spectral_norm::scratch_len(rows, columns)];
        for backend in Backend::available() {
            group.bench_function(BenchmarkId::new(backend.name(), format!("{rows}x{columns}")), |bencher| {
                bencher.iter(|| spectral_norm::spectral_norm(backend, &matrix, rows, columns, &mut scratch));
            });
        }
    }
}

criterion_group!(benches, eigenvalues, largest_singular_value);
criterion_main!(benches);
