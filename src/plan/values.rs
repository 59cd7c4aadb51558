//! Which values are stored, which are prologues on other values, and which convolutions run together.

use super::{BlockPlan, Region, Step, Want};
use crate::Error;
use crate::graph::{Block, Convolution, Kind, MAX_NODES, Node, NodeId, Op};
use crate::ops::batch_norm;
use crate::ops::conv2d::Conv2d;
use crate::ops::operation::{Operation, Parameter, Reads};
use crate::options::Options;
use crate::tensor::{Role, Source};

/// Most convolutions that are run as one.
pub(crate) const MAX_MEMBERS: usize = 8;

/// Where a value is stored: channels `channel ..` of a tensor whose positions are `pitch` numbers apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) region: Option<Region>,
    pub(crate) pitch: usize,
    pub(crate) channel: usize,
}

/// A value as its readers see it: what is stored, then the scale and shift of a batch normalisation, then a rectifier.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ValuePlan {
    pub(crate) place: Place,
    pub(crate) affine: Option<NodeId>,
    pub(crate) rectified: bool,
}

impl BlockPlan {
    /// The convolutions that `leader` runs, itself first. For any other node: the node.
    pub(crate) fn members(&self, leader: NodeId) -> impl Iterator<Item = NodeId> {
        core::iter::successors(Some(leader), |member| self.nodes[member.index()].next_member)
    }

    /// The node whose value a look at `node` sees: a rectifier's own, else what it reads.
    #[cfg(feature = "gradients")]
    pub(crate) fn looked_at(&self, block: &Block, node: NodeId) -> NodeId {
        let inputs = block.nodes()[node.index()].inputs();
        inputs.first().copied().filter(|_| !matches!(block.nodes()[node.index()].op, Op::Relu)).unwrap_or(node)
    }

    /// The nodes whose values a node reads to form its own: those of an absorbed sum in its place, zeros left out.
    pub(crate) fn terms<'b>(&'b self, block: &'b Block, node: NodeId) -> impl Iterator<Item = NodeId> + 'b {
        let inputs = match block.nodes()[node.index()].inputs() {
            _ if self.nodes[node.index()].zero => &[],
            [only] if self.nodes[only.index()].absorbed => block.nodes()[only.index()].inputs(),
            inputs => inputs,
        };
        inputs.iter().copied().filter(|input| self.nodes[input.index()].value.place.region.is_some())
    }

    /// Whether the node's parameter of this role is held in memory of the block: drawn, or the caller's but changed.
    pub(crate) fn holds(&self, block: &Block, node: &Node, role: Role, source: &dyn Source) -> bool {
        #[cfg(feature = "gradients")]
        if self.holds_biases && role == Role::Bias && source.parameter(block.index(), node.key, role).is_some() {
            return true;
        }
        #[cfg(not(feature = "gradients"))]
        let _ = (block, source);
        node.draws(role)
    }

    /// Numbers of all parameters of a node that are held.
    fn held_len(&self, block: &Block, node: &Node, source: &dyn Source) -> usize {
        let parameters = block.parameters(node);
        let held = parameters.as_slice().iter().filter(|parameter| self.holds(block, node, parameter.role, source));
        held.map(Parameter::len).fold(0, usize::saturating_add)
    }

    /// The convolutions that `leader` runs, as one with their channels side by side.
    pub(crate) fn convolution(&self, block: &Block, leader: NodeId, options: &Options) -> Result<Conv2d, Error> {
        let node = &block.nodes()[leader.index()];
        let channels = self.members(leader).map(|member| block.nodes()[member.index()].shape.channels).sum();
        let Op::Convolution(convolution) = node.op else {
            return Err(Error::Invalid { field: "op", expected: "a convolution" });
        };
        let geometry = Convolution { channels, ..convolution }.geometry(block.shape(node.inputs()[0])?)?;
        Ok(Conv2d::new(options.backend, geometry, options.algorithm))
    }
}

/// Plans the forward pass of `block`.
pub(super) fn plan(
    plan: &mut BlockPlan,
    block: &Block,
    options: &Options,
    want: Want,
    source: &dyn Source,
) -> Result<(), Error> {
    find_zeros(plan, block, want, source);
    find_needed(plan, block, want);
    let must_store = choose_stored(plan, block, want);
    group_convolutions(plan, block);
    for (i, node) in block.nodes().iter().enumerate() {
        let id = block.id(i);
        if !plan.nodes[i].needed {
            continue;
        }
        if plan.nodes[i].zero {
            if must_store[i] || id == block.output() {
                store(plan, block, id)?;
                plan.push(Step::Forward(id));
            }
            #[cfg(feature = "gradients")]
            plan_look(plan, block, id, want)?;
            continue;
        }
        let below = node.inputs().first().map(|input| plan.nodes[input.index()].value).unwrap_or_default();
        match node.op.kind() {
            Kind::Input | Kind::Earlier => {
                let region = Region::Input(u16::from(matches!(node.op, Op::Earlier)));
                plan.nodes[i].value.place = Place { region: Some(region), pitch: node.shape.channels, channel: 0 };
            }
            // Done above.
            Kind::Zero => {}
            Kind::Convolution(_) => {
                if plan.nodes[i].leader == Some(id) {
                    plan_convolution(plan, block, id, options, source)?;
                }
            }
            Kind::BatchNorm(_) => {
                let convolution = plan.nodes[node.inputs()[0].index()].leader;
                plan.nodes[i].moments = match convolution {
                    Some(leader) => plan.nodes[leader.index()].moments,
                    None => Some(plan.buffer::<f64>(2 * node.shape.channels)?),
                };
                plan.nodes[i].coefficients = Some(plan.buffer::<f32>(batch_norm::COEFFICIENTS * node.shape.channels)?);
                if must_store[i] {
                    store(plan, block, id)?;
                } else {
                    plan.nodes[i].value = ValuePlan { affine: Some(id), ..below };
                }
                plan.push(Step::Forward(id));
            }
            Kind::Relu | Kind::Identity if !must_store[i] => {
                plan.nodes[i].value = ValuePlan { rectified: below.rectified || matches!(node.op, Op::Relu), ..below };
            }
            Kind::Add if plan.nodes[i].absorbed => {}
            Kind::Relu | Kind::Identity | Kind::Add => {
                store(plan, block, id)?;
                #[cfg(feature = "gradients")]
                if matches!(node.op, Op::Relu) && want.keeps_signs() {
                    plan.nodes[i].mask = Some(plan.buffer::<f32>(node.shape.len())?);
                }
                plan.push(Step::Forward(id));
            }
            Kind::Plain(op) => plan_plain(plan, block, id, op, source)?,
        }
        #[cfg(feature = "gradients")]
        plan_look(plan, block, id, want)?;
    }
    Ok(())
}

/// Plans a look at a node, if it is of a kind that is looked at.
#[cfg(feature = "gradients")]
fn plan_look(plan: &mut BlockPlan, block: &Block, id: NodeId, want: Want) -> Result<(), Error> {
    let node = &block.nodes()[id.index()];
    let reads_images = matches!(node.op, Op::Relu | Op::GlobalPool);
    if !want.looks() || !(reads_images || matches!(node.op, Op::BatchNorm(_))) {
        return Ok(());
    }
    let looked_at = plan.looked_at(block, id);
    let planned = &plan.nodes[looked_at.index()];
    let (value, is_zero) = (planned.value, planned.zero);
    let shape = block.nodes()[looked_at.index()].shape;
    let is_dense = value.affine.is_none() && !value.rectified && value.place.pitch == shape.channels;
    if reads_images && !is_zero && !is_dense {
        let image = plan.buffer::<f32>(shape.positions_per_image() * shape.channels)?;
        plan.nodes[id.index()].image = Some(image);
    }
    plan.push(Step::Look(id));
    Ok(())
}

/// Marks what is zero whatever the input is.
fn find_zeros(plan: &mut BlockPlan, block: &Block, want: Want, source: &dyn Source) {
    for (i, node) in block.nodes().iter().enumerate() {
        let of_zeros = node.inputs().iter().all(|input| plan.nodes[input.index()].zero);
        plan.nodes[i].zero = match node.op.kind() {
            Kind::Zero => true,
            Kind::Input | Kind::Earlier => false,
            Kind::Identity | Kind::Relu | Kind::Add => of_zeros,
            Kind::Convolution(convolution) => of_zeros && !convolution.bias,
            // A shift of 0 has a gradient all the same, and zeros have moments.
            Kind::BatchNorm(_) if want.is_of_norms() => false,
            Kind::BatchNorm(_) => of_zeros && source.parameter(block.index(), node.key, Role::Shift).is_none(),
            Kind::Plain(op) => of_zeros && op.facts().keeps_zero,
        };
    }
}

/// Marks what the output is computed from, or everything.
fn find_needed(plan: &mut BlockPlan, block: &Block, want: Want) {
    plan.nodes[block.output().index()].needed = true;
    if want.looks() {
        plan.nodes[..block.nodes().len()].iter_mut().for_each(|planned| planned.needed = true);
    }
    for (i, node) in block.nodes().iter().enumerate().rev() {
        if plan.nodes[i].needed && !plan.nodes[i].zero {
            node.inputs().iter().for_each(|input| plan.nodes[input.index()].needed = true);
        }
    }
}

/// Decides which sums are absorbed and which values need memory though they could be prologues (or are zero).
fn choose_stored(plan: &mut BlockPlan, block: &Block, want: Want) -> [bool; MAX_NODES] {
    let mut must_store = [false; MAX_NODES];
    must_store[block.output().index()] = true;
    for (i, node) in block.nodes().iter().enumerate() {
        if !plan.nodes[i].needed || plan.nodes[i].zero {
            continue;
        }
        must_store[i] |= matches!(node.op, Op::Relu) && want.keeps_signs();
        for &input in node.inputs() {
            let reads_stored = match node.op.kind() {
                // Batch statistics are those of a stored tensor.
                Kind::BatchNorm(_) => true,
                Kind::Plain(op) if op.facts().reads == Reads::Stored => true,
                Kind::Plain(_) | Kind::Convolution(_) | Kind::Relu | Kind::Identity => plan.nodes[input.index()].zero,
                // What is zero is left out of a sum; the others read nothing.
                Kind::Add | Kind::Input | Kind::Earlier | Kind::Zero => false,
            };
            must_store[input.index()] |= reads_stored;
        }
        if let (Op::Relu, &[sum]) = (node.op, node.inputs()) {
            let is_sum = matches!(block.nodes()[sum.index()].op, Op::Add) && !plan.nodes[sum.index()].zero;
            if is_sum && sum != block.output() && plan.only_reader(block, sum).is_some() {
                plan.nodes[sum.index()].absorbed = true;
                must_store[i] = true;
            }
        }
    }
    must_store
}

/// Links convolutions that read the same node through the same window, and each with its batch normalisation.
fn group_convolutions(plan: &mut BlockPlan, block: &Block) {
    for (i, node) in block.nodes().iter().enumerate() {
        let (Op::Convolution(convolution), true, false) = (node.op, plan.nodes[i].needed, plan.nodes[i].zero) else {
            continue;
        };
        let id = block.id(i);
        let is_norm = |reader: &NodeId| matches!(block.nodes()[reader.index()].op, Op::BatchNorm { .. });
        plan.nodes[i].normaliser = plan.only_reader(block, id).filter(is_norm);
        let last_of_group = (1..i).rev().map(|j| block.id(j)).find(|&other| {
            let other_node = &block.nodes()[other.index()];
            match other_node.op {
                Op::Convolution(other_convolution) => {
                    plan.nodes[other.index()].leader.is_some()
                        && other_node.inputs() == node.inputs()
                        && can_join(&convolution, &other_convolution)
                        && plan.members(plan.nodes[other.index()].leader.unwrap_or(other)).count() < MAX_MEMBERS
                        && ![id, other].contains(&block.output())
                }
                _ => false,
            }
        });
        plan.nodes[i].leader = match last_of_group {
            Some(last) => {
                plan.nodes[last.index()].next_member = Some(id);
                plan.nodes[last.index()].leader
            }
            None => Some(id),
        };
    }
}

/// Whether two convolutions of the same value can be one with wider output.
fn can_join(a: &Convolution, b: &Convolution) -> bool {
    let joinable = |c: &Convolution| c.groups == 1 && !c.bias;
    joinable(a) && joinable(b) && Convolution { channels: b.channels, ..*a } == *b
}

/// Plans a group of convolutions: one tensor with the members' channels side by side.
fn plan_convolution(
    plan: &mut BlockPlan,
    block: &Block,
    leader: NodeId,
    options: &Options,
    source: &dyn Source,
) -> Result<(), Error> {
    let convolution = plan.convolution(block, leader, options)?;
    let output = convolution.geometry().output();
    let region =
        if leader == block.output() { Region::Output } else { Region::Buffer(plan.buffer::<f32>(output.len())?) };
    let mut place = Place { region: Some(region), pitch: output.channels, channel: 0 };
    let mut is_normalised = false;
    let mut next = Some(leader);
    while let Some(member) = next {
        let is_norm = |reader: NodeId| matches!(block.nodes()[reader.index()].op, Op::BatchNorm { .. });
        is_normalised |= plan.readers(block, member).any(is_norm);
        let planned = &mut plan.nodes[member.index()];
        planned.stored = true;
        planned.value.place = place;
        place.channel += block.nodes()[member.index()].shape.channels;
        next = planned.next_member;
    }
    let held = plan.members(leader).map(|member| plan.held_len(block, &block.nodes()[member.index()], source));
    let held = held.fold(0, usize::saturating_add);
    let weights = plan.buffer::<f32>(held)?;
    let packed = plan.buffer::<f32>(convolution.packed_forward_len())?;
    let scratch = plan.buffer::<f32>(convolution.scratch_len())?;
    let moments = if is_normalised { Some(plan.buffer::<f64>(2 * output.channels)?) } else { None };
    let planned = &mut plan.nodes[leader.index()];
    planned.weights = Some(weights);
    planned.packed[0] = Some(packed);
    planned.scratch[0] = Some(scratch);
    planned.moments = moments;
    plan.push(Step::Weights(leader));
    plan.push(Step::Forward(leader));
    Ok(())
}

/// Plans an op that is a function of its inputs, its parameters and some scratch.
fn plan_plain(
    plan: &mut BlockPlan,
    block: &Block,
    id: NodeId,
    op: &dyn Operation,
    source: &dyn Source,
) -> Result<(), Error> {
    let node = &block.nodes()[id.index()];
    let held = plan.held_len(block, node, source);
    if held > 0 {
        plan.nodes[id.index()].weights = Some(plan.buffer::<f32>(held)?);
        plan.push(Step::Weights(id));
    }
    let scratch = op.scratch(block.first_input(node), node.shape).forward;
    plan.nodes[id.index()].scratch[0] = plan.scratch(scratch)?;
    store(plan, block, id)?;
    plan.push(Step::Forward(id));
    Ok(())
}

/// Gives a node's value memory of its own.
fn store(plan: &mut BlockPlan, block: &Block, id: NodeId) -> Result<(), Error> {
    let shape = block.shape(id)?;
    let region = if id == block.output() { Region::Output } else { Region::Buffer(plan.buffer::<f32>(shape.len())?) };
    plan.nodes[id.index()].stored = true;
    plan.nodes[id.index()].value =
        ValuePlan { place: Place { region: Some(region), pitch: shape.channels, channel: 0 }, ..ValuePlan::default() };
    Ok(())
}
