//! What remembering blocks saves in a search for MobileNetV2-like networks of up to 450 million multiply-adds.
//!
//! Every candidate is scored from scratch and with stores of several sizes, one after the other, so that what disturbs the
//! machine disturbs all alike. Only the second half counts: in the first, the search grows to its budget.
//!
//! `cargo bench --bench prefix -- RESOLUTION BATCH ITERATIONS`

use aznas::mem::Memory;
use aznas::prefix::{Counts, Entry, Store};
use aznas::proxy::ProxySet;
use aznas::search::{Budget, Duplicates, Search, Settings};
use aznas::spaces::mbv2::StructureSpace;
use aznas::spaces::mbv2::UnitNetwork;
use aznas::tensor::Random;
use aznas::{Error, Options};
use std::time::{Duration, Instant};

/// Megabytes of features.
const BUDGETS: [usize; 5] = [0, 16, 64, 128, 512];
const ENTRIES: usize = 1 << 14;

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn main() -> Result<(), Error> {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let mut number = |default| numbers.next().unwrap_or(default);
    let (resolution, batch, iterations) = (number(96), number(4), number(120));
    let options = Options { batch, height: resolution, width: resolution, ..Options::default() };
    let settings = Settings {
        iterations,
        parents: (iterations / 8).max(16),
        duplicates: Duplicates::Reuse,
        budget: Budget { complexity: Some(450e6), layers: Some(14), ..Budget::default() },
        ..Settings::program()
    };
    let mut search = Search::new(StructureSpace::default(), settings)?;
    let mut memory = Memory::new();
    let mut buffers = BUDGETS.map(|megabytes| (vec![Entry::VACANT; ENTRIES], vec![0u32; megabytes << 18]));
    let mut stores = buffers.each_mut().map(|(entries, words)| Store::new(entries, words));

    let (mut planning, mut plain, mut with) = (Duration::ZERO, Duration::ZERO, [Duration::ZERO; BUDGETS.len()]);
    let mut before = [Counts::default(); BUDGETS.len()];
    let (mut counted, mut complexities, mut words) = (0, 0.0, 0);
    while let Some(candidate) = search.ask()? {
        if candidate.id < iterations / 2 {
            (planning, plain, with) = (Duration::ZERO, Duration::ZERO, [Duration::ZERO; BUDGETS.len()]);
            (counted, complexities, words) = (0, 0.0, 0);
        }
        let network = UnitNetwork { structure: candidate.architecture, classes: 1000, target_resolution: 224 };
        let (time, bytes) = timed(|| aznas::workspace_size(&network, &options, &Random));
        planning += time;
        let mut workspace = memory.workspace(bytes?)?;
        let (time, scores) = timed(|| aznas::score(&network, &options, &Random, &mut workspace, |_| ()));
        plain += time;
        for (store, sum) in stores.iter_mut().zip(&mut with) {
            let (time, same) = timed(|| store.score(&network, &options, &mut workspace, |_| ()));
            *sum += time;
            assert_eq!(same, scores);
        }
        if counted == 0 {
            before = stores.each_ref().map(Store::counts);
        }
        let scores = scores?;
        search.tell(candidate.id, &scores.values(ProxySet::PAPER).collect::<Vec<_>>())?;
        (counted, complexities) = (counted + 1, complexities + scores.complexity());
        words += aznas::prefix::words(&network, &options)?;
    }

    let mean = |sum: f64| sum / f64::from(counted);
    let hourly = |time: Duration| 3600.0 / mean(time.as_secs_f64());
    println!("{counted} candidates at {resolution} x {resolution}, batch {batch}; on average");
    println!(
        "  {:.0} million multiply-adds, {:.1} MB of features,",
        mean(complexities) / 1e6,
        mean(words as f64) * 4e-6
    );
    println!("  {:.2} ms for a plan", 1e3 * mean(planning.as_secs_f64()));
    println!("from scratch {:>17.0} an hour", hourly(plain));
    for (((megabytes, store), time), before) in BUDGETS.iter().zip(&stores).zip(with).zip(before) {
        let Counts { reused, replayed, scored } = store.counts();
        let blocks = [reused - before.reused, replayed - before.replayed, scored - before.scored];
        let all: u64 = blocks.iter().sum();
        let [reused, replayed, scored] = blocks.map(|blocks| 100.0 * blocks as f64 / all as f64);
        let times = plain.as_secs_f64() / time.as_secs_f64();
        print!("scores and {megabytes:>4} MB {:>11.0} an hour, {times:.2} times as many; ", hourly(time));
        println!("blocks: {reused:.0} % reused, {replayed:.0} % run forward, {scored:.0} % scored");
    }
    Ok(())
}
