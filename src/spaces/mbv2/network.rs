//! A structure as a chain of primary blocks, a unit each.

use super::{POLICY, Shortcut, Structure, Unit};
use crate::Error;
use crate::graph::{Block, Convolution, Cost, IdentityRule, Network, NodeId};
use crate::spaces::{check_classes, of_target};

/// Keys of the nodes of a unit. A plain convolution has [`EXPAND`].
const EXPAND: u32 = 0;
const DEPTHWISE: u32 = 1;
const REDUCE: u32 = 2;
const PROJECT: u32 = 3;

/// A network of the space: its units, then global average pooling and a linear classifier.
///
/// Parameters have as key, in a residual unit, 0 for the expanding convolution, 1 for the depthwise, 2 for the reducing
/// and 3 for the projection of the shortcut; in a plain convolution and the classifier 0.
#[derive(Clone, Copy, Debug)]
pub struct UnitNetwork {
    /// The candidate.
    pub structure: Structure,
    /// Classes.
    pub classes: u32,
    /// The resolution complexity is counted at, whatever the resolution of the scores.
    pub target_resolution: u32,
}

impl Network for UnitNetwork {
    fn block_count(&self) -> usize {
        self.structure.units().count()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let unit = self
            .structure
            .units()
            .nth(index)
            .ok_or(Error::Invalid { field: "block", expected: "one of the network's" })?;
        let output = describe_unit(&unit, block)?;
        block.set_output(output)
    }

    /// The product of the strides.
    fn resolution_multiple(&self) -> usize {
        self.structure.blocks().iter().fold(1, |product, block| product.saturating_mul(block.stride.into()))
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        check_classes(self.classes)?;
        let x = block.global_pool(block.input())?;
        let x = block.linear(x, self.classes as usize, 0)?;
        block.set_output(x)
    }

    /// The count of the authors' program, with its quirks: see [`Structure::flops`].
    fn complexity(&self, _: &Cost) -> Result<f64, Error> {
        Ok(self.structure.flops(self.target_resolution, self.classes).map_err(of_target)? as f64)
    }

    fn identity_rule(&self) -> IdentityRule {
        POLICY.identity
    }

    fn progressivity(&self) -> bool {
        POLICY.progressivity
    }
}

fn convolution_norm(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.convolution(x, convolution, key)?;
    block.batch_norm(x, POLICY.norm_epsilon, key)
}

fn describe_unit(unit: &Unit, block: &mut Block) -> Result<NodeId, Error> {
    let input = block.input();
    match *unit {
        Unit::Conv { output, kernel, stride, .. } => {
            let convolution = Convolution::same(output as usize, kernel as usize, stride as usize);
            let x = convolution_norm(block, input, convolution, EXPAND)?;
            block.relu(x)
        }
        Unit::InvertedResidual { output, hidden, kernel, stride, shortcut, .. } => {
            let [output, hidden, kernel, stride] = [output, hidden, kernel, stride].map(|n| n as usize);
            let x = convolution_norm(block, input, Convolution::same(hidden, 1, 1), EXPAND)?;
            let x = block.relu(x)?;
            let x = convolution_norm(block, x, Convolution::depthwise(hidden, kernel, stride), DEPTHWISE)?;
            let x = block.relu(x)?;
            let x = convolution_norm(block, x, Convolution::same(output, 1, 1), REDUCE)?;
            let shortcut = match shortcut {
                Shortcut::Identity => input,
                Shortcut::Projection => {
                    // Batch statistics cancel the bias; it counts as parameters all the same.
                    let projection = Convolution { bias: true, ..Convolution::same(output, 1, stride) };
                    convolution_norm(block, input, projection, PROJECT)?
                }
            };
            let x = block.add(&[x, shortcut])?;
            block.relu(x)
        }
    }
}
