use super::*;
use nalgebra::{DMatrix, SymmetricEigen};
use std::vec::Vec;
use std::{format, string::String, vec};

/// A symmetric matrix with a name and, where known, its exact eigenvalues in ascending order.
struct Case {
    name: String,
    n: usize,
    matrix: Vec<f64>,
    exact: Option<Vec<f64>>,
}

impl Case {
    fn new(name: &str, n: usize, element: impl Fn(usize, usize) -> f64) -> Self {
        let matrix = (0..n * n).map(|at| element(at / n, at % n)).collect();
        Self { name: format!("{name} {n}"), n, matrix, exact: None }
    }

    fn with_exact(mut self, mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        self.exact = Some(values);
        self
    }

    fn norm(&self) -> f64 {
        let largest = self.matrix.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        if largest == 0.0 {
            return 0.0;
        }
        self.matrix.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt() * largest
    }

    fn solve(&self, backend: Backend) -> Vec<f64> {
        let (mut matrix, mut values) = (self.matrix.clone(), vec![f64::NAN; self.n]);
        // What the scratch holds must not matter.
        let mut scratch = vec![f64::NAN; scratch_len(self.n)];
        assert!(eigenvalues(backend, &mut matrix, self.n, &mut values, &mut scratch), "{}", self.name);
        values
    }

    fn solve_by_jacobi(&self) -> Vec<f64> {
        let (mut matrix, mut values) = (self.matrix.clone(), vec![f64::NAN; self.n]);
        assert!(jacobi::eigenvalues(&mut matrix, self.n, &mut values), "{}", self.name);
        values
    }

    /// Every value within `tolerance · ‖matrix‖` of the expected one.
    fn check(&self, method: &str, values: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(values.len(), expected.len());
        for (i, (value, expected)) in values.iter().zip(expected).enumerate() {
            let error = (value - expected).abs();
            let limit = tolerance * self.norm();
            assert!(error <= limit, "{} by {method}: value {i} is {value}, not {expected}: {error:e}", self.name);
        }
    }
}

/// Uniform in ±1, by a small generator of its own.
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

fn random_symmetric(n: usize) -> Case {
    let mut next = random(n as u64);
    let x: Vec<f64> = (0..n * n).map(|_| next()).collect();
    Case::new("random", n, |i, j| x[i * n + j] + x[j * n + i])
}

/// `XᵀX` for a random `rank × n` matrix X.
fn random_gram(n: usize, rank: usize) -> Case {
    let mut next = random(n as u64);
    let x: Vec<f64> = (0..n * rank).map(|_| next()).collect();
    let mut case = Case::new("gram", n, |i, j| (0..rank).map(|k| x[k * n + i] * x[k * n + j]).sum());
    case.name += &format!(" of rank {rank}");
    case
}

/// A matrix with the given eigenvalues, turned by two random reflections.
fn turned(name: &str, values: &[f64]) -> Case {
    let n = values.len();
    let mut matrix = DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(values));
    let mut next = random(7);
    for _ in 0..2 {
        let v = nalgebra::DVector::from_fn(n, |_, _| next()).normalize();
        let reflection = DMatrix::identity(n, n) - &v * v.transpose() * 2.0;
        matrix = &reflection * matrix * &reflection;
    }
    Case::new(name, n, |i, j| 0.5 * (matrix[(i, j)] + matrix[(j, i)])).with_exact(values.to_vec())
}

/// −1, 2, −1: the eigenvalues are `2 − 2 cos(π k / (n + 1))`.
fn laplacian(n: usize, scale: f64) -> Case {
    let element = |i: usize, j: usize| match i.abs_diff(j) {
        0 => 2.0 * scale,
        1 => -scale,
        _ => 0.0,
    };
    let value = |k: usize| scale * (2.0 - 2.0 * (core::f64::consts::PI * k as f64 / (n + 1) as f64).cos());
    Case::new(&format!("laplacian times {scale:e}"), n, element).with_exact((1..=n).map(value).collect())
}

fn cases(n: usize) -> Vec<Case> {
    let diagonal = |i: usize| (i as f64 - 3.0) * if i.is_multiple_of(2) { 1.0 } else { -0.25 };
    let clustered: Vec<f64> = (0..n).map(|i| if i < n / 2 { 1.0 } else { 2.0 + 1e-14 * i as f64 }).collect();
    let graded: Vec<f64> = (0..n).map(|i| 10f64.powf(-14.0 * i as f64 / n as f64)).collect();
    let mut all_ones = vec![0.0; n];
    all_ones[n - 1] = n as f64;
    vec![
        Case::new("zero", n, |_, _| 0.0).with_exact(vec![0.0; n]),
        Case::new("identity", n, |i, j| (i == j) as u8 as f64).with_exact(vec![1.0; n]),
        Case::new("ones", n, |_, _| 1.0).with_exact(all_ones),
        Case::new("diagonal", n, |i, j| if i == j { diagonal(i) } else { 0.0 })
            .with_exact((0..n).map(diagonal).collect()),
        laplacian(n, 1.0),
        laplacian(n, 1e150),
        laplacian(n, 1e-150),
        laplacian(n, 1e300),
        laplacian(n, 1e-300),
        Case::new("hilbert", n, |i, j| 1.0 / (i + j + 1) as f64),
        Case::new("wilkinson", n, |i, j| match i.abs_diff(j) {
            0 => (i as f64 - (n as f64 - 1.0) / 2.0).abs(),
            1 => 1.0,
            _ => 0.0,
        }),
        turned("clustered", &clustered),
        turned("graded", &graded),
        random_symmetric(n),
        random_gram(n, 2 * n),
        random_gram(n, n.div_ceil(3)),
    ]
}

/// The bound the documentation states.
const TOLERANCE: f64 = 1e-14;

/// That for orders from [`SINGLE_ORDER`] on, of matrices that single precision is used for; and that for others, such as one
/// of ones, all of whose roundings may go the same way.
const BALANCED_TOLERANCE: f64 = 1e-7;
const SINGLE_TOLERANCE: f64 = 4e-6;

#[test]
fn both_methods_find_known_and_equal_spectra() {
    for n in [1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 64, 65] {
        for case in cases(n) {
            let by_jacobi = case.solve_by_jacobi();
            if let Some(exact) = &case.exact {
                case.check("jacobi", &by_jacobi, exact, TOLERANCE);
            }
            for backend in Backend::available() {
                let values = case.solve(backend);
                case.check(backend.name(), &values, case.exact.as_ref().unwrap_or(&by_jacobi), TOLERANCE);
                assert_eq!(values, case.solve(backend), "{}: not repeatable", case.name);
            }
        }
    }
}

#[test]
fn finds_known_spectra_of_large_matrices() {
    for n in [TWO_STAGE_ORDER, TWO_STAGE_ORDER + 1] {
        let clustered: Vec<f64> = (0..n).map(|i| (i % 3) as f64 + 1e-13 * i as f64).collect();
        for case in [laplacian(n, 1.0), laplacian(n, 1e-150), turned("clustered", &clustered)] {
            for backend in Backend::available() {
                case.check(backend.name(), &case.solve(backend), case.exact.as_ref().unwrap(), TOLERANCE);
            }
        }
    }
}

#[test]
fn single_precision_is_for_balanced_matrices() {
    let n = SINGLE_ORDER + 1;
    let mut dominated = vec![1.0; n];
    dominated[n - 1] += n as f64;
    let dominated = Case::new("ones and identity", n, |i, j| 1.0 + (i == j) as u8 as f64).with_exact(dominated);
    for backend in Backend::available() {
        let balanced = laplacian(n, 1e-100);
        assert!(is_balanced(backend, &balanced.matrix, n));
        balanced.check(backend.name(), &balanced.solve(backend), balanced.exact.as_ref().unwrap(), BALANCED_TOLERANCE);
        assert!(!is_balanced(backend, &dominated.matrix, n));
        assert!(!is_balanced(backend, &laplacian(n, 1e300).matrix, n));
        dominated.check(backend.name(), &dominated.solve(backend), dominated.exact.as_ref().unwrap(), 2.0 * TOLERANCE);
    }
}

#[test]
fn agrees_with_nalgebra_at_every_order() {
    for n in (1..=130).chain([257]) {
        for case in [random_symmetric(n), random_gram(n, n.div_ceil(2))].into_iter().take(1 + n % 2) {
            let mut expected: Vec<f64> =
                SymmetricEigen::new(DMatrix::from_row_slice(n, n, &case.matrix)).eigenvalues.iter().copied().collect();
            expected.sort_unstable_by(f64::total_cmp);
            for backend in Backend::available() {
                case.check(backend.name(), &case.solve(backend), &expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn keeps_trace_and_frobenius_norm() {
    for n in [8, 33, 100, 200] {
        let case = random_symmetric(n);
        let trace: f64 = (0..n).map(|i| case.matrix[i * n + i]).sum();
        for backend in Backend::available() {
            let values = case.solve(backend);
            let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((values.iter().sum::<f64>() - trace).abs() <= 1e-13 * case.norm(), "{n}");
            assert!((norm - case.norm()).abs() <= 1e-14 * case.norm(), "{n}");
            assert!(values.is_sorted());
        }
    }
}

#[test]
fn answers_nan_to_what_is_not_finite() {
    for n in [1, 2, 7, 8, 16, 33] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for at in [(0, 0), (n / 2, n / 2), (0, n - 1), (n - 1, 0), (n - 1, n - 1)] {
                let mut case = random_symmetric(n);
                case.matrix[at.0 * n + at.1] = bad;
                let mut values = vec![0.0; n];
                assert!(!jacobi::eigenvalues(&mut case.matrix.clone(), n, &mut values));
                assert!(values.iter().all(|x| x.is_nan()));
                for backend in Backend::available() {
                    values.fill(0.0);
                    let mut scratch = vec![0.0; scratch_len(n)];
                    assert!(!eigenvalues(backend, &mut case.matrix.clone(), n, &mut values, &mut scratch));
                    assert!(values.iter().all(|x| x.is_nan()), "{bad} at {at:?}");
                }
            }
        }
    }
}

#[test]
fn takes_an_empty_matrix() {
    assert!(eigenvalues(Backend::Scalar, &mut [], 0, &mut [], &mut []));
}

/// The eigenvalues of a case after a reduction.
fn reduced(case: &Case, tridiagonalize: impl FnOnce(&mut [f64], &mut [f64], &mut [f64])) -> Vec<f64> {
    let (mut diagonal, mut squares) = (vec![f64::NAN; case.n], vec![f64::NAN; case.n - 1]);
    tridiagonalize(&mut case.matrix.clone(), &mut diagonal, &mut squares);
    assert!(tridiagonal::eigenvalues(&mut diagonal, &mut squares));
    diagonal
}

#[test]
fn reductions_agree() {
    for n in [8, 9, 31, 32, 33, 63, 64, 65, 97, 150] {
        for case in cases(n) {
            if case.name.contains("e150") || case.name.contains("e300") || case.name.contains("e-") {
                continue;
            }
            for backend in Backend::available() {
                let one_stage = reduced(&case, |matrix, diagonal, squares| {
                    let mut scratch = vec![f64::NAN; householder::scratch_len(n)];
                    householder::tridiagonalize(backend, matrix, n, diagonal, squares, &mut scratch);
                });
                let mut scratch = vec![f64::NAN; band::scratch_len(n)];
                let two_stages = reduced(&case, |matrix, diagonal, squares| {
                    band::tridiagonalize::<f64>(backend, matrix, n, 1.0, diagonal, squares, &mut scratch);
                });
                case.check(backend.name(), &two_stages, &one_stage, TOLERANCE);
                let in_single_precision = reduced(&case, |matrix, diagonal, squares| {
                    band::tridiagonalize::<f32>(backend, matrix, n, 1.0, diagonal, squares, &mut scratch);
                });
                case.check(backend.name(), &in_single_precision, &one_stage, SINGLE_TOLERANCE);
            }
        }
    }
}

#[test]
fn concentration_is_that_of_the_eigenvalues() {
    let mut next = random(7);
    for n in [1, 2, 7, 16, 33, 130] {
        let rows: Vec<Vec<f64>> =
            (0..n + 3).map(|_| (0..n).map(|column| next() / (1 + column) as f64).collect()).collect();
        let product = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
        for backend in Backend::available() {
            let case = Case::new("variances", n, product);
            let values = case.solve(backend);
            let [sum, squares] = [1, 2].map(|power| values.iter().map(|value| value.powi(power)).sum::<f64>());
            let (trace, found) = concentration(backend, &case.matrix, n);
            assert!((trace / sum - 1.0).abs() < 1e-12 && (found / (squares / (sum * sum)) - 1.0).abs() < 1e-12, "{n}");
            let of = |case: Case| concentration(backend, &case.matrix, n).1;
            assert!((of(Case::new("equal", n, |i, j| f64::from(i == j))) * n as f64 - 1.0).abs() < 1e-12);
            assert!((of(Case::new("rank one", n, |i, j| ((i + 1) * (j + 1)) as f64)) - 1.0).abs() < 1e-12);
            assert!(of(Case::new("zeros", n, |_, _| 0.0)).is_nan());
        }
    }
}
