//! Scores candidates side by side in this process.

use crate::common::failure::{Failure, Result};
use crate::common::scoring;
use crate::crew::{Crew, Task, Told, conduct};
use aznas::Error;
use aznas::mem::Memory;
use aznas::search::{Candidate, Search, SearchSpace};
use aznas::spaces::Space;
use std::sync::{Mutex, mpsc};
use std::thread;

/// So many threads, or as many as there is work for.
pub struct Threads(pub usize);

impl Crew for Threads {
    fn run<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
        &self,
        search: &mut Search<A>,
        task: &Task<'_, S>,
        stop: &dyn Fn() -> bool,
        observe: &mut dyn FnMut(&Search<A>) -> Result<()>,
    ) -> Result<()> {
        let (hand_out, handed_out) = mpsc::channel::<Candidate<S::Architecture>>();
        let (hand_in, handed_in) = mpsc::channel::<(usize, std::result::Result<Told, Error>)>();
        let handed_out = &Mutex::new(handed_out);
        let progress = search.progress();
        let workers = self.0.min(progress.iterations - progress.told);
        let mut remembered = (0..workers).map(|_| task.remembered()).collect::<std::result::Result<Vec<_>, _>>()?;
        let remembered = &mut remembered;
        thread::scope(move |scope| {
            for remembered in remembered {
                let hand_in = hand_in.clone();
                let worker = move || {
                    let (mut memory, mut store) = (Memory::new(), remembered.store());
                    let mut plans = scoring::plans();
                    let next = || handed_out.lock().ok()?.recv().ok();
                    while let Some(candidate) = next() {
                        let scores = task.score(&candidate, &mut memory, &mut plans, &mut store);
                        if hand_in.send((candidate.id, scores)).is_err() {
                            break;
                        }
                    }
                };
                let started = thread::Builder::new().spawn_scoped(scope, worker);
                started.map_err(|error| format!("--threads: {error}"))?;
            }
            drop(hand_in);
            let gone = || Failure::from("the workers are gone");
            // Returning drops `hand_out`, and so ends the workers.
            conduct(
                search,
                stop,
                observe,
                |candidate| hand_out.send(candidate).map_err(|_| gone()),
                || {
                    let (id, scores) = handed_in.recv().map_err(|_| gone())?;
                    Ok((id, scores?))
                },
            )
        })
    }
}
