//! Scores candidates side by side.

use crate::common::failure::Result;
use crate::remembered::Remembered;
use aznas::base::rng::repeat_seed;
use aznas::graph::Network;
use aznas::mem::Memory;
use aznas::prefix::Store;
use aznas::search::{Candidate, Duplicates, Search, SearchSpace};
use aznas::spaces::Space;
use aznas::tensor::Random;
use aznas::{Error, Options, Scores};
use std::sync::{Mutex, mpsc};
use std::thread;

/// The seed of everything drawn to score a candidate. If duplicates are scored again, every candidate is drawn
/// anew; otherwise all are measured by the same draws.
pub fn seed(options: &Options, duplicates: Duplicates, id: usize) -> u64 {
    match duplicates {
        Duplicates::Keep => repeat_seed(options.seed, id as u32),
        Duplicates::Reuse => options.seed,
    }
}

/// Runs `search` to its end, or until it is to `stop` and the candidates at work are done. `observe` is called
/// whenever the history may have grown. Each worker remembers blocks in `reuse_memory` bytes.
pub fn run<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
    search: &mut Search<A>,
    space: &S,
    options: impl Fn(usize) -> Options + Sync,
    workers: usize,
    reuse_memory: usize,
    stop: impl Fn() -> bool,
    mut observe: impl FnMut(&Search<A>) -> Result<()>,
) -> Result<()> {
    let (hand_out, handed_out) = mpsc::channel::<Candidate<S::Architecture>>();
    let (hand_in, handed_in) = mpsc::channel::<(usize, std::result::Result<Vec<f64>, Error>)>();
    let (handed_out, options, proxies) = (&Mutex::new(handed_out), &options, search.settings().proxies);
    let mut remembered =
        (0..workers).map(|_| Remembered::new(reuse_memory)).collect::<std::result::Result<Vec<_>, _>>()?;
    let remembered = &mut remembered;
    thread::scope(move |scope| {
        for remembered in remembered {
            let hand_in = hand_in.clone();
            let worker = move || {
                let (mut memory, mut store) = (Memory::new(), remembered.store());
                let next = || handed_out.lock().ok()?.recv().ok();
                while let Some(Candidate { id, architecture }) = next() {
                    let scores = score(&space.network(&architecture), &options(id), &mut memory, &mut store);
                    let scores = scores.map(|scores| scores.values(proxies).collect());
                    if hand_in.send((id, scores)).is_err() {
                        break;
                    }
                }
            };
            let started = thread::Builder::new().spawn_scoped(scope, worker);
            started.map_err(|error| format!("--threads: {error}"))?;
        }
        drop(hand_in);
        // Returning drops `hand_out`, and so ends the workers.
        let mut at_work = 0;
        loop {
            while !stop() {
                let Some(candidate) = search.ask()? else { break };
                at_work += usize::from(hand_out.send(candidate).is_ok());
            }
            observe(search)?;
            if at_work == 0 {
                return Ok(());
            }
            let Ok((id, scores)) = handed_in.recv() else { return Ok(()) };
            at_work -= 1;
            search.tell(id, &scores?)?;
        }
    })
}

fn score(
    network: &impl Network,
    options: &Options,
    memory: &mut Memory,
    store: &mut Store<'_>,
) -> std::result::Result<Scores, Error> {
    let bytes = aznas::workspace_size(network, options, &Random)?;
    store.score(network, options, &mut memory.workspace(bytes)?, |_| ())
}
