//! Ops of `aznas` for the operators that compute something.

use super::pointwise::{Curve, Known, QUICK};
use super::{Lowered, OnnxError, Parameters, Seen, Source, Value, Work};
use crate::onnx::file::Node;
use crate::onnx::fold::{self, Range};
use crate::onnx::tensor::Tensor;
use crate::onnx::view::{Axis, Part, View};
use aznas::graph::{Convolution, MAX_INPUTS, Op};
use aznas::ops::activation::Activation;
use aznas::ops::batch_norm::BatchNorm;
use aznas::ops::group_norm::GroupNorm;
use aznas::ops::layer_norm::LayerNorm;
use aznas::ops::linear::Linear;
use aznas::ops::max_pool::MaxPool;
use aznas::ops::pad::Pad;
use aznas::ops::pool::AveragePool;
use aznas::ops::shuffle::Shuffle;
use aznas::ops::slice::Slice;
use aznas::ops::window::{Side, Window};
use aznas::tensor::Role;
use std::sync::Arc;

/// Geometry of a convolution or a pool: kernel, stride, and the padding before and behind, in rows and columns.
struct Sides {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    before: [usize; 2],
    behind: [usize; 2],
}

impl<'f> Work<'f> {
    /// Channels, rows and columns of a map.
    pub(super) fn shape(&self, source: Source) -> [usize; 3] {
        source.map_or(self.input, |index| self.nodes[index].shape)
    }

    /// Adds a node, unless the same is there already.
    pub(super) fn push(&mut self, node: Lowered) -> Source {
        let same = |other: &Lowered| {
            node.parameters.is_empty()
                && other.parameters.is_empty()
                && other.op == node.op
                && other.inputs == node.inputs
        };
        // Parameters make convolutions and the like different, whatever their sizes.
        let found = if has_parameters(&node.op) { None } else { self.nodes.iter().position(same) };
        Some(found.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        }))
    }

    pub(super) fn emit(
        &mut self,
        node: &Node,
        op: Op,
        inputs: Vec<Source>,
        shape: [usize; 3],
    ) -> Result<Source, OnnxError> {
        super::numbers([self.batch, shape[0], shape[1], shape[2]])
            .ok_or_else(|| OnnxError::new(&node.place, "a map of more numbers than fit any memory"))?;
        let name = node.outputs.first().cloned().unwrap_or_default();
        Ok(self.push(Lowered {
            op,
            inputs,
            shape,
            place: node.place.clone(),
            name,
            parameters: Vec::new(),
            aliases: Vec::new(),
        }))
    }

    fn set_parameters(&mut self, source: Source, parameters: Parameters) {
        if let Some(index) = source {
            self.nodes[index].parameters = parameters;
        }
    }

    /// A value as a map, with the activation that is still to be applied.
    pub(super) fn computed(&mut self, value: &Value, place: &str) -> Result<Seen, OnnxError> {
        match value {
            Value::Map(seen) => Ok(seen.clone()),
            Value::Function(seen, curve, name) => {
                let unknown = || OnnxError::new(place, "reads a function that is none of the activations there are");
                let (activation, factor) = curve.scaled_activation().ok_or_else(unknown)?;
                let seen = self.plain(seen.clone(), place)?;
                let (mut source, shape) = (seen.source, self.shape(seen.source));
                let mut ops = ops(activation);
                ops.extend((factor != 1.0).then(|| times(factor)));
                for (step, &op) in ops.iter().enumerate() {
                    // Steps on the way are called as the map is.
                    let before = source.map(|index| self.nodes[index].name.clone());
                    let is_last = step + 1 == ops.len();
                    source = self.push(Lowered {
                        op,
                        // A product here is that of a map with itself.
                        inputs: vec![source; if op == Op::Product { 2 } else { 1 }],
                        shape,
                        place: place.to_string(),
                        name: before.filter(|_| !is_last).unwrap_or_else(|| name.clone()),
                        parameters: Vec::new(),
                        aliases: Vec::new(),
                    });
                }
                Ok(Seen { source, ..seen })
            }
            Value::Noise(_) => Err(OnnxError::new(place, "reads random numbers")),
            _ => Err(OnnxError::new(place, "reads something between operators that were not understood together")),
        }
    }

    /// A map that is seen with all of its channels in order: what the view picks or shuffles is computed.
    pub(super) fn plain(&mut self, seen: Seen, place: &str) -> Result<Seen, OnnxError> {
        let all = self.shape(seen.source)[0];
        let refuse = || OnnxError::new(place, "reads a map whose axes were moved in a way that is not understood");
        let parts = seen.view.channels_in_order();
        let source = match parts.as_slice() {
            [] if all == 1 && seen.view.channel == 0 => return Ok(seen),
            [] => self.channels_of(seen.source, seen.view.channel, 1, place)?,
            &[Part { size, stride: 1, .. }] if size == all && seen.view.channel == 0 => return Ok(seen),
            &[Part { size, stride: 1, .. }] => self.channels_of(seen.source, seen.view.channel, size, place)?,
            &[Part { size, stride: 1, .. }, Part { size: groups, stride, .. }] if size == stride => {
                let part = self.channels_of(seen.source, seen.view.channel, size * groups, place)?;
                self.shuffled(part, groups, place)
            }
            _ => return Err(refuse()),
        };
        let view = seen.view.with_channels_in_order().ok_or_else(refuse)?;
        Ok(Seen { source, view })
    }

    /// Channels `start ..` of a map.
    pub(super) fn channels_of(
        &mut self,
        source: Source,
        start: usize,
        len: usize,
        place: &str,
    ) -> Result<Source, OnnxError> {
        let [channels, rows, columns] = self.shape(source);
        if start == 0 && len == channels {
            return Ok(source);
        }
        if start.checked_add(len).is_none_or(|end| end > channels) {
            return Err(OnnxError::new(place, "takes channels that there are not"));
        }
        let op = Op::Slice(Slice::of_channels(start, len));
        Ok(self.moved_channels(op, source, [len, rows, columns], place))
    }

    /// Every so many rows or columns of a map, up to its end.
    pub(super) fn every_so_many(&mut self, node: &Node, value: &Value, range: Range) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "takes part of an axis in a way that is not understood");
        let seen = self.computed(value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        let shape = self.shape(seen.source);
        let Range { axis, start, len, step } = range;
        let (step, &[part]) = (usize::try_from(step).map_err(|_| refuse())?, seen.view.axis(axis)) else {
            return Err(refuse());
        };
        let along = match part.axis {
            Axis::Row => 0,
            Axis::Column => 1,
            Axis::Batch | Axis::Channel => return Err(refuse()),
        };
        if part.size != shape[1 + along] || start >= part.size || len != (part.size - start).div_ceil(step) {
            return Err(refuse());
        }
        let (mut offset, mut stride, mut shape_of_part) = ([0; 2], [1; 2], shape);
        (offset[along], stride[along], shape_of_part[1 + along]) = (start, step, len);
        let op = Op::Slice(Slice { first: 0, channels: shape[0], offset, stride });
        let source = self.emit(node, op, vec![seen.source], shape_of_part)?;
        Ok(Value::Map(Seen { source, view: seen.view.resized(axis, len) }))
    }

    /// Adds a node that only moves channels about.
    fn moved_channels(&mut self, op: Op, source: Source, shape: [usize; 3], place: &str) -> Source {
        let name = source.map_or_else(|| self.file.input.clone(), |index| self.nodes[index].name.clone());
        let inputs = vec![source];
        self.push(Lowered {
            op,
            inputs,
            shape,
            place: place.to_string(),
            name,
            parameters: Vec::new(),
            aliases: Vec::new(),
        })
    }

    /// The channels of a map, taken from `groups` groups in turn.
    fn shuffled(&mut self, source: Source, groups: usize, place: &str) -> Source {
        let shape = self.shape(source);
        self.moved_channels(Op::Shuffle(Shuffle { groups }), source, shape, place)
    }

    /// Maps side by side along the channels; more than a node can read are joined in several.
    pub(super) fn concatenated(&mut self, sources: Vec<Source>, node: &Node) -> Result<Source, OnnxError> {
        // A concatenation of what an earlier one has, and more, goes on from there: it is what every path passes through.
        let mut parts = sources;
        let earlier = self.nodes.iter().enumerate().rev().find(|(_, other)| {
            other.op == Op::Concat
                && other.inputs.len() >= 2
                && self.flattened(other).is_some_and(|f| f.len() < parts.len() && parts.starts_with(&f))
        });
        if let Some((index, _)) = earlier {
            let known = self.flattened(&self.nodes[index]).map_or(0, |flat| flat.len());
            parts.splice(..known, [Some(index)]);
        }
        while parts.len() > 1 {
            let joined: Vec<Source> = parts.drain(..parts.len().min(MAX_INPUTS)).collect();
            let [_, rows, columns] = self.shape(joined[0]);
            let channels = joined.iter().map(|&part| self.shape(part)[0]).sum();
            let source = self.emit(node, Op::Concat, joined, [channels, rows, columns])?;
            parts.insert(0, source);
        }
        Ok(parts[0])
    }

    /// What a concatenation joins, with those that it reads first taken apart.
    fn flattened(&self, node: &Lowered) -> Option<Vec<Source>> {
        let (&first, rest) = node.inputs.split_first()?;
        let mut parts = match first {
            Some(index) if self.nodes[index].op == Op::Concat => self.flattened(&self.nodes[index])?,
            source => vec![source],
        };
        parts.extend_from_slice(rest);
        Some(parts)
    }

    /// The first of the tokens of a map: a pool that moves past all others.
    pub(super) fn first_token(&mut self, seen: Seen, axis: usize, node: &Node) -> Result<Seen, OnnxError> {
        let seen = self.plain(seen, &node.place)?;
        let [channels, rows, _] = self.shape(seen.source);
        let window = Window::new(1, rows, 0).map_err(|error| OnnxError::new(&node.place, error.to_string()))?;
        let source = self.emit(node, Op::AveragePool(AveragePool { window }), vec![seen.source], [channels, 1, 1])?;
        let view = seen.view.without(axis);
        Ok(Seen { source, view })
    }

    /// Operators that stand for one op.
    pub(super) fn computed_by(&mut self, node: &'f Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        match node.operator.as_str() {
            "Conv" => self.convolution(node),
            "BatchNormalization" => {
                let value = self.value(node, 0)?;
                let seen = self.computed(&value, &node.place)?;
                let seen = self.plain(seen, &node.place)?;
                let op = Op::BatchNorm(BatchNorm { epsilon: positive(node.float("epsilon", 1e-5), node)?.into() });
                let source = self.emit(node, op, vec![seen.source], self.shape(seen.source))?;
                self.set_parameters(source, self.gain_and_shift(node, self.shape(seen.source)[0])?);
                Ok(Value::Map(Seen { source, ..seen }))
            }
            "LayerNormalization" => {
                let value = self.value(node, 0)?;
                let seen = self.computed(&value, &node.place)?;
                let seen = self.plain(seen, &node.place)?;
                let rank = seen.view.rank();
                let is_last = fold::place(node.integer("axis", -1), rank) == Some(rank - 1);
                if !is_last || !seen.view.has_channels_at(rank - 1) {
                    return Err(refuse("a normalisation of something other than the channels of each position"));
                }
                let op = Op::LayerNorm(LayerNorm { epsilon: positive(node.float("epsilon", 1e-5), node)?.into() });
                let source = self.emit(node, op, vec![seen.source], self.shape(seen.source))?;
                self.set_parameters(source, self.gain_and_shift(node, self.shape(seen.source)[0])?);
                Ok(Value::Map(Seen { source, ..seen }))
            }
            "InstanceNormalization" | "GroupNormalization" => self.group_norm(node),
            "Gemm" => self.gemm(node),
            "Pad" => self.pad(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let rank = self.value(node, 0)?.dims().len();
                self.summary(node, &(2..rank).collect::<Vec<_>>(), true)
            }
            "ReduceMean" | "ReduceMax" | "ReduceSum" => {
                let axes = self.axes(node, self.value(node, 0)?.dims().len())?;
                let keep = node.integer("keepdims", 1) != 0;
                match self.mean_of_channels(node, &axes)? {
                    Some(mean) if keep => Ok(mean),
                    _ => self.summary(node, &axes, keep),
                }
            }
            "Concat" => self.concat(node),
            _ => Err(refuse("this operator is not understood")),
        }
    }

    /// The axes that a mean or a maximum is over.
    pub(super) fn axes(&self, node: &Node, rank: usize) -> Result<Vec<usize>, OnnxError> {
        let given = self.optional(node, 1)?;
        let axes = given.as_ref().and_then(Tensor::as_integers).or_else(|| node.integers("axes")).unwrap_or_default();
        let axes: Option<Vec<usize>> = axes.iter().map(|&axis| fold::place(axis, rank)).collect();
        axes.ok_or_else(|| OnnxError::new(&node.place, "no such axis"))
    }

    /// The view of a map that must be batch × channels × rows × columns.
    fn map(&mut self, node: &Node) -> Result<Seen, OnnxError> {
        let value = self.value(node, 0)?;
        let seen = self.computed(&value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        if seen.view.is_map() {
            Ok(seen)
        } else {
            Err(OnnxError::new(&node.place, "reads something that is no map of four axes"))
        }
    }

    fn convolution(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let seen = self.map(node)?;
        let weight = self.constant(node, 1)?;
        // A bias that the model itself makes of zeros stands for none.
        let is_given = node.inputs.get(2).is_some_and(|name| self.file.constants.contains_key(name));
        let bias = self.optional(node, 2)?.filter(|bias| is_given || bias.uniform() != Some(0.0));
        let &[outputs, inputs, height, width] = weight.dims.as_slice() else {
            return Err(refuse("a kernel of other than two dimensions"));
        };
        let [channels, rows, columns] = self.shape(seen.source);
        let sides = Sides::of(node, [height, width], [rows, columns])?;
        let groups = usize::try_from(node.integer("group", 1)).unwrap_or(0);
        if groups == 0 || inputs.checked_mul(groups) != Some(channels) || !outputs.is_multiple_of(groups) {
            return Err(refuse("groups and channels that do not fit each other"));
        }
        let is_even = sides.before == sides.behind;
        let input = if is_even { seen.source } else { self.padded(node, seen.source, sides.before, sides.behind)? };
        let op = Op::Convolution(Convolution {
            channels: outputs,
            kernel: sides.kernel,
            stride: sides.stride,
            padding: if is_even { sides.before } else { [0; 2] },
            dilation: sides.dilation,
            groups,
            bias: bias.is_some(),
        });
        let [rows, columns] =
            sides.outputs([rows, columns], false).ok_or_else(|| refuse("a kernel larger than the map"))?;
        let source = self.emit(node, op, vec![input], [outputs, rows, columns])?;
        let mut parameters = vec![(Role::Weight, floats(&weight, node)?)];
        if let Some(bias) = bias {
            parameters.push((Role::Bias, floats(&bias, node)?));
        }
        self.set_parameters(source, parameters);
        Ok(self.new_map(source))
    }

    /// A map with zeros around it.
    fn padded(
        &mut self,
        node: &Node,
        source: Source,
        before: [usize; 2],
        behind: [usize; 2],
    ) -> Result<Source, OnnxError> {
        let [channels, rows, columns] = self.shape(source);
        let along = |size: usize, axis: usize| size.checked_add(before[axis])?.checked_add(behind[axis]);
        let (Some(rows), Some(columns)) = (along(rows, 0), along(columns, 1)) else {
            return Err(OnnxError::new(&node.place, "padding that is too large"));
        };
        self.emit(node, Op::Pad(Pad { before, behind }), vec![source], [channels, rows, columns])
    }

    /// Zeros around the rows and columns of a map.
    fn pad(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        if !matches!(node.text("mode"), None | Some("constant")) {
            return Err(refuse("padding by something other than zeros"));
        }
        let value = self.optional(node, 2)?.map_or(Some(node.float("value", 0.0)), |value| value.scalar());
        if value != Some(0.0) {
            return Err(refuse("padding by something other than zeros"));
        }
        let seen = self.map(node)?;
        let given = self.optional(node, 1)?;
        let pads = given.as_ref().and_then(Tensor::as_integers).or_else(|| node.integers("pads")).unwrap_or_default();
        let axes = match self.optional(node, 3)? {
            None => (0..4).collect(),
            Some(axes) => {
                let axes = axes.as_integers().ok_or_else(|| refuse("axes that are no integers"))?;
                let axes: Option<Vec<usize>> = axes.iter().map(|&axis| fold::place(axis, 4)).collect();
                axes.ok_or_else(|| refuse("no such axis"))?
            }
        };
        if pads.len() != 2 * axes.len() {
            return Err(refuse("padding of other than both sides of every axis"));
        }
        let (mut before, mut behind) = ([0; 4], [0; 4]);
        for (place, &axis) in axes.iter().enumerate() {
            let side = |pad: i64| usize::try_from(pad).map_err(|_| refuse("negative padding"));
            (before[axis], behind[axis]) = (side(pads[place])?, side(pads[axes.len() + place])?);
        }
        if (before[0], behind[0]) != (0, 0) {
            return Err(refuse("padding of the batch"));
        }
        let mut source = seen.source;
        if (before[2], before[3], behind[2], behind[3]) != (0, 0, 0, 0) {
            source = self.padded(node, source, [before[2], before[3]], [behind[2], behind[3]])?;
        }
        if (before[1], behind[1]) != (0, 0) {
            let mut parts = self.zeros(node, source, before[1])?;
            parts.push(source);
            parts.extend(self.zeros(node, source, behind[1])?);
            source = self.concatenated(parts, node)?;
        }
        Ok(self.new_map(source))
    }

    /// Channels of zeros beside those of a map.
    fn zeros(&mut self, node: &Node, source: Source, count: usize) -> Result<Vec<Source>, OnnxError> {
        let [channels, rows, columns] = self.shape(source);
        if count > channels.saturating_mul(MAX_INPUTS) {
            return Err(OnnxError::new(&node.place, "more channels of zeros than there are others"));
        }
        let mut parts = Vec::new();
        for first in (0..count).step_by(channels) {
            let part = self.channels_of(source, 0, channels.min(count - first), &node.place)?;
            parts.push(self.moved_channels(Op::Zero, part, [channels.min(count - first), rows, columns], &node.place));
        }
        Ok(parts)
    }

    /// Groups of channels, or each channel, of every image by themselves.
    fn group_norm(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let value = self.value(node, 0)?;
        let seen = self.computed(&value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        let channels = self.shape(seen.source)[0];
        let groups = if node.operator == "GroupNormalization" {
            usize::try_from(node.integer("num_groups", 0)).unwrap_or(0)
        } else {
            seen.view.dims().get(1).copied().unwrap_or(0)
        };
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(refuse("groups that do not divide the channels"));
        }
        // Whatever order the other axes have, a group is all that one place of the axis of groups holds.
        let is_batch = seen.view.axis(0).iter().all(|part| part.axis == Axis::Batch);
        let stride = channels / groups;
        let is_group = match seen.view.axis(1) {
            [] => groups == 1,
            &[part] => part.axis == Axis::Channel && part.size == groups && part.stride == stride,
            _ => false,
        };
        if !is_batch || !(is_group || node.operator == "GroupNormalization" && seen.view.has_channels_at(1)) {
            return Err(refuse("a normalisation of something other than groups of channels"));
        }
        let epsilon = positive(node.float("epsilon", 1e-5), node)?.into();
        let op = Op::GroupNorm(GroupNorm { groups, epsilon });
        let source = self.emit(node, op, vec![seen.source], self.shape(seen.source))?;
        let mut parameters = Vec::new();
        for (index, role) in [(1, Role::Gain), (2, Role::Shift)] {
            let given = floats(&self.constant(node, index)?, node)?;
            let shared_by = match given.len() {
                len if len == channels => 1,
                len if len == groups => stride,
                _ => return Err(refuse("parameters of another number than the groups or channels")),
            };
            parameters.push((role, (0..channels).map(|channel| given[channel / shared_by]).collect()));
        }
        self.set_parameters(source, parameters);
        Ok(Value::Map(Seen { source, ..seen }))
    }

    /// A map as it is first seen.
    fn new_map(&self, source: Source) -> Value {
        let [channels, rows, columns] = self.shape(source);
        Value::Map(Seen { source, view: View::of_map([self.batch, channels, rows, columns]) })
    }

    fn pool(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let seen = self.map(node)?;
        let [channels, rows, columns] = self.shape(seen.source);
        let kernel = node.integers("kernel_shape").and_then(pair).ok_or_else(|| refuse("no kernel of two sides"))?;
        let sides = Sides::of(node, kernel, [rows, columns])?;
        if sides.dilation != [1; 2] {
            return Err(refuse("a window that is dilated"));
        }
        let rounds_up = node.integer("ceil_mode", 0) != 0;
        let sizes = sides.outputs([rows, columns], rounds_up).ok_or_else(|| refuse("a window larger than the map"))?;
        let is_mean = node.operator == "AveragePool";
        let counts_padding = is_mean && node.integer("count_include_pad", 0) != 0;
        let is_padded = sides.before != [0; 2] || sides.behind != [0; 2];
        let (input, [before, behind]) = if counts_padding && is_padded {
            // Zeros that count are part of the map. What a window that rounds up covers beyond them does not count.
            (self.padded(node, seen.source, sides.before, sides.behind)?, [[0; 2]; 2])
        } else {
            (seen.source, [sides.before, sides.behind])
        };
        let [_, rows, columns] = self.shape(input);
        let side = |axis: usize| {
            let (kernel, stride, before) = (sides.kernel[axis], sides.stride[axis], before[axis]);
            let beyond = ((sizes[axis] - 1) * stride + kernel).saturating_sub([rows, columns][axis] + before);
            Side { kernel, stride, before, behind: beyond.max(behind[axis]) }
        };
        let window = Window::of_sides([side(0), side(1)]);
        let window = window.map_err(|error| OnnxError::new(&node.place, error.to_string()))?;
        let op = if is_mean { Op::AveragePool(AveragePool { window }) } else { Op::MaxPool(MaxPool { window }) };
        let source = self.emit(node, op, vec![input], [channels, sizes[0], sizes[1]])?;
        Ok(self.new_map(source))
    }

    /// The mean, the sum or the maximum over all positions, or all of a row or a column.
    fn summary(&mut self, node: &Node, axes: &[usize], keep: bool) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let value = self.value(node, 0)?;
        let seen = self.computed(&value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        let (rank, mut left) = (seen.view.rank(), Vec::new());
        for axis in 0..rank {
            let is_position = seen.view.axis(axis).iter().all(|part| matches!(part.axis, Axis::Row | Axis::Column));
            match (axes.contains(&axis), is_position) {
                (true, true) => left.extend(keep.then_some(1)),
                (true, false) => return Err(refuse("a mean or maximum over something other than positions")),
                (false, true) if !seen.view.axis(axis).is_empty() => return self.summary_along(node, seen, axes, keep),
                (false, _) => left.push(seen.view.dims()[axis]),
            }
        }
        let [channels, rows, columns] = self.shape(seen.source);
        let op = match is_maximum(node) {
            true => Op::MaxPool(MaxPool { window: whole_window(node, [rows, columns])? }),
            false => Op::GlobalPool,
        };
        let source = self.emit(node, op, vec![seen.source], [channels, 1, 1])?;
        let view = View::of_map([self.batch, channels, 1, 1])
            .reshaped(&left)
            .ok_or_else(|| refuse("axes in another order"))?;
        Ok(of_sum(node, Seen { source, view }, rows * columns))
    }

    /// The mean, the sum or the maximum over the rows or the columns of a map: a pool whose window is as long as they are.
    fn summary_along(&mut self, node: &Node, seen: Seen, axes: &[usize], keep: bool) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "a mean or maximum over some positions only");
        let (shape, &[axis]) = (self.shape(seen.source), axes) else { return Err(refuse()) };
        let (mut kernel, mut left) = ([1; 2], shape);
        let along = match seen.view.axis(axis) {
            [Part { axis: Axis::Row, .. }] => 0,
            [Part { axis: Axis::Column, .. }] => 1,
            _ => return Err(refuse()),
        };
        (kernel[along], left[1 + along]) = (shape[1 + along], 1);
        let window = whole_window(node, kernel)?;
        let op =
            if is_maximum(node) { Op::MaxPool(MaxPool { window }) } else { Op::AveragePool(AveragePool { window }) };
        let source = self.emit(node, op, vec![seen.source], left)?;
        let view = if keep { seen.view.resized(axis, 1) } else { seen.view.without(axis) };
        Ok(of_sum(node, Seen { source, view }, kernel[along]))
    }

    fn concat(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let values: Vec<Value> =
            (0..node.inputs.len()).map(|index| self.value(node, index)).collect::<Result<_, _>>()?;
        let rank = values.first().map_or(0, |value| value.dims().len());
        let axis = fold::place(node.integer("axis", 0), rank).ok_or_else(|| refuse("no such axis"))?;
        if let [Value::Constant(class), Value::Map(seen)] = values.as_slice() {
            return self.behind_class_token(node, class, seen.clone(), axis);
        }
        let mut sources = Vec::with_capacity(values.len());
        let mut first: Option<Seen> = None;
        for value in &values {
            if let (Value::Constant(zeros), Some(first)) = (value, &first)
                && zeros.uniform() == Some(0.0)
                && zeros.dims.len() == rank
                && zeros.dims.iter().zip(first.view.dims()).enumerate().all(|(i, (&a, b))| a == b || i == axis)
            {
                sources.extend(self.zeros(node, first.source, zeros.dims[axis])?);
                continue;
            }
            let seen = self.computed(value, &node.place)?;
            let seen = self.plain(seen, &node.place)?;
            if !seen.view.has_channels_at(axis) {
                return Err(refuse("joins an axis other than the channels"));
            }
            if first.as_ref().is_some_and(|first| !first.view.is_like(&seen.view, axis)) {
                return Err(refuse("joins maps whose axes are not the same"));
            }
            sources.push(seen.source);
            first.get_or_insert(seen);
        }
        let source = self.concatenated(sources, node)?;
        let first = first.ok_or_else(|| refuse("joins nothing"))?;
        Ok(Value::Map(Seen { source, view: first.view.with_channels(self.shape(source)[0], axis) }))
    }

    fn behind_class_token(&mut self, node: &Node, class: &Tensor, seen: Seen, axis: usize) -> Result<Value, OnnxError> {
        let refuse =
            || OnnxError::new(&node.place, "joins a constant and a map in another way than a class token and patches");
        let seen = self.plain(seen, &node.place)?;
        let channels = self.shape(seen.source)[0];
        let is_tokens = axis == 1 && seen.view.rank() == 3 && seen.view.has_channels_at(2);
        if !is_tokens || class.dims != [self.batch, 1, channels] {
            return Err(refuse());
        }
        let token: Arc<[f32]> = class.as_floats().ok_or_else(refuse)?[..channels].into();
        // Positions may have been added to the patches before: then that of the class token is zero.
        if let Some(index) = seen.source
            && self.nodes[index].op == Op::Positions
        {
            let patches = self.nodes[index].inputs[0];
            let table = self.nodes[index].parameters.iter().find(|(role, _)| *role == Role::Position);
            let table = table.map_or_else(Vec::new, |(_, table)| [&vec![0.0; channels], &**table].concat());
            return self.tokens(node, patches, token, table.into());
        }
        Ok(Value::Untabled(seen, token))
    }

    /// A computed value and a constant that is no number.
    pub(super) fn with_constant(&mut self, node: &Node, value: Value, constant: &Tensor) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let value = match value {
            Value::Function(..) => Value::Map(self.computed(&value, &node.place)?),
            other => other,
        };
        match (value, node.operator.as_str()) {
            (Value::Untabled(seen, class), "Add") => {
                let [channels, rows, columns] = self.shape(seen.source);
                let tokens = rows * columns + 1;
                if constant.dims != [1, tokens, channels] {
                    return Err(refuse("a table of positions of another size"));
                }
                self.tokens(node, seen.source, class, floats(constant, node)?)
            }
            (Value::Map(seen), "Mul" | "Add") => self.by_constant(node, seen, constant),
            _ => Err(refuse("a constant that is neither a number, a bias, a factor per channel nor positions")),
        }
    }

    /// Patches behind a class token, with a table of positions added.
    fn tokens(
        &mut self,
        node: &Node,
        patches: Source,
        class: Arc<[f32]>,
        table: Arc<[f32]>,
    ) -> Result<Value, OnnxError> {
        let [channels, rows, columns] = self.shape(patches);
        let tokens = rows * columns + 1;
        let source = self.emit(node, Op::Tokens, vec![patches], [channels, tokens, 1])?;
        self.set_parameters(source, vec![(Role::ClassToken, class), (Role::Position, table)]);
        let view = View::of_map([self.batch, channels, tokens, 1]).transposed(&[0, 2, 1, 3]);
        let view = view.and_then(|view| view.reshaped(&[self.batch, tokens, channels]));
        Ok(Value::Map(Seen { source, view: view.ok_or_else(|| OnnxError::new(&node.place, "no tokens"))? }))
    }

    /// A factor or a summand for each channel, or a table of positions.
    fn by_constant(&mut self, node: &Node, seen: Seen, constant: &Tensor) -> Result<Value, OnnxError> {
        let seen = self.plain(seen, &node.place)?;
        let (rank, shape) = (seen.view.rank(), self.shape(seen.source));
        // Sizes of a constant stand under the last axes of the map.
        let missing = rank.saturating_sub(constant.dims.len());
        let axis = constant.dims.iter().position(|&size| size != 1).unwrap_or(0) + missing;
        let is_by_channel =
            constant.dims.len() <= rank && constant.len() == shape[0] && seen.view.has_channels_at(axis);
        let numbers = floats(constant, node)?;
        if is_by_channel && self.take_into_norm(node, seen.source, &numbers) {
            return Ok(Value::Map(seen));
        }
        let (op, role, numbers) = if node.operator == "Mul" {
            if !is_by_channel {
                return Err(OnnxError::new(&node.place, "a constant factor of something other than each channel"));
            }
            (Op::Scale, Role::Gain, numbers)
        } else {
            let table = self.table_of_positions(&seen, constant, &numbers);
            let reason = "a constant summand that is neither a bias nor a vector for each position";
            (Op::Positions, Role::Position, table.ok_or_else(|| OnnxError::new(&node.place, reason))?)
        };
        let source = self.emit(node, op, vec![seen.source], shape)?;
        self.set_parameters(source, vec![(role, numbers)]);
        Ok(Value::Map(Seen { source, ..seen }))
    }

    /// Takes a factor or summand of each channel into the normalisation before, if nobody else reads that: exporters write the
    /// gain and the shift behind it.
    fn take_into_norm(&mut self, node: &Node, source: Source, numbers: &[f32]) -> bool {
        let takes = |norm: &Lowered| match norm.op {
            Op::GroupNorm(_) => true,
            // One that was found in pieces has none of its own yet.
            Op::LayerNorm(_) if node.operator == "Mul" => norm.parameters.is_empty(),
            Op::LayerNorm(_) => norm.parameters.iter().all(|(role, _)| *role == Role::Gain),
            _ => false,
        };
        let Some(index) = source.filter(|&index| takes(&self.nodes[index])) else { return false };
        // From the normalisation to here there is one reader after the other.
        let mut name = self.nodes[index].name.as_str();
        loop {
            match self.only_reader(name) {
                Some(reader) if std::ptr::eq(reader, node) => break,
                Some(reader) if reader.operator == "Reshape" && reader.outputs.len() == 1 => name = &reader.outputs[0],
                _ => return false,
            }
        }
        let norm = &mut self.nodes[index];
        if matches!(norm.op, Op::LayerNorm(_)) {
            let role = if node.operator == "Mul" { Role::Gain } else { Role::Shift };
            norm.parameters.push((role, numbers.into()));
        } else {
            let roles: &[Role] = if node.operator == "Mul" { &[Role::Gain, Role::Shift] } else { &[Role::Shift] };
            let combine = |(a, b): (&f32, &f32)| if node.operator == "Mul" { a * b } else { a + b };
            for (_, parameter) in norm.parameters.iter_mut().filter(|(role, _)| roles.contains(role)) {
                *parameter = parameter.iter().zip(numbers).map(combine).collect();
            }
        }
        if let Some(name) = node.outputs.first() {
            norm.name.clone_from(name);
        }
        true
    }

    /// What a constant adds to each position of a map, a row a position; `None` if it is not the same for all images, or not of
    /// every position.
    fn table_of_positions(&self, seen: &Seen, constant: &Tensor, numbers: &[f32]) -> Option<Arc<[f32]>> {
        let [channels, rows, columns] = self.shape(seen.source);
        let dims = seen.view.dims();
        let missing = dims.len().checked_sub(constant.dims.len())?;
        let size_of = |axis: usize| axis.checked_sub(missing).map_or(1, |axis| constant.dims[axis]);
        let is_of_batch = |axis: usize| seen.view.axis(axis).iter().any(|part| part.axis == Axis::Batch);
        if (0..dims.len()).any(|axis| size_of(axis) != if is_of_batch(axis) { 1 } else { dims[axis] }) {
            return None;
        }
        let mut table = Vec::with_capacity(numbers.len());
        for place in 0..rows * columns * channels {
            let (position, channel) = (place / channels, place % channels);
            let mut index = 0;
            for part in (0..dims.len()).filter(|&axis| !is_of_batch(axis)).flat_map(|axis| seen.view.axis(axis)) {
                let at = match part.axis {
                    Axis::Batch => 0,
                    Axis::Row => position / columns,
                    Axis::Column => position % columns,
                    Axis::Channel => channel,
                };
                index = index * part.size + at / part.stride % part.size;
            }
            table.push(*numbers.get(index)?);
        }
        Some(table.into())
    }

    /// A sum or product of two computed maps.
    pub(super) fn of_two_maps(&mut self, node: &Node, left: &Value, right: &Value) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let left = self.computed(left, &node.place)?;
        let left = self.plain(left, &node.place)?;
        let right = self.computed(right, &node.place)?;
        let right = self.plain(right, &node.place)?;
        match node.operator.as_str() {
            "Add" if left.view == right.view => {
                let source = self.emit(node, Op::Add, vec![left.source, right.source], self.shape(left.source))?;
                Ok(Value::Map(Seen { source, ..left }))
            }
            "Sub" if left.view == right.view => {
                let shape = self.shape(left.source);
                let negative = self.moved_channels(times(-1.0), right.source, shape, &node.place);
                let source = self.emit(node, Op::Add, vec![left.source, negative], shape)?;
                Ok(Value::Map(Seen { source, ..left }))
            }
            "Add" | "Sub" => Err(refuse("a sum of maps whose axes are not the same")),
            "Mul" => {
                // A gate of one number per channel and image may stand on either side.
                let is_gate = |seen: &Seen| self.shape(seen.source)[1..] == [1; 2];
                let [map, factor] = if is_gate(&left) { [right, left] } else { [left, right] };
                let (of_map, of_factor) = (self.shape(map.source), self.shape(factor.source));
                let meets_all = of_factor == [of_map[0], 1, 1] && map.view.is_map() && factor.view.is_map();
                if map.view != factor.view && !meets_all {
                    return Err(refuse("a product of maps whose axes are not the same"));
                }
                let source = self.emit(node, Op::Product, vec![map.source, factor.source], of_map)?;
                Ok(Value::Map(Seen { source, ..map }))
            }
            _ => Err(refuse("a quotient of two maps, which there is no op for")),
        }
    }

    fn gemm(&mut self, node: &'f Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        if node.float("alpha", 1.0) != 1.0 || node.float("beta", 1.0) != 1.0 || node.integer("transA", 0) != 0 {
            return Err(refuse("factors, or a turned map"));
        }
        let weight = self.constant(node, 1)?;
        let weight = if node.integer("transB", 0) == 0 { self.turned(&weight, node)? } else { weight };
        let bias = self.optional(node, 2)?;
        self.linear(node, &weight, bias.as_ref())
    }

    /// A product with a constant, and the bias if that is all the result is for.
    pub(super) fn linear_by(&mut self, node: &'f Node, weight: &Tensor) -> Result<Value, OnnxError> {
        let weight = self.turned(weight, node)?;
        let name = node.outputs.first().map(String::as_str).unwrap_or_default();
        let bias = self.only_reader(name).filter(|reader| reader.operator == "Add").and_then(|reader| {
            let other = reader.inputs.iter().find(|input| *input != name)?;
            match self.values.get(other.as_str()) {
                Some(Value::Constant(bias)) if bias.dims == [weight.dims[0]] => Some((reader, bias.clone())),
                _ => None,
            }
        });
        let value = self.linear(node, &weight, bias.as_ref().map(|(_, bias)| bias))?;
        if let Some((reader, _)) = bias {
            // The sum finds its bias in its map already.
            let Value::Map(seen) = &value else { return Ok(value) };
            if let Some(index) = seen.source {
                self.nodes[index].name = reader.outputs.first().cloned().unwrap_or_default();
                self.biased.push(reader.outputs.first().map(String::as_str).unwrap_or_default());
            }
        }
        Ok(value)
    }

    /// A linear map of the channels of each position, `weight` being outputs × inputs; of all numbers of an image, it is a
    /// convolution with a kernel as large as the map.
    fn linear(&mut self, node: &Node, weight: &Tensor, bias: Option<&Tensor>) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let &[outputs, inputs] = weight.dims.as_slice() else {
            return Err(refuse("weights of other than two dimensions"));
        };
        let value = self.value(node, 0)?;
        let seen = self.computed(&value, &node.place)?;
        let seen = self.plain(seen, &node.place)?;
        let rank = seen.view.rank();
        let [channels, rows, columns] = self.shape(seen.source);
        let mut parameters = vec![(Role::Weight, floats(weight, node)?)];
        if let Some(bias) = bias {
            if bias.len() != outputs {
                return Err(refuse("a bias of another size"));
            }
            parameters.push((Role::Bias, floats(bias, node)?));
        }
        let convolution = |kernel: [usize; 2]| {
            let kernel_only = Convolution::same(outputs, 1, 1);
            Op::Convolution(Convolution { kernel, padding: [0; 2], bias: bias.is_some(), ..kernel_only })
        };
        let (source, view) = if rank > 0 && seen.view.has_channels_at(rank - 1) && inputs == channels {
            let op = if bias.is_some() { Op::Linear(Linear { channels: outputs }) } else { convolution([1; 2]) };
            let source = self.emit(node, op, vec![seen.source], [outputs, rows, columns])?;
            (source, seen.view.with_channels(outputs, rank - 1))
        } else if rank == 2 && seen.view.is_image_at(1) && inputs == channels * rows * columns {
            let source = self.emit(node, convolution([rows, columns]), vec![seen.source], [outputs, 1, 1])?;
            (
                source,
                View::of_map([self.batch, outputs, 1, 1])
                    .reshaped(&[self.batch, outputs])
                    .ok_or_else(|| refuse("no vectors"))?,
            )
        } else {
            return Err(refuse("a product with something other than the channels of each position or all of an image"));
        };
        self.set_parameters(source, parameters);
        Ok(Value::Map(Seen { source, view }))
    }

    /// A matrix with rows and columns exchanged.
    fn turned(&mut self, matrix: &Tensor, node: &Node) -> Result<Tensor, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "weights that are no matrix of numbers");
        let &[rows, columns] = matrix.dims.as_slice() else { return Err(refuse()) };
        let elements = matrix.as_floats().ok_or_else(refuse)?;
        self.room.take(elements.len(), node)?;
        let turned = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
        Ok(Tensor::floats(vec![columns, rows], turned.map(|place| elements[place]).collect()))
    }

    fn gain_and_shift(&self, node: &Node, channels: usize) -> Result<Parameters, OnnxError> {
        let mut parameters = Vec::new();
        for (index, role) in [(1, Role::Gain), (2, Role::Shift)] {
            if let Some(tensor) = self.optional(node, index)? {
                if tensor.len() != channels {
                    return Err(OnnxError::new(&node.place, "parameters of another number than the channels"));
                }
                parameters.push((role, floats(&tensor, node)?));
            }
        }
        Ok(parameters)
    }
}

fn has_parameters(op: &Op) -> bool {
    let is_norm = matches!(op, Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_));
    is_norm || matches!(op, Op::Convolution(_) | Op::Linear(_) | Op::Scale | Op::Tokens | Op::Positions)
}

/// A factor.
fn times(factor: f64) -> Op {
    Op::Activation(Activation::Times { factor: rounded(factor).into() })
}

/// The ops of a function that was recognised, one after the other.
fn ops(known: Known) -> Vec<Op> {
    let activation = match known {
        Known::Identity => return Vec::new(),
        Known::Square => return vec![Op::Product],
        Known::Relu => return vec![Op::Relu],
        Known::SquaredRelu => return vec![Op::Relu, Op::Product],
        Known::Relu6 => Activation::Relu6,
        Known::LeakyRelu(slope) => Activation::LeakyRelu { slope: rounded(slope).into() },
        Known::Elu(limit) => Activation::Elu { alpha: rounded(limit).into() },
        Known::Sigmoid => Activation::Sigmoid,
        Known::HardSigmoid => Activation::HardSigmoid,
        Known::Silu => Activation::Silu,
        Known::HardSwish => Activation::HardSwish,
        Known::Tanh => Activation::Tanh,
        Known::Gelu => Activation::Gelu,
        Known::Mish => Activation::Mish,
        Known::QuickGelu => return vec![times(QUICK), Op::Activation(Activation::Silu), times(1.0 / QUICK)],
    };
    vec![Op::Activation(activation)]
}

/// A constant as its file meant it: six digits are as much as single precision and samples of a curve hold for sure.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

pub(super) fn positive(epsilon: f64, node: &Node) -> Result<f64, OnnxError> {
    if epsilon.is_finite() && epsilon > 0.0 {
        Ok(epsilon)
    } else {
        Err(OnnxError::new(&node.place, "an epsilon that is not positive"))
    }
}

fn is_maximum(node: &Node) -> bool {
    matches!(node.operator.as_str(), "ReduceMax" | "GlobalMaxPool")
}

/// A window over all of these sides.
fn whole_window(node: &Node, sides: [usize; 2]) -> Result<Window, OnnxError> {
    let side = |kernel| Side { kernel, stride: 1, before: 0, behind: 0 };
    Window::of_sides(sides.map(side)).map_err(|error| OnnxError::new(&node.place, error.to_string()))
}

/// A mean over so many numbers; where their sum is asked for, times as many.
fn of_sum(node: &Node, mean: Seen, count: usize) -> Value {
    if node.operator == "ReduceSum" {
        Value::Function(mean, Curve::of(|x| x * count as f64), node.outputs.first().cloned().unwrap_or_default())
    } else {
        Value::Map(mean)
    }
}

fn floats(tensor: &Tensor, node: &Node) -> Result<Arc<[f32]>, OnnxError> {
    let refuse = |reason: &str| OnnxError::new(&node.place, reason);
    let floats = tensor.as_floats().ok_or_else(|| refuse("parameters that are integers"))?;
    if floats.is_empty() { Err(refuse("parameters of no size")) } else { Ok(floats.clone()) }
}

fn pair(sides: &[i64]) -> Option<[usize; 2]> {
    let &[rows, columns] = sides else { return None };
    Some([usize::try_from(rows).ok()?, usize::try_from(columns).ok()?])
}

impl Sides {
    fn of(node: &Node, kernel: [usize; 2], map: [usize; 2]) -> Result<Self, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let read = |name: &str| match node.integers(name) {
            Some(sides) => pair(sides).filter(|sides| !sides.contains(&0)),
            None => Some([1; 2]),
        };
        let stride = read("strides").ok_or_else(|| refuse("strides that are not two, or 0"))?;
        let dilation = read("dilations").ok_or_else(|| refuse("dilations that are not two, or 0"))?;
        let pads = match node.integers("pads") {
            Some(&[top, left, bottom, right]) => [top, left, bottom, right].map(|pad| usize::try_from(pad).ok()),
            Some(_) => return Err(refuse("padding of other than four sides")),
            None => [Some(0); 4],
        };
        let [Some(top), Some(left), Some(bottom), Some(right)] = pads else { return Err(refuse("negative padding")) };
        let (mut before, mut behind) = ([top, left], [bottom, right]);
        match node.text("auto_pad") {
            None | Some("" | "NOTSET") => {}
            Some("VALID") => (before, behind) = ([0; 2], [0; 2]),
            Some(same @ ("SAME_UPPER" | "SAME_LOWER")) => {
                for axis in 0..2 {
                    let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]) + 1;
                    let covered =
                        (map[axis].div_ceil(stride[axis]) - 1).saturating_mul(stride[axis]).saturating_add(reach);
                    let total = covered.saturating_sub(map[axis]);
                    let (less, more) = (total / 2, total - total / 2);
                    (before[axis], behind[axis]) = if same == "SAME_UPPER" { (less, more) } else { (more, less) };
                }
            }
            Some(_) => return Err(refuse("an auto_pad that is not understood")),
        }
        Ok(Self { kernel, stride, dilation, before, behind })
    }

    /// Rows and columns of the result. Where it rounds up, no window begins behind the map, as in PyTorch.
    fn outputs(&self, map: [usize; 2], ceil: bool) -> Option<[usize; 2]> {
        let mut sizes = [0; 2];
        for axis in 0..2 {
            let reach = self.kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1)?;
            let padded = map[axis].checked_add(self.before[axis])?.checked_add(self.behind[axis])?;
            let room = padded.checked_sub(reach)?;
            let (last, begun) = (room / self.stride[axis], map[axis].checked_add(self.before[axis])?);
            let rounded = room.div_ceil(self.stride[axis]);
            sizes[axis] = if ceil && rounded.checked_mul(self.stride[axis])? < begun { rounded } else { last } + 1;
        }
        Some(sizes)
    }
}
