//! Memory from the heap for those who have one.

use super::Workspace;
use crate::Error;
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

    /// A workspace of at least `capacity` bytes. Its content is that of the last use.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the heap does not have that much.
    pub fn workspace(&mut self, capacity: usize) -> Result<Workspace<'_>, Error> {
        let needed = Workspace::buffer_len(capacity).ok_or(Error::Overflow { quantity: "the workspace" })?;
        if self.bytes.len() < needed {
            let more = needed - self.bytes.len();
            self.bytes.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { needed })?;
            self.bytes.resize(needed, 0);
        }
        Ok(Workspace::from_bytes(&mut self.bytes))
    }
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
        assert!(matches!(memory.workspace(usize::MAX / 4), Err(Error::OutOfMemory { .. })));
        assert!(matches!(memory.workspace(usize::MAX), Err(Error::Overflow { .. })));
    }
}
