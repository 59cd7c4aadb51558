//! Counting a network without running it.

use crate::arch::Arch;
use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::options::Options;
use crate::pointer::{self, Descriptor, Struct};
use crate::status::Status;
use crate::written::Written;
use aznas::graph::{Cost, peak_activation};
use aznas::score::smallest_batch;
use core::mem::offset_of;

/// What a network costs for one image.
///
/// Set `struct_size` to `sizeof(aznas_costs)` before the call; the rest is written if, and only if, the call succeeds.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Costs {
    /// `sizeof(aznas_costs)`
    pub struct_size: usize,
    /// Primary blocks.
    pub blocks: usize,
    /// Multiply-adds by the convention of the space: the fourth proxy.
    pub complexity: f64,
    /// Multiply-adds of every convolution and linear map. Biases, normalisation, rectifiers, pooling and sums are free,
    /// and what cannot influence the output counts too.
    pub macs: u64,
    /// The multiply-adds that can influence the output.
    pub live_macs: u64,
    /// Trainable numbers: weights, biases, gains and shifts.
    pub parameters: u64,
    /// The trainable numbers that can influence the output.
    pub live_parameters: u64,
    /// Convolutions and linear maps that can influence the output.
    pub live_layers: u64,
    /// Sum over the blocks of the most of them in a row.
    pub depth: u64,
    /// The most numbers that inference holds at a time: what the op that runs reads and writes, and all that is still needed
    /// after it, in the order of the nodes. Batch normalisations, activations, gains, sums and products write over an input
    /// of as many numbers that nobody needs any more. Times the bytes of a number, this is the peak activation memory.
    pub peak_activation: u64,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Costs {
    const NAME: &'static str = "costs";
    const ENDS: &'static [usize] = &[offset_of!(Self, peak_activation)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Costs {}

/// Counts multiply-adds, parameters and peak activation memory at the resolution of `options`, of which nothing else is used. Takes no workspace.
///
/// `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_cost(
    arch: *const Arch,
    options: *const Options,
    costs: *mut Costs,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        // SAFETY: the contract of the header.
        let request = unsafe { pointer::read_to_write(costs, written) }?;
        // SAFETY: the contract of the header.
        let (arch, options) = unsafe { (pointer::read(arch, written)?, pointer::read(options, written)?) };
        let options = options.to_core(arch.resolution()?)?;
        let count = |network: &dyn aznas::graph::Network| {
            let cost = Cost::of(network, options.height, options.width)?;
            Ok(Costs {
                blocks: network.block_count(),
                complexity: network.complexity(&cost)?,
                macs: cost.macs,
                live_macs: cost.live_macs,
                parameters: cost.parameters,
                live_parameters: cost.live_parameters,
                live_layers: cost.live_layers,
                depth: cost.depth,
                peak_activation: peak_activation(network, options.height, options.width)?,
                ..request
            })
        };
        // SAFETY: the contract of the header; `read_to_write` found `costs` to be valid.
        unsafe { pointer::write(costs, arch.with_network(written, count)?) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// The smallest batch in which the feature of every block has at least `positions_per_channel` positions (images x rows x
/// columns) for each of its channels, at the resolution of `options`, of which nothing else is used. 4 is a good choice;
/// below 2 a score has `AZNAS_FLAG_FEW_POSITIONS`.
///
/// Of networks whose scores are compared, the largest such batch serves all. `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_smallest_batch(
    arch: *const Arch,
    options: *const Options,
    positions_per_channel: u32,
    batch: *mut u32,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(batch, 1, "batch", written)?;
        // SAFETY: the contract of the header.
        let (arch, options) = unsafe { (pointer::read(arch, written)?, pointer::read(options, written)?) };
        let options = options.to_core(arch.resolution()?)?;
        let smallest = |network: &dyn aznas::graph::Network| {
            Ok(smallest_batch(network, options.height, options.width, positions_per_channel)?)
        };
        // SAFETY: the contract of the header; the smallest batch has 32 bits.
        unsafe { batch.write(arch.with_network(written, smallest)? as u32) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}
