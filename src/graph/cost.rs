//! Multiply-adds and parameters, counted on the graph.

use super::{Block, MAX_NODES, Network, Op};
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
    /// Convolutions and linear maps that lie on a path from the input to the output of their block.
    pub live_layers: u64,
    /// Sum over the blocks of the most convolutions and linear maps on one path from input to output. Of a block
    /// whose output does not depend on its input there is no such path, and it adds nothing.
    pub depth: u64,
}

impl Cost {
    /// The cost of `network` on images of `height × width`.
    #[inline(never)] // what is on its stack is given back when it returns
    pub fn of<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<Self, Error> {
        let mut cost = Self::default();
        let mut shape = Shape::new(1, height, width, network.input_channels())?;
        let mut block = Block::new(0, shape);
        for index in 0..network.block_count() {
            block.restart(index, shape);
            network.describe(index, &mut block)?;
            cost.add(&block)?;
            shape = block.output_shape();
        }
        block.restart(network.block_count(), shape);
        network.describe_head(&mut block)?;
        cost.add(&block)?;
        Ok(cost)
    }

    fn add(&mut self, block: &Block) -> Result<(), Error> {
        // The most layers on a live path from the block's input up to and including each node.
        let mut chain = [0u64; MAX_NODES];
        for (i, (node, flow)) in block.nodes().iter().zip(block.flow()).enumerate() {
            let macs = block.macs_per_image(node)?;
            let mut parameters = 0;
            for role in Role::ALL {
                parameters += block.parameter_len(node, role)?.unwrap_or(0) as u64;
            }
            let live = flow.reaches_output && flow.depends_on_input;
            let layers = u64::from(live && matches!(node.op, Op::Convolution(_) | Op::Linear { .. }));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::nb201::{Cell, CellNetwork, Skeleton};

    /// Live layers and depth of the cells alone, for each cell of the network.
    fn layers(text: &str) -> [u64; 2] {
        let skeleton = Skeleton::CIFAR10;
        let cost = Cost::of(&CellNetwork { cell: Cell::parse(text).unwrap(), skeleton }, 32, 32).unwrap();
        // Stem and classifier; a reduction has three convolutions, of which two in a row.
        let (layers, depth) = (cost.live_layers - 2 - 2 * 3, cost.depth - 2 - 2 * 2);
        assert!(layers.is_multiple_of(15) && depth.is_multiple_of(15), "{text}: {cost:?}");
        [layers / 15, depth / 15]
    }

    #[test]
    fn layers_count_where_they_are_live() {
        for (text, expected) in [
            ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|", [6, 3]),
            ("|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|nor_conv_3x3~0|none~1|skip_connect~2|", [3, 1]),
            // Two convolutions in a row, then an edge that is cut.
            ("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|none~2|", [1, 1]),
            // A convolution of zeros is none.
            ("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|nor_conv_1x1~2|", [1, 1]),
            ("|skip_connect~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", [0, 0]),
            ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", [0, 0]),
        ] {
            assert_eq!(layers(text), expected, "{text}");
        }
    }
}
