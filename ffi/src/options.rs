//! How a network is scored.

use crate::backend::Backend;
use crate::boundary::guard;
use crate::pointer::{self, Descriptor, Struct};
use crate::proxy::{self, Proxies};
use crate::refusal::Refusal;
use crate::source::Source;
use crate::status::Status;
use crate::written::Written;
use core::mem::offset_of;
use core::ptr;

/// How the weights of convolutions and linear maps are drawn, unless the space prescribes it. Biases and shifts are 0,
/// gains 1; class tokens and positions are N(0, 0.0004).
///
/// `fan_in` is input channels per group times kernel area, `fan_out` output channels times kernel area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Init {
    /// N(0, 2 / fan_in): the paper's default.
    KaimingNormalFanIn = 0,
    /// N(0, 2 / fan_out)
    KaimingNormalFanOut = 1,
    /// U(-a, a), a = sqrt(6 / fan_in)
    KaimingUniformFanIn = 2,
    /// U(-a, a), a = sqrt(6 / fan_out)
    KaimingUniformFanOut = 3,
    /// N(0, 2 / (fan_in + fan_out))
    XavierNormal = 4,
    /// N(0, 0.01)
    Normal = 5,
    /// U(-0.1, 0.1)
    Uniform = 6,
    /// U(-a, a), a = 1 / sqrt(fan_in)
    UniformFanIn = 7,
    /// N(0, 1)
    StandardNormal = 8,
}

impl Init {
    const ALL: [(Self, aznas::Initialisation); 9] = [
        (Self::KaimingNormalFanIn, aznas::Initialisation::KaimingNormalFanIn),
        (Self::KaimingNormalFanOut, aznas::Initialisation::KaimingNormalFanOut),
        (Self::KaimingUniformFanIn, aznas::Initialisation::KaimingUniformFanIn),
        (Self::KaimingUniformFanOut, aznas::Initialisation::KaimingUniformFanOut),
        (Self::XavierNormal, aznas::Initialisation::XavierNormal),
        (Self::Normal, aznas::Initialisation::Normal),
        (Self::Uniform, aznas::Initialisation::Uniform),
        (Self::UniformFanIn, aznas::Initialisation::UniformFanIn),
        (Self::StandardNormal, aznas::Initialisation::StandardNormal),
    ];

    fn to_core(number: u32) -> Result<aznas::Initialisation, Refusal> {
        Self::ALL
            .into_iter()
            .find(|(init, _)| *init as u32 == number)
            .map(|(_, core)| core)
            .ok_or(Refusal::invalid("init", "one of aznas_init"))
    }
}

/// How the largest singular value of a block is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Sigma {
    /// Of the whole batch, as published.
    Plain = 0,
    /// Corrected by the two halves of the batch, for batches of 2 to 16 images.
    HalfSplit = 1,
}

impl Sigma {
    fn to_core(number: u32) -> Result<aznas::Sigma, Refusal> {
        match number {
            _ if number == Self::Plain as u32 => Ok(aznas::Sigma::Plain),
            _ if number == Self::HalfSplit as u32 => Ok(aznas::Sigma::HalfSplit),
            _ => Err(Refusal::invalid("sigma", "one of aznas_sigma")),
        }
    }
}

/// How convolutions sum products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Algorithm {
    /// Those of 3x3 by Winograd's F(4x4, 3x3), where it applies; others directly.
    Winograd = 0,
    /// All directly: half the rounding error, two to three times the time.
    Direct = 1,
    /// As AZNAS_ALGORITHM_WINOGRAD; but where that sums directly and the processor multiplies bfloat16 numbers (AVX-512
    /// BF16), both factors are rounded to eight bits, which halves the time of these products. Scores change by less than
    /// from one seed to another. Other processors give the scores of AZNAS_ALGORITHM_WINOGRAD.
    Bfloat16 = 2,
}

/// How the entropy of a feature's spectrum is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Entropy {
    /// That of the whole batch, as published.
    Plain = 0,
    /// Corrected by the entropies of the two halves of the batch: for small batches, whose entropies are too low. Needs two
    /// images or more, and takes the time of three spectra.
    HalfSplit = 1,
}

impl Entropy {
    fn to_core(number: u32) -> Result<aznas::Entropy, Refusal> {
        match number {
            _ if number == Self::Plain as u32 => Ok(aznas::Entropy::Plain),
            _ if number == Self::HalfSplit as u32 => Ok(aznas::Entropy::HalfSplit),
            _ => Err(Refusal::invalid("entropy", "one of aznas_entropy")),
        }
    }
}

impl Algorithm {
    fn to_core(number: u32) -> Result<aznas::ops::conv2d::Algorithm, Refusal> {
        match number {
            _ if number == Self::Winograd as u32 => Ok(aznas::ops::conv2d::Algorithm::Winograd),
            _ if number == Self::Direct as u32 => Ok(aznas::ops::conv2d::Algorithm::Direct),
            _ if number == Self::Bfloat16 as u32 => Ok(aznas::ops::conv2d::Algorithm::Bfloat16),
            _ => Err(Refusal::invalid("algorithm", "one of aznas_algorithm")),
        }
    }
}

/// How a network is scored. Fill with `aznas_options_init`, then change what differs.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Options {
    /// `sizeof(aznas_options)`
    pub struct_size: usize,
    /// Images of the input batch, at least 1. Default 64, the paper's.
    pub batch: usize,
    /// Rows of an image. 0, the default, stands for those of the space's benchmark, such as 32 for NAS-Bench-201 and 224
    /// for MobileNetV2; graphs have none, so it must be set for them.
    pub height: usize,
    /// Columns of an image, as for rows.
    pub width: usize,
    /// Seed of everything that is drawn. Default 1.
    pub seed: u64,
    /// How weights are drawn, one of `aznas_init`. Default 0.
    pub init: u32,
    /// How often everything is drawn anew, at least 1; the proxies are means. Default 1.
    pub repeats: u32,
    /// The instruction set to run on, one of `aznas_backend`. Default AZNAS_BACKEND_BEST.
    pub backend: u32,
    /// How the largest singular value of a block is taken, one of `aznas_sigma`. Default AZNAS_SIGMA_PLAIN.
    pub sigma: u32,
    /// The proxies that are wanted, some of `aznas_proxy`. What none of them needs is not done and takes no memory: the
    /// backward pass is for trainability alone, spectra are for expressivity and both progressivities, and what is
    /// counted on the graph is always known. 0 stands for AZNAS_PROXIES_PAPER, which is the default.
    pub proxies: u32,
    /// How convolutions sum products, one of `aznas_algorithm`. Default AZNAS_ALGORITHM_WINOGRAD.
    pub algorithm: u32,
    /// Tensors of the caller in place of random ones, or NULL. Default NULL.
    pub source: *const Source,
    /// How entropies of spectra are taken, one of `aznas_entropy`. Default AZNAS_ENTROPY_PLAIN.
    pub entropy: u32,
    /// Reserved; 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Options {
    const NAME: &'static str = "options";
    const ENDS: &'static [usize] = &[offset_of!(Self, entropy)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Options {}

impl Options {
    /// The core's options of the same meaning, for images of `resolution` where they do not say.
    pub(crate) fn to_core(self, resolution: usize) -> Result<aznas::Options, Refusal> {
        let side = |given| if given == 0 { resolution } else { given };
        if self.reserved != 0 {
            return Err(Refusal::invalid("reserved", "0"));
        }
        Ok(aznas::Options {
            batch: self.batch,
            height: side(self.height),
            width: side(self.width),
            seed: self.seed,
            initialisation: Init::to_core(self.init)?,
            repeats: self.repeats,
            sigma: Sigma::to_core(self.sigma)?,
            entropy: Entropy::to_core(self.entropy)?,
            proxies: proxy::set(self.proxies)?,
            backend: Backend::to_core(self.backend).ok_or(Refusal::invalid("backend", "one of aznas_backend"))?,
            algorithm: Algorithm::to_core(self.algorithm)?,
        })
    }
}

/// Fills `options` with the defaults: the paper's setting, for images of the space's benchmark, on the fastest back end.
/// Options of the first header, which had no `entropy`, are for images of 32x32, as they were.
///
/// `struct_size` is `sizeof(aznas_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_options_init(options: *mut Options, struct_size: usize) -> Status {
    let initialise = |_: &mut Written| {
        let paper = aznas::Options::default();
        let is_first = struct_size == offset_of!(Options, entropy);
        let [height, width] = if is_first { [paper.height, paper.width] } else { [0, 0] };
        let value = Options {
            struct_size,
            batch: paper.batch,
            height,
            width,
            seed: paper.seed,
            init: Init::KaimingNormalFanIn as u32,
            repeats: paper.repeats,
            backend: Backend::Best as u32,
            sigma: Sigma::Plain as u32,
            proxies: Proxies::Paper as u32,
            algorithm: Algorithm::Winograd as u32,
            source: ptr::null(),
            entropy: Entropy::Plain as u32,
            reserved: 0,
        };
        // SAFETY: the contract of the header.
        unsafe { pointer::initialise(options, struct_size, value) }
    };
    // SAFETY: there is no error struct.
    unsafe { guard(ptr::null_mut(), initialise) }
}
