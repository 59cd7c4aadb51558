//! Figures in a table, those of the paper beside them, and bars.

use crate::exhibit::Exhibit;
use crate::paper::{self, Published};
use crate::picture::{self, Bar};
use crate::report::Report;
use crate::reproduction::Ranking;
use crate::sheet::{Sheet, figure};
use crate::statistics::{kendall, mean_and_deviation, spearman};
use crate::study::{Truth, picked};

/// The columns that a table may have beside τ.
struct Shown {
    rho: bool,
    accuracy: bool,
    milliseconds: bool,
}

/// Adds the table and its bars; ρ, accuracies and times are in it if they are published.
pub fn show(report: &mut Report, exhibit: &Exhibit, rankings: &[Ranking<'_>]) {
    let is_published = |of: fn(&Published) -> bool| exhibit.rows.iter().any(|row| of(&row.published));
    let shown = Shown {
        rho: is_published(|published| published.rho.is_some()),
        accuracy: is_published(|published| published.accuracy.is_some()),
        milliseconds: is_published(|published| published.milliseconds.is_some()),
    };
    let mut heading = vec!["column", "ranking", "tau", "tau of the paper", "deviation over seeds"];
    for (is_shown, names) in [
        (shown.rho, &["rho", "rho of the paper"][..]),
        (shown.accuracy, &["picked accuracy", "deviation of runs", "accuracy of the paper"]),
        (shown.milliseconds, &["ms per architecture", "ms of the paper, on a GPU"]),
    ] {
        heading.extend(names.iter().filter(|_| is_shown));
    }
    heading.extend(["rows", "seeds"]);
    let mut sheet = Sheet::new(exhibit.name, exhibit.title, exhibit.note, &heading);
    let mut bars = Vec::new();
    let columns = rankings.first().map_or(0, |ranking| ranking.part.truths.len());
    for place in 0..columns {
        for ranking in rankings {
            let truth = &ranking.part.truths[place];
            let (row, tau, published) = row(ranking, truth, &shown);
            sheet.rows.push(row);
            if place == 0 {
                bars.push(Bar { label: ranking.row.name.into(), values: [tau, None], published });
            }
        }
    }
    let first = rankings.first().and_then(|ranking| ranking.part.truths.first()).map_or("", |truth| &truth.name);
    report.sheet(sheet);
    let note = format!("{first}. Numbers: {}.csv", exhibit.name);
    let svg = picture::bars(&bars, ["ours", ""], "Kendall τ");
    report.picture(exhibit.name, &format!("{}, drawn", exhibit.title), &note, svg);
}

/// A row of the table, its τ, and the published one.
fn row(ranking: &Ranking<'_>, truth: &Truth, shown: &Shown) -> (Vec<String>, Option<f64>, Option<f64>) {
    let dataset = paper::dataset(&truth.name);
    let Published { tau: of_tau, rho: of_rho, accuracy: of_accuracy, milliseconds } = ranking.row.published;
    let published = |figures: Option<[f64; 3]>| Some(figures?[dataset?]);
    let text = |figure: Option<f64>| figure.map_or(String::new(), |figure| format!("{figure:.3}"));
    let over_seeds = |measure: fn(&[u32], &[u32]) -> Option<f64>| {
        let of_seed = |prediction: &Vec<f64>| measure(&truth.predicted(prediction), truth.ranks());
        let values: Option<Vec<f64>> = ranking.predictions.iter().map(of_seed).collect();
        mean_and_deviation(&values?)
    };
    let tau = over_seeds(kendall);
    let (mean, several) = (tau.map(|tau| tau.0), ranking.predictions.len() > 1);
    let deviation = if several { figure(tau.map(|tau| tau.1)) } else { String::new() };
    let mut row = vec![truth.name.clone(), ranking.row.name.into(), figure(mean), text(published(of_tau)), deviation];
    if shown.rho {
        row.extend([figure(over_seeds(spearman).map(|rho| rho.0)), text(published(of_rho))]);
    }
    if shown.accuracy {
        let of = mean_and_deviation(&picked(&ranking.predictions[0], truth, 1));
        let published = of_accuracy.zip(dataset).map(|(figures, dataset)| figures[dataset]);
        row.extend([0, 1].map(|part| of.map_or(String::new(), |of| format!("{:.2}", [of.0, of.1][part]))));
        row.push(published.map_or(String::new(), |(mean, deviation)| format!("{mean:.2} ± {deviation:.2}")));
    }
    if shown.milliseconds {
        let text = |time: Option<f64>| time.map_or(String::new(), |time| format!("{time:.1}"));
        row.extend([text(ranking.milliseconds), text(milliseconds)]);
    }
    row.extend([truth.rows.len().to_string(), ranking.predictions.len().to_string()]);
    (row, mean, published(of_tau))
}
