//! Workers that only seem to score: a candidate comes back after a recorded time on a clock of their own.

use crate::answer;
use crate::common::failure::Result;
use crate::crew::{Crew, Task, conduct};
use aznas::base::rng::{below, generator};
use aznas::search::{Candidate, Search, SearchSpace};
use aznas::spaces::Space;
use rand_core::Rng;
use rustix::time::{ClockId, clock_gettime};
use std::cell::{Cell, RefCell};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::hint::black_box;

/// So many workers.
pub struct Workers {
    count: u16,
    times: Vec<f64>,
    course: Cell<Course>,
}

/// How a search went, in simulated seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    pub workers: f64,
    /// Candidates that were out at a time, at most.
    pub in_flight: usize,
    /// From the first candidate to the end of the last.
    pub duration: f64,
    /// Of them rank 0 worked so many: in truth, by what this thread takes of its processor.
    pub busy: f64,
    /// What the scores took, of all workers together.
    scoring: f64,
}

impl Course {
    /// The share of their time that the workers score.
    pub fn efficiency(&self) -> f64 {
        self.scoring / (self.workers * self.duration)
    }

    /// The share of its time that rank 0 works.
    pub fn busy_share(&self) -> f64 {
        self.busy / self.duration
    }
}

/// A time on the simulated clock.
#[derive(Clone, Copy, Debug)]
struct Moment(f64);

/// An answer on its way, by the time when it arrives.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    arrives: Moment,
    message: String,
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The clock: rank 0's work takes the time that it takes here, and waiting takes none.
struct Clock {
    course: Course,
    since: f64,
}

/// Seconds that this thread has worked.
fn worked() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

impl Clock {
    /// Adds what rank 0 did since it was last asked.
    fn work(&mut self) {
        let spent = worked() - self.since;
        self.course.duration += spent;
        self.course.busy += spent;
    }

    fn resume(&mut self) {
        self.since = worked();
    }
}

impl Workers {
    /// Workers whose scores take these times.
    pub fn new(count: u16, times: Vec<f64>) -> Self {
        Self { count, times, course: Cell::default() }
    }

    /// How the search went.
    pub fn course(&self) -> Course {
        self.course.get()
    }
}

impl Crew for Workers {
    fn run<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
        &self,
        search: &mut Search<A>,
        _: &Task<'_, S>,
        stop: &dyn Fn() -> bool,
        observe: &mut dyn FnMut(&Search<A>) -> Result<()>,
    ) -> Result<()> {
        let proxies = search.settings().proxies.len();
        let course = Course { workers: self.count.into(), in_flight: search.settings().workers, ..Course::default() };
        // When each worker is free: there may be more candidates out than workers.
        let free = RefCell::new(BinaryHeap::from(vec![Reverse(Moment(0.0)); self.count.into()]));
        let clock = RefCell::new(Clock { course, since: worked() });
        let answers = RefCell::new(BinaryHeap::new());
        let result = conduct(
            search,
            stop,
            observe,
            |Candidate { id, architecture }| {
                // The messages are those of processes elsewhere.
                black_box(format!("{id} {architecture}"));
                let mut clock = clock.borrow_mut();
                clock.work();
                let mut rng = generator(id as u64);
                let seconds = self.times[below(&mut rng, self.times.len() as u64) as usize];
                clock.course.scoring += seconds;
                let told = (0..proxies).map(|_| rng.next_u64() as f64).collect();
                let message = answer::write(id, &told);
                let mut free = free.borrow_mut();
                let Reverse(Moment(earliest)) = free.pop().ok_or("there are no workers")?;
                let arrives = Moment(clock.course.duration.max(earliest) + seconds);
                free.push(Reverse(arrives));
                answers.borrow_mut().push(Reverse(Answer { arrives, message }));
                clock.resume();
                Ok(())
            },
            || {
                let mut clock = clock.borrow_mut();
                clock.work();
                let Reverse(answer) = answers.borrow_mut().pop().ok_or("nobody is at work")?;
                clock.course.duration = clock.course.duration.max(answer.arrives.0);
                clock.resume();
                answer::read(&answer.message).ok_or_else(|| "an answer cannot be read".into())
            },
        );
        self.course.set(clock.into_inner().course);
        result
    }
}
