//! Layer normalisation, recognised by its moments: old opsets have no operator for it, and models write it out for maps whose
//! channels are not last.

use super::emit::positive;
use super::pointwise::as_function;
use super::{OnnxError, Seen, Value, Work};
use crate::onnx::file::Node;
use aznas::graph::Op;
use aznas::ops::layer_norm::LayerNorm;

/// What of a map is known at a step of its normalisation.
#[derive(Clone)]
pub(super) struct Moment {
    seen: Seen,
    /// The axis of the channels.
    axis: usize,
    step: Step,
}

/// The steps, in order. Those behind the variance have its epsilon.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Mean,
    /// The map without its mean.
    Centred,
    SquareOfCentred,
    Variance(f64),
    Deviation(f64),
    InverseOfDeviation(f64),
}

impl Moment {
    pub(super) fn dims(&self) -> Vec<usize> {
        let mut dims = self.seen.view.dims();
        if !matches!(self.step, Step::Centred | Step::SquareOfCentred) {
            dims[self.axis] = 1;
        }
        dims
    }

    fn at(self, step: Step) -> Value {
        Value::Moment(Self { step, ..self })
    }

    fn is_of(&self, other: &Seen) -> bool {
        self.seen.source == other.source && self.seen.view == other.view
    }
}

impl Work<'_> {
    /// The mean of a map over its channels; none if the axes are others.
    pub(super) fn mean_of_channels(&mut self, node: &Node, axes: &[usize]) -> Result<Option<Value>, OnnxError> {
        let (value, &[axis]) = (self.value(node, 0)?, axes) else { return Ok(None) };
        let Some((seen, _)) = as_function(&value) else { return Ok(None) };
        if node.operator != "ReduceMean" || seen.view.axis(axis).is_empty() || !seen.view.has_channels_at(axis) {
            return Ok(None);
        }
        let seen = self.computed(&value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        Ok(Some(Value::Moment(Moment { seen, axis, step: Step::Mean })))
    }

    /// The next step of a normalisation, or the normalised map.
    pub(super) fn of_moments(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let unknown = || OnnxError::new(&node.place, "moments of channels that are no steps of a layer normalisation");
        let left = self.value(node, 0)?;
        let right = if node.inputs.len() > 1 { Some(self.value(node, 1)?) } else { None };
        let number = |value: &Value| match value {
            Value::Constant(constant) => constant.scalar(),
            _ => None,
        };
        match (node.operator.as_str(), left, right) {
            ("Identity" | "Cast", value, None) => Ok(value),
            ("Sub", value, Some(Value::Moment(mean))) if mean.step == Step::Mean => {
                let seen = self.computed(&value, &node.place)?;
                let seen = self.plain(seen, &node.place)?;
                if mean.is_of(&seen) { Ok(mean.at(Step::Centred)) } else { Err(unknown()) }
            }
            ("Pow", Value::Moment(centred), Some(two))
                if (centred.step, number(&two)) == (Step::Centred, Some(2.0)) =>
            {
                Ok(centred.at(Step::SquareOfCentred))
            }
            ("Mul", Value::Moment(a), Some(Value::Moment(b)))
                if (a.step, b.step) == (Step::Centred, Step::Centred) && a.is_of(&b.seen) =>
            {
                Ok(a.at(Step::SquareOfCentred))
            }
            ("ReduceMean", Value::Moment(square), _) if square.step == Step::SquareOfCentred => {
                let axes = self.axes(node, square.seen.view.rank())?;
                let is_same = axes == [square.axis] && node.integer("keepdims", 1) != 0;
                if is_same { Ok(square.at(Step::Variance(0.0))) } else { Err(unknown()) }
            }
            ("Add", Value::Moment(variance), Some(other)) | ("Add", other, Some(Value::Moment(variance))) => {
                match (variance.step, number(&other)) {
                    (Step::Variance(epsilon), Some(more)) => Ok(variance.at(Step::Variance(epsilon + more))),
                    _ => Err(unknown()),
                }
            }
            ("Sqrt", Value::Moment(variance), None) => variance.root(false).ok_or_else(unknown),
            ("Reciprocal", Value::Moment(deviation), None) => deviation.inverse().ok_or_else(unknown),
            ("Pow", Value::Moment(variance), Some(power)) => match number(&power) {
                Some(0.5) => variance.root(false).ok_or_else(unknown),
                Some(-0.5) => variance.root(true).ok_or_else(unknown),
                _ => Err(unknown()),
            },
            ("Div", one, Some(Value::Moment(deviation))) if number(&one) == Some(1.0) => {
                deviation.inverse().ok_or_else(unknown)
            }
            ("Div" | "Mul", Value::Moment(a), Some(Value::Moment(b))) if a.is_of(&b.seen) => {
                let [centred, other] = if a.step == Step::Centred { [a, b] } else { [b, a] };
                let epsilon = match (node.operator.as_str(), centred.step, other.step) {
                    ("Div", Step::Centred, Step::Deviation(epsilon)) => epsilon,
                    ("Mul", Step::Centred, Step::InverseOfDeviation(epsilon)) => epsilon,
                    _ => return Err(unknown()),
                };
                // Its gain and shift, if it has any, come as a factor and a summand.
                let op = Op::LayerNorm(LayerNorm { epsilon: positive(epsilon, node)?.into() });
                let shape = self.shape(centred.seen.source);
                let source = self.emit(node, op, vec![centred.seen.source], shape)?;
                Ok(Value::Map(Seen { source, ..centred.seen }))
            }
            _ => Err(unknown()),
        }
    }
}

impl Moment {
    fn root(self, inverse: bool) -> Option<Value> {
        match self.step {
            Step::Variance(epsilon) if inverse => Some(self.at(Step::InverseOfDeviation(epsilon))),
            Step::Variance(epsilon) => Some(self.at(Step::Deviation(epsilon))),
            _ => None,
        }
    }

    fn inverse(self) -> Option<Value> {
        match self.step {
            Step::Deviation(epsilon) => Some(self.at(Step::InverseOfDeviation(epsilon))),
            _ => None,
        }
    }
}
