//! What a search can be told to do, and the choices the method was published with.

use super::Budget;
use crate::Error;
use crate::aggregate::{MAX_CANDIDATES, Mode};
use crate::proxy::{Proxy, ProxySet};

/// How the first candidates come about. A space without an initial structure gives independent samples instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// The first candidate is the initial structure itself.
    Initial,
    /// The first so many candidates are the initial structure with one replacement each.
    Mutants(usize),
    /// The first so many candidates are independent samples of the space: random search if that is all of them.
    Samples(usize),
}

impl Warmup {
    /// How many candidates are made this way.
    pub(super) fn candidates(self) -> usize {
        match self {
            Self::Initial => 1,
            Self::Mutants(count) | Self::Samples(count) => count,
        }
    }
}

/// What becomes of a candidate that equals an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// It is scored again and enters the history again.
    Keep,
    /// It enters the history again with the earlier scores and is not handed out; it counts as an iteration.
    Reuse,
    /// It is proposed anew, so that the best candidates, who may become parents, differ from each other. Where 100
    /// proposals came up before, the next may have too, and becomes what `Reuse` makes of it.
    Skip,
}

/// What candidates are ranked by, of the score of one proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Goal {
    /// The score: the higher, the better.
    #[default]
    High,
    /// How close it comes to a value, `−|score − value|`, as in Table 10 of the paper.
    Near(f64),
    /// The score up to a value, `min(score, value)`: more is no better, so that it does not cost what other proxies could gain.
    Enough(f64),
}

impl Goal {
    /// What a candidate with this score is ranked by, higher being better.
    pub fn objective(self, score: f64) -> f64 {
        match self {
            Self::High => score,
            Self::Near(value) => -(score - value).abs(),
            // What is not a number stays so.
            Self::Enough(value) if score > value => value,
            Self::Enough(_) => score,
        }
    }

    /// The value it is about.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::High => None,
            Self::Near(value) | Self::Enough(value) => Some(value),
        }
    }
}

/// What to search for, and how. Start from [`program`](Self::program), [`paper`](Self::paper) or
/// [`random`](Self::random) and change what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How many candidates enter the history. Rejected proposals do not count.
    pub iterations: usize,
    /// Decides, with a candidate's number, every random choice made for that candidate.
    pub seed: u64,
    /// How many candidates may be out to be scored at a time. More than one changes the search, see
    /// [`Search`](super::Search).
    pub workers: usize,
    /// How the first candidates come about.
    pub warmup: Warmup,
    /// How many of the best candidates of the history may become parents, all with the same chance.
    pub parents: usize,
    /// How many replacements a mutation makes.
    pub replacements: usize,
    /// What becomes of a candidate that equals an earlier one.
    pub duplicates: Duplicates,
    /// What a candidate may cost.
    pub budget: Budget,
    /// The proxies that candidates are ranked by.
    pub proxies: ProxySet,
    /// The weight of each proxy by its number, of which those of `proxies` matter; 0 leaves a proxy out.
    pub weights: [f64; Proxy::COUNT],
    /// What is asked of each proxy by its number. Values are finite, and of `proxies` only.
    pub goals: [Goal; Proxy::COUNT],
    /// How the ranks of the proxies are combined.
    pub mode: Mode,
    /// After how many proposals outside the budget a search gives up finding a candidate.
    pub max_proposals: usize,
}

impl Settings {
    /// What the authors' program does, for all published MobileNetV2 results: 11 mutants of the initial structure,
    /// then two replacements in one of the 1023 best (its population of 1024 less one) out of 10⁵ candidates.
    pub fn program() -> Self {
        Self {
            iterations: 100_000,
            seed: 123,
            workers: 1,
            warmup: Warmup::Mutants(11),
            parents: 1023,
            replacements: 2,
            duplicates: Duplicates::Keep,
            budget: Budget::default(),
            proxies: ProxySet::default(),
            weights: [1.0; Proxy::COUNT],
            goals: [Goal::High; Proxy::COUNT],
            mode: Mode::Log,
            max_proposals: 100_000,
        }
    }

    /// What the paper's Algorithm 1 says: the initial structure first, then one replacement in one of the 1024 best.
    pub fn paper() -> Self {
        Self { warmup: Warmup::Initial, parents: 1024, replacements: 1, ..Self::program() }
    }

    /// Random search: 3000 independent samples, as published for NAS-Bench-201.
    pub fn random() -> Self {
        Self { iterations: 3000, warmup: Warmup::Samples(usize::MAX), ..Self::program() }
    }

    /// What candidates with this score of a proxy are ranked by, higher being better.
    pub fn objective(&self, proxy: Proxy, score: f64) -> f64 {
        self.goals[proxy as usize].objective(score)
    }

    /// Whether a candidate is the child of an earlier one, where there is any.
    pub fn has_parents(&self, number: usize) -> bool {
        number >= self.warmup.candidates()
    }

    /// Refuses what no search can be run with. The weights are checked by the history.
    pub fn check(&self) -> Result<(), Error> {
        if self.iterations > MAX_CANDIDATES {
            return Err(Error::TooLarge { quantity: "iterations", limit: MAX_CANDIDATES });
        }
        if self.proxies.is_empty() {
            return Err(Error::Invalid { field: "proxies", expected: "at least one" });
        }
        for proxy in Proxy::ALL {
            let value = self.goals[proxy as usize].value();
            if value.is_some_and(|value| !value.is_finite() || !self.proxies.contains(proxy)) {
                return Err(Error::Invalid { field: "goals", expected: "finite, of proxies that rank" });
            }
        }
        for (field, count) in [
            ("iterations", self.iterations),
            ("workers", self.workers),
            ("parents", self.parents),
            ("max_proposals", self.max_proposals),
        ] {
            if count == 0 {
                return Err(Error::Invalid { field, expected: "at least 1" });
            }
        }
        Ok(())
    }
}
