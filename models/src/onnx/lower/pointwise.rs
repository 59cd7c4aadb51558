//! Functions of every number of a map, recognised by their values.
//!
//! Exporters write one activation in many ways (a GELU has five nodes or one). Here it is sampled while its nodes pass by, and
//! compared with the activations that `aznas` has once somebody reads the result.

use super::{OnnxError, Seen, Value, Work};
use crate::onnx::file::Node;
use std::sync::Arc;

/// Samples stand at the multiples of `STEP` from `-REACH` to `REACH`.
const REACH: f64 = 9.0;
const STEP: f64 = 0.125;
const SAMPLES: usize = (2.0 * REACH / STEP) as usize + 1;

/// Largest difference from an activation: models hold its constants in single precision.
const TOLERANCE: f64 = 1e-5;
/// That of the usual approximation of a GELU by a hyperbolic tangent.
const GELU_TOLERANCE: f64 = 1e-3;

/// What a SELU is made of unless its node says otherwise (Klambauer and others, 2017).
const SELU_LIMIT: f64 = 1.673_263_242_354_377_2;
const SELU_FACTOR: f64 = 1.050_700_987_355_480_5;

/// A function, sampled.
#[derive(Clone, Debug)]
pub(super) struct Curve(Arc<[f64]>);

/// An activation that `aznas` has ops for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Known {
    Identity,
    Square,
    Relu,
    SquaredRelu,
    Relu6,
    /// With the slope below 0.
    LeakyRelu(f64),
    /// With the limit below 0.
    Elu(f64),
    Sigmoid,
    HardSigmoid,
    Silu,
    HardSwish,
    Tanh,
    Gelu,
    Mish,
    /// The approximation of a GELU by a sigmoid.
    QuickGelu,
}

/// The factor in the sigmoid of [`Known::QuickGelu`].
pub(super) const QUICK: f64 = 1.702;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn hard_sigmoid(x: f64) -> f64 {
    (x / 6.0 + 0.5).clamp(0.0, 1.0)
}

impl Known {
    fn at(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Square => x * x,
            Self::Relu => x.max(0.0),
            Self::SquaredRelu => x.max(0.0).powi(2),
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::LeakyRelu(slope) => x.max(0.0) + slope * x.min(0.0),
            Self::Elu(limit) => x.max(0.0) + limit * x.min(0.0).exp_m1(),
            Self::Sigmoid => sigmoid(x),
            Self::HardSigmoid => hard_sigmoid(x),
            Self::Silu => x * sigmoid(x),
            Self::HardSwish => x * hard_sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Gelu => 0.5 * x * (1.0 + libm::erf(x / std::f64::consts::SQRT_2)),
            Self::Mish => x * x.exp().ln_1p().tanh(),
            Self::QuickGelu => x * sigmoid(QUICK * x),
        }
    }
}

impl Curve {
    pub(super) fn of(f: impl Fn(f64) -> f64) -> Self {
        Self((0..SAMPLES).map(|place| f(place as f64 * STEP - REACH)).collect())
    }

    pub(super) fn identity() -> Self {
        Self::of(|x| x)
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.iter().map(|&y| f(y)).collect())
    }

    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self(self.0.iter().zip(&*other.0).map(|(&a, &b)| f(a, b)).collect())
    }

    /// The factor of a function that only scales.
    pub(super) fn factor(&self) -> Option<f64> {
        let factor = self.0[SAMPLES - 1] / REACH;
        self.is(|x| factor * x, TOLERANCE * factor.abs().max(1e-3)).then_some(factor)
    }

    fn is(&self, f: impl Fn(f64) -> f64, tolerance: f64) -> bool {
        let sampled = Self::of(f);
        self.0.iter().zip(&*sampled.0).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
    }

    /// What a function with this value at `-REACH` may be.
    fn candidates(below: f64) -> [Known; 15] {
        [
            Known::Identity,
            Known::Relu,
            Known::Relu6,
            Known::LeakyRelu(-below / REACH),
            Known::Elu(-below / -(-REACH).exp_m1()),
            Known::Sigmoid,
            Known::HardSigmoid,
            Known::Silu,
            Known::HardSwish,
            Known::Tanh,
            Known::Gelu,
            Known::Mish,
            Known::QuickGelu,
            Known::Square,
            Known::SquaredRelu,
        ]
    }

    /// Whether it is so many times an activation.
    fn is_multiple(&self, factor: f64, activation: Known) -> bool {
        let tolerance = if activation == Known::Gelu { GELU_TOLERANCE } else { TOLERANCE };
        self.is(|x| factor * activation.at(x), tolerance * factor.abs().clamp(1e-3, 1.0))
    }

    /// The activation that it is.
    pub(super) fn activation(&self) -> Option<Known> {
        Self::candidates(self.0[0]).into_iter().find(|&activation| self.is_multiple(1.0, activation))
    }

    /// The activation that it is a multiple of, and the factor.
    pub(super) fn scaled_activation(&self) -> Option<(Known, f64)> {
        let (below, above) = (self.0[0], self.0[SAMPLES - 1]);
        let plain = self.activation().map(|activation| (activation, 1.0));
        let is_multiple = |&(activation, factor): &(Known, f64)| {
            factor.is_finite() && factor != 0.0 && self.is_multiple(factor, activation)
        };
        plain.or_else(|| {
            // Those with a constant below 0 are x above it, so that their factor is known first.
            let candidates = Self::candidates(below / (above / REACH));
            candidates.into_iter().map(|activation| (activation, above / activation.at(REACH))).find(is_multiple)
        })
    }

    /// Whether [`Work::function`] knows the operator.
    pub(super) fn understands(operator: &str) -> bool {
        const OPERATORS: [&str; 17] = [
            "Relu",
            "Clip",
            "LeakyRelu",
            "Elu",
            "Selu",
            "Sigmoid",
            "HardSigmoid",
            "HardSwish",
            "Tanh",
            "Erf",
            "Gelu",
            "Neg",
            "Pow",
            "Exp",
            "Softplus",
            "Mish",
            "Swish",
        ];
        OPERATORS.contains(&operator)
    }
}

impl Work<'_> {
    /// An operator on every number alone.
    pub(super) fn function(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let (seen, curve) = match self.value(node, 0)? {
            Value::Map(seen) => (seen, Curve::identity()),
            Value::Function(seen, curve, _) => (seen, curve),
            _ => return Err(refuse("of something that is no map")),
        };
        let attribute = |name: &str, default: f64| node.float(name, default);
        let curve = match node.operator.as_str() {
            "Relu" => curve.map(|x| x.max(0.0)),
            "Clip" => {
                let bound = |index: usize, name: &str, default: f64| -> Result<f64, OnnxError> {
                    let given = self.optional(node, index)?;
                    Ok(given.and_then(|tensor| tensor.scalar()).unwrap_or_else(|| node.float(name, default)))
                };
                let (low, high) = (bound(1, "min", f64::NEG_INFINITY)?, bound(2, "max", f64::INFINITY)?);
                if low > high || low.is_nan() || high.is_nan() {
                    return Err(refuse("bounds that cross each other"));
                }
                curve.map(|x| x.clamp(low, high))
            }
            "LeakyRelu" => {
                let slope = attribute("alpha", 0.01);
                curve.map(|x| x.max(0.0) + slope * x.min(0.0))
            }
            "Elu" => {
                let limit = attribute("alpha", 1.0);
                curve.map(|x| x.max(0.0) + limit * x.min(0.0).exp_m1())
            }
            "Selu" => {
                let (limit, factor) = (attribute("alpha", SELU_LIMIT), attribute("gamma", SELU_FACTOR));
                curve.map(|x| factor * (x.max(0.0) + limit * x.min(0.0).exp_m1()))
            }
            "Sigmoid" => curve.map(sigmoid),
            "HardSigmoid" => {
                let (slope, shift) = (attribute("alpha", 0.2), attribute("beta", 0.5));
                curve.map(|x| (slope * x + shift).clamp(0.0, 1.0))
            }
            "HardSwish" => curve.map(|x| Known::HardSwish.at(x)),
            "Swish" => {
                let factor = attribute("alpha", 1.0);
                curve.map(|x| x * sigmoid(factor * x))
            }
            "Tanh" => curve.map(f64::tanh),
            "Erf" => curve.map(libm::erf),
            "Gelu" => curve.map(|x| Known::Gelu.at(x)),
            "Neg" => curve.map(|x| -x),
            "Exp" => curve.map(f64::exp),
            "Softplus" => curve.map(|x| x.exp().ln_1p()),
            "Mish" => curve.map(|x| x * x.exp().ln_1p().tanh()),
            _ => {
                let power = self.constant(node, 1)?.scalar().ok_or_else(|| refuse("a power that is no number"))?;
                curve.map(|x| x.powf(power))
            }
        };
        Ok(Value::Function(seen, curve, name_of(node)))
    }

    /// A sum, difference, product or quotient of which at least one side is computed.
    pub(super) fn arithmetic(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let (left, right) = (self.value(node, 0)?, self.value(node, 1)?);
        match (left, right) {
            (Value::Constant(constant), value) if let Some(number) = constant.scalar() => {
                self.with_number(node, value, number, true)
            }
            (value, Value::Constant(constant)) if let Some(number) = constant.scalar() => {
                self.with_number(node, value, number, false)
            }
            (value, Value::Constant(constant)) | (Value::Constant(constant), value) => {
                self.with_constant(node, value, &constant)
            }
            (left, right) => {
                if let (Some((seen, a)), Some((other, b))) = (as_function(&left), as_function(&right))
                    && seen.source == other.source
                    && seen.view == other.view
                    && is_one_function(node, &left, &right)
                {
                    let curve = match node.operator.as_str() {
                        "Add" => a.zip(&b, |a, b| a + b),
                        "Sub" => a.zip(&b, |a, b| a - b),
                        "Mul" => a.zip(&b, |a, b| a * b),
                        _ => a.zip(&b, |a, b| a / b),
                    };
                    return Ok(Value::Function(seen, curve, name_of(node)));
                }
                self.of_two_maps(node, &left, &right)
            }
        }
    }

    fn with_number(&mut self, node: &Node, value: Value, number: f64, first: bool) -> Result<Value, OnnxError> {
        let f = |x: f64| match (node.operator.as_str(), first) {
            ("Add", _) => x + number,
            ("Sub", false) => x - number,
            ("Sub", true) => number - x,
            ("Mul", _) => x * number,
            (_, false) => x / number,
            (_, true) => number / x,
        };
        match value {
            Value::Map(seen) => Ok(Value::Function(seen, Curve::identity().map(f), name_of(node))),
            Value::Function(seen, curve, _) => Ok(Value::Function(seen, curve.map(f), name_of(node))),
            Value::Logits(logits) if f(0.0) == 0.0 && f(1.0).is_finite() => Ok(Value::Logits(logits.scaled(f(1.0)))),
            _ => Err(OnnxError::new(&node.place, "a number together with something that is no map")),
        }
    }

    /// The larger or the smaller of every number of a map and one that is the same for all.
    pub(super) fn bounded(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "the larger or smaller of other things than a map and one number");
        let ([_, _], pair) = (node.inputs.as_slice(), (self.value(node, 0)?, self.value(node, 1)?)) else {
            return Err(refuse());
        };
        let ((value, Value::Constant(bound)) | (Value::Constant(bound), value)) = pair else { return Err(refuse()) };
        let bound = bound.uniform().ok_or_else(refuse)?;
        let (seen, curve) = as_function(&value).ok_or_else(refuse)?;
        let curve = curve.map(|x| if node.operator == "Max" { x.max(bound) } else { x.min(bound) });
        Ok(Value::Function(seen, curve, name_of(node)))
    }
}

fn name_of(node: &Node) -> String {
    node.outputs.first().cloned().unwrap_or_default()
}

pub(super) fn as_function(value: &Value) -> Option<(Seen, Curve)> {
    match value {
        Value::Map(seen) => Some((seen.clone(), Curve::identity())),
        Value::Function(seen, curve, _) => Some((seen.clone(), curve.clone())),
        _ => None,
    }
}

/// Whether two functions of one map are steps towards one function: a product or quotient always is, a sum unless both sides
/// are activations already.
fn is_one_function(node: &Node, left: &Value, right: &Value) -> bool {
    let is_finished = |value: &Value| match value {
        Value::Function(_, curve, _) => curve.activation().is_some(),
        _ => true,
    };
    match node.operator.as_str() {
        "Mul" | "Div" => true,
        _ => !(is_finished(left) && is_finished(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_told_apart() {
        for activation in [
            Known::Relu,
            Known::Relu6,
            Known::LeakyRelu(0.01),
            Known::LeakyRelu(0.2),
            Known::Sigmoid,
            Known::HardSigmoid,
            Known::Silu,
            Known::HardSwish,
            Known::Tanh,
            Known::Gelu,
            Known::Mish,
            Known::Square,
            Known::SquaredRelu,
        ] {
            let found = Curve::of(|x| activation.at(x)).activation();
            let expected = format!("{activation:?}");
            assert!(found.is_some_and(|found| format!("{found:?}")[..4] == expected[..4]), "{found:?} {expected}");
        }
        assert!(matches!(Curve::of(|x| Known::Elu(1.0).at(x)).activation(), Some(Known::Elu(_))));
        assert_eq!(Curve::of(|x| x * x).activation(), Some(Known::Square));
        assert_eq!(Curve::of(|x| x * x + 0.01).activation(), None);
        assert_eq!(Curve::of(|x| 0.125 * x).factor(), Some(0.125));
    }

    #[test]
    fn multiples_of_activations_are_found() {
        for activation in [Known::Identity, Known::Relu, Known::Sigmoid, Known::Silu, Known::Gelu, Known::Square] {
            for factor in [-1.0, 0.5, 1.7] {
                let (found, of) = Curve::of(|x| factor * activation.at(x)).scaled_activation().unwrap();
                assert_eq!(found, activation);
                assert!((of / factor - 1.0).abs() < 1e-3, "{activation:?}: {of} instead of {factor}");
            }
        }
        let selu = Curve::of(|x| SELU_FACTOR * Known::Elu(SELU_LIMIT).at(x)).scaled_activation();
        assert!(matches!(selu, Some((Known::Elu(_), factor)) if (factor - SELU_FACTOR).abs() < 1e-9));
    }

    #[test]
    fn a_gelu_of_any_spelling_is_one() {
        let tangent = |x: f64| 0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh());
        assert_eq!(Curve::of(tangent).activation(), Some(Known::Gelu));
        let sigmoid = |x: f64| x * sigmoid(1.702 * x);
        assert_eq!(Curve::of(sigmoid).activation(), Some(Known::QuickGelu));
    }
}
