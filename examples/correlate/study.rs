//! Which ranking predicts trained accuracy how well.

use crate::statistics::{discounted_gain, doubled_ranks, kendall, kendall_at_equal_size, spearman};
use crate::table::Table;
use aznas::aggregate::{Mode, aggregate};
use aznas::base::rng::{below, generator};
use aznas::proxy::{Proxy, ProxySet};

/// The rows with an accuracy in one column of the table.
pub struct Truth {
    pub name: String,
    pub rows: Vec<usize>,
    /// The accuracies of those rows.
    pub values: Vec<f64>,
    ranks: Vec<u32>,
}

impl Truth {
    /// The truth in each accuracy column.
    pub fn of(table: &Table) -> Vec<Self> {
        let truth = |(name, values): (&String, &Vec<f64>)| {
            let rows: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
            let values: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            Self { name: name.clone(), ranks: doubled_ranks(&values), rows, values }
        };
        table.columns.iter().zip(&table.truths).map(truth).collect()
    }

    /// The ranks of a prediction among the rows of this truth.
    pub fn predicted(&self, prediction: &[f64]) -> Vec<u32> {
        doubled_ranks(&self.rows.iter().map(|&row| prediction[row]).collect::<Vec<_>>())
    }

    /// The true ranks.
    pub fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// Kendall's τ of a prediction of every row of the table.
    pub fn kendall(&self, prediction: &[f64]) -> Option<f64> {
        kendall(&self.predicted(prediction), &self.ranks)
    }

    /// Everything that is reported of a prediction, by the names of [`MEASURES`]; `columns` in the order of [`Proxy::ALL`].
    pub fn measures(&self, prediction: &[f64], columns: &[Vec<f64>]) -> [Option<f64>; MEASURES.len()] {
        let predicted = self.predicted(prediction);
        let at_equal = |size: Proxy| {
            let sizes: Vec<f64> = self.rows.iter().map(|&row| columns[size as usize][row]).collect();
            kendall_at_equal_size(&predicted, &self.ranks, &sizes)
        };
        [
            kendall(&predicted, &self.ranks),
            spearman(&predicted, &self.ranks),
            discounted_gain(&predicted, &self.ranks, 10),
            discounted_gain(&predicted, &self.ranks, 100),
            at_equal(Proxy::Flops),
            at_equal(Proxy::Params),
        ]
    }

    /// Of a row, by its place among those with an accuracy: the percentage of the others that it truly beats, ties half.
    pub fn percentile(&self, place: usize) -> f64 {
        let beaten = f64::from(self.ranks[place]) / 2.0 - 1.0;
        100.0 * beaten / (self.ranks.len() as f64 - 1.0).max(1.0)
    }

    /// The same rows without those that have no value in `other`.
    pub fn shared(&self, other: &Self) -> Self {
        let shared = self.rows.iter().zip(&self.values).filter(|(row, _)| other.rows.binary_search(row).is_ok());
        let (rows, values): (Vec<usize>, Vec<f64>) = shared.map(|(&row, &value)| (row, value)).unzip();
        Self { name: self.name.clone(), ranks: doubled_ranks(&values), rows, values }
    }
}

/// The names of [`Truth::measures`].
pub const MEASURES: [&str; 6] =
    ["Kendall tau", "Spearman rho", "nDCG@10", "nDCG@100", "tau at equal multiply-adds", "tau at equal params"];

/// The name of a mode in tables.
pub const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Log => "log",
        Mode::Linear => "linear",
    }
}

/// The symbols of a set's proxies, as in `E+P+T+C`.
pub fn symbols(set: ProxySet) -> String {
    set.iter().map(Proxy::symbol).collect::<Vec<_>>().join("+")
}

/// Aggregates columns that are in the order of [`Proxy::ALL`].
pub fn aggregated(columns: &[Vec<f64>], set: ProxySet, mode: Mode) -> Vec<f64> {
    let chosen: Vec<&[f64]> = set.iter().map(|proxy| columns[proxy as usize].as_slice()).collect();
    combined(&chosen, mode)
}

/// Aggregates columns with weight 1 each.
pub fn combined(columns: &[&[f64]], mode: Mode) -> Vec<f64> {
    let rows = columns[0].len();
    let (mut out, mut scratch) = (vec![0.0; rows], vec![0; rows]);
    aggregate(columns, &vec![1.0; columns.len()], mode, &mut out, &mut scratch).expect("columns of one length");
    out
}

/// The most proxies of which every subset is looked at: 255 subsets.
pub const MOST_PROXIES: usize = 8;

/// The subsets that an ablation shows, the smaller first: all but the empty one; of more than [`MOST_PROXIES`] each proxy
/// alone, all but each, and all.
pub fn subsets(set: ProxySet) -> Vec<ProxySet> {
    let single = |proxy| ProxySet::of(&[proxy]);
    let mut subsets: Vec<ProxySet> = if set.len() <= MOST_PROXIES {
        let grown = |subsets: Vec<ProxySet>, proxy: Proxy| {
            let with: Vec<ProxySet> = subsets.iter().map(|subset| subset.with(proxy)).collect();
            [subsets, with].concat()
        };
        set.iter().fold(vec![ProxySet::of(&[])], grown).split_off(1)
    } else {
        let singles = set.iter().map(single);
        singles.chain(set.iter().map(|proxy| set.without(single(proxy)))).chain([set]).collect()
    };
    subsets.sort_by_key(|subset| (subset.len(), subset.bits()));
    subsets
}

/// The subset of highest `tau`, the smaller of equals: of all of them; of more than [`MOST_PROXIES`] proxies the best that is
/// met by beginning with none and adding the proxy that helps most, for as long as one does.
pub fn best_subset(set: ProxySet, tau: impl Fn(ProxySet) -> Option<f64>) -> Option<(ProxySet, f64)> {
    let best = |candidates: Vec<ProxySet>| -> Option<(ProxySet, f64)> {
        let mut best: Option<(ProxySet, f64)> = None;
        for candidate in candidates {
            let tau = tau(candidate)?;
            if best.is_none_or(|(_, most)| tau > most) {
                best = Some((candidate, tau));
            }
        }
        best
    };
    if set.len() <= MOST_PROXIES {
        return best(subsets(set));
    }
    let mut found = best(set.iter().map(|proxy| ProxySet::of(&[proxy])).collect())?;
    loop {
        let rest = set.without(found.0);
        let more = rest.iter().map(|proxy| found.0.with(proxy)).collect::<Vec<_>>();
        if more.is_empty() {
            return Some(found);
        }
        match best(more)? {
            better if better.1 > found.1 => found = better,
            _ => return Some(found),
        }
    }
}

/// A ranking that is reported.
pub enum Predictor {
    Single(Proxy),
    Aggregate(&'static str, ProxySet, Mode),
}

impl Predictor {
    /// Every known proxy, and both aggregates of the paper's set, the extended set and `chosen` if it is another.
    pub fn all(known: ProxySet, chosen: ProxySet) -> Vec<Self> {
        let mut sets = vec![("paper", ProxySet::PAPER), ("extended", ProxySet::EXTENDED)];
        if sets.iter().all(|&(_, set)| set != chosen) && chosen.len() > 1 {
            sets.push(("chosen", chosen));
        }
        let aggregates = sets
            .into_iter()
            .flat_map(|(name, set)| [Mode::Log, Mode::Linear].map(|mode| Self::Aggregate(name, set, mode)));
        known.iter().map(Self::Single).chain(aggregates).collect()
    }

    /// Its proxies and how they are combined.
    pub fn parts(&self) -> (ProxySet, Mode) {
        match *self {
            Self::Single(proxy) => (ProxySet::of(&[proxy]), Mode::Log),
            Self::Aggregate(_, set, mode) => (set, mode),
        }
    }

    /// Its name in tables.
    pub fn name(&self) -> String {
        match *self {
            Self::Single(proxy) => format!("{} ({})", proxy.name(), proxy.symbol()),
            Self::Aggregate(name, set, mode) => format!("{name}: {}, {}", symbols(set), mode_name(mode)),
        }
    }

    /// What it predicts for every row.
    pub fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        match *self {
            Self::Single(proxy) => columns[proxy as usize].clone(),
            Self::Aggregate(_, set, mode) => aggregated(columns, set, mode),
        }
    }
}

/// The rows of the architectures that are predicted best, the first of the best where several tie. An architecture that is in
/// several rows takes one place.
pub fn best_architectures(table: &Table, prediction: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..prediction.len()).collect();
    order.sort_by(|&a, &b| prediction[b].total_cmp(&prediction[a]).then(a.cmp(&b)));
    let mut seen = Vec::new();
    order.retain(|&row| {
        let is_new = seen.len() < count && !seen.contains(&table.rows[row]);
        if is_new {
            seen.push(table.rows[row]);
        }
        is_new
    });
    order
}

/// Cells drawn for a selection, and how often that is repeated: the paper's.
pub const DRAWN: usize = 3000;
pub const RUNS: u64 = 5;

/// The true values of the rows selected in each run, and the best that was drawn: [`DRAWN`] rows with replacement,
/// ranked among themselves, the first of the best taken.
pub fn selection(predictor: &Predictor, columns: &[Vec<f64>], truth: &Truth, seed: u64) -> (Vec<f64>, Vec<f64>) {
    runs(truth, seed, |drawn| {
        let drawn = |column: &Vec<f64>| drawn.iter().map(|&place| column[truth.rows[place]]).collect();
        predictor.predict(&columns.iter().map(drawn).collect::<Vec<_>>())
    })
}

/// The same of predictions that do not depend on who is ranked with whom.
pub fn picked(prediction: &[f64], truth: &Truth, seed: u64) -> Vec<f64> {
    runs(truth, seed, |drawn| drawn.iter().map(|&place| prediction[truth.rows[place]]).collect()).0
}

/// Draws places among the rows of `truth`, and takes the best by what is predicted of them.
fn runs(truth: &Truth, seed: u64, predict: impl Fn(&[usize]) -> Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let run = |run: u64| {
        let mut rng = generator(seed.wrapping_mul(RUNS).wrapping_add(run));
        let drawn: Vec<usize> = (0..DRAWN).map(|_| below(&mut rng, truth.rows.len() as u64) as usize).collect();
        let prediction = predict(&drawn);
        let mut best = 0;
        (1..DRAWN).for_each(|i| best = if prediction[i] > prediction[best] { i } else { best });
        let oracle = drawn.iter().map(|&place| truth.values[place]).fold(f64::NEG_INFINITY, f64::max);
        (truth.values[drawn[best]], oracle)
    };
    (0..RUNS).map(run).unzip()
}
