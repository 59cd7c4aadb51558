//! Scores candidates side by side.

use crate::common::scoring::Scorer;
use crate::failure::Failure;
use crate::space::ScoredSpace;
use aznas::base::rng::repeat_seed;
use aznas::search::{Candidate, Duplicates, Search, SearchSpace};
use aznas::{Error, Options};
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Runs `search` to its end, or until `stop` is set and the candidates at work are done. `observe` is called
/// whenever the history may have grown.
pub fn run<S: ScoredSpace, A: SearchSpace<Architecture = S::Architecture>>(
    search: &mut Search<A>,
    space: &S,
    options: impl Fn(usize) -> Options + Sync,
    workers: usize,
    stop: &AtomicBool,
    mut observe: impl FnMut(&Search<A>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (hand_out, handed_out) = mpsc::channel::<Candidate<S::Architecture>>();
    let (hand_in, handed_in) = mpsc::channel::<(usize, Result<[f64; 4], Error>)>();
    let (handed_out, options) = (&Mutex::new(handed_out), &options);
    thread::scope(move |scope| {
        for _ in 0..workers {
            let hand_in = hand_in.clone();
            scope.spawn(move || {
                let mut scorer = Scorer::default();
                let next = || handed_out.lock().ok()?.recv().ok();
                while let Some(Candidate { id, architecture }) = next() {
                    let outcome = scorer.score(&space.network(&architecture), &options(id), false);
                    let scores = outcome.map(|outcome| outcome.scores);
                    let proxies = scores.map(|s| [s.expressivity, s.progressivity, s.trainability, s.complexity]);
                    if hand_in.send((id, proxies)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(hand_in);
        // Returning drops `hand_out`, and so ends the workers.
        let mut at_work = 0;
        loop {
            while !stop.load(Ordering::Relaxed) {
                let Some(candidate) = search.ask()? else { break };
                at_work += usize::from(hand_out.send(candidate).is_ok());
            }
            observe(search)?;
            if at_work == 0 {
                return Ok(());
            }
            let Ok((id, scores)) = handed_in.recv() else { return Ok(()) };
            at_work -= 1;
            search.tell(id, scores?)?;
        }
    })
}
