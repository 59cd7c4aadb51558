//! Isotropy: how much of the entropy that their width allows the features reach, in the mean over the blocks; 0 to 1.
//!
//! The entropy of a feature's spectrum over the logarithm of its channels. Not of the paper, whose sum of entropies grows with
//! width and with the number of blocks; this compares blocks of any width, and networks of any depth. A block of one
//! channel has no spectrum to speak of and is left out; a network of such blocks alone has no isotropy.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};
use crate::base::math;

pub(super) const ENTRY: Entry = Entry {
    name: "isotropy",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| {
            let channels = passage.channels();
            (channels > 1).then(|| passage.block.expressivity / math::ln(channels as f64))
        },
        combine: Combine::Mean,
        no_terms: [Flags::ONE_CHANNEL; 2],
    }),
};

#[cfg(test)]
mod tests {
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{BlockScores, Flags, Proxy};

    #[test]
    fn entropies_are_compared_with_what_the_width_allows() {
        let of = |blocks: &[BlockScores]| value(Proxy::Isotropy, IdentityRule::Reject, blocks);
        let mut blocks = entropies(&[16f64.ln(), 8f64.ln() / 2.0, 0.0, 0.0]);
        for (block, channels) in blocks.iter_mut().zip([16, 8, 1, 4]) {
            block.feature[2] = channels;
        }
        let (isotropy, flags) = of(&blocks);
        assert!((isotropy - (1.0 + 0.5 + 0.0) / 3.0).abs() < 1e-15, "{isotropy}");
        assert_eq!(flags, Flags(0));
        assert!((of(&blocks[..1]).0 - 1.0).abs() < 1e-15, "one block is enough");
        assert_eq!(of(&[blocks[2], blocks[2]]), (f64::NEG_INFINITY, Flags::ONE_CHANNEL));
        blocks[1].expressivity = f64::NAN;
        assert_eq!(of(&blocks).0, f64::NEG_INFINITY);
    }
}
