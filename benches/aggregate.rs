//! Ranking 10^5 candidates by four proxies.

use aznas::aggregate::{Mode, aggregate};
use aznas::base::rng;
use criterion::{Criterion, criterion_group, criterion_main};
use rand_core::Rng;
use std::hint::black_box;

const CANDIDATES: usize = 100_000;

/// Four proxies of distinct values, or the last of them with as many values as NAS-Bench-201 has complexities.
fn columns(tied: bool) -> [Vec<f64>; 4] {
    let mut rng = rng::generator(1);
    std::array::from_fn(|proxy| {
        let mut draw = || if tied && proxy == 3 { rng::below(&mut rng, 28) as f64 } else { rng.next_u64() as f64 };
        (0..CANDIDATES).map(|_| draw()).collect()
    })
}

fn plain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("aggregate 100000 x 4");
    group.sample_size(20);
    let mut out = vec![0.0; CANDIDATES];
    let mut scratch = vec![0; CANDIDATES];
    for (name, tied, mode) in
        [("log", false, Mode::Log), ("log, one proxy tied", true, Mode::Log), ("linear", false, Mode::Linear)]
    {
        let columns = columns(tied);
        let columns = columns.each_ref().map(Vec::as_slice);
        group.bench_function(name, |bencher| {
            bencher.iter(|| aggregate(black_box(&columns), &[1.0; 4], mode, &mut out, &mut scratch));
        });
    }
    group.finish();
}

criterion_group!(benches, plain);
criterion_main!(benches);
