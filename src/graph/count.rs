//! What a whole network costs, head included.

use super::network::explained;
use super::{Cost, Network, Walk};
use crate::Error;
use crate::base::SMALL;

impl Cost {
    /// The cost of `network` on images of `height × width`, with the parameters that it says count; or that of the network
    /// that counts in its place, on images of its own.
    ///
    /// # Errors
    /// Everything that can be wrong with the network.
    pub fn of<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<Self, Error> {
        let counted = if SMALL { None } else { network.counted() };
        match counted {
            Some((counted, [height, width])) => Self::of_itself(counted, height, width),
            None => Self::of_itself(network, height, width),
        }
    }

    /// The cost of `network`, whatever counts in its place.
    fn of_itself<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<Self, Error> {
        let cost = Self::counted(network, height, width).map_err(|error| explained(network, height, width, error))?;
        cost.with_own_parameters(network, [height, width])
    }

    /// What was counted on images of `scored` rows and columns, with the parameters that the network says count. Those
    /// that do not live are counted on the graph.
    pub(crate) fn with_own_parameters<N: Network + ?Sized>(
        self,
        network: &N,
        scored: [usize; 2],
    ) -> Result<Self, Error> {
        let parameters = network.parameters(&self, scored)?;
        let dead = self.parameters - self.live_parameters;
        Ok(Self { parameters, live_parameters: parameters.saturating_sub(dead), ..self })
    }

    #[inline(never)] // what is on its stack is given back when it returns
    fn counted<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<Self, Error> {
        let mut cost = Self::default();
        let mut walk = Walk::new(network, 1, height, width)?;
        while let Some(block) = walk.next_block()? {
            cost.add(block)?;
        }
        cost.add(walk.head()?)?;
        Ok(cost)
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
