//! Random tensors: values a nanosecond, on one core.

#[path = "common/peak.rs"]
mod peak;

use aznas::base::rng::{Key, Stream};
use aznas::simd::Backend;
use aznas::tensor::random;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// A tensor that fits the first-level cache of most processors with its surroundings, and one that does not.
const LENGTHS: [usize; 2] = [4096, 1 << 20];

type Fill = fn(Backend, Key, &mut [f32]);

fn fills(criterion: &mut Criterion) {
    let key = Key::new(1, Stream::Input, 0, 0);
    let fills: [(&str, Fill); 3] = [
        ("normal", |backend, key, out| random::fill_normal(backend, key, 1.0, out)),
        ("uniform", |backend, key, out| random::fill_uniform(backend, key, 1.0, out)),
        ("signs", random::fill_signs),
    ];
    for (name, fill) in fills {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(300));
        for len in LENGTHS {
            let mut out = vec![0.0; len];
            group.throughput(Throughput::Elements(len as u64));
            for backend in Backend::available() {
                let seconds = peak::seconds(|| fill(backend, key, black_box(&mut out)));
                println!("{name} {} {len}: {:.2} values/ns", backend.name(), len as f64 / seconds / 1e9);
                group.bench_function(BenchmarkId::new(backend.name(), len), |bencher| {
                    bencher.iter(|| fill(backend, key, black_box(&mut out)));
                });
            }
        }
    }
}

criterion_group!(benches, fills);
criterion_main!(benches);
