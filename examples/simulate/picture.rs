//! Efficiency against workers, and accuracy against candidates in flight, side by side.

use crate::drawing::{Area, canvas};
use crate::quality::Found;
use crate::workers::Course;
use plotters::prelude::*;
use std::collections::BTreeSet;
use std::error::Error;
use std::ops::Range;

const SCORING: RGBColor = RGBColor(13, 148, 136);
/// From few in flight to many.
const SHADES: [RGBColor; 3] = [RGBColor(94, 201, 98), SCORING, RGBColor(59, 82, 139)];
const BUSY: RGBColor = RGBColor(217, 119, 6);

/// The picture, as SVG.
pub fn picture(courses: &[Course], found: &[Found]) -> Result<String, Box<dyn Error>> {
    canvas((960, 380), |root| {
        let (left, right) = root.split_horizontally(480);
        // A line for each number of candidates in flight to a worker; rank 0 works most in the last.
        let shares: BTreeSet<usize> = courses.iter().map(share).collect();
        let line = |in_flight: usize, of: fn(&Course) -> f64| -> Vec<_> {
            let courses = courses.iter().filter(|course| share(course) == in_flight);
            courses.map(|course| (course.workers, 100.0 * of(course))).collect()
        };
        let mut lines: Vec<_> = shares
            .iter()
            .zip(SHADES.iter().cycle())
            .map(|(&count, &colour)| {
                (format!("workers score, {count} in flight for each"), colour, line(count, Course::efficiency))
            })
            .collect();
        lines.extend(shares.last().map(|&most| ("rank 0 works".to_string(), BUSY, line(most, Course::busy_share))));
        lines_over(&left, "workers", "share of the time (%)", 0.0..140.0, &lines, &[])?;
        let points: Vec<_> = found.iter().map(|found| (found.in_flight as f64, found.mean)).collect();
        let bars: Vec<_> = found.iter().map(|found| (found.in_flight as f64, found.mean, 2.0 * found.error)).collect();
        let least = bars.iter().map(|bar| bar.1 - bar.2).fold(f64::INFINITY, f64::min);
        let most = bars.iter().map(|bar| bar.1 + bar.2).fold(f64::NEG_INFINITY, f64::max);
        let lines = [("mean of the searches, ± 2 standard errors".to_string(), SCORING, points)];
        lines_over(
            &right,
            "candidates in flight",
            "accuracy of the best cell (%)",
            least - 0.5..most + 0.5,
            &lines,
            &bars,
        )
    })
}

/// How many candidates are in flight for each worker.
fn share(course: &Course) -> usize {
    course.in_flight / course.workers as usize
}

type Line = (String, RGBColor, Vec<(f64, f64)>);

/// Lines over an axis of powers, and bars of error about their points.
fn lines_over(
    area: &Area<'_>,
    x: &str,
    y: &str,
    height: Range<f64>,
    lines: &[Line],
    bars: &[(f64, f64, f64)],
) -> Result<(), Box<dyn Error>> {
    let all = || lines.iter().flat_map(|line| &line.2).map(|point| point.0);
    let width = all().fold(f64::INFINITY, f64::min) / 1.3..all().fold(1.0, f64::max) * 1.3;
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(width.log_scale(), height)?;
    chart.configure_mesh().x_desc(x).y_desc(y).x_label_formatter(&|x| format!("{x:.0}")).draw()?;
    for (name, colour, points) in lines {
        let colour = *colour;
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 4, colour.filled())))?;
    }
    let bar =
        |&(x, y, reach): &(f64, f64, f64)| PathElement::new([(x, y - reach), (x, y + reach)], SCORING.stroke_width(2));
    chart.draw_series(bars.iter().map(bar))?;
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).position(SeriesLabelPosition::UpperLeft).draw()?;
    Ok(())
}
