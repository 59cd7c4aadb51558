//! What is known of blocks, found by the key of the prefix they end.

use super::key::Key;
use super::pages::Feature;
use crate::proxy::BlockScores;

/// Entries among which the key leaves the choice.
const BUCKET: usize = 8;

/// What is known of one block after one prefix.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub(super) key: Key,
    pub(super) scores: BlockScores,
    pub(super) feature: Option<Feature>,
    /// How much the feature is worth; the least is forgotten first.
    pub(super) worth: u64,
    /// The score that used the entry last; 0 if it is vacant.
    pub(super) used: u64,
}

impl Entry {
    /// Nothing yet.
    pub const VACANT: Self =
        Self { key: Key::NONE, scores: BlockScores::unmeasured(0, [0; 3]), feature: None, worth: 0, used: 0 };
}

/// Entries in buckets, so that finding one takes no longer however many there are.
#[derive(Debug)]
pub(super) struct Entries<'m> {
    all: &'m mut [Entry],
}

impl<'m> Entries<'m> {
    pub(super) fn new(all: &'m mut [Entry]) -> Self {
        all.fill(Entry::VACANT);
        Self { all }
    }

    /// The entry of a key.
    pub(super) fn find(&mut self, key: Key) -> Option<&mut Entry> {
        self.bucket(key).iter_mut().find(|entry| entry.used > 0 && entry.key == key)
    }

    /// Of the entries that a key can go to, a vacant one or the one that was used longest ago.
    pub(super) fn oldest(&mut self, key: Key) -> Option<&mut Entry> {
        self.bucket(key).iter_mut().min_by_key(|entry| entry.used)
    }

    /// Takes the feature that is worth least out of its entry, with that worth.
    pub(super) fn forget_least(&mut self) -> Option<(u64, Feature)> {
        let holders = self.all.iter_mut().filter(|entry| entry.feature.is_some());
        let least = holders.min_by_key(|entry| entry.worth)?;
        least.feature.take().map(|feature| (least.worth, feature))
    }

    /// The entries that a key can go to.
    fn bucket(&mut self, key: Key) -> &mut [Entry] {
        let first = key.place(self.all.len().div_ceil(BUCKET)) * BUCKET;
        let end = (first + BUCKET).min(self.all.len());
        &mut self.all[first..end]
    }
}
