//! A list of candidates that grows one by one and always knows its best ones.
//!
//! One new candidate changes nearly every rank, but each by a bounded amount: a doubled rank grows by 2, 1 or
//! 0. So for some time to come the final order of most of the list is settled beforehand: a candidate
//! whose score could not reach that of today's last leader, even if all its ranks grew as much as they can, will not
//! be among the leaders. Only the others, the *contenders*, follow every arrival. Who will be a contender
//! next is found out meanwhile, by a [`Survey`] that takes a few steps with every arrival, so that none of them takes long.
//! No approximation is involved: ranks are counted exactly, and scores are formed from them by the
//! same operations in the same order as in [`aggregate`](super::aggregate()).

mod survey;

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use self::survey::Survey;
use super::order::Order;
use super::rank::{Key, MAX_CANDIDATES};
use super::{Mode, check_weights};
use crate::Error;

/// A candidate of a [`History`] and its score among the candidates of this moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The candidate's number: how many were pushed before it.
    pub candidate: usize,
    /// The aggregate of its ranks.
    pub score: f64,
}

impl Standing {
    /// Better scores first, earlier candidates first among equal ones.
    fn cmp_best_first(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.candidate.cmp(&other.candidate))
    }
}

/// The raw scores of all candidates so far, kept so that the best few are known after each arrival.
///
/// Adding a candidate to 10⁵ others and asking for the 1023 best takes tens of microseconds (`benches/aggregate.rs`), and
/// less than a millisecond even at worst, but for the few additions at which a buffer doubles and may have to be copied.
/// Memory is about 160 bytes per candidate with four proxies.
#[derive(Clone, Debug)]
pub struct History {
    ranking: Ranking,
    leaders: usize,
    contenders: Contenders,
    /// Finds the next contenders.
    survey: Survey,
    /// The length of the history when that has to be done.
    deadline: usize,
    /// How many arrivals the survey after that may take.
    next_duration: usize,
}

/// All candidates, and what their ranks are worth.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    /// How many candidates there are.
    len: usize,
    weights: Vec<f64>,
    mode: Mode,
    /// Every candidate's scores by each proxy, as keys.
    keys: Vec<Vec<Key>>,
    pub(super) orders: Vec<Order>,
    /// [`Mode::level`] of every doubled rank that can occur before the next contenders are past their time.
    levels: Vec<f64>,
}

/// Candidates whose ranks are kept up to date, in the order of their numbers.
#[derive(Clone, Debug)]
pub(super) struct Contenders {
    candidates: Vec<u32>,
    /// By each proxy.
    keys: Vec<Vec<Key>>,
    doubled_ranks: Vec<Vec<u32>>,
}

impl Contenders {
    fn of_proxies(proxies: usize) -> Self {
        Self { candidates: Vec::new(), keys: vec![Vec::new(); proxies], doubled_ranks: vec![Vec::new(); proxies] }
    }

    /// How many proxies they are ranked by.
    pub(super) fn proxies(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.keys.iter_mut().for_each(Vec::clear);
        self.doubled_ranks.iter_mut().for_each(Vec::clear);
    }

    /// Adds a candidate of the history with its ranks of this moment.
    pub(super) fn push(&mut self, ranking: &Ranking, candidate: u32) {
        self.candidates.push(candidate);
        for (proxy, (keys, ranks)) in self.keys.iter_mut().zip(&mut self.doubled_ranks).enumerate() {
            let key = ranking.keys[proxy][candidate as usize];
            keys.push(key);
            ranks.push(ranking.orders[proxy].doubled_rank(key));
        }
    }

    /// Adds those of others from one on.
    fn extend(&mut self, others: &Self, first: usize) {
        self.candidates.extend_from_slice(&others.candidates[first..]);
        self.keys.iter_mut().zip(&others.keys).for_each(|(own, other)| own.extend_from_slice(&other[first..]));
        let ranks = self.doubled_ranks.iter_mut().zip(&others.doubled_ranks);
        ranks.for_each(|(own, other)| own.extend_from_slice(&other[first..]));
    }

    /// Takes account of one more candidate of the history.
    fn meet(&mut self, ranking: &Ranking, candidate: usize) {
        for (proxy, (keys, ranks)) in self.keys.iter().zip(&mut self.doubled_ranks).enumerate() {
            let arrival = ranking.keys[proxy][candidate];
            for (rank, own) in ranks.iter_mut().zip(keys) {
                *rank += u32::from(arrival < *own) + u32::from(arrival <= *own);
            }
        }
    }
}

impl Ranking {
    fn insert(&mut self, scores: &[f64]) {
        let candidate = self.len as u32;
        self.len += 1;
        for ((keys, order), &score) in self.keys.iter_mut().zip(&mut self.orders).zip(scores) {
            let key = Key::new(score);
            keys.push(key);
            order.insert(key, candidate);
        }
    }

    /// Makes sure that ranks have levels in a history of up to `len` candidates.
    fn reach(&mut self, len: usize) {
        let mode = self.mode;
        self.levels.extend((self.levels.len()..=2 * len).map(|rank| mode.level(rank)));
    }

    /// What a rank by one proxy contributes.
    fn contribution(&self, weight: f64, doubled_rank: u32) -> f64 {
        weight * self.mode.relative(self.levels[doubled_rank as usize], self.levels[2 * self.len])
    }

    /// The least or the greatest sum of levels, not yet related to the history's length, that a candidate can have
    /// until `arrivals` more have come.
    pub(super) fn bound(
        &self,
        doubled_ranks: impl Iterator<Item = u32>,
        arrivals: usize,
        pick: fn(f64, f64) -> f64,
    ) -> f64 {
        let highest = self.levels.len() - 1;
        let level_sum = |(weight, rank): (&f64, u32)| {
            let now = rank as usize;
            pick(weight * self.levels[now], weight * self.levels[highest.min(now + 2 * arrivals)])
        };
        self.weights.iter().zip(doubled_ranks).map(level_sum).sum()
    }

    /// More than relating levels to the length can round a sum of levels, and far less than a rank is worth.
    pub(super) fn rounding(&self) -> f64 {
        let weight: f64 = self.weights.iter().map(|weight| weight.abs()).sum();
        1e-12 * weight * self.levels[self.levels.len() - 1]
    }
}

impl History {
    /// The fewest arrivals a survey takes.
    const SHORTEST: usize = 16;

    /// An empty history. `weights` holds one finite factor per proxy, 0 for a proxy to be left out;
    /// `leaders`, at least 1, is how many of the best are ever asked for.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no weights, one is not finite or there are no leaders.
    pub fn new(weights: &[f64], mode: Mode, leaders: usize) -> Result<Self, Error> {
        check_weights(weights)?;
        if weights.is_empty() {
            return Err(Error::Invalid { field: "weights", expected: "one per proxy, of at least one" });
        }
        if leaders == 0 {
            return Err(Error::Invalid { field: "leaders", expected: "at least 1" });
        }
        let proxies = weights.len();
        let ranking = Ranking {
            len: 0,
            weights: weights.to_vec(),
            mode,
            keys: vec![Vec::new(); proxies],
            orders: vec![Order::default(); proxies],
            levels: Vec::new(),
        };
        let mut history = Self {
            ranking,
            leaders,
            contenders: Contenders::of_proxies(proxies),
            survey: Survey::new(Contenders::of_proxies(proxies)),
            deadline: 0,
            next_duration: Self::SHORTEST,
        };
        history.change_contenders();
        Ok(history)
    }

    /// How many candidates there are.
    pub fn len(&self) -> usize {
        self.ranking.len
    }

    /// Whether there is no candidate yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a candidate by its raw scores, one per proxy; NaN counts as −∞. Its number is the length before.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are not as many scores as proxies, [`Error::TooLarge`] if there are
    /// [`MAX_CANDIDATES`] already.
    pub fn push(&mut self, scores: &[f64]) -> Result<(), Error> {
        let candidate = self.len();
        if scores.len() != self.ranking.weights.len() {
            return Err(Error::Invalid { field: "scores", expected: "one per proxy" });
        }
        if candidate == MAX_CANDIDATES {
            return Err(Error::TooLarge { quantity: "candidates", limit: MAX_CANDIDATES });
        }
        self.ranking.insert(scores);
        self.contenders.meet(&self.ranking, candidate);
        self.survey.contenders.meet(&self.ranking, candidate);
        self.contenders.push(&self.ranking, candidate as u32);
        let arrivals = self.deadline - candidate;
        self.survey.proceed(&self.ranking, self.leaders, arrivals, self.contenders.candidates.len());
        if self.len() == self.deadline {
            self.change_contenders();
        }
        Ok(())
    }

    /// The best `count` candidates in the order of their numbers; at most as many as there are leaders. Where scores are
    /// equal, earlier candidates are the better ones.
    pub fn leaders(&self, count: usize) -> Vec<Standing> {
        let mut standings = self.standings();
        let count = count.min(self.leaders);
        if count < standings.len() {
            let first_beaten = *standings.clone().select_nth_unstable_by(count, Standing::cmp_best_first).1;
            standings.retain(|standing| standing.cmp_best_first(&first_beaten).is_lt());
        }
        standings
    }

    /// The [`leaders`](Self::leaders), best first.
    pub fn top(&self, count: usize) -> Vec<Standing> {
        let mut leaders = self.leaders(count);
        leaders.sort_unstable_by(Standing::cmp_best_first);
        leaders
    }

    /// The best candidate, the earliest of them if several are equal; `None` if there is none.
    pub fn best(&self) -> Option<Standing> {
        self.standings().into_iter().min_by(Standing::cmp_best_first)
    }

    /// The score of any candidate. Unlike the leaders' scores it is counted anew, in time that grows slowly
    /// with the history.
    pub fn score(&self, candidate: usize) -> Option<f64> {
        let mut score = 0.0;
        for (proxy, &weight) in self.ranking.weights.iter().enumerate() {
            let &key = self.ranking.keys[proxy].get(candidate)?;
            score += self.ranking.contribution(weight, self.ranking.orders[proxy].doubled_rank(key));
        }
        Some(score)
    }

    /// The contenders' scores in the order of their numbers; all leaders are among them.
    fn standings(&self) -> Vec<Standing> {
        let unscored = |&candidate: &u32| Standing { candidate: candidate as usize, score: 0.0 };
        let mut standings: Vec<Standing> = self.contenders.candidates.iter().map(unscored).collect();
        for (&weight, ranks) in self.ranking.weights.iter().zip(&self.contenders.doubled_ranks) {
            for (standing, &rank) in standings.iter_mut().zip(ranks) {
                standing.score += self.ranking.contribution(weight, rank);
            }
        }
        standings
    }

    /// Puts the contenders of a survey that is over in place of the present ones, and begins another.
    fn change_contenders(&mut self) {
        let surveyed = |&candidate: &u32| (candidate as usize) < self.survey.candidates();
        let arrivals = self.contenders.candidates.partition_point(surveyed);
        self.survey.contenders.extend(&self.contenders, arrivals);
        core::mem::swap(&mut self.contenders, &mut self.survey.contenders);

        // These are good until the survey that begins now is over, and the next ones until that after it is.
        let duration = self.next_duration;
        self.next_duration = self.balanced_duration();
        let horizon = duration + self.next_duration;
        self.deadline = self.len() + duration;
        self.ranking.reach(self.len() + horizon);
        self.survey.begin(self.len(), horizon);
    }

    /// A long survey leaves more contenders to follow than are needed; a short one does more work at each arrival. The
    /// superfluous contenders grow with the duration. Both costs are equal if `superfluous · duration = 4 · candidates`. The
    /// choice affects time only.
    fn balanced_duration(&self) -> usize {
        let superfluous = self.contenders.candidates.len().saturating_sub(self.leaders).max(1);
        let balanced = (4 * self.len() as u64 * self.next_duration as u64 / superfluous as u64).isqrt() as usize;
        balanced.clamp(Self::SHORTEST, Self::SHORTEST + self.len() / 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::aggregate;
    use crate::base::rng;
    use proptest::prelude::*;
    use std::vec;

    /// The scores of all candidates, ranked from scratch.
    fn plain<const PROXIES: usize>(rows: &[[f64; PROXIES]], weights: &[f64], mode: Mode) -> Vec<f64> {
        let columns: [Vec<f64>; PROXIES] = core::array::from_fn(|proxy| rows.iter().map(|row| row[proxy]).collect());
        let mut out = vec![0.0; rows.len()];
        let mut scratch = vec![0; rows.len()];
        aggregate(&columns.each_ref().map(Vec::as_slice), weights, mode, &mut out, &mut scratch).unwrap();
        out
    }

    /// Compares everything a history knows with ranks from scratch, bit by bit.
    fn check<const PROXIES: usize>(history: &History, rows: &[[f64; PROXIES]]) {
        let scores = plain(rows, &history.ranking.weights, history.ranking.mode);
        let mut expected: Vec<Standing> =
            scores.iter().enumerate().map(|(candidate, &score)| Standing { candidate, score }).collect();
        expected.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap());
        expected.truncate(history.leaders);
        assert_eq!(history.top(usize::MAX), expected);
        assert_eq!(history.best().as_ref(), expected.first());
        let half = expected.len() / 2;
        assert_eq!(history.top(half), expected[..half]);
        let mut leaders = expected[..half].to_vec();
        leaders.sort_by_key(|standing| standing.candidate);
        assert_eq!(history.leaders(half), leaders);
        let somewhere = rows.len() * 2 / 3;
        assert_eq!(history.score(somewhere), Some(scores[somewhere]));
    }

    /// Scores of every awkward kind: many ties, zeros of both signs, −∞ and NaN.
    fn awkward_score() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (0..12i32).prop_map(f64::from),
            4 => -1.0..1.0f64,
            1 => prop::sample::select(&[0.0, -0.0, f64::NAN, f64::NEG_INFINITY][..]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn equals_ranking_from_scratch_after_every_arrival(
            rows in prop::collection::vec(prop::array::uniform4(awkward_score()), 1..150),
            weights in prop::array::uniform4(prop::sample::select(&[1.0, 0.0, 0.3, 2.0, -1.0][..])),
            leaders in 1usize..20,
            linear in any::<bool>(),
        ) {
            let mode = if linear { Mode::Linear } else { Mode::Log };
            let mut history = History::new(&weights, mode, leaders).unwrap();
            for end in 1..=rows.len() {
                history.push(&rows[end - 1]).unwrap();
                check(&history, &rows[..end]);
            }
        }
    }

    #[test]
    fn a_long_history_equals_ranking_from_scratch() {
        let mut rng = rng::generator(3);
        let mut history = History::new(&[1.0; 3], Mode::Log, 50).unwrap();
        let mut rows = Vec::new();
        for end in 1..=4000usize {
            // One proxy drifts upwards as in a search, one opposes it, one has few values.
            let x = rng::below(&mut rng, 1000) as f64 + end as f64;
            let row = [x, -x + rng::below(&mut rng, 1000) as f64, rng::below(&mut rng, 28) as f64];
            rows.push(row);
            history.push(&row).unwrap();
            if end % 97 == 0 {
                check(&history, &rows);
            }
        }
        assert!((0..rows.len()).step_by(191).all(|i| history.score(i).is_some()));
        assert_eq!(history.score(rows.len()), None);
    }

    #[test]
    fn few_candidates_follow_every_arrival() {
        type Draw = fn(f64, f64) -> [f64; 4];
        let cases: [(&str, Draw); 3] = [
            ("independent proxies", |a, b| [a, b, a * b % 1013.0, (a + b) % 1009.0]),
            ("agreeing proxies", |a, b| [a, a + b / 10.0, a, a - b / 10.0]),
            ("opposed proxies, most candidates nearly the best", |a, b| [a, -a, b, -b]),
        ];
        for (name, draw) in cases {
            let mut rng = rng::generator(5);
            let mut uniform = || rng::below(&mut rng, 1 << 40) as f64;
            let mut history = History::new(&[1.0; 4], Mode::Log, 200).unwrap();
            let (mut contenders, mut surveys) = (0, 0);
            for candidate in 0..20_000 {
                history.push(&draw(uniform(), uniform())).unwrap();
                if candidate >= 10_000 {
                    contenders += history.contenders.candidates.len();
                    surveys += usize::from(history.survey.candidates() == history.len());
                }
            }
            assert!(contenders < 10_000 * 1200, "{name}: {} contenders on average", contenders / 10_000);
            assert!(surveys < 10_000 / 50, "{name}: {surveys} surveys");
        }
    }

    #[test]
    fn a_row_has_a_score_for_each_proxy() {
        let mut history = History::new(&[1.0; 3], Mode::Log, 5).unwrap();
        for len in [0, 2, 4] {
            let refused = history.push(&vec![1.0; len]);
            assert!(matches!(refused, Err(Error::Invalid { field: "scores", .. })), "{len}: {refused:?}");
        }
        assert!(history.is_empty());
        let refused = History::new(&[], Mode::Log, 5).err();
        assert!(matches!(refused, Some(Error::Invalid { field: "weights", .. })), "{refused:?}");
    }

    #[test]
    fn an_empty_history_has_no_best() {
        let empty = History::new(&[1.0; 4], Mode::Log, 5).unwrap();
        assert!(empty.is_empty());
        assert_eq!((empty.best(), empty.top(3), empty.leaders(3), empty.score(0)), (None, vec![], vec![], None));
    }

    #[test]
    fn refuses_useless_settings() {
        for (weight, leaders, wrong) in [(f64::NAN, 1, "weights"), (f64::INFINITY, 1, "weights"), (1.0, 0, "leaders")] {
            let refused = History::new(&[weight], Mode::Log, leaders).err();
            assert!(matches!(refused, Some(Error::Invalid { field, .. }) if field == wrong), "{refused:?}");
        }
    }
}
