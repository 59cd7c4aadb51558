//! Memory for the blocks that candidates have in common.

use aznas::Error;
use aznas::prefix::{Entry, Store};

/// One part in so many is for scores, which save more than features of the same size.
const SCORES_PART: usize = 16;
/// More blocks than a population has. Looking for the least of their features takes time.
const MOST_ENTRIES: usize = 1 << 15;

/// The memory of a [`Store`]. Pages of features are not touched before they are needed.
pub struct Remembered {
    entries: Vec<Entry>,
    words: Vec<u32>,
}

impl Remembered {
    /// Memory of so many bytes.
    pub fn new(bytes: usize) -> Result<Self, Error> {
        let entries = (bytes / SCORES_PART / size_of::<Entry>()).min(MOST_ENTRIES);
        let words = (bytes - entries * size_of::<Entry>()) / size_of::<u32>();
        // Memory that is there for sure may be taken as zeros, which only the pages in use will occupy.
        Vec::<u32>::new().try_reserve_exact(words).map_err(|_| Error::OutOfMemory { needed: bytes })?;
        Ok(Self { entries: vec![Entry::VACANT; entries], words: vec![0; words] })
    }

    /// An empty store.
    pub fn store(&mut self) -> Store<'_> {
        Store::new(&mut self.entries, &mut self.words)
    }
}
