//! Matrix products: billions of operations (2 a multiply-add) a second on one core, and percent of its peak.

#[path = "common/peak.rs"]
mod peak;

use aznas::linalg::gemm::{Matrix, gemm, gemm_scratch_len};
use aznas::simd::Backend;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// Rows, inner size and columns: 1×1 convolutions of the NAS-Bench-201 stages and of mobile networks, and the
/// layers of a small vision transformer.
const SIZES: [[usize; 3]; 10] = [
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
];

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gemm");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(300));
    for backend in Backend::available() {
        for size in SIZES {
            let [rows, inner, columns] = size;
            let (left, right) = (vec![0.5; rows * inner], vec![0.25; inner * columns]);
            let (mut c, mut scratch) = (vec![0.0; rows * columns], vec![0.0; gemm_scratch_len(inner, columns)]);
            let operations = (2 * rows * inner * columns) as f64;
            // AB, AᵀB and ABᵀ.
            let forms = [
                ("NN", Matrix::new(&left, inner), Matrix::new(&right, columns)),
                ("TN", Matrix::new(&left, rows).transposed(), Matrix::new(&right, columns)),
                ("NT", Matrix::new(&left, inner), Matrix::new(&right, inner).transposed()),
            ];
            let peak = peak::gigaflops(backend);
            let rates = forms.map(|(form, a, b)| {
                let mut call = || gemm(backend, size, a, b, false, black_box(&mut c), columns, &mut scratch);
                let rate = operations / peak::seconds(&mut call) / 1e9;
                format!("{form} {rate:.0} GFLOP/s ({:.0} %)", 100.0 * rate / peak)
            });
            println!("gemm {} {size:?}: {}", backend.name(), rates.join(", "));
            group.throughput(Throughput::Elements(operations as u64));
            let (_, a, b) = forms[0];
            group.bench_function(BenchmarkId::new(backend.name(), format!("{size:?}")), |bencher| {
                bencher.iter(|| gemm(backend, size, a, b, false, black_box(&mut c), columns, &mut scratch));
            });
        }
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
