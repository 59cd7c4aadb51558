//! Effective dimension: the share of a feature's directions that it takes, in the mean over the blocks; above 0, at most 1.
//!
//! `exp(entropy) / channels`: as many directions of equal variance as would have the entropy of the feature's spectrum (Roy and
//! Vetterli, *The effective rank*, 2007), of those there are. Not of the paper. Beside isotropy, which is their
//! logarithm over that of the channels, it weighs narrow and wide features alike.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};
use crate::base::math;

pub(super) const ENTRY: Entry = Entry {
    name: "effective-dimension",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| Some(math::exp(passage.block.expressivity) / passage.channels() as f64),
        combine: Combine::Mean,
        no_terms: [Flags(0); 2],
    }),
};

#[cfg(test)]
mod tests {
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{BlockScores, Proxy};

    #[test]
    fn directions_are_counted() {
        let of = |blocks: &[BlockScores]| value(Proxy::EffectiveDimension, IdentityRule::Reject, blocks).0;
        let mut blocks = entropies(&[8f64.ln(), 8f64.ln(), 0.0]);
        for (block, channels) in blocks.iter_mut().zip([8, 32, 1]) {
            block.feature[2] = channels;
        }
        assert!((of(&blocks) - (1.0 + 0.25 + 1.0) / 3.0).abs() < 1e-15);
        blocks[1].expressivity = f64::NAN;
        assert_eq!(of(&blocks), f64::NEG_INFINITY);
    }
}
