//! Which proxies are wanted.

use crate::refusal::Refusal;
use aznas::proxy::{Proxy, ProxySet};

/// `expressivity` of the scores.
pub const AZNAS_PROXY_EXPRESSIVITY: u32 = 1;
/// `progressivity` of the scores.
pub const AZNAS_PROXY_PROGRESSIVITY: u32 = 2;
/// `trainability` of the scores.
pub const AZNAS_PROXY_TRAINABILITY: u32 = 4;
/// `complexity` of the scores.
pub const AZNAS_PROXY_COMPLEXITY: u32 = 8;
/// `mean_progressivity` of the scores: what progressivity asks of the worst block, asked of all.
pub const AZNAS_PROXY_MEAN_PROGRESSIVITY: u32 = 16;
/// `depth` of the scores.
pub const AZNAS_PROXY_DEPTH: u32 = 32;
/// `live_macs` of the scores.
pub const AZNAS_PROXY_LIVE_COMPLEXITY: u32 = 64;
/// `live_layers` of the scores.
pub const AZNAS_PROXY_LIVE_LAYERS: u32 = 128;
/// The four of the paper.
pub const AZNAS_PROXIES_PAPER: u32 = 15;
/// The paper's, with mean progressivity in place of the smallest step, and depth: ranks better at the same price.
pub const AZNAS_PROXIES_EXTENDED: u32 = 61;
/// Every proxy.
pub const AZNAS_PROXIES_ALL: u32 = 255;

const _: () = {
    const fn bit(proxy: Proxy) -> u32 {
        ProxySet::of(&[proxy]).bits() as u32
    }
    assert!(AZNAS_PROXY_EXPRESSIVITY == bit(Proxy::Expressivity));
    assert!(AZNAS_PROXY_PROGRESSIVITY == bit(Proxy::Progressivity));
    assert!(AZNAS_PROXY_TRAINABILITY == bit(Proxy::Trainability));
    assert!(AZNAS_PROXY_COMPLEXITY == bit(Proxy::Complexity));
    assert!(AZNAS_PROXY_MEAN_PROGRESSIVITY == bit(Proxy::MeanProgressivity));
    assert!(AZNAS_PROXY_DEPTH == bit(Proxy::Depth));
    assert!(AZNAS_PROXY_LIVE_COMPLEXITY == bit(Proxy::LiveComplexity));
    assert!(AZNAS_PROXY_LIVE_LAYERS == bit(Proxy::LiveLayers));
    assert!(AZNAS_PROXIES_PAPER == ProxySet::PAPER.bits() as u32);
    assert!(AZNAS_PROXIES_EXTENDED == ProxySet::EXTENDED.bits() as u32);
    assert!(AZNAS_PROXIES_ALL == ProxySet::ALL.bits() as u32);
};

/// The core's set of the proxies `bits`; 0 stands for the paper's.
pub(crate) fn set(bits: u32) -> Result<ProxySet, Refusal> {
    if bits == 0 {
        return Ok(ProxySet::PAPER);
    }
    let bits = u8::try_from(bits).map_err(|_| Refusal::invalid("proxies", "of AZNAS_PROXY_..."))?;
    Ok(ProxySet::from_bits(bits)?)
}
