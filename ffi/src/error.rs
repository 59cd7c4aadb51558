//! Why a call was refused, as the struct that tells C the place.

#[cfg(feature = "onnx")]
use crate::pointer;
use crate::pointer::{Descriptor, Struct};
use crate::refusal::Refusal;
#[cfg(feature = "onnx")]
use crate::written::{Span, Written};
use aznas::Error;
use core::ffi::c_char;

/// Where and why a call was refused. Optional: pass NULL if the status is enough.
///
/// Set `struct_size` to `sizeof(aznas_error)` before the call; everything else is written if, and only if, the call
/// fails. Numbers that say nothing about the failure are 0.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ErrorReport {
    /// `sizeof(aznas_error)`
    pub struct_size: usize,
    /// The status that the call returned, one of `aznas_status`.
    pub status: i32,
    /// AZNAS_STATUS_PARSE: one-based column, in bytes, of the first byte that does not fit.
    pub column: usize,
    /// AZNAS_STATUS_NODE and AZNAS_STATUS_TENSOR_LENGTH: number of the block, from 0.
    pub block: usize,
    /// AZNAS_STATUS_NODE: number of the node inside its block, from 1, as in `inputs`.
    pub node: usize,
    /// Bytes, elements, the limit or the divisor that would have been right.
    pub needed: usize,
    /// Bytes or elements that were given.
    pub given: usize,
    /// What is wrong, as NUL-terminated text: a field or argument of this header; `output` for the feature that the head
    /// of a network ends with; or, of AZNAS_STATUS_OVERFLOW and AZNAS_STATUS_TOO_LARGE, a quantity in words.
    pub field: [c_char; 48],
    /// What it must be, as NUL-terminated text.
    pub expected: [c_char; 80],
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for ErrorReport {
    const NAME: &'static str = "error";
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for ErrorReport {}

impl ErrorReport {
    /// What C is told of a refusal, in a struct of `struct_size` bytes.
    pub(crate) fn new(refusal: Refusal, struct_size: usize) -> Self {
        let mut report = Self {
            struct_size,
            status: refusal.status() as i32,
            column: 0,
            block: 0,
            node: 0,
            needed: 0,
            given: 0,
            field: [0; 48],
            expected: [0; 80],
        };
        let (field, expected) = match refusal {
            Refusal::Core(error) => report.locate(error),
            Refusal::NullPointer(field) => (field, "a pointer that is not NULL"),
            Refusal::Misaligned(field) => (field, "aligned to its type"),
            Refusal::StructSize(field) | Refusal::ElementSize(field) => {
                (field, "that of a header up to now, or more with zeros in what is added")
            }
            Refusal::Overlap(field) => (field, "apart from all that is written"),
            Refusal::ErrorOverlap => ("error", "apart from everything else"),
            #[cfg(feature = "onnx")]
            Refusal::Model => ("bytes", "a model that is understood"),
            Refusal::Panic => ("library", "without defects"),
        };
        let part = if matches!(refusal, Refusal::StructSize(_)) { ".struct_size" } else { "" };
        copy_text(field.bytes().chain(part.bytes()), &mut report.field);
        copy_text(expected.bytes(), &mut report.expected);
        report
    }

    /// Fills in the numbers of `error` and returns its field and what was expected of it.
    fn locate(&mut self, error: Error) -> (&'static str, &'static str) {
        match error {
            Error::Parse { column, expected } => {
                self.column = column;
                ("text", expected)
            }
            Error::Invalid { field, expected } => (field, expected),
            Error::NotMultiple { field, divisor } => {
                self.needed = divisor;
                (field, "a multiple of what is needed")
            }
            Error::Node { block, node, field, expected } => {
                (self.block, self.node) = (block, node);
                (field, expected)
            }
            Error::TensorLength { block, needed, given } => {
                (self.block, self.needed, self.given) = (block, needed, given);
                ("len", "as many elements as needed")
            }
            Error::Overflow { quantity } => (quantity, "small enough for the address space"),
            Error::TooLarge { quantity, limit } => {
                self.needed = limit;
                (quantity, "at most the limit")
            }
            Error::WorkspaceTooSmall { needed, given } => {
                (self.needed, self.given) = (needed, given);
                ("workspace", "at least the bytes needed")
            }
            Error::OutOfMemory { needed } => {
                self.needed = needed;
                ("heap", "of as many bytes as needed")
            }
            Error::NoCandidate { proposals } => {
                self.needed = proposals;
                ("max_proposals", "more than were made, within these limits")
            }
            Error::BackendUnavailable => ("backend", "one of this processor and this build"),
            _ => ("", ""),
        }
    }
}

/// Puts a place and what is wrong there into a report: the end of the place, the beginning of the reason, as they fit.
///
/// # Safety
/// `error` points to a report that has been written.
#[cfg(feature = "onnx")]
pub(crate) unsafe fn put_into_words(error: *mut ErrorReport, place: &str, reason: &str) {
    // SAFETY: as promised by the caller.
    let Ok(report) = (unsafe { pointer::read(error, &Written::new(Span::default())) }) else { return };
    let mut report = ErrorReport { field: [0; 48], expected: [0; 80], ..report };
    const CUT: &str = "...";
    let room = report.field.len() - 1;
    let (cut, start) = match place.len().checked_sub(room) {
        None | Some(0) => ("", 0),
        Some(beyond) => {
            let fits = |&start: &usize| place.is_char_boundary(start);
            (CUT, (beyond + CUT.len()..place.len()).find(fits).unwrap_or(place.len()))
        }
    };
    copy_text(cut.bytes().chain(place[start..].bytes()), &mut report.field);
    copy_text(reason.bytes(), &mut report.expected);
    // SAFETY: as promised by the caller.
    unsafe { pointer::write(error, report) };
}

/// Copies as much of `text` as fits before a final zero; `out` holds zeros.
fn copy_text(text: impl Iterator<Item = u8>, out: &mut [c_char]) {
    let room = out.len() - 1;
    out[..room].iter_mut().zip(text).for_each(|(place, byte)| *place = byte as c_char);
}
