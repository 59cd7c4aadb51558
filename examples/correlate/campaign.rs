//! Scoring every architecture of a table under a setting, unless that is done already.

use crate::Result;
use crate::common::candidate::SpaceArguments;
use crate::common::progress::progress_bar;
use crate::common::scoring::Scorers;
use crate::store::{MEASURED, Record, Store};
use crate::table::Table;
use aznas::proxy::{Proxy, ProxySet};
use aznas::spaces::Settings;
use aznas::spaces::nb201::{Cell, Equivalence};
use aznas::tensor::Random;
use aznas::{Options, Scores, Workspace};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// Architectures scored between writes: what an interruption can cost.
const CHUNK: usize = 64;

/// One way to score, under one seed.
#[derive(Clone, Debug)]
pub struct Setting {
    pub options: Options,
    /// What the setting is called in the report.
    pub label: String,
}

impl Setting {
    /// All that a score depends on besides the architecture, as text.
    ///
    /// The back end is left out: another one changes scores by rounding only, far less than another seed does.
    pub fn key(&self, space: &SpaceArguments) -> String {
        let Options { batch, height, width, seed, initialisation, repeats, sigma, .. } = &self.options;
        let Settings { channels, cells, .. } = space.settings(*height);
        format!(
            "{:?}-{channels}x{cells} batch {batch} of {height}x{width} {} {} repeats {repeats} seed {seed}",
            space.space,
            initialisation.name(),
            sigma.name()
        )
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

/// Scores under `setting` what of the table is not in the store yet.
pub fn score(
    table: &Table,
    space: &SpaceArguments,
    setting: &Setting,
    representatives: &Representatives,
    store: &mut Store,
) -> Result<Effort> {
    let key = setting.key(space);
    let mut seen = HashSet::new();
    let used = table.rows.iter().map(|&number| representatives.of(&table.architectures[number as usize]));
    let needed: Vec<&str> = used.filter(|arch| seen.insert(*arch)).collect();
    let missing: Vec<&str> = needed.iter().copied().filter(|arch| store.get(&key, arch).is_none()).collect();
    let progress = progress_bar(missing.len()).with_message(setting.label.clone());
    let scorers = Scorers::default();
    for chunk in missing.chunks(CHUNK) {
        let scored: Result<Vec<_>> = chunk
            .par_iter()
            .map(|&arch| {
                let network = space.network(arch).map_err(|error| format!("{arch}: {error}"))?;
                let outcome = scorers.score(&*network, &setting.options, false);
                let outcome = outcome.map_err(|error| format!("{arch}: {error}"))?;
                progress.inc(1);
                let record = Record {
                    milliseconds: outcome.elapsed.as_secs_f64() * 1e3,
                    workspace_bytes: outcome.workspace_bytes as u64,
                    ..Record::from(&outcome.scores)
                };
                Ok((arch.to_string(), record))
            })
            .collect::<std::result::Result<_, String>>()
            .map_err(Into::into);
        store.add(&key, scored?)?;
    }
    progress.finish_and_clear();
    let mut effort = Effort { scored: needed.len(), ..Effort::default() };
    for record in needed.iter().filter_map(|arch| store.get(&key, arch)) {
        effort.milliseconds += record.milliseconds;
        effort.workspace_bytes = effort.workspace_bytes.max(record.workspace_bytes);
    }
    Ok(effort)
}

/// What is counted on the graph of each architecture of the table; of those no row has, nothing.
pub fn counts(table: &Table, space: &SpaceArguments, options: &Options) -> Result<Vec<Option<Scores>>> {
    let mut is_used = vec![false; table.architectures.len()];
    table.rows.iter().for_each(|&number| is_used[number as usize] = true);
    // Asked for nothing that is measured, a score counts.
    let options = Options { proxies: ProxySet::of(&[]), ..*options };
    let count = |(arch, is_used): (&String, bool)| {
        let score = || {
            let mut nothing = Workspace::from_bytes(&mut []);
            aznas::score(&*space.network(arch)?, &options, &Random, &mut nothing, |_| ())
        };
        is_used.then(score).transpose()
    };
    let counts: std::result::Result<_, aznas::Error> = table.architectures.par_iter().zip(is_used).map(count).collect();
    Ok(counts?)
}

/// The proxies of every row, in the order of [`Proxy::ALL`].
pub fn proxies(
    table: &Table,
    counts: &[Option<Scores>],
    space: &SpaceArguments,
    setting: &Setting,
    representatives: &Representatives,
    store: &Store,
) -> Result<Vec<Vec<f64>>> {
    let key = setting.key(space);
    let mut columns = vec![Vec::with_capacity(table.rows.len()); Proxy::ALL.len()];
    for (row, &number) in table.rows.iter().enumerate() {
        let arch = table.architecture(row);
        let record = store.get(&key, representatives.of(arch)).ok_or_else(|| format!("{arch}: not scored"))?;
        let counted = counts[number as usize].ok_or_else(|| format!("{arch}: not counted"))?;
        for (column, proxy) in columns.iter_mut().zip(Proxy::ALL) {
            column.push(match MEASURED.iter().position(|&measured| measured == proxy) {
                Some(place) => record.proxies[place],
                None => counted.get(proxy),
            });
        }
    }
    Ok(columns)
}
