//! Predicted against true ranks, a small picture for each ranking.

use crate::exhibit::Exhibit;
use crate::picture::{self, Points};
use crate::report::Report;
use crate::reproduction::Ranking;
use crate::sheet::{Sheet, figure};
use crate::statistics::kendall;

/// Adds the pictures and their figures; all ranks, too many to read, are in a file alone.
pub fn show(report: &mut Report, exhibit: &Exhibit, rankings: &[Ranking<'_>]) {
    let mut sheet = Sheet::new(exhibit.name, exhibit.title, exhibit.note, &["ranking", "column", "tau", "rows"]);
    let file = format!("{}-ranks", exhibit.name);
    let heading = ["ranking", "architecture", "predicted rank", "true rank"];
    let mut numbers = Sheet::new(&file, exhibit.title, exhibit.note, &heading);
    let predicted: Vec<Vec<u32>> =
        rankings.iter().map(|ranking| ranking.part.truths[0].predicted(&ranking.predictions[0])).collect();
    let mut taus = Vec::new();
    for (ranking, predicted) in rankings.iter().zip(&predicted) {
        let (name, truth) = (ranking.row.name.to_string(), &ranking.part.truths[0]);
        let tau = figure(kendall(predicted, truth.ranks()));
        sheet.rows.push(vec![name.clone(), truth.name.clone(), tau.clone(), truth.rows.len().to_string()]);
        taus.push(tau);
        for ((&row, &predicted), &rank) in truth.rows.iter().zip(predicted).zip(truth.ranks()) {
            let ranks = [predicted, rank].map(|rank| (f64::from(rank) / 2.0).to_string());
            let arch = ranking.part.table.architecture(row).to_string();
            numbers.rows.push([name.clone(), arch].into_iter().chain(ranks).collect());
        }
    }
    let points: Vec<Points<'_>> = rankings
        .iter()
        .zip(&predicted)
        .zip(&taus)
        .map(|((ranking, predicted), tau)| {
            let truth = &ranking.part.truths[0];
            Points { prediction: ranking.row.name, name: &truth.name, tau, predicted, truth: truth.ranks() }
        })
        .collect();
    let note = format!(
        "{} Right is predicted to be better, up is better; the line is a perfect ranking. Numbers: {file}.csv",
        exhibit.note
    );
    report.picture(exhibit.name, exhibit.title, &note, picture::scatters(&points));
    report.sheet(sheet);
    report.numbers(numbers);
}
