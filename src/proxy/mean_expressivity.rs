//! Mean expressivity: the entropy of the features' spectra in the mean over the blocks, where expressivity is their sum; 0 to
//! ln(channels) of the widest.
//!
//! Not of the paper. In a space whose networks have equally many blocks it ranks as expressivity does; where they have not, the
//! sum counts blocks.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry {
    name: "mean-expressivity",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| Some(passage.block.expressivity),
        combine: Combine::Mean,
        no_terms: [Flags(0); 2],
    }),
};

#[cfg(test)]
mod tests {
    use crate::graph::IdentityRule;
    use crate::proxy::Proxy;
    use crate::proxy::totals::tests::{entropies, value};

    #[test]
    fn blocks_are_averaged() {
        let of = |values: &[f64]| value(Proxy::MeanExpressivity, IdentityRule::Reject, &entropies(values)).0;
        assert_eq!(of(&[2.0, 1.5, 2.5]), 2.0);
        assert_eq!(of(&[1.5]), 1.5);
        assert_eq!(of(&[2.0, f64::NAN]), f64::NEG_INFINITY);
    }
}
