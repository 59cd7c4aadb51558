//! Features of any size in one piece of memory, as chains of pages: no gap is ever too small.

/// Numbers in a page.
const PAGE: usize = 1024;

/// A feature that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    first: u32,
    len: usize,
}

impl Feature {
    /// Pages it takes.
    pub(super) fn pages(self) -> usize {
        self.len.div_ceil(PAGE)
    }
}

/// Memory cut into pages, free or part of a feature.
#[derive(Debug)]
pub(super) struct Pages<'m> {
    /// The page after each page, in its feature or in the list of free ones.
    next: &'m mut [u32],
    numbers: &'m mut [u32],
    first_free: u32,
    free: usize,
}

impl<'m> Pages<'m> {
    /// Pages of these words, all free. Only the links are written.
    pub(super) fn new(words: &'m mut [u32]) -> Self {
        let count = (words.len() / (PAGE + 1)).min(u32::MAX as usize);
        let (next, numbers) = words.split_at_mut(count);
        next.iter_mut().zip(1..).for_each(|(next, following)| *next = following);
        Self { next, numbers, first_free: 0, free: count }
    }

    /// Words that a feature of `len` numbers takes.
    pub(super) fn words(len: usize) -> usize {
        len.div_ceil(PAGE) * (PAGE + 1)
    }

    /// Whether a feature of `len` numbers fits at all.
    pub(super) fn can_hold(&self, len: usize) -> bool {
        len.div_ceil(PAGE) <= self.next.len()
    }

    /// Keeps a copy of a feature, if there is room.
    pub(super) fn keep(&mut self, feature: &[f32]) -> Option<Feature> {
        if feature.len().div_ceil(PAGE) > self.free {
            return None;
        }
        let first = self.first_free;
        for part in feature.chunks(PAGE) {
            let page = self.first_free as usize;
            let words = &mut self.numbers[page * PAGE..][..part.len()];
            words.iter_mut().zip(part).for_each(|(word, number)| *word = number.to_bits());
            self.first_free = self.next[page];
            self.free -= 1;
        }
        Some(Feature { first, len: feature.len() })
    }

    /// Writes a feature that is kept to memory of its length.
    pub(super) fn recall(&self, feature: Feature, out: &mut [f32]) {
        let mut page = feature.first as usize;
        for part in out.chunks_mut(PAGE) {
            let words = &self.numbers[page * PAGE..][..part.len()];
            part.iter_mut().zip(words).for_each(|(number, &word)| *number = f32::from_bits(word));
            page = self.next[page] as usize;
        }
    }

    /// Frees the pages of a feature.
    pub(super) fn release(&mut self, feature: Feature) {
        let mut page = feature.first;
        for _ in 0..feature.pages() {
            let following = self.next[page as usize];
            self.next[page as usize] = self.first_free;
            self.first_free = page;
            self.free += 1;
            page = following;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn features_come_back_unchanged_and_leave_no_gap() {
        let mut words = vec![7; 20 * (PAGE + 1) + PAGE];
        let mut pages = Pages::new(&mut words);
        assert!(pages.can_hold(20 * PAGE) && !pages.can_hold(20 * PAGE + 1));
        let mut rng = generator(1);
        let mut kept: Vec<(Feature, Vec<f32>)> = Vec::new();
        for round in 0..500 {
            let len = below(&mut rng, 5 * PAGE as u64) as usize;
            // Payloads of NaN are bits like any other.
            let numbers: Vec<f32> = (0..len).map(|i| f32::from_bits((round * len + i) as u32 ^ 0x7fc0_0000)).collect();
            let used: usize = kept.iter().map(|(feature, _)| feature.pages()).sum();
            let feature = pages.keep(&numbers);
            assert_eq!(feature.is_some(), used + len.div_ceil(PAGE) <= 20, "{used} pages and {len} numbers");
            match feature {
                Some(feature) => kept.push((feature, numbers)),
                None => pages.release(kept.swap_remove(below(&mut rng, kept.len() as u64) as usize).0),
            }
            for (feature, numbers) in &kept {
                let mut recalled = vec![0.0; numbers.len()];
                pages.recall(*feature, &mut recalled);
                assert!(recalled.iter().zip(numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
        assert!(kept.len() > 3);
    }
}
