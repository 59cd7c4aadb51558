//! A figure for every two of a list, as colours.

use super::{Anchor, INK, ORANGE, Picture, RULE};
use crate::sheet::escape;

/// A square of figures.
pub struct Map<'a> {
    pub names: &'a [String],
    pub values: &'a [Vec<Option<f64>>],
    /// For each row, the place of a figure that is framed.
    pub framed: &'a [Option<usize>],
}

/// A square of correlations.
pub fn heat_map(map: &Map<'_>) -> String {
    const CELL: f64 = 46.0;
    const LEFT: f64 = 170.0;
    const TOP: f64 = 30.0;
    let Map { names, values, framed } = *map;
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
            let label = value.map_or("–".into(), |value| format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0));
            let fill = if value.is_some_and(|value| value.abs() > 0.6) { "#ffffff" } else { INK };
            let middle = [corner[0] + CELL / 2.0, corner[1] + CELL / 2.0 + 4.0];
            picture.text(middle, Anchor::Middle, 11.0, fill, &label);
        }
        if let Some(place) = framed.get(i).copied().flatten() {
            let x = LEFT + CELL * place as f64 + 1.0;
            let side = CELL - 3.0;
            picture.element(format_args!(
                r#"<rect x="{x:.1}" y="{:.1}" width="{side}" height="{side}" fill="none" stroke="{ORANGE}" stroke-width="3"/>"#,
                y + 1.0
            ));
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
