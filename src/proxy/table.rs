//! The table of proxies: one line each.
//!
//! A line gives a proxy its variant, its symbol, its number, which is its place here, and its bit in a [`ProxySet`](super::ProxySet);
//! what else is known of it, its file says. Lines are only ever added at the end: numbers are part of the C interface.

use super::entry::{Blockwise, Entry, Measurement, Origin};
use crate::base::SMALL;

macro_rules! proxies {
    ($($(#[doc = $line:literal])* $proxy:ident ($symbol:literal) => $file:ident,)*) => {
        /// A quantity that ranks candidates; higher is better.
        ///
        /// The first four are the paper's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Proxy {
            $($(#[doc = $line])* $proxy,)*
        }

        impl Proxy {
            /// All of them. The position here is the number in a [`ProxySet`](super::ProxySet).
            pub const ALL: [Self; Self::COUNT] = [$(Self::$proxy),*];

            /// How many there are.
            pub const COUNT: usize = [$(Self::$proxy),*].len();

            /// The short name of formulas, the paper's for its own, and of narrow tables.
            pub const fn symbol(self) -> &'static str {
                match self {
                    $(Self::$proxy => $symbol,)*
                }
            }

            pub(crate) const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$proxy => &super::$file::ENTRY,)*
                }
            }
        }
    };
}

proxies! {
    /// Sum over the features of the entropy of their spectra (Eq. 4).
    Expressivity ("E") => expressivity,
    /// Smallest step of that entropy from a feature to the next (Eq. 5).
    Progressivity ("P") => progressivity,
    /// Mean over the blocks of `2 − σ − 1 / (σ + 1e-6)` (Eq. 11).
    Trainability ("T") => trainability,
    /// Multiply-adds by the convention of the space.
    Complexity ("C") => complexity,
    /// Mean step of the entropy over the blocks that do not down-sample.
    MeanProgressivity ("Pm") => mean_progressivity,
    /// Longest chain of convolutions and linear maps from the input to the output.
    Depth ("D") => depth,
    /// Multiply-adds that lie on a path from the input to the output.
    LiveComplexity ("Cl") => live_complexity,
    /// Convolutions and linear maps that lie on such a path.
    LiveLayers ("N") => live_layers,
    /// Trainable numbers, counted on the graph.
    Params ("Np") => params,
    /// Multiply-adds, counted on the graph by one convention for all spaces.
    Flops ("F") => flops,
    /// Length of the gradient of the loss.
    GradNorm ("Gn") => grad_norm,
    /// How much the loss depends on the weights as they are.
    Snip ("Sn") => snip,
    /// How much longer the gradient is after a step along it.
    Grasp ("Gp") => grasp,
    /// Logarithm of what flows through the weights of the network without signs.
    Synflow ("Sf") => synflow,
    /// How well the rectifiers tell images apart.
    Naswot ("Nw") => naswot,
    /// Evenness of the tangent kernel: the first half of TE-NAS.
    Ntk ("Kt") => ntk,
    /// Linear pieces that the images lie in: the second half of TE-NAS.
    LinearRegions ("Lr") => linear_regions,
    /// How much the last map answers to a small change of the input.
    Zen ("Z") => zen,
    /// Whether images pull the weights the same way.
    GradSign ("Gs") => grad_sign,
    /// How large gradients are beside what they vary by.
    Zico ("Zc") => zico,
    /// Share of the entropy that their width allows, which features reach in the mean.
    Isotropy ("I") => isotropy,
    /// Mean over the features of the entropy of their spectra.
    MeanExpressivity ("Em") => mean_expressivity,
    /// Share of its directions that a feature takes, in the mean.
    EffectiveDimension ("Ed") => effective_dimension,
    /// Minus the mean distance of a block's gain from 1, in logarithms.
    LogGain ("G") => log_gain,
    /// Whether images pull the weights the same way, whatever the number of weights.
    GradSignMean ("Gm") => grad_sign_mean,
    /// Share of its directions that a feature's variance is on, in the mean.
    ParticipationRatio ("Pr") => participation_ratio,
}

impl Proxy {
    /// The name used by programs and column headings.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// How blocks make up the proxy, unless it is counted on the graph.
    pub(super) fn blockwise(self) -> Option<&'static Blockwise> {
        match &self.entry().origin {
            Origin::Blocks(blockwise) => Some(blockwise),
            Origin::Graph(_) | Origin::Network(_) => None,
        }
    }

    /// What has to be measured, unless the proxy is counted on the graph.
    pub(super) fn measurement(self) -> Option<Measurement> {
        match &self.entry().origin {
            Origin::Blocks(blockwise) => Some(blockwise.measurement),
            Origin::Network(measurement) => Some(*measurement),
            Origin::Graph(_) => None,
        }
    }

    /// Whether it is measured of the network as a whole, which builds without the feature `gradients` cannot.
    pub const fn is_of_whole_network(self) -> bool {
        matches!(self.entry().origin, Origin::Network(_))
    }

    /// Whether this build can measure it.
    pub(crate) fn is_built(self) -> bool {
        match self.measurement() {
            Some(Measurement::Concentration) => !SMALL,
            _ => cfg!(feature = "gradients") || !self.is_of_whole_network(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::ProxySet;

    #[test]
    fn no_two_proxies_share_a_name() {
        let words = |proxy: Proxy| [proxy.name(), proxy.symbol()];
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        for (number, proxy) in Proxy::ALL.into_iter().enumerate() {
            assert_eq!(proxy as usize, number);
            for word in words(proxy) {
                // No comma, nothing that a set is called, nothing that CSV quotes.
                assert!(!word.is_empty() && word.chars().all(is_word), "{word}");
                assert!(!ProxySet::NAMED.iter().any(|(name, _)| *name == word), "{word}");
                assert!(Proxy::ALL[..number].iter().all(|&other| !words(other).contains(&word)), "{word}");
            }
        }
    }
}
