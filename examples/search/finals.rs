//! The second round of a search: its best candidates scored again as published, whatever they were found with, and ranked
//! among themselves.
//!
//! `finals.csv` grows by a line with every score. What is in it is not computed again, by a search that is gone on with or made
//! longer.

use crate::arguments::Arguments;
use crate::common::failure::{Failure, Result};
use crate::common::refusal;
use crate::common::scoring::Scorer;
use crate::common::setting::Setting;
use crate::common::side_by_side;
use crate::common::store::Store;
use crate::record::Record;
use aznas::aggregate::{Mode, aggregate};
use aznas::proxy::Proxy;
use aznas::search::Settings;
use aznas::tensor::Random;
use std::collections::HashMap;
use std::path::Path;

/// A candidate of the second round.
pub struct Final {
    pub arch: String,
    /// The values of the proxies that rank, in their order.
    pub scores: Vec<f64>,
    /// The aggregate of their ranks among the finals.
    pub aggregate: f64,
}

/// Scores `finalists` as published and gives them best first; of those before a signal that `stop` tells, nothing is lost, and
/// there is no result.
pub fn run(
    finalists: Vec<String>,
    arguments: &Arguments,
    settings: &Settings,
    folder: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<Option<(Vec<Final>, Setting)>> {
    let (options, space) = (arguments.published(), arguments.space.space);
    let whole = arguments.whole_settings();
    let proxies = settings.proxies;
    let setting = Setting::of_scores(space, &whole, &options).with("seed", Some(options.seed));
    let columns: Vec<&str> = ["arch"].into_iter().chain(proxies.iter().map(Proxy::name)).collect();
    let mut known: HashMap<String, Vec<f64>> = HashMap::new();
    let mut store = Store::open(&Record::finals_path(folder), &columns, &setting, |line| {
        let scores = line.iter().skip(1).map(|score| score.parse().map_err(|error| format!("{score}: {error}")));
        known.insert(line[0].to_string(), scores.collect::<std::result::Result<_, _>>()?);
        Ok(())
    })?;
    let missing: Vec<String> = finalists.iter().filter(|arch| !known.contains_key(*arch)).cloned().collect();
    let work = move |scorer: &mut Scorer, arch: String| {
        let scores = space.network(&whole, arch.as_bytes()).and_then(|network| {
            let outcome = scorer.score(&*network, &Random, &options, false)?;
            Ok(outcome.scores.values(proxies).collect::<Vec<_>>())
        });
        (arch, scores)
    };
    let scored = side_by_side::in_order(missing.into_iter(), arguments.scoring.workers(), work);
    for (arch, scores) in scored.map_err(|error| Failure::from(format!("--threads: {error}")))? {
        let scores = scores.map_err(|error| Failure::from(format!("{arch}: {}", refusal::of(error))))?;
        store.append([arch.clone()].into_iter().chain(scores.iter().map(f64::to_string)))?;
        known.insert(arch, scores);
        if stop() {
            store.sync()?;
            return Ok(None);
        }
    }
    store.sync()?;
    let scores: Vec<Vec<f64>> = finalists.iter().filter_map(|arch| known.remove(arch)).collect();
    Ok(Some((ranked(finalists, scores, settings)?, setting)))
}

/// The finals, best first.
fn ranked(finalists: Vec<String>, scores: Vec<Vec<f64>>, settings: &Settings) -> Result<Vec<Final>> {
    let objectives = settings.proxies.iter().enumerate().map(|(place, proxy)| {
        scores.iter().map(|scores| settings.objective(proxy, scores[place])).collect::<Vec<f64>>()
    });
    let columns: Vec<Vec<f64>> = objectives.collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (mut aggregates, mut scratch) = (vec![0.0; scores.len()], vec![0; scores.len()]);
    aggregate(&columns, &vec![1.0; columns.len()], Mode::Log, &mut aggregates, &mut scratch)?;
    let finals = finalists.into_iter().zip(scores).zip(aggregates);
    let mut finals: Vec<Final> = finals.map(|((arch, scores), aggregate)| Final { arch, scores, aggregate }).collect();
    finals.sort_by(|a, b| b.aggregate.total_cmp(&a.aggregate));
    Ok(finals)
}
