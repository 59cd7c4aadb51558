//! Cells of NAS-Bench-201.

use super::{Anchor, INK, PALE, Picture, RULE};
use aznas::spaces::nb201::{Cell, EDGES, Operation};

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
