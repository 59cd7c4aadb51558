//! Any network: the caller's nodes as a chain of primary blocks.

use crate::pointer::{Array, Struct};
use crate::refusal::Refusal;
use aznas::Error;
use aznas::base::constant::Constant;
use aznas::graph::{Block, Convolution, IdentityRule, MAX_INPUTS, Network, NodeId, Op as CoreOp};
use aznas::ops::activation::Activation;
use aznas::ops::attention::Attention;
use aznas::ops::batch_norm::BatchNorm;
use aznas::ops::group_norm::GroupNorm;
use aznas::ops::layer_norm::LayerNorm;
use aznas::ops::linear::Linear;
use aznas::ops::max_pool::MaxPool;
use aznas::ops::pad::Pad;
use aznas::ops::pool::AveragePool;
use aznas::ops::shuffle::Shuffle;
use aznas::ops::slice::Slice;
use aznas::ops::window::{Side, Window};
use core::cell::Cell;
use core::mem::offset_of;

/// Most nodes of a network.
const MAX_NODE_COUNT: usize = 1 << 16;
/// Largest side of a kernel, stride, padding or dilation: planning takes time in proportion.
const MAX_SIDE: u32 = 1 << 16;

/// What holds of a node.
///
/// cbindgen:prefix-with-name=false
#[allow(clippy::enum_variant_names)] // as C knows them
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NodeFlag {
    /// The node ends its primary block, and its value is the block's feature. Nodes after the last block are the head,
    /// which only counts as complexity and parameters.
    ///
    /// Trainability is measured of blocks, all but the first, whose feature is as large as their input, or smaller by one
    /// whole factor in rows and columns, such as 16x16 after 32x32. It does without the others: AZNAS_FLAG_UNEVEN_BLOCK.
    AznasNodeEndOfBlock = 1,
    /// The convolution has a bias. (A linear map always has one.)
    AznasNodeBias = 2,
    /// `padding` is that above and to the left, `behind` that below and to the right, of a pool or a pad.
    AznasNodeBehind = 4,
}

pub(crate) const END_OF_BLOCK: u32 = NodeFlag::AznasNodeEndOfBlock as u32;
pub(crate) const BIAS: u32 = NodeFlag::AznasNodeBias as u32;
pub(crate) const BEHIND: u32 = NodeFlag::AznasNodeBehind as u32;
/// Small builds know no sides that differ.
const FLAGS: u32 = END_OF_BLOCK | BIAS | if cfg!(feature = "small") { 0 } else { BEHIND };
/// Small builds leave out this op and all that came later.
const FIRST_LEFT_OUT: u32 = Op::Sigmoid as u32;

/// What a node computes. Each takes one input unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Op {
    /// Zeros of the shape of its input.
    Zero = 1,
    /// Its input.
    Identity = 2,
    /// `max(x, 0)`; derivative 0 at 0.
    Relu = 3,
    /// A convolution: `channels`, `kernel`, `stride`, `padding`, `dilation`, `groups`, `key`, AZNAS_NODE_BIAS.
    Convolution = 4,
    /// Normalisation by the batch's own mean and biased variance, then gain and shift per channel: `epsilon`, `key`.
    BatchNorm = 5,
    /// The mean over a window, padding not counted: `kernel`, `stride`, `padding`, AZNAS_NODE_BEHIND.
    AveragePool = 6,
    /// The maximum over a window, padding not counted: `kernel`, `stride`, `padding`, AZNAS_NODE_BEHIND. Over all positions if
    /// the kernel is as large as the map.
    MaxPool = 7,
    /// The mean over all positions.
    GlobalPool = 8,
    /// A linear map of the channels of every position, with bias: `channels`, `key`.
    Linear = 9,
    /// The sum of 1 to 8 inputs.
    Add = 10,
    /// 1 to 8 inputs side by side along the channels.
    Concat = 11,
    /// Normalisation of every position over its channels, then gain and shift per channel: `epsilon`, `key`.
    LayerNorm = 12,
    /// `x * P(N(0, 1) <= x)`, exactly.
    Gelu = 13,
    /// The positions of a map as a column of tokens behind a class token, with a vector added to each: `key`. What other
    /// nodes call rows are tokens from here on.
    Tokens = 14,
    /// Multi-head attention of tokens: `heads`, and for relative positions `grid`, `reach`, `key`; a grid of 0 x 0 is for
    /// attention without them. Its input has in its channels the queries of all heads, then all keys, then all values; its
    /// output a third of these channels. Logits are divided by the square root of a head's channels.
    Attention = 15,
    /// The mean over all tokens but the first, the class token.
    TokenPool = 16,
    /// The feature before the one that the block reads. Takes no input: `input_count` is 0. The first two blocks have
    /// none.
    Earlier = 17,
    /// `1 / (1 + exp(-x))`
    Sigmoid = 18,
    /// `min(max(x + 3, 0), 6) / 6`
    HardSigmoid = 19,
    /// `x / (1 + exp(-x))`, also called swish.
    Silu = 20,
    /// `x * min(max(x + 3, 0), 6) / 6`
    HardSwish = 21,
    /// `min(max(x, 0), 6)`
    Relu6 = 22,
    /// x where it is positive, else `alpha * x`: `alpha`.
    LeakyRelu = 23,
    /// x where it is positive, else `alpha * (exp(x) - 1)`: `alpha`.
    Elu = 24,
    /// The hyperbolic tangent.
    Tanh = 25,
    /// Some of its input: `channels` from `first` on, of every `stride`-th row and column from `offset` on.
    Slice = 26,
    /// The product of its two inputs, number by number; the second may have one position, which meets all of an image's.
    Product = 27,
    /// Its channels, taken from `groups` of them in turn: the first of every group, the second of every group, and so on.
    Shuffle = 28,
    /// Every channel times its own gain, which is 1 unless given: `key`.
    Scale = 29,
    /// Zeros around its input: `padding`, AZNAS_NODE_BEHIND. For convolutions whose sides differ, and for means that count
    /// padding.
    Pad = 30,
    /// A vector added to each position of a map, the same for all images: `key`.
    Positions = 31,
    /// Normalisation of `groups` of channels of every image over their channels and positions, then gain and shift per channel:
    /// `groups`, `epsilon`, `key`. Instance normalisation if there are as many groups as channels.
    GroupNorm = 32,
    /// `x * tanh(log(1 + exp(x)))`
    Mish = 33,
    /// `alpha * x`: `alpha`. With -1, a sum is a difference.
    Times = 34,
}

/// A node of a graph. Fields that its `op` does not use are ignored; zero them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Node {
    /// One of `aznas_op`.
    pub op: u32,
    /// Some of `aznas_node_flag`.
    pub flags: u32,
    /// What it reads, by number inside its block: 0 is the feature that the block reads (in the first block, the input
    /// batch), 1 the first node of the block, and so on.
    pub inputs: [u32; 8],
    /// How many of `inputs` count.
    pub input_count: u32,
    /// Its parameters are drawn and looked up by this number. In a block the convolutions and linear maps have a key each
    /// of their own, and so do the normalisations, the tokens and the attentions; a convolution and a normalisation may
    /// have the same. Two networks that agree in block, key and size of a tensor share its random numbers.
    pub key: u32,
    /// Output channels.
    pub channels: u32,
    /// Rows and columns of the kernel; like the next three, at most 65536.
    pub kernel: [u32; 2],
    /// Steps between outputs, in rows and columns.
    pub stride: [u32; 2],
    /// Zeros around the input, above and below, left and right. A pool leaves them out.
    pub padding: [u32; 2],
    /// Steps between the elements of the kernel. 1 and 1 for an ordinary convolution.
    pub dilation: [u32; 2],
    /// Groups that the channels are split into: 1 for an ordinary convolution, the channels for a depthwise one.
    pub groups: u32,
    /// Heads of an attention: a third of the channels of its input is split into as many.
    pub heads: u32,
    /// Rows and columns that the tokens behind the class token are laid out in.
    pub grid: [u32; 2],
    /// The farthest relative position, along an axis of the grid, with an entry of its own.
    pub reach: u32,
    /// Number that a normalisation adds to the variance; positive and finite.
    pub epsilon: f64,
    /// Constant of an activation; finite.
    pub alpha: f64,
    /// The first channel of a slice.
    pub first: u32,
    /// The first row and column of a slice.
    pub offset: [u32; 2],
    /// Reserved; 0.
    pub reserved: u32,
    /// With AZNAS_NODE_BEHIND, the padding below and to the right; at most 65536. Of a pool `stride - 1` more than `padding`
    /// makes the number of windows round up instead of down.
    pub behind: [u32; 2],
}

// SAFETY: numbers take every pattern of bits.
unsafe impl Struct for Node {
    const NAME: &'static str = "nodes";
    const ENDS: &'static [usize] = &[offset_of!(Self, alpha), offset_of!(Self, first), offset_of!(Self, behind)];
}

/// The caller's nodes as a network.
#[derive(Debug)]
pub(crate) struct NodeList {
    nodes: Array<Node>,
    block_count: usize,
    input_channels: usize,
    identity_rule: IdentityRule,
    /// A block and its first node: blocks are asked for in order, so the next one is found without counting anew.
    cursor: Cell<(usize, usize)>,
}

impl NodeList {
    /// Refuses a number of nodes that no network has.
    pub(crate) fn check_count(node_count: usize) -> Result<(), Refusal> {
        match node_count {
            0 => Err(Refusal::invalid("node_count", "at least 1")),
            1..=MAX_NODE_COUNT => Ok(()),
            _ => Err(Error::TooLarge { quantity: "node_count", limit: MAX_NODE_COUNT }.into()),
        }
    }

    pub(crate) fn new(nodes: Array<Node>, input_channels: u32, identity_rule: IdentityRule) -> Result<Self, Refusal> {
        if input_channels == 0 {
            return Err(Refusal::invalid("input_channels", "at least 1"));
        }
        let block_count = (0..nodes.len()).filter(|&node| nodes.get(node).ends_block()).count();
        if block_count == 0 {
            return Err(Refusal::invalid("nodes", "at least one that ends a block"));
        }
        let cursor = Cell::new((0, 0));
        Ok(Self { nodes, block_count, input_channels: input_channels as usize, identity_rule, cursor })
    }

    /// The first node of a block; of the block after the last, that of the head.
    fn first_node(&self, block: usize) -> usize {
        let (mut reached, mut node) = self.cursor.get();
        if reached > block {
            (reached, node) = (0, 0);
        }
        while reached < block && node < self.nodes.len() {
            reached += usize::from(self.nodes.get(node).ends_block());
            node += 1;
        }
        self.cursor.set((reached, node));
        node
    }

    /// Adds the nodes from that of block `index` to the end of the block or the list.
    fn describe_nodes(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        for place in self.first_node(index)..self.nodes.len() {
            let node = self.nodes.get(place);
            let output = node.add_to(block)?;
            block.set_output(output)?;
            if node.ends_block() {
                break;
            }
        }
        Ok(())
    }
}

impl Network for NodeList {
    fn input_channels(&self) -> usize {
        self.input_channels
    }

    fn block_count(&self) -> usize {
        self.block_count
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        self.describe_nodes(index, block)
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        self.describe_nodes(self.block_count, block)
    }

    fn identity_rule(&self) -> IdentityRule {
        self.identity_rule
    }
}

fn pair(sides: [u32; 2]) -> [usize; 2] {
    sides.map(|side| side as usize)
}

/// What the core calls an op, by its number: a line an op, and an error of the compiler if one is missing.
macro_rules! core_op {
    ($number:expr, $($op:ident => $core:expr,)*) => {{
        const _: fn(Op) = |op| match op { $(Op::$op => (),)* };
        match $number {
            $(number if number == Op::$op as u32 => Ok($core),)*
            _ => Err(Error::Invalid { field: "op", expected: "one of aznas_op" }),
        }
    }};
}

impl Node {
    /// A node of no op.
    #[cfg(feature = "onnx")]
    pub(crate) const EMPTY: Self = Self {
        op: 0,
        flags: 0,
        inputs: [0; 8],
        input_count: 0,
        key: 0,
        channels: 0,
        kernel: [0; 2],
        stride: [0; 2],
        padding: [0; 2],
        dilation: [0; 2],
        groups: 0,
        heads: 0,
        grid: [0; 2],
        reach: 0,
        epsilon: 0.0,
        alpha: 0.0,
        first: 0,
        offset: [0; 2],
        reserved: 0,
        behind: [0; 2],
    };

    fn ends_block(&self) -> bool {
        self.flags & END_OF_BLOCK != 0
    }

    fn add_to(&self, block: &mut Block) -> Result<NodeId, Error> {
        let number = block.nodes().len();
        let refuse = |field, expected| Error::Node { block: block.index(), node: number, field, expected };
        if self.flags & !FLAGS != 0 {
            return Err(refuse("flags", "some of aznas_node_flag"));
        }
        let count = self.input_count as usize;
        if self.op == Op::Earlier as u32 && count > 0 {
            return Err(refuse("input_count", "0"));
        }
        if self.op != Op::Earlier as u32 && !(1..=MAX_INPUTS).contains(&count) {
            return Err(refuse("input_count", "from 1 to 8"));
        }
        if self.reserved != 0 {
            return Err(refuse("reserved", "0"));
        }
        let sizes =
            [("kernel", self.kernel), ("stride", self.stride), ("padding", self.padding), ("dilation", self.dilation)];
        if let Some((field, _)) = sizes.iter().find(|(_, sides)| sides.iter().any(|&side| side > MAX_SIDE)) {
            return Err(refuse(field, "at most 65536"));
        }
        if self.flags & FLAGS & BEHIND != 0 && self.behind.iter().any(|&side| side > MAX_SIDE) {
            return Err(refuse("behind", "at most 65536"));
        }
        let op = self.op().map_err(|error| match error {
            Error::Invalid { field, expected } => refuse(field, expected),
            other => other,
        })?;
        let mut inputs = [block.input(); MAX_INPUTS];
        for (input, &given) in inputs.iter_mut().zip(&self.inputs).take(count) {
            *input = block.node(given as usize)?;
        }
        block.push(op, &inputs[..count], self.key)
    }

    fn op(&self) -> Result<CoreOp, Error> {
        // The core would refuse them. Known here, what describes them takes no flash either.
        if cfg!(feature = "small") && self.op >= FIRST_LEFT_OUT {
            return Err(Error::Invalid { field: "op", expected: "one that is not left out of a small build" });
        }
        core_op! { self.op,
            Zero => CoreOp::Zero,
            Identity => CoreOp::Identity,
            Relu => CoreOp::Relu,
            Convolution => CoreOp::Convolution(self.convolution()),
            BatchNorm => CoreOp::BatchNorm(BatchNorm { epsilon: self.checked_epsilon()? }),
            AveragePool => CoreOp::AveragePool(AveragePool { window: self.window()? }),
            MaxPool => CoreOp::MaxPool(MaxPool { window: self.window()? }),
            GlobalPool => CoreOp::GlobalPool,
            TokenPool => CoreOp::TokenPool,
            Earlier => CoreOp::Earlier,
            Linear => CoreOp::Linear(Linear { channels: self.channels as usize }),
            Add => CoreOp::Add,
            Concat => CoreOp::Concat,
            Product => CoreOp::Product,
            Scale => CoreOp::Scale,
            Shuffle => CoreOp::Shuffle(Shuffle { groups: self.groups as usize }),
            Slice => CoreOp::Slice(Slice {
                first: self.first as usize,
                channels: self.channels as usize,
                offset: pair(self.offset),
                stride: pair(self.stride),
            }),
            Pad => CoreOp::Pad(Pad { before: pair(self.padding), behind: pair(self.padding_behind()) }),
            Positions => CoreOp::Positions,
            GroupNorm => CoreOp::GroupNorm(GroupNorm {
                groups: self.groups as usize,
                epsilon: self.checked_epsilon()?,
            }),
            LayerNorm => CoreOp::LayerNorm(LayerNorm { epsilon: self.checked_epsilon()? }),
            Gelu => CoreOp::Activation(Activation::Gelu),
            Sigmoid => CoreOp::Activation(Activation::Sigmoid),
            HardSigmoid => CoreOp::Activation(Activation::HardSigmoid),
            Silu => CoreOp::Activation(Activation::Silu),
            HardSwish => CoreOp::Activation(Activation::HardSwish),
            Relu6 => CoreOp::Activation(Activation::Relu6),
            LeakyRelu => CoreOp::Activation(Activation::LeakyRelu { slope: self.alpha.into() }),
            Elu => CoreOp::Activation(Activation::Elu { alpha: self.alpha.into() }),
            Tanh => CoreOp::Activation(Activation::Tanh),
            Mish => CoreOp::Activation(Activation::Mish),
            Times => CoreOp::Activation(Activation::Times { factor: self.alpha.into() }),
            Tokens => CoreOp::Tokens,
            Attention => CoreOp::Attention(Attention {
                heads: self.heads as usize,
                grid: pair(self.grid),
                reach: self.reach as usize,
            }),
        }
    }

    fn convolution(&self) -> Convolution {
        Convolution {
            channels: self.channels as usize,
            kernel: pair(self.kernel),
            stride: pair(self.stride),
            padding: pair(self.padding),
            dilation: pair(self.dilation),
            groups: self.groups as usize,
            bias: self.flags & BIAS != 0,
        }
    }

    fn window(&self) -> Result<Window, Error> {
        let [kernel, stride] = [pair(self.kernel), pair(self.stride)];
        let [before, behind] = [pair(self.padding), pair(self.padding_behind())];
        let side =
            |axis| Side { kernel: kernel[axis], stride: stride[axis], before: before[axis], behind: behind[axis] };
        Window::of_sides([side(0), side(1)])
    }

    /// The padding below and to the right.
    fn padding_behind(&self) -> [u32; 2] {
        if self.flags & FLAGS & BEHIND == 0 { self.padding } else { self.behind }
    }

    fn checked_epsilon(&self) -> Result<Constant, Error> {
        if self.epsilon.is_finite() && self.epsilon > 0.0 {
            Ok(self.epsilon.into())
        } else {
            Err(Error::Invalid { field: "epsilon", expected: "positive and finite" })
        }
    }
}
