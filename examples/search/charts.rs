//! Pictures of how a search went.

use crate::drawing::{Area, canvas};
use aznas::proxy::Proxy;
use plotters::prelude::*;
use std::error::Error;

const INK: RGBColor = RGBColor(55, 65, 81);
const GRID: RGBColor = RGBColor(229, 231, 235);
const BEST: RGBColor = RGBColor(220, 38, 38);
const BUDGET: RGBColor = RGBColor(107, 114, 128);

/// Colours from the worst aggregate to the best.
const SCALE: [RGBColor; 5] =
    [RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(94, 201, 98), RGBColor(253, 231, 37)];

/// Most candidates drawn as points; more would be a blot, and a large file.
const MAX_POINTS: usize = 3000;

/// Most pairs of proxies that are drawn.
const MAX_PAIRS: usize = 15;

/// The history of a search, of at least one candidate.
pub struct View<'a> {
    /// The values of each proxy that ranks, of every candidate.
    pub columns: Vec<(Proxy, Vec<f64>)>,
    /// The aggregate of every candidate among all.
    pub aggregates: &'a [f64],
    /// The multiply-adds of every candidate, as the space counts them.
    pub complexities: Vec<f64>,
    /// The limit on complexity.
    pub budget: Option<f64>,
}

/// Aggregate and complexity of the candidates and of the best one so far, over the steps.
pub fn progress(view: &View) -> Result<String, Box<dyn Error>> {
    canvas((960, 720), |root| {
        let (upper, lower) = root.split_vertically(360);
        let leaders = leaders(view.aggregates);
        let (name, millions) = axis("complexity", &view.complexities);
        over_steps(&upper, "aggregate of ranks in the whole history", view.aggregates, &leaders, None)?;
        over_steps(&lower, &name, &millions, &leaders, view.budget.map(|budget| budget / 1e6))
    })
}

/// What is drawn along an axis: numbers in the millions as such.
fn axis(name: &str, values: &[f64]) -> (String, Vec<f64>) {
    let is_large = name == "complexity" || values.iter().any(|value| value.is_finite() && value.abs() >= 1e6);
    if is_large {
        (format!("{name} (millions)"), values.iter().map(|value| value / 1e6).collect())
    } else {
        (name.to_string(), values.to_vec())
    }
}

/// Pairs of proxies against each other: complexity against all others first, and as many others as there is room for.
pub fn proxies(view: &View) -> Result<String, Box<dyn Error>> {
    let axes: Vec<(String, Vec<f64>)> = view.columns.iter().map(|(proxy, column)| axis(proxy.name(), column)).collect();
    let columns: Vec<&Vec<f64>> = axes.iter().map(|(_, column)| column).collect();
    let best = leaders(view.aggregates)[view.aggregates.len() - 1];
    let first = view.columns.iter().position(|(proxy, _)| *proxy == Proxy::Complexity);
    let rest: Vec<usize> = (0..columns.len()).filter(|&place| Some(place) != first).collect();
    let mut pairs: Vec<(usize, usize)> = rest.iter().filter_map(|&place| Some((first?, place))).collect();
    for (i, &x) in rest.iter().enumerate() {
        pairs.extend(rest[i + 1..].iter().map(|&y| (x, y)));
    }
    pairs.truncate(MAX_PAIRS);
    let rows = pairs.len().div_ceil(3).max(1);
    canvas((1260, 380 * rows as u32), |root| {
        for (area, &(x, y)) in root.split_evenly((rows, 3)).iter().zip(&pairs) {
            let (Some(width), Some(height)) = (range(columns[x]), range(columns[y])) else { continue };
            let mut chart = ChartBuilder::on(area)
                .margin(14)
                .x_label_area_size(42)
                .y_label_area_size(62)
                .build_cartesian_2d(width.clone(), height.clone())?;
            mesh(&mut chart, &axes[x].0, &axes[y].0)?;
            // The best ones come last, to lie on top.
            let mut order = drawn(view.aggregates.len());
            order.sort_by(|&a, &b| view.aggregates[a].total_cmp(&view.aggregates[b]));
            let last = order.len().max(2) - 1;
            let place = |i: usize| (columns[x][i], columns[y][i]);
            let is_inside =
                |&(_, i): &(usize, usize)| width.contains(&columns[x][i]) && height.contains(&columns[y][i]);
            chart.draw_series(
                order
                    .iter()
                    .copied()
                    .enumerate()
                    .filter(is_inside)
                    .map(|(rank, i)| Circle::new(place(i), 2, shade(rank as f64 / last as f64).mix(0.8).filled())),
            )?;
            if is_inside(&(0, best)) {
                chart.draw_series([Circle::new(place(best), 6, BEST.stroke_width(2))])?;
            }
        }
        Ok(())
    })
}

fn over_steps(
    area: &Area<'_>,
    name: &str,
    values: &[f64],
    leaders: &[usize],
    budget: Option<f64>,
) -> Result<(), Box<dyn Error>> {
    let shown: Vec<f64> = values.iter().copied().chain(budget).collect();
    let Some(height) = range(&shown) else { return Ok(()) };
    let steps = values.len();
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..steps as f64, height.clone())?;
    mesh(&mut chart, "step", name)?;
    let points = drawn(steps).into_iter().filter(|&i| height.contains(&values[i]));
    chart
        .draw_series(points.map(|i| Circle::new((i as f64, values[i]), 2, SCALE[1].mix(0.35).filled())))?
        .label("candidates")
        .legend(|(x, y)| Circle::new((x + 9, y), 3, SCALE[1].filled()));
    let mut stairs = Vec::new();
    for (step, &leader) in leaders.iter().enumerate().filter(|&(_, &leader)| values[leader].is_finite()) {
        let value = values[leader];
        match stairs.last() {
            Some(&(_, before)) if before == value => continue,
            Some(&(_, before)) => stairs.push((step as f64, before)),
            None => {}
        }
        stairs.push((step as f64, value));
    }
    stairs.extend(stairs.last().map(|&(_, value)| (steps as f64, value)));
    chart
        .draw_series(LineSeries::new(stairs, BEST.stroke_width(2)))?
        .label("best so far")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BEST.stroke_width(2)));
    if let Some(budget) = budget {
        let ends = [(0.0, budget), (steps as f64, budget)];
        chart
            .draw_series(DashedLineSeries::new(ends, 8, 6, BUDGET.stroke_width(1)))?
            .label("budget")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BUDGET.stroke_width(1)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 14, &INK))
        .draw()?;
    Ok(())
}

type Chart<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type RangedCoordf64 = plotters::coord::types::RangedCoordf64;

fn mesh(chart: &mut Chart<'_, '_>, x: &str, y: &str) -> Result<(), Box<dyn Error>> {
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .axis_desc_style(("sans-serif", 15, &INK))
        .label_style(("sans-serif", 13, &INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(())
}

/// A number as short as it is exact to the third digit, without a sign of its own for zero.
fn label(value: &f64) -> String {
    let rounded = (value * 1e3).round() / 1e3;
    if rounded == 0.0 { "0".to_string() } else { rounded.to_string() }
}

/// The best candidate of the first one, the first two, and so on.
fn leaders(aggregates: &[f64]) -> Vec<usize> {
    let better = |best: usize, i: usize| if aggregates[i] > aggregates[best] { i } else { best };
    (0..aggregates.len())
        .scan(0, |best, i| {
            *best = better(*best, i);
            Some(*best)
        })
        .collect()
}

/// The candidates drawn as points: all, or evenly spread ones.
fn drawn(candidates: usize) -> Vec<usize> {
    (0..candidates).step_by(candidates.div_ceil(MAX_POINTS).max(1)).collect()
}

/// What the finite values span, with some room; rare values far out are left out.
fn range(values: &[f64]) -> Option<std::ops::Range<f64>> {
    let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let last = finite.len().checked_sub(1)?;
    let (low, high) = (finite[last / 50], finite[last]);
    let room = if high > low { 0.05 * (high - low) } else { 1.0 };
    Some(low - room..high + room)
}

/// The colour at a place from 0 to 1 of the scale.
fn shade(place: f64) -> RGBColor {
    let along = place.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let below = (along as usize).min(SCALE.len() - 2);
    let part = along - below as f64;
    let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8;
    let (a, b) = (SCALE[below], SCALE[below + 1]);
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
