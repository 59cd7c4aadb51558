//! The tables and pictures of a report.

use crate::campaign::{Case, Effort};
use crate::choice;
use crate::common::failure::{At, Result};
use crate::correlations::Correlations;
use crate::paper;
use crate::picture::{self, Bar, Map, Points};
use crate::report::Report;
use crate::sheet::{Sheet, figure};
use crate::statistics::{kendall, mean_and_deviation};
use crate::study::{
    DRAWN, MOST_PROXIES, Predictor, RUNS, Truth, aggregated, best_architectures, mode_name, selection, subsets, symbols,
};
use crate::table::Table;
use aznas::aggregate::Mode;
use aznas::proxy::{Proxy, ProxySet};
use aznas::spaces::nb201::Cell;
use rayon::prelude::*;
use std::path::Path;

/// The proxies of every row under one seed, in the order of [`Proxy::ALL`].
pub type Columns = Vec<Vec<f64>>;

/// What the setting took and what the two sets of proxies reach under it.
pub fn setting(case: &Case, truths: &[Truth], seeds: &[Columns], effort: &Effort) -> Sheet {
    let heading = [
        "setting",
        "column",
        "paper's four, tau",
        "published",
        "extended, tau",
        "deviation over seeds",
        "rows",
        "scored",
        "ms per architecture",
        "workspace MiB",
        "process MiB",
    ];
    let note = "Kendall's tau of the logarithmic aggregates, mean over the seeds. Time of one worker per scored \
                architecture; the largest workspace of a worker; the most memory the process has had.";
    let mut sheet = Sheet::new("settings", "Setting", note, &heading);
    for truth in truths {
        let taus = |set| -> Option<(f64, f64)> {
            let taus: Option<Vec<f64>> =
                seeds.iter().map(|columns| truth.kendall(&aggregated(columns, set, Mode::Log))).collect();
            mean_and_deviation(&taus?)
        };
        let (paper, extended) = (taus(ProxySet::PAPER), taus(ProxySet::EXTENDED));
        let published = paper::dataset(&truth.name).zip(paper::of_setting(&case.options));
        sheet.rows.push(vec![
            case.label.clone(),
            truth.name.clone(),
            figure(paper.map(|tau| tau.0)),
            published.map_or(String::new(), |(dataset, figures)| format!("{:.3}", figures[dataset])),
            figure(extended.map(|tau| tau.0)),
            deviation(seeds, paper),
            truth.rows.len().to_string(),
            effort.scored.to_string(),
            format!("{:.2}", effort.milliseconds / effort.scored as f64),
            format!("{:.2}", effort.workspace_bytes as f64 / f64::from(1 << 20)),
            peak_memory().map_or("unknown".into(), |mebibytes| format!("{mebibytes:.0}")),
        ]);
    }
    sheet
}

/// The deviation over several seeds.
fn deviation<T>(seeds: &[T], of: Option<(f64, f64)>) -> String {
    if seeds.len() > 1 { figure(of.map(|of| of.1)) } else { String::new() }
}

/// The most memory this process has had, in MiB, where the system says so.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// What is reported of every proxy and aggregate, and of peak activation memory, which costs nothing to know.
pub fn correlations(truths: &[Truth], seeds: &[Columns], peaks: &[f64], known: ProxySet, chosen: ProxySet) -> Sheet {
    let mut correlations = Correlations::new();
    let predictors = Predictor::all(known, chosen);
    let predictions: Vec<Vec<Vec<f64>>> =
        predictors.iter().map(|predictor| seeds.iter().map(|columns| predictor.predict(columns)).collect()).collect();
    for truth in truths {
        for (predictor, predictions) in predictors.iter().zip(&predictions) {
            let (set, mode) = predictor.parts();
            correlations.add(truth, &predictor.name(), predictions, seeds, published(truth, set, mode));
        }
        let peaks = vec![peaks.to_vec(); seeds.len()];
        correlations.add(truth, "peak activation memory", &peaks, seeds, None);
        correlations.ceiling(truth, truths, &seeds[0]);
    }
    correlations.finish()
}

/// The published τ of a ranking.
fn published(truth: &Truth, set: ProxySet, mode: Mode) -> Option<f64> {
    Some(paper::of_ranking(set, mode).tau?[paper::dataset(&truth.name)?])
}

/// The subsets of the proxies in both modes, and its bars for the first truth.
pub fn ablation(report: &mut Report, truths: &[Truth], seeds: &[Columns], chosen: ProxySet) {
    let heading = ["proxies", "mode", "column", "tau", "published"];
    let shown = if chosen.len() <= MOST_PROXIES { "all subsets" } else { "each proxy, all but each, and all" };
    let note = format!(
        "Kendall's tau of the aggregates of {shown}, mean over the seeds. Published: table 4 of the paper, whose rows of two \
         and three proxies are partly inferred."
    );
    let mut sheet = Sheet::new("ablation", "Ablation", &note, &heading);
    let subsets = subsets(chosen);
    let tau = |truth: &Truth, set: ProxySet, mode: Mode| {
        let taus: Option<Vec<f64>> =
            seeds.iter().map(|columns| truth.kendall(&aggregated(columns, set, mode))).collect();
        mean_and_deviation(&taus?).map(|of| of.0)
    };
    let mut drawn = Vec::new();
    for (i, truth) in truths.iter().enumerate() {
        let taus: Vec<[Option<f64>; 2]> =
            subsets.par_iter().map(|&set| [Mode::Log, Mode::Linear].map(|mode| tau(truth, set, mode))).collect();
        for (&set, taus) in subsets.iter().zip(taus) {
            for (mode, tau) in [Mode::Log, Mode::Linear].into_iter().zip(taus) {
                let published = published(truth, set, mode).map_or(String::new(), |tau| format!("{tau:.3}"));
                sheet.rows.push(vec![symbols(set), mode_name(mode).into(), truth.name.clone(), figure(tau), published]);
            }
            if i == 0 {
                let published = published(truth, set, Mode::Log);
                drawn.push(Bar { label: symbols(set), values: taus, published });
            }
        }
    }
    const MOST: usize = 32;
    drawn.sort_by(|a, b| b.values[0].partial_cmp(&a.values[0]).unwrap_or(std::cmp::Ordering::Equal));
    drawn.truncate(MOST);
    let note =
        format!("{}: the best {} of {} subsets. Numbers: ablation.csv", truths[0].name, drawn.len(), subsets.len());
    let svg = picture::bars(&drawn, ["logarithmic", "linear"], "Kendall τ");
    report.picture("ablation", "Ablation, drawn", &note, svg);
    report.sheet(sheet);
}

/// Kendall's τ between all proxies, the two aggregates and the truths.
pub fn matrix(report: &mut Report, truths: &[Truth], columns: &Columns, known: ProxySet) {
    let complete = |row: &usize| truths.iter().all(|truth| truth.rows.binary_search(row).is_ok());
    let rows: Vec<usize> = truths[0].rows.iter().copied().filter(complete).collect();
    let mut names: Vec<String> = known.iter().map(|proxy| proxy.name().to_string()).collect();
    let column = |proxy: Proxy| rows.iter().map(|&row| columns[proxy as usize][row]).collect();
    let mut lists: Vec<Vec<f64>> = known.iter().map(column).collect();
    for (name, set) in [("paper's four", ProxySet::PAPER), ("extended set", ProxySet::EXTENDED)] {
        let aggregate = aggregated(columns, set, Mode::Log);
        names.push(name.into());
        lists.push(rows.iter().map(|&row| aggregate[row]).collect());
    }
    for truth in truths {
        names.push(truth.name.clone());
        let value = |row| truth.rows.binary_search(row).map_or(f64::NAN, |place| truth.values[place]);
        lists.push(rows.iter().map(value).collect());
    }
    let ranks: Vec<Vec<u32>> = lists.iter().map(|list| crate::statistics::doubled_ranks(list)).collect();
    let values: Vec<Vec<Option<f64>>> =
        ranks.par_iter().map(|a| ranks.iter().map(|b| kendall(a, b)).collect()).collect();
    let mut heading = vec!["ranking"];
    heading.extend(names.iter().map(String::as_str));
    let note = "Kendall's tau between rankings, over the rows with every accuracy.";
    let mut sheet = Sheet::new("matrix", "Proxy against proxy", note, &heading);
    for (name, row) in names.iter().zip(&values) {
        sheet.rows.push([name.clone()].into_iter().chain(row.iter().map(|&tau| figure(tau))).collect());
    }
    let map = Map { names: &names, values: &values, framed: &[] };
    report.picture("matrix", "Proxy against proxy, drawn", "Numbers: matrix.csv", picture::heat_map(&map));
    report.sheet(sheet);
}

/// The accuracy of what would have been picked among random cells.
pub fn selected(truths: &[Truth], columns: &Columns, known: ProxySet, chosen: ProxySet, seed: u64) -> Sheet {
    let heading = ["column", "ranking", "mean accuracy", "deviation", "published"];
    let note = format!(
        "The true value of the row ranked best among {DRAWN} drawn with replacement, in {RUNS} runs. Published: table 1 of the paper."
    );
    let mut sheet = Sheet::new("selection", "Selection among random architectures", &note, &heading);
    for truth in truths.iter().filter(|truth| !truth.rows.is_empty()) {
        let mut add = |name: String, values: &[f64], published: String| {
            let of = mean_and_deviation(values);
            let (mean, deviation) = (figure(of.map(|of| of.0)), figure(of.map(|of| of.1)));
            sheet.rows.push(vec![truth.name.clone(), name, mean, deviation, published]);
        };
        let predictors = Predictor::all(known, chosen);
        let outcomes: Vec<_> =
            predictors.par_iter().map(|predictor| selection(predictor, columns, truth, seed)).collect();
        for (predictor, (picked, _)) in predictors.iter().zip(&outcomes) {
            let (set, mode) = predictor.parts();
            let accuracy = paper::of_ranking(set, mode).accuracy.zip(paper::dataset(&truth.name));
            let published = accuracy.map(|(figures, dataset)| figures[dataset]);
            let published = published.map_or(String::new(), |(mean, deviation)| format!("{mean} ± {deviation}"));
            add(predictor.name(), picked, published);
        }
        add("the best of those drawn".into(), &outcomes[0].1, String::new());
    }
    sheet
}

/// How the recommended set does on rows that had no part in choosing it.
pub fn choice(report: &mut Report, truths: &[Truth], columns: &Columns, known: ProxySet, chosen: ProxySet, seed: u64) {
    let candidates = chosen.union(ProxySet::PAPER).union(ProxySet::EXTENDED);
    let sought = if candidates.len() <= MOST_PROXIES {
        "the best of all subsets"
    } else {
        "the best subset that is met by adding the proxy that helps most"
    };
    let heading =
        ["split", "best set on one half", "its tau there", "on the other half", "paper's four there", "extended there"];
    let note = format!(
        "{}: the rows are halved at random; {sought} of {} (logarithmic) is chosen on one half, τ is taken on the other.",
        truths[0].name,
        symbols(candidates)
    );
    let mut splits_sheet = Sheet::new("choice", "Choosing a set on one half of the rows", &note, &heading);
    let note = "Mean τ over the halves that had no part in a choice. A shuffled proxy says nothing: what τ falls by is what the \
                proxy is worth, and a set that gains by a shuffled or doubled member gains by the way of counting.";
    let heading = ["set", "mean tau", "deviation over splits", "difference to extended"];
    let mut controls_sheet = Sheet::new("controls", "What each member is worth", note, &heading);
    let Some(splits) = choice::study(columns, known, candidates, &truths[0], seed) else {
        report.sheet(splits_sheet);
        return;
    };
    for (i, split) in splits.iter().enumerate() {
        let mut row = vec![(i + 1).to_string(), symbols(split.best), figure(Some(split.chosen_on))];
        row.extend(split.evaluated.map(|tau| figure(Some(tau))));
        splits_sheet.rows.push(row);
    }
    let extended = mean_and_deviation(&splits.iter().map(|split| split.evaluated[2]).collect::<Vec<_>>());
    let mut bars = Vec::new();
    for (i, control) in choice::controls(known).iter().enumerate() {
        let of = mean_and_deviation(&splits.iter().map(|split| split.controls[i]).collect::<Vec<_>>());
        let difference = of.zip(extended).map(|(of, extended)| of.0 - extended.0);
        controls_sheet.rows.push(vec![
            control.name.clone(),
            figure(of.map(|of| of.0)),
            figure(of.map(|of| of.1)),
            figure(difference),
        ]);
        bars.push(Bar { label: control.name.clone(), values: [of.map(|of| of.0), None], published: None });
    }
    report.sheet(splits_sheet);
    report.picture(
        "controls",
        "What each member is worth, drawn",
        "Numbers: controls.csv",
        picture::bars(&bars, ["mean on held-out halves", ""], "Kendall τ"),
    );
    report.sheet(controls_sheet);
}

/// The three best rows by each proxy and aggregate; drawn, if they are cells.
pub fn best(
    report: &mut Report,
    table: &Table,
    truths: &[Truth],
    columns: &Columns,
    known: ProxySet,
    chosen: ProxySet,
) {
    let mut heading = vec!["ranking", "place", "architecture"];
    heading.extend(truths.iter().map(|truth| truth.name.as_str()));
    let note = "The first of the best where several tie.";
    let mut sheet = Sheet::new("best", "The best three by each ranking", note, &heading);
    let mut drawn = Vec::new();
    let logarithmic = |predictor: &Predictor| predictor.parts().1 == Mode::Log;
    for predictor in Predictor::all(known, chosen).iter().filter(|predictor| logarithmic(predictor)) {
        let prediction = predictor.predict(columns);
        let mut cells = Vec::new();
        for (place, row) in best_architectures(table, &prediction, 3).into_iter().enumerate() {
            let arch = table.architecture(row);
            let values = table.truths.iter().map(|values| figure(Some(values[row])));
            let mut cell = vec![predictor.name(), (place + 1).to_string(), arch.to_string()];
            cell.extend(values);
            sheet.rows.push(cell);
            if let Ok(cell) = Cell::parse(arch) {
                cells.push((cell, format!("{} {:.2}", truths[0].name, table.truths[0][row])));
            }
        }
        if !cells.is_empty() {
            let short = match predictor {
                Predictor::Single(proxy) => proxy.name().to_string(),
                Predictor::Aggregate(name, ..) => format!("{name} set"),
            };
            drawn.push((short, cells));
        }
    }
    if !drawn.is_empty() {
        report.picture("best", "The best three by each ranking, drawn", "Numbers: best.csv", picture::cells(&drawn));
    }
    report.sheet(sheet);
}

/// The scatter of the chosen aggregate, and `ranks.csv` with every row's proxies and ranks.
pub fn ranks(
    report: &mut Report,
    table: &Table,
    truths: &[Truth],
    columns: &Columns,
    known: ProxySet,
    chosen: ProxySet,
    folder: &Path,
) -> Result<()> {
    let prediction = aggregated(columns, chosen, Mode::Log);
    let truth = &truths[0];
    let tau = figure(truth.kendall(&prediction));
    let name = format!("{}, logarithmic aggregate", symbols(chosen));
    let predicted = truth.predicted(&prediction);
    let points =
        Points { prediction: &name, name: &truth.name, tau: &tau, predicted: &predicted, truth: truth.ranks() };
    let svg = picture::scatter(&points);
    report.picture("scatter", "Predicted against true ranks", "Ranks from 1, the worst. Numbers: ranks.csv", svg);

    let path = folder.join("ranks.csv");
    let mut writer = csv::Writer::from_path(&path).at(&path)?;
    let mut heading = vec!["arch".to_string()];
    heading.extend(table.columns.iter().cloned());
    heading.extend(known.iter().map(|proxy| proxy.name().to_string()));
    heading.extend(["aggregate", "predicted rank", "true rank"].map(String::from));
    writer.write_record(&heading).at(&path)?;
    let mut places = truth.rows.iter().zip(predicted.iter().zip(truth.ranks())).peekable();
    for row in 0..table.rows.len() {
        let mut record = vec![table.architecture(row).to_string()];
        let proxies = known.iter().map(|proxy| &columns[proxy as usize]);
        let numbers = table.truths.iter().chain(proxies).map(|column| column[row]).chain([prediction[row]]);
        record.extend(numbers.map(|number| if number.is_nan() { String::new() } else { number.to_string() }));
        match places.next_if(|(truth_row, _)| **truth_row == row) {
            Some((_, (&predicted, &true_rank))) => {
                record.extend([predicted, true_rank].map(|rank| (f64::from(rank) / 2.0).to_string()));
            }
            None => record.extend([String::new(), String::new()]),
        }
        writer.write_record(&record).at(&path)?;
    }
    writer.flush().at(&path)
}

/// Which dataset each column is compared with.
pub fn compared(truths: &[Truth]) -> String {
    let names = truths.iter().filter_map(|truth| {
        let dataset = paper::dataset(&truth.name)?;
        Some(format!("{} with the paper's {}", truth.name, paper::DATASETS[dataset]))
    });
    names.collect::<Vec<_>>().join(", ")
}
