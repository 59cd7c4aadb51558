//! An architecture as a chain of primary blocks: the stem, then the cells.
//!
//! A block's input is the output of the cell before it; the one before that it reads as the earlier feature, through which no
//! gradient passes.

use super::operation::Kind;
use super::{Architecture, Edge, MAX_STATES, POLICY, Stem};
use crate::Error;
use crate::graph::{Block, Convolution, Cost, IdentityRule, Network, NodeId};
use crate::ops::slice::Slice;
use crate::ops::window::Window;
use crate::spaces::{check_classes, of_target};

/// Keys of the convolutions of a cell: those of its two inputs, and of each edge four.
const BEFORE: u32 = 0;
const LAST: u32 = 2;
const EDGES: u32 = 4;

/// A network of the space.
///
/// Keys in a cell: 0 and 1 for the input from the cell before the last (two if it is reduced), 2 for that from the last, and
/// four from 4 on for each edge, in the order in which an operation convolves. A normalisation has the key of the convolution
/// before it, that of a factorised reduction the key of the first. In a stem keys count from 0, in the head the key is 0.
#[derive(Clone, Copy, Debug)]
pub struct CellNetwork {
    /// The cells.
    pub architecture: Architecture,
    /// What is before them.
    pub stem: Stem,
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that complexity is counted for.
    pub target_resolution: u32,
}

impl Network for CellNetwork {
    fn block_count(&self) -> usize {
        self.stem.blocks() + self.architecture.depth() as usize
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let width = self.architecture.width() as usize;
        self.stem.check_width(self.architecture.width())?;
        let input = block.input();
        let output = match (index.checked_sub(self.stem.blocks()), self.stem) {
            (Some(place), _) => self.describe_cell(block, place as u32)?,
            (None, Stem::Cifar) => convolution(block, input, Convolution::same(3 * width, 3, 1), 0)?,
            (None, Stem::ImageNet) if index == 0 => {
                let x = convolution(block, input, Convolution::same(width / 2, 3, 2), 0)?;
                rectified_convolution(block, x, Convolution::same(width, 3, 2), 1)?
            }
            (None, Stem::ImageNet) => rectified_convolution(block, input, Convolution::same(width, 3, 2), 0)?,
        };
        block.set_output(output)
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        check_classes(self.classes)?;
        let x = block.global_pool(block.input())?;
        let x = block.linear(x, self.classes as usize, 0)?;
        block.set_output(x)
    }

    fn resolution_multiple(&self) -> usize {
        self.stem.multiple() as usize
    }

    /// The multiply-adds at the target resolution: see [`Architecture::macs`].
    fn complexity(&self, _: &Cost) -> Result<f64, Error> {
        let macs = self.architecture.macs(self.stem, self.classes, self.target_resolution);
        Ok(macs.map_err(of_target)? as f64)
    }

    fn identity_rule(&self) -> IdentityRule {
        POLICY.identity
    }

    fn progressivity(&self) -> bool {
        POLICY.progressivity
    }
}

impl CellNetwork {
    fn describe_cell(&self, block: &mut Block, place: u32) -> Result<NodeId, Error> {
        let Self { architecture, stem, .. } = self;
        let (filters, reduces) = (architecture.filters(place) as usize, architecture.reduces(place));
        let last = block.input();
        let before = if place == 0 && *stem == Stem::Cifar { last } else { block.earlier()? };
        let mut states = [last; MAX_STATES];
        states[0] = match architecture.reads_larger(place, *stem) {
            true => factorised_reduction(block, before, filters, BEFORE)?,
            false => rectified_convolution(block, before, Convolution::same(filters, 1, 1), BEFORE)?,
        };
        states[1] = rectified_convolution(block, last, Convolution::same(filters, 1, 1), LAST)?;
        let cell = architecture.cell(place);
        for (node, edges) in cell.nodes().iter().enumerate() {
            let mut terms = [last; 2];
            for (side, (term, edge)) in terms.iter_mut().zip(edges).enumerate() {
                let stride = if reduces && edge.state < 2 { 2 } else { 1 };
                let key = EDGES + 4 * (2 * node + side) as u32;
                *term = operation(block, edge, states[usize::from(edge.state)], stride, key)?;
            }
            states[node + 2] = block.add(&terms)?;
        }
        let mut parts = [last; MAX_STATES];
        let parts = &mut parts[..cell.parts().len()];
        parts.iter_mut().zip(cell.parts()).for_each(|(part, &state)| *part = states[usize::from(state)]);
        match parts {
            [only] => Ok(*only),
            parts => block.concat(parts),
        }
    }
}

/// Convolution, batch normalisation.
fn convolution(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.convolution(x, convolution, key)?;
    block.batch_norm(x, POLICY.norm_epsilon, key)
}

/// ReLU, convolution, batch normalisation.
fn rectified_convolution(block: &mut Block, x: NodeId, shape: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.relu(x)?;
    convolution(block, x, shape, key)
}

/// ReLU, 1×1 convolutions of the even and of the odd rows and columns side by side, batch normalisation.
fn factorised_reduction(block: &mut Block, x: NodeId, channels: usize, key: u32) -> Result<NodeId, Error> {
    let x = block.relu(x)?;
    let odd = block.slice(x, Slice::of_positions(block.shape(x)?.channels, 1))?;
    let even = block.convolution(x, Convolution::same(channels / 2, 1, 2), key)?;
    let odd = block.convolution(odd, Convolution::same(channels / 2, 1, 1), key + 1)?;
    let x = block.concat(&[even, odd])?;
    block.batch_norm(x, POLICY.norm_epsilon, key)
}

fn operation(block: &mut Block, edge: &Edge, x: NodeId, stride: usize, key: u32) -> Result<NodeId, Error> {
    let channels = block.shape(x)?.channels;
    match edge.operation.kind() {
        Kind::Zero if stride == 1 => block.zero(x),
        Kind::Zero => {
            let x = block.zero(x)?;
            block.slice(x, Slice::of_positions(channels, 0))
        }
        Kind::Skip if stride == 1 => Ok(x),
        Kind::Skip => factorised_reduction(block, x, channels, key),
        Kind::Mean(kernel) => block.average_pool(x, Window::new(kernel, stride, kernel / 2)?),
        Kind::Maximum(kernel) => block.max_pool(x, Window::new(kernel, stride, kernel / 2)?),
        Kind::Convolution(kernel) => rectified_convolution(block, x, Convolution::same(channels, kernel, stride), key),
        Kind::RowsColumns(kernel) => {
            let same = Convolution::same(channels, kernel, 1);
            let rows = Convolution { kernel: [1, kernel], stride: [1, stride], padding: [0, kernel / 2], ..same };
            let columns = Convolution { kernel: [kernel, 1], stride: [stride, 1], padding: [kernel / 2, 0], ..same };
            let x = block.relu(x)?;
            let x = block.convolution(x, rows, key)?;
            convolution(block, x, columns, key + 1)
        }
        Kind::Separable { kernel, dilation, times } => (0..times).try_fold(x, |x, time| {
            let stride = if time == 0 { stride } else { 1 };
            let depthwise = Convolution {
                dilation: [dilation; 2],
                padding: [dilation * (kernel / 2); 2],
                ..Convolution::depthwise(channels, kernel, stride)
            };
            let x = block.relu(x)?;
            let x = block.convolution(x, depthwise, key + 2 * time)?;
            convolution(block, x, Convolution::same(channels, 1, 1), key + 2 * time + 1)
        }),
    }
}
