//! From ONNX files to nodes and tensors, in hosted programs.

use crate::arch::Identity;
use crate::boundary::guard;
use crate::error::{self, ErrorReport};
use crate::node::{BEHIND, BIAS, END_OF_BLOCK, Node, Op};
use crate::pointer::{self, Array, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::source::{Role, Tensor};
use crate::status::Status;
use crate::written::Written;
use aznas::graph::{IdentityRule, Op as CoreOp};
use aznas::ops::activation::Activation;
use aznas::ops::window::Window;
use aznas_models::onnx::{Cut, Model};
use core::ffi::c_void;
use core::mem::offset_of;
use std::vec::Vec;

/// What an ONNX file is turned into.
///
/// Zero the struct and set `struct_size` to `sizeof(aznas_onnx)` before the call; for the nodes also `nodes`,
/// `node_capacity` and `node_size`, and for the weights of the file what begins with `tensor` and `number`. The rest is
/// written if, and only if, the call succeeds.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Onnx {
    /// `sizeof(aznas_onnx)`
    pub struct_size: usize,
    /// [in] An array of nodes to fill, or NULL to learn how many there are.
    pub nodes: *mut Node,
    /// [in] Nodes in the array; at least `node_count` if `nodes` is not NULL.
    pub node_capacity: usize,
    /// [in] `sizeof(aznas_node)` if `nodes` is not NULL.
    pub node_size: usize,
    /// [out] Nodes of the network.
    pub node_count: usize,
    /// [in] Rows and columns of an image where the file leaves them open; 0 if it does not.
    pub resolution: u32,
    /// [out] Channels of an image.
    pub input_channels: u32,
    /// [out] Rows of an image.
    pub height: u32,
    /// [out] Columns of an image.
    pub width: u32,
    /// [out] One of `aznas_identity`: transformers leave blocks out that pass their gradient unchanged.
    pub identity_rule: u32,
    /// [out] 1 if there are convolutions and no normalisation: it may have been folded into them, and scores of a network
    /// without it mean something else. Else 0.
    pub may_be_folded: u32,
    /// [in] An array of tensors to fill with the parameters of the file, for `aznas_source`, or NULL. Scores draw the
    /// parameters that they are not given.
    pub tensors: *mut Tensor,
    /// [in] Tensors in the array; at least `tensor_count` if `tensors` is not NULL.
    pub tensor_capacity: usize,
    /// [in] `sizeof(aznas_tensor)` if `tensors` is not NULL.
    pub tensor_size: usize,
    /// [out] Parameters of the file. Their blocks ascend.
    pub tensor_count: usize,
    /// [in] Where the numbers of the tensors are put, which then point there.
    pub numbers: *mut f32,
    /// [in] Numbers there is room for; at least `number_count` if `tensors` is not NULL.
    pub number_capacity: usize,
    /// [out] Numbers of all tensors.
    pub number_count: usize,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Onnx {
    const NAME: &'static str = "onnx";
    const ENDS: &'static [usize] = &[offset_of!(Self, tensors)];
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Onnx {}

/// Turns an ONNX file of `length` bytes into the nodes of a graph, cut into primary blocks by the rule of
/// docs/own-networks.md.
///
///     aznas_onnx onnx = AZNAS_ONNX_INIT;
///     aznas_onnx_nodes(bytes, length, &onnx, &error);                     // how many
///     onnx.nodes = calloc(onnx.node_count, sizeof *onnx.nodes);
///     onnx.node_capacity = onnx.node_count;
///     onnx.node_size = sizeof *onnx.nodes;
///     aznas_onnx_nodes(bytes, length, &onnx, &error);
///     // arch.nodes, node_count, node_size, input_channels and identity_rule are those of onnx, height and width of the
///     // options too. With the weights of the file, tensors, tensor_count and tensor_size of a source as well.
///
/// Unlike all other functions it uses the heap while it works, up to a multiple of `length`. There is nothing to free.
///
/// `error` may be NULL. With AZNAS_STATUS_MODEL, `field` of the error is the node by name and operator, else a part of the
/// file, and `expected` is what is wrong there; what does not fit is cut, names at their front.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_onnx_nodes(
    bytes: *const c_void,
    length: usize,
    onnx: *mut Onnx,
    error: *mut ErrorReport,
) -> Status {
    let mut misunderstood = None;
    let body = |written: &mut Written| {
        // SAFETY: the contract of the header.
        let request = unsafe { pointer::read_to_write(onnx, written) }?;
        // SAFETY: the contract of the header.
        let nodes = unsafe { request.array(written) }?;
        // SAFETY: the contract of the header.
        let tensors = unsafe { request.tensors(written) }?;
        // SAFETY: the contract of the header.
        let bytes = unsafe { pointer::slice(bytes.cast::<u8>(), length, "bytes", written) }?;
        let resolution = (request.resolution != 0).then_some(request.resolution as usize);
        let model = Model::read(bytes, "ONNX", resolution, &Cut::Automatic).map_err(|error| {
            misunderstood = Some(error);
            Refusal::Model
        })?;
        let found = nodes_of(&model)?;
        if let Some(nodes) = nodes {
            if nodes.len() < found.len() {
                return Err(Refusal::invalid("node_capacity", "at least the nodes of the network"));
            }
            // SAFETY: the array is an output, and nothing else lies in it.
            found.iter().enumerate().for_each(|(index, &node)| unsafe { nodes.set(index, node) });
        }
        let tensor_count = model.weights().iter().count();
        let number_count = model.weights().iter().map(|(.., numbers)| numbers.len()).sum();
        if let Some(tensors) = tensors {
            if tensors.len() < tensor_count {
                return Err(Refusal::invalid("tensor_capacity", "at least the parameters of the file"));
            }
            if request.number_capacity < number_count {
                return Err(Refusal::invalid("number_capacity", "at least the numbers of the parameters"));
            }
            // SAFETY: the contract of the header; nothing else lies in either.
            unsafe { put(&model, &tensors, request.numbers) }?;
        }
        let [input_channels, height, width] = model.graph.input.map(to_u32);
        let filled = Onnx {
            node_count: found.len(),
            input_channels: input_channels?,
            height: height?,
            width: width?,
            identity_rule: match model.graph.identity_rule {
                IdentityRule::Reject => Identity::Reject as u32,
                IdentityRule::Skip => Identity::Skip as u32,
            },
            may_be_folded: u32::from(model.may_be_folded),
            tensor_count,
            number_count,
            ..request
        };
        // SAFETY: the contract of the header; `read_to_write` found `onnx` to be valid.
        unsafe { pointer::write(onnx, filled) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    let status = unsafe { guard(error, body) };
    if let Some(reason) = misunderstood
        && !error.is_null()
    {
        // SAFETY: the contract of the header; the report has just been written.
        unsafe { error::put_into_words(error, &reason.place, &reason.reason) };
    }
    status
}

impl Onnx {
    /// The array to fill, if there is one.
    ///
    /// # Safety
    /// `nodes` is NULL or points to as many nodes as are said.
    unsafe fn array(&self, written: &mut Written) -> Result<Option<Array<Node>>, Refusal> {
        if self.nodes.is_null() {
            return Ok(None);
        }
        // SAFETY: as promised by the caller.
        unsafe { Array::new_output(self.nodes, self.node_capacity, self.node_size, "node_size", written) }.map(Some)
    }

    /// The array to fill with parameters, if there is one; their numbers have a place too then.
    ///
    /// # Safety
    /// `tensors` is NULL or points to as many tensors as are said, and `numbers` to as many numbers.
    unsafe fn tensors(&self, written: &mut Written) -> Result<Option<Array<Tensor>>, Refusal> {
        if self.tensors.is_null() {
            return Ok(None);
        }
        pointer::check_output(self.numbers, self.number_capacity, "numbers", written)?;
        let (count, size) = (self.tensor_capacity, self.tensor_size);
        // SAFETY: as promised by the caller.
        unsafe { Array::new_output(self.tensors, count, size, "tensor_size", written) }.map(Some)
    }
}

/// Puts the parameters of a model one after another into `numbers`, and into `tensors` what and where they are.
///
/// # Safety
/// There is room for all of them in both, which are writable and of which nobody else uses anything.
unsafe fn put(model: &Model, tensors: &Array<Tensor>, numbers: *mut f32) -> Result<(), Refusal> {
    let mut data = numbers;
    for (index, (block, key, role, parameter)) in model.weights().iter().enumerate() {
        let len = parameter.len();
        let (role, block) = (Role::of(role) as u32, to_u32(block)?);
        // SAFETY: as promised by the caller; the numbers before these are as many as were passed over.
        unsafe {
            data.copy_from_nonoverlapping(parameter.as_ptr(), len);
            tensors.set(index, Tensor { role, block, key, reserved: 0, data, len });
            data = data.add(len);
        }
    }
    Ok(())
}

/// The nodes of all blocks one after another, then those of the head.
fn nodes_of(model: &Model) -> Result<Vec<Node>, Refusal> {
    let mut nodes = Vec::new();
    for block in &model.graph.blocks {
        for node in block {
            nodes.push(node_of(node)?);
        }
        if let Some(last) = nodes.last_mut() {
            last.flags |= END_OF_BLOCK;
        }
    }
    for node in &model.graph.head {
        nodes.push(node_of(node)?);
    }
    Ok(nodes)
}

fn node_of(node: &aznas_models::Node) -> Result<Node, Refusal> {
    let mut inputs = [0; 8];
    for (place, &input) in inputs.iter_mut().zip(&node.inputs) {
        *place = to_u32(input)?;
    }
    let input_count = to_u32(node.inputs.len())?;
    Ok(Node { inputs, input_count, key: node.key, ..described(&node.op)? })
}

/// A node of this op that reads nothing yet.
fn described(op: &CoreOp) -> Result<Node, Refusal> {
    let plain = |op: Op| Node { op: op as u32, ..Node::EMPTY };
    let padded = |op: Op, before: [usize; 2], behind: [usize; 2]| -> Result<Node, Refusal> {
        let flags = if behind == before { 0 } else { BEHIND };
        let behind = if behind == before { [0; 2] } else { behind };
        Ok(Node { flags, padding: pair(before)?, behind: pair(behind)?, ..plain(op) })
    };
    let pool = |op: Op, window: Window| -> Result<Node, Refusal> {
        let sides = window.sides();
        let (kernel, stride) = (pair(sides.map(|side| side.kernel))?, pair(sides.map(|side| side.stride))?);
        Ok(Node { kernel, stride, ..padded(op, sides.map(|side| side.before), sides.map(|side| side.behind))? })
    };
    Ok(match *op {
        CoreOp::Zero => plain(Op::Zero),
        CoreOp::Identity => plain(Op::Identity),
        CoreOp::Relu => plain(Op::Relu),
        CoreOp::Convolution(c) => Node {
            flags: if c.bias { BIAS } else { 0 },
            channels: to_u32(c.channels)?,
            kernel: pair(c.kernel)?,
            stride: pair(c.stride)?,
            padding: pair(c.padding)?,
            dilation: pair(c.dilation)?,
            groups: to_u32(c.groups)?,
            ..plain(Op::Convolution)
        },
        CoreOp::BatchNorm(norm) => Node { epsilon: norm.epsilon.get(), ..plain(Op::BatchNorm) },
        CoreOp::AveragePool(op) => pool(Op::AveragePool, op.window)?,
        CoreOp::MaxPool(op) => pool(Op::MaxPool, op.window)?,
        CoreOp::GlobalPool => plain(Op::GlobalPool),
        CoreOp::TokenPool => plain(Op::TokenPool),
        CoreOp::Earlier => plain(Op::Earlier),
        CoreOp::Linear(op) => Node { channels: to_u32(op.channels)?, ..plain(Op::Linear) },
        CoreOp::Add => plain(Op::Add),
        CoreOp::Concat => plain(Op::Concat),
        CoreOp::Product => plain(Op::Product),
        CoreOp::Scale => plain(Op::Scale),
        CoreOp::Shuffle(op) => Node { groups: to_u32(op.groups)?, ..plain(Op::Shuffle) },
        CoreOp::Slice(op) => Node {
            first: to_u32(op.first)?,
            channels: to_u32(op.channels)?,
            offset: pair(op.offset)?,
            stride: pair(op.stride)?,
            ..plain(Op::Slice)
        },
        CoreOp::LayerNorm(norm) => Node { epsilon: norm.epsilon.get(), ..plain(Op::LayerNorm) },
        CoreOp::Activation(activation) => match activation {
            Activation::Gelu => plain(Op::Gelu),
            Activation::Sigmoid => plain(Op::Sigmoid),
            Activation::HardSigmoid => plain(Op::HardSigmoid),
            Activation::Silu => plain(Op::Silu),
            Activation::HardSwish => plain(Op::HardSwish),
            Activation::Relu6 => plain(Op::Relu6),
            Activation::LeakyRelu { slope } => Node { alpha: slope.get(), ..plain(Op::LeakyRelu) },
            Activation::Elu { alpha } => Node { alpha: alpha.get(), ..plain(Op::Elu) },
            Activation::Tanh => plain(Op::Tanh),
            Activation::Mish => plain(Op::Mish),
            Activation::Times { factor } => Node { alpha: factor.get(), ..plain(Op::Times) },
            _ => return Err(UNNUMBERED),
        },
        CoreOp::Tokens => plain(Op::Tokens),
        CoreOp::Pad(pad) => padded(Op::Pad, pad.before, pad.behind)?,
        CoreOp::Positions => plain(Op::Positions),
        CoreOp::GroupNorm(norm) => {
            Node { groups: to_u32(norm.groups)?, epsilon: norm.epsilon.get(), ..plain(Op::GroupNorm) }
        }
        CoreOp::Attention(attention) => Node {
            heads: to_u32(attention.heads)?,
            grid: pair(attention.grid)?,
            reach: to_u32(attention.reach)?,
            ..plain(Op::Attention)
        },
        _ => return Err(UNNUMBERED),
    })
}

const UNNUMBERED: Refusal =
    Refusal::Core(aznas::Error::Invalid { field: "op", expected: "one that has a number in this header" });

fn pair([rows, columns]: [usize; 2]) -> Result<[u32; 2], Refusal> {
    Ok([to_u32(rows)?, to_u32(columns)?])
}

fn to_u32(size: usize) -> Result<u32, Refusal> {
    u32::try_from(size).map_err(|_| Refusal::Core(aznas::Error::Overflow { quantity: "a size of the model" }))
}
