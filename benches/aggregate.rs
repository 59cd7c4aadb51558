//! Ranking 10^5 candidates by four proxies: the whole list, and one more candidate for a list that is known.
//!
//! Of an addition both the mean and the worst are printed. Every addition is repeated on copies of the history and its best
//! time counts, so that the worst is what it has to do and not what the operating system did meanwhile. The first additions
//! to a copy, which has no room to grow, do not count.

use aznas::aggregate::{History, Mode, aggregate};
use aznas::base::rng::{self, Generator};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::is_trial;
use rand_core::Rng;
use std::hint::black_box;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 100_000;
const UNCOUNTED: usize = 1000;
const ADDITIONS: usize = 4000;
const COPIES: usize = 5;

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
        let mut history = History::new(&[1.0; 4], Mode::Log, 1023).unwrap();
        let mut is_new = true;
        group.bench_function(name, |bencher| {
            // Not before it is known that this benchmark shall run.
            if is_new {
                while history.len() < if is_trial() { 5000 } else { CANDIDATES } {
                    history.push(&draw(&mut rng)).unwrap();
                }
                if !is_trial() {
                    print_additions(name, &history, || draw(&mut rng));
                }
                is_new = false;
            }
            bencher.iter(|| {
                history.push(&draw(&mut rng)).unwrap();
                history.leaders(1023)
            });
        });
    }
    group.finish();
}

/// Prints what additions to `history` take.
fn print_additions(name: &str, history: &History, mut draw: impl FnMut() -> [f64; 4]) {
    let arrivals: Vec<[f64; 4]> = (0..UNCOUNTED + ADDITIONS).map(|_| draw()).collect();
    let mut times = vec![Duration::MAX; ADDITIONS];
    for _ in 0..COPIES {
        let mut history = history.clone();
        arrivals[..UNCOUNTED].iter().for_each(|arrival| history.push(arrival).unwrap());
        for (arrival, time) in arrivals[UNCOUNTED..].iter().zip(&mut times) {
            let start = Instant::now();
            history.push(arrival).unwrap();
            black_box(history.leaders(1023));
            *time = start.elapsed().min(*time);
        }
    }
    times.sort();
    let microseconds = |time: Duration| 1e6 * time.as_secs_f64();
    println!(
        "{name}: mean {:.0} us, 99 of 100 within {:.0} us, worst {:.0} us",
        microseconds(times.iter().sum()) / ADDITIONS as f64,
        microseconds(times[ADDITIONS * 99 / 100]),
        microseconds(times[ADDITIONS - 1])
    );
}

criterion_group!(benches, whole_list, growing_list);
criterion_main!(benches);
