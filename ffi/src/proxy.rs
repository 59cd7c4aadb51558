//! Which proxies are wanted, and their values side by side.

use crate::boundary::guard;
use crate::error::Refusal;
use crate::pointer::{self, Span};
use crate::score::Scores;
use crate::status::Status;
use aznas::Error;
use aznas::proxy::{Proxy, ProxySet};
use core::ptr;

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

impl Scores {
    fn get(&self, proxy: Proxy) -> f64 {
        match proxy {
            Proxy::Expressivity => self.expressivity,
            Proxy::Progressivity => self.progressivity,
            Proxy::Trainability => self.trainability,
            Proxy::Complexity => self.complexity,
            Proxy::MeanProgressivity => self.mean_progressivity,
            Proxy::Depth => self.depth as f64,
            Proxy::LiveComplexity => self.live_macs as f64,
            Proxy::LiveLayers => self.live_layers as f64,
        }
    }
}

/// Writes the values of some proxies, in the order of their bits, to `values[0]`, `values[stride]`, `values[2 * stride]`
/// and so on: a row of a table with `stride` 1; or a candidate's place in the columns of `aznas_ranking`, if `values` points
/// to it in the first column and the columns lie `stride` numbers apart.
///
/// `proxies` is some of AZNAS_PROXY_..., 0 stands for AZNAS_PROXIES_PAPER. `stride` is at least 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_scores_values(
    scores: *const Scores,
    proxies: u32,
    values: *mut f64,
    stride: usize,
) -> Status {
    let body = || {
        // SAFETY: the contract of the header.
        let known = unsafe { pointer::read(scores) }?;
        let proxies = set(proxies)?;
        if stride == 0 {
            return Err(Refusal::invalid("stride", "at least 1"));
        }
        let last = (proxies.len() - 1).checked_mul(stride).and_then(|last| last.checked_add(1));
        let len = last.ok_or(Error::Overflow { quantity: "stride" })?;
        if Span::of_output(values, len, "values")?.overlaps(Span::new(scores, known.struct_size)) {
            return Err(Refusal::Overlap("values"));
        }
        for (place, proxy) in proxies.iter().enumerate() {
            // SAFETY: the pointer has been checked and the numbers up to `len` exist by the contract of the header.
            unsafe { values.add(place * stride).write(known.get(proxy)) };
        }
        Ok(())
    };
    // SAFETY: there is no error struct.
    unsafe { guard(ptr::null_mut(), body) }
}
