//! What scores are worth against the time that they take.

use crate::common::failure::{At, Failure, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

/// What one way of scoring takes, and the τ of each set.
pub struct Priced {
    name: String,
    milliseconds: f64,
    taus: [f64; 2],
}

/// The sets, with their colours.
const SETS: [(&str, RGBColor); 2] =
    [("extended", RGBColor(43, 108, 176)), ("the paper's four", RGBColor(221, 107, 32))];

impl Priced {
    /// Reads what `correlate` says of a setting in `folder`: means over its seeds. Nothing, if it says nothing there.
    pub fn read(folder: &Path, name: &str, column: Option<&str>) -> Result<Option<Self>> {
        let path = folder.join("settings.csv");
        if !path.exists() {
            return Ok(None);
        }
        let mut reader = csv::Reader::from_path(&path).at(&path)?;
        let heading = reader.headers().at(&path)?.clone();
        let place = |name: &str| {
            let found = heading.iter().position(|own| own == name);
            found.ok_or_else(|| Failure::content(&path, format!("has no column {name}")))
        };
        let [of_column, milliseconds] = [place("column")?, place("ms per architecture")?];
        let taus = [place("extended, tau")?, place("paper's four, tau")?];
        for record in reader.records() {
            let record = record.at(&path)?;
            let number = |place: usize| record[place].parse::<f64>().ok().filter(|number| number.is_finite());
            let values = (number(milliseconds).filter(|&time| time > 0.0), taus.map(number));
            if let (true, (Some(milliseconds), [Some(extended), Some(paper)])) =
                (column.is_none_or(|column| column == &record[of_column]), values)
            {
                return Ok(Some(Self { name: name.to_string(), milliseconds, taus: [extended, paper] }));
            }
        }
        Ok(None)
    }
}

/// More than what is cheaper, by less than this, is chance.
const LEAST_GAIN: f64 = 0.003;

/// τ against milliseconds, as SVG. A line joins what is worth more than everything cheaper, which alone is named.
pub fn picture(all: &[Priced]) -> std::result::Result<String, Box<dyn Error>> {
    let mut ordered: Vec<&Priced> = all.iter().collect();
    ordered.sort_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
    let taus = || all.iter().flat_map(|priced| priced.taus);
    let height = taus().fold(f64::INFINITY, f64::min) - 0.01..taus().fold(f64::NEG_INFINITY, f64::max) + 0.02;
    let times = || all.iter().map(|priced| priced.milliseconds);
    let width = times().fold(f64::INFINITY, f64::min) / 1.4..times().fold(0.0, f64::max) * 1.3;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (760, 460)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(width.log_scale(), height)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("milliseconds a score")
            .y_desc("Kendall's tau with trained accuracy")
            .x_label_formatter(&|time| format!("{time}"))
            .y_label_formatter(&|tau| format!("{tau:.2}"))
            .draw()?;
        for (set, (name, colour)) in SETS.into_iter().enumerate() {
            let mut best: Vec<&Priced> = Vec::new();
            for priced in &ordered {
                if best.last().is_none_or(|last| priced.taus[set] > last.taus[set] + LEAST_GAIN) {
                    best.push(priced);
                }
            }
            let point = |priced: &&Priced| (priced.milliseconds, priced.taus[set]);
            chart
                .draw_series(LineSeries::new(best.iter().map(point), colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
            chart.draw_series(ordered.iter().map(|priced| Circle::new(point(priced), 4, colour.mix(0.5).filled())))?;
            let style = ("sans-serif", 12).into_font().color(&BLACK).pos(Pos::new(HPos::Right, VPos::Bottom));
            let named = best.iter().map(|priced| {
                EmptyElement::at(point(priced)) + Text::new(priced.name.clone(), (-4, -6), style.clone())
            });
            chart.draw_series(named)?;
        }
        let mut labels = chart.configure_series_labels();
        labels.background_style(WHITE.mix(0.8)).position(SeriesLabelPosition::LowerRight).draw()?;
        root.present()?;
    }
    Ok(svg)
}
