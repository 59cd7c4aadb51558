//! The scores of a network.

use super::entry::{Counts, Origin};
use super::{Flags, Proxy, ProxySet};
use crate::graph::Cost;

/// The proxies of a network. All are "higher is better"; what is undefined, or was not measured, is −∞: `measured` tells
/// the two apart.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// By the numbers of the proxies.
    pub(super) values: [f64; Proxy::COUNT],
    /// The proxies that are known: those asked for, and all that come free with them.
    pub measured: ProxySet,
    /// Multiply-adds, parameters, layers and depth counted on the graph.
    pub cost: Cost,
    /// Why a proxy that was measured is −∞.
    pub flags: Flags,
}

impl Scores {
    /// What the graph alone says.
    pub(super) fn counted(counts: &Counts, flags: Flags) -> Self {
        let measured = ProxySet::of(&[]).measured();
        let mut scores = Self { values: [f64::NEG_INFINITY; Proxy::COUNT], measured, cost: counts.cost, flags };
        for proxy in Proxy::ALL {
            if let Origin::Graph(count) = proxy.entry().origin {
                let value = count(counts);
                scores.values[proxy as usize] = nan_to_worst(value);
                if !value.is_finite() {
                    scores.flags |= Flags::NOT_FINITE;
                }
            }
        }
        scores
    }

    /// The value of one proxy; −∞ if it is undefined or was not measured.
    pub const fn get(&self, proxy: Proxy) -> f64 {
        self.values[proxy as usize]
    }

    /// The values of some proxies, in the order of [`Proxy::ALL`].
    pub fn values(&self, proxies: ProxySet) -> impl Iterator<Item = f64> {
        proxies.iter().map(|proxy| self.get(proxy))
    }

    /// [`Proxy::Expressivity`]: at most Σ ln(channels).
    pub const fn expressivity(&self) -> f64 {
        self.get(Proxy::Expressivity)
    }

    /// [`Proxy::Progressivity`].
    pub const fn progressivity(&self) -> f64 {
        self.get(Proxy::Progressivity)
    }

    /// [`Proxy::Trainability`]: at most about 0.
    pub const fn trainability(&self) -> f64 {
        self.get(Proxy::Trainability)
    }

    /// [`Proxy::Complexity`]: multiply-adds of one image.
    pub const fn complexity(&self) -> f64 {
        self.get(Proxy::Complexity)
    }
}

/// A proxy that is undefined ranks below every other.
pub(super) fn nan_to_worst(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}
