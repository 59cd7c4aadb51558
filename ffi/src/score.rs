//! Scoring a network, and the memory it takes.

use crate::arch::Arch;
use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::options::Options;
use crate::pointer::{self, Array, Descriptor, Struct};
use crate::proxy;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::tensors::CallerTensors;
use crate::written::Written;
use aznas::graph::Network;
use aznas::proxy::{Proxy, ProxySet};
use aznas::{Error, Workspace};
use core::ffi::c_void;
use core::mem::offset_of;
use core::ptr;

/// Why a proxy is minus infinity, or out of the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Flag {
    /// A feature or gradient holds NaN or infinity.
    NotFinite = 1,
    /// A feature does not vary over its positions: expressivity and progressivity are minus infinity.
    ConstantFeature = 2,
    /// A block passes its gradient unchanged.
    IdentityBlock = 4,
    /// One of the proxies with a field of their own was not measured, because `proxies` of the options does not ask for
    /// it.
    NotMeasured = 8,
    /// The network is a single block: progressivity, mean progressivity and trainability are minus infinity.
    SingleBlock = 16,
    /// Every block after the first down-samples: mean progressivity is minus infinity.
    AllDownSample = 32,
    /// There are no rectifiers, and NASWOT or linear regions are minus infinity.
    NoRectifier = 64,
    /// There are no batch normalisations or there is no map that is pooled, and ZenNAS is minus infinity.
    NoBatchNorm = 128,
    /// Two images look alike to the network, and NASWOT or the score of the tangent kernel is minus infinity.
    ImagesAlike = 256,
    /// Nothing of the input reaches the last map or the outputs, and ZenNAS or Synflow is minus infinity.
    CutOff = 512,
    /// Every feature has a single channel, and isotropy is minus infinity.
    OneChannel = 1024,
    /// A block does not shrink its map by one whole factor in rows and columns: trainability and log gain do without it,
    /// and are minus infinity if that leaves no block.
    UnevenBlock = 2048,
    /// A spectrum is of fewer than two positions a channel, which says little about it: a larger batch is needed. See
    /// `aznas_smallest_batch`.
    FewPositions = 4096,
    /// There are none of the parameters whose gradients a proxy is made of, and it is minus infinity.
    NoParameters = 8192,
}

/// What is measured of one primary block.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BlockRow {
    /// Number of the block, from 0.
    pub block: u32,
    /// Rows of its feature.
    pub height: u32,
    /// Columns of its feature.
    pub width: u32,
    /// Channels of its feature.
    pub channels: u32,
    /// Some of `aznas_flag`.
    pub flags: u32,
    /// Number of the repeat, from 0.
    pub repeat: u32,
    /// Entropy of the feature's spectrum, 0 to ln(channels); NaN if undefined or not measured.
    pub expressivity: f64,
    /// Largest singular value of the transfer matrix; NaN for the first block, for one with AZNAS_FLAG_UNEVEN_BLOCK or if not
    /// measured.
    pub sigma: f64,
    /// `2 - sigma - 1 / (sigma + 1e-6)`; minus infinity for a block that passes its gradient unchanged, NaN where sigma is.
    pub trainability: f64,
}

// SAFETY: numbers take every pattern of bits.
unsafe impl Struct for BlockRow {
    const NAME: &'static str = "blocks";
}

/// The proxies of a network. All are "higher is better"; what is undefined, or was not measured, is minus infinity.
///
/// Zero the struct and set `struct_size` to `sizeof(aznas_scores)` before the call; for per-block rows also `blocks`,
/// `block_capacity` and `block_size`. The rest is written if, and only if, the call succeeds.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Scores {
    /// `sizeof(aznas_scores)`
    pub struct_size: usize,
    /// [in] An array of rows to fill, block after block and repeat after repeat, or NULL.
    pub blocks: *mut BlockRow,
    /// [in] Rows in the array; at least blocks times repeats if `blocks` is not NULL.
    pub block_capacity: usize,
    /// [in] `sizeof(aznas_block)` if `blocks` is not NULL.
    pub block_size: usize,
    /// [out] Primary blocks of the network.
    pub block_count: usize,
    /// [out] Sum over the blocks of the entropy of their features' spectra; at most the sum of ln(channels).
    pub expressivity: f64,
    /// [out] Smallest step of that entropy from a block to the next.
    pub progressivity: f64,
    /// [out] Mean over the blocks but the first of `2 - sigma - 1 / (sigma + 1e-6)`; at most about 0.
    pub trainability: f64,
    /// [out] Multiply-adds of one image by the convention of the space.
    pub complexity: f64,
    /// [out] Mean step of the entropy over the blocks that do not down-sample.
    pub mean_progressivity: f64,
    /// [out] Multiply-adds of one image: all convolutions and linear maps.
    pub macs: u64,
    /// [out] Those of them that can influence the output.
    pub live_macs: u64,
    /// [out] Trainable numbers.
    pub parameters: u64,
    /// [out] Those of them that can influence the output.
    pub live_parameters: u64,
    /// [out] Convolutions and linear maps that can influence the output.
    pub live_layers: u64,
    /// [out] Sum over the blocks of the most of them in a row.
    pub depth: u64,
    /// [out] Some of `aznas_flag`: why a proxy is minus infinity.
    pub flags: u32,
    /// [out] The proxies that are known, of `aznas_proxy`: those asked for, and all that come free with them.
    pub measured: u32,
    /// [out] Every proxy by its number, those with a field of their own too.
    pub proxies: [f64; 32],
}

const _: () = assert!(Proxy::COUNT <= 32, "scores have no room for all proxies");

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Scores {
    const NAME: &'static str = "scores";
    const ENDS: &'static [usize] = &[offset_of!(Self, proxies)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Scores {}

impl Scores {
    /// The rows that are asked for.
    ///
    /// # Safety
    /// `blocks` is NULL or points to as many rows as are said.
    unsafe fn rows(&self, written: &mut Written) -> Result<Option<Array<BlockRow>>, Refusal> {
        if self.blocks.is_null() {
            return Ok(None);
        }
        // SAFETY: as promised by the caller.
        unsafe { Array::new_output(self.blocks, self.block_capacity, self.block_size, "block_size", written) }.map(Some)
    }
}

/// Scores a network.
///
/// `workspace` is memory of any alignment and content, of `workspace_len` bytes; `aznas_workspace_size` says how many
/// suffice. The scores are a function of `arch`, `options` and the tensors they lead to: the same bits on any thread and in
/// any workspace.
///
/// `error` may be NULL. Everything that can be refused is refused before any work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_score(
    arch: *const Arch,
    options: *const Options,
    workspace: *mut c_void,
    workspace_len: usize,
    scores: *mut Scores,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        // SAFETY: the contract of the header.
        let request = unsafe { pointer::read_to_write(scores, written) }?;
        // SAFETY: the contract of the header.
        let rows = unsafe { request.rows(written) }?;
        pointer::check_output(workspace.cast::<u8>(), workspace_len, "workspace", written)?;
        // SAFETY: the contract of the header.
        let (arch, options) = unsafe { (pointer::read(arch, written)?, pointer::read(options, written)?) };
        // SAFETY: the contract of the header.
        let source = unsafe { CallerTensors::new(options.source, *written) }?;
        let options = options.to_core(arch.resolution()?)?;
        // SAFETY: the contract of the header; `read_to_write` found `scores` to be valid.
        unsafe {
            arch.with_network(written, |network| {
                let block_count = network.block_count();
                let row_count = block_count.checked_mul(options.repeats as usize);
                if rows.is_some_and(|rows| row_count.is_none_or(|needed| rows.len() < needed)) {
                    return Err(Refusal::invalid("block_capacity", "at least blocks times repeats"));
                }
                // Nothing that is read, nor another part of what is written, lies in the workspace.
                let memory = pointer::slice_mut(workspace.cast::<u8>(), workspace_len);
                let mut workspace = Workspace::from_bytes(memory);
                let mut row = 0;
                let found = aznas::score(network, &options, &source, &mut workspace, |block| {
                    if let Some(rows) = rows {
                        rows.set(row, BlockRow::new(block, row / block_count));
                    }
                    row += 1;
                });
                let found = source.answered(found.map_err(|error| in_whole_buffer(error, workspace_len)))?;
                // Here, where nothing can fail any more, rather than handed up through every frame.
                pointer::write(scores, request.fill(&found, block_count));
                Ok(())
            })
        }
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// The bytes of workspace that suffice for `aznas_score` with the same `arch` and `options`, wherever the workspace starts.
///
/// Refuses all that `aznas_score` refuses of them. `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_workspace_size(
    arch: *const Arch,
    options: *const Options,
    bytes: *mut usize,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(bytes, 1, "bytes", written)?;
        // SAFETY: the contract of the header.
        let (arch, options) = unsafe { (pointer::read(arch, written)?, pointer::read(options, written)?) };
        // SAFETY: the contract of the header.
        let source = unsafe { CallerTensors::new(options.source, *written) }?;
        let options = options.to_core(arch.resolution()?)?;
        let size = |network: &dyn Network| source.answered(aznas::workspace_size(network, &options, &source));
        // SAFETY: the contract of the header.
        let capacity = unsafe { arch.with_network(written, size) }?;
        let needed = Workspace::buffer_len(capacity).ok_or(Error::Overflow { quantity: "the workspace" })?;
        // SAFETY: the pointer has been checked.
        unsafe { bytes.write(needed) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// Writes the values of some proxies, in the order of their bits, to `values[0]`, `values[stride]`, `values[2 * stride]`
/// and so on: a row of a table with `stride` 1; or a candidate's place in the columns of `aznas_ranking`, if `values` points
/// to it in the first column and the columns lie `stride` numbers apart.
///
///     double *table;  // [proxy][candidate]: a column of n candidates for each of four proxies
///     aznas_scores_values(&scores, AZNAS_PROXIES_PAPER, table + candidate, n);
///
/// `proxies` is some of `aznas_proxy`, 0 stands for AZNAS_PROXIES_PAPER. `stride` is at least 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_scores_values(
    scores: *const Scores,
    proxies: u32,
    values: *mut f64,
    stride: usize,
) -> Status {
    let body = |written: &mut Written| {
        let proxies = proxy::set(proxies)?;
        if stride == 0 {
            return Err(Refusal::invalid("stride", "at least 1"));
        }
        let last = (proxies.len() - 1).checked_mul(stride).and_then(|last| last.checked_add(1));
        let len = last.ok_or(Error::Overflow { quantity: "stride" })?;
        pointer::check_output(values, len, "values", written)?;
        // SAFETY: the contract of the header.
        let known = unsafe { pointer::read(scores, written) }?;
        for (place, proxy) in proxies.iter().enumerate() {
            // SAFETY: the pointer has been checked and the numbers up to `len` exist by the contract of the header.
            unsafe { values.add(place * stride).write(known.get(proxy)) };
        }
        Ok(())
    };
    // SAFETY: there is no error struct.
    unsafe { guard(ptr::null_mut(), body) }
}

/// The flag for proxies with a field of their own that were not measured.
fn not_measured(scores: &aznas::Scores) -> u32 {
    let fields = ProxySet::PAPER.with(Proxy::MeanProgressivity);
    if scores.measured.contains_all(fields) { 0 } else { Flag::NotMeasured as u32 }
}

/// The core counts the aligned part of the workspace; C gave and is told of all of it.
pub(crate) fn in_whole_buffer(error: Error, given: usize) -> Error {
    match error {
        Error::WorkspaceTooSmall { needed, .. } => {
            Error::WorkspaceTooSmall { needed: Workspace::buffer_len(needed).unwrap_or(usize::MAX), given }
        }
        other => other,
    }
}

impl Scores {
    /// The value of one proxy; minus infinity for one that a struct of an older header has no room for.
    fn get(&self, proxy: Proxy) -> f64 {
        if self.struct_size > offset_of!(Self, proxies) {
            return self.proxies[proxy as usize];
        }
        match proxy {
            Proxy::Expressivity => self.expressivity,
            Proxy::Progressivity => self.progressivity,
            Proxy::Trainability => self.trainability,
            Proxy::Complexity => self.complexity,
            Proxy::MeanProgressivity => self.mean_progressivity,
            Proxy::Depth => self.depth as f64,
            Proxy::LiveComplexity => self.live_macs as f64,
            Proxy::LiveLayers => self.live_layers as f64,
            Proxy::Params => self.parameters as f64,
            Proxy::Flops => self.macs as f64,
            _ => f64::NEG_INFINITY,
        }
    }

    fn fill(self, scores: &aznas::Scores, block_count: usize) -> Self {
        let mut proxies = [f64::NEG_INFINITY; 32];
        Proxy::ALL.into_iter().for_each(|proxy| proxies[proxy as usize] = scores.get(proxy));
        Self {
            block_count,
            expressivity: scores.expressivity(),
            progressivity: scores.progressivity(),
            trainability: scores.trainability(),
            complexity: scores.complexity(),
            mean_progressivity: scores.get(Proxy::MeanProgressivity),
            macs: scores.cost.macs,
            live_macs: scores.cost.live_macs,
            parameters: scores.cost.parameters,
            live_parameters: scores.cost.live_parameters,
            live_layers: scores.cost.live_layers,
            depth: scores.cost.depth,
            flags: scores.flags.0 | not_measured(scores),
            measured: scores.measured.bits(),
            proxies,
            ..self
        }
    }
}

impl BlockRow {
    fn new(scores: &aznas::proxy::BlockScores, repeat: usize) -> Self {
        let [height, width, channels] = scores.feature.map(|size| size as u32);
        Self {
            block: scores.block as u32,
            height,
            width,
            channels,
            flags: scores.flags.0,
            repeat: repeat as u32,
            expressivity: scores.expressivity,
            sigma: scores.sigma,
            trainability: scores.trainability,
        }
    }
}
