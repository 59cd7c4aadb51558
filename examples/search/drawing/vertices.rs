//! Cells of NAS-Bench-101: operations in a row, edges above and below them.

use super::{BLUE, INK, ORANGE, TEAL, canvas, curve, text};
use aznas::spaces::nb101::{Cell, Operation};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::error::Error;

const RADIUS: i32 = 40;
const STEP: i32 = 130;
/// The line that the vertices stand on.
const LINE: i32 = 240;

/// The vertices in a row. An edge bends the more, the farther it leads; those of every other vertex bend down.
pub fn picture(cell: &Cell) -> Result<String, Box<dyn Error>> {
    let place = |vertex: usize| (70 + STEP * vertex as i32, LINE);
    canvas(((140 + STEP * cell.output() as i32) as u32, 2 * LINE as u32), |area| {
        for (source, target) in cell.edges() {
            let side = if source % 2 == 0 { 1.0 } else { -1.0 };
            // Around the vertices between.
            let bend = match target - source {
                1 => 0.0,
                distance => side * (26.0 + 34.0 * (distance - 1) as f64),
            };
            curve(area, place(source), place(target), RADIUS, bend, (INK, 2))?;
        }
        for vertex in 0..cell.vertices() {
            let (name, colour) = match vertex.checked_sub(1).and_then(|inside| cell.operations().get(inside)) {
                Some(Operation::Conv3x3) => ("conv 3×3", BLUE),
                Some(Operation::Conv1x1) => ("conv 1×1", TEAL),
                Some(Operation::MaxPool3x3) => ("max 3×3", ORANGE),
                None if vertex == 0 => ("input", INK),
                None => ("output", INK),
            };
            area.draw(&Circle::new(place(vertex), RADIUS, colour.filled()))?;
            text(area, name, place(vertex), 14, WHITE, HPos::Center)?;
        }
        Ok(())
    })
}
