//! How the caller gives tensors in place of random ones: by a table, a function, or both.

use crate::pointer::{Descriptor, Struct};
use core::ffi::c_void;
use core::mem::offset_of;

/// What a tensor of the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Role {
    /// The weights of a convolution, `[out, in / groups, rows, columns]`, or of a linear map, `[out, in]`, the last axis
    /// fastest.
    Weight = 0,
    /// The bias of a convolution or linear map, one number an output channel.
    Bias = 1,
    /// The factor of a normalisation, one number a channel.
    Gain = 2,
    /// The summand of a normalisation, one number a channel.
    Shift = 3,
    /// An input batch, `[batch, row, column, channel]`, channels fastest: `block` is its number, 0 for the one that all
    /// scores read and 1 for the second batch of ZiCo and ZenNAS; `key` is 0.
    Input = 4,
    /// The vector of plus and minus ones that is pulled back through block `block`, 1 and up, of the shape of its
    /// feature, channels fastest; `key` is 0.
    Direction = 5,
    /// The class token, one number a channel.
    ClassToken = 6,
    /// What is added to the tokens, `[token, channel]`, the class token first, channels fastest.
    Position = 7,
    /// What a key gains by its row relative to the query, `[entry, channel of a head]`, the channels fastest: entry 0 is for
    /// the class token, entry `d + reach + 1` for a difference of `d` from `-reach` to `reach`.
    KeyRow = 8,
    /// What a key gains by its column relative to the query.
    KeyColumn = 9,
    /// What a value gains by its row relative to the query.
    ValueRow = 10,
    /// What a value gains by its column relative to the query.
    ValueColumn = 11,
}

impl Role {
    /// The number of a parameter's role in the core.
    pub(crate) fn of(role: aznas::tensor::Role) -> Self {
        match role {
            aznas::tensor::Role::Weight => Self::Weight,
            aznas::tensor::Role::Bias => Self::Bias,
            aznas::tensor::Role::Gain => Self::Gain,
            aznas::tensor::Role::Shift => Self::Shift,
            aznas::tensor::Role::ClassToken => Self::ClassToken,
            aznas::tensor::Role::Position => Self::Position,
            aznas::tensor::Role::KeyRow => Self::KeyRow,
            aznas::tensor::Role::KeyColumn => Self::KeyColumn,
            aznas::tensor::Role::ValueRow => Self::ValueRow,
            aznas::tensor::Role::ValueColumn => Self::ValueColumn,
        }
    }
}

/// A tensor of the caller.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tensor {
    /// One of `aznas_role`.
    pub role: u32,
    /// Number of the primary block, 0 for the first; that of the head is the number of blocks.
    pub block: u32,
    /// `key` of the node. NAS-Bench-201: the number of the edge in the text, from 0, in a cell; 0 and 1 along the main
    /// path and 2 on the shortcut of a reduction; 0 in the stem. MobileNetV2: 0 for the expanding convolution, 1 for the
    /// depthwise, 2 for the reducing, 3 for the shortcut; 0 for a plain convolution. A normalisation has the key of the
    /// convolution before it. AutoFormer: 0 for the patches, 1 for class token and positions, 2 for the normalisation, 3 for
    /// queries, keys and values, 4 for the relative positions, 5 for the projection after them, 6 and 7 for the perceptron.
    pub key: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The numbers.
    pub data: *const f32,
    /// How many there are.
    pub len: usize,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Tensor {
    const NAME: &'static str = "tensors";
}

/// Returns the tensor with this role, block and key and writes the number of its elements to `len`; or returns NULL for a
/// tensor that is to be drawn (weights, tokens, positions, inputs, directions) or to have its neutral value (biases and
/// shifts 0, gains 1).
///
/// Called several times a score for the same tensor and must answer the same each time. What it returns must not change
/// until the score returns. It must not throw or jump out.
pub type Lookup =
    Option<unsafe extern "C" fn(context: *mut c_void, role: u32, block: u32, key: u32, len: *mut usize) -> *const f32>;

/// Where tensors come from: first the table, then the function, then random numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Source {
    /// `sizeof(aznas_source)`
    pub struct_size: usize,
    /// A table of tensors; searched from the front, and fast if the blocks ascend, once or for each role anew.
    pub tensors: *const Tensor,
    /// Tensors in the table.
    pub tensor_count: usize,
    /// `sizeof(aznas_tensor)`
    pub tensor_size: usize,
    /// A function to ask for what the table does not have, or NULL.
    pub lookup: Lookup,
    /// Handed to the function.
    pub context: *mut c_void,
    /// The classes of the images of the input batch, for proxies and gradients of a loss, or NULL: then they are drawn.
    pub labels: *const u32,
    /// How many there are: as many as images in the batch, each below the number of the network's outputs.
    pub label_count: usize,
    /// The classes of the second batch's images, or NULL.
    pub second_labels: *const u32,
    /// How many there are.
    pub second_label_count: usize,
}

// SAFETY: an optional function pointer takes every pattern of bits C can put there.
unsafe impl Struct for Source {
    const NAME: &'static str = "source";
    const ENDS: &'static [usize] = &[offset_of!(Self, labels)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Source {}
