//! Whole scores: cells, structures and a transformer on one core, the mean over random cells, and several cores.
//!
//! Operations are two for every live multiply-add of the forward pass and as many again for the vector-Jacobian
//! products. (The stem has none, and the classifier does not run: a few percent too many.) Rows of proxies of whole networks
//! have those of a score.

use aznas::graph::{Cost, Network};
use aznas::mem::Memory;
use aznas::proxy::{Proxy, ProxySet};
use aznas::spaces::autoformer::{Architecture, TransformerNetwork};
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::tensor::Random;
use aznas::{
    Options, Scores,
    base::rng,
    score::{Plans, prepare},
};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench, bench_part, is_trial};
use rayon::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

const CELLS: [&str; 6] = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
];

/// The structure that searches start from, and one that they may end with.
const STRUCTURES: [(&str, &str); 2] = [
    (
        "initial",
        "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperResIDWE6K3(32,48,2,32,1)\
         SuperResIDWE6K3(48,96,2,48,1)SuperResIDWE6K3(96,128,2,96,1)SuperConvK1BNRELU(128,2048,1,1)",
    ),
    (
        "large",
        "SuperConvK3BNRELU(3,24,2,1)SuperResIDWE2K3(24,24,2,24,1)SuperResIDWE4K7(24,40,2,32,2)\
         SuperResIDWE4K5(40,80,2,48,3)SuperResIDWE6K3(80,112,1,96,3)SuperResIDWE6K7(112,192,2,128,3)\
         SuperConvK1BNRELU(192,2048,1,1)",
    ),
];

/// Scores networks one after the other in the same memory.
struct Scorer {
    memory: Memory,
    plans: Plans,
}

impl Scorer {
    fn score(&mut self, network: &dyn Network, options: &Options) -> Scores {
        let mut prepared = prepare(network, options, &Random, &mut self.plans).expect("the network is right");
        let mut workspace = self.memory.workspace(prepared.workspace_size()).expect("there is memory");
        prepared.score(&mut workspace, |_| ()).expect("the workspace suffices")
    }
}

impl Default for Scorer {
    fn default() -> Self {
        Self { memory: Memory::new(), plans: Plans::of_most(8) }
    }
}

/// CIFAR-10's skeleton around a cell.
fn around(cell: Cell) -> CellNetwork {
    CellNetwork { cell, skeleton: Skeleton::CIFAR10 }
}

/// Cells drawn at random, the same every time.
fn random_cells(count: usize) -> Vec<CellNetwork> {
    let mut rng = rng::generator(1);
    (0..count).map(|_| around(Cell::sample(&mut rng))).collect()
}

/// Operations of a score.
fn operations(network: &dyn Network, options: &Options) -> f64 {
    let cost = Cost::of(network, options.height, options.width).expect("the network is right");
    4.0 * options.batch as f64 * cost.live_macs as f64
}

fn bench_score(criterion: &mut Criterion, name: &str, network: &dyn Network, options: &Options) {
    let mut scorer = Scorer::default();
    let work = Work::Operations(operations(network, options));
    bench(criterion, &format!("{name} b{}", options.batch), options.backend, work, || {
        black_box(scorer.score(network, options));
    });
}

fn networks(criterion: &mut Criterion) {
    for batch in [8, 64] {
        let options = Options { batch, ..Options::default() };
        for (number, text) in CELLS.iter().enumerate() {
            let network = around(Cell::parse(text).expect("a cell"));
            bench_score(criterion, &format!("cell {}", number + 1), &network, &options);
        }
    }
    for batch in if is_trial() { vec![2] } else { vec![8, 64] } {
        let options = Options { batch, height: 224, width: 224, ..Options::default() };
        for (name, text) in STRUCTURES {
            let structure = Structure::parse(text).expect("a structure");
            let network = UnitNetwork { structure, classes: 1000, target_resolution: 224 };
            bench_score(criterion, &format!("{name} structure"), &network, &options);
        }
    }
    let options = Options { batch: if is_trial() { 1 } else { 8 }, height: 224, width: 224, ..Options::default() };
    let (heads, ratios) = (["3"; 12].join("-"), ["4"; 12].join("-"));
    let text = format!("autoformer(embed=192,heads={heads},ratio={ratios})");
    let network = TransformerNetwork::new(Architecture::parse(text).expect("an architecture"));
    bench_score(criterion, "transformer 192 x 12", &network, &options);
}

/// Each proxy of whole networks by itself, on the second cell.
fn whole_networks(criterion: &mut Criterion) {
    let network = around(Cell::parse(CELLS[1]).expect("a cell"));
    for (proxy, batch) in ProxySet::OF_WHOLE_NETWORKS.iter().flat_map(|proxy| [(proxy, 8), (proxy, 64)]) {
        // A way back for each image of the batch, through all of them.
        let batch = if proxy == Proxy::Ntk && batch > 8 { 16 } else { batch };
        let options = Options { batch, proxies: ProxySet::of(&[proxy]), ..Options::default() };
        let mut scorer = Scorer::default();
        let name = format!("{} b{batch}", proxy.name());
        bench(criterion, &name, options.backend, Work::Operations(operations(&network, &options)), || {
            black_box(scorer.score(&network, &options));
        });
    }
}

fn mean_of_random_cells(criterion: &mut Criterion) {
    let networks = random_cells(if is_trial() { 2 } else { 200 });
    for (batch, seconds) in [(8, 6), (64, 45)] {
        let options = Options { batch, ..Options::default() };
        let mut scorer = Scorer::default();
        // A call scores the next cell; there is time for every cell to be next about twice.
        let (mut best, mut next) = (vec![Duration::MAX; networks.len()], 0);
        let mut group = criterion.benchmark_group("random cells");
        group.sampling_mode(criterion::SamplingMode::Flat).measurement_time(Duration::from_secs(seconds));
        group.bench_function(format!("b{batch}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut sum = Duration::ZERO;
                for _ in 0..iterations {
                    let start = Instant::now();
                    black_box(scorer.score(&networks[next], &options));
                    let time = start.elapsed();
                    best[next] = best[next].min(time);
                    sum += time;
                    next = (next + 1) % networks.len();
                }
                sum
            });
        });
        best.retain(|&time| time < Duration::MAX);
        if !best.is_empty() {
            let mean = best.iter().sum::<Duration>() / best.len() as u32;
            println!("mean of {} random cells b{batch}: {:.2} ms", best.len(), 1e3 * mean.as_secs_f64());
        }
    }
}

/// Several candidates at a time, a workspace each.
fn cores(criterion: &mut Criterion) {
    let networks = random_cells(if is_trial() { 4 } else { 64 });
    let options = Options { batch: 8, ..Options::default() };
    let work = Work::Operations(networks.iter().map(|network| operations(network, &options)).sum());
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("there are threads");
        let mut best = Duration::MAX;
        bench_part(
            criterion,
            &format!("{} cells b8, threads: {threads}", networks.len()),
            options.backend,
            work,
            || {
                let start = Instant::now();
                pool.install(|| {
                    networks.par_iter().for_each_init(Scorer::default, |scorer, network| {
                        black_box(scorer.score(network, &options));
                    });
                });
                best = best.min(start.elapsed());
                start.elapsed()
            },
        );
        if best < Duration::MAX {
            println!("{:.0} cells a second", networks.len() as f64 / best.as_secs_f64());
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = networks, whole_networks, mean_of_random_cells, cores
}
criterion_main!(benches);
