//! Proxies by number, as bits of a set, and by name.

use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::pointer;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::written::Written;
use aznas::Error;
use aznas::proxy::ProxySet;
use core::ffi::c_char;
use core::ptr;

/// The proxies, each as the bit that it is in a set. Its number, which is its place in `proxies` of the scores, is the place
/// of that bit: 0 for AZNAS_PROXY_EXPRESSIVITY, 1 for AZNAS_PROXY_PROGRESSIVITY and so on.
///
/// Higher is better for all of them. Who minimises and so negates them turns the minus infinity of what is undefined
/// into plus infinity: replace it where an optimiser takes finite numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Proxy {
    /// `expressivity` of the scores.
    Expressivity = 1,
    /// `progressivity` of the scores.
    Progressivity = 2,
    /// `trainability` of the scores.
    Trainability = 4,
    /// `complexity` of the scores.
    Complexity = 8,
    /// `mean_progressivity` of the scores: what progressivity asks of the worst block, asked of all.
    MeanProgressivity = 16,
    /// `depth` of the scores.
    Depth = 32,
    /// `live_macs` of the scores.
    LiveComplexity = 64,
    /// `live_layers` of the scores.
    LiveLayers = 128,
    /// `parameters` of the scores.
    Params = 256,
    /// `macs` of the scores.
    Flops = 512,
    /// Length of the gradient of the loss. This and what follows is measured of the network as a whole, in runs of its
    /// own.
    GradNorm = 1024,
    /// SNIP: how much the loss depends on the weights as they are; comes free with the former.
    Snip = 2048,
    /// GraSP: whether a step along the gradient keeps the gradient long.
    Grasp = 4096,
    /// Logarithm of Synflow: what flows through the network without signs.
    Synflow = 8192,
    /// NASWOT: how well the rectifiers tell images apart.
    Naswot = 16384,
    /// Minus the condition number of the tangent kernel, the first half of TE-NAS.
    Ntk = 32768,
    /// Linear regions that the images lie in, the second half of TE-NAS.
    LinearRegions = 65536,
    /// ZenNAS: how much the last map answers to a small change of the input.
    Zen = 131072,
    /// GradSign, the sum over the weights: whether images pull them the same way.
    GradSign = 262144,
    /// ZiCo: how large gradients are beside what they vary by.
    Zico = 524288,
    /// Share of the entropy that their width allows, which features reach in the mean; comes with expressivity.
    Isotropy = 1048576,
    /// Mean over the features of the entropy of their spectra; comes with expressivity.
    MeanExpressivity = 2097152,
    /// Share of its directions that a feature takes, in the mean; comes with expressivity.
    EffectiveDimension = 4194304,
    /// Minus the mean distance of a block's gain from 1, in logarithms; comes with trainability.
    LogGain = 8388608,
    /// GradSign, the mean over the weights; comes with the sum.
    GradSignMean = 16777216,
    /// Share of its directions that a feature's variance is on, in the mean: no eigenvalues. Not in builds with the feature `small`.
    ParticipationRatio = 33554432,
}

/// Sets of proxies. Any other is some of `aznas_proxy`, one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Proxies {
    /// The four of the paper.
    Paper = 15,
    /// The paper's, with mean progressivity in place of the smallest step, and depth: ranks better at the same price.
    Extended = 61,
    /// One ranking for every space, also where networks differ in depth and width.
    General = 7340428,
    /// The first eight proxies.
    All = 255,
}

const _: () = {
    assert!(Proxies::Paper as u32 == ProxySet::PAPER.bits());
    assert!(Proxies::Extended as u32 == ProxySet::EXTENDED.bits());
    assert!(Proxies::General as u32 == ProxySet::GENERAL.bits());
};

/// The core's set of the proxies `bits`; 0 stands for the paper's.
pub(crate) fn set(bits: u32) -> Result<ProxySet, Refusal> {
    if bits == 0 {
        return Ok(ProxySet::default());
    }
    Ok(ProxySet::from_bits(bits)?)
}

/// Most bytes of a name, with the zero at its end.
const NAME_LEN: usize = 32;

/// The names of the core's proxies by number, each ended by zeros.
static NAMES: [[u8; NAME_LEN]; aznas::proxy::Proxy::COUNT] = {
    let mut names = [[0; NAME_LEN]; aznas::proxy::Proxy::COUNT];
    let mut number = 0;
    while number < names.len() {
        let name = aznas::proxy::Proxy::ALL[number].name().as_bytes();
        assert!(name.len() < NAME_LEN, "a name is too long");
        let mut place = 0;
        while place < name.len() {
            names[number][place] = name[place];
            place += 1;
        }
        number += 1;
    }
    names
};

/// The name of the proxy with this number, such as "expressivity"; NULL for a number that no proxy has, and so at the end of a
/// list that counts from 0. Never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn aznas_proxy_name(number: u32) -> *const c_char {
    NAMES.get(number as usize).map_or(ptr::null(), |name| name.as_ptr().cast())
}

/// Reads a set of proxies: `paper`, `extended`, `general`, or names between commas, such as `expressivity,depth`; the symbols `E`, `P`,
/// `T` and `C` of the paper are names too. Writes its bits to `proxies`. `all` stands for every proxy that this library has,
/// which are more than AZNAS_PROXIES_ALL.
///
/// `text` needs no terminator. `error` may be NULL; `column` of AZNAS_STATUS_PARSE is that of the first unknown name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_proxy_parse(
    text: *const c_char,
    text_len: usize,
    proxies: *mut u32,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(proxies, 1, "proxies", written)?;
        // SAFETY: the contract of the header.
        let text = unsafe { pointer::slice(text.cast::<u8>(), text_len, "text", written) }?;
        let text = core::str::from_utf8(text).map_err(|error| Error::Parse {
            column: error.valid_up_to() + 1,
            expected: "names of proxies, which are plain text",
        })?;
        let set = ProxySet::parse(text)?;
        // SAFETY: the pointer has been checked.
        unsafe { proxies.write(set.bits()) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}
