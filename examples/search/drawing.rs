//! Pictures of networks.

#[path = "drawing/genotype.rs"]
mod genotype;
#[path = "drawing/vertices.rs"] // wherever this file is taken from
mod vertices;

use aznas::graph::Network;
use aznas::spaces::Space;
use aznas::spaces::autoformer::Architecture;
use aznas::spaces::mbv2::{Kind, Structure, SuperBlock};
use aznas::spaces::nb201::{Cell, EDGES, NODES, Operation};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::any::Any;
use std::error::Error;

const INK: RGBColor = RGBColor(31, 41, 55);
const PALE: RGBColor = RGBColor(156, 163, 175);
const BLUE: RGBColor = RGBColor(37, 99, 235);
const TEAL: RGBColor = RGBColor(13, 148, 136);
const VIOLET: RGBColor = RGBColor(124, 58, 237);
const ORANGE: RGBColor = RGBColor(217, 119, 6);

/// The picture of an architecture, as SVG: one of its own kind, or else its layers in a column. `side` is the resolution
/// that it is made for.
pub fn picture<S: Space>(space: &S, architecture: &S::Architecture, side: usize) -> Result<String, Box<dyn Error>> {
    let head = space.layer(architecture, space.network(architecture).block_count()).to_string();
    let kind: &dyn Any = architecture;
    if let Some(cell) = kind.downcast_ref() {
        cell_picture(cell)
    } else if let Some(cell) = kind.downcast_ref() {
        vertices::picture(cell)
    } else if let Some(architecture) = kind.downcast_ref() {
        genotype::picture(architecture)
    } else if let Some(structure) = kind.downcast_ref() {
        structure_picture(structure, side, &head)
    } else if let Some(architecture) = kind.downcast_ref() {
        transformer_picture(architecture, &head)
    } else {
        layers_picture(space, architecture)
    }
}

/// The layers of any architecture from top to bottom.
fn layers_picture<S: Space>(space: &S, architecture: &S::Architecture) -> Result<String, Box<dyn Error>> {
    const STEP: usize = 26;
    let layers = space.network(architecture).block_count() + 1;
    canvas((920, (40 + STEP * layers) as u32), |area| {
        (0..layers).try_for_each(|index| {
            let place = (24, (30 + STEP * index) as i32);
            text(area, &space.layer(architecture, index).to_string(), place, 15, INK, HPos::Left)
        })
    })
}

/// What pictures are drawn on.
pub type Area<'s> = DrawingArea<SVGBackend<'s>, plotters::coord::Shift>;
type Place = (i32, i32);

/// A white picture of the given size with what `draw` puts on it, as SVG.
pub fn canvas(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn Error>>,
) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

fn text(area: &Area<'_>, text: &str, place: Place, size: u32, colour: RGBColor, h: HPos) -> Result<(), Box<dyn Error>> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&colour).pos(Pos::new(h, VPos::Center));
    area.draw(&Text::new(text.to_string(), place, style))?;
    Ok(())
}

/// An arrow head at `tip`, pointing along `direction`.
fn arrow_head(area: &Area<'_>, tip: Place, direction: (f64, f64), colour: RGBColor) -> Result<(), Box<dyn Error>> {
    let length = direction.0.hypot(direction.1).max(1e-9);
    let (x, y) = (direction.0 / length, direction.1 / length);
    let corner = |back: f64, side: f64| {
        (
            (f64::from(tip.0) - back * x - side * y).round() as i32,
            (f64::from(tip.1) - back * y + side * x).round() as i32,
        )
    };
    area.draw(&Polygon::new([tip, corner(12.0, 5.0), corner(12.0, -5.0)], colour.filled()))?;
    Ok(())
}

/// An arrow between two circles on one line, whose middle is `bend` above it; dashed if its width is 0. Returns its middle.
fn curve(
    area: &Area<'_>,
    from: Place,
    to: Place,
    radius: i32,
    bend: f64,
    (colour, width): (RGBColor, u32),
) -> Result<Place, Box<dyn Error>> {
    let (x0, x1, y) = (f64::from(from.0), f64::from(to.0), f64::from(from.1));
    // A cubic whose middle lies 3/4 as high as its control points.
    let height = y - bend * 4.0 / 3.0;
    let lean = (x1 - x0) * 0.2;
    let controls = [(x0, y), (x0 + lean, height), (x1 - lean, height), (x1, y)];
    let curve = |t: f64| {
        let weights = [(1.0 - t).powi(3), 3.0 * t * (1.0 - t).powi(2), 3.0 * t * t * (1.0 - t), t.powi(3)];
        let sum = |of: fn(&(f64, f64)) -> f64| controls.iter().zip(weights).map(|(c, w)| w * of(c)).sum::<f64>();
        (sum(|c| c.0), sum(|c| c.1))
    };
    let radius = f64::from(radius);
    let outside =
        |&(px, py): &(f64, f64)| (px - x0).hypot(py - y) >= radius + 1.0 && (px - x1).hypot(py - y) >= radius + 4.0;
    let points: Vec<(f64, f64)> = (0..=200).map(|i| curve(f64::from(i) / 200.0)).filter(outside).collect();
    let pixels: Vec<Place> = points.iter().map(|p| (p.0.round() as i32, p.1.round() as i32)).collect();
    if width > 0 {
        area.draw(&PathElement::new(pixels.clone(), colour.stroke_width(width)))?;
    } else {
        for dash in pixels.chunks(10) {
            area.draw(&PathElement::new(dash[..dash.len().min(6)].to_vec(), colour.stroke_width(2)))?;
        }
    }
    if let [.., before, last] = points[..] {
        arrow_head(area, pixels[pixels.len() - 1], (last.0 - before.0, last.1 - before.1), colour)?;
    }
    Ok((((x0 + x1) / 2.0).round() as i32, (y - bend).round() as i32))
}

/// Nodes in a row; an edge bends the more, the farther it leads.
fn cell_picture(cell: &Cell) -> Result<String, Box<dyn Error>> {
    canvas((920, 470), |area| {
        let live = cell.live_edges();
        for ((&edge, &operation), &is_live) in EDGES.iter().zip(&cell.0).zip(&live) {
            cell_edge(area, edge, operation, is_live)?;
        }
        for (node, name) in ["input", "1", "2", "output"].into_iter().enumerate() {
            let place = node_place(node);
            let colour = if node == 0 || node == NODES - 1 { INK } else { RGBColor(75, 85, 99) };
            area.draw(&Circle::new(place, NODE_RADIUS, colour.filled()))?;
            text(area, name, place, 15, WHITE, HPos::Center)?;
        }
        text(area, "dashed: cannot influence the output", (24, 446), 14, PALE, HPos::Left)
    })
}

const NODE_RADIUS: i32 = 32;

fn node_place(node: usize) -> Place {
    (80 + 253 * node as i32, 270)
}

fn cell_edge(
    area: &Area<'_>,
    (source, target): (usize, usize),
    operation: Operation,
    is_live: bool,
) -> Result<(), Box<dyn Error>> {
    let (name, colour) = match operation {
        Operation::None => ("none", PALE),
        Operation::SkipConnect => ("skip", INK),
        Operation::Conv1x1 => ("conv 1×1", TEAL),
        Operation::Conv3x3 => ("conv 3×3", BLUE),
        Operation::AvgPool3x3 => ("avg pool 3×3", ORANGE),
    };
    let colour = if is_live { colour } else { PALE };
    // Height of the middle of the curve above the row of nodes.
    let bend = match (source, target) {
        (0, 2) => 110.0,
        (1, 3) => -110.0,
        (0, 3) => 215.0,
        _ => 0.0,
    };
    let [from, to] = [source, target].map(node_place);
    let middle = curve(area, from, to, NODE_RADIUS, bend, if is_live { (colour, 3) } else { (PALE, 0) })?;
    label(area, name, middle, colour)
}

/// A word in a box on an edge.
fn label(area: &Area<'_>, name: &str, (x, y): Place, colour: RGBColor) -> Result<(), Box<dyn Error>> {
    let half = 8 + 4 * name.chars().count() as i32;
    area.draw(&Rectangle::new([(x - half, y - 13), (x + half, y + 13)], WHITE.filled()))?;
    area.draw(&Rectangle::new([(x - half, y - 13), (x + half, y + 13)], colour.stroke_width(1)))?;
    text(area, name, (x, y), 14, colour, HPos::Center)
}

/// Super-blocks from top to bottom, the wider the more channels, repetitions behind one another.
fn structure_picture(structure: &Structure, mut side: usize, head: &str) -> Result<String, Box<dyn Error>> {
    const STEP: i32 = 62;
    let blocks = structure.blocks();
    let height = 60 + STEP * blocks.len() as i32 + 60;
    canvas((920, height as u32), |area| {
        text(area, &format!("image {side}×{side}×3"), (AXIS, 28), 15, INK, HPos::Center)?;
        let mut top = 44;
        for block in blocks {
            side = side.div_ceil(usize::from(block.stride));
            super_block(area, block, side, top)?;
            top += STEP;
        }
        connect(area, top)?;
        text(area, &format!("global average, {head}"), (AXIS, top + 32), 15, INK, HPos::Center)
    })
}

/// The column the blocks are centred on.
const AXIS: i32 = 330;

fn connect(area: &Area<'_>, top: i32) -> Result<(), Box<dyn Error>> {
    area.draw(&PathElement::new([(AXIS, top), (AXIS, top + 16)], INK.stroke_width(2)))?;
    arrow_head(area, (AXIS, top + 20), (0.0, 1.0), INK)
}

fn super_block(area: &Area<'_>, block: &SuperBlock, side: usize, top: i32) -> Result<(), Box<dyn Error>> {
    connect(area, top)?;
    let (kind, detail, kernel) = match block.kind {
        Kind::Conv { kernel } => (format!("conv {kernel}×{kernel}"), String::new(), kernel),
        Kind::InvertedResidual { expansion, kernel, bottleneck } => (
            format!("inverted residual {kernel}×{kernel}, expansion {expansion}"),
            format!("bottleneck {bottleneck}, "),
            kernel,
        ),
    };
    let colour = match kernel {
        1 => TEAL,
        3 => BLUE,
        5 => VIOLET,
        _ => ORANGE,
    };
    // Widths on a logarithmic scale: 8 channels to 2048.
    let half = 120 + (f64::from(block.output).log2() * 14.0) as i32;
    let (upper, lower) = (top + 20, top + 56);
    for repetition in (0..i32::from(block.repetitions).min(5)).rev() {
        let shift = 7 * repetition;
        let corners = [(AXIS - half + shift, upper), (AXIS + half + shift, lower)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        area.draw(&Rectangle::new(corners, WHITE.stroke_width(1)))?;
    }
    text(area, &kind, (AXIS, (upper + lower) / 2), 14, WHITE, HPos::Center)?;
    let shape = format!("{detail}{} channels at {side}×{side}", block.output);
    let times = if block.repetitions > 1 { format!("{} × ", block.repetitions) } else { String::new() };
    text(area, &format!("{times}{shape}"), (640, (upper + lower) / 2), 14, INK, HPos::Left)
}

/// Blocks from top to bottom: attention with a square a head, and the perceptron as wide as its hidden channels.
fn transformer_picture(architecture: &Architecture, head: &str) -> Result<String, Box<dyn Error>> {
    const STEP: i32 = 40;
    const HEAD: i32 = 26;
    let (embed, depth) = (architecture.embed(), architecture.depth() as i32);
    let widest = architecture.blocks().iter().map(|block| block.hidden_width(embed)).max().unwrap_or(1);
    canvas((920, (STEP * depth + 100) as u32), |area| {
        let title = format!("{embed} channels, {depth} blocks: attention heads, and channels of the perceptron");
        text(area, &title, (24, 28), 15, INK, HPos::Left)?;
        for (row, block) in (0..).zip(architecture.blocks()) {
            let top = 54 + STEP * row;
            let middle = top + HEAD / 2;
            text(area, &format!("{}", row + 1), (48, middle), 14, PALE, HPos::Right)?;
            for head in 0..i32::from(block.heads) {
                let left = 64 + (HEAD + 4) * head;
                area.draw(&Rectangle::new([(left, top), (left + HEAD, top + HEAD)], BLUE.filled()))?;
            }
            let hidden = block.hidden_width(embed);
            let width = (380.0 * f64::from(hidden) / f64::from(widest)) as i32;
            area.draw(&Rectangle::new([(420, top), (420 + width, top + HEAD)], TEAL.filled()))?;
            let label = format!("{} heads", block.heads);
            text(area, &label, (404, middle), 14, INK, HPos::Right)?;
            text(area, &format!("{hidden}"), (428 + width, middle), 14, INK, HPos::Left)?;
        }
        text(area, &format!("mean of the patches, {head}"), (24, 76 + STEP * depth), 15, INK, HPos::Left)
    })
}
