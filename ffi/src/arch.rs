//! What is scored: a text of a named space, or the caller's own nodes.

use crate::boundary::guard;
use crate::node::{Node, NodeList};
use crate::pointer::{self, Array, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::status::Status;
use crate::written::Written;
use aznas::graph::{IdentityRule, Network};
use aznas::spaces::{Reduction, Settings, SpaceName, autoformer, nds};
use core::ffi::c_char;
use core::mem::offset_of;
use core::ptr;

/// A search space, or the caller's own graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Space {
    /// NAS-Bench-201: `text` is a cell such as `|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|`.
    /// Uses `channels`, `cells`, `classes`; `target_resolution` where a smaller network is scored.
    Nb201 = 1,
    /// MobileNetV2-like structures: `text` is `SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)...`.
    /// Uses `classes`, `target_resolution`.
    Mbv2 = 2,
    /// Vision transformers: `text` is `autoformer(embed=192,heads=3-4-...,ratio=4-3.5-...)`.
    /// Uses `classes`, `target_resolution`, `patch`, `reach`, `parameters`.
    Autoformer = 3,
    /// NAS-Bench-101: `text` is a cell such as `7:101010101100001000001:333mm`.
    /// Uses `channels`, `cells`, `classes`, `target_channels`, `target_resolution`.
    Nb101 = 5,
    /// NDS: `text` is a genotype such as `Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5],
    /// reduce=[...], reduce_concat=[2, 3, 4, 5], width=36, depth=20)`.
    /// Uses `classes`, `target_resolution`, `stem`; `channels` and `cells` where the text says no width and depth.
    Nds = 6,
    /// Any network: `nodes`, cut into primary blocks by their flags. Uses `input_channels`, `identity_rule`.
    Graph = 4,
}

/// What the trainability of a block counts for whose gradient passes unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Identity {
    /// Minus infinity for the whole network: the published rule for convolutional spaces.
    Reject = 0,
    /// The block is left out of the mean: the published rule for vision transformers.
    Skip = 1,
}

/// Where the parameters of an AutoFormer candidate come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Parameters {
    /// The leading slices of one largest network, the same for every candidate of a seed: the authors' search.
    Shared = 0,
    /// Drawn for each candidate alone.
    Own = 1,
}

/// What is before the cells of an NDS network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stem {
    /// One convolution.
    Cifar = 0,
    /// Three convolutions of stride 2.
    Imagenet = 1,
}

/// What is scored. Fill with `aznas_arch_init`, then set `text` and `text_len`, or the nodes. Fields that the space does
/// not use are ignored.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Arch {
    /// `sizeof(aznas_arch)`
    pub struct_size: usize,
    /// One of `aznas_space`.
    pub space: u32,
    /// Channels of the first stage, 1 to 65536 (NAS-Bench-101: from 5 on, NDS: to 4096). Default 16, for NAS-Bench-101
    /// 15.
    pub channels: u32,
    /// Cells in each stage, 1 to 1024; of NDS in all, 1 to 256. Default 5, for NAS-Bench-101 3, for NDS 8.
    pub cells: u32,
    /// Classes of the classifier, 1 to 1048576; count as complexity and parameters. Default 10, for MobileNetV2
    /// and AutoFormer 1000.
    pub classes: u32,
    /// Rows and columns that complexity is counted at, 1 to 65536 (AutoFormer: in steps of 16, NAS-Bench-101 and
    /// NDS: of 4, NDS with the stem of ImageNet: of 32), whatever the resolution of the scores. Default 224, for
    /// NAS-Bench-101 and NDS 32.
    pub target_resolution: u32,
    /// Channels of the input batch, at least 1. Default 3.
    pub input_channels: u32,
    /// One of `aznas_identity`. Default AZNAS_IDENTITY_REJECT.
    pub identity_rule: u32,
    /// Pixels along a side of a patch, at least 1. Default 16.
    pub patch: u32,
    /// The farthest relative position with an entry of its own. Default 14.
    pub reach: u32,
    /// One of `aznas_parameters`. Default AZNAS_PARAMETERS_SHARED.
    pub parameters: u32,
    /// The architecture as text; needs no terminator.
    pub text: *const c_char,
    /// Bytes of the text.
    pub text_len: usize,
    /// The nodes of all blocks one after another.
    pub nodes: *const Node,
    /// Nodes, 1 to 65536.
    pub node_count: usize,
    /// `sizeof(aznas_node)`
    pub node_size: usize,
    /// Channels of the first stage that complexity and parameters are counted for, 5 to 65536, whatever is scored. 0, the
    /// default, means the benchmark's: 128.
    pub target_channels: u32,
    /// One of `aznas_stem`. Default AZNAS_STEM_CIFAR.
    pub stem: u32,
    /// Percent of the channels that are scored, 1 to 100. 0, the default, means all. What is counted (complexity,
    /// multiply-adds, parameters, layers, depth) stays that of the whole network at `target_resolution`, with this field
    /// as with the next. AutoFormer and graphs are scored whole. MobileNetV2: in steps of 8 channels, at least 8.
    pub score_width: u32,
    /// The most cells that are scored: of each stage (NAS-Bench-201, NAS-Bench-101), of each third of the depth (NDS), or
    /// repetitions of each super-block (MobileNetV2). 0, the default, means all.
    pub score_cells: u32,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Arch {
    const NAME: &'static str = "arch";
    const ENDS: &'static [usize] = &[offset_of!(Self, target_channels)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Arch {}

impl Space {
    /// The space of the library that `number` stands for; none if it is the caller's own graph.
    fn of(number: u32) -> Result<Option<SpaceName>, Refusal> {
        if number == Self::Graph as u32 {
            return Ok(None);
        }
        SpaceName::from_number(number).map(Some).ok_or(Refusal::invalid("space", "one of aznas_space"))
    }
}

impl Identity {
    fn to_core(number: u32) -> Result<IdentityRule, Refusal> {
        match number {
            _ if number == Self::Reject as u32 => Ok(IdentityRule::Reject),
            _ if number == Self::Skip as u32 => Ok(IdentityRule::Skip),
            _ => Err(Refusal::invalid("identity_rule", "one of aznas_identity")),
        }
    }
}

impl Parameters {
    fn to_core(number: u32) -> Result<autoformer::Parameters, Refusal> {
        match number {
            _ if number == Self::Shared as u32 => Ok(autoformer::Parameters::Shared),
            _ if number == Self::Own as u32 => Ok(autoformer::Parameters::Own),
            _ => Err(Refusal::invalid("parameters", "one of aznas_parameters")),
        }
    }
}

impl Stem {
    fn to_core(number: u32) -> Result<nds::Stem, Refusal> {
        match number {
            _ if number == Self::Cifar as u32 => Ok(nds::Stem::Cifar),
            _ if number == Self::Imagenet as u32 => Ok(nds::Stem::ImageNet),
            _ => Err(Refusal::invalid("stem", "one of aznas_stem")),
        }
    }
}

impl Arch {
    /// Rows and columns of the images that the space's benchmark is for; of graphs 0, which scores refuse.
    pub(crate) fn resolution(&self) -> Result<usize, Refusal> {
        Ok(Space::of(self.space)?.map_or(0, |space| space.policy().resolution as usize))
    }

    /// How much of a network is scored in its place.
    fn reduction(&self) -> Result<Option<Reduction>, Refusal> {
        if cfg!(feature = "small") {
            let is_whole = self.score_width | self.score_cells == 0;
            return if is_whole { Ok(None) } else { Err(Refusal::invalid("score_width", "0 in a small build")) };
        }
        let given = |number: u32| (number != 0).then_some(number);
        Ok(Reduction::given(given(self.score_width), given(self.score_cells))?)
    }

    /// The space that texts and candidates are of, and what they leave open.
    #[cfg(not(feature = "small"))]
    pub(crate) fn named_space(&self) -> Result<(SpaceName, Settings), Refusal> {
        let space = Self::space_of_texts(self.space)?;
        Ok((space, self.settings(space)?))
    }

    /// The space of a number, provided that it has texts.
    #[cfg(not(feature = "small"))]
    pub(crate) fn space_of_texts(number: u32) -> Result<SpaceName, Refusal> {
        Space::of(number)?.ok_or(Refusal::invalid("space", "one of aznas_space with texts"))
    }

    fn settings(&self, space: SpaceName) -> Result<Settings, Refusal> {
        Ok(Settings {
            channels: self.channels,
            cells: self.cells,
            classes: self.classes,
            target_channels: match self.target_channels {
                0 => space.policy().settings.target_channels,
                channels => channels,
            },
            target_resolution: self.target_resolution,
            patch: self.patch,
            reach: self.reach,
            parameters: Parameters::to_core(self.parameters)?,
            stem: Stem::to_core(self.stem)?,
            reduction: self.reduction()?,
            ..space.policy().settings
        })
    }

    /// Runs `work` on the network that is described.
    ///
    /// # Safety
    /// The pointers are NULL or point to as much as the lengths say.
    pub(crate) unsafe fn with_network<R>(
        &self,
        written: &Written,
        work: impl FnOnce(&dyn Network) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let Some(space) = Space::of(self.space)? else {
            if self.reduction()?.is_some() {
                return Err(Refusal::invalid("score_width", "0 for the caller's own graph, as score_cells"));
            }
            let rule = Identity::to_core(self.identity_rule)?;
            // SAFETY: as promised by the caller.
            let nodes = unsafe { self.node_array(written) }?;
            return work(&NodeList::new(nodes, self.input_channels, rule)?);
        };
        let settings = self.settings(space)?;
        // SAFETY: as promised by the caller.
        space.with_network(&settings, unsafe { self.text_bytes(written) }?, work)?
    }

    unsafe fn text_bytes<'a>(&self, written: &Written) -> Result<&'a [u8], Refusal> {
        // SAFETY: as promised by the caller.
        unsafe { pointer::slice(self.text.cast::<u8>(), self.text_len, "text", written) }
    }

    unsafe fn node_array(&self, written: &Written) -> Result<Array<Node>, Refusal> {
        NodeList::check_count(self.node_count)?;
        // SAFETY: as promised by the caller.
        unsafe { Array::new(self.nodes, self.node_count, self.node_size, "node_size", written) }
    }
}

/// Fills `arch` with the defaults of `space`, one of `aznas_space`: the network of the space's benchmark.
///
/// `struct_size` is `sizeof(aznas_arch)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_arch_init(arch: *mut Arch, struct_size: usize, space: u32) -> Status {
    let initialise = |_: &mut Written| {
        let defaults = Space::of(space)?.unwrap_or(SpaceName::Nb201).policy().settings;
        let value = Arch {
            struct_size,
            space,
            channels: defaults.channels,
            cells: defaults.cells,
            classes: defaults.classes,
            target_resolution: defaults.target_resolution,
            input_channels: 3,
            identity_rule: Identity::Reject as u32,
            patch: defaults.patch,
            reach: defaults.reach,
            parameters: Parameters::Shared as u32,
            text: ptr::null(),
            text_len: 0,
            nodes: ptr::null(),
            node_count: 0,
            node_size: 0,
            target_channels: 0,
            stem: Stem::Cifar as u32,
            score_width: 0,
            score_cells: 0,
        };
        // SAFETY: the contract of the header.
        unsafe { pointer::initialise(arch, struct_size, value) }
    };
    // SAFETY: there is no error struct.
    unsafe { guard(ptr::null_mut(), initialise) }
}
