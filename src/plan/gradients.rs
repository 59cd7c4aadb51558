//! Where gradients accumulate, which of them are one and the same, and the order they are passed down in.

use super::{BlockPlan, Region, Step};
use crate::Error;
use crate::graph::{Block, Kind, MAX_NODES, Node, NodeId, Op};
use crate::mem::BufferId;
use crate::options::Options;

impl BlockPlan {
    /// Nodes that read the value of `node` to form a value the output needs; twice if they read it twice.
    pub(crate) fn readers<'b>(&'b self, block: &'b Block, node: NodeId) -> impl Iterator<Item = NodeId> + 'b {
        block.nodes().iter().enumerate().flat_map(move |(i, reader)| {
            let reads = self.nodes[i].needed && !self.nodes[i].zero;
            let times = if reads { reader.inputs().iter().filter(|&&input| input == node).count() } else { 0 };
            core::iter::repeat_n(block.id(i), times)
        })
    }

    /// The only such node, if there is but one that reads `node` once.
    pub(crate) fn only_reader(&self, block: &Block, node: NodeId) -> Option<NodeId> {
        let mut readers = self.readers(block, node);
        readers.next().filter(|_| readers.next().is_none())
    }

    /// The inputs (by position) that the vjp of `node` has to write a gradient for. Of a group of convolutions, its
    /// leader stands for all.
    pub(crate) fn contributions<'b>(
        &'b self,
        block: &'b Block,
        node: NodeId,
    ) -> impl Iterator<Item = (usize, NodeId)> + 'b {
        let inputs = block.nodes()[node.index()].inputs().iter().copied().enumerate();
        inputs.filter(|(_, input)| self.nodes[input.index()].sink.is_some())
    }

    /// Numbers of the parameters of a node, or of the convolutions it leads.
    #[cfg(feature = "gradients")]
    pub(crate) fn parameters_len(&self, block: &Block, node: NodeId) -> usize {
        let lens = self.members(node).map(|member| block.parameters_len(&block.nodes()[member.index()]));
        lens.fold(0, usize::saturating_add)
    }
}

/// Where gradients start, and what they are wanted of.
pub(super) struct Course {
    /// That with respect to the block's output.
    output: Region,
    /// That with respect to the block's input and to the feature before it.
    inputs: [Target; 2],
    /// Those with respect to parameters are wanted.
    parameters: bool,
}

/// Where a gradient with respect to a boundary is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// It is not wanted.
    Nowhere,
    /// In memory of the block.
    Within,
    /// Where who drives says.
    #[cfg(feature = "gradients")]
    At(Region),
}

impl Course {
    /// From a vector of the block's own to its input.
    pub(super) fn across(direction: BufferId) -> Self {
        let inputs = [Target::Within, Target::Nowhere];
        Self { output: Region::Buffer(direction), inputs, parameters: false }
    }

    /// From what the blocks behind have left to parameters and to the features that are read; the first block reads the
    /// input batch, whose gradient nobody wants.
    #[cfg(feature = "gradients")]
    pub(super) fn through(block: &Block) -> Self {
        let input = if block.index() == 0 { Target::Nowhere } else { Target::At(Region::InputGradient(0)) };
        let inputs = [input, Target::At(Region::InputGradient(1))];
        Self { output: Region::OutputGradient, inputs, parameters: true }
    }

    /// Where the gradient with respect to a node is to be, if the node is a boundary.
    fn target(&self, node: &Node) -> Option<Target> {
        match node.op.kind() {
            Kind::Input => Some(self.inputs[0]),
            Kind::Earlier => Some(self.inputs[1]),
            Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => None,
            Kind::Convolution(_) | Kind::BatchNorm(_) | Kind::Plain(_) => None,
        }
    }

    /// Marks the nodes whose gradients are needed.
    fn find_differentiable(&self, plan: &BlockPlan, block: &Block) -> [bool; MAX_NODES] {
        let mut differentiable = [false; MAX_NODES];
        for (i, node) in block.nodes().iter().enumerate() {
            let is_target = self.target(node).is_some_and(|target| target != Target::Nowhere);
            let has_parameters = || !block.parameters(node).as_slice().is_empty();
            let leads_on = node.inputs().iter().any(|input| differentiable[input.index()]);
            let matters = is_target || leads_on || (self.parameters && has_parameters());
            differentiable[i] = matters && plan.nodes[i].needed && !plan.nodes[i].zero;
        }
        differentiable
    }
}

/// Plans the backward pass of `block`.
pub(super) fn plan(plan: &mut BlockPlan, block: &Block, options: &Options, course: &Course) -> Result<(), Error> {
    let differentiable = course.find_differentiable(plan, block);
    let count = block.nodes().len();
    for i in (0..count).rev() {
        if differentiable[i] {
            choose_gradient(plan, block, block.id(i), course)?;
        }
    }
    for i in 0..count {
        if differentiable[i] && is_prologue(plan, block, i) {
            let below = block.nodes()[i].inputs()[0];
            let base = plan.nodes[below.index()];
            let gate = if matches!(block.nodes()[i].op, Op::Relu) { base.gate.or(Some(below)) } else { base.gate };
            plan.nodes[i].sink = base.sink;
            plan.nodes[i].gate = gate;
        }
    }
    let mut begun = [Region::Output; MAX_NODES];
    let mut begun_count = 0;
    for i in (1..count).rev() {
        let id = block.id(i);
        let is_follower = plan.nodes[i].leader.is_some_and(|leader| leader != id);
        if !differentiable[i] || is_prologue(plan, block, i) || is_follower {
            continue;
        }
        let mut accumulates = 0u8;
        let mut contributes = false;
        for (position, input) in plan.contributions(block, id) {
            let Some(region) = plan.nodes[input.index()].sink else { continue };
            contributes = true;
            if begun[..begun_count].contains(&region) {
                accumulates |= 1 << position;
            } else {
                begun[begun_count] = region;
                begun_count += 1;
            }
        }
        plan.nodes[i].accumulates = accumulates;
        // The sums of a normalisation are what the gradients with respect to its parameters are made of.
        let is_normalisation = matches!(block.nodes()[i].op, Op::BatchNorm(_));
        #[cfg(feature = "gradients")]
        if course.parameters && contributes && plan_both(plan, block, id, options)? {
            continue;
        }
        #[cfg(feature = "gradients")]
        if course.parameters && !is_normalisation {
            plan_parameters(plan, block, id, options)?;
        }
        if contributes || is_normalisation {
            plan_scratch(plan, block, id, options)?;
            plan.push(Step::Vjp(id));
        }
        #[cfg(feature = "gradients")]
        if course.parameters && is_normalisation {
            plan_parameters(plan, block, id, options)?;
        }
    }
    for i in 0..count {
        plan.nodes[i].summed_by = sole_writer(plan, block, block.id(i));
    }
    let input = block.input().index();
    if !differentiable[input] && course.inputs[0] != Target::Nowhere {
        own_gradient(plan, block, block.input(), course.inputs[0])?;
        plan.push(Step::ClearGradient);
    }
    Ok(())
}

/// Gives a node's gradient memory of its own.
fn own_gradient(plan: &mut BlockPlan, block: &Block, id: NodeId, target: Target) -> Result<(), Error> {
    let region = match target {
        Target::Nowhere | Target::Within => Region::Buffer(plan.buffer::<f32>(block.nodes()[id.index()].shape.len())?),
        #[cfg(feature = "gradients")]
        Target::At(region) => region,
    };
    plan.nodes[id.index()].gradient = Some(region);
    plan.nodes[id.index()].sink = Some(region);
    Ok(())
}

/// The convolution that writes all of the gradient with respect to a batch normalisation, through a rectifier that reads
/// it, if there is one.
fn sole_writer(plan: &BlockPlan, block: &Block, normaliser: NodeId) -> Option<NodeId> {
    let gradient = plan.nodes[normaliser.index()].gradient?;
    let writers = plan.steps[..plan.step_count].iter().filter_map(|&step| match step {
        Step::Vjp(writer) => Some(writer),
        #[cfg(feature = "gradients")]
        Step::ParameterGradients { of, passes_on: true } => Some(of),
        _ => None,
    });
    let written = writers.flat_map(move |writer| {
        plan.contributions(block, writer).map(move |(_, input)| (writer, plan.nodes[input.index()]))
    });
    let mut contributions = written.filter(|(_, input)| input.sink == Some(gradient));
    let (writer, input) = contributions.next()?;
    let is_convolution = matches!(block.nodes()[writer.index()].op, Op::Convolution(_));
    let is_prologue = plan.nodes[normaliser.index()].value.affine == Some(normaliser);
    let sums = is_prologue && is_convolution && input.gate == Some(normaliser) && contributions.next().is_none();
    sums.then_some(writer)
}

/// A rectifier or identity without memory: gradients go through it to the node below.
fn is_prologue(plan: &BlockPlan, block: &Block, i: usize) -> bool {
    matches!(block.nodes()[i].op, Op::Relu | Op::Identity) && !plan.nodes[i].stored
}

/// Decides where the gradient of one node is; that of its readers is decided already.
fn choose_gradient(plan: &mut BlockPlan, block: &Block, id: NodeId, course: &Course) -> Result<(), Error> {
    let i = id.index();
    if id == block.output() {
        plan.nodes[i].gradient = Some(course.output);
        return Ok(());
    }
    let target = course.target(&block.nodes()[i]).unwrap_or(Target::Within);
    if target != Target::Within {
        return own_gradient(plan, block, id, target);
    }
    // A convolution's gradient is computed from its normaliser's while it is read.
    if is_prologue(plan, block, i) || plan.nodes[i].normaliser.is_some() {
        return Ok(());
    }
    // The gradient of a sum is that of each of its terms: nothing to compute if the sum is the only reader.
    let passes_unchanged = |reader: &NodeId| match block.nodes()[reader.index()].op.kind() {
        Kind::Add => true,
        Kind::Identity => plan.nodes[reader.index()].stored,
        Kind::Relu | Kind::Convolution(_) | Kind::BatchNorm(_) | Kind::Plain(_) => false,
        // Nothing is read by these.
        Kind::Input | Kind::Earlier | Kind::Zero => false,
    };
    if let Some(reader) = plan.only_reader(block, id).filter(passes_unchanged) {
        plan.nodes[i].gradient = plan.nodes[reader.index()].gradient;
        return Ok(());
    }
    own_gradient(plan, block, id, target)
}

/// Both gradients of a convolution in one step, if it forms them in one go.
#[cfg(feature = "gradients")]
fn plan_both(plan: &mut BlockPlan, block: &Block, id: NodeId, options: &Options) -> Result<bool, Error> {
    let Kind::Convolution(_) = block.nodes()[id.index()].op.kind() else { return Ok(false) };
    let convolution = plan.convolution(block, id, options)?;
    let Some(scratch) = convolution.both_scratch_len() else { return Ok(false) };
    let len = plan.parameters_len(block, id).saturating_add(scratch);
    plan.nodes[id.index()].packed[1] = Some(plan.buffer::<f32>(convolution.packed_vjp_len())?);
    plan.nodes[id.index()].parameter_gradients = plan.scratch(len)?;
    plan.push(Step::ParameterGradients { of: id, passes_on: true });
    Ok(true)
}

/// The gradients with respect to the parameters of a node, or of the convolutions it leads, if there are any.
#[cfg(feature = "gradients")]
fn plan_parameters(plan: &mut BlockPlan, block: &Block, id: NodeId, options: &Options) -> Result<(), Error> {
    let node = &block.nodes()[id.index()];
    let len = plan.parameters_len(block, id);
    if len == 0 {
        return Ok(());
    }
    let scratch = match node.op.kind() {
        Kind::Convolution(_) => plan.convolution(block, id, options)?.weights_scratch_len(),
        Kind::Plain(op) => op.parameter_gradients().map_or(0, |op| op.scratch_len(block.first_input(node), node.shape)),
        // The sums are there.
        Kind::BatchNorm(_) => 0,
        // These have none.
        Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => 0,
    };
    plan.nodes[id.index()].parameter_gradients = plan.scratch(len.saturating_add(scratch))?;
    plan.push(Step::ParameterGradients { of: id, passes_on: false });
    Ok(())
}

/// Working memory of the vjp of a node.
fn plan_scratch(plan: &mut BlockPlan, block: &Block, id: NodeId, options: &Options) -> Result<(), Error> {
    let node = &block.nodes()[id.index()];
    plan.nodes[id.index()].scratch[1] = match node.op.kind() {
        Kind::Convolution(_) => {
            let convolution = plan.convolution(block, id, options)?;
            plan.nodes[id.index()].packed[1] = Some(plan.buffer::<f32>(convolution.packed_vjp_len())?);
            plan.scratch(convolution.scratch_len())?
        }
        // The two sums per channel are of double precision.
        Kind::BatchNorm(_) => Some(plan.buffer::<f64>(2 * node.shape.channels)?),
        Kind::Plain(op) => plan.scratch(op.scratch(block.first_input(node), node.shape).vjp)?,
        Kind::Input | Kind::Earlier | Kind::Zero | Kind::Identity | Kind::Relu | Kind::Add => None,
    };
    Ok(())
}
