//! Scores candidates in other processes. A message is a line of text; every worker has one candidate at a time.

use crate::answer;
use crate::arguments::Arguments;
use crate::common::failure::{Failure, Result};
use crate::common::scoring;
use crate::common::setting::Setting;
use crate::crew::{Crew, Task, conduct};
use crate::interrupt::Interrupt;
use aznas::mem::Memory;
use aznas::search::{Candidate, Search, SearchSpace};
use aznas::spaces::Space;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Source};
use std::cell::RefCell;
use std::thread::sleep;
use std::time::Duration;

/// How long whoever waits sleeps between two looks at its messages: waiting takes no core.
const INTERVAL: Duration = Duration::from_micros(200);

/// What ends a worker.
const END: &str = "end";

/// The workers, as rank 0 sees them. They end when it is dropped.
pub struct Ranks<'w> {
    world: &'w SimpleCommunicator,
    idle: RefCell<Vec<i32>>,
}

impl<'w> Ranks<'w> {
    /// Waits for all workers, and makes sure that they would score as this process does.
    pub fn greet(world: &'w SimpleCommunicator, own: &Setting) -> Result<Self> {
        let ranks = Self { world, idle: RefCell::new((1..world.size()).collect()) };
        for _ in 1..world.size() {
            let (rank, setting) = receive(world);
            let differences = Setting::parse(&setting).differences(own);
            if !differences.is_empty() {
                return Err(format!("rank {rank} is not like rank 0: {differences}").into());
            }
        }
        Ok(ranks)
    }
}

impl Drop for Ranks<'_> {
    fn drop(&mut self) {
        (1..self.world.size()).for_each(|rank| send(self.world, rank, END));
    }
}

impl Crew for Ranks<'_> {
    fn run<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
        &self,
        search: &mut Search<A>,
        _: &Task<'_, S>,
        stop: &dyn Fn() -> bool,
        observe: &mut dyn FnMut(&Search<A>) -> Result<()>,
    ) -> Result<()> {
        conduct(
            search,
            stop,
            observe,
            |Candidate { id, architecture }| {
                // A search never has more candidates out than workers.
                let rank = self.idle.borrow_mut().pop().ok_or("every worker is busy")?;
                send(self.world, rank, &format!("{id} {architecture}"));
                Ok(())
            },
            || {
                let (rank, answer) = receive(self.world);
                self.idle.borrow_mut().push(rank);
                answer::read(&answer).ok_or_else(|| format!("rank {rank}: {answer}").into())
            },
        )
    }
}

/// Scores what rank 0 sends until it sends no more.
pub fn work<S: Space>(space: &S, arguments: &Arguments, world: &SimpleCommunicator) -> Result<()> {
    let setting = arguments.setting()?;
    // Rank 0 decides what a signal means for the search; a second one ends this rank.
    let _interrupt = Interrupt::install();
    let task = Task::new(space, arguments)?;
    let mut remembered = task.remembered()?;
    let (mut memory, mut store) = (Memory::new(), remembered.store());
    let mut plans = scoring::plans();
    send(world, 0, &setting.to_string());
    loop {
        let (_, message) = receive(world);
        if message == END {
            return Ok(());
        }
        let (id, text) = message.split_once(' ').unwrap_or(("", &message));
        let mut answer = || -> std::result::Result<String, Failure> {
            let id = id.parse().map_err(|_| "a candidate is expected")?;
            let candidate = Candidate { id, architecture: space.parse(text.as_bytes())? };
            let told = task.score(&candidate, &mut memory, &mut plans, &mut store)?;
            Ok(answer::write(id, &told))
        };
        send(world, 0, &answer().unwrap_or_else(|failure| failure.to_string()));
    }
}

fn send(world: &SimpleCommunicator, rank: i32, message: &str) {
    world.process_at_rank(rank).send(message.as_bytes());
}

/// The next message, and who has sent it.
fn receive(world: &SimpleCommunicator) -> (i32, String) {
    let process = world.any_process();
    while process.immediate_probe().is_none() {
        sleep(INTERVAL);
    }
    let (message, status) = process.receive_vec::<u8>();
    (status.source_rank(), String::from_utf8_lossy(&message).into_owned())
}
