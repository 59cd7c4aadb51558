//! The memory that a call writes. The one check that it lies apart from everything else: whatever follows a pointer of the
//! caller asks here first.

use crate::refusal::Refusal;

/// Most places that a call writes to, its error aside. Reading ONNX files has the most.
const MAX_PLACES: usize = if cfg!(feature = "onnx") { 4 } else { 3 };

/// Bytes of the caller.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: usize,
    len: usize,
}

impl Span {
    /// `len` bytes from `start`.
    pub(crate) fn new<T>(start: *const T, len: usize) -> Self {
        Self { start: start.addr(), len }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    fn overlaps(self, other: Self) -> bool {
        self.len > 0
            && other.len > 0
            && self.start < other.start.saturating_add(other.len)
            && other.start < self.start.saturating_add(self.len)
    }
}

/// What a call writes. To be complete before anything is read that must not change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    error: Span,
    places: [Span; MAX_PLACES],
    count: usize,
}

impl Written {
    /// At first nothing but the error, which may be empty.
    pub(crate) fn new(error: Span) -> Self {
        Self { error, places: [Span::default(); MAX_PLACES], count: 0 }
    }

    /// Adds memory that is written, under the name of its argument or field.
    pub(crate) fn add(&mut self, span: Span, name: &'static str) -> Result<(), Refusal> {
        self.check(span, name)?;
        self.places[self.count] = span;
        self.count += 1;
        Ok(())
    }

    /// Refuses memory that would change under the call.
    pub(crate) fn check(&self, span: Span, name: &'static str) -> Result<(), Refusal> {
        if self.error.overlaps(span) {
            Err(Refusal::ErrorOverlap)
        } else if self.places[..self.count].iter().any(|place| place.overlaps(span)) {
            Err(Refusal::Overlap(name))
        } else {
            Ok(())
        }
    }
}
