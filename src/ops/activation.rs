//! Activations: functions of every number by itself.
//!
//! Each is a struct with its value and its derivative, a variant of [`Activation`], and a line of the table below it. What
//! reads and writes memory is one kernel for all of them in either direction. At a kink the derivative is 0 if that of
//! either side is, else that from below, as in PyTorch.

mod functions;

use self::functions::{
    Elu, Function, Gelu, HardSigmoid, HardSwish, LeakyRelu, Mish, Relu6, Sigmoid, Silu, Tanh, Times,
};
#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{
    Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall, only,
};
use super::strip::{Prologue, Strips, for_each_strip, leave, read, write};
use crate::Error;
use crate::base::SMALL;
use crate::base::constant::Constant;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Shape, Sink, Value, View, ViewMut};

/// A function of one number. The value at NaN is NaN. Stated errors are those of values and of derivatives, relative unless
/// they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `1 / (1 + exp(−x))`; errors at most 4e-7, with x below −87 taken for −87.
    Sigmoid,
    /// `min(max(x + 3, 0), 6) / 6`; errors at most 1e-7, absolute.
    HardSigmoid,
    /// `x / (1 + exp(−x))`, also called swish; errors at most `5e-7 · max(|x|, 1)`, absolute.
    Silu,
    /// `x · min(max(x + 3, 0), 6) / 6`; errors at most `2e-7 · max(|x|, 1)`, absolute.
    HardSwish,
    /// `min(max(x, 0), 6)`, exactly.
    Relu6,
    /// x where it is positive, else `slope · x`; errors at most 1e-7.
    LeakyRelu {
        /// The derivative below 0.
        slope: Constant,
    },
    /// x where it is positive, else `alpha · (exp(x) − 1)`; errors at most 4e-7.
    Elu {
        /// What negative values tend to, negated.
        alpha: Constant,
    },
    /// The hyperbolic tangent; errors at most 5e-7.
    Tanh,
    /// `x Φ(x)` in its exact form, Φ(x) = ½ (1 + erf(x / √2)) (Hendrycks and Gimpel, 2016); errors at most `4e-7 · |x|` of
    /// values and 1e-6 of derivatives, absolute.
    Gelu,
    /// `x tanh(ln(1 + exp(x)))` (Misra, 2020); errors at most `1e-6 · max(|x|, 1)`, absolute.
    Mish,
    /// `factor · x`; errors at most 1e-7. With −1, a sum is a difference.
    Times {
        /// What every number is multiplied by.
        factor: Constant,
    },
}

/// Evaluates `$body` with the function that an activation names.
macro_rules! with_function {
    ($activation:expr, |$function:ident| $body:expr) => {
        match $activation {
            _ if SMALL => with_function!(Gelu, $function, $body),
            Activation::Sigmoid => with_function!(Sigmoid, $function, $body),
            Activation::HardSigmoid => with_function!(HardSigmoid, $function, $body),
            Activation::Silu => with_function!(Silu, $function, $body),
            Activation::HardSwish => with_function!(HardSwish, $function, $body),
            Activation::Relu6 => with_function!(Relu6, $function, $body),
            Activation::LeakyRelu { slope } => with_function!(LeakyRelu(slope.get() as f32), $function, $body),
            Activation::Elu { alpha } => with_function!(Elu(alpha.get() as f32), $function, $body),
            Activation::Tanh => with_function!(Tanh, $function, $body),
            Activation::Gelu => with_function!(Gelu, $function, $body),
            Activation::Mish => with_function!(Mish, $function, $body),
            Activation::Times { factor } => with_function!(Times(factor.get() as f32), $function, $body),
        }
    };
    ($value:expr, $function:ident, $body:expr) => {{
        let $function = $value;
        $body
    }};
}

impl Activation {
    /// Whether this build has it: small ones have that of vision transformers alone.
    #[inline(always)]
    pub(crate) fn is_built(self) -> bool {
        !SMALL || matches!(self, Self::Gelu)
    }
}

impl Operation for Activation {
    fn facts(&self) -> Facts {
        let keeps_zero = with_function!(self, |function| function.is_zero_at_zero());
        Facts { reads: Reads::Value, remembers: Remembers::Inputs, keeps_zero, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let constant = match self {
            Self::LeakyRelu { slope: constant } | Self::Elu { alpha: constant } => constant.get(),
            Self::Times { factor } => factor.get(),
            Self::Sigmoid | Self::HardSigmoid | Self::Silu | Self::HardSwish => 0.0,
            Self::Relu6 | Self::Tanh | Self::Gelu | Self::Mish => 0.0,
        };
        if !constant.is_finite() {
            return Err(Error::Invalid { field: "alpha", expected: "finite" });
        }
        only(inputs)
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, *self, call.inputs[0], call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        vjp(call.backend, *self, call.remembered[0], call.gradient, call.sink);
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

/// Writes the activation of every number of `value` to `out`.
pub fn forward(backend: Backend, activation: Activation, value: Value<'_>, out: ViewMut<'_>) {
    backend.run(Forward { activation, value, out });
}

/// Passes the gradient with respect to the activation of `value` back to `sink`: times the derivative at every number.
pub fn vjp(backend: Backend, activation: Activation, value: Value<'_>, gradient: View<'_>, sink: Sink<'_>) {
    backend.run(Vjp { activation, value, gradient, sink });
}

struct Forward<'a, 'b> {
    activation: Activation,
    value: Value<'a>,
    out: ViewMut<'b>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let positions = self.out.shape.positions();
        for_each_strip(simd, 0..positions, &mut self);
    }
}

impl Strips for Forward<'_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let Self { activation, value, out } = self;
        for_each_part(
            simd,
            out.shape.channels,
            #[inline(always)]
            |part| {
                let prologue = Prologue::new(simd, value, part);
                let mut strip = read::<S, ROWS>(simd, part, &value.stored, first);
                with_function!(*activation, |function| for row in 0..ROWS {
                    strip[row] = function.value(simd, prologue.apply(simd, strip[row]));
                });
                write(simd, part, strip, out, first);
            },
        );
    }
}

struct Vjp<'a, 'b> {
    activation: Activation,
    value: Value<'a>,
    gradient: View<'a>,
    sink: Sink<'b>,
}

impl Kernel for Vjp<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let positions = self.gradient.shape.positions();
        for_each_strip(simd, 0..positions, &mut self);
    }
}

impl Strips for Vjp<'_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let Self { activation, value, gradient, sink } = self;
        for_each_part(
            simd,
            gradient.shape.channels,
            #[inline(always)]
            |part| {
                let prologue = Prologue::new(simd, value, part);
                let strip = read::<S, ROWS>(simd, part, &value.stored, first);
                let mut new = read::<S, ROWS>(simd, part, gradient, first);
                with_function!(*activation, |function| for row in 0..ROWS {
                    let slope = function.slope(simd, prologue.apply(simd, strip[row]));
                    new[row] = simd.mul(new[row], slope);
                });
                leave(simd, part, sink, first, new);
            },
        );
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{ALL, reference};
