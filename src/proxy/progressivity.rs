//! Progressivity: whether every block widens the space of features (AZ-NAS, Sec. 3.1, Eq. 5).
//!
//! The smallest step of the expressivity from a feature to the next, of all blocks but the first; −ln(channels) to
//! ln(channels). As in the authors' program blocks that down-sample take part.

use super::Flags;
use super::entry::{Blockwise, Combine, Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry {
    name: "progressivity",
    origin: Origin::Blocks(Blockwise {
        measurement: Measurement::Spectrum,
        term: |passage| passage.step(),
        combine: Combine::Minimum,
        no_terms: [Flags::SINGLE_BLOCK; 2],
    }),
};

#[cfg(test)]
mod tests {
    use crate::graph::IdentityRule;
    use crate::proxy::totals::tests::{entropies, value};
    use crate::proxy::{Flags, Proxy};

    #[test]
    fn the_smallest_step_counts() {
        let of = |values: &[f64]| value(Proxy::Progressivity, IdentityRule::Reject, &entropies(values));
        assert_eq!(of(&[2.0, 1.5, 2.5]), (-0.5, Flags::default()));
        assert_eq!(of(&[2.0, 2.25, 3.5]), (0.25, Flags::default()));
        assert_eq!(of(&[2.0]), (f64::NEG_INFINITY, Flags::SINGLE_BLOCK));
        // Undefined in either order: a minimum must not swallow NaN.
        assert_eq!(of(&[2.0, f64::NAN, 1.0, 0.5]).0, f64::NEG_INFINITY);
        assert_eq!(of(&[2.0, 1.0, f64::NAN]).0, f64::NEG_INFINITY);
    }
}
