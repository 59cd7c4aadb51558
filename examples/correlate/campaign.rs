//! Scoring every architecture of a table under a setting, unless that is done already.

use crate::common::failure::{Result, quoted};
use crate::common::progress::progress_bar;
use crate::common::refusal;
use crate::common::scoring::Scorer;
use crate::common::side_by_side;
use crate::named::Networks;
use crate::scored::{Record, Scored, measurable};
use crate::table::Table;
use aznas::graph::peak_activation;
use aznas::proxy::{Proxy, ProxySet};
use aznas::spaces::nb201::{Cell, Equivalence};
use aznas::tensor::Random;
use aznas::{Options, Scores, Workspace};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// One way to score, under one seed.
#[derive(Clone, Debug)]
pub struct Case {
    pub options: Options,
    /// What the case is called in the report.
    pub label: String,
}

impl Case {
    /// Options, called after what most often differs.
    pub fn of(options: Options) -> Self {
        let Options { batch, initialisation, sigma, .. } = options;
        Self { options, label: format!("batch {batch}, {}, {} sigma", initialisation.name(), sigma.name()) }
    }

    /// The same, so many seeds later.
    pub fn after(&self, seeds: u64) -> Self {
        Self { options: Options { seed: self.options.seed.wrapping_add(seeds), ..self.options }, ..self.clone() }
    }
}

/// Which architecture is scored in place of another.
pub struct Representatives(Option<HashMap<String, String>>);

impl Representatives {
    /// Everyone for themselves.
    pub fn none() -> Self {
        Self(None)
    }

    /// Of NAS-Bench-201 cells that compute the same function (the strict rule), the first of the enumeration: a choice
    /// that does not depend on the table. What differs for a cell is only whose weights are drawn.
    pub fn of_cells() -> Self {
        let mut first = HashMap::new();
        let pairs = Cell::all().map(|cell| {
            let representative = *first.entry(cell.canonical(Equivalence::Strict)).or_insert(cell);
            (cell.to_string(), representative.to_string())
        });
        Self(Some(pairs.collect()))
    }

    fn of<'a>(&'a self, arch: &'a str) -> &'a str {
        self.0.as_ref().and_then(|of| of.get(arch)).map_or(arch, String::as_str)
    }
}

/// What scoring a table took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// Architectures scored for the table, now or earlier.
    pub scored: usize,
    pub milliseconds: f64,
    pub workspace_bytes: u64,
}

impl Effort {
    /// Adds that for another seed.
    pub fn add(&mut self, other: Self) {
        self.scored += other.scored;
        self.milliseconds += other.milliseconds;
        self.workspace_bytes = self.workspace_bytes.max(other.workspace_bytes);
    }
}

/// The architectures that are scored for a table, each once.
fn needed<'t>(table: &'t Table, representatives: &'t Representatives) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    let used = table.rows.iter().map(|&number| representatives.of(&table.architectures[number as usize]));
    used.filter(|arch| seen.insert(*arch)).collect()
}

/// Those of them that are not scored yet.
pub fn missing(
    table: &Table,
    networks: &Networks,
    case: &Case,
    representatives: &Representatives,
    scored: &Scored,
) -> Vec<String> {
    let records = scored.of(&networks.setting(&case.options), case.options.seed);
    let is_missing = |arch: &&str| records.is_none_or(|records| !records.contains_key(*arch));
    needed(table, representatives).into_iter().filter(is_missing).map(str::to_string).collect()
}

/// Scores what of the table is not scored yet; each score is on disk as soon as it is done.
pub fn score(
    table: &Table,
    networks: &Networks,
    case: &Case,
    representatives: &Representatives,
    workers: usize,
    scored: &mut Scored,
) -> Result<Effort> {
    let options = case.options;
    let setting = networks.setting(&options);
    let needed = needed(table, representatives);
    let missing = missing(table, networks, case, representatives, scored);
    if let (Some(arch), false) = (missing.first(), scored.is_open()) {
        let (count, needed, seed) = (missing.len(), needed.len(), options.seed);
        let arch = quoted(arch);
        return Err(format!(
            "--scores: of {count} of {needed} architectures there is no score of seed {seed}, such as {arch}"
        )
        .into());
    }
    let progress = progress_bar(missing.len()).with_message(case.label.clone());
    let networks_of_workers = networks.clone();
    let work = move |scorer: &mut Scorer, arch: String| {
        let outcome = networks_of_workers.candidate(&arch, &options).and_then(|candidate| {
            let options = candidate.options(&options);
            scorer.score(&*candidate.network, &*candidate.source, &options, false).map_err(refusal::of)
        });
        (arch, outcome)
    };
    let outcomes = side_by_side::as_done(missing.into_iter(), workers, work);
    for (arch, outcome) in outcomes.map_err(|error| format!("--threads: {error}"))? {
        let outcome = outcome.map_err(|error| format!("{}: {error}", quoted(&arch)))?;
        let record = Record {
            milliseconds: outcome.elapsed.as_secs_f64() * 1e3,
            workspace_bytes: outcome.workspace_bytes as u64,
            ..Record::from(&outcome.scores)
        };
        scored.add(&setting, options.seed, arch, record)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    let mut effort = Effort { scored: needed.len(), ..Effort::default() };
    let records = scored.of(&setting, options.seed);
    for record in needed.iter().filter_map(|arch| records?.get(*arch)) {
        effort.milliseconds += record.milliseconds;
        effort.workspace_bytes = effort.workspace_bytes.max(record.workspace_bytes);
    }
    Ok(effort)
}

/// What is counted on the graph of each architecture of the table; of those no row has, nothing.
pub fn counts(table: &Table, networks: &Networks, options: &Options) -> Result<Vec<Option<Scores>>> {
    let mut is_used = vec![false; table.architectures.len()];
    table.rows.iter().for_each(|&number| is_used[number as usize] = true);
    // Asked for nothing that is measured, a score counts.
    let options = Options { proxies: ProxySet::of(&[]), ..*options };
    let count = |(arch, is_used): (&String, bool)| {
        let score = || {
            let mut nothing = Workspace::from_bytes(&mut []);
            let candidate = networks.candidate(arch, &options)?;
            let options = candidate.options(&options);
            let scores = aznas::score(&*candidate.network, &options, &Random, &mut nothing, |_| ());
            scores.map_err(|error| format!("{}: {}", quoted(arch), refusal::of(error)))
        };
        is_used.then(score).transpose()
    };
    let counts: std::result::Result<_, String> = table.architectures.par_iter().zip(is_used).map(count).collect();
    Ok(counts?)
}

/// The peak activation memory of every row, in numbers.
pub fn peaks(table: &Table, networks: &Networks, options: &Options) -> Result<Vec<f64>> {
    let peak = |(row, _): (usize, &u32)| -> std::result::Result<f64, String> {
        let arch = table.architecture(row);
        let candidate = networks.candidate(arch, options)?;
        let options = candidate.options(options);
        let peak = peak_activation(&*candidate.network, options.height, options.width);
        peak.map(|numbers| numbers as f64).map_err(|error| format!("{}: {}", quoted(arch), refusal::of(error)))
    };
    let peaks: std::result::Result<_, String> = table.rows.par_iter().enumerate().map(peak).collect();
    Ok(peaks?)
}

/// The proxies of every row, in the order of [`Proxy::ALL`]; NaN for what no case measures.
pub fn proxies(
    table: &Table,
    counts: &[Option<Scores>],
    networks: &Networks,
    cases: &[Case],
    representatives: &Representatives,
    scored: &Scored,
) -> Result<Vec<Vec<f64>>> {
    let of_case = |case: &Case| (case.options.proxies, scored.of(&networks.setting(&case.options), case.options.seed));
    let cases: Vec<_> = cases.iter().map(of_case).collect();
    // Where to find each proxy: the case and the place in its records; nothing for what is counted.
    let places = Proxy::ALL.map(|proxy| {
        let place = measurable().iter().position(|measured| measured == proxy)?;
        Some((cases.iter().position(|(proxies, _)| proxies.contains(proxy)), place))
    });
    let mut columns = vec![Vec::with_capacity(table.rows.len()); Proxy::ALL.len()];
    for (row, &number) in table.rows.iter().enumerate() {
        let arch = table.architecture(row);
        let scored_as = representatives.of(arch);
        let records: Option<Vec<&Record>> = cases.iter().map(|(_, records)| records.as_ref()?.get(scored_as)).collect();
        let records = records.ok_or_else(|| format!("{}: not scored", quoted(arch)))?;
        let counted = counts[number as usize].ok_or_else(|| format!("{}: not counted", quoted(arch)))?;
        for ((column, proxy), place) in columns.iter_mut().zip(Proxy::ALL).zip(places) {
            column.push(match place {
                None => counted.get(proxy),
                Some((None, _)) => f64::NAN,
                Some((Some(case), place)) => records[case].proxies[place],
            });
        }
    }
    Ok(columns)
}
