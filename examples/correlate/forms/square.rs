//! A figure for every two rankings, on the architectures that both were measured of.

use crate::common::failure::Result;
use crate::exhibit::Exhibit;
use crate::measurement::Sample;
use crate::picture::{self, Map};
use crate::report::Report;
use crate::reproduction::{Measured, Ranking};
use crate::sheet::{Sheet, figure};
use crate::statistics::kendall;
use crate::study::combined;
use aznas::aggregate::Mode;
use rayon::prelude::*;
use std::collections::btree_map::{BTreeMap, Entry};

/// Adds τ between every two rankings.
pub fn show_agreement(report: &mut Report, exhibit: &Exhibit, measured: &Measured<'_>) -> Result<()> {
    let values = of_every_two(exhibit, measured, |a, b| {
        let truth = &a.part.truths[0];
        kendall(&truth.predicted(&a.predictions[0]), &truth.predicted(&b.predictions[0]))
    })?;
    show(report, exhibit, &values, &[]);
    Ok(())
}

/// Adds τ with accuracy of the aggregate of every two rankings; of a ranking with itself, its own.
pub fn show_pairs(report: &mut Report, exhibit: &Exhibit, measured: &Measured<'_>) -> Result<()> {
    let values = of_every_two(exhibit, measured, |a, b| {
        a.part.truths[0].kendall(&combined(&[&a.predictions[0], &b.predictions[0]], Mode::Log))
    })?;
    let best = |row: &Vec<Option<f64>>| (0..row.len()).max_by(|&a, &b| of(row[a]).total_cmp(&of(row[b])));
    let best: Vec<Option<usize>> = values.iter().map(best).collect();
    show(report, exhibit, &values, &best);
    Ok(())
}

fn of(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NEG_INFINITY)
}

/// A figure for every two rankings of an exhibit.
fn of_every_two(
    exhibit: &Exhibit,
    measured: &Measured<'_>,
    figure: impl Fn(&Ranking<'_>, &Ranking<'_>) -> Option<f64> + Sync,
) -> Result<Vec<Vec<Option<f64>>>> {
    let samples: Vec<usize> = exhibit.rows.iter().map(|row| measured.sample(exhibit, row).every).collect();
    // Each ranking on every part that it shares with another.
    let mut rankings = BTreeMap::new();
    for (i, row) in exhibit.rows.iter().enumerate() {
        for &every in samples.iter().filter(|&&every| every >= samples[i]) {
            if let Entry::Vacant(place) = rankings.entry((i, every)) {
                place.insert(measured.ranking(row, Sample { every, seeds: 1 })?);
            }
        }
    }
    let of_two = |i: usize, j: usize| {
        let every = samples[i].max(samples[j]);
        figure(rankings.get(&(i, every))?, rankings.get(&(j, every))?)
    };
    let count = exhibit.rows.len();
    Ok((0..count).into_par_iter().map(|i| (0..count).map(|j| of_two(i, j)).collect()).collect())
}

fn show(report: &mut Report, exhibit: &Exhibit, values: &[Vec<Option<f64>>], framed: &[Option<usize>]) {
    let names: Vec<String> = exhibit.rows.iter().map(|row| row.name.to_string()).collect();
    let heading: Vec<&str> = ["ranking"].into_iter().chain(exhibit.rows.iter().map(|row| row.name)).collect();
    let mut sheet = Sheet::new(exhibit.name, exhibit.title, exhibit.note, &heading);
    for (name, row) in names.iter().zip(values) {
        sheet.rows.push([name.clone()].into_iter().chain(row.iter().map(|&value| figure(value))).collect());
    }
    let note = format!("{} Numbers: {}.csv", exhibit.note, exhibit.name);
    report.picture(exhibit.name, exhibit.title, &note, picture::heat_map(&Map { names: &names, values, framed }));
    report.numbers(sheet);
}
