//! An architecture as a chain of primary blocks: two a layer, one with its attention and one with its perceptron.

use super::cost::patches;
use super::{Architecture, HEAD_WIDTH, MAX_RELATIVE_POSITION, PATCH, POLICY, Parameters};
use crate::Error;
use crate::graph::{Block, Convolution, Cost, Distribution, Draw, IdentityRule, Network, NodeId};
use crate::ops::activation::Activation;
use crate::ops::attention::Attention;
use crate::simd::root;
use crate::spaces::{check_classes, of_target, total};

/// Keys of the nodes of a block.
const PATCHES: u32 = 0;
const TOKENS: u32 = 1;
const NORM: u32 = 2;
const QUERIES_KEYS_VALUES: u32 = 3;
const ATTENTION: u32 = 4;
const PROJECTION: u32 = 5;
const EXPANSION: u32 = 6;
const REDUCTION: u32 = 7;
const CLASSIFIER: u32 = 8;

/// A network of the space.
///
/// Block 0 embeds the patches and adds the first attention; block 2i is the attention of layer i, block 2i + 1 its
/// perceptron. Parameters have as key 0 for the embedding of the patches, 1 for class token and positions, 2 for the
/// normalisation, 3 for queries, keys and values, 4 for the tables of relative positions, 5 for the projection after
/// attention, 6 and 7 for the two layers of the perceptron, and 8 for the classifier.
///
/// All are N(0, 0.02²), biases 0, but weight and bias of the patches U(±1/√(3 · patch²)). In the shared largest network the
/// rows of queries, keys and values take turns, as in the authors' program: a candidate whose heads have `q` channels takes
/// the first 3q rows, of which every third is a query.
#[derive(Clone, Copy, Debug)]
pub struct TransformerNetwork {
    /// The candidate.
    pub architecture: Architecture,
    /// Classes.
    pub classes: u32,
    /// The resolution complexity is counted at, whatever the resolution of the scores.
    pub target_resolution: u32,
    /// Pixels along a side of a patch; the space has [`PATCH`].
    pub patch: u32,
    /// The farthest relative position with an entry of its own; the space has [`MAX_RELATIVE_POSITION`].
    pub reach: u32,
    /// Where its parameters come from.
    pub parameters: Parameters,
}

impl TransformerNetwork {
    /// The network of the space that `architecture` describes, for images of 224 × 224 pixels and 1000 classes.
    pub const fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            classes: 1000,
            target_resolution: 224,
            patch: PATCH,
            reach: MAX_RELATIVE_POSITION,
            parameters: Parameters::Shared,
        }
    }

    fn draw(&self) -> Draw {
        let salt = match self.parameters {
            Parameters::Shared => 0,
            Parameters::Own => salt(&self.architecture),
        };
        Draw { distribution: Distribution::Normal { deviation: 0.02 }, bias: false, interleave: 1, salt }
    }

    fn linear(&self, block: &mut Block, x: NodeId, channels: u32, key: u32) -> Result<NodeId, Error> {
        let node = block.linear(x, channels as usize, key)?;
        let interleave = if key == QUERIES_KEYS_VALUES { 3 } else { 1 };
        block.set_draw(node, Draw { interleave, ..self.draw() })?;
        Ok(node)
    }

    /// The patches of an image as tokens.
    fn embed(&self, block: &mut Block) -> Result<NodeId, Error> {
        let (image, patch) = (block.shape(block.input())?, self.patch as usize);
        if patch == 0 {
            return Err(Error::Invalid { field: "patch", expected: "at least 1" });
        }
        if !image.height.is_multiple_of(patch) {
            return Err(Error::NotMultiple { field: "height", divisor: patch });
        }
        if image.height != image.width {
            return Err(Error::Invalid { field: "width", expected: "equal to the height" });
        }
        let convolution = Convolution {
            kernel: [patch; 2],
            stride: [patch; 2],
            bias: true,
            ..Convolution::same(self.architecture.embed() as usize, 1, 1)
        };
        let patches = block.convolution(block.input(), convolution, PATCHES)?;
        let half_width = 1.0 / root::sqrt((image.channels * patch * patch) as f64) as f32;
        let distribution = Distribution::Uniform { half_width };
        block.set_draw(patches, Draw { distribution, bias: true, ..self.draw() })?;
        let tokens = block.tokens(patches, TOKENS)?;
        block.set_draw(tokens, self.draw())?;
        Ok(tokens)
    }

    fn attention(&self, block: &mut Block, tokens: NodeId, heads: u8) -> Result<NodeId, Error> {
        // The image is square, and one token is not a patch.
        let side = block.shape(tokens)?.height.saturating_sub(1).isqrt();
        let x = block.layer_norm(tokens, POLICY.norm_epsilon, NORM)?;
        let x = self.linear(block, x, 3 * HEAD_WIDTH * u32::from(heads), QUERIES_KEYS_VALUES)?;
        let attention = Attention { heads: heads.into(), grid: [side; 2], reach: self.reach as usize };
        let x = block.attention(x, attention, ATTENTION)?;
        block.set_draw(x, self.draw())?;
        let x = self.linear(block, x, self.architecture.embed(), PROJECTION)?;
        block.add(&[tokens, x])
    }

    fn perceptron(&self, block: &mut Block, hidden: u32) -> Result<NodeId, Error> {
        let x = block.layer_norm(block.input(), POLICY.norm_epsilon, NORM)?;
        let x = self.linear(block, x, hidden, EXPANSION)?;
        let x = block.activation(x, Activation::Gelu)?;
        let x = self.linear(block, x, self.architecture.embed(), REDUCTION)?;
        block.add(&[block.input(), x])
    }
}

impl Network for TransformerNetwork {
    fn block_count(&self) -> usize {
        2 * self.architecture.depth()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let layer = self.architecture.blocks().get(index / 2);
        let layer = *layer.ok_or(Error::Invalid { field: "block", expected: "one of the network's" })?;
        let output = if index % 2 == 1 {
            self.perceptron(block, layer.hidden_width(self.architecture.embed()))?
        } else {
            let tokens = if index == 0 { self.embed(block)? } else { block.input() };
            self.attention(block, tokens, layer.heads)?
        };
        block.set_output(output)
    }

    fn resolution_multiple(&self) -> usize {
        self.patch as usize
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        check_classes(self.classes)?;
        let x = block.layer_norm(block.input(), POLICY.norm_epsilon, NORM)?;
        let x = block.token_pool(x)?;
        let x = self.linear(block, x, self.classes, CLASSIFIER)?;
        block.set_output(x)
    }

    /// Every patch of an image of the target resolution has a position of its own.
    fn parameters(&self, cost: &Cost, [height, width]: [usize; 2]) -> Result<u64, Error> {
        patches(self.target_resolution).map_err(of_target)?;
        let (patch, target) = (u64::from(self.patch), u64::from(self.target_resolution));
        if !target.is_multiple_of(patch) {
            return Err(Error::NotMultiple { field: "target_resolution", divisor: self.patch as usize });
        }
        let positions = |height: u64, width: u64| u128::from(height / patch) * u128::from(width / patch);
        let scored = positions(height as u64, width as u64);
        let embed = u128::from(self.architecture.embed());
        total("parameters", u128::from(cost.parameters) - embed * scored + embed * positions(target, target))
    }

    /// The count of the authors' program, with its quirks: see [`Architecture::flops`].
    fn complexity(&self, _: &Cost) -> Result<f64, Error> {
        Ok(self.architecture.flops(self.target_resolution, self.classes).map_err(of_target)? as f64)
    }

    fn identity_rule(&self) -> IdentityRule {
        POLICY.identity
    }

    fn progressivity(&self) -> bool {
        POLICY.progressivity
    }
}

/// A number that hardly any other architecture has (Fowler, Noll and Vo's hash 1a of its choices).
fn salt(architecture: &Architecture) -> u64 {
    let layers = architecture.blocks().iter().flat_map(|layer| [layer.heads.into(), layer.ratio.hundredths().into()]);
    core::iter::once(architecture.embed().into())
        .chain(layers)
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, choice: u64| (hash ^ choice).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::{format, vec};

    fn network(text: &str) -> TransformerNetwork {
        TransformerNetwork::new(text.parse().unwrap())
    }

    #[test]
    fn the_graph_costs_what_the_space_says() {
        for text in [
            "autoformer(embed=192,heads=4-3-4-4-4-4-4-3-3-4-4-4,ratio=3.5-3.5-3.5-4-3.5-3.5-3.5-3.5-3.5-3.5-4-4)",
            "autoformer(embed=384,heads=7-6-7-7-6-5-7-6-7-7-7-7-6-5,ratio=3-3-3-3-4-3.5-3-3.5-3-4-3.5-3.5-3.5-4)",
            "autoformer(embed=7,heads=1,ratio=1.5)",
        ] {
            let network = network(text);
            let cost = Cost::of(&network, 224, 224).unwrap();
            assert_eq!(Ok(cost.parameters), network.architecture.params(224, 1000), "{text}");
            assert_eq!(Ok(cost.macs), network.architecture.macs(224, 1000), "{text}");
            assert_eq!((cost.live_macs, cost.live_parameters), (cost.macs, cost.parameters), "{text}");
            assert_eq!(network.complexity(&cost), Ok(network.architecture.flops(224, 1000).unwrap() as f64));
        }
    }

    #[test]
    fn images_that_are_not_of_whole_patches_are_refused() {
        let network = network("autoformer(embed=8,heads=1,ratio=1)");
        for (height, width, field) in [(224, 225, "width"), (40, 40, "height"), (8, 8, "height"), (40, 8, "height")] {
            let error = Cost::of(&network, height, width).unwrap_err();
            assert_eq!(error, Error::NotMultiple { field, divisor: 16 }, "{height} x {width}");
        }
        let square = Error::Invalid { field: "width", expected: "equal to the height" };
        assert_eq!(Cost::of(&network, 32, 48), Err(square));
        assert!(Cost::of(&TransformerNetwork { patch: 0, ..network }, 32, 32).is_err());
        assert!(Cost::of(&network, 16, 16).is_ok());
    }

    #[test]
    fn salts_differ_in_every_choice() {
        let texts: [String; 4] = [(8, "1-2", "1-2"), (9, "1-2", "1-2"), (8, "2-1", "1-2"), (8, "1-2", "1-1")]
            .map(|(embed, heads, ratio)| format!("autoformer(embed={embed},heads={heads},ratio={ratio})"));
        let mut salts = vec![0];
        salts.extend(texts.iter().map(|text| salt(&text.parse().unwrap())));
        let count = salts.len();
        salts.sort_unstable();
        salts.dedup();
        assert_eq!(salts.len(), count);
    }
}
