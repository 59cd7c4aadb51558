//! What a search under a budget would find among the networks of a benchmark, if it scored all that the budget allows.

use crate::benchmark::{Benchmark, contribution};
use aznas::proxy::{Proxy, ProxySet};
use rayon::prelude::*;

/// Networks that a budget has to leave to choose from.
const LEAST: usize = 10;

/// Mean accuracies over the budgets, which are what each network of the table costs. A search uses up most of its budget, so
/// it finds networks between nine tenths of it and all.
pub struct Found {
    /// Of the network that the set ranks best.
    pub chosen: f64,
    /// Of one drawn blindly.
    pub drawn: f64,
    /// Of the best there is.
    pub best: f64,
}

/// What a set finds under budgets of `size`. `None` if no budget leaves enough to choose from.
pub fn found(benchmark: &Benchmark, set: ProxySet, size: Proxy) -> Option<Found> {
    let sizes = benchmark.column(size);
    let under = |&budget: &f64| -> Option<[f64; 3]> {
        let is_allowed = |&network: &usize| sizes[network] <= budget && sizes[network] > 0.9 * budget;
        let networks: Vec<usize> = (0..sizes.len()).filter(is_allowed).collect();
        (networks.len() >= LEAST).then(|| choose(benchmark, set, &networks))
    };
    let found: Vec<[f64; 3]> = sizes.par_iter().filter_map(under).collect();
    let mean = |place: usize| found.iter().map(|accuracies| accuracies[place]).sum::<f64>() / found.len() as f64;
    (!found.is_empty()).then(|| Found { chosen: mean(0), drawn: mean(1), best: mean(2) })
}

/// The accuracies of what the set ranks best of some networks, of all of them in the mean, and of the best.
fn choose(benchmark: &Benchmark, set: ProxySet, networks: &[usize]) -> [f64; 3] {
    let mut sums = vec![0.0; networks.len()];
    for proxy in set.iter() {
        let column: Vec<f64> = networks.iter().map(|&network| benchmark.column(proxy)[network]).collect();
        sums.iter_mut().zip(contribution(&column)).for_each(|(sum, more)| *sum += more);
    }
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let accuracy = |place: usize| benchmark.accuracies[networks[place]];
    let mean = |places: &mut dyn Iterator<Item = usize>| {
        let (sum, count) = places.fold((0.0, 0), |(sum, count), place| (sum + accuracy(place), count + 1));
        sum / f64::from(count)
    };
    [
        // Which of several equal ones a search ends with is chance.
        mean(&mut (0..networks.len()).filter(|&place| sums[place] == most)),
        mean(&mut (0..networks.len())),
        (0..networks.len()).map(accuracy).fold(f64::NEG_INFINITY, f64::max),
    ]
}
