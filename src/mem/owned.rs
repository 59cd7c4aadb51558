//! Memory from the heap for those who have one.
#![allow(unsafe_code)]

use super::Workspace;
use crate::Error;
use alloc::alloc::{Layout, alloc_zeroed};
use alloc::vec::Vec;

/// A buffer that grows to the largest workspace asked of it and is kept from one score to the next.
#[derive(Debug, Default)]
pub struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    /// No memory yet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// A workspace of at least `capacity` bytes. Its content is that of the last use, or zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the heap does not have that much.
    pub fn workspace(&mut self, capacity: usize) -> Result<Workspace<'_>, Error> {
        let needed = Workspace::buffer_len(capacity).ok_or(Error::Overflow { quantity: "the workspace" })?;
        if self.bytes.len() < needed {
            // What is too small goes first: both need not fit.
            self.bytes = Vec::new();
            self.bytes = zeros(needed).ok_or(Error::OutOfMemory { needed })?;
        }
        Ok(Workspace::from_bytes(&mut self.bytes))
    }
}

/// So many zeros, at least one. The heap often has zeros at hand, which a vector that is filled could not know.
fn zeros(len: usize) -> Option<Vec<u8>> {
    let layout = Layout::array::<u8>(len).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc_zeroed(layout) };
    // SAFETY: the heap gave `len` bytes, all of them set, with the layout that a vector of this capacity frees.
    (!start.is_null()).then(|| unsafe { Vec::from_raw_parts(start, len, len) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_reports_failure() {
        let mut memory = Memory::new();
        assert!(memory.workspace(100).unwrap().capacity() >= 100);
        assert!(memory.workspace(10_000).unwrap().capacity() >= 10_000);
        assert!(memory.workspace(10).unwrap().capacity() >= 10_000);
        assert!(memory.bytes.iter().all(|&byte| byte == 0));
        assert!(matches!(memory.workspace(usize::MAX / 4), Err(Error::OutOfMemory { .. })));
        assert!(matches!(memory.workspace(usize::MAX), Err(Error::Overflow { .. })));
    }
}
