//! Ranking 10^5 candidates by four proxies: the whole list, and one more candidate for a list that is known.

use aznas::aggregate::{History, Mode, aggregate};
use aznas::base::rng::{self, Generator};
use criterion::{Criterion, criterion_group, criterion_main};
use rand_core::Rng;
use std::hint::black_box;

const CANDIDATES: usize = 100_000;

/// The raw scores of one candidate.
type Draw = fn(&mut Generator) -> [f64; 4];

/// A number from 0 to 1.
fn uniform(rng: &mut Generator) -> f64 {
    rng.next_u64() as f64 / 2f64.powi(64)
}

fn independent(rng: &mut Generator) -> [f64; 4] {
    std::array::from_fn(|_| uniform(rng))
}

/// The last proxy has as many values as NAS-Bench-201 has complexities.
fn tied(rng: &mut Generator) -> [f64; 4] {
    let [e, p, t, _] = independent(rng);
    [e, p, t, rng::below(rng, 28) as f64]
}

/// All proxies agree but for a little noise.
fn agreeing(rng: &mut Generator) -> [f64; 4] {
    let quality = uniform(rng);
    independent(rng).map(|noise| quality + 0.1 * noise)
}

/// Two proxies contradict the other two, so that most candidates are nearly as good as the best.
fn opposed(rng: &mut Generator) -> [f64; 4] {
    let [a, b, ..] = independent(rng);
    [a, -a, b, -b]
}

fn whole_list(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("aggregate 100000 x 4");
    group.sample_size(20);
    let mut out = vec![0.0; CANDIDATES];
    let mut scratch = vec![0; CANDIDATES];
    let cases: [(&str, Draw, Mode); 3] = [
        ("log", independent, Mode::Log),
        ("log, one proxy tied", tied, Mode::Log),
        ("linear", independent, Mode::Linear),
    ];
    for (name, draw, mode) in cases {
        let mut rng = rng::generator(1);
        let mut columns = [const { Vec::new() }; 4];
        for _ in 0..CANDIDATES {
            for (column, score) in columns.iter_mut().zip(draw(&mut rng)) {
                column.push(score);
            }
        }
        let columns = columns.each_ref().map(Vec::as_slice);
        group.bench_function(name, |bencher| {
            bencher.iter(|| aggregate(black_box(&columns), &[1.0; 4], mode, &mut out, &mut scratch));
        });
    }
    group.finish();
}

fn growing_list(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("history of 100000 x 4: push and best 1023");
    group.sample_size(20);
    let cases: [(&str, Draw); 4] =
        [("independent", independent), ("one proxy tied", tied), ("agreeing", agreeing), ("opposed", opposed)];
    for (name, draw) in cases {
        let mut rng = rng::generator(1);
        let mut history = History::new([1.0; 4], Mode::Log, 1023).unwrap();
        while history.len() < CANDIDATES {
            history.push(draw(&mut rng)).unwrap();
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                history.push(draw(&mut rng)).unwrap();
                history.leaders(1023)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole_list, growing_list);
criterion_main!(benches);
