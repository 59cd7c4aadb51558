//! Participation ratio: the share of a feature's directions that its variance is on, in the mean over the blocks; above 0, at
//! most 1.
//!
//! `(tr C)² / tr C²` of the covariance C of a feature, over its channels: as many directions of equal variance as would be as
//! concentrated (Gao and others, *A theory of multineuronal dimensionality*, 2017). Not of the paper. It needs no eigenvalues, a
//! third of the time of a spectrum or less; few large ones count for more in it than in an effective dimension.
//!
//! Builds with the feature `small` leave it out.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry {
    name: "participation-ratio",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Concentration,
        term: |passage| Some(1.0 / (passage.block.concentration * passage.channels() as f64)),
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
        let of = |blocks: &[BlockScores]| value(Proxy::ParticipationRatio, IdentityRule::Reject, blocks).0;
        let mut blocks = entropies(&[0.0; 3]);
        for (block, (channels, concentration)) in blocks.iter_mut().zip([(8, 0.125), (32, 0.125), (1, 1.0)]) {
            (block.feature[2], block.concentration) = (channels, concentration);
        }
        assert!((of(&blocks) - (1.0 + 0.25 + 1.0) / 3.0).abs() < 1e-15);
        blocks[1].concentration = f64::NAN;
        assert_eq!(of(&blocks), f64::NEG_INFINITY);
    }
}
