//! Memory that a measurement keeps from run to run, in front of that of the runs.

use crate::Error;
use crate::mem::{ALIGNMENT, Plain, Slot};

const TOO_LARGE: Error = Error::Overflow { quantity: "the workspace" };

/// Slots one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    bytes: usize,
}

impl Kept {
    /// A slot of `len` numbers behind those before.
    pub(super) fn slot<T: Plain>(&mut self, len: usize) -> Result<Slot<T>, Error> {
        let bytes = len.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_next_multiple_of(ALIGNMENT));
        let end = bytes.and_then(|bytes| self.bytes.checked_add(bytes)).ok_or(TOO_LARGE)?;
        let start = core::mem::replace(&mut self.bytes, end);
        Ok(Slot::new(start, len))
    }

    /// A slot of `rows × columns` numbers.
    pub(super) fn matrix<T: Plain>(&mut self, rows: usize, columns: usize) -> Result<Slot<T>, Error> {
        self.slot(rows.checked_mul(columns).ok_or(TOO_LARGE)?)
    }

    /// Bytes of all slots.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of all slots and of runs.
    pub(super) fn bytes_with(&self, runs: usize) -> Result<usize, Error> {
        self.bytes.checked_add(runs).ok_or(TOO_LARGE)
    }
}
