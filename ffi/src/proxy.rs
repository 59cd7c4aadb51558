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
/// `parameters` of the scores.
pub const AZNAS_PROXY_PARAMS: u32 = 256;
/// `macs` of the scores.
pub const AZNAS_PROXY_FLOPS: u32 = 512;
/// The four of the paper.
pub const AZNAS_PROXIES_PAPER: u32 = 15;
/// The paper's, with mean progressivity in place of the smallest step, and depth: ranks better at the same price.
pub const AZNAS_PROXIES_EXTENDED: u32 = 61;
/// The first eight proxies.
pub const AZNAS_PROXIES_ALL: u32 = 255;

/// By the numbers of the core's proxies.
const BITS: [u32; Proxy::COUNT] = [
    AZNAS_PROXY_EXPRESSIVITY,
    AZNAS_PROXY_PROGRESSIVITY,
    AZNAS_PROXY_TRAINABILITY,
    AZNAS_PROXY_COMPLEXITY,
    AZNAS_PROXY_MEAN_PROGRESSIVITY,
    AZNAS_PROXY_DEPTH,
    AZNAS_PROXY_LIVE_COMPLEXITY,
    AZNAS_PROXY_LIVE_LAYERS,
    AZNAS_PROXY_PARAMS,
    AZNAS_PROXY_FLOPS,
];

const _: () = {
    let mut number = 0;
    while number < Proxy::COUNT {
        assert!(BITS[number] == ProxySet::of(&[Proxy::ALL[number]]).bits());
        number += 1;
    }
    assert!(AZNAS_PROXIES_PAPER == ProxySet::PAPER.bits());
    assert!(AZNAS_PROXIES_EXTENDED == ProxySet::EXTENDED.bits());
};

/// The core's set of the proxies `bits`; 0 stands for the paper's.
pub(crate) fn set(bits: u32) -> Result<ProxySet, Refusal> {
    if bits == 0 {
        return Ok(ProxySet::default());
    }
    Ok(ProxySet::from_bits(bits)?)
}
