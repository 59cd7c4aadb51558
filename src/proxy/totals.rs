//! How the values of blocks become those of a network.

use super::entry::{Blockwise, Combine, Counts, Passage};
use super::scores::nan_to_worst;
use super::{BlockScores, Flags, Proxy, ProxySet, Scores};
use crate::graph::IdentityRule;

/// The terms of one proxy so far.
#[derive(Clone, Copy, Debug, Default)]
struct Terms {
    combined: f64,
    count: usize,
}

impl Terms {
    fn add(&mut self, term: f64, combine: Combine) {
        let replaces = match combine {
            Combine::Sum | Combine::Mean => {
                self.combined += term;
                false
            }
            Combine::Minimum => self.count == 0 || term.is_nan() || term < self.combined,
        };
        if replaces {
            self.combined = term;
        }
        self.count += 1;
    }

    /// NaN without terms.
    fn value(self, combine: Combine) -> f64 {
        match combine {
            _ if self.count == 0 => f64::NAN,
            Combine::Sum | Combine::Minimum => self.combined,
            Combine::Mean => self.combined / self.count as f64,
        }
    }
}

/// The proxies of a network while its blocks arrive, repeat after repeat.
pub(crate) struct Totals {
    identity_rule: IdentityRule,
    measured: ProxySet,
    before: Option<BlockScores>,
    /// Of this repeat.
    terms: [Terms; Proxy::COUNT],
    /// Of the repeats that are over.
    sums: [f64; Proxy::COUNT],
    repeats: u32,
    flags: Flags,
}

/// The blockwise proxies of a set, with their numbers.
fn blockwise(proxies: ProxySet) -> impl Iterator<Item = (usize, &'static Blockwise)> {
    proxies.iter().filter_map(|proxy| proxy.blockwise().map(|blockwise| (proxy as usize, blockwise)))
}

impl Totals {
    /// No block yet. What is measured is that of [`ProxySet::measured`].
    pub(crate) fn new(identity_rule: IdentityRule, measured: ProxySet) -> Self {
        Self {
            identity_rule,
            measured,
            before: None,
            terms: [Terms::default(); Proxy::COUNT],
            sums: [0.0; Proxy::COUNT],
            repeats: 0,
            flags: Flags::default(),
        }
    }

    /// Adds the next block.
    pub(crate) fn add(&mut self, block: &BlockScores) {
        self.flags |= block.flags;
        let passage = Passage { before: self.before.as_ref(), block, identity_rule: self.identity_rule };
        for (number, blockwise) in blockwise(self.measured) {
            if let Some(term) = (blockwise.term)(&passage) {
                self.terms[number].add(term, blockwise.combine);
            }
        }
        self.before = Some(*block);
    }

    /// Adds what a proxy of the network as a whole is in this repeat, and why, if it is undefined.
    #[cfg(feature = "gradients")]
    pub(crate) fn add_whole(&mut self, proxy: Proxy, (value, flags): (f64, Flags)) {
        self.sums[proxy as usize] += nan_to_worst(value);
        self.flags |= if value.is_finite() || flags != Flags::default() { flags } else { Flags::NOT_FINITE };
    }

    /// Ends a repeat: the next block is the first again.
    pub(crate) fn end_repeat(&mut self) {
        let is_single = self.before.is_some_and(|last| last.block == 0);
        for (number, blockwise) in blockwise(self.measured) {
            let terms = core::mem::take(&mut self.terms[number]);
            self.sums[number] += nan_to_worst(terms.value(blockwise.combine));
            if terms.count == 0 {
                self.flags |= blockwise.no_terms[usize::from(!is_single)];
            }
        }
        self.before = None;
        self.repeats += 1;
    }

    /// The scores: of blocks as means over the repeats, and what was counted.
    pub(crate) fn finish(&self, counts: &Counts) -> Scores {
        let mut scores = Scores::counted(counts, self.flags);
        for proxy in self.measured.iter().filter(|proxy| proxy.measurement().is_some()) {
            scores.values[proxy as usize] = self.sums[proxy as usize] / f64::from(self.repeats);
        }
        scores.measured = self.measured;
        scores
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::graph::Cost;
    use std::vec::Vec;

    /// Blocks of one size with these entropies.
    pub(crate) fn entropies(values: &[f64]) -> Vec<BlockScores> {
        let block =
            |(number, &expressivity)| BlockScores { expressivity, ..BlockScores::unmeasured(number, [1, 1, 2]) };
        values.iter().enumerate().map(block).collect()
    }

    /// A proxy of blocks, and the flags of the whole score.
    pub(crate) fn value(proxy: Proxy, rule: IdentityRule, blocks: &[BlockScores]) -> (f64, Flags) {
        let scores = score(ProxySet::of(&[proxy]), rule, &[blocks]);
        (scores.get(proxy), scores.flags)
    }

    fn score(proxies: ProxySet, rule: IdentityRule, repeats: &[&[BlockScores]]) -> Scores {
        let mut totals = Totals::new(rule, proxies.measured());
        for blocks in repeats {
            blocks.iter().for_each(|block| totals.add(block));
            totals.end_repeat();
        }
        totals.finish(&Counts { cost: Cost::default(), complexity: 7.0 })
    }

    #[test]
    fn repeats_are_averaged_and_start_anew() {
        let proxies = ProxySet::of(&[Proxy::Progressivity]);
        let (first, second) = (entropies(&[1.0, 2.0, 3.5]), entropies(&[9.0, 9.5, 9.25]));
        let scores = score(proxies, IdentityRule::Reject, &[&first, &second]);
        assert_eq!(scores.progressivity(), (1.0 - 0.25) / 2.0);
        assert_eq!(scores.expressivity(), (6.5 + 27.75) / 2.0);
        assert_eq!(scores.complexity(), 7.0);
        // One repeat that is undefined makes the mean so.
        let broken = entropies(&[1.0, f64::NAN, 3.5]);
        assert_eq!(score(proxies, IdentityRule::Reject, &[&first, &broken]).progressivity(), f64::NEG_INFINITY);
    }

    #[test]
    fn what_is_not_measured_neither_counts_nor_raises_flags() {
        let scores = score(ProxySet::of(&[Proxy::Depth]), IdentityRule::Reject, &[&entropies(&[f64::NAN])]);
        assert_eq!((scores.flags, scores.measured), (Flags(0), ProxySet::of(&[]).measured()));
        for proxy in Proxy::ALL {
            let is_counted = proxy.measurement().is_none();
            assert_eq!(scores.get(proxy) == f64::NEG_INFINITY, !is_counted, "{proxy:?}");
            assert_eq!(scores.measured.contains(proxy), is_counted, "{proxy:?}");
        }
    }

    #[test]
    fn a_complexity_that_is_not_a_number_says_so() {
        for complexity in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let totals = Totals::new(IdentityRule::Reject, ProxySet::of(&[]).measured());
            let scores = totals.finish(&Counts { cost: Cost::default(), complexity });
            assert_eq!(scores.flags, Flags::NOT_FINITE);
            assert!(!scores.complexity().is_nan());
        }
    }
}
