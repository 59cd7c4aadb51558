//! Multiply-adds and parameters, counted on the graph.

use super::{Block, Network};
use crate::Error;
use crate::tensor::{Role, Shape};

/// What a network costs for one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-adds of every convolution, linear map and attention. Biases, normalisation, rectifiers, pooling and sums are
    /// free, and edges that cannot reach the output count too.
    pub macs: u64,
    /// The multiply-adds that lie on a path from the input to the output of their block.
    pub live_macs: u64,
    /// Trainable numbers: weights, biases, gains, shifts, tokens and tables of positions.
    pub parameters: u64,
    /// The trainable numbers that lie on a path from the input to the output of their block.
    pub live_parameters: u64,
}

impl Cost {
    /// The cost of `network` on images of `height × width`.
    pub fn of<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<Self, Error> {
        let mut cost = Self::default();
        let mut shape = Shape::new(1, height, width, network.input_channels())?;
        for index in 0..network.block_count() {
            let mut block = Block::new(index, shape);
            network.describe(index, &mut block)?;
            cost.add(&block)?;
            shape = block.output_shape();
        }
        let mut head = Block::new(network.block_count(), shape);
        network.describe_head(&mut head)?;
        cost.add(&head)?;
        Ok(cost)
    }

    fn add(&mut self, block: &Block) -> Result<(), Error> {
        for (node, flow) in block.nodes().iter().zip(block.flow()) {
            let macs = block.macs_per_image(node)?;
            let mut parameters = 0;
            for role in Role::ALL {
                parameters += block.parameter_len(node, role)?.unwrap_or(0) as u64;
            }
            let live = flow.reaches_output && flow.depends_on_input;
            for (sum, term) in [
                (&mut self.macs, macs),
                (&mut self.parameters, parameters),
                (&mut self.live_macs, if live { macs } else { 0 }),
                (&mut self.live_parameters, if live { parameters } else { 0 }),
            ] {
                *sum = sum.checked_add(term).ok_or(Error::Overflow { quantity: "the cost of the network" })?;
            }
        }
        Ok(())
    }
}
