//! The table of how well each ranking predicts accuracy: the same measures for all, whatever else is asked for.

use crate::ceiling::ceiling;
use crate::sheet::{Sheet, figure};
use crate::statistics::mean_and_deviation;
use crate::study::{MEASURES, Truth};
use rayon::prelude::*;

/// The table under construction.
pub struct Correlations {
    sheet: Sheet,
}

impl Correlations {
    /// No ranking yet.
    pub fn new() -> Self {
        let mut heading = vec!["column", "ranking"];
        heading.extend(MEASURES);
        heading.extend(["tau published", "deviation of tau over seeds", "rows"]);
        let note = "Means over the seeds; undefined where all of a ranking or all accuracies tie. At equal multiply-adds or \
                    params: over the pairs alone that differ by less than a tenth in them. The ceiling is what other \
                    trainings of the same, columns that differ in their last number alone, say of this one.";
        Self { sheet: Sheet::new("correlations", "Rank correlation with trained accuracy", note, &heading) }
    }

    /// Adds a ranking, given what it predicts for every row of the table and all proxies, both under each seed.
    pub fn add(
        &mut self,
        truth: &Truth,
        name: &str,
        predictions: &[Vec<f64>],
        columns: &[Vec<Vec<f64>>],
        published: Option<f64>,
    ) {
        let seeds: Vec<[Option<f64>; MEASURES.len()]> = predictions
            .par_iter()
            .zip(columns)
            .map(|(prediction, columns)| truth.measures(prediction, columns))
            .collect();
        let of = |measure: usize| {
            let values: Option<Vec<f64>> = seeds.iter().map(|measures| measures[measure]).collect();
            mean_and_deviation(&values?)
        };
        let mut row = vec![truth.name.clone(), name.to_string()];
        row.extend((0..MEASURES.len()).map(|measure| figure(of(measure).map(|of| of.0))));
        row.push(published.map_or(String::new(), |tau| format!("{tau:.3}")));
        row.push(if seeds.len() > 1 { figure(of(0).map(|of| of.1)) } else { String::new() });
        row.push(truth.rows.len().to_string());
        self.sheet.rows.push(row);
    }

    /// Adds what another training says, if there is one.
    pub fn ceiling(&mut self, truth: &Truth, truths: &[Truth], columns: &[Vec<f64>]) {
        if let Some(measures) = ceiling(truth, truths, columns) {
            let mut row = vec![truth.name.clone(), "another training (the ceiling)".into()];
            row.extend(measures.map(figure));
            row.extend([String::new(), String::new(), truth.rows.len().to_string()]);
            self.sheet.rows.push(row);
        }
    }

    /// The table.
    pub fn finish(self) -> Sheet {
        self.sheet
    }
}
