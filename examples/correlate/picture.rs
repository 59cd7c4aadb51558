//! Pictures as SVG.

use crate::sheet::escape;
use aznas::spaces::nb201::{Cell, EDGES, Operation};
use std::fmt::Write;

const INK: &str = "#1a202c";
const PALE: &str = "#718096";
const RULE: &str = "#e2e8f0";
const BLUE: &str = "#2b6cb0";
const LIGHT: &str = "#90cdf4";
const ORANGE: &str = "#dd6b20";

/// A picture under construction.
struct Picture {
    width: f64,
    height: f64,
    body: String,
}

#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

impl Picture {
    fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }

    fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, size: f64, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.element(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{text}</text>"#
        ));
    }

    fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], stroke: &str, width: f64) {
        self.element(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}" stroke-width="{width}"/>"#
        ));
    }

    fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], fill: &str) {
        self.element(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        ));
    }

    fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    }
}

/// Most points in a scatter; of more, every so many-th is drawn.
const MOST_POINTS: usize = 4000;

/// Predicted against true ranks (doubled, as they are counted).
pub fn scatter(predicted: &[u32], truth: &[u32], prediction: &str, name: &str, tau: &str) -> String {
    const SIDE: f64 = 440.0;
    const LEFT: f64 = 70.0;
    const TOP: f64 = 50.0;
    let mut picture = Picture::new(LEFT + SIDE + 30.0, TOP + SIDE + 60.0);
    let count = truth.len() as f64;
    let place = |rank: u32| f64::from(rank) / 2.0 / count * SIDE;
    for quarter in 0..=4 {
        let at = f64::from(quarter) / 4.0 * SIDE;
        let label = format!("{}", (f64::from(quarter) / 4.0 * count).round());
        picture.line([LEFT + at, TOP], [LEFT + at, TOP + SIDE], RULE, 1.0);
        picture.line([LEFT, TOP + at], [LEFT + SIDE, TOP + at], RULE, 1.0);
        picture.text([LEFT + at, TOP + SIDE + 18.0], Anchor::Middle, 11.0, PALE, &label);
        picture.text([LEFT - 8.0, TOP + SIDE - at + 4.0], Anchor::End, 11.0, PALE, &label);
    }
    picture.line([LEFT, TOP + SIDE], [LEFT + SIDE, TOP], ORANGE, 1.2);
    let step = truth.len().div_ceil(MOST_POINTS).max(1);
    for (&predicted, &truth) in predicted.iter().zip(truth).step_by(step) {
        let (x, y) = (LEFT + place(predicted), TOP + SIDE - place(truth));
        picture.element(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="2" fill="{BLUE}" fill-opacity="0.35"/>"#));
    }
    picture.text([LEFT, 22.0], Anchor::Start, 15.0, INK, prediction);
    picture.text([LEFT, 40.0], Anchor::Start, 12.0, PALE, &format!("{name}, Kendall τ {tau}"));
    picture.text([LEFT + SIDE / 2.0, TOP + SIDE + 42.0], Anchor::Middle, 12.0, INK, "predicted rank (best right)");
    let (x, y) = (20.0, TOP + SIDE / 2.0);
    picture.element(format_args!(
        r#"<text transform="translate({x},{y}) rotate(-90)" text-anchor="middle" font-size="12" fill="{INK}">true rank (best up)</text>"#
    ));
    picture.finish()
}

/// A square matrix of correlations.
pub fn heat_map(names: &[String], values: &[Vec<Option<f64>>]) -> String {
    const CELL: f64 = 46.0;
    const LEFT: f64 = 170.0;
    const TOP: f64 = 30.0;
    let side = CELL * names.len() as f64;
    let mut picture = Picture::new(LEFT + side + 20.0, TOP + side + 130.0);
    for (i, (name, row)) in names.iter().zip(values).enumerate() {
        let y = TOP + CELL * i as f64;
        picture.text([LEFT - 8.0, y + CELL / 2.0 + 4.0], Anchor::End, 12.0, INK, name);
        let x = LEFT + CELL * i as f64 + CELL / 2.0 + 4.0;
        let (bottom, name) = (TOP + side + 10.0, escape(name));
        picture.element(format_args!(
            r#"<text transform="translate({x:.1},{bottom:.1}) rotate(-45)" text-anchor="end" font-size="12" fill="{INK}">{name}</text>"#
        ));
        for (j, &value) in row.iter().enumerate() {
            let corner = [LEFT + CELL * j as f64, y];
            picture.rectangle(corner, [CELL - 1.0, CELL - 1.0], &shade(value));
            let label = value.map_or("–".into(), |value| format!("{value:.2}"));
            let fill = if value.is_some_and(|value| value.abs() > 0.6) { "#ffffff" } else { INK };
            let middle = [corner[0] + CELL / 2.0, corner[1] + CELL / 2.0 + 4.0];
            picture.text(middle, Anchor::Middle, 11.0, fill, &label);
        }
    }
    picture.finish()
}

/// White at 0, blue at 1, orange at −1, grey where undefined.
fn shade(value: Option<f64>) -> String {
    let Some(value) = value else { return RULE.into() };
    let end = if value < 0.0 { [221.0, 107.0, 32.0] } else { [35.0, 88.0, 150.0] };
    let [r, g, b] = end.map(|end: f64| (255.0 + (end - 255.0) * value.abs().min(1.0)).round());
    format!("rgb({r},{g},{b})")
}

/// A bar of two values, with a published figure to compare with.
pub struct Bar {
    pub label: String,
    pub values: [Option<f64>; 2],
    pub published: Option<f64>,
}

/// Horizontal bars; `legend` names the two values, an empty name means there is but one.
pub fn bars(bars: &[Bar], legend: [&str; 2], axis: &str) -> String {
    const LEFT: f64 = 210.0;
    const SIDE: f64 = 480.0;
    const TOP: f64 = 46.0;
    let is_double = !legend[1].is_empty();
    let pitch = if is_double { 26.0 } else { 22.0 };
    let bottom = TOP + pitch * bars.len() as f64;
    let mut picture = Picture::new(LEFT + SIDE + 70.0, bottom + 50.0);
    let figures = || bars.iter().flat_map(|bar| bar.values.into_iter().flatten().chain(bar.published));
    let lowest = figures().fold(0.0, f64::min).min(0.0);
    let largest = figures().fold(0.1, f64::max);
    let x = |value: f64| LEFT + (value - lowest) / (largest - lowest) * SIDE;
    let mut tick = (lowest * 10.0).ceil() / 10.0;
    while tick <= largest + 1e-9 {
        picture.line([x(tick), TOP - 6.0], [x(tick), bottom], RULE, 1.0);
        picture.text(
            [x(tick), bottom + 16.0],
            Anchor::Middle,
            11.0,
            PALE,
            &format!("{:.1}", tick.abs().copysign(tick)),
        );
        tick += 0.1;
    }
    picture.text([LEFT + SIDE / 2.0, bottom + 36.0], Anchor::Middle, 12.0, INK, axis);
    let mut at = LEFT;
    for (name, colour) in legend.into_iter().zip([BLUE, LIGHT]).filter(|(name, _)| !name.is_empty()) {
        picture.rectangle([at, 14.0], [12.0, 12.0], colour);
        picture.text([at + 18.0, 24.0], Anchor::Start, 12.0, INK, name);
        at += 40.0 + 8.0 * name.len() as f64;
    }
    if bars.iter().any(|bar| bar.published.is_some()) {
        diamond(&mut picture, [at + 6.0, 20.0]);
        picture.text([at + 18.0, 24.0], Anchor::Start, 12.0, INK, "paper");
    }
    for (i, bar) in bars.iter().enumerate() {
        let y = TOP + pitch * i as f64;
        let middle = y + pitch / 2.0 - 2.0;
        picture.text([LEFT - 8.0, middle + 4.0], Anchor::End, 12.0, INK, &bar.label);
        let thickness = if is_double { 10.0 } else { 15.0 };
        for (k, (value, colour)) in bar.values.into_iter().zip([BLUE, LIGHT]).enumerate() {
            let Some(value) = value else { continue };
            let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
            picture.rectangle([from, y + k as f64 * thickness], [to - from, thickness - 1.0], colour);
        }
        if let Some(value) = bar.values.into_iter().flatten().reduce(f64::max) {
            let end = x(value).max(bar.published.map_or(0.0, |published| x(published) + 6.0));
            picture.text([end + 6.0, middle + 4.0], Anchor::Start, 11.0, PALE, &format!("{value:.3}"));
        }
        if let Some(published) = bar.published {
            diamond(&mut picture, [x(published), middle]);
        }
    }
    picture.finish()
}

fn diamond(picture: &mut Picture, [x, y]: [f64; 2]) {
    picture.element(format_args!(
        r##"<path d="M{x:.1} {:.1}l6 6l-6 6l-6 -6z" fill="{ORANGE}" stroke="#ffffff"/>"##,
        y - 6.0
    ));
}

/// Rows of cells, each with a caption under it, and a name for each row.
pub fn cells(rows: &[(String, Vec<(Cell, String)>)]) -> String {
    const WIDTH: f64 = 250.0;
    const HEIGHT: f64 = 150.0;
    const LEFT: f64 = 190.0;
    const TOP: f64 = 44.0;
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let mut picture = Picture::new(LEFT + WIDTH * columns as f64 + 10.0, TOP + HEIGHT * rows.len() as f64);
    let mut at = 16.0;
    for operation in Operation::ALL.into_iter().filter(|&operation| operation != Operation::None) {
        let (colour, dash) = style(operation);
        picture.element(format_args!(
            r#"<line x1="{at}" y1="20" x2="{}" y2="20" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"/>"#,
            at + 30.0
        ));
        picture.text([at + 36.0, 24.0], Anchor::Start, 12.0, INK, operation.name());
        at += 150.0;
    }
    picture.text([at, 24.0], Anchor::Start, 12.0, PALE, "pale: cannot reach the output");
    for (i, (name, cells)) in rows.iter().enumerate() {
        let y = TOP + HEIGHT * i as f64;
        picture.line([10.0, y], [LEFT + WIDTH * columns as f64, y], RULE, 1.0);
        picture.text([16.0, y + HEIGHT / 2.0], Anchor::Start, 13.0, INK, name);
        for (j, (cell, caption)) in cells.iter().enumerate() {
            draw_cell(&mut picture, [LEFT + WIDTH * j as f64, y], cell, caption);
        }
    }
    picture.finish()
}

const fn style(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::None => ("none", "none"),
        Operation::SkipConnect => ("#718096", "none"),
        Operation::Conv1x1 => ("#38a169", "none"),
        Operation::Conv3x3 => ("#2b6cb0", "none"),
        Operation::AvgPool3x3 => ("#dd6b20", "6 4"),
    }
}

/// Nodes on a line; edges between neighbours straight, those that pass over one node as low arcs, one above and one
/// below, and the one from input to output as a high arc.
fn draw_cell(picture: &mut Picture, [left, top]: [f64; 2], cell: &Cell, caption: &str) {
    let node = |number: usize| [left + 30.0 + 60.0 * number as f64, top + 80.0];
    for ((&(source, target), operation), live) in EDGES.iter().zip(cell.0).zip(cell.live_edges()) {
        if operation == Operation::None {
            continue;
        }
        let rise = match (source, target) {
            (0, 2) => -62.0,
            (1, 3) => 62.0,
            (0, 3) => -118.0,
            _ => 0.0,
        };
        let ([x1, y1], [x2, y2]) = (node(source), node(target));
        let (colour, dash) = style(operation);
        let opacity = if live { 1.0 } else { 0.25 };
        let (middle, bend) = ((x1 + x2) / 2.0, (y1 + y2) / 2.0 + rise);
        picture.element(format_args!(
            r#"<path d="M{x1} {y1}Q{middle} {bend} {x2} {y2}" fill="none" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}" stroke-opacity="{opacity}"/>"#
        ));
    }
    for number in 0..4 {
        let [x, y] = node(number);
        picture.element(format_args!(
            r##"<circle cx="{x}" cy="{y}" r="10" fill="#ffffff" stroke="{INK}" stroke-width="1.5"/>"##
        ));
        picture.text([x, y + 4.0], Anchor::Middle, 11.0, INK, &number.to_string());
    }
    picture.text([left + 120.0, top + 138.0], Anchor::Middle, 11.0, PALE, caption);
}
