//! Tensors of the caller in place of random ones: from a table, from a function, or both.

use crate::pointer::{self, Array, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::written::Written;
use aznas::Error;
use core::cell::Cell;
use core::ffi::c_void;

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
    /// The input batch, `[batch, row, column, channel]`, channels fastest; `block` and `key` are 0.
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
    fn of(role: aznas::tensor::Role) -> Self {
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
    /// Number of the primary block, 0 for the first.
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
/// tensor that is to be drawn (weights, tokens, positions, input, directions) or to have its neutral value (biases and
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
    /// A table of tensors; searched from the front.
    pub tensors: *const Tensor,
    /// Tensors in the table.
    pub tensor_count: usize,
    /// `sizeof(aznas_tensor)`
    pub tensor_size: usize,
    /// A function to ask for what the table does not have, or NULL.
    pub lookup: Lookup,
    /// Handed to the function.
    pub context: *mut c_void,
}

// SAFETY: an optional function pointer takes every pattern of bits C can put there.
unsafe impl Struct for Source {
    const NAME: &'static str = "source";
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Source {}

/// The caller's tensors as the core asks for them.
#[derive(Debug)]
pub(crate) struct CallerTensors {
    table: Array<Tensor>,
    lookup: Lookup,
    context: *mut c_void,
    /// What no tensor may overlap.
    written: Written,
    /// Why an answer of the function cannot be read. It counts as empty, so that planning refuses it.
    refused: Cell<Option<Refusal>>,
}

impl CallerTensors {
    /// The tensors of `source`, which may be NULL.
    ///
    /// # Safety
    /// `source` keeps the promises of the header, as long as the result is used.
    pub(crate) unsafe fn new(source: *const Source, written: Written) -> Result<Self, Refusal> {
        let mut tensors = Self {
            table: Array::EMPTY,
            lookup: None,
            context: core::ptr::null_mut(),
            written,
            refused: Cell::new(None),
        };
        if !source.is_null() {
            // SAFETY: as promised by the caller.
            let source = unsafe { pointer::read(source, &written) }?;
            let Source { tensors: start, tensor_count, tensor_size, lookup, context, .. } = source;
            // SAFETY: as promised by the caller.
            tensors.table = unsafe { Array::new(start, tensor_count, tensor_size, "tensor_size", &written) }?;
            (tensors.lookup, tensors.context) = (lookup, context);
            tensors.check_table()?;
        }
        Ok(tensors)
    }

    /// The outcome of a call that asked for tensors.
    pub(crate) fn answered<T>(&self, outcome: Result<T, Error>) -> Result<T, Refusal> {
        outcome.map_err(|error| self.refused.get().unwrap_or(error.into()))
    }

    fn check_table(&self) -> Result<(), Refusal> {
        for tensor in (0..self.table.len()).map(|index| self.table.get(index)) {
            if tensor.role > Role::ValueColumn as u32 {
                return Err(Refusal::invalid("role", "one of aznas_role"));
            }
            if tensor.reserved != 0 {
                return Err(Refusal::invalid("reserved", "0"));
            }
            // SAFETY: the promises of the header.
            unsafe { pointer::slice(tensor.data, tensor.len, "data", &self.written) }?;
        }
        Ok(())
    }

    fn find(&self, role: Role, block: usize, key: u32) -> Option<&[f32]> {
        let (role, block) = (role as u32, u32::try_from(block).ok()?);
        let listed = (0..self.table.len())
            .map(|index| self.table.get(index))
            .find(|tensor| (tensor.role, tensor.block, tensor.key) == (role, block, key));
        let (data, len) = match (listed, self.lookup) {
            (Some(tensor), _) => (tensor.data, tensor.len),
            (None, Some(lookup)) => {
                let mut len = 0;
                // SAFETY: the caller supplied the function for this call.
                let data = unsafe { lookup(self.context, role, block, key, &mut len) };
                if data.is_null() {
                    return None;
                }
                (data, len)
            }
            (None, None) => return None,
        };
        // SAFETY: the promises of the header.
        let slice = unsafe { pointer::slice(data, len, "lookup", &self.written) };
        Some(slice.unwrap_or_else(|refusal| {
            self.refused.set(Some(refusal));
            &[]
        }))
    }
}

impl aznas::tensor::Source for CallerTensors {
    fn input(&self) -> Option<&[f32]> {
        self.find(Role::Input, 0, 0)
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.find(Role::Direction, block, 0)
    }

    fn parameter(&self, block: usize, key: u32, role: aznas::tensor::Role) -> Option<&[f32]> {
        self.find(Role::of(role), block, key)
    }
}
