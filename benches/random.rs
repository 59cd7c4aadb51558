//! Random tensors: a thousand million values a second are 4 GB/s.

use aznas::base::rng::{Key, Stream};
use aznas::simd::Backend;
use aznas::tensor::random;
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};
use std::hint::black_box;

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
        for len in LENGTHS {
            let mut out = vec![0.0; len];
            for backend in Backend::available() {
                let work = Work::Bytes((len * size_of::<f32>()) as f64);
                bench(criterion, &format!("{name} {len}"), backend, work, || fill(backend, key, black_box(&mut out)));
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = fills
}
criterion_main!(benches);
