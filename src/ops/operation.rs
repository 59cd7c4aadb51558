//! What a plain op says of itself.
//!
//! Seven ops are the planner's own, because it fuses them: the input, zero, identity, rectifier, sum, convolution and
//! batch normalisation. Every other op is *plain*: a function of its inputs, its parameters and some scratch. It is one file
//! that implements [`Operation`], and one line of the table in `graph::op`; blocks, plans and runs ask nothing else of it.

use crate::Error;
use crate::base::few::Few;
use crate::simd::Backend;
use crate::tensor::{Role, Shape, Sink, Value, View, ViewMut};

/// Most parameters of an op.
pub(crate) const MAX_PARAMETERS: usize = 4;

/// A plain op. Everything is asked of every op: there is no default to forget.
///
/// An op may have several inputs. Backwards it is asked for each of them by itself, and told which one: a node that reads
/// another twice leaves two contributions. Shapes are those that [`output`](Self::output) has passed.
pub(crate) trait Operation {
    /// What does not depend on shapes.
    fn facts(&self) -> Facts;

    /// The shape of the result. An error names the field of the description that is wrong; who asks adds where.
    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error>;

    /// Its parameters, in the order of their roles, for its first input.
    fn parameters(&self, input: Shape, output: Shape) -> Parameters;

    /// Multiply-adds for one image, by the field's convention: those of matrix products.
    fn macs(&self, input: Shape, output: Shape) -> u64;

    /// Numbers of scratch.
    fn scratch(&self, input: Shape, output: Shape) -> Scratch;

    /// Writes the result.
    fn forward(&self, call: ForwardCall<'_>);

    /// Passes the gradient with respect to the result back to one input.
    fn vjp(&self, call: VjpCall<'_>);

    /// The gradients with respect to its parameters; `None` of an op that has none.
    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients>;
}

/// A plain op with parameters.
#[cfg(feature = "gradients")]
pub(crate) trait ParameterGradients: Operation {
    /// Numbers of scratch.
    fn scratch_len(&self, input: Shape, output: Shape) -> usize;

    /// Writes the gradients with respect to the parameters, from that with respect to the result.
    fn parameters_vjp(&self, call: ParametersCall<'_>);
}

/// What the planner has to know of a plain op.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// How it reads its inputs.
    pub(crate) reads: Reads,
    /// What it reads backwards beside the gradient.
    pub(crate) remembers: Remembers,
    /// Whether it makes zeros of zeros, whatever its parameters are.
    pub(crate) keeps_zero: bool,
    /// Whether it counts as a layer: a matrix product with weights.
    pub(crate) is_layer: bool,
}

/// How an op reads its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// As they are stored. A batch normalisation or rectifier before it is a pass over memory of its own.
    Stored,
    /// Through a batch normalisation and a rectifier, which then cost no pass.
    Value,
}

/// What an op reads backwards, and so is kept until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remembers {
    /// Nothing but the gradient.
    Nothing,
    /// All of its inputs.
    Inputs,
}

/// A parameter of an op: `rows` rows of `row_len` numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// What it is. No two of one op are the same.
    pub(crate) role: Role,
    /// Rows, each drawn by itself where a network asks for it: of weights, one an output channel.
    pub(crate) rows: usize,
    /// Numbers in a row: of weights, what one output is a sum of (the fan-in).
    pub(crate) row_len: usize,
    /// Of weights: positions of the kernel (rows times these is the fan-out).
    pub(crate) area: usize,
}

/// The parameters of an op.
pub(crate) type Parameters = Few<Parameter, MAX_PARAMETERS>;

impl Parameter {
    /// One that is not the weights of a kernel.
    pub(crate) const fn new(role: Role, rows: usize, row_len: usize) -> Self {
        Self { role, rows, row_len, area: 1 }
    }

    /// Its numbers.
    pub(crate) const fn len(&self) -> usize {
        self.rows * self.row_len
    }

    /// A list of some.
    pub(crate) fn list(parameters: impl IntoIterator<Item = Self>) -> Parameters {
        Few::collect(Self::new(Role::Weight, 0, 0), parameters.into_iter())
    }
}

/// Numbers of scratch that an op needs, of any content before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scratch {
    /// For [`Operation::forward`].
    pub(crate) forward: usize,
    /// For [`Operation::vjp`].
    pub(crate) vjp: usize,
}

impl Scratch {
    /// None.
    pub(crate) const NONE: Self = Self { forward: 0, vjp: 0 };
}

/// The numbers of an op's parameters, in the order of [`Operation::parameters`]; `None` for one that is neither drawn nor
/// given, and so has its neutral value.
pub(crate) type Given<'a> = [Option<&'a [f32]>; MAX_PARAMETERS];

/// What [`Operation::forward`] works on.
pub(crate) struct ForwardCall<'a> {
    pub(crate) backend: Backend,
    /// Without prologues, if it reads what is stored.
    pub(crate) inputs: &'a [Value<'a>],
    pub(crate) parameters: Given<'a>,
    /// The result: all of it is written.
    pub(crate) out: ViewMut<'a>,
    /// As many numbers as [`Operation::scratch`] asked for.
    pub(crate) scratch: &'a mut [f32],
}

/// What [`Operation::vjp`] works on.
pub(crate) struct VjpCall<'a> {
    pub(crate) backend: Backend,
    /// The input whose gradient is wanted, and the shapes of all.
    pub(crate) position: usize,
    pub(crate) inputs: &'a [Shape],
    /// What [`Facts::remembers`] names: nothing, or all inputs.
    pub(crate) remembered: &'a [Value<'a>],
    pub(crate) parameters: Given<'a>,
    /// With respect to the result.
    pub(crate) gradient: View<'a>,
    /// With respect to the input. Without a gate if it reads what is stored, and without sums.
    pub(crate) sink: Sink<'a>,
    /// As many numbers as [`Operation::scratch`] asked for.
    pub(crate) scratch: &'a mut [f32],
}

/// What [`ParameterGradients::parameters_vjp`] works on.
#[cfg(feature = "gradients")]
pub(crate) struct ParametersCall<'a> {
    pub(crate) backend: Backend,
    pub(crate) inputs: &'a [Value<'a>],
    pub(crate) parameters: Given<'a>,
    /// With respect to the result.
    pub(crate) gradient: View<'a>,
    /// With respect to each of the parameters, in their order: all of it is written.
    pub(crate) of_parameters: [&'a mut [f32]; MAX_PARAMETERS],
    /// As many numbers as [`ParameterGradients::scratch_len`] asked for.
    pub(crate) scratch: &'a mut [f32],
}

/// The only input of an op that takes one.
pub(crate) fn only(inputs: &[Shape]) -> Result<Shape, Error> {
    match inputs {
        &[only] => Ok(only),
        _ => Err(Error::Invalid { field: "inputs", expected: "exactly one" }),
    }
}
