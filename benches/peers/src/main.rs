//! This library's linear algebra beside that of three Rust libraries, on one thread:
//!
//!     cargo run --release --manifest-path benches/peers/Cargo.toml
//!
//! prints billions of operations a second. Contestants take turns, and of all turns the best time counts. Everyone
//! chooses its instruction set at run time, all matrices are row-major, and what is packed inside a call is packed in the
//! time. Three tables:
//!
//! * matrix products at the shapes of the search spaces, positions × input channels × output channels: 1×1 convolutions,
//!   and linear maps of tokens (matrixmultiply, gemm, faer);
//! * covariance of channels, operations counted for the whole matrix. The others compute `XᵀX` in single precision, faer only
//!   its lower triangle; ours subtracts the mean and adds blocks of rows up in double precision besides;
//! * eigenvalues of a symmetric matrix in double precision, operations those of the reduction to tridiagonal form (faer).

use aznas::linalg::covariance::{covariance, covariance_scratch_len};
use aznas::linalg::gemm::{Matrix, gemm_scratch_len};
use aznas::linalg::spectrum;
use aznas::simd::Backend;
use aznas::tensor::{Shape, View};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par, Side};
use std::hint::black_box;
use std::time::{Duration, Instant};

const PRODUCTS: [[usize; 3]; 13] = [
    [65536, 16, 16],
    [65536, 16, 48],
    [16384, 32, 32],
    [16384, 32, 96],
    [4096, 64, 64],
    [4096, 64, 192],
    [25088, 32, 192],
    [25088, 192, 32],
    [1568, 112, 672],
    [1568, 672, 112],
    [3136, 192, 2048],
    [1576, 192, 768],
    [1576, 768, 192],
];

/// Positions and channels.
const COVARIANCES: [[usize; 2]; 6] = [[65536, 16], [16384, 32], [4096, 64], [12544, 112], [1576, 192], [3136, 2048]];

const ORDERS: [usize; 8] = [16, 32, 64, 128, 256, 512, 1024, 2048];

/// A contestant's name, and one call.
type Contestant<'a> = (&'a str, &'a mut dyn FnMut());

const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(15);

/// Prints a row: the rates of all contestants, and ours relative to the best of the others.
fn compare(name: &str, operations: f64, contestants: &mut [Contestant<'_>]) {
    let mut best = vec![Duration::MAX; contestants.len()];
    for _ in 0..TURNS {
        for ((_, call), best) in contestants.iter_mut().zip(&mut best) {
            let begin = Instant::now();
            while begin.elapsed() < TURN {
                let start = Instant::now();
                call();
                *best = start.elapsed().min(*best);
            }
        }
    }
    let rates: Vec<f64> = best.iter().map(|time| operations / time.as_secs_f64() / 1e9).collect();
    print!("{name:<18}");
    for ((contestant, _), rate) in contestants.iter().zip(&rates) {
        print!(" {contestant:>15} {rate:6.1}");
    }
    println!("   ours / best other {:.2}", rates[0] / rates[1..].iter().fold(0.0, |a: f64, &b| a.max(b)));
}

/// Numbers from −1 to 1 without a pattern.
fn numbers(len: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// `c = a · b` by matrixmultiply, `a` with its `[row, column]` strides.
fn by_matrixmultiply([m, k, n]: [usize; 3], a: &[f32], [row, column]: [usize; 2], b: &[f32], c: &mut [f32]) {
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n);
    let [row, column, n_stride] = [row, column, n].map(|stride| stride as isize);
    // SAFETY: the matrices lie within the slices: their sizes are checked above, and `a` is dense in either order.
    unsafe {
        let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        matrixmultiply::sgemm(m, k, n, 1.0, a, row, column, b, n_stride, 1, 0.0, c, n_stride, 1);
    }
}

/// The same by gemm.
fn by_gemm([m, k, n]: [usize; 3], a: &[f32], [row, column]: [usize; 2], b: &[f32], c: &mut [f32]) {
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n);
    let [row, column, n_stride] = [row, column, n].map(|stride| stride as isize);
    let (a, b, c, none) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), gemm::Parallelism::None);
    // SAFETY: as above; the argument `false` tells that `c` is only written.
    unsafe {
        gemm::gemm(m, n, k, c, 1, n_stride, false, a, column, row, b, 1, n_stride, 0.0, 1.0, false, false, false, none);
    }
}

fn products(backend: Backend) {
    println!("\nmatrix products, GFLOP/s");
    for size @ [m, k, n] in PRODUCTS {
        let (a, b) = (numbers(m * k), numbers(k * n));
        let [mut own, mut first, mut second, mut third] = [const { Vec::new() }; 4].map(|_: Vec<f32>| vec![0.0; m * n]);
        let mut scratch = vec![0.0; gemm_scratch_len(k, n)];
        compare(
            &format!("{m}x{k}x{n}"),
            (2 * m * k * n) as f64,
            &mut [
                ("ours", &mut || {
                    let (a, b) = (Matrix::new(black_box(&a), k), Matrix::new(&b, n));
                    aznas::linalg::gemm::gemm(backend, size, a, b, false, &mut own, n, &mut scratch);
                }),
                ("matrixmultiply", &mut || by_matrixmultiply(size, black_box(&a), [k, 1], &b, &mut first)),
                ("gemm", &mut || by_gemm(size, black_box(&a), [k, 1], &b, &mut second)),
                ("faer", &mut || {
                    let a = MatRef::from_row_major_slice(black_box(&a), m, k);
                    let b = MatRef::from_row_major_slice(&b, k, n);
                    let c = MatMut::from_row_major_slice_mut(&mut third, m, n);
                    faer::linalg::matmul::matmul(c, Accum::Replace, a, b, 1.0, Par::Seq);
                }),
            ],
        );
        for other in [&first, &second, &third] {
            let difference = own.iter().zip(other).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(difference < 1e-3 * (k as f32).sqrt(), "{size:?}: products differ by {difference}");
        }
    }
}

fn covariances(backend: Backend) {
    println!("\ncovariance, GFLOP/s");
    for [positions, channels] in COVARIANCES {
        let x = numbers(positions * channels);
        let shape = Shape::new(1, positions, 1, channels).expect("sizes are small");
        let (mut own, mut sums) = (vec![0.0; channels * channels], vec![0.0; channels]);
        let mut scratch = vec![0.0; covariance_scratch_len(channels)];
        let [mut first, mut second, mut third] =
            [const { Vec::new() }; 3].map(|_: Vec<f32>| vec![0.0; channels * channels]);
        let size = [channels, positions, channels];
        compare(
            &format!("{positions}x{channels}"),
            (2 * positions * channels * channels) as f64,
            &mut [
                ("ours", &mut || {
                    covariance(backend, View::dense(black_box(&x), shape), &mut own, &mut scratch, &mut sums);
                }),
                ("matrixmultiply", &mut || by_matrixmultiply(size, black_box(&x), [1, channels], &x, &mut first)),
                ("gemm", &mut || by_gemm(size, black_box(&x), [1, channels], &x, &mut second)),
                ("faer", &mut || {
                    let x = MatRef::from_row_major_slice(black_box(&x), positions, channels);
                    let c = MatMut::from_row_major_slice_mut(&mut third, channels, channels);
                    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
                    triangular::matmul(c, lower, Accum::Replace, x.transpose(), whole, x, whole, 1.0, Par::Seq);
                }),
            ],
        );
    }
}

fn eigenvalues(backend: Backend) {
    println!("\neigenvalues, GFLOP/s");
    faer::set_global_parallelism(Par::Seq);
    for n in ORDERS {
        let x = numbers(n * n);
        let matrix: Vec<f64> = (0..n * n).map(|at| f64::from(x[at]) + f64::from(x[at % n * n + at / n])).collect();
        let (mut own, mut destroyed) = (vec![0.0; n], vec![0.0; n * n]);
        let mut scratch = vec![0.0; spectrum::scratch_len(n)];
        let mut other = Vec::new();
        compare(
            &n.to_string(),
            4.0 / 3.0 * (n as f64).powi(3),
            &mut [
                ("ours", &mut || {
                    destroyed.copy_from_slice(black_box(&matrix));
                    spectrum::eigenvalues(backend, &mut destroyed, n, &mut own, &mut scratch);
                }),
                ("faer", &mut || {
                    let matrix = MatRef::from_row_major_slice(black_box(&matrix), n, n);
                    other = matrix.self_adjoint_eigenvalues(Side::Lower).expect("it converges");
                }),
            ],
        );
        own.sort_by(f64::total_cmp);
        let difference = own.iter().zip(&other).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(difference < 1e-11 * n as f64, "{n}: eigenvalues differ by {difference}");
    }
}

fn main() {
    let backend = Backend::detect();
    println!("one thread, {}", backend.name());
    products(backend);
    covariances(backend);
    eigenvalues(backend);
}
