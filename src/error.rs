//! The one error type of the crate: small, `Copy`, numbered like the C status.

use core::fmt;

/// Why a request was refused. Nothing has been written when one of these is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A text does not follow its grammar.
    Parse {
        /// One-based column (in bytes) of the first byte that does not fit.
        column: usize,
        /// What would have fitted there.
        expected: &'static str,
    },
    /// A number lies outside what its field allows.
    Invalid {
        /// The field, by its documented name.
        field: &'static str,
        /// What the field allows.
        expected: &'static str,
    },
    /// A number is no multiple of what the network needs.
    NotMultiple {
        /// The field, by its documented name.
        field: &'static str,
        /// What it must be a multiple of.
        divisor: usize,
    },
    /// A node of a graph does not fit its inputs or its own arguments.
    Node {
        /// Index of the primary block.
        block: usize,
        /// Index of the node inside the block.
        node: usize,
        /// What of the node does not fit.
        field: &'static str,
        /// What would fit.
        expected: &'static str,
    },
    /// A tensor given by the caller has the wrong number of elements.
    TensorLength {
        /// Index of the primary block the tensor belongs to (0 for the input batch).
        block: usize,
        /// Elements needed.
        needed: usize,
        /// Elements given.
        given: usize,
    },
    /// A size does not fit the address space.
    Overflow {
        /// The quantity that overflowed.
        quantity: &'static str,
    },
    /// A fixed capacity of the crate is exceeded.
    TooLarge {
        /// The quantity that is too large.
        quantity: &'static str,
        /// The largest value supported.
        limit: usize,
    },
    /// The workspace is too small.
    WorkspaceTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The heap does not have the memory (only from what needs the feature `alloc`).
    OutOfMemory {
        /// Bytes asked for.
        needed: usize,
    },
    /// The back end asked for is not available on this processor or in this build.
    BackendUnavailable,
    /// A proxy is not part of this build.
    NotBuilt {
        /// Its name.
        proxy: &'static str,
    },
    /// A search found no candidate within its budget.
    NoCandidate {
        /// How many proposals were rejected.
        proposals: usize,
    },
}

impl Error {
    /// The stable number of this kind of error, used as the C status. Always negative.
    pub const fn code(&self) -> i32 {
        match self {
            Self::Parse { .. } => -1,
            Self::Invalid { .. } | Self::NotMultiple { .. } | Self::NotBuilt { .. } => -2,
            Self::Node { .. } => -3,
            Self::TensorLength { .. } => -4,
            Self::Overflow { .. } => -5,
            Self::TooLarge { .. } => -6,
            Self::WorkspaceTooSmall { .. } => -7,
            Self::BackendUnavailable => -8,
            Self::OutOfMemory { .. } => -9,
            Self::NoCandidate { .. } => -10,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Parse { column, expected } => write!(f, "column {column}: expected {expected}"),
            Self::Invalid { field, expected } => write!(f, "{field}: must be {expected}"),
            Self::NotMultiple { field, divisor } => write!(f, "{field}: must be a multiple of {divisor}"),
            Self::Node { block, node, field, expected } => {
                write!(f, "block {block}, node {node}: {field}: must be {expected}")
            }
            Self::TensorLength { block, needed, given } => {
                write!(f, "block {block}: a tensor of {needed} elements is needed, {given} were given")
            }
            Self::Overflow { quantity } => write!(f, "{quantity} does not fit the address space"),
            Self::TooLarge { quantity, limit } => write!(f, "{quantity} exceeds the limit of {limit}"),
            Self::WorkspaceTooSmall { needed, given } => {
                write!(f, "the workspace has {given} bytes, {needed} are needed")
            }
            Self::OutOfMemory { needed } => write!(f, "no memory for {needed} bytes"),
            Self::BackendUnavailable => write!(f, "this back end is not available on this processor"),
            Self::NotBuilt { proxy } => {
                write!(f, "proxies: {proxy} is not part of this build (features `gradients`, `small`)")
            }
            Self::NoCandidate { proposals } => write!(f, "none of {proposals} proposals is within the budget"),
        }
    }
}

impl core::error::Error for Error {}
