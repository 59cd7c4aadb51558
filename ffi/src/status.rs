//! What every function returns.

use core::ffi::{CStr, c_char};

/// The outcome of a call. 0 is success, everything negative a refusal; numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// The text does not follow the grammar of its space; `column` of the error says where.
    Parse = -1,
    /// A number lies outside what its field allows.
    Invalid = -2,
    /// A node does not fit its inputs or its own arguments; `block` and `node` of the error say which.
    Node = -3,
    /// A tensor of the caller has the wrong number of elements.
    TensorLength = -4,
    /// A size does not fit the address space.
    Overflow = -5,
    /// A fixed capacity of the library is exceeded; `needed` of the error is the limit.
    TooLarge = -6,
    /// The workspace is too small; `needed` of the error are the bytes it takes.
    WorkspaceTooSmall = -7,
    /// The back end is not available on this processor or in this build.
    BackendUnavailable = -8,
    /// The heap does not have the memory. Reserved: nothing in this library uses the heap.
    OutOfMemory = -9,
    /// No candidate is within the limits of a search; `needed` of the error are the proposals that were made.
    NoCandidate = -10,
    /// An error that this version of the header does not know.
    Other = -100,
    /// A pointer that must not be NULL is NULL.
    NullPointer = -101,
    /// A pointer is not aligned to its type.
    Misaligned = -102,
    /// `struct_size`, or the size of an array's structs, is that of no header so far; or a longer struct of a later
    /// header sets something that this library does not know.
    StructSize = -103,
    /// Memory that is written overlaps memory that is read, or written as well. If it is the error struct that does, nothing
    /// is written into it.
    Overlap = -104,
    /// A defect of the library, caught at the boundary. Please report it. Per-block rows may have been written.
    Panic = -105,
    /// A file is not understood, or damaged; `field` and `expected` of the error say where and why.
    Model = -106,
}

impl Status {
    const ALL: &[Self] = &[
        Self::Ok,
        Self::Parse,
        Self::Invalid,
        Self::Node,
        Self::TensorLength,
        Self::Overflow,
        Self::TooLarge,
        Self::WorkspaceTooSmall,
        Self::BackendUnavailable,
        Self::OutOfMemory,
        Self::NoCandidate,
        Self::Other,
        Self::NullPointer,
        Self::Misaligned,
        Self::StructSize,
        Self::Overlap,
        Self::Panic,
        #[cfg(feature = "onnx")]
        Self::Model,
    ];

    /// The status with this number.
    pub(crate) fn of(code: i32) -> Self {
        Self::ALL.iter().copied().find(|status| *status as i32 == code).unwrap_or(Self::Other)
    }

    fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"ok",
            Self::Parse => c"the text does not follow its grammar",
            Self::Invalid => c"a number lies outside its range",
            Self::Node => c"a node does not fit its inputs or arguments",
            Self::TensorLength => c"a tensor has the wrong number of elements",
            Self::Overflow => c"a size does not fit the address space",
            Self::TooLarge => c"a fixed capacity is exceeded",
            Self::WorkspaceTooSmall => c"the workspace is too small",
            Self::BackendUnavailable => c"the back end is not available here",
            Self::OutOfMemory => c"out of memory",
            Self::NoCandidate => c"no candidate is within the limits of the search",
            Self::Other => c"unknown status",
            Self::NullPointer => c"a pointer is NULL",
            Self::Misaligned => c"a pointer is not aligned",
            Self::StructSize => c"a struct has a size this library does not know",
            Self::Overlap => c"memory that is written overlaps memory that is read",
            Self::Panic => c"a defect of the library was caught",
            Self::Model => c"a file is not understood",
        }
    }
}

/// One line of English about a status; never NULL, never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn aznas_status_str(status: i32) -> *const c_char {
    Status::of(status).text().as_ptr()
}
