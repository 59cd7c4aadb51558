//! The quantities that candidates can be ranked by, and the sets of them that are worth aggregating.

use crate::Error;

/// A quantity that ranks candidates; higher is better.
///
/// The first four are the paper's. The others cost nothing: they are read off the same pass, or off the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Proxy {
    /// Sum over the features of the entropy of their spectra (Eq. 4).
    Expressivity,
    /// Smallest step of that entropy from a feature to the next (Eq. 5).
    Progressivity,
    /// Mean over the blocks of `2 − σ − 1 / (σ + 1e-6)` (Eq. 11).
    Trainability,
    /// Multiply-adds by the convention of the space.
    Complexity,
    /// Mean step of the entropy over the blocks that do not down-sample. What progressivity asks of the worst block,
    /// asked of all: a mean of noisy differences is far less noisy than their minimum. Blocks that down-sample gain
    /// entropy by their new channels, whatever the candidate.
    MeanProgressivity,
    /// Longest chain of convolutions and linear maps from the input to the output: [`Cost::depth`](crate::graph::Cost).
    /// Of networks that cost the same, the deeper composes more functions.
    Depth,
    /// Multiply-adds that lie on a path from the input to the output: complexity without what a benchmark counts but
    /// cannot influence the result.
    LiveComplexity,
    /// Convolutions and linear maps that lie on such a path.
    LiveLayers,
}

impl Proxy {
    /// All of them. The position here is the number in a [`ProxySet`].
    pub const ALL: [Self; 8] = [
        Self::Expressivity,
        Self::Progressivity,
        Self::Trainability,
        Self::Complexity,
        Self::MeanProgressivity,
        Self::Depth,
        Self::LiveComplexity,
        Self::LiveLayers,
    ];

    /// The name used by programs and column headings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expressivity => "expressivity",
            Self::Progressivity => "progressivity",
            Self::Trainability => "trainability",
            Self::Complexity => "complexity",
            Self::MeanProgressivity => "mean-progressivity",
            Self::Depth => "depth",
            Self::LiveComplexity => "live-complexity",
            Self::LiveLayers => "live-layers",
        }
    }

    /// The short name of the paper's formulas and of narrow tables.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Expressivity => "E",
            Self::Progressivity => "P",
            Self::Trainability => "T",
            Self::Complexity => "C",
            Self::MeanProgressivity => "Pm",
            Self::Depth => "D",
            Self::LiveComplexity => "Cl",
            Self::LiveLayers => "N",
        }
    }
}

/// Some of the proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProxySet(u8);

impl ProxySet {
    /// The paper's four, and the default everywhere.
    pub const PAPER: Self =
        Self::of(&[Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::Complexity]);
    /// The paper's, with mean progressivity in place of the minimum, and depth: ranks better at the same price.
    pub const EXTENDED: Self = Self::of(&[
        Proxy::Expressivity,
        Proxy::MeanProgressivity,
        Proxy::Trainability,
        Proxy::Complexity,
        Proxy::Depth,
    ]);
    /// Every proxy.
    pub const ALL: Self = Self::of(&Proxy::ALL);
    /// Those that are read off the spectra of the features.
    pub const SPECTRAL: Self = Self::of(&[Proxy::Expressivity, Proxy::Progressivity, Proxy::MeanProgressivity]);
    /// Those that a pass through the network measures; the others are counted on its graph.
    pub const MEASURED: Self =
        Self::of(&[Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::MeanProgressivity]);
    /// Those that mean nothing in spaces without progressivity.
    pub const PROGRESSIVE: Self = Self::of(&[Proxy::Progressivity, Proxy::MeanProgressivity]);

    /// The set of the given proxies.
    pub const fn of(proxies: &[Proxy]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < proxies.len() {
            bits |= 1 << proxies[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// The set whose bit k stands for the k-th of [`Proxy::ALL`].
    ///
    /// # Errors
    /// [`Error::Invalid`] if no bit is set.
    pub const fn from_bits(bits: u8) -> Result<Self, Error> {
        if bits == 0 { Err(Error::Invalid { field: "proxies", expected: "at least one" }) } else { Ok(Self(bits)) }
    }

    /// The set as a number: see [`Self::from_bits`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Reads `paper`, `extended`, `all`, or names or symbols of proxies between commas. Case matters.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first name that is not known.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "paper" => return Ok(Self::PAPER),
            "extended" => return Ok(Self::EXTENDED),
            "all" => return Ok(Self::ALL),
            _ => {}
        }
        let (mut bits, mut column) = (0, 1);
        for name in text.split(',') {
            let known = |proxy: &&Proxy| proxy.name() == name || proxy.symbol() == name;
            let Some(&proxy) = Proxy::ALL.iter().find(known) else {
                return Err(Error::Parse { column, expected: "paper, extended, all, or names of proxies" });
            };
            bits |= Self::of(&[proxy]).0;
            column += name.len() + 1;
        }
        Ok(Self(bits))
    }

    /// The set without the proxies of another.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether the set has this proxy.
    pub const fn contains(self, proxy: Proxy) -> bool {
        self.0 & (1 << proxy as u8) != 0
    }

    /// Whether the set has any of these proxies.
    pub const fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// How many proxies there are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The proxies, in the order of [`Proxy::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Proxy> {
        Proxy::ALL.into_iter().filter(move |&proxy| self.contains(proxy))
    }
}

impl Default for ProxySet {
    fn default() -> Self {
        Self::PAPER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn numbers_are_positions() {
        for (number, proxy) in Proxy::ALL.into_iter().enumerate() {
            assert_eq!(ProxySet::of(&[proxy]).bits(), 1 << number, "{proxy:?}");
            assert_eq!(ProxySet::from_bits(1 << number).unwrap().iter().collect::<Vec<_>>(), [proxy]);
        }
        assert_eq!(ProxySet::ALL.bits(), u8::MAX);
        assert!(ProxySet::from_bits(0).is_err());
    }

    #[test]
    fn sets_have_each_proxy_once() {
        let twice = ProxySet::of(&[Proxy::Depth, Proxy::Expressivity, Proxy::Depth]);
        assert_eq!((twice.len(), twice.is_empty()), (2, false));
        assert_eq!(twice.iter().collect::<Vec<_>>(), [Proxy::Expressivity, Proxy::Depth]);
        assert!(ProxySet::of(&[]).is_empty());
        assert!(twice.intersects(ProxySet::PAPER) && !twice.intersects(ProxySet::PROGRESSIVE));
        assert_eq!(ProxySet::default(), ProxySet::PAPER);
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            ("paper", ProxySet::PAPER),
            ("extended", ProxySet::EXTENDED),
            ("all", ProxySet::ALL),
            ("E,P,T,C", ProxySet::PAPER),
            ("complexity,Pm,D,trainability,expressivity", ProxySet::EXTENDED),
            ("depth", ProxySet::of(&[Proxy::Depth])),
        ] {
            assert_eq!(ProxySet::parse(text), Ok(expected), "{text}");
        }
        for (text, at) in [("", 1), ("Paper", 1), ("E,", 3), ("E,depth,x", 9), ("E, P", 3), ("paper,E", 1)] {
            assert!(matches!(ProxySet::parse(text), Err(Error::Parse { column, .. }) if column == at), "{text}");
        }
    }
}
