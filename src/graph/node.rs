//! The primitives a block is made of.

use super::draw::Draw;
use crate::Error;
use crate::ops::attention::Attention;
use crate::ops::conv2d::Geometry;
use crate::ops::window::Window;
use crate::tensor::{Role, Shape};

/// Most inputs a node can have.
pub const MAX_INPUTS: usize = 8;

/// A node of the block it was returned by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub(super) u16);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A two-dimensional convolution (cross-correlation, as in every framework).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Output channels.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs, in rows and columns.
    pub stride: [usize; 2],
    /// Zeros around the input, on each side.
    pub padding: [usize; 2],
    /// Step between kernel elements.
    pub dilation: [usize; 2],
    /// Groups the channels are split into; equal to the channels for a depthwise convolution.
    pub groups: usize,
    /// Whether a bias per output channel is added.
    pub bias: bool,
}

impl Convolution {
    /// A square kernel of odd size with padding that keeps the size at stride 1, without bias.
    pub const fn same(channels: usize, kernel: usize, stride: usize) -> Self {
        Self {
            channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [kernel / 2; 2],
            dilation: [1; 2],
            groups: 1,
            bias: false,
        }
    }

    /// The sizes of the convolution of a map of shape `input`.
    pub fn geometry(&self, input: Shape) -> Result<Geometry, Error> {
        Geometry::new(input, self.channels, self.kernel, self.stride, self.padding, self.dilation, self.groups)
    }

    /// The same with one group per channel; `channels` must be those of the input.
    pub const fn depthwise(channels: usize, kernel: usize, stride: usize) -> Self {
        Self { groups: channels, ..Self::same(channels, kernel, stride) }
    }
}

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The block's input: the feature before it, or the input batch.
    Input,
    /// The feature before the one that the block reads; takes no input. The first two blocks have none.
    Earlier,
    /// Zeros of the shape of its input, of which nothing else is used.
    Zero,
    /// Its input.
    Identity,
    /// `max(x, 0)`; derivative 0 at 0.
    Relu,
    /// A convolution.
    Convolution(Convolution),
    /// Normalisation by the batch's own mean and biased variance, then gain and shift per channel.
    BatchNorm {
        /// Added to the variance.
        epsilon: f64,
    },
    /// The mean over a window; padding does not count.
    AveragePool(Window),
    /// The maximum over a window.
    MaxPool(Window),
    /// The mean over all positions.
    GlobalPool,
    /// The mean over all tokens but the first, the class token.
    TokenPool,
    /// A linear map of the channels of every position, with bias.
    Linear {
        /// Output channels.
        channels: usize,
    },
    /// A class token before the positions of a map, and a table of positions added: from patches to tokens.
    Tokens,
    /// Normalisation of every position over its channels, then gain and shift per channel.
    LayerNorm {
        /// Added to the variance.
        epsilon: f64,
    },
    /// `x Φ(x)`, exactly.
    Gelu,
    /// Multi-head attention with relative positions; its input is queries, keys and values.
    Attention(Attention),
    /// The sum of its inputs.
    Add,
    /// Its inputs side by side along the channels.
    Concat,
}

/// A primitive, its inputs and the shape of its result.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// The shape of its result.
    pub shape: Shape,
    /// The number its parameters are drawn and asked for by; unique among the block's nodes of one op.
    pub key: u32,
    /// How its parameters are drawn, if the network says so; else as the options of a score say.
    pub draw: Option<Draw>,
    pub(super) inputs: [NodeId; MAX_INPUTS],
    pub(super) input_count: u8,
}

impl Node {
    /// Whether a parameter of this role is drawn where the caller does not give it; else it has its neutral value.
    pub(crate) fn draws(&self, role: Role) -> bool {
        match role {
            Role::Bias => self.draw.is_some_and(|draw| draw.bias),
            Role::Gain | Role::Shift => false,
            _ => true,
        }
    }

    /// The nodes it reads, all earlier in the block.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs[..usize::from(self.input_count)]
    }
}
