//! The choice of contenders for a time to come, in steps small enough to be taken between arrivals.
//!
//! While it goes on candidates arrive and ranks grow. That does not matter: a doubled rank grows by at most 2 an arrival, so
//! what was read at any moment of the survey bounds what the rank can be until the contenders' time is over.

use alloc::vec;
use alloc::vec::Vec;

use super::{Contenders, Ranking};
use crate::aggregate::order::Order;

/// What is done next, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Read the ranks of a chunk of the order of a proxy.
    Rank {
        proxy: usize,
        chunk: usize,
    },
    /// Raise the threshold by some candidates from this one on.
    Raise {
        candidate: usize,
    },
    /// Choose the candidates from this one on that may pass the threshold.
    Choose {
        candidate: usize,
    },
    /// Begin to follow the arrivals with some of the chosen.
    Follow {
        chosen: usize,
    },
    Done,
}

/// Candidates of a step that looks at each of them.
const CANDIDATES: usize = 128;

/// Candidates of a step that counts their ranks.
const FOLLOWERS: usize = 4;

/// What steps cost, in nanoseconds or so, for every candidate that they look at.
const RANK_COST: usize = 4;
const CANDIDATE_COST: usize = 8;
const FOLLOWER_COST: usize = 1000;

#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// Candidates there were when it began. Who comes later is a contender anyway.
    candidates: usize,
    /// How many arrivals after its beginning the contenders' time is over.
    horizon: usize,
    next: Step,
    /// The doubled ranks by each proxy as they were read.
    doubled_ranks: Vec<Vec<u32>>,
    /// The highest of the scores that candidates will not fall below, somewhat more than there are leaders.
    floors: Vec<f64>,
    /// A score that as many candidates as there are leaders will not fall below.
    threshold: f64,
    chosen: Vec<u32>,
    pub(super) contenders: Contenders,
}

impl Survey {
    /// A survey without candidates; `contenders` are none, of as many proxies as there are.
    pub(super) fn new(contenders: Contenders) -> Self {
        Self {
            candidates: 0,
            horizon: 0,
            next: Step::Done,
            doubled_ranks: vec![Vec::new(); contenders.proxies()],
            floors: Vec::new(),
            threshold: f64::NEG_INFINITY,
            chosen: Vec::new(),
            contenders,
        }
    }

    /// Begins anew. The levels of all ranks within the horizon are known.
    pub(super) fn begin(&mut self, candidates: usize, horizon: usize) {
        self.candidates = candidates;
        self.horizon = horizon;
        self.next = Step::Rank { proxy: 0, chunk: 0 };
        self.doubled_ranks.iter_mut().for_each(|ranks| ranks.resize(candidates, 0));
        self.floors.clear();
        self.threshold = f64::NEG_INFINITY;
        self.chosen.clear();
        self.contenders.clear();
    }

    /// Candidates it chooses from.
    pub(super) fn candidates(&self) -> usize {
        self.candidates
    }

    /// Takes as many steps as it has to now, if it shall be over after as many more calls as there are `arrivals` left, this
    /// one included. `expected` is about how many will be chosen.
    pub(super) fn proceed(&mut self, ranking: &Ranking, leaders: usize, arrivals: usize, expected: usize) {
        let mut budget = self.remaining(ranking, expected).div_ceil(arrivals.max(1));
        while self.next != Step::Done && (budget > 0 || arrivals == 1) {
            budget = budget.saturating_sub(self.step(ranking, leaders));
        }
    }

    /// What is left to do costs about this.
    fn remaining(&self, ranking: &Ranking, expected: usize) -> usize {
        let ranks = |proxies: usize| proxies * self.candidates * RANK_COST;
        let looks = self.candidates * CANDIDATE_COST;
        match self.next {
            Step::Rank { proxy, chunk } => {
                let done = chunk * self.candidates / ranking.orders[proxy].chunks().max(1);
                ranks(self.doubled_ranks.len() - proxy) - done.min(self.candidates) * RANK_COST
                    + 2 * looks
                    + expected * FOLLOWER_COST
            }
            Step::Raise { candidate } => 2 * looks - candidate * CANDIDATE_COST + expected * FOLLOWER_COST,
            Step::Choose { candidate } => looks - candidate * CANDIDATE_COST + expected * FOLLOWER_COST,
            Step::Follow { chosen } => (self.chosen.len() - chosen) * FOLLOWER_COST,
            Step::Done => 0,
        }
    }

    /// Takes one step and tells what it costs.
    fn step(&mut self, ranking: &Ranking, leaders: usize) -> usize {
        match self.next {
            Step::Rank { proxy, chunk } if chunk < ranking.orders[proxy].chunks() => {
                ranking.orders[proxy].for_each_rank(chunk, |candidate, rank| {
                    if let Some(place) = self.doubled_ranks[proxy].get_mut(candidate) {
                        *place = rank;
                    }
                });
                // If this chunk is cut meanwhile, a half of it is read twice; none is missed.
                self.next = Step::Rank { proxy, chunk: chunk + 1 };
                Order::CHUNK * RANK_COST
            }
            Step::Rank { proxy, .. } => {
                let more = proxy + 1 < self.doubled_ranks.len();
                self.next = if more { Step::Rank { proxy: proxy + 1, chunk: 0 } } else { Step::Raise { candidate: 0 } };
                0
            }
            Step::Raise { candidate } if candidate < self.candidates => {
                let end = self.candidates.min(candidate + CANDIDATES);
                for candidate in candidate..end {
                    let floor = ranking.bound(self.ranks(candidate), self.horizon, f64::min);
                    if floor > self.threshold {
                        self.floors.push(floor);
                    }
                }
                if self.floors.len() / 2 >= leaders {
                    self.raise(leaders);
                }
                self.next = Step::Raise { candidate: end };
                CANDIDATES * CANDIDATE_COST
            }
            Step::Raise { .. } => {
                if self.candidates > leaders {
                    self.raise(leaders);
                    self.threshold -= ranking.rounding();
                } else {
                    self.threshold = f64::NEG_INFINITY;
                }
                self.next = Step::Choose { candidate: 0 };
                0
            }
            Step::Choose { candidate } if candidate < self.candidates => {
                let end = self.candidates.min(candidate + CANDIDATES);
                for candidate in candidate..end {
                    if ranking.bound(self.ranks(candidate), self.horizon, f64::max) >= self.threshold {
                        self.chosen.push(candidate as u32);
                    }
                }
                self.next = Step::Choose { candidate: end };
                CANDIDATES * CANDIDATE_COST
            }
            Step::Choose { .. } => {
                self.next = Step::Follow { chosen: 0 };
                0
            }
            Step::Follow { chosen } if chosen < self.chosen.len() => {
                let end = self.chosen.len().min(chosen + FOLLOWERS);
                for &candidate in &self.chosen[chosen..end] {
                    self.contenders.push(ranking, candidate);
                }
                self.next = Step::Follow { chosen: end };
                FOLLOWERS * FOLLOWER_COST
            }
            Step::Follow { .. } | Step::Done => {
                self.next = Step::Done;
                0
            }
        }
    }

    /// The doubled ranks of a candidate as they were read.
    fn ranks(&self, candidate: usize) -> impl Iterator<Item = u32> {
        self.doubled_ranks.iter().map(move |ranks| ranks[candidate])
    }

    /// Keeps as many floors as there are leaders, and raises the threshold to the lowest of them.
    fn raise(&mut self, leaders: usize) {
        if self.floors.len() >= leaders {
            self.threshold = *self.floors.select_nth_unstable_by(leaders - 1, |a, b| b.total_cmp(a)).1;
            self.floors.truncate(leaders);
        }
    }
}
