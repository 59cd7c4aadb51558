//! Mean progressivity: the mean step of the expressivity over the blocks that do not down-sample.
//!
//! Not of the paper. What progressivity asks of the worst block, asked of all: a mean of noisy differences is far less
//! noisy than their minimum. Blocks that down-sample gain entropy by their new channels, whatever the candidate, and are
//! left out; a network of such blocks alone has none. −ln(channels) to ln(channels).

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry {
    name: "mean-progressivity",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| {
            let [rows, columns, _] = passage.block.feature;
            let [rows_before, columns_before, _] = passage.before?.feature;
            if [rows, columns] == [rows_before, columns_before] { passage.step() } else { None }
        },
        combine: Combine::Mean,
        no_terms: [Flags::SINGLE_BLOCK, Flags::ALL_DOWN_SAMPLE],
    }),
};

#[cfg(test)]
mod tests {
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{BlockScores, Flags, Proxy};

    #[test]
    fn blocks_that_down_sample_are_left_out() {
        let of = |blocks: &[BlockScores]| value(Proxy::MeanProgressivity, IdentityRule::Reject, blocks);
        let mut blocks = entropies(&[1.0, 1.5, 3.0, 2.75, 5.0]);
        for (block, [rows, columns]) in blocks.iter_mut().zip([[8, 8], [8, 8], [4, 4], [4, 4], [4, 2]]) {
            block.feature = [rows, columns, 3];
        }
        assert_eq!(of(&blocks), ((0.5 - 0.25) / 2.0, Flags::default()));
        let shrinking = [blocks[0], BlockScores { block: 1, ..blocks[2] }];
        assert_eq!(of(&shrinking), (f64::NEG_INFINITY, Flags::ALL_DOWN_SAMPLE));
        assert_eq!(of(&blocks[..1]), (f64::NEG_INFINITY, Flags::SINGLE_BLOCK));
        blocks[1].expressivity = f64::NAN;
        assert_eq!(of(&blocks).0, f64::NEG_INFINITY);
    }
}
