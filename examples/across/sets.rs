//! The choice of a set: that with the highest mean of Kendall's τ over benchmarks.

use crate::benchmark::Benchmark;
use aznas::proxy::ProxySet;
use rayon::prelude::*;

/// Every set that may be chosen, with its τ on every benchmark.
pub struct Choice {
    sets: Vec<(ProxySet, Vec<f64>)>,
}

impl Choice {
    /// Judges every set of at most `most` of the `candidates`.
    pub fn new(benchmarks: &[Benchmark], candidates: ProxySet, most: usize) -> Self {
        let mut sets = vec![ProxySet::of(&[])];
        for proxy in candidates.iter() {
            let grown: Vec<ProxySet> = sets.iter().filter(|set| set.len() < most).map(|set| set.with(proxy)).collect();
            sets.extend(grown);
        }
        sets.retain(|set| !set.is_empty());
        let judged = |set: ProxySet| (set, benchmarks.iter().map(|benchmark| benchmark.tau(set)).collect());
        Self { sets: sets.into_par_iter().map(judged).collect() }
    }

    /// The best sets, best first, by the mean over the benchmarks but the one at `left_out`. Of equal ones the smaller.
    pub fn best(&self, left_out: Option<usize>, count: usize) -> Vec<ProxySet> {
        let mean = |taus: &[f64]| {
            let others = taus.iter().enumerate().filter(|&(place, _)| Some(place) != left_out);
            others.map(|(_, tau)| tau).sum::<f64>()
        };
        let mut order: Vec<_> = self.sets.iter().map(|(set, taus)| (mean(taus), *set)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.len().cmp(&b.1.len())));
        order.into_iter().take(count).map(|(_, set)| set).collect()
    }
}
