//! Bars beside published figures.

use super::{Anchor, BLUE, INK, LIGHT, ORANGE, PALE, Picture, RULE};

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
    let mut picture = Picture::new(LEFT + SIDE + 130.0, bottom + 50.0);
    let figures = || bars.iter().flat_map(|bar| bar.values.into_iter().flatten().chain(bar.published));
    let lowest = figures().fold(0.0, f64::min).min(0.0);
    let largest = figures().fold(0.1, f64::max);
    let x = |value: f64| LEFT + (value - lowest) / (largest - lowest) * SIDE;
    let mut tick = (lowest * 10.0).ceil() / 10.0;
    while tick <= largest + 1e-9 {
        picture.line([x(tick), TOP - 6.0], [x(tick), bottom], RULE, 1.0);
        // Sums of tenths miss 0 by a little, and would write −0.
        let label = format!("{:.1}", (tick * 10.0).round() / 10.0 + 0.0);
        picture.text([x(tick), bottom + 16.0], Anchor::Middle, 11.0, PALE, &label);
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
            let published = bar.published.map_or(String::new(), |published| format!(", paper {published:.3}"));
            picture.text([end + 6.0, middle + 4.0], Anchor::Start, 11.0, PALE, &format!("{value:.3}{published}"));
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
