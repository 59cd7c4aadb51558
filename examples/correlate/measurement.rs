//! What exhibits need measured: which proxies at a time, and of how many rows, as their cost allows.

use crate::campaign::Case;
use crate::exhibit::Exhibit;
use crate::paper::Row;
use aznas::Options;
use aznas::proxy::Proxy::*;
use aznas::proxy::{Proxy, ProxySet};

/// How much of a table is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Every so many-th row by accuracy. What an exhibit shows of every fifteenth is among every third.
    pub every: usize,
    /// Under how many seeds.
    pub seeds: u64,
}

impl Sample {
    /// What both samples have.
    #[must_use]
    pub fn shared(self, other: Self) -> Self {
        Self { every: self.every.max(other.every), seeds: self.seeds.min(other.seeds) }
    }

    /// What has all of both samples.
    #[must_use]
    fn both(self, other: Self) -> Self {
        Self { every: self.every.min(other.every), seeds: self.seeds.max(other.seeds) }
    }

    /// Whether a row is of the sample, given its place by accuracy: the middle one of so many, so that the best and the worst
    /// count as often as they should. Odd samples that divide one another are parts of one another.
    pub const fn has(self, place: usize) -> bool {
        place % self.every == self.every / 2
    }
}

/// What is measured in one go.
pub struct Pass {
    pub proxies: ProxySet,
    /// As much as its cost allows.
    pub sample: Sample,
    /// The most images that its cost allows.
    pub batch: usize,
    /// About how long a cell takes: what the remaining time is estimated by until there is a better measure.
    milliseconds: f64,
}

/// Everything that is measured, what most exhibits need first. Gradients of whole networks take the fewest images.
const PASSES: [Pass; 9] = [
    pass(&[Expressivity, Progressivity, Trainability, Complexity], Sample { every: 1, seeds: 3 }, 64, 120.0),
    pass(&[Synflow], Sample { every: 1, seeds: 1 }, 64, 5.0),
    pass(&[Zico], Sample { every: 3, seeds: 1 }, 16, 90.0),
    pass(&[Naswot], Sample { every: 3, seeds: 1 }, 64, 60.0),
    pass(&[Zen], Sample { every: 3, seeds: 1 }, 64, 115.0),
    pass(&[GradSign], Sample { every: 3, seeds: 1 }, 16, 65.0),
    pass(&[GradNorm, Snip], Sample { every: 3, seeds: 1 }, 16, 45.0),
    pass(&[Grasp], Sample { every: 3, seeds: 1 }, 16, 260.0),
    pass(&[Ntk, LinearRegions], Sample { every: 3, seeds: 1 }, 16, 480.0),
];

const fn pass(proxies: &[Proxy], sample: Sample, batch: usize, milliseconds: f64) -> Pass {
    Pass { proxies: ProxySet::of(proxies), sample, batch, milliseconds }
}

/// The passes that some proxies take; none for what is counted.
pub fn passes(proxies: ProxySet) -> impl Iterator<Item = &'static Pass> {
    let measured = proxies.without(ProxySet::of(&[]).measured());
    PASSES.iter().filter(move |pass| pass.proxies.intersects(measured))
}

/// What a user changes of samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    pub every: Option<usize>,
    pub seeds: Option<u64>,
}

impl Wishes {
    /// The sample of a row: what the exhibit wants, what its passes allow, and what is wished for.
    pub fn sample(self, exhibit: &Exhibit, row: &Row) -> Sample {
        let allowed = passes(row.proxies).map(|pass| pass.sample).fold(exhibit.sample, Sample::shared);
        // What is only counted is the same under every seed.
        let seeds = if passes(row.proxies).next().is_none() { 1 } else { allowed.seeds };
        Sample { every: self.every.unwrap_or(allowed.every), seeds: self.seeds.unwrap_or(seeds) }
    }
}

/// A pass under some options.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Under the first seed.
    pub case: Case,
    pub sample: Sample,
    /// An estimate, for an architecture.
    pub milliseconds: f64,
}

/// The options of a pass for a row: at most the images that the pass allows, unless the row is about images.
pub fn options_of(pass: &Pass, row: &Row, options: Options) -> Options {
    let options = Options { batch: options.batch.min(pass.batch), proxies: pass.proxies.measured(), ..options };
    row.variant.of(options)
}

/// All that exhibits need, each once.
pub fn needed(exhibits: &[Exhibit], options: Options, wishes: Wishes) -> Vec<Measurement> {
    let mut needed: Vec<Measurement> = Vec::new();
    for pass in &PASSES {
        let rows = exhibits.iter().flat_map(|exhibit| exhibit.rows.iter().map(move |row| (exhibit, row)));
        for (exhibit, row) in rows.filter(|(_, row)| passes(row.proxies).any(|other| other.proxies == pass.proxies)) {
            let (options, sample) = (options_of(pass, row, options), wishes.sample(exhibit, row));
            if let Some(other) = needed.iter_mut().find(|other| other.case.options == options) {
                other.sample = other.sample.both(sample);
                continue;
            }
            let milliseconds = pass.milliseconds * options.batch as f64 / pass.batch as f64;
            let names = pass.proxies.iter().map(Proxy::symbol).collect::<Vec<_>>().join("+");
            let case = Case::of(options);
            let case = Case { label: format!("{names}, {}", case.label), ..case };
            needed.push(Measurement { case, sample, milliseconds });
        }
    }
    needed
}
