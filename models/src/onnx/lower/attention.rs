//! Attention, recognised by what is multiplied: queries and keys that are views of channels, a softmax, values.

use super::{Lowered, OnnxError, Seen, Value, Work};
use crate::onnx::file::Node;
use crate::onnx::fold;
use crate::onnx::view::{Axis, Part, View};
use aznas::graph::Op;
use aznas::ops::attention::Attention;

/// The products of queries and keys, times `scale`; after a softmax, probabilities.
#[derive(Clone)]
pub(super) struct Logits {
    queries: Seen,
    keys: Seen,
    heads: usize,
    width: usize,
    scale: f64,
}

impl Logits {
    pub(super) fn dims(&self) -> Vec<usize> {
        let mut dims = self.queries.view.dims();
        if let Some(last) = dims.last_mut() {
            *last = *self.keys.view.dims().last().unwrap_or(&1);
        }
        dims
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self { scale: self.scale * factor, ..self.clone() }
    }
}

/// The largest relative difference of the scale of logits from `1/√width`.
const SCALE_TOLERANCE: f64 = 1e-5;

/// Heads of a view `… × tokens × channels of a head`, or with the last two turned round: how many and how wide.
fn heads(view: &View, tokens: usize, channels: usize) -> Option<(usize, usize)> {
    let &[Part { axis: Axis::Channel, size: width, stride: 1 }] = view.axis(channels) else { return None };
    let is_position = |part: &Part| matches!(part.axis, Axis::Row | Axis::Column) && part.stride == 1;
    let in_order = matches!(view.axis(tokens), [_] | [Part { axis: Axis::Row, .. }, _]);
    if !in_order || !view.axis(tokens).iter().all(is_position) {
        return None;
    }
    let mut heads = 1;
    for axis in (0..view.rank()).filter(|&axis| axis != tokens && axis != channels) {
        for part in view.axis(axis) {
            match part.axis {
                Axis::Batch if part.stride == 1 => {}
                Axis::Channel if heads == 1 && part.stride == width => heads = part.size,
                _ => return None,
            }
        }
    }
    Some((heads, width))
}

impl<'f> Work<'f> {
    /// A matrix product: of queries and keys, of probabilities and values, or with a constant.
    pub(super) fn product(&mut self, node: &'f Node) -> Result<Value, OnnxError> {
        let (left, right) = (self.value(node, 0)?, self.value(node, 1)?);
        self.product_of(node, left, right)
    }

    /// A sum of products of two tensors that is a matrix product, their axes being named by letters.
    pub(super) fn einsum(&mut self, node: &'f Node) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "a sum of products that is no product of matrices");
        let equation: String = node.text("equation").unwrap_or_default().chars().filter(|c| *c != ' ').collect();
        let (inputs, output) = equation.split_once("->").ok_or_else(refuse)?;
        let (left, right) = inputs.split_once(',').ok_or_else(refuse)?;
        let is_in = |letters: &str, letter: char| letters.contains(letter);
        let only = |of: &str, is: &dyn Fn(char) -> bool| {
            let mut found = of.chars().filter(|&letter| is(letter));
            found.next().filter(|_| found.next().is_none()).ok_or_else(refuse)
        };
        let summed = only(left, &|letter| is_in(right, letter) && !is_in(output, letter))?;
        let (row, column) =
            (only(left, &|letter| !is_in(right, letter))?, only(right, &|letter| !is_in(left, letter))?);
        let batch: String = output.chars().filter(|&letter| is_in(left, letter) && is_in(right, letter)).collect();
        if output != format!("{batch}{row}{column}") {
            return Err(refuse());
        }
        let (queries, keys) = (format!("{batch}{row}{summed}"), format!("{batch}{summed}{column}"));
        let left = self.with_axes(node, 0, left, &queries)?;
        let right = self.with_axes(node, 1, right, &keys)?;
        self.product_of(node, left, right)
    }

    /// An input whose axes have these letters, with its axes in another order of them.
    fn with_axes(&mut self, node: &Node, index: usize, letters: &str, order: &str) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "an equation that does not fit what it reads");
        let value = self.value(node, index)?;
        let order: Option<Vec<usize>> = order.chars().map(|letter| letters.chars().position(|l| l == letter)).collect();
        let order = order.filter(|order| order.len() == value.dims().len()).ok_or_else(refuse)?;
        if order.iter().copied().eq(0..order.len()) {
            return Ok(value);
        }
        self.moved(node, value, |view| view.transposed(&order))
    }

    fn product_of(&mut self, node: &'f Node, left: Value, right: Value) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        match (left, right) {
            (Value::Map(_) | Value::Function(..), Value::Constant(weight)) if node.operator == "MatMul" => {
                self.linear_by(node, &weight)
            }
            (Value::Probabilities(logits), right) => self.attend(node, logits, &right),
            (left, right) => {
                let (queries, a) = self.scaled(&left, &node.place)?;
                let (keys, b) = self.scaled(&right, &node.place)?;
                let unlike = || refuse("a product of two maps that are no queries and keys");
                let rank = queries.view.rank();
                if rank < 3 || keys.view.rank() != rank {
                    return Err(unlike());
                }
                let (heads_of_queries, width) = heads(&queries.view, rank - 2, rank - 1).ok_or_else(unlike)?;
                let same = heads(&keys.view, rank - 1, rank - 2) == Some((heads_of_queries, width));
                if !same || (0..rank - 2).any(|axis| queries.view.axis(axis) != keys.view.axis(axis)) {
                    return Err(unlike());
                }
                Ok(Value::Logits(Logits { queries, keys, heads: heads_of_queries, width, scale: a * b }))
            }
        }
    }

    /// A map times a number.
    fn scaled(&self, value: &Value, place: &str) -> Result<(Seen, f64), OnnxError> {
        match value {
            Value::Map(seen) => Ok((seen.clone(), 1.0)),
            Value::Function(seen, curve, _) if let Some(factor) = curve.factor() => Ok((seen.clone(), factor)),
            _ => Err(OnnxError::new(place, "a product of things that are no maps")),
        }
    }

    pub(super) fn softmax(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let logits = match self.value(node, 0)? {
            Value::Logits(logits) if node.operator == "Softmax" => logits,
            // Behind the logits of the network, which are what scores end before.
            value @ (Value::Map(_) | Value::Function(..)) if node.outputs.first() == Some(&self.file.output) => {
                return Ok(value);
            }
            _ => return Err(refuse("a softmax outside an attention")),
        };
        let rank = logits.dims().len();
        let default = if self.file.opset < 13 { 1 } else { -1 };
        if fold::place(node.integer("axis", default), rank) != Some(rank - 1) {
            return Err(refuse("an axis other than the keys"));
        }
        let expected = 1.0 / (logits.width as f64).sqrt();
        if (logits.scale / expected - 1.0).abs() > SCALE_TOLERANCE {
            return Err(refuse("logits that are not divided by the square root of a head's channels"));
        }
        Ok(Value::Probabilities(logits))
    }

    /// Probabilities times values.
    fn attend(&mut self, node: &Node, logits: Logits, values: &Value) -> Result<Value, OnnxError> {
        let unlike = || OnnxError::new(&node.place, "probabilities times something that is no values");
        let Value::Map(values) = values else { return Err(unlike()) };
        let rank = values.view.rank();
        let fits = rank == logits.queries.view.rank()
            && heads(&values.view, rank - 2, rank - 1) == Some((logits.heads, logits.width))
            && (0..rank - 1).all(|axis| values.view.axis(axis) == logits.queries.view.axis(axis));
        if !fits {
            return Err(unlike());
        }
        let channels = logits.heads * logits.width;
        let input = self.joined(node, [&logits.queries, &logits.keys, values], channels)?;
        let [_, rows, columns] = self.shape(input);
        let tokens = logits.queries.view.dims()[rank - 2];
        if tokens != rows * columns {
            return Err(OnnxError::new(&node.place, "attention over some positions only"));
        }
        let lowered = Lowered {
            op: Op::Attention(Attention::plain(logits.heads)),
            inputs: vec![input],
            shape: [channels, rows, columns],
            place: node.place.clone(),
            name: node.outputs.first().cloned().unwrap_or_default(),
            parameters: Vec::new(),
            aliases: Vec::new(),
        };
        let source = self.push(lowered);
        let mut view = logits.queries.view;
        view.channel = 0;
        Ok(Value::Map(Seen { source, view }))
    }

    /// The map that has in its channels the queries, then the keys, then the values.
    fn joined(&mut self, node: &Node, parts: [&Seen; 3], channels: usize) -> Result<super::Source, OnnxError> {
        let source = parts[0].source;
        let in_order =
            parts.iter().enumerate().all(|(i, part)| part.source == source && part.view.channel == i * channels);
        if in_order && self.shape(source)[0] == 3 * channels {
            return Ok(source);
        }
        let mut sources = Vec::with_capacity(3);
        for part in parts {
            sources.push(self.channels_of(part.source, part.view.channel, channels, &node.place)?);
        }
        self.concatenated(sources, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_queries_and_turned_keys() {
        let tokens = View::of_map([2, 24, 5, 1]).transposed(&[0, 2, 1, 3]).unwrap().reshaped(&[2, 5, 24]).unwrap();
        let queries =
            tokens.sliced(2, 0, 8).unwrap().reshaped(&[2, 5, 2, 4]).unwrap().transposed(&[0, 2, 1, 3]).unwrap();
        assert_eq!(heads(&queries, 2, 3), Some((2, 4)));
        let keys = queries.transposed(&[0, 1, 3, 2]).unwrap();
        assert_eq!((heads(&keys, 3, 2), heads(&keys, 2, 3)), (Some((2, 4)), None));
    }
}
