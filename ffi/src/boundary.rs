//! Nothing but a status leaves the library: errors become numbers, and panics are stopped where they can be.

use crate::error::ErrorReport;
use crate::pointer;
use crate::refusal::Refusal;
use crate::status::Status;

/// Runs the body of an exported function and reports a refusal through `error`, unless that is NULL.
///
/// # Safety
/// `error` is NULL or points to a struct of the size it says.
pub(crate) unsafe fn guard(error: *mut ErrorReport, body: impl FnOnce() -> Result<(), Refusal>) -> Status {
    // SAFETY: as promised by the caller.
    let struct_size = match unsafe { pointer::read_optional(error) } {
        Ok(report) => report.map(|report: ErrorReport| report.struct_size),
        Err(refusal) => return refusal.status(),
    };
    match catch(body) {
        Ok(()) => Status::Ok,
        Err(refusal) => {
            if let Some(struct_size) = struct_size {
                // SAFETY: `read_optional` found the pointer to be valid.
                unsafe { pointer::write(error, ErrorReport::new(refusal, struct_size)) };
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
