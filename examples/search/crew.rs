//! Who scores candidates: threads of this process, or processes elsewhere.

use crate::arguments::Arguments;
use crate::common::failure::Result;
use crate::remembered::Remembered;
use aznas::base::rng::repeat_seed;
use aznas::mem::Memory;
use aznas::prefix::{self, Store};
use aznas::proxy::ProxySet;
use aznas::score::Plans;
use aznas::search::{Candidate, Duplicates, Search, SearchSpace, Settings};
use aznas::spaces::Space;
use aznas::{Error, Options};

/// What a search is told of a candidate: the values of the proxies that rank, in their order.
pub type Told = Vec<f64>;

/// What all candidates of a search have in common.
pub struct Task<'s, S> {
    space: &'s S,
    options: Options,
    proxies: ProxySet,
    duplicates: Duplicates,
    /// Bytes in which each worker remembers blocks.
    reuse_memory: usize,
}

impl<'s, S: Space> Task<'s, S> {
    /// What `arguments` ask for.
    pub fn new(space: &'s S, arguments: &Arguments) -> Result<Self> {
        let Settings { proxies, duplicates, .. } = arguments.settings(space)?;
        Ok(Self { space, options: arguments.options(), proxies, duplicates, reuse_memory: arguments.reuse_memory() })
    }

    /// How a candidate is scored. If duplicates are scored again, every candidate is drawn anew; otherwise all are measured by
    /// the same draws.
    pub fn options(&self, id: usize) -> Options {
        let seed = match self.duplicates {
            Duplicates::Keep => repeat_seed(self.options.seed, id as u32),
            Duplicates::Reuse | Duplicates::Skip => self.options.seed,
        };
        Options { seed, ..self.options }
    }

    /// Memory for one worker's blocks.
    pub fn remembered(&self) -> std::result::Result<Remembered, Error> {
        Remembered::new(self.reuse_memory)
    }

    /// Scores a candidate.
    pub fn score(
        &self,
        candidate: &Candidate<S::Architecture>,
        memory: &mut Memory,
        plans: &mut Plans,
        store: &mut Store<'_>,
    ) -> std::result::Result<Told, Error> {
        let options = self.options(candidate.id);
        self.space.with_scored(&candidate.architecture, |network| {
            let mut prepared = prefix::prepare(network, &options, plans)?;
            let mut workspace = memory.workspace(prepared.workspace_size())?;
            let scores = store.score_prepared(&mut prepared, &mut workspace, |_| ())?;
            Ok(scores.values(self.proxies).collect())
        })?
    }
}

/// Workers of one kind.
pub trait Crew {
    /// Runs `search` to its end, or until it is to `stop` and the candidates at work are done. `observe` is called
    /// whenever the history may have grown.
    fn run<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
        &self,
        search: &mut Search<A>,
        task: &Task<'_, S>,
        stop: &dyn Fn() -> bool,
        observe: &mut dyn FnMut(&Search<A>) -> Result<()>,
    ) -> Result<()>;
}

/// Asks and tells: hands candidates out as they come up, and waits for one to be handed in.
pub fn conduct<A: SearchSpace>(
    search: &mut Search<A>,
    stop: &dyn Fn() -> bool,
    observe: &mut dyn FnMut(&Search<A>) -> Result<()>,
    mut hand_out: impl FnMut(Candidate<A::Architecture>) -> Result<()>,
    mut handed_in: impl FnMut() -> Result<(usize, Told)>,
) -> Result<()> {
    let mut at_work = 0;
    loop {
        while !stop() {
            let Some(candidate) = search.ask()? else { break };
            hand_out(candidate)?;
            at_work += 1;
        }
        observe(search)?;
        if at_work == 0 {
            return Ok(());
        }
        let (id, scores) = handed_in()?;
        at_work -= 1;
        search.tell(id, &scores)?;
    }
}
