//! One primary block as a list of nodes in execution order, with every shape checked as it is added.

use super::draw::Draw;
use super::node::{MAX_INPUTS, Node, NodeId};
use super::op::{Kind, Op};
use crate::Error;
use crate::ops::activation::Activation;
use crate::ops::attention::Attention;
use crate::ops::batch_norm::BatchNorm;
use crate::ops::combine;
use crate::ops::conv2d::Convolution;
use crate::ops::group_norm::GroupNorm;
use crate::ops::layer_norm::LayerNorm;
use crate::ops::linear::Linear;
use crate::ops::max_pool::MaxPool;
use crate::ops::operation::{Parameter, Parameters, only};
use crate::ops::pad::Pad;
use crate::ops::pool::AveragePool;
use crate::ops::shuffle::Shuffle;
#[cfg(feature = "gradients")]
use crate::ops::signs::pattern_len;
use crate::ops::slice::Slice;
use crate::ops::window::{Side, Window};
use crate::tensor::Shape;

/// Most nodes a block can have.
pub const MAX_NODES: usize = 128;

/// A primary block under construction or complete.
///
/// The first node is the block's input; every node reads earlier ones; the output is whatever
/// [`Block::set_output`] was told last, at first the input.
#[derive(Clone, Debug)]
pub struct Block {
    nodes: [Node; MAX_NODES],
    count: usize,
    output: NodeId,
    index: usize,
    /// The shape of the feature before the one that is the input.
    earlier: Option<Shape>,
}

/// What flows into and out of the nodes of a block; see [`Block::flow`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Something that is not cut off by a zero leads from here to the output.
    pub(crate) reaches_output: bool,
    /// Something that is not cut off by a zero leads from the block's input to here.
    pub(crate) depends_on_input: bool,
    /// Something that is not cut off by a zero leads from the feature before that to here.
    pub(crate) depends_on_earlier: bool,
}

impl Flow {
    /// Whether the node lies on a path from what the block reads to its output.
    pub(crate) fn is_live(self) -> bool {
        self.reaches_output && (self.depends_on_input || self.depends_on_earlier)
    }
}

impl Block {
    /// An empty block that reads a map of shape `input`; `index` is its number in the network.
    pub fn new(index: usize, input: Shape) -> Self {
        let inputs = [NodeId(0); MAX_INPUTS];
        let node = Node { op: Op::Input, shape: input, key: 0, draw: None, inputs, input_count: 0, times: 1 };
        Self { nodes: [node; MAX_NODES], count: 1, output: NodeId(0), index, earlier: None }
    }

    /// Makes this the empty block with another number, input, and feature before that, if there is one.
    pub fn restart(&mut self, index: usize, input: Shape, earlier: Option<Shape>) {
        self.nodes[0].shape = input;
        (self.count, self.output, self.index, self.earlier) = (1, NodeId(0), index, earlier);
    }

    /// Whether another block has the same nodes and the same output.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.output == other.output && self.nodes() == other.nodes()
    }

    /// Makes this the same as another block.
    pub(crate) fn become_like(&mut self, other: &Self) {
        self.nodes[..other.count].copy_from_slice(other.nodes());
        (self.count, self.output, self.index, self.earlier) = (other.count, other.output, other.index, other.earlier);
    }

    /// The number of the block in its network.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The block's input.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// The node whose value is the block's feature.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Makes `node` the block's feature.
    pub fn set_output(&mut self, node: NodeId) -> Result<(), Error> {
        self.check(node)?;
        self.output = node;
        Ok(())
    }

    /// The node at position `index` of [`Block::nodes`]: 0 is the input.
    ///
    /// # Errors
    /// [`Error::Node`] if there is none yet.
    pub fn node(&self, index: usize) -> Result<NodeId, Error> {
        if index < self.count { Ok(self.id(index)) } else { Err(self.refuse("inputs", "earlier nodes of the block")) }
    }

    /// [`Block::node`] where the node is known to exist.
    pub(crate) fn id(&self, index: usize) -> NodeId {
        NodeId(index as u16)
    }

    /// Closes the description: a block that is nothing but its input still has an output of its own.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        if self.output == self.input() {
            self.output = self.push(Op::Identity, &[self.input()], 0)?;
        }
        Ok(())
    }

    /// All nodes, in execution order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes[..self.count]
    }

    /// The shape of a node's value.
    pub fn shape(&self, node: NodeId) -> Result<Shape, Error> {
        self.check(node)?;
        Ok(self.nodes[node.index()].shape)
    }

    /// The shape of the block's feature.
    pub fn output_shape(&self) -> Shape {
        self.nodes[self.output.index()].shape
    }

    /// Adds a node. Its parameters are drawn, and asked of the caller, under the number `key`; see [`Node::key`].
    ///
    /// # Errors
    /// [`Error::Node`] naming the field that does not fit; [`Error::TooLarge`] if the block is full.
    pub fn push(&mut self, op: Op, inputs: &[NodeId], key: u32) -> Result<NodeId, Error> {
        let node = self.count;
        if node == MAX_NODES {
            return Err(Error::TooLarge { quantity: "the number of nodes of a block", limit: MAX_NODES });
        }
        if inputs.len() > MAX_INPUTS {
            return Err(Error::TooLarge { quantity: "the number of inputs of a node", limit: MAX_INPUTS });
        }
        inputs.iter().try_for_each(|&input| self.check(input))?;
        let shape = self.result_shape(op, inputs).map_err(|error| match error {
            // The rules of the ops do not know where they are asked.
            Error::Invalid { field, expected } => self.refuse(field, expected),
            other => other,
        })?;
        let mut stored = [NodeId(0); MAX_INPUTS];
        stored[..inputs.len()].copy_from_slice(inputs);
        let input_count = inputs.len() as u8;
        let added = Node { op, shape, key, draw: None, inputs: stored, input_count, times: 1 };
        if self.ties(&added) {
            return Err(self.refuse("key", "another than that of an earlier node with such parameters"));
        }
        self.nodes[node] = added;
        self.count += 1;
        Ok(NodeId(node as u16))
    }

    /// Makes the network, not the options of a score, say how the parameters of `node` are drawn.
    pub fn set_draw(&mut self, node: NodeId, draw: Draw) -> Result<(), Error> {
        self.check(node)?;
        if draw.interleave == 0 {
            return Err(self.refuse("interleave", "at least 1"));
        }
        self.nodes[node.index()].draw = Some(draw);
        Ok(())
    }

    /// The feature before the one that is the block's input.
    pub fn earlier(&mut self) -> Result<NodeId, Error> {
        self.push(Op::Earlier, &[], 0)
    }

    /// Whether the block reads the feature before the one that is its input.
    pub(crate) fn reads_earlier(&self) -> bool {
        self.nodes().iter().any(|node| matches!(node.op, Op::Earlier))
    }

    /// Zeros of the shape of `x`.
    pub fn zero(&mut self, x: NodeId) -> Result<NodeId, Error> {
        self.push(Op::Zero, &[x], 0)
    }

    /// `max(x, 0)`. Rectifiers of one value are one node, so that all that read it can run as one; it counts as many
    /// [times](Node::times).
    pub fn relu(&mut self, x: NodeId) -> Result<NodeId, Error> {
        let is_same = |node: &Node| matches!(node.op, Op::Relu) && node.inputs() == [x];
        match self.nodes().iter().position(is_same) {
            Some(node) => {
                self.nodes[node].times = self.nodes[node].times.saturating_add(1);
                Ok(self.id(node))
            }
            None => self.push(Op::Relu, &[x], 0),
        }
    }

    /// A convolution of `x`.
    pub fn convolution(&mut self, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Convolution(convolution), &[x], key)
    }

    /// Batch normalisation of `x`.
    pub fn batch_norm(&mut self, x: NodeId, epsilon: f64, key: u32) -> Result<NodeId, Error> {
        self.push(Op::BatchNorm(BatchNorm { epsilon: epsilon.into() }), &[x], key)
    }

    /// Average pooling of `x`.
    pub fn average_pool(&mut self, x: NodeId, window: Window) -> Result<NodeId, Error> {
        self.push(Op::AveragePool(AveragePool { window }), &[x], 0)
    }

    /// Max pooling of `x`.
    pub fn max_pool(&mut self, x: NodeId, window: Window) -> Result<NodeId, Error> {
        self.push(Op::MaxPool(MaxPool { window }), &[x], 0)
    }

    /// The maximum of `x` over all positions: a window as large as the map.
    pub fn global_max_pool(&mut self, x: NodeId) -> Result<NodeId, Error> {
        let shape = self.shape(x)?;
        let side = |kernel| Side { kernel, stride: 1, before: 0, behind: 0 };
        self.max_pool(x, Window::of_sides([side(shape.height), side(shape.width)])?)
    }

    /// The mean of `x` over all positions.
    pub fn global_pool(&mut self, x: NodeId) -> Result<NodeId, Error> {
        self.push(Op::GlobalPool, &[x], 0)
    }

    /// The mean of the tokens `x` without the class token.
    pub fn token_pool(&mut self, x: NodeId) -> Result<NodeId, Error> {
        self.push(Op::TokenPool, &[x], 0)
    }

    /// A linear map of the channels of `x`, with bias.
    pub fn linear(&mut self, x: NodeId, channels: usize, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Linear(Linear { channels }), &[x], key)
    }

    /// The positions of `x` as tokens behind a class token.
    pub fn tokens(&mut self, x: NodeId, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Tokens, &[x], key)
    }

    /// Layer normalisation of `x`.
    pub fn layer_norm(&mut self, x: NodeId, epsilon: f64, key: u32) -> Result<NodeId, Error> {
        self.push(Op::LayerNorm(LayerNorm { epsilon: epsilon.into() }), &[x], key)
    }

    /// A function of every number of `x`.
    pub fn activation(&mut self, x: NodeId, activation: Activation) -> Result<NodeId, Error> {
        self.push(Op::Activation(activation), &[x], 0)
    }

    /// Attention of the queries, keys and values `x`.
    pub fn attention(&mut self, x: NodeId, attention: Attention, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Attention(attention), &[x], key)
    }

    /// The sum of the nodes; a single node is returned as it is.
    pub fn add(&mut self, terms: &[NodeId]) -> Result<NodeId, Error> {
        match terms {
            [only] => self.check(*only).map(|()| *only),
            _ => self.push(Op::Add, terms, 0),
        }
    }

    /// The nodes side by side along the channels.
    pub fn concat(&mut self, parts: &[NodeId]) -> Result<NodeId, Error> {
        self.push(Op::Concat, parts, 0)
    }

    /// The product of `x` and `factor`, number by number. A factor of one position meets all of an image's.
    pub fn product(&mut self, x: NodeId, factor: NodeId) -> Result<NodeId, Error> {
        self.push(Op::Product, &[x, factor], 0)
    }

    /// Every channel of `x` times its own gain, drawn by `key`.
    pub fn scale(&mut self, x: NodeId, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Scale, &[x], key)
    }

    /// The channels of `x`, taken from so many groups in turn.
    pub fn shuffle(&mut self, x: NodeId, groups: usize) -> Result<NodeId, Error> {
        self.push(Op::Shuffle(Shuffle { groups }), &[x], 0)
    }

    /// Some of the channels of every so many rows and columns of `x`.
    pub fn slice(&mut self, x: NodeId, slice: Slice) -> Result<NodeId, Error> {
        self.push(Op::Slice(slice), &[x], 0)
    }

    /// Zeros around `x`.
    pub fn pad(&mut self, x: NodeId, pad: Pad) -> Result<NodeId, Error> {
        self.push(Op::Pad(pad), &[x], 0)
    }

    /// A table of positions added to `x`, drawn by `key`.
    pub fn positions(&mut self, x: NodeId, key: u32) -> Result<NodeId, Error> {
        self.push(Op::Positions, &[x], key)
    }

    /// Normalisation of `groups` groups of the channels of every image of `x`; as many groups as channels make it an instance
    /// normalisation.
    pub fn group_norm(&mut self, x: NodeId, groups: usize, epsilon: f64, key: u32) -> Result<NodeId, Error> {
        self.push(Op::GroupNorm(GroupNorm { groups, epsilon: epsilon.into() }), &[x], key)
    }

    /// The parameters of a node.
    pub(crate) fn parameters(&self, node: &Node) -> Parameters {
        let input = self.first_input(node);
        match node.op.kind() {
            Kind::Convolution(convolution) => convolution.parameters(input),
            Kind::BatchNorm(norm) => norm.parameters(input),
            Kind::Plain(op) => op.parameters(input, node.shape),
            Kind::Input | Kind::Earlier | Kind::Zero => Parameter::list([]),
            Kind::Identity | Kind::Relu | Kind::Add => Parameter::list([]),
        }
    }

    /// Numbers of all parameters of a node.
    #[cfg(feature = "gradients")]
    pub(crate) fn parameters_len(&self, node: &Node) -> usize {
        self.parameters(node).as_slice().iter().map(Parameter::len).fold(0, usize::saturating_add)
    }

    /// Words of a bit for each number that a rectifier passes on; of other nodes none.
    #[cfg(feature = "gradients")]
    pub(crate) fn sign_words(&self, node: &Node) -> usize {
        if matches!(node.op, Op::Relu) { pattern_len(node.shape.len()) } else { 0 }
    }

    /// Multiply-adds of a node for one image.
    pub(crate) fn macs_per_image(&self, node: &Node) -> Result<u64, Error> {
        let input = self.first_input(node);
        Ok(match node.op.kind() {
            Kind::Convolution(convolution) => convolution.geometry(Shape { batch: 1, ..input })?.macs(),
            Kind::Plain(op) => op.macs(input, node.shape),
            Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity => 0,
            Kind::Relu | Kind::Add | Kind::BatchNorm(_) => 0,
        })
    }

    /// The shape that a node reads first; of none if it reads nothing.
    pub(crate) fn first_input(&self, node: &Node) -> Shape {
        node.inputs().first().map_or(Shape::default(), |input| self.nodes[input.index()].shape)
    }

    /// What flows where. Zeros cut: what is only multiplied by zero neither reaches nor depends.
    pub(crate) fn flow(&self) -> [Flow; MAX_NODES] {
        let mut flow = [Flow::default(); MAX_NODES];
        flow[0].depends_on_input = true;
        for (i, node) in self.nodes().iter().enumerate().skip(1) {
            flow[i].depends_on_earlier = matches!(node.op, Op::Earlier);
            if !matches!(node.op, Op::Zero) {
                for input in node.inputs() {
                    let input = flow[input.index()];
                    flow[i].depends_on_input |= input.depends_on_input;
                    flow[i].depends_on_earlier |= input.depends_on_earlier;
                }
            }
        }
        flow[self.output.index()].reaches_output = true;
        for (i, node) in self.nodes().iter().enumerate().rev() {
            if flow[i].reaches_output && !matches!(node.op, Op::Zero) {
                node.inputs().iter().for_each(|input| flow[input.index()].reaches_output = true);
            }
        }
        flow
    }

    /// Whether a parameter of `added` would be the same tensor as one of an earlier node.
    fn ties(&self, added: &Node) -> bool {
        let own = self.parameters(added);
        let is_own = |other: &Parameter| own.as_slice().iter().any(|parameter| parameter.role == other.role);
        let has_own = |node: &Node| self.parameters(node).as_slice().iter().any(is_own);
        !own.as_slice().is_empty() && self.nodes().iter().any(|node| node.key == added.key && has_own(node))
    }

    fn check(&self, node: NodeId) -> Result<(), Error> {
        self.node(node.index()).map(|_| ())
    }

    fn refuse(&self, field: &'static str, expected: &'static str) -> Error {
        Error::Node { block: self.index, node: self.count, field, expected }
    }

    /// The shape rule of every op.
    fn result_shape(&self, op: Op, inputs: &[NodeId]) -> Result<Shape, Error> {
        let mut shapes = [Shape::default(); MAX_INPUTS];
        let shapes = &mut shapes[..inputs.len()];
        shapes.iter_mut().zip(inputs).for_each(|(shape, input)| *shape = self.nodes[input.index()].shape);
        if !op.is_built() {
            return Err(self.refuse("op", "one that is not left out of a small build"));
        }
        match op.kind() {
            Kind::Input => Err(self.refuse("op", "anything but an input, which every block has already")),
            Kind::Earlier if !shapes.is_empty() => Err(self.refuse("inputs", "none")),
            Kind::Earlier => {
                self.earlier.ok_or(self.refuse("op", "one that needs no feature before the block's input"))
            }
            Kind::Zero | Kind::Identity | Kind::Relu | Kind::BatchNorm(_) => only(shapes),
            Kind::Add => combine::output(shapes),
            Kind::Convolution(convolution) => Ok(convolution.geometry(only(shapes)?)?.output()),
            Kind::Plain(op) => op.output(shapes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two nodes of a block must not both have under one key.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Has {
        Nothing,
        Weights,
        Scales,
        Tokens,
        Tables,
    }

    /// By a case for every op, so that a new one is not forgotten here.
    fn has(op: Op) -> Has {
        match op {
            Op::Input | Op::Earlier | Op::Zero | Op::Identity | Op::Relu | Op::Activation(_) => Has::Nothing,
            Op::AveragePool(_) | Op::MaxPool(_) | Op::GlobalPool | Op::TokenPool => Has::Nothing,
            Op::Add | Op::Concat | Op::Product | Op::Shuffle(_) | Op::Slice(_) | Op::Pad(_) => Has::Nothing,
            Op::Convolution(_) | Op::Linear(_) => Has::Weights,
            Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_) | Op::Scale => Has::Scales,
            Op::Tokens | Op::Positions => Has::Tokens,
            Op::Attention(_) => Has::Tables,
        }
    }

    #[test]
    fn no_two_nodes_share_a_tensor() {
        let map = Shape::new(2, 5, 1, 18).unwrap();
        let window = Window::new(3, 1, 1).unwrap();
        let ops = [
            Op::Earlier,
            Op::Zero,
            Op::Identity,
            Op::Relu,
            Op::Activation(Activation::Gelu),
            Op::AveragePool(AveragePool { window }),
            Op::MaxPool(MaxPool { window }),
            Op::GlobalPool,
            Op::TokenPool,
            Op::Add,
            Op::Concat,
            Op::Product,
            Op::Scale,
            Op::Shuffle(Shuffle { groups: 3 }),
            Op::Slice(Slice::of_channels(1, 2)),
            Op::Pad(Pad { before: [0; 2], behind: [1, 2] }),
            Op::Positions,
            Op::GroupNorm(GroupNorm { groups: 3, epsilon: 1e-5.into() }),
            Op::Convolution(Convolution::same(4, 3, 1)),
            Op::Convolution(Convolution { bias: true, ..Convolution::depthwise(18, 1, 1) }),
            Op::Linear(Linear { channels: 3 }),
            Op::BatchNorm(BatchNorm { epsilon: 1e-5.into() }),
            Op::LayerNorm(LayerNorm { epsilon: 1e-5.into() }),
            Op::Tokens,
            Op::Attention(Attention { heads: 2, grid: [2, 2], reach: 1 }),
        ];
        let inputs = |op| match op {
            Op::Earlier => &[][..],
            Op::Product => &[NodeId(0); 2],
            _ => &[NodeId(0)],
        };
        let ops = ops.map(|op| if op.is_built() { op } else { Op::Identity });
        for (first, second, key) in ops.iter().flat_map(|&a| ops.iter().flat_map(move |&b| [(a, b, 7), (a, b, 8)])) {
            let mut block = Block::new(2, map);
            block.restart(2, map, Some(map));
            block.push(first, inputs(first), 7).unwrap();
            let ties = key == 7 && has(first) != Has::Nothing && has(first) == has(second);
            let outcome = block.push(second, inputs(second), key);
            if ties {
                let is_named = matches!(outcome, Err(Error::Node { block: 2, node: 2, field: "key", .. }));
                assert!(is_named && block.nodes().len() == 2, "{first:?}, {second:?}: {outcome:?}");
                block.push(second, inputs(second), 9).unwrap();
            } else {
                assert_eq!(outcome, Ok(NodeId(2)), "{first:?}, {second:?}, key {key}");
            }
        }
    }

    #[test]
    fn what_is_left_out_is_refused() {
        let mut block = Block::new(0, Shape::new(2, 4, 4, 3).unwrap());
        let input = block.input();
        let (slice, shuffle) = (Op::Slice(Slice::of_channels(1, 2)), Op::Shuffle(Shuffle { groups: 3 }));
        let alone = [input];
        let pad = Op::Pad(Pad { before: [1; 2], behind: [0; 2] });
        let norm = Op::GroupNorm(GroupNorm { groups: 1, epsilon: 1e-5.into() });
        let others = [slice, shuffle, pad, norm, Op::Positions, Op::Scale, Op::Activation(Activation::Tanh)];
        let others = others.map(|op| (op, &alone[..]));
        for (key, (op, inputs)) in (0..).zip(others.into_iter().chain([(Op::Product, &[input; 2][..])])) {
            assert_eq!(op.is_built(), cfg!(not(feature = "small")), "{op:?}");
            match block.push(op, inputs, key) {
                Ok(_) => assert!(op.is_built(), "{op:?}"),
                Err(error) => {
                    assert!(!op.is_built() && matches!(error, Error::Node { field: "op", .. }), "{op:?}: {error}");
                }
            }
        }
        assert!(Op::Activation(Activation::Gelu).is_built());
    }

    #[test]
    fn what_has_weights_has_channels() {
        let mut block = Block::new(0, Shape::new(2, 4, 4, 3).unwrap());
        for op in [Op::Convolution(Convolution::same(0, 3, 1)), Op::Linear(Linear { channels: 0 })] {
            let outcome = block.push(op, &[block.input()], 0);
            assert!(matches!(outcome, Err(Error::Node { node: 1, field: "channels", .. })), "{op:?}: {outcome:?}");
        }
    }
}
