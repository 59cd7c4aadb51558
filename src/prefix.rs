//! Scores that reuse what networks have in common with earlier ones.
//!
//! Random tensors depend on the seed, the number of the block and the node alone. So all of a block — its feature and its
//! scores — is a function of the options and of the blocks up to it, and networks that begin with the same blocks
//! need them computed once. A [`Store`] remembers blocks by the chain of everything before them, in memory the caller gives:
//!
//! * the *scores* of a block, about a hundred bytes, which save its statistics and its backward pass,
//! * and, as far as there is memory, its *feature*, which saves its forward pass too.
//!
//! A network is run from the last feature that is remembered of its beginning up to its last block whose scores are
//! not; blocks on the way whose scores are remembered run forward only. The result has the same bits as that of
//! [`crate::score()`], whatever the store has seen before.
//!
//! Tensors are always drawn: nobody could tell whether tensors that a caller gives are still the same.
//!
//! ```
//! use aznas::prefix::{Entry, Store};
//! use aznas::spaces::mbv2::{Structure, UnitNetwork};
//! use aznas::{Options, Workspace, tensor::Random};
//!
//! let options = Options { batch: 2, ..Options::default() };
//! let network = |text| Structure::parse(text).map(|structure| UnitNetwork { structure, classes: 10, target_resolution: 32 });
//! let first = network("SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,16,2,8,1)SuperConvK1BNRELU(16,32,1,1)")?;
//! // Its last block differs.
//! let second = network("SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,16,2,8,1)SuperConvK1BNRELU(16,64,1,1)")?;
//!
//! let bytes = aznas::workspace_size(&second, &options, &Random)?;
//! let mut memory = vec![0; Workspace::buffer_len(bytes).unwrap()];
//! let mut workspace = Workspace::from_bytes(&mut memory);
//!
//! let (mut entries, mut words) = (vec![Entry::VACANT; 64], vec![0; 1 << 16]);
//! let mut store = Store::new(&mut entries, &mut words);
//! store.score(&first, &options, &mut workspace, |_block| ())?;
//! let scores = store.score(&second, &options, &mut workspace, |_block| ())?;
//! assert_eq!(store.counts().reused, 3);
//! assert_eq!(scores, aznas::score(&second, &options, &Random, &mut workspace, |_block| ())?);
//! # Ok::<(), aznas::Error>(())
//! ```

mod entries;
mod key;
mod pages;

pub use entries::Entry;

use crate::Error;
use crate::graph::{Network, Walk};
use crate::mem::Workspace;
use crate::options::Options;
use crate::plan::Region;
use crate::proxy::{BlockScores, Scores};
use crate::run::Runner;
use crate::score::{self, Plans};
use crate::tensor::Random;
use core::ops::Range;
use entries::Entries;
use key::Key;
use pages::{Feature, Pages};

/// What a feature is worth in itself if it takes one page; those of several are worth as much together.
const WORTH_OF_A_PAGE: u64 = 1 << 32;

/// What became of the blocks of all networks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks of which nothing was computed.
    pub reused: u64,
    /// Blocks that were run forward only.
    pub replayed: u64,
    /// Blocks that were scored.
    pub scored: u64,
}

/// Blocks of earlier networks.
///
/// Where there is no room for another feature, large ones and those that were not used for long are forgotten first
/// (Greedy-Dual-Size; Cao and Irani, 1997); where there is none for other scores, those used longest ago.
#[derive(Debug)]
pub struct Store<'m> {
    entries: Entries<'m>,
    pages: Pages<'m>,
    /// The number of the score at work, from 1.
    now: u64,
    /// The worth of the feature that was forgotten last: what is used now is worth that much more.
    inflation: u64,
    counts: Counts,
}

/// A score with random tensors of which everything is known before any work; see [`prepare`].
pub struct Prepared<'p, N: ?Sized>(score::Prepared<'p, N>);

/// Refuses all that a score refuses but a workspace that is too small, as [`score::prepare`] does.
///
/// # Errors
/// Those of [`score::prepare`].
pub fn prepare<'p, N: Network + ?Sized>(
    network: &'p N,
    options: &'p Options,
    plans: &'p mut Plans,
) -> Result<Prepared<'p, N>, Error> {
    score::prepare(network, options, &Random, plans).map(Prepared)
}

impl<N: Network + ?Sized> Prepared<'_, N> {
    /// Bytes of workspace that the score needs: see [`crate::workspace_size`].
    pub fn workspace_size(&self) -> usize {
        self.0.workspace_size()
    }
}

/// What is to be done for one network in one repeat.
struct Course {
    /// The key of the blocks that have been passed.
    passed: Key,
    /// The blocks to run; those before and after are remembered.
    run: Range<usize>,
    /// The first block whose feature is read by those that are run.
    recalled: usize,
    /// The number of the last block.
    last: usize,
}

impl Course {
    /// Whether the feature of a block that is not run is read by one that is.
    fn recalls(&self, index: usize) -> bool {
        !self.run.is_empty() && (self.recalled..self.run.start).contains(&index)
    }
}

impl<'m> Store<'m> {
    /// An empty store. `entries` limits how many blocks are remembered at all; as each block can go into a few of them
    /// only, there should be twice as many. `words` limits how large their features may be together, see [`words`].
    /// Either may be empty.
    pub fn new(entries: &'m mut [Entry], words: &'m mut [u32]) -> Self {
        let (entries, pages) = (Entries::new(entries), Pages::new(words));
        Self { entries, pages, now: 0, inflation: 0, counts: Counts::default() }
    }

    /// What became of the blocks of all networks so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// [`crate::score()`] with random tensors, but for what is remembered. `observe` is told of every block.
    ///
    /// # Errors
    /// Those of [`crate::score()`].
    pub fn score<N: Network + ?Sized>(
        &mut self,
        network: &N,
        options: &Options,
        workspace: &mut Workspace<'_>,
        observe: impl FnMut(&BlockScores),
    ) -> Result<Scores, Error> {
        self.score_prepared(&mut prepare(network, options, &mut Plans::new())?, workspace, observe)
    }

    /// [`score`](Self::score) of what is prepared.
    ///
    /// # Errors
    /// [`Error::WorkspaceTooSmall`], before any work.
    pub fn score_prepared<N: Network + ?Sized>(
        &mut self,
        prepared: &mut Prepared<'_, N>,
        workspace: &mut Workspace<'_>,
        mut observe: impl FnMut(&BlockScores),
    ) -> Result<Scores, Error> {
        let mut course = Course { passed: Key::NONE, run: 0..0, recalled: 0, last: 0 };
        let network = prepared.0.network();
        prepared.0.of_blocks(workspace, |runner, workspace| {
            if runner.block.index() == 0 {
                course = self.course(network, runner.options)?;
            }
            course.passed = course.passed.then(runner.block);
            let scores = self.block(&course, runner, workspace);
            observe(&scores);
            Ok(scores)
        })
    }

    /// Looks up what is known of a network.
    fn course<N: Network + ?Sized>(&mut self, network: &N, options: &Options) -> Result<Course, Error> {
        self.now += 1;
        let passed = Key::of(options);
        let (mut key, mut run, mut recalled, mut last) = (passed, 0..0, 0, 0);
        // Whether the features before the block at hand are remembered, the later one first.
        let mut kept = [false; 2];
        let mut walk = Walk::new(network, options.batch, options.height, options.width)?;
        while let Some(block) = walk.next_block()? {
            last = block.index();
            key = key.then(block);
            let reads = if block.reads_earlier() { 2 } else { 1 };
            if run.end == 0 && kept[..reads].iter().all(|&kept| kept) {
                (run.start, recalled) = (last, last - reads);
            }
            let entry = self.entries.find(key);
            kept = [entry.as_ref().is_some_and(|entry| entry.feature.is_some()), kept[0]];
            match entry {
                Some(entry) => entry.used = self.now,
                None => run.end = last + 1,
            }
        }
        Ok(Course { passed, run, recalled, last })
    }

    /// The scores of a block, remembered or computed, with its feature in place if the next block needs it.
    fn block(&mut self, course: &Course, runner: &mut Runner<'_>, workspace: &mut Workspace<'_>) -> BlockScores {
        if runner.plan.is_empty() {
            return runner.score(workspace);
        }
        let (key, index) = (course.passed, runner.block.index());
        let output = runner.plan.slot::<f32>(Region::Output, &runner.frame);
        let scores = match self.entries.find(key).copied() {
            Some(entry) if !course.run.contains(&index) => {
                self.counts.reused += 1;
                if let (Some(feature), true) = (entry.feature, course.recalls(index)) {
                    self.pages.recall(feature, workspace.loans().write(output));
                    self.appraise(key);
                }
                return entry.scores;
            }
            Some(entry) => {
                self.counts.replayed += 1;
                runner.forward(workspace, &mut |_| ());
                entry.scores
            }
            None => {
                self.counts.scored += 1;
                let scores = runner.score(workspace);
                self.enter(key, scores);
                scores
            }
        };
        // Nothing follows the last feature.
        if index < course.last {
            self.keep(key, workspace.loans().read(output));
        }
        scores
    }

    /// Remembers the scores of a block, unless all entries that its key can go to belong to the network at work.
    fn enter(&mut self, key: Key, scores: BlockScores) {
        let entered = Entry { key, scores, used: self.now, ..Entry::VACANT };
        let oldest = self.entries.oldest(key).filter(|oldest| oldest.used < self.now);
        let forgotten = oldest.and_then(|oldest| core::mem::replace(oldest, entered).feature);
        if let Some(feature) = forgotten {
            self.pages.release(feature);
        }
    }

    /// Remembers the feature of a block whose scores are remembered, if it fits at all.
    fn keep(&mut self, key: Key, feature: &[f32]) {
        let is_wanted = self.entries.find(key).is_some_and(|entry| entry.feature.is_none());
        if !is_wanted || !self.pages.can_hold(feature.len()) {
            return;
        }
        let kept = loop {
            if let Some(kept) = self.pages.keep(feature) {
                break kept;
            }
            let Some((least, forgotten)) = self.entries.forget_least() else { return };
            self.inflation = least;
            self.pages.release(forgotten);
        };
        if let Some(entry) = self.entries.find(key) {
            entry.feature = Some(kept);
        }
        self.appraise(key);
    }

    /// Notes that a feature is of use now.
    fn appraise(&mut self, key: Key) {
        if let Some(entry) = self.entries.find(key) {
            let size = entry.feature.map_or(1, Feature::pages) as u64;
            entry.worth = self.inflation.saturating_add(WORTH_OF_A_PAGE / size.max(1));
        }
    }
}

/// Words that a [`Store`] needs in order to remember all features of a network that are of use.
///
/// # Errors
/// Everything that can be wrong with the network.
pub fn words<N: Network + ?Sized>(network: &N, options: &Options) -> Result<usize, Error> {
    let mut sum = 0usize;
    let mut walk = Walk::new(network, options.batch, options.height, options.width)?;
    while let Some(block) = walk.next_block()? {
        // Every feature but the last is the input of a block.
        if block.index() > 0 {
            let words = Pages::words(block.shape(block.input())?.len());
            sum = sum.checked_add(words).ok_or(Error::Overflow { quantity: "the store" })?;
        }
    }
    sum.checked_mul(options.repeats as usize).ok_or(Error::Overflow { quantity: "the store" })
}
