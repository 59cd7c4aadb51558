//! The choice of a set: the largest whose mean of Kendall's τ over the benchmarks is nearly the best.
//!
//! The best set itself is the one that fits these benchmarks: it has few proxies, and another few without one of the
//! benchmarks. What says nothing of most benchmarks costs little beside others, and may be all that ranks the next.

use crate::benchmark::Benchmark;
use aznas::proxy::ProxySet;
use rayon::prelude::*;
use std::cmp::Ordering;

/// Every set that may be chosen, with its τ on every benchmark.
pub struct Choice {
    sets: Vec<(ProxySet, Vec<f64>)>,
}

impl Choice {
    /// The most proxies to choose from: every set of them is judged.
    pub const MOST: usize = 16;

    /// Judges every set of the `candidates`, of which there are at most [`Self::MOST`].
    pub fn new(benchmarks: &[Benchmark], candidates: ProxySet) -> Self {
        let mut sets = vec![ProxySet::of(&[])];
        for proxy in candidates.iter() {
            let grown: Vec<ProxySet> = sets.iter().map(|set| set.with(proxy)).collect();
            sets.extend(grown);
        }
        sets.retain(|set| !set.is_empty());
        let judged = |set: ProxySet| (set, benchmarks.iter().map(|benchmark| benchmark.tau(set)).collect());
        Self { sets: sets.into_par_iter().map(judged).collect() }
    }

    /// The largest set whose mean is at most `tolerance` below that of the best, both of the benchmarks but the one at
    /// `left_out`. Of equally large ones the best.
    pub fn chosen(&self, left_out: Option<usize>, tolerance: f64) -> ProxySet {
        let best_first = self.best_first(left_out);
        let least = best_first[0].0 - tolerance;
        let near = best_first.iter().take_while(|(mean, _)| *mean >= least).map(|&(_, set)| set);
        // The first of the largest: `max_by_key` takes the last.
        near.reduce(|largest, set| if set.len() > largest.len() { set } else { largest })
            .expect("the best is near itself")
    }

    /// The best sets of all benchmarks, best first. Of equal ones the smaller.
    pub fn best(&self, count: usize) -> impl Iterator<Item = ProxySet> {
        self.best_first(None).into_iter().take(count).map(|(_, set)| set)
    }

    /// Every set with its mean.
    fn best_first(&self, left_out: Option<usize>) -> Vec<(f64, ProxySet)> {
        let mean = |taus: &[f64]| {
            let others = taus.iter().enumerate().filter(|&(place, _)| Some(place) != left_out).map(|(_, tau)| tau);
            others.sum::<f64>() / (taus.len() - usize::from(left_out.is_some())) as f64
        };
        let mut sets: Vec<_> = self.sets.iter().map(|(set, taus)| (mean(taus), *set)).collect();
        let order = |a: &(f64, ProxySet), b: &(f64, ProxySet)| -> Ordering {
            b.0.total_cmp(&a.0).then(a.1.len().cmp(&b.1.len()))
        };
        sets.sort_by(order);
        sets
    }
}
