//! Gradients of a network with respect to its parameters.

use crate::arch::Arch;
use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::options::Options;
use crate::pointer::{self, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::score::in_whole_buffer;
use crate::source::Role;
use crate::status::Status;
use crate::tensors::CallerTensors;
use crate::written::Written;
use aznas::graph::Network;
use aznas::sweep::{self, Input, Parameter};
use aznas::{Error, Workspace};
use core::ffi::c_void;
use core::ptr;

/// What is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Loss {
    /// The mean over the batch of the cross entropy with the labels of the source, or with labels that are drawn uniformly.
    /// Needs outputs of one position an image and a channel for each class.
    CrossEntropy = 0,
    /// The sum of all outputs of the network.
    Sum = 1,
    /// The sum of the outputs for each image by itself, one after the other, of one pass forwards.
    EachSample = 2,
}

impl Loss {
    fn to_core(number: u32) -> Result<sweep::Loss, Refusal> {
        match number {
            _ if number == Self::CrossEntropy as u32 => Ok(sweep::Loss::CrossEntropy),
            _ if number == Self::Sum as u32 => Ok(sweep::Loss::Sum),
            _ if number == Self::EachSample as u32 => Ok(sweep::Loss::EachSample),
            _ => Err(Refusal::invalid("loss", "one of aznas_loss")),
        }
    }
}

/// The gradient with respect to a parameter of a network. What it points to lies in the workspace or is the caller's, and is
/// valid until the function that is told of it returns.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Gradient {
    /// `sizeof(aznas_gradient)` of the library: what lies beyond, a later header has.
    pub struct_size: usize,
    /// Number of the primary block; the head has that of the blocks.
    pub block: u32,
    /// Number of the node inside its block, from 1, as in `inputs`.
    pub node: u32,
    /// `key` of the node, as in `aznas_tensor`.
    pub key: u32,
    /// What the parameter is of the node, one of `aznas_role`.
    pub role: u32,
    /// AZNAS_LOSS_EACH_SAMPLE: number of the image, from 0. Else 0.
    pub sample: u32,
    /// 0
    pub reserved: u32,
    /// Numbers of the parameter.
    pub len: usize,
    /// The gradient, in the order of the role.
    pub gradient: *const f32,
    /// The parameter itself, as the network was run with it. NULL if it has its neutral value: gains 1, biases and shifts 0.
    pub values: *const f32,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Gradient {
    const NAME: &'static str = "gradient";
}

impl Gradient {
    fn new(parameter: &Parameter<'_>) -> Self {
        // No network has so many of anything that is counted here.
        let number = |count: usize| count as u32;
        Self {
            struct_size: size_of::<Self>(),
            block: number(parameter.block),
            node: number(parameter.node),
            key: parameter.key,
            role: Role::of(parameter.role) as u32,
            sample: number(parameter.sample.unwrap_or(0)),
            reserved: 0,
            len: parameter.gradient.len(),
            gradient: parameter.gradient.as_ptr(),
            values: parameter.values.map_or(ptr::null(), <[f32]>::as_ptr),
        }
    }
}

/// Is told of the gradient with respect to a parameter as soon as it is complete. Must not throw or jump out.
pub type Watch = Option<unsafe extern "C" fn(context: *mut c_void, gradient: *const Gradient)>;

/// A run through a whole network, forwards and back.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sweep {
    /// `sizeof(aznas_sweep)`
    pub struct_size: usize,
    /// What is differentiated, one of `aznas_loss`. 0 is AZNAS_LOSS_CROSS_ENTROPY.
    pub loss: u32,
    /// Number of the input batch and of its labels, which is another for each number: the source's, or drawn. That of
    /// scores is 0.
    pub input: u32,
    /// A function that is told of every gradient. The query of the size does without.
    pub watch: Watch,
    /// Handed to the function.
    pub context: *mut c_void,
}

// SAFETY: an optional function pointer takes every pattern of bits C can put there.
unsafe impl Struct for Sweep {
    const NAME: &'static str = "sweep";
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Sweep {}

/// What is asked for, as both functions read it.
struct Request {
    arch: Arch,
    options: aznas::Options,
    sweep: sweep::Sweep,
    source: CallerTensors,
    watch: Watch,
    context: *mut c_void,
}

impl Request {
    /// # Safety
    /// The pointers keep the promises of the header.
    unsafe fn read(
        arch: *const Arch,
        options: *const Options,
        sweep: *const Sweep,
        written: &Written,
    ) -> Result<Self, Refusal> {
        // SAFETY: as promised by the caller.
        let (arch, options) = unsafe { (pointer::read(arch, written)?, pointer::read(options, written)?) };
        // SAFETY: as promised by the caller.
        let Sweep { loss, input, watch, context, .. } = unsafe { pointer::read(sweep, written) }?;
        // SAFETY: as promised by the caller.
        let source = unsafe { CallerTensors::new(options.source, *written) }?;
        let options = options.to_core(arch.resolution()?)?;
        let loss = Loss::to_core(loss)?;
        let sweep = sweep::Sweep { input: Input::Batch(input), loss, ..sweep::Sweep::default() };
        Ok(Self { arch, options, sweep, source, watch, context })
    }
}

/// Runs a network forwards and back, and tells `watch` of the gradient with respect to every parameter that can influence the
/// outputs: blocks from the head to the first, in a block from its output to its inputs.
///
/// The memory is known beforehand, and no gradient of the size of the network is ever formed:
/// `aznas_gradients_workspace_size` says how many bytes of `workspace`, of any alignment and content, suffice. `proxies`,
/// `sigma`, `entropy` and `repeats` of the options have no meaning here. The gradients are a function of the other arguments:
/// the same bits on any thread and in any workspace.
///
/// `loss` is given the loss, of AZNAS_LOSS_EACH_SAMPLE the sum of all; it and `error` may be NULL. Everything that can be
/// refused is refused before any work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_gradients(
    arch: *const Arch,
    options: *const Options,
    sweep: *const Sweep,
    workspace: *mut c_void,
    workspace_len: usize,
    loss: *mut f64,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(loss, usize::from(!loss.is_null()), "loss", written)?;
        pointer::check_output(workspace.cast::<u8>(), workspace_len, "workspace", written)?;
        // SAFETY: the contract of the header.
        let Request { arch, options, sweep, source, watch, context } =
            unsafe { Request::read(arch, options, sweep, written) }?;
        let Some(watch) = watch else { return Err(Refusal::NullPointer("watch")) };
        let mut tell = |parameter: Parameter<'_>| {
            let gradient = Gradient::new(&parameter);
            // SAFETY: the caller supplied the function for this call.
            unsafe { watch(context, &gradient) };
        };
        // SAFETY: the contract of the header.
        unsafe {
            arch.with_network(written, |network| {
                // Nothing that is read, nor another part of what is written, lies in the workspace.
                let memory = pointer::slice_mut(workspace.cast::<u8>(), workspace_len);
                let mut workspace = Workspace::from_bytes(memory);
                let found = aznas::gradients(network, &options, &sweep, &source, &mut workspace, &mut tell);
                let found = source.answered(found.map_err(|error| in_whole_buffer(error, workspace_len)))?;
                if !loss.is_null() {
                    loss.write(found);
                }
                Ok(())
            })
        }
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// The bytes of workspace that suffice for `aznas_gradients` with the same `arch`, `options` and `sweep`, wherever the
/// workspace starts.
///
/// Refuses all that `aznas_gradients` refuses of them. `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_gradients_workspace_size(
    arch: *const Arch,
    options: *const Options,
    sweep: *const Sweep,
    bytes: *mut usize,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(bytes, 1, "bytes", written)?;
        // SAFETY: the contract of the header.
        let Request { arch, options, sweep, source, .. } = unsafe { Request::read(arch, options, sweep, written) }?;
        let size = |network: &dyn Network| source.answered(sweep::workspace_size(network, &options, &sweep, &source));
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
