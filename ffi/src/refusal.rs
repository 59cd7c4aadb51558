//! Why a call is refused, inside the library.

use crate::status::Status;
use aznas::Error;

/// Why a call is refused, before it is told to C as an [`ErrorReport`](crate::error::ErrorReport).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    Core(Error),
    NullPointer(&'static str),
    Misaligned(&'static str),
    /// The `struct_size` of an argument.
    StructSize(&'static str),
    /// The field that says how long the structs of an array are.
    ElementSize(&'static str),
    Overlap(&'static str),
    /// A file is not understood.
    #[cfg(feature = "onnx")]
    Model,
    /// The error struct itself overlaps something, so nothing is written into it.
    ErrorOverlap,
    #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "only unwinding can be caught"))]
    Panic,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl Refusal {
    /// A number outside what `field` allows.
    pub(crate) fn invalid(field: &'static str, expected: &'static str) -> Self {
        Self::Core(Error::Invalid { field, expected })
    }

    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Core(error) => Status::of(error.code()),
            Self::NullPointer(_) => Status::NullPointer,
            Self::Misaligned(_) => Status::Misaligned,
            Self::StructSize(_) | Self::ElementSize(_) => Status::StructSize,
            Self::Overlap(_) | Self::ErrorOverlap => Status::Overlap,
            #[cfg(feature = "onnx")]
            Self::Model => Status::Model,
            Self::Panic => Status::Panic,
        }
    }
}
