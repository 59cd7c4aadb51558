//! What a search costs beside the scoring: one candidate asked for and told, at a history of 10^5 candidates.
//!
//! Scoring a candidate takes about 10 ms: the printed share of that has to stay below 1 %.

use aznas::Error;
use aznas::base::rng::{self, Generator, below};
use aznas::search::{Budget, Cost, Duplicates, Search, SearchSpace, Settings};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::is_trial;
use std::time::{Duration, Instant};

const HISTORY: usize = 100_000;

/// What a score takes.
const SCORE: Duration = Duration::from_millis(10);

/// Thirty digits; half of all variations are outside the budget.
struct Digits;

type Genome = [u8; 30];

impl SearchSpace for Digits {
    type Architecture = Genome;

    fn initial(&self) -> Option<Genome> {
        Some([0; 30])
    }

    fn sample(&self, rng: &mut Generator) -> Genome {
        std::array::from_fn(|_| below(rng, 256) as u8)
    }

    fn mutate(&self, parent: &Genome, replacements: usize, rng: &mut Generator) -> Genome {
        let mut child = *parent;
        for _ in 0..replacements {
            child[below(rng, 30) as usize] = below(rng, 256) as u8;
        }
        child
    }

    fn cost(&self, genome: &Genome) -> Result<Cost, Error> {
        Ok(Cost { complexity: genome.iter().map(|&digit| f64::from(digit)).sum(), ..Cost::default() })
    }
}

/// Noisy scores, the last of them tied and pressing against the budget.
fn scores(genome: &Genome, rng: &mut Generator) -> [f64; 4] {
    let complexity: f64 = genome.iter().map(|&digit| f64::from(digit)).sum();
    let third = |part: usize| genome[10 * part..][..10].iter().map(|&digit| f64::from(digit)).sum::<f64>();
    let mut noise = || below(rng, 1000) as f64 / 10.0;
    [third(0) + noise(), third(1) - third(0) / 2.0 + noise(), third(2) + noise(), complexity]
}

fn ask_and_tell(search: &mut Search<Digits>, rng: &mut Generator) {
    let candidate = search.ask().unwrap().unwrap();
    search.tell(candidate.id, &scores(&candidate.architecture, rng)).unwrap();
}

fn bookkeeping(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search, history of 100000");
    group.sample_size(20);
    let budget = Budget { complexity: Some(4000.0), ..Budget::default() };
    for (name, workers, duplicates) in
        [("ask and tell", 1, Duplicates::Keep), ("without duplicates", 1, Duplicates::Reuse)]
    {
        let settings = Settings { iterations: 100 * HISTORY, workers, duplicates, budget, ..Settings::program() };
        let mut search = Search::new(Digits, settings).unwrap();
        let mut rng = rng::generator(7);
        let mut best = Duration::MAX;
        group.bench_function(name, |bencher| {
            while search.progress().told < if is_trial() { 5000 } else { HISTORY } {
                ask_and_tell(&mut search, &mut rng);
            }
            bencher.iter_custom(|iterations| {
                let start = Instant::now();
                (0..iterations).for_each(|_| ask_and_tell(&mut search, &mut rng));
                let time = start.elapsed();
                best = best.min(time.div_f64(iterations as f64));
                time
            });
        });
        if best < Duration::MAX {
            let share = best.as_secs_f64() / SCORE.as_secs_f64();
            println!("{name}: {:.1} us a candidate, {:.2} % of a score", 1e6 * best.as_secs_f64(), 100.0 * share);
        }
    }
    group.finish();
}

criterion_group!(benches, bookkeeping);
criterion_main!(benches);
