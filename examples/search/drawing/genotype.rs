//! Architectures of NDS: both cells, states in a row, the two edges of a node above and below them.

use super::{Area, BLUE, INK, ORANGE, PALE, Place, TEAL, VIOLET, canvas, curve, label, text};
use aznas::spaces::nds::{Architecture, Cell, Edge, Operation};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::error::Error;

const RADIUS: i32 = 26;
const STEP: i32 = 160;
/// Room of a cell, from above to below.
const HEIGHT: i32 = 500;

/// The cell that is repeated and, below it, the one that halves the map.
pub fn picture(architecture: &Architecture) -> Result<String, Box<dyn Error>> {
    let cells = [("normal cell", architecture.normal()), ("reduction", architecture.reduction())];
    let states = cells.map(|(_, cell)| cell.states()).into_iter().max().unwrap_or(0);
    canvas(((20 + STEP * states as i32) as u32, (2 * HEIGHT + 40) as u32), |area| {
        for (row, (name, cell)) in cells.into_iter().enumerate() {
            draw(area, cell, name, HEIGHT * row as i32)?;
        }
        let size = format!("{} cells from {} filters on", architecture.depth(), architecture.width());
        let legend = format!("{size}; filled: side by side, these are what a cell makes");
        text(area, &legend, (24, 2 * HEIGHT + 20), 14, PALE, HPos::Left)
    })
}

fn draw(area: &Area<'_>, cell: &Cell, name: &str, top: i32) -> Result<(), Box<dyn Error>> {
    let place = |state: usize| -> Place { (85 + STEP * state as i32, top + HEIGHT / 2) };
    text(area, name, (24, top + 24), 16, INK, HPos::Left)?;
    for (node, edges) in cell.nodes().iter().enumerate() {
        let target = node + 2;
        for (side, &Edge { operation, state }) in [1.0, -1.0].into_iter().zip(edges) {
            let (words, colour) = named(operation);
            let bend = side * (46.0 + 33.0 * (target - usize::from(state) - 1) as f64);
            // Zeros are dashed.
            let width = if operation == Operation::None { 0 } else { 2 };
            let middle = curve(area, place(state.into()), place(target), RADIUS, bend, (colour, width))?;
            label(area, words, middle, colour)?;
        }
    }
    for state in 0..cell.states() {
        let is_part = cell.parts().iter().any(|&part| usize::from(part) == state);
        area.draw(&Circle::new(place(state), RADIUS, if is_part { INK } else { WHITE }.filled()))?;
        area.draw(&Circle::new(place(state), RADIUS, INK.stroke_width(2)))?;
        let name = ["k − 2", "k − 1", "2", "3", "4", "5", "6"].get(state).copied().unwrap_or_default();
        text(area, name, place(state), 15, if is_part { WHITE } else { INK }, HPos::Center)?;
    }
    Ok(())
}

/// What an operation is called, in the colour of its kind.
fn named(operation: Operation) -> (&'static str, RGBColor) {
    match operation {
        Operation::None => ("none", PALE),
        Operation::SkipConnect => ("skip", INK),
        Operation::AvgPool3x3 => ("avg pool 3×3", ORANGE),
        Operation::MaxPool3x3 => ("max pool 3×3", ORANGE),
        Operation::MaxPool5x5 => ("max pool 5×5", ORANGE),
        Operation::MaxPool7x7 => ("max pool 7×7", ORANGE),
        Operation::Conv1x1 => ("conv 1×1", BLUE),
        Operation::Conv3x3 => ("conv 3×3", BLUE),
        Operation::Conv3x1Conv1x3 => ("1×3, 3×1", BLUE),
        Operation::Conv7x1Conv1x7 => ("1×7, 7×1", BLUE),
        Operation::SepConv3x3 => ("sep conv 3×3", TEAL),
        Operation::SepConv5x5 => ("sep conv 5×5", TEAL),
        Operation::SepConv7x7 => ("sep conv 7×7", TEAL),
        Operation::DilConv3x3 => ("dil conv 3×3", VIOLET),
        Operation::DilConv5x5 => ("dil conv 5×5", VIOLET),
        Operation::DilSepConv3x3 => ("dil sep 3×3", VIOLET),
    }
}
