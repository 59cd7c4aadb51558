//! A cell in its skeleton as a chain of primary blocks.

use super::{Cell, EDGES, NODES, Operation, POLICY, Skeleton};
use crate::Error;
use crate::graph::{Block, Convolution, Cost, IdentityRule, Network, NodeId};
use crate::ops::window::Window;

/// Keys of the nodes of a reduction block: the two convolutions of the main path, and that of the shortcut.
const MAIN: [u32; 2] = [0, 1];
const SHORTCUT: u32 = 2;

/// A network of the benchmark: stem, three stages of equal cells with reductions between, head.
///
/// In a cell, parameters have the number of their edge in [`EDGES`] as key; in a reduction 0 and 1 along the main
/// path and 2 on the shortcut; in stem and head 0.
#[derive(Clone, Copy, Debug)]
pub struct CellNetwork {
    /// The cell.
    pub cell: Cell,
    /// What it is repeated in.
    pub skeleton: Skeleton,
}

impl CellNetwork {
    /// Channels of stage 0, 1 or 2.
    fn channels(&self, stage: usize) -> usize {
        (self.skeleton.channels() as usize) << stage
    }

    /// Blocks of a stage with the reduction that ends it.
    fn stage_len(&self) -> usize {
        self.skeleton.cells() as usize + 1
    }
}

impl Network for CellNetwork {
    fn block_count(&self) -> usize {
        // The stem comes first; after the last stage there is no reduction.
        3 * self.stage_len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let (stage, place) = ((index.max(1) - 1) / self.stage_len(), (index.max(1) - 1) % self.stage_len());
        let output = if index == 0 {
            let stem = block.convolution(block.input(), Convolution::same(self.channels(0), 3, 1), 0)?;
            block.batch_norm(stem, POLICY.norm_epsilon, 0)?
        } else if place + 1 == self.stage_len() {
            reduction(block, self.channels(stage + 1))?
        } else {
            describe_cell(&self.cell, block, self.channels(stage))?
        };
        block.set_output(output)
    }

    /// Two blocks halve the map, each in two branches that have to agree.
    fn resolution_multiple(&self) -> usize {
        4
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        let x = block.batch_norm(block.input(), POLICY.norm_epsilon, 0)?;
        let x = block.relu(x)?;
        let x = block.global_pool(x)?;
        let x = block.linear(x, self.skeleton.classes() as usize, 0)?;
        block.set_output(x)
    }

    /// The benchmark counts the additions of the classifier's bias.
    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        Ok(cost.macs as f64 + f64::from(self.skeleton.classes()))
    }

    fn identity_rule(&self) -> IdentityRule {
        POLICY.identity
    }

    fn progressivity(&self) -> bool {
        POLICY.progressivity
    }
}

/// ReLU, convolution, batch normalisation.
fn relu_conv_norm(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.relu(x)?;
    let x = block.convolution(x, convolution, key)?;
    block.batch_norm(x, POLICY.norm_epsilon, key)
}

fn describe_cell(cell: &Cell, block: &mut Block, channels: usize) -> Result<NodeId, Error> {
    let mut nodes = [block.input(); NODES];
    for target in 1..NODES {
        let mut terms = [block.input(); NODES - 1];
        for (key, &(source, _)) in EDGES.iter().enumerate().filter(|(_, edge)| edge.1 == target) {
            let x = nodes[source];
            terms[source] = match cell.0[key] {
                Operation::None => block.zero(x)?,
                Operation::SkipConnect => x,
                Operation::AvgPool3x3 => block.average_pool(x, Window::new(3, 1, 1)?)?,
                Operation::Conv1x1 | Operation::Conv3x3 => {
                    let kernel = if cell.0[key] == Operation::Conv1x1 { 1 } else { 3 };
                    relu_conv_norm(block, x, Convolution::same(channels, kernel, 1), key as u32)?
                }
            };
        }
        nodes[target] = block.add(&terms[..target])?;
    }
    Ok(nodes[NODES - 1])
}

/// A residual block with stride 2; the shortcut is an average and a convolution without normalisation.
fn reduction(block: &mut Block, channels: usize) -> Result<NodeId, Error> {
    let input = block.input();
    let x = relu_conv_norm(block, input, Convolution::same(channels, 3, 2), MAIN[0])?;
    let x = relu_conv_norm(block, x, Convolution::same(channels, 3, 1), MAIN[1])?;
    let shortcut = block.average_pool(input, Window::new(2, 2, 0)?)?;
    let shortcut = block.convolution(shortcut, Convolution::same(channels, 1, 1), SHORTCUT)?;
    block.add(&[x, shortcut])
}
