//! The state of a search: what was proposed, what was told, and what may be known by now.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use super::proposal::propose;
use super::{Duplicates, SearchSpace, Settings};
use crate::Error;
use crate::aggregate::{History, Standing};

/// An architecture to be scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<A> {
    /// Its number, from 0 in the order of asking. A scorer that draws fresh weights for each candidate can
    /// seed them by it.
    pub id: usize,
    /// What to score.
    pub architecture: A,
}

/// One of the best candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leader<'a, A> {
    /// Its number.
    pub id: usize,
    /// What was scored.
    pub architecture: &'a A,
    /// As told: the values of the settings' proxies, in the order of [`Proxy::ALL`](crate::proxy::Proxy::ALL).
    pub scores: &'a [f64],
    /// The aggregate of their ranks in the history; only comparable at one moment.
    pub aggregate: f64,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Candidates in the history: their scores and those of all before them were told.
    pub told: usize,
    /// Candidates proposed and not yet in the history.
    pub outstanding: usize,
    /// Candidates in all.
    pub iterations: usize,
}

/// A search under way.
///
/// **Repeatable.** With equal settings and equal scores a search proposes the same candidates, in whatever order
/// scores are told: those told early wait until all before them are there. The random choices for a candidate depend on
/// the seed and the candidate's number only, so a search [resumed](Self::resume) goes on as if never interrupted.
///
/// **Parallel.** With `workers` above 1, candidate `i` is proposed as soon as candidates up to `i − workers` are told, and
/// knows the scores of exactly those, even if more have come. A search with more workers is thus another search,
/// in which each choice of a parent misses the latest `workers − 1` results; it does not depend on which worker is faster.
#[derive(Clone, Debug)]
pub struct Search<S: SearchSpace> {
    pub(super) space: S,
    settings: Settings,
    initial: Option<S::Architecture>,
    /// Every candidate proposed, by number.
    architectures: Vec<S::Architecture>,
    /// How many candidates there are up to the first that is not told, and their scores one after another.
    told: usize,
    scores: Vec<f64>,
    /// What is known of the candidates after those.
    outstanding: VecDeque<Outcome>,
    /// Numbers of the distinct candidates in the order of their architectures; empty where duplicates are kept.
    distinct: Vec<usize>,
    /// The scores that the next proposal may know.
    ranking: History,
}

#[derive(Clone, Debug)]
enum Outcome {
    Awaited,
    /// The scores of an earlier candidate.
    SameAs(usize),
    Scored(Box<[f64]>),
}

impl<S: SearchSpace> Search<S> {
    /// A search at its beginning.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::TooLarge`], naming the field, for settings no search can be run with.
    pub fn new(space: S, settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let weights: Vec<f64> = settings.proxies.iter().map(|proxy| settings.weights[proxy as usize]).collect();
        let ranking = History::new(&weights, settings.mode, settings.parents)?;
        let initial = space.initial();
        Ok(Self {
            space,
            settings,
            initial,
            architectures: Vec::new(),
            told: 0,
            scores: Vec::new(),
            outstanding: VecDeque::new(),
            distinct: Vec::new(),
            ranking,
        })
    }

    /// A search that goes on after the candidates of `history`, as [`history`](Self::history) gave them. With the same
    /// space and settings it proposes what the interrupted search would have; candidates that were out are handed
    /// out again.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::Invalid`] if the history is longer than the search or a candidate has not
    /// as many scores as there are proxies.
    pub fn resume(
        space: S,
        settings: Settings,
        history: impl IntoIterator<Item = (S::Architecture, impl AsRef<[f64]>)>,
    ) -> Result<Self, Error> {
        let mut search = Self::new(space, settings)?;
        for (architecture, scores) in history {
            if search.architectures.len() == search.settings.iterations {
                return Err(Error::Invalid { field: "history", expected: "no longer than the iterations" });
            }
            let outcome = search.scored(scores.as_ref())?;
            search.note_distinct(&architecture);
            search.enter(architecture, outcome)?;
        }
        Ok(search)
    }

    /// The next candidate to score. `None` if nothing can be proposed before more scores are told, or at all: at the end
    /// no candidate is outstanding either. Where duplicates take the earlier scores, one call passes over all that
    /// come up before a new candidate does.
    ///
    /// # Errors
    /// [`Error::NoCandidate`] if `max_proposals` proposals in a row are outside the budget, and any error of the
    /// space. Asking again repeats the error.
    pub fn ask(&mut self) -> Result<Option<Candidate<S::Architecture>>, Error> {
        while self.architectures.len() < self.settings.iterations && self.told >= self.known() {
            let architecture = self.propose()?;
            match self.note_distinct(&architecture) {
                Some(earlier) => self.enter(architecture, Outcome::SameAs(earlier))?,
                None => {
                    let id = self.architectures.len();
                    self.enter(architecture.clone(), Outcome::Awaited)?;
                    return Ok(Some(Candidate { id, architecture }));
                }
            }
        }
        Ok(None)
    }

    /// Takes the scores of a candidate handed out: the values of the settings' proxies, in the order of
    /// [`Proxy::ALL`](crate::proxy::Proxy::ALL), higher being better. NaN counts as −∞. Candidates may be told in any
    /// order.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no candidate of this number was handed out and waits for its scores, or there are not as many
    /// as proxies.
    pub fn tell(&mut self, id: usize, scores: &[f64]) -> Result<(), Error> {
        let scored = self.scored(scores)?;
        let outcome = id.checked_sub(self.told).and_then(|place| self.outstanding.get_mut(place));
        let Some(outcome @ Outcome::Awaited) = outcome else {
            return Err(Error::Invalid { field: "id", expected: "a candidate handed out and not yet told" });
        };
        *outcome = scored;
        self.advance()
    }

    /// Ends the search early: nothing more is proposed, and all that is told or still comes in is ranked.
    ///
    /// # Errors
    /// Those of [`History::push`], which the limit on the iterations rules out.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.settings.iterations = self.architectures.len();
        self.advance()
    }

    /// The best candidate by aggregated ranks, the earliest if several are equal. With several workers the latest
    /// `workers − 1` candidates are not ranked until the search has ended or is [stopped](Self::stop).
    pub fn best(&self) -> Option<Leader<'_, S::Architecture>> {
        self.ranking.best().map(|standing| self.leader(standing))
    }

    /// The best `count` candidates, best first; at most as many as there may be parents. See [`best`](Self::best).
    pub fn top(&self, count: usize) -> impl ExactSizeIterator<Item = Leader<'_, S::Architecture>> {
        self.ranking.top(count).into_iter().map(|standing| self.leader(standing))
    }

    /// All candidates up to the first that is not told, with their scores, in the order of their numbers. What is to
    /// be kept in order to [`resume`](Self::resume).
    pub fn history(&self) -> impl ExactSizeIterator<Item = (&S::Architecture, &[f64])> {
        self.architectures.iter().zip(self.scores.chunks_exact(self.settings.proxies.len()))
    }

    /// What it was told to do; once it is [stopped](Self::stop), with the iterations it has come to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far the search has come.
    pub fn progress(&self) -> Progress {
        Progress { told: self.told, outstanding: self.outstanding.len(), iterations: self.settings.iterations }
    }

    /// How many candidates are ranked: those whose scores the next proposal may know, or all at the end.
    fn known(&self) -> usize {
        let next = self.architectures.len();
        if next == self.settings.iterations { next } else { (next + 1).saturating_sub(self.settings.workers) }
    }

    /// Where the scores of a candidate lie.
    fn places(&self, id: usize) -> Range<usize> {
        let proxies = self.settings.proxies.len();
        id * proxies..(id + 1) * proxies
    }

    /// Refuses scores that are not one for each proxy.
    fn scored(&self, scores: &[f64]) -> Result<Outcome, Error> {
        if scores.len() == self.settings.proxies.len() {
            Ok(Outcome::Scored(scores.into()))
        } else {
            Err(Error::Invalid { field: "scores", expected: "one for each proxy of the settings" })
        }
    }

    /// Adds the next candidate.
    fn enter(&mut self, architecture: S::Architecture, outcome: Outcome) -> Result<(), Error> {
        self.architectures.push(architecture);
        self.outstanding.push_back(outcome);
        self.advance()
    }

    /// Moves scores on into the history, as far as they are there, and into the ranking, as far as they may be known.
    fn advance(&mut self) -> Result<(), Error> {
        while let Some(outcome) = self.outstanding.front() {
            match outcome {
                Outcome::Awaited => break,
                Outcome::SameAs(earlier) => self.scores.extend_from_within(self.places(*earlier)),
                Outcome::Scored(scores) => self.scores.extend_from_slice(scores),
            }
            self.outstanding.pop_front();
            self.told += 1;
        }
        let known = self.known().min(self.told);
        while self.ranking.len() < known {
            let scores = &self.scores[self.places(self.ranking.len())];
            let ranked: Vec<f64> = self.objectives(scores).collect();
            self.ranking.push(&ranked)?;
        }
        Ok(())
    }

    /// What a candidate with these scores is ranked by.
    fn objectives(&self, scores: &[f64]) -> impl Iterator<Item = f64> {
        self.settings.proxies.iter().zip(scores).map(|(proxy, &score)| self.settings.objective(proxy, score))
    }

    /// The number of an earlier candidate whose scores serve for this one as well. If there is none, the next number is
    /// noted for it.
    fn note_distinct(&mut self, architecture: &S::Architecture) -> Option<usize> {
        if self.settings.duplicates == Duplicates::Keep {
            return None;
        }
        match self.place_of(architecture) {
            Ok(place) => Some(self.distinct[place]),
            Err(place) => {
                self.distinct.insert(place, self.architectures.len());
                None
            }
        }
    }

    /// The place of an architecture among the distinct ones, or that it would have.
    fn place_of(&self, architecture: &S::Architecture) -> Result<usize, usize> {
        self.distinct.binary_search_by(|&id| self.architectures[id].cmp(architecture))
    }

    /// Makes the next candidate.
    fn propose(&self) -> Result<S::Architecture, Error> {
        let number = self.architectures.len();
        let parents =
            if self.settings.has_parents(number) { self.ranking.leaders(self.settings.parents) } else { Vec::new() };
        let parent = |choice: usize| Ok(&self.architectures[parents[choice].candidate]);
        let is_known = |architecture: &S::Architecture| {
            self.settings.duplicates == Duplicates::Skip && self.place_of(architecture).is_ok()
        };
        propose(&self.space, &self.settings, self.initial.as_ref(), number, parents.len(), parent, is_known)
    }

    fn leader(&self, standing: Standing) -> Leader<'_, S::Architecture> {
        let id = standing.candidate;
        let scores = &self.scores[self.places(id)];
        Leader { id, architecture: &self.architectures[id], scores, aggregate: standing.score }
    }
}
