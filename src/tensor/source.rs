//! Tensors the caller gives in place of random ones.

/// What a parameter of a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The weights of a convolution `(out, in / groups, rows, columns)` or linear map `(out, in)`, the last axis
    /// fastest.
    Weight,
    /// The bias of a convolution or linear map, one number per output channel.
    Bias,
    /// The factor of a normalisation, one number per channel.
    Gain,
    /// The summand of a normalisation, one number per channel.
    Shift,
    /// The class token, one number per channel.
    ClassToken,
    /// What is added to the tokens `(token, channel)`, the class token first.
    Position,
    /// What a key gains by its row relative to the query `(entry, channel of a head)`; see [`crate::ops::attention`].
    KeyRow,
    /// What a key gains by its column relative to the query.
    KeyColumn,
    /// What a value gains by its row relative to the query.
    ValueRow,
    /// What a value gains by its column relative to the query.
    ValueColumn,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::Weight,
        Self::Bias,
        Self::Gain,
        Self::Shift,
        Self::ClassToken,
        Self::Position,
        Self::KeyRow,
        Self::KeyColumn,
        Self::ValueRow,
        Self::ValueColumn,
    ];
}

/// Where a score may take its tensors from; whatever is `None` is drawn (weights, tokens, positions, input,
/// directions, labels) or has its neutral value (biases and shifts 0, gains 1).
///
/// The answers must not change while a score is computed.
pub trait Source {
    /// The input batch, `[batch, row, column, channel]` with the channels fastest.
    fn input(&self) -> Option<&[f32]> {
        None
    }

    /// A further input batch of the same shape, for what needs several; number 0 is [`input`](Self::input).
    fn batch(&self, number: u32) -> Option<&[f32]> {
        if number == 0 { self.input() } else { None }
    }

    /// The classes of the images of a batch, for a loss that needs them; each below the number of outputs.
    fn labels(&self, batch: u32) -> Option<&[u32]> {
        let _ = batch;
        None
    }

    /// The ±1 vector pulled back through block `block` (1 and up), of the shape of its feature, channels fastest.
    fn direction(&self, block: usize) -> Option<&[f32]> {
        let _ = block;
        None
    }

    /// A parameter of the node with number `key` in block `block`.
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        let _ = (block, key, role);
        None
    }
}

/// Every tensor drawn at random: the usual case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Source for Random {}
