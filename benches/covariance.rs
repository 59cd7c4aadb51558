//! Second moments: time, billions of operations a second on one core, and percent of its peak. Operations are those of
//! the whole matrix, 2 a multiply-add: a symmetric one takes about half, so that percents may exceed 100.

#[path = "common/peak.rs"]
mod peak;

use aznas::base::rng::{Key, Stream};
use aznas::linalg::covariance::{self, covariance, cross_moment, dual};
use aznas::simd::Backend;
use aznas::tensor::{Shape, View, random};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// Width of the square map, batch and channels: the NAS-Bench-201 stages, and the last stage of a mobile network.
const SHAPES: [[usize; 3]; 4] = [[32, 64, 16], [16, 64, 32], [8, 64, 64], [7, 64, 2048]];

fn normal(len: usize) -> Vec<f32> {
    let mut out = vec![0.0; len];
    random::fill_normal(Backend::detect(), Key::new(1, Stream::Input, 0, 0), 1.0, &mut out);
    out
}

/// Measures one computation of `operations`.
fn measure(criterion: &mut Criterion, backend: Backend, name: &str, operations: usize, mut call: impl FnMut()) {
    let seconds = peak::seconds(&mut call);
    let rate = operations as f64 / seconds / 1e9;
    let percent = 100.0 * rate / peak::gigaflops(backend);
    println!("{name} {}: {:.3} ms, {rate:.0} GFLOP/s ({percent:.0} %)", backend.name(), seconds * 1e3);
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(300));
    group.throughput(Throughput::Elements(operations as u64));
    group.bench_function(BenchmarkId::from_parameter(backend.name()), |bencher| bencher.iter(&mut call));
}

fn moments(criterion: &mut Criterion) {
    // The scalar back end takes seconds for the largest.
    for backend in Backend::available().filter(|&backend| backend != Backend::Scalar) {
        for [width, batch, channels] in SHAPES {
            let shape = Shape::new(batch, width, width, channels).unwrap();
            let (positions, data) = (shape.positions(), normal(shape.len()));
            let features = View::dense(&data, shape);
            let operations = 2 * positions * channels * channels;
            let (mut out, mut sums) = (vec![0.0; channels * channels], vec![0.0; channels]);

            let mut scratch = vec![0.0; covariance::covariance_scratch_len(channels)];
            let name = format!("covariance {positions}x{channels}");
            measure(criterion, backend, &name, operations, || {
                covariance(backend, features, black_box(&mut out), &mut scratch, &mut sums);
            });
            let mut scratch = vec![0.0; covariance::cross_moment_scratch_len(channels, channels)];
            let name = format!("cross moment {positions}x{channels}");
            measure(criterion, backend, &name, operations, || {
                cross_moment(backend, features, features, 0..batch, black_box(&mut out), &mut scratch);
            });
        }

        // A block that halves the map: 2 × 2 × 16 channels by 32.
        let (data, direction) = (normal(64 * 32 * 32 * 16), normal(64 * 16 * 16 * 32));
        let u = View::dense(&data, Shape::new(64, 32, 32, 16).unwrap());
        let v = View::dense(&direction, Shape::new(64, 16, 16, 32).unwrap());
        let (mut out, mut scratch) = (vec![0.0; 64 * 32], vec![0.0; covariance::cross_moment_scratch_len(64, 32)]);
        measure(criterion, backend, "folded cross moment 16384x64x32", 2 * 16384 * 64 * 32, || {
            cross_moment(backend, u, v, 0..64, black_box(&mut out), &mut scratch);
        });

        let data = normal(392 * 2048);
        let features = View::dense(&data, Shape::new(8, 7, 7, 2048).unwrap());
        let (mut out, mut sums) = (vec![0.0; 392 * 392], vec![0.0; 392]);
        let mut scratch = vec![0.0; covariance::dual_scratch_len(392, 2048)];
        measure(criterion, backend, "dual 392x2048", 2 * 392 * 392 * 2048, || {
            dual(backend, features, black_box(&mut out), &mut scratch, &mut sums);
        });
    }
}

criterion_group!(benches, moments);
criterion_main!(benches);
