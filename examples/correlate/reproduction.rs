//! Makes exhibits of the paper: measures what they need, unless that is done already, and shows them.

use crate::campaign::{self, Case, Effort, Representatives};
use crate::common::failure::Result;
use crate::correlations::Correlations;
use crate::exhibit::{Exhibit, Form};
use crate::forms;
use crate::measurement::{self, Measurement, Sample, Wishes, options_of, passes};
use crate::named::Networks;
use crate::paper::{self, Row};
use crate::report::Report;
use crate::results::Columns;
use crate::scored::Scored;
use crate::sheet::Sheet;
use crate::study::{Truth, aggregated};
use crate::table::Table;
use aznas::proxy::ProxySet;
use aznas::{Options, Scores};
use std::collections::BTreeMap;

/// What exhibits are made of.
pub struct Request<'a> {
    pub exhibits: &'static [Exhibit],
    pub table: &'a Table,
    pub networks: &'a Networks,
    pub representatives: &'a Representatives,
    pub options: Options,
    pub wishes: Wishes,
    pub workers: usize,
    /// The proxies that the space has.
    pub has: ProxySet,
}

/// Some rows of the table.
pub struct Part {
    pub table: Table,
    pub truths: Vec<Truth>,
}

/// Everything that was measured.
pub struct Measured<'a> {
    request: &'a Request<'a>,
    scored: &'a Scored,
    counts: Vec<Option<Scores>>,
    /// By every how many-th row they have.
    parts: BTreeMap<usize, Part>,
    efforts: Vec<(Measurement, Effort)>,
}

/// A row of an exhibit with what it predicts.
pub struct Ranking<'a> {
    pub row: Row,
    pub part: &'a Part,
    /// Under each seed, for every row of the part.
    pub predictions: Vec<Vec<f64>>,
    /// Under each seed; NaN for proxies that the ranking does not need.
    pub columns: Vec<Columns>,
    /// For an architecture; nothing if it is only counted.
    pub milliseconds: Option<f64>,
}

/// Measures what is missing, and adds the exhibits to a report.
pub fn reproduce(request: &Request<'_>, scored: &mut Scored, report: &mut Report) -> Result<()> {
    let parts = parts(request);
    let efforts = measure(request, &parts, scored)?;
    let counts = campaign::counts(request.table, request.networks, &request.options)?;
    let measured = Measured { request, scored, counts, parts, efforts };
    for exhibit in request.exhibits {
        let rankings = exhibit.rows.iter().map(|row| measured.ranking(row, request.wishes.sample(exhibit, row)));
        match exhibit.form {
            Form::Table => forms::table::show(report, exhibit, &rankings.collect::<Result<Vec<_>>>()?),
            Form::Scatters => forms::scatters::show(report, exhibit, &rankings.collect::<Result<Vec<_>>>()?),
            Form::Favourites => forms::favourites::show(report, exhibit, &rankings.collect::<Result<Vec<_>>>()?),
            Form::Agreement => forms::square::show_agreement(report, exhibit, &measured)?,
            Form::Pairs => forms::square::show_pairs(report, exhibit, &measured)?,
        }
    }
    report.sheet(measured.correlations()?);
    report.sheet(measured.sheet());
    Ok(())
}

/// The parts of the table that samples ask for.
fn parts(request: &Request<'_>) -> BTreeMap<usize, Part> {
    let table = request.table;
    let accuracy = |row: usize| if table.truths[0][row].is_nan() { f64::NEG_INFINITY } else { table.truths[0][row] };
    let mut order: Vec<usize> = (0..table.rows.len()).collect();
    order.sort_by(|&a, &b| accuracy(b).total_cmp(&accuracy(a)));
    let samples = request.exhibits.iter().flat_map(|exhibit| {
        let of_rows = exhibit.rows.iter().map(|row| request.wishes.sample(exhibit, row));
        of_rows.chain([exhibit.sample, Sample { every: 1, seeds: 1 }])
    });
    let part = |sample: Sample| {
        let mut rows: Vec<usize> =
            (0..order.len()).filter(|&place| sample.has(place)).map(|place| order[place]).collect();
        rows.sort_unstable();
        let table = table.only(&rows);
        (sample.every, Part { truths: Truth::of(&table), table })
    };
    samples.map(part).filter(|(_, part)| !part.table.rows.is_empty()).collect()
}

/// Scores what is not scored yet, everything under the first seed before the next, and says now and then how long that will
/// take.
fn measure(
    request: &Request<'_>,
    parts: &BTreeMap<usize, Part>,
    scored: &mut Scored,
) -> Result<Vec<(Measurement, Effort)>> {
    let Request { networks, representatives, workers, .. } = *request;
    let needed = measurement::needed(request.exhibits, request.options, request.wishes);
    let mut efforts: Vec<_> = needed.into_iter().map(|needed| (needed, Effort::default())).collect();
    let seeds = efforts.iter().map(|(needed, _)| needed.sample.seeds).max().unwrap_or(0);
    let in_order = (0..seeds).flat_map(|seed| (0..efforts.len()).map(move |number| (number, seed)));
    let steps: Vec<(usize, u64)> = in_order.filter(|&(number, seed)| seed < efforts[number].0.sample.seeds).collect();
    // What took how long, and what it was thought to take.
    let (mut took, mut thought) = (0.0, 0.0);
    for (place, &(number, seed)) in steps.iter().enumerate() {
        let missing = |&(number, seed): &(usize, u64)| -> Result<usize> {
            let (needed, _) = &efforts[number];
            let table = &part(parts, needed.sample)?.table;
            Ok(campaign::missing(table, networks, &needed.case.after(seed), representatives, scored).len())
        };
        let (here, milliseconds) = (missing(&(number, seed))?, efforts[number].0.milliseconds);
        if here > 0 && scored.is_open() {
            let mut left = 0.0;
            for later in &steps[place..] {
                left += missing(later)? as f64 * efforts[later.0].0.milliseconds;
            }
            let pace = if thought > 0.0 { took / thought } else { 1.0 };
            let minutes = left * pace / workers as f64 / 60e3;
            let (step, all, label) = (place + 1, steps.len(), &efforts[number].0.case.label);
            let seed = seed.wrapping_add(request.options.seed);
            eprintln!("{step} of {all}: {label}, seed {seed}: {here} scores; about {minutes:.0} min left in all");
        }
        let (needed, effort) = &mut efforts[number];
        let table = &part(parts, needed.sample)?.table;
        let more = campaign::score(table, networks, &needed.case.after(seed), representatives, workers, scored)?;
        effort.add(more);
        took += more.milliseconds;
        thought += more.scored as f64 * milliseconds;
    }
    Ok(efforts)
}

fn part(parts: &BTreeMap<usize, Part>, sample: Sample) -> Result<&Part> {
    let part = parts.get(&sample.every);
    part.ok_or_else(|| format!("too few rows: there is no {}-th by accuracy", sample.every / 2 + 1).into())
}

impl<'a> Measured<'a> {
    /// A row of an exhibit on a sample of which all it needs was measured.
    pub fn ranking(&self, row: &Row, sample: Sample) -> Result<Ranking<'_>> {
        let Request { networks, representatives, options, has, .. } = *self.request;
        let part = part(&self.parts, sample)?;
        let passes: Vec<Options> = passes(row.proxies).map(|pass| options_of(pass, row, options)).collect();
        let columns = (0..sample.seeds).map(|seed| {
            let cases: Vec<Case> = passes.iter().map(|&options| Case::of(options).after(seed)).collect();
            campaign::proxies(&part.table, &self.counts, networks, &cases, representatives, self.scored)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let proxies = row.proxies.without(row.proxies.without(has));
        let milliseconds = (!passes.is_empty()).then(|| passes.iter().map(|options| self.milliseconds(options)).sum());
        // Of proxies that the space has not, nothing follows.
        let predict = |columns: &Columns| match proxies.is_empty() {
            true => vec![f64::NAN; part.table.rows.len()],
            false => aggregated(columns, proxies, row.mode),
        };
        let predictions = columns.iter().map(predict).collect();
        Ok(Ranking { row: *row, part, predictions, columns, milliseconds })
    }

    /// The sample of a row.
    pub fn sample(&self, exhibit: &Exhibit, row: &Row) -> Sample {
        self.request.wishes.sample(exhibit, row)
    }

    /// The mean time of an architecture in a pass.
    fn milliseconds(&self, options: &Options) -> f64 {
        let effort = self.efforts.iter().find(|(measurement, _)| measurement.case.options == *options);
        effort.map_or(f64::NAN, |(_, effort)| effort.milliseconds / effort.scored as f64)
    }

    /// What is always told: every measure of every ranking, and of what is counted.
    fn correlations(&self) -> Result<Sheet> {
        let mut shown: Vec<(Row, Sample)> = Vec::new();
        let of_exhibits = self.request.exhibits.iter().flat_map(|exhibit| {
            let sample = |row: &Row| (*row, self.request.wishes.sample(exhibit, row));
            exhibit.rows.iter().map(sample)
        });
        let always = paper::table1::COUNTED.iter().map(|row| (*row, Sample { every: 1, seeds: 1 }));
        for (row, sample) in always.chain(of_exhibits) {
            let is_same =
                |other: &Row| (other.proxies, other.mode, other.variant) == (row.proxies, row.mode, row.variant);
            match shown.iter_mut().find(|(other, _)| is_same(other)) {
                Some((_, other)) if other.every > sample.every => *other = sample,
                Some(_) => {}
                None => shown.push((row, sample)),
            }
        }
        let mut correlations = Correlations::new();
        let rankings: Result<Vec<_>> = shown.iter().map(|(row, sample)| self.ranking(row, *sample)).collect();
        let rankings = rankings?;
        let whole = part(&self.parts, Sample { every: 1, seeds: 1 })?;
        for (place, truth) in whole.truths.iter().enumerate() {
            for ranking in &rankings {
                let truth = &ranking.part.truths[place];
                let published = ranking.row.published.tau.zip(paper::dataset(&truth.name));
                let published = published.map(|(tau, dataset)| tau[dataset]);
                correlations.add(truth, ranking.row.name, &ranking.predictions, &ranking.columns, published);
            }
            correlations.ceiling(truth, &whole.truths, &rankings[0].columns[0]);
        }
        Ok(correlations.finish())
    }

    /// What was measured of how many rows, and what that took.
    fn sheet(&self) -> Sheet {
        let heading = ["proxies and setting", "rows", "of", "seeds", "scored", "ms per architecture", "worker minutes"];
        let note = "Of what costs much, every third row by accuracy is measured. Time is that of one worker.";
        let mut sheet = Sheet::new("measurements", "What was measured", note, &heading);
        for (measurement, effort) in &self.efforts {
            let rows = self.parts.get(&measurement.sample.every).map_or(0, |part| part.table.rows.len());
            sheet.rows.push(vec![
                measurement.case.label.clone(),
                rows.to_string(),
                self.request.table.rows.len().to_string(),
                measurement.sample.seeds.to_string(),
                effort.scored.to_string(),
                format!("{:.1}", effort.milliseconds / effort.scored as f64),
                format!("{:.1}", effort.milliseconds / 60e3),
            ]);
        }
        sheet
    }
}
