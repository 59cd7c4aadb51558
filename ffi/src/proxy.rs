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
/// Length of the gradient of the loss. This and what follows is measured of the network as a whole, in runs of its own.
pub const AZNAS_PROXY_GRAD_NORM: u32 = 1024;
/// SNIP: how much the loss depends on the weights as they are; comes free with the former.
pub const AZNAS_PROXY_SNIP: u32 = 2048;
/// GraSP: whether a step along the gradient keeps the gradient long.
pub const AZNAS_PROXY_GRASP: u32 = 4096;
/// Logarithm of Synflow: what flows through the network without signs.
pub const AZNAS_PROXY_SYNFLOW: u32 = 8192;
/// NASWOT: how well the rectifiers tell images apart.
pub const AZNAS_PROXY_NASWOT: u32 = 16384;
/// Minus the condition number of the tangent kernel, the first half of TE-NAS.
pub const AZNAS_PROXY_NTK: u32 = 32768;
/// Linear regions that the images lie in, the second half of TE-NAS.
pub const AZNAS_PROXY_LINEAR_REGIONS: u32 = 65536;
/// ZenNAS: how much the last map answers to a small change of the input.
pub const AZNAS_PROXY_ZEN: u32 = 131072;
/// GradSign, the sum over the weights: whether images pull them the same way.
pub const AZNAS_PROXY_GRAD_SIGN: u32 = 262144;
/// ZiCo: how large gradients are beside what they vary by.
pub const AZNAS_PROXY_ZICO: u32 = 524288;
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
    AZNAS_PROXY_GRAD_NORM,
    AZNAS_PROXY_SNIP,
    AZNAS_PROXY_GRASP,
    AZNAS_PROXY_SYNFLOW,
    AZNAS_PROXY_NASWOT,
    AZNAS_PROXY_NTK,
    AZNAS_PROXY_LINEAR_REGIONS,
    AZNAS_PROXY_ZEN,
    AZNAS_PROXY_GRAD_SIGN,
    AZNAS_PROXY_ZICO,
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
