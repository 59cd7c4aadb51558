//! The architectures that each ranking likes best.

use crate::exhibit::Exhibit;
use crate::picture;
use crate::report::Report;
use crate::reproduction::Ranking;
use crate::sheet::{Sheet, figure};
use crate::study::best_architectures;
use aznas::spaces::nb201::Cell;

/// How many of each ranking are shown.
const SHOWN: usize = 3;

/// Adds the best by each ranking, drawn if they are cells.
pub fn show(report: &mut Report, exhibit: &Exhibit, rankings: &[Ranking<'_>]) {
    let heading = ["ranking", "place", "architecture", "column", "accuracy", "percentile"];
    let mut sheet = Sheet::new(exhibit.name, exhibit.title, exhibit.note, &heading);
    let mut drawn = Vec::new();
    for ranking in rankings {
        let mut cells = Vec::new();
        for (place, row) in
            best_architectures(&ranking.part.table, &ranking.predictions[0], SHOWN).into_iter().enumerate()
        {
            let arch = ranking.part.table.architecture(row);
            for (number, truth) in ranking.part.truths.iter().enumerate() {
                let Ok(found) = truth.rows.binary_search(&row) else { continue };
                let (value, percentile) = (truth.values[found], truth.percentile(found));
                let (place, name) = ((place + 1).to_string(), ranking.row.name.to_string());
                let figures = [figure(Some(value)), format!("{percentile:.1}")];
                sheet
                    .rows
                    .push([name, place, arch.to_string(), truth.name.clone()].into_iter().chain(figures).collect());
                if let (0, Ok(cell)) = (number, Cell::parse(arch)) {
                    cells.push((cell, format!("{value:.2}, better than {percentile:.1} %")));
                }
            }
        }
        if !cells.is_empty() {
            drawn.push((ranking.row.name.to_string(), cells));
        }
    }
    if drawn.is_empty() {
        report.sheet(sheet);
    } else {
        let note = format!("{} Numbers: {}.csv", exhibit.note, exhibit.name);
        report.picture(exhibit.name, exhibit.title, &note, picture::cells(&drawn));
        report.numbers(sheet);
    }
}
