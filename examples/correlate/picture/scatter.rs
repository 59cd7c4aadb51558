//! Predicted against true ranks.

use super::{Anchor, BLUE, INK, ORANGE, PALE, Picture, RULE};

/// Most points in a scatter; of more, every so many-th is drawn.
const MOST_POINTS: usize = 4000;

/// What a scatter shows. Ranks are doubled, as they are counted.
pub struct Points<'a> {
    pub prediction: &'a str,
    pub name: &'a str,
    pub tau: &'a str,
    pub predicted: &'a [u32],
    pub truth: &'a [u32],
}

/// A scatter by itself.
pub fn scatter(points: &Points<'_>) -> String {
    const SIDE: f64 = 440.0;
    let mut picture = Picture::new(LEFT + SIDE + 30.0, TOP + SIDE + 60.0);
    draw(&mut picture, points, [LEFT, TOP], SIDE);
    picture.text([LEFT + SIDE / 2.0, TOP + SIDE + 42.0], Anchor::Middle, 12.0, INK, "predicted rank (best right)");
    let (x, y) = (20.0, TOP + SIDE / 2.0);
    picture.element(format_args!(
        r#"<text transform="translate({x},{y}) rotate(-90)" text-anchor="middle" font-size="12" fill="{INK}">true rank (best up)</text>"#
    ));
    picture.finish()
}

/// Many small scatters: right is predicted to be better, up is better.
pub fn scatters(all: &[Points<'_>]) -> String {
    const SIDE: f64 = 210.0;
    const COLUMNS: usize = 4;
    const WIDTH: f64 = LEFT + SIDE + 14.0;
    const HEIGHT: f64 = TOP + SIDE + 34.0;
    let rows = all.len().div_ceil(COLUMNS);
    let mut picture = Picture::new(WIDTH * COLUMNS as f64, HEIGHT * rows as f64);
    for (number, points) in all.iter().enumerate() {
        let (column, row) = ((number % COLUMNS) as f64, (number / COLUMNS) as f64);
        draw(&mut picture, points, [WIDTH * column + LEFT, HEIGHT * row + TOP], SIDE);
    }
    picture.finish()
}

const LEFT: f64 = 60.0;
const TOP: f64 = 50.0;

fn draw(picture: &mut Picture, points: &Points<'_>, [left, top]: [f64; 2], side: f64) {
    let Points { prediction, name, tau, predicted, truth } = *points;
    let count = truth.len() as f64;
    let place = |rank: u32| f64::from(rank) / 2.0 / count * side;
    let steps = if side > 300.0 { 4 } else { 2 };
    for step in 0..=steps {
        let share = f64::from(step) / f64::from(steps);
        let (at, label) = (share * side, format!("{}", (share * count).round()));
        picture.line([left + at, top], [left + at, top + side], RULE, 1.0);
        picture.line([left, top + at], [left + side, top + at], RULE, 1.0);
        picture.text([left + at, top + side + 18.0], Anchor::Middle, 11.0, PALE, &label);
        picture.text([left - 8.0, top + side - at + 4.0], Anchor::End, 11.0, PALE, &label);
    }
    picture.line([left, top + side], [left + side, top], ORANGE, 1.2);
    let radius = if side > 300.0 { 2.0 } else { 1.4 };
    let step = truth.len().div_ceil(MOST_POINTS).max(1);
    for (&predicted, &truth) in predicted.iter().zip(truth).step_by(step) {
        let (x, y) = (left + place(predicted), top + side - place(truth));
        picture.element(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{BLUE}" fill-opacity="0.35"/>"#
        ));
    }
    picture.text([left, top - 28.0], Anchor::Start, 15.0, INK, prediction);
    picture.text([left, top - 10.0], Anchor::Start, 12.0, PALE, &format!("{name}, Kendall τ {tau}"));
}
