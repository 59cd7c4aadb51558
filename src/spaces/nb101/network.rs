//! A cell in its skeleton as a chain of primary blocks: the stem, then the cells, each with the pooling before it.

use super::{Cell, MAX_VERTICES, Operation, POLICY, Skeleton};
use crate::Error;
use crate::graph::{Block, Convolution, Cost, IdentityRule, Network, NodeId};
use crate::ops::slice::Slice;
use crate::ops::window::Window;
use crate::spaces::{check_classes, of_target};

/// Added to the number of a vertex, the key of the convolution that it is.
const OPERATION: u32 = MAX_VERTICES as u32;

/// A network of the benchmark.
///
/// The projection of the input to a vertex has the number of the vertex as key, the convolution that a vertex is seven more;
/// in stem and head keys are 0.
///
/// It may be scored with fewer channels than the benchmark trains: costs are counted with those of `target_channels` and
/// at `target_resolution`, whatever is scored.
#[derive(Clone, Copy, Debug)]
pub struct CellNetwork {
    /// The cell.
    pub cell: Cell,
    /// What it is repeated in, as it is scored.
    pub skeleton: Skeleton,
    /// Channels of the first stack that costs are counted for.
    pub target_channels: u32,
    /// Rows and columns of the images that costs are counted for.
    pub target_resolution: u32,
}

impl CellNetwork {
    /// What costs are counted for.
    fn target(&self) -> Skeleton {
        self.skeleton.with_channels(self.target_channels)
    }
}

impl Network for CellNetwork {
    fn block_count(&self) -> usize {
        1 + 3 * self.skeleton.cells() as usize
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let (channels, cells) = (self.skeleton.channels() as usize, self.skeleton.cells() as usize);
        let input = block.input();
        let output = match index.checked_sub(1) {
            None => convolution(block, input, Convolution::same(channels, 3, 1), 0)?,
            Some(place) => {
                let stack = place / cells;
                let begins = stack > 0 && place.is_multiple_of(cells);
                let x = if begins { block.max_pool(input, Window::new(2, 2, 0)?)? } else { input };
                describe_cell(&self.cell, block, x, channels << stack)?
            }
        };
        block.set_output(output)
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        check_classes(self.skeleton.classes())?;
        let x = block.global_pool(block.input())?;
        let x = block.linear(x, self.skeleton.classes() as usize, 0)?;
        block.set_output(x)
    }

    /// Two blocks halve the map.
    fn resolution_multiple(&self) -> usize {
        4
    }

    /// Those of the network that the benchmark trains.
    fn parameters(&self, _: &Cost, _: [usize; 2]) -> Result<u64, Error> {
        self.target().params(&self.cell)
    }

    /// The multiply-adds of the network that the benchmark trains: see [`Skeleton::macs`].
    fn complexity(&self, _: &Cost) -> Result<f64, Error> {
        Ok(self.target().macs(&self.cell, self.target_resolution).map_err(of_target)? as f64)
    }

    fn identity_rule(&self) -> IdentityRule {
        POLICY.identity
    }

    fn progressivity(&self) -> bool {
        POLICY.progressivity
    }
}

/// Convolution, batch normalisation, ReLU.
fn convolution(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.convolution(x, convolution, key)?;
    let x = block.batch_norm(x, POLICY.norm_epsilon, key)?;
    block.relu(x)
}

fn describe_cell(cell: &Cell, block: &mut Block, input: NodeId, output: usize) -> Result<NodeId, Error> {
    let widths = cell.channels(block.shape(input)?.channels as u32, output as u32).map(|width| width as usize);
    let mut values = [input; MAX_VERTICES];
    for vertex in cell.interior() {
        let mut terms = [input; MAX_VERTICES];
        let mut count = 0;
        for source in (1..vertex).filter(|&source| cell.has_edge(source, vertex)) {
            terms[count] = match widths[source] == widths[vertex] {
                true => values[source],
                false => block.slice(values[source], Slice::of_channels(0, widths[vertex]))?,
            };
            count += 1;
        }
        if cell.has_edge(0, vertex) {
            terms[count] = convolution(block, input, Convolution::same(widths[vertex], 1, 1), vertex as u32)?;
            count += 1;
        }
        let x = block.add(&terms[..count])?;
        let key = OPERATION + vertex as u32;
        values[vertex] = match cell.operation(vertex) {
            Operation::Conv3x3 => convolution(block, x, Convolution::same(widths[vertex], 3, 1), key)?,
            Operation::Conv1x1 => convolution(block, x, Convolution::same(widths[vertex], 1, 1), key)?,
            Operation::MaxPool3x3 => block.max_pool(x, Window::new(3, 1, 1)?)?,
        };
    }
    let mut parts = [input; MAX_VERTICES];
    let mut count = 0;
    for vertex in cell.interior().filter(|&vertex| cell.has_edge(vertex, cell.output())) {
        parts[count] = values[vertex];
        count += 1;
    }
    let inside = match &parts[..count] {
        [] => None,
        [only] => Some(*only),
        parts => Some(block.concat(parts)?),
    };
    if !cell.has_edge(0, cell.output()) {
        return inside.ok_or(Error::Invalid { field: "edges", expected: "from input to output" });
    }
    let projection = convolution(block, input, Convolution::same(output, 1, 1), cell.output() as u32)?;
    match inside {
        Some(inside) => block.add(&[inside, projection]),
        None => Ok(projection),
    }
}
