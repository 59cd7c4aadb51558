//! Matrix products AB, AᵀB and ABᵀ, as in 1×1 convolutions, linear maps and their vector-Jacobian products.

use aznas::linalg::gemm::{Matrix, gemm, gemm_scratch_len};
use aznas::simd::Backend;
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};
use std::hint::black_box;

/// Rows, inner size and columns: 1×1 convolutions of the NAS-Bench-201 stages and of mobile networks, and the
/// layers of a small vision transformer.
const SIZES: [[usize; 3]; 12] = [
    [65536, 16, 16],
    [16384, 32, 32],
    [16384, 32, 96],
    [4096, 64, 64],
    [4096, 96, 96],
    [4096, 192, 32],
    [4096, 192, 192],
    [4096, 63, 65],
    [197 * 8, 192, 768],
    [197 * 8, 768, 192],
    [14 * 14 * 8, 112, 672],
    [7 * 7 * 64, 192, 2048],
];

fn products(criterion: &mut Criterion) {
    for backend in Backend::available() {
        for size @ [rows, inner, columns] in SIZES {
            let (left, right) = (vec![0.5; rows * inner], vec![0.25; inner * columns]);
            let (mut c, mut scratch) = (vec![0.0; rows * columns], vec![0.0; gemm_scratch_len(inner, columns)]);
            let work = Work::Operations((2 * rows * inner * columns) as f64);
            let forms = [
                ("AB", Matrix::new(&left, inner), Matrix::new(&right, columns)),
                ("A'B", Matrix::new(&left, rows).transposed(), Matrix::new(&right, columns)),
                ("AB'", Matrix::new(&left, inner), Matrix::new(&right, inner).transposed()),
            ];
            for (form, a, b) in forms {
                bench(criterion, &format!("{form} {rows}x{inner}x{columns}"), backend, work, || {
                    gemm(backend, size, a, b, false, black_box(&mut c), columns, &mut scratch);
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = products
}
criterion_main!(benches);
