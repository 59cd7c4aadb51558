//! Multiply-adds, parameters, layers and depth: what is counted on the graph of a block.

use super::{Block, Kind, MAX_NODES};
use crate::Error;

/// What a network costs for one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-adds of every convolution, linear map and attention. Biases, normalisation, rectifiers, pooling and sums are
    /// free, and edges that cannot reach the output count too.
    pub macs: u64,
    /// The multiply-adds that lie on a path from an input to the output of their block.
    pub live_macs: u64,
    /// Trainable numbers: weights, biases, gains, shifts, tokens and tables of positions.
    pub parameters: u64,
    /// The trainable numbers that lie on a path from an input to the output of their block.
    pub live_parameters: u64,
    /// Convolutions and linear maps that lie on a path from an input to the output of their block.
    pub live_layers: u64,
    /// Sum over the blocks of the most convolutions and linear maps on one path from an input to the output. Of a block
    /// whose output does not depend on its inputs there is no such path, and it adds nothing.
    pub depth: u64,
}

impl Cost {
    /// Adds the cost of a block.
    pub(crate) fn add(&mut self, block: &Block) -> Result<(), Error> {
        // The most layers on a live path from the block's input up to and including each node.
        let mut chain = [0u64; MAX_NODES];
        for (i, (node, flow)) in block.nodes().iter().zip(block.flow()).enumerate() {
            let macs = block.macs_per_image(node)?;
            let parameters = block.parameters(node).as_slice().iter().map(|parameter| parameter.len() as u64).sum();
            let live = flow.is_live();
            let is_layer = match node.op.kind() {
                Kind::Convolution(_) => true,
                Kind::Plain(op) => op.facts().is_layer,
                Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity => false,
                Kind::Relu | Kind::Add | Kind::BatchNorm(_) => false,
            };
            let layers = u64::from(live && is_layer);
            let below = node.inputs().iter().map(|input| chain[input.index()]).max().unwrap_or(0);
            chain[i] = if live { below + layers } else { 0 };
            for (sum, term) in [
                (&mut self.macs, macs),
                (&mut self.parameters, parameters),
                (&mut self.live_macs, if live { macs } else { 0 }),
                (&mut self.live_parameters, if live { parameters } else { 0 }),
                (&mut self.live_layers, layers),
            ] {
                *sum = sum.checked_add(term).ok_or(Error::Overflow { quantity: "the cost of the network" })?;
            }
        }
        // At most `live_layers`, which did not overflow.
        self.depth += chain[block.output().index()];
        Ok(())
    }
}
