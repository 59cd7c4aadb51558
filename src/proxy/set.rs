//! Sets of proxies, and those that are worth aggregating.

use super::Proxy;
use super::entry::Measurement;
use crate::Error;
use core::fmt;

/// Some of the proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProxySet(u32);

impl ProxySet {
    /// The paper's four, and the default everywhere.
    pub const PAPER: Self =
        Self::of(&[Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::Complexity]);
    /// The paper's, with mean progressivity in place of the minimum, and depth; at the same price.
    ///
    /// Chosen on cells of NAS-Bench-201, where it ranks better (Kendall's τ 0.79 against 0.74). Where networks differ
    /// in depth it ranks like the paper's or worse: NAS-Bench-101 0.58 against 0.60, NAS-Bench-Macro 0.39 against
    /// 0.60, Accel-NASBench 0.33 for both (`docs/beyond-the-paper.md`).
    pub const EXTENDED: Self = Self::of(&[
        Proxy::Expressivity,
        Proxy::MeanProgressivity,
        Proxy::Trainability,
        Proxy::Complexity,
        Proxy::Depth,
    ]);
    /// One ranking for every space, also where networks differ in depth and width.
    ///
    /// What features are like (their entropy, and the shares of the entropy and of the directions that their width allows), how
    /// gradients pass, and how much network there is (multiply-adds, parameters, live layers). All that is measured of
    /// blocks is a mean: nothing is summed, and so counts them once more, and there is no single worst block.
    /// `docs/ranking.md` says what it is worth where.
    pub const GENERAL: Self = Self::of(&[
        Proxy::Isotropy,
        Proxy::MeanExpressivity,
        Proxy::EffectiveDimension,
        Proxy::Trainability,
        Proxy::Complexity,
        Proxy::Params,
        Proxy::LiveLayers,
    ]);
    /// Every proxy that is counted on the graph or measured block by block, but participation ratios: beside the paper's four the
    /// others cost nothing.
    pub const BLOCKWISE: Self =
        Self::of(&Proxy::ALL).without(Self::OF_WHOLE_NETWORKS).without(Self::of(&[Proxy::ParticipationRatio]));
    /// Those of whole networks, each of which takes runs of its own, forwards and back.
    pub const OF_WHOLE_NETWORKS: Self = {
        let (mut set, mut number) = (Self(0), 0);
        while number < Proxy::COUNT {
            if Proxy::ALL[number].is_of_whole_network() {
                set = set.with(Proxy::ALL[number]);
            }
            number += 1;
        }
        set
    };
    /// TE-NAS is two numbers, whose ranks it adds.
    pub const TE_NAS: Self = Self::of(&[Proxy::Ntk, Proxy::LinearRegions]);
    /// Every proxy.
    pub const ALL: Self = Self::of(&Proxy::ALL);
    /// Those that mean nothing in spaces without progressivity: blocks of transformers are near the identity when they are
    /// drawn, so that all features are much the same, and what compares them block by block tells nothing of the network.
    pub const PROGRESSIVE: Self = Self::of(&[
        Proxy::Progressivity,
        Proxy::MeanProgressivity,
        Proxy::Isotropy,
        Proxy::MeanExpressivity,
        Proxy::EffectiveDimension,
        Proxy::ParticipationRatio,
    ]);

    /// The sets that have names of their own.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("paper", Self::PAPER),
        ("extended", Self::EXTENDED),
        ("general", Self::GENERAL),
        ("blockwise", Self::BLOCKWISE),
        ("te-nas", Self::TE_NAS),
        ("all", Self::ALL),
    ];

    /// The set of the given proxies.
    pub const fn of(proxies: &[Proxy]) -> Self {
        let mut set = Self(0);
        let mut i = 0;
        while i < proxies.len() {
            set = set.with(proxies[i]);
            i += 1;
        }
        set
    }

    /// The set whose bit k stands for the k-th of [`Proxy::ALL`].
    ///
    /// # Errors
    /// [`Error::Invalid`] if no bit is set, or one that stands for no proxy.
    pub const fn from_bits(bits: u32) -> Result<Self, Error> {
        if bits == 0 {
            Err(Error::Invalid { field: "proxies", expected: "at least one" })
        } else if bits & !Self::ALL.0 != 0 {
            Err(Error::Invalid { field: "proxies", expected: "bits of proxies that this version knows" })
        } else {
            Ok(Self(bits))
        }
    }

    /// The set as a number: see [`Self::from_bits`].
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Reads the name of a set (`paper`, `extended`, `general`, `blockwise`, `te-nas`, `all`), or names or symbols of proxies between
    /// commas. Case matters. What a set is written as is read back.
    ///
    /// # Errors
    /// [`Error::Parse`] with the column of the first name that is not known.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some((_, set)) = Self::NAMED.into_iter().find(|(name, _)| *name == text) {
            return Ok(set);
        }
        let (mut set, mut column) = (Self(0), 1);
        for name in text.split(',') {
            let known = |proxy: &&Proxy| proxy.name() == name || proxy.symbol() == name;
            let Some(&proxy) = Proxy::ALL.iter().find(known) else {
                return Err(Error::Parse { column, expected: "the name of a set, or names of proxies" });
            };
            set = set.with(proxy);
            column += name.len() + 1;
        }
        Ok(set)
    }

    /// Whether any of the proxies is measured this way.
    pub(crate) fn needs(self, measurement: Measurement) -> bool {
        self.iter().any(|proxy| proxy.measurement() == Some(measurement))
    }

    /// The proxies that are known once these are: what is counted on the graph costs nothing, and what is measured for
    /// one proxy serves all that take it. [`Scores::measured`](super::Scores::measured) of a score that asks for the set.
    pub fn measured(self) -> Self {
        let is_known = |proxy: &Proxy| proxy.measurement().is_none_or(|measurement| self.needs(measurement));
        Proxy::ALL.into_iter().filter(is_known).fold(Self(0), Self::with)
    }

    /// The set and one proxy more.
    pub const fn with(self, proxy: Proxy) -> Self {
        Self(self.0 | 1 << proxy as u8)
    }

    /// The set and the proxies of another.
    pub const fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The set without the proxies of another.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether the set has this proxy.
    pub const fn contains(self, proxy: Proxy) -> bool {
        self.0 & (1 << proxy as u8) != 0
    }

    /// Whether the set has all of these proxies.
    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
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

impl fmt::Display for ProxySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Self::NAMED.iter().find(|(_, set)| set == self) {
            return f.write_str(name);
        }
        for (place, proxy) in self.iter().enumerate() {
            let separator = if place > 0 { "," } else { "" };
            write!(f, "{separator}{}", proxy.name())?;
        }
        Ok(())
    }
}

impl core::str::FromStr for ProxySet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
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
    use std::string::ToString;
    use std::vec::Vec;

    #[test]
    fn numbers_are_positions() {
        for (number, proxy) in Proxy::ALL.into_iter().enumerate() {
            assert_eq!(ProxySet::of(&[proxy]).bits(), 1 << number, "{proxy:?}");
            assert_eq!(ProxySet::from_bits(1 << number).unwrap().iter().collect::<Vec<_>>(), [proxy]);
        }
        assert_eq!(ProxySet::ALL.iter().collect::<Vec<_>>(), Proxy::ALL);
        let unknown = (Proxy::COUNT as u32..u32::BITS).flat_map(|number| [1 << number, 1 << number | 1]);
        for bits in unknown.chain([0, u32::MAX]) {
            let refusal = ProxySet::from_bits(bits);
            assert!(matches!(refusal, Err(Error::Invalid { field: "proxies", .. })), "{bits}: {refusal:?}");
        }
    }

    #[test]
    fn every_set_is_written_as_it_is_read() {
        // All sets of up to three proxies, and what is left without them.
        for (a, b, c) in Proxy::ALL
            .iter()
            .flat_map(|a| Proxy::ALL.iter().map(move |b| (a, b)))
            .flat_map(|(a, b)| Proxy::ALL.iter().map(move |c| (*a, *b, *c)))
        {
            let some = ProxySet::of(&[a, b, c]);
            for set in [some, ProxySet::ALL.without(some)] {
                assert_eq!(set.to_string().parse(), Ok(set), "{set}");
            }
        }
        for (name, set) in ProxySet::NAMED {
            assert_eq!(set.to_string(), name);
        }
    }

    #[test]
    fn what_is_measured_for_one_serves_others() {
        let counted = ProxySet::of(&[]).measured();
        assert!(Proxy::ALL.iter().all(|&proxy| counted.contains(proxy) == proxy.measurement().is_none()));
        for proxy in Proxy::ALL {
            let set = ProxySet::of(&[proxy]);
            let known = set.measured();
            assert!(known.contains_all(set) && known.contains_all(counted), "{proxy:?}: {known}");
            for other in known.without(counted).iter() {
                assert_eq!(other.measurement(), proxy.measurement(), "{proxy:?} and {other:?}");
            }
        }
    }

    #[test]
    fn sets_have_each_proxy_once() {
        let twice = ProxySet::of(&[Proxy::Depth, Proxy::Expressivity, Proxy::Depth]);
        assert_eq!((twice.len(), twice.is_empty()), (2, false));
        assert_eq!(twice.iter().collect::<Vec<_>>(), [Proxy::Expressivity, Proxy::Depth]);
        assert!(ProxySet::of(&[]).is_empty());
        assert!(twice.intersects(ProxySet::PAPER) && !twice.intersects(ProxySet::PROGRESSIVE));
        assert!(twice.contains_all(twice) && !twice.contains_all(ProxySet::PAPER));
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            ("paper", ProxySet::PAPER),
            ("extended", ProxySet::EXTENDED),
            ("blockwise", ProxySet::BLOCKWISE),
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
