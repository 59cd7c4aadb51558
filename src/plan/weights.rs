//! Weights of convolutions, kept for networks that draw the same.

use crate::base::digest;
use alloc::vec::Vec;
use core::ops::Range;

/// Entries that may hold a key.
const BUCKET: usize = 8;

/// Entries in all: more than the convolutions of all cells of a space need, whatever they are merged to.
const ENTRIES: usize = 512 * BUCKET;

/// No convolution takes more than one part in so many of the memory.
const PARTS: usize = 64;

/// Numbers of a cache line, and of the widest vector.
const LINE: usize = 16;

/// Weights by a key of all that they depend on. A key that comes for the first time is noted only: what is drawn but once, as
/// where every network has a seed of its own, is not worth keeping.
///
/// What does not fit any more is not kept; before the next block everything is forgotten then.
pub(crate) struct Weights {
    entries: Vec<Entry>,
    numbers: Vec<f32>,
    /// How many numbers there may be.
    most: usize,
    is_full: bool,
}

/// A key, and what is kept for it.
#[derive(Clone, Copy)]
struct Entry {
    key: [u64; 2],
    place: Option<KeptPlace>,
}

const VACANT: Entry = Entry { key: [0; 2], place: None };

/// Where the weights of a convolution lie.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeptPlace {
    first: usize,
    /// Numbers of the two parts.
    lens: [usize; 2],
}

impl KeptPlace {
    /// The numbers of the two parts, which begin at lines.
    fn parts(&self) -> [Range<usize>; 2] {
        let second = self.first + self.lens[0].next_multiple_of(LINE);
        [self.first..self.first + self.lens[0], second..second + self.lens[1]]
    }

    /// Numbers of whole lines.
    fn len(&self) -> usize {
        self.lens.map(|len| len.next_multiple_of(LINE)).iter().sum()
    }
}

impl Weights {
    /// Keeps nothing.
    pub(crate) const NONE: Self = Self { entries: Vec::new(), numbers: Vec::new(), most: 0, is_full: false };

    /// Memory for so many numbers. What the heap does not have, it does without.
    pub(crate) fn of_most(most: usize) -> Self {
        let mut weights = Self { most, ..Self::NONE };
        let there = weights.entries.try_reserve_exact(ENTRIES).and(weights.numbers.try_reserve_exact(most));
        match there {
            Ok(()) => weights.entries.resize(ENTRIES, VACANT),
            Err(_) => weights = Self::NONE,
        }
        weights
    }

    /// Whether there is memory for any.
    pub(crate) fn is_some(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Before a block, whose places stay what they are.
    pub(crate) fn begin(&mut self) {
        if self.is_full {
            self.entries.fill(VACANT);
            self.numbers.clear();
            self.is_full = false;
        }
    }

    /// What is kept for a key.
    pub(crate) fn find(&self, key: [u64; 2]) -> Option<KeptPlace> {
        self.entries.get(bucket(key))?.iter().find(|entry| entry.key == key)?.place
    }

    /// Room for two parts of so many numbers for a key for which nothing is kept, if they are to be.
    pub(crate) fn add(&mut self, key: [u64; 2], lens: [usize; 2]) -> Option<KeptPlace> {
        let bucket = self.entries.get_mut(bucket(key))?;
        let Some(entry) = bucket.iter_mut().find(|entry| entry.key == key) else {
            match bucket.iter().position(|entry| entry.place.is_none()) {
                Some(longest_ago) => {
                    bucket[longest_ago].key = key;
                    bucket[longest_ago..].rotate_left(1);
                }
                None => self.is_full = true,
            }
            return None;
        };
        // The heap need not align to lines.
        let first = match self.numbers.len() {
            0 => self.numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE),
            end => end,
        };
        let place = KeptPlace { first, lens };
        let end = first + place.len();
        if place.len() > self.most / PARTS {
            return None;
        }
        if end > self.most {
            self.is_full = true;
            return None;
        }
        self.numbers.resize(end, 0.0);
        entry.place = Some(place);
        Some(place)
    }

    /// Convolutions whose weights are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.entries.iter().filter(|entry| entry.place.is_some()).count()
    }

    /// The two parts of what is kept.
    pub(crate) fn read(&self, place: KeptPlace) -> [&[f32]; 2] {
        place.parts().map(|part| &self.numbers[part])
    }

    /// The same, to be written.
    pub(crate) fn write(&mut self, place: KeptPlace) -> [&mut [f32]; 2] {
        let [first, second] = place.parts();
        let (before, after) = self.numbers.split_at_mut(second.start);
        [&mut before[first], &mut after[..second.len()]]
    }
}

/// The entries that may hold a key.
fn bucket(key: [u64; 2]) -> Range<usize> {
    let first = digest::place(key, ENTRIES / BUCKET) * BUCKET;
    first..first + BUCKET
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Digest;
    use core::hash::Hasher;

    fn key(number: u64) -> [u64; 2] {
        Digest::of([0; 2], |digest| digest.write_u64(number))
    }

    #[test]
    fn keeps_what_comes_twice_until_nothing_fits() {
        let most = 64 * 48;
        let mut weights = Weights::of_most(most);
        let mut kept = 0;
        for number in 0..200 {
            weights.begin();
            let lens = [1 + number as usize % 20, number as usize % 3];
            assert!(weights.find(key(number)).is_none() && weights.add(key(number), lens).is_none());
            let Some(place) = weights.add(key(number), lens) else {
                assert!(weights.is_full);
                kept = 0;
                continue;
            };
            kept += 1;
            for (part, len) in weights.write(place).into_iter().zip(lens) {
                assert!(part.len() == len && (len == 0 || part.as_ptr().addr().is_multiple_of(64)));
                part.fill(number as f32);
            }
            for before in (0..=number).rev().take(kept) {
                let place = weights.find(key(before)).expect("it is kept");
                assert!(weights.read(place).into_iter().flatten().all(|&x| x == before as f32));
            }
            assert!(weights.numbers.len() <= most && weights.numbers.capacity() == most);
        }
        assert!(kept > 0);
    }

    #[test]
    fn keeps_nothing_large_and_nothing_without_memory() {
        for most in [0, 1, 64 * 32] {
            let mut weights = Weights::of_most(most);
            for _ in 0..3 {
                assert!(weights.add(key(1), [17, 17]).is_none() && weights.find(key(1)).is_none());
            }
        }
        let mut weights = Weights::NONE;
        assert!(weights.add(key(1), [1, 1]).is_none() && weights.add(key(1), [1, 1]).is_none());
        // More than there can be.
        assert!(Weights::of_most(usize::MAX).entries.is_empty());
    }

    #[test]
    fn notes_the_latest_of_keys_that_meet() {
        let mut weights = Weights::of_most(1 << 16);
        let same: Vec<_> = (0..).map(key).filter(|&other| bucket(other) == bucket(key(0))).take(30).collect();
        for &key in &same {
            assert!(weights.add(key, [1, 1]).is_none());
        }
        for &key in same.iter().rev().take(BUCKET) {
            assert!(weights.add(key, [1, 1]).is_some());
        }
        assert!(!weights.is_full);
        assert!(weights.add(same[0], [1, 1]).is_none() && weights.is_full);
        weights.begin();
        assert!(same.iter().all(|&key| weights.find(key).is_none()));
    }
}
