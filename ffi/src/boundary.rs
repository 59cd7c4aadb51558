//! Nothing but a status leaves the library: errors become numbers, and panics are stopped where they can be.

use crate::error::ErrorReport;
use crate::pointer;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::written::{Span, Written};

/// Runs the body of an exported function, which adds to what the call writes, and reports a refusal through `error`, unless
/// that is NULL.
///
/// # Safety
/// `error` is NULL or points to a struct of the size it says.
pub(crate) unsafe fn guard(error: *mut ErrorReport, body: impl FnOnce(&mut Written) -> Result<(), Refusal>) -> Status {
    let mut span = Span::default();
    if !error.is_null() {
        // SAFETY: as promised by the caller.
        match unsafe { pointer::measure(error) } {
            Ok(measured) => span = measured,
            Err(refusal) => return refusal.status(),
        }
    }
    match catch(|| body(&mut Written::new(span))) {
        Ok(()) => Status::Ok,
        Err(refusal) => {
            if !error.is_null() && !matches!(refusal, Refusal::ErrorOverlap) {
                // SAFETY: `measure` found the pointer to be valid.
                unsafe { pointer::write(error, ErrorReport::new(refusal, span.len())) };
            }
            refusal.status()
        }
    }
}

/// Catches a panic of `body`. What it was writing is the caller's memory, which is documented to be unspecified then.
#[cfg(feature = "std")]
fn catch(body: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(Err(Refusal::Panic))
}

/// Without unwinding a panic ends in the panic handler.
#[cfg(not(feature = "std"))]
fn catch(body: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    body()
}
