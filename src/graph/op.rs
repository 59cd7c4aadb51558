//! The ops a block is made of, and which of them the planner knows.

use crate::base::SMALL;
use crate::ops::activation::Activation;
use crate::ops::attention::Attention;
use crate::ops::batch_norm::BatchNorm;
use crate::ops::concat::Concat;
use crate::ops::conv2d::Convolution;
use crate::ops::global_pool::GlobalPool;
use crate::ops::group_norm::GroupNorm;
use crate::ops::layer_norm::LayerNorm;
use crate::ops::linear::Linear;
use crate::ops::max_pool::MaxPool;
use crate::ops::operation::Operation;
use crate::ops::pad::Pad;
use crate::ops::pool::AveragePool;
use crate::ops::positions::Positions;
use crate::ops::product::Product;
use crate::ops::scale::Scale;
use crate::ops::shuffle::Shuffle;
use crate::ops::slice::Slice;
use crate::ops::tokens::Tokens;

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    BatchNorm(BatchNorm),
    /// The mean over a window; padding does not count.
    AveragePool(AveragePool),
    /// The maximum over a window.
    MaxPool(MaxPool),
    /// The mean over all positions.
    GlobalPool,
    /// The mean over all tokens but the first, the class token.
    TokenPool,
    /// A linear map of the channels of every position, with bias.
    Linear(Linear),
    /// A class token before the positions of a map, and a table of positions added: from patches to tokens.
    Tokens,
    /// Normalisation of every position over its channels, then gain and shift per channel.
    LayerNorm(LayerNorm),
    /// A function of every number by itself.
    Activation(Activation),
    /// Multi-head attention with relative positions; its input is queries, keys and values.
    Attention(Attention),
    /// The sum of its inputs.
    Add,
    /// Its inputs side by side along the channels.
    Concat,
    /// The product of its two inputs, number by number; the second may have one position, which meets all.
    Product,
    /// Every channel times its own gain.
    Scale,
    /// Its channels, taken from groups of them in turn.
    Shuffle(Shuffle),
    /// Some of the channels of every so many rows and columns.
    Slice(Slice),
    /// Zeros around its input, of each side as many as it asks for.
    Pad(Pad),
    /// A table of positions added.
    Positions,
    /// Normalisation of groups of channels of every image, then gain and shift per channel.
    GroupNorm(GroupNorm),
}

/// An op as the planner sees it. It fuses some into their readers or writers, and has a case of its own for each of them
/// wherever it decides something; of all others it knows what they say of themselves.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    Input,
    Earlier,
    Zero,
    Identity,
    Relu,
    Add,
    Convolution(&'a Convolution),
    BatchNorm(&'a BatchNorm),
    Plain(&'a dyn Operation),
}

impl Op {
    /// Whether this build has the op: small ones leave out what none of their search spaces is made of.
    #[inline(always)] // else the table below keeps what is left out
    pub(crate) fn is_built(&self) -> bool {
        match self {
            Self::Product | Self::Scale | Self::Shuffle(_) | Self::Slice(_) => !SMALL,
            Self::Pad(_) | Self::Positions | Self::GroupNorm(_) => !SMALL,
            Self::Activation(op) => op.is_built(),
            Self::Input | Self::Earlier | Self::Zero | Self::Identity | Self::Relu | Self::Convolution(_) => true,
            Self::BatchNorm(_) | Self::AveragePool(_) | Self::MaxPool(_) | Self::GlobalPool | Self::TokenPool => true,
            Self::Linear(_) | Self::Tokens | Self::LayerNorm(_) | Self::Attention(_) | Self::Add | Self::Concat => true,
        }
    }

    /// Whether each number of the result is made from the numbers of the inputs in the same place, so that it may be written
    /// over one of them. A batch normalisation is where a network is used: its statistics are constants there.
    pub(crate) fn is_elementwise(&self) -> bool {
        match self {
            Self::Relu | Self::BatchNorm(_) | Self::Activation(_) | Self::Add | Self::Product | Self::Scale => true,
            Self::Positions => true,
            Self::Input | Self::Earlier | Self::Zero | Self::Identity | Self::Convolution(_) | Self::Linear(_) => false,
            Self::AveragePool(_) | Self::MaxPool(_) | Self::GlobalPool | Self::TokenPool | Self::Tokens => false,
            Self::LayerNorm(_) | Self::Attention(_) | Self::Concat | Self::Shuffle(_) | Self::Slice(_) => false,
            Self::Pad(_) | Self::GroupNorm(_) => false,
        }
    }

    /// The table of all ops. Blocks refuse those that are not built, so nobody sees how they are counted here.
    pub(crate) fn kind(&self) -> Kind<'_> {
        match self {
            op if !op.is_built() => Kind::Input,
            Self::Input => Kind::Input,
            Self::Earlier => Kind::Earlier,
            Self::Zero => Kind::Zero,
            Self::Identity => Kind::Identity,
            Self::Relu => Kind::Relu,
            Self::Add => Kind::Add,
            Self::Convolution(op) => Kind::Convolution(op),
            Self::BatchNorm(op) => Kind::BatchNorm(op),
            Self::AveragePool(op) => Kind::Plain(op),
            Self::MaxPool(op) => Kind::Plain(op),
            Self::GlobalPool => Kind::Plain(&GlobalPool { skip: 0 }),
            Self::TokenPool => Kind::Plain(&GlobalPool { skip: 1 }),
            Self::Linear(op) => Kind::Plain(op),
            Self::Tokens => Kind::Plain(&Tokens),
            Self::LayerNorm(op) => Kind::Plain(op),
            Self::Activation(op) => Kind::Plain(op),
            Self::Attention(op) => Kind::Plain(op),
            Self::Concat => Kind::Plain(&Concat),
            Self::Product => Kind::Plain(&Product),
            Self::Scale => Kind::Plain(&Scale),
            Self::Shuffle(op) => Kind::Plain(op),
            Self::Slice(op) => Kind::Plain(op),
            Self::Pad(op) => Kind::Plain(op),
            Self::Positions => Kind::Plain(&Positions),
            Self::GroupNorm(op) => Kind::Plain(op),
        }
    }
}
