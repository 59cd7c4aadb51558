//! From operators of a model to ops of `aznas`, in one list for the whole network.
//!
//! A tensor of the model is a constant, a view of a computed map, or one of the few things in between that operators are
//! recognised by: a function of a map, tokens that wait for their positions, the logits of an attention, noise. So the
//! patterns that exporters write for one operator are found by what each tensor *is*, not by how many nodes lead there.

mod attention;
mod emit;
mod moments;
mod pointwise;

use super::OnnxError;
use super::file::{File, Node};
use super::fold::{self, Range, Room};
use super::tensor::Tensor;
use super::view::{Axis, View};
use attention::Logits;
use aznas::graph::Op;
use aznas::tensor::Role;
use moments::Moment;
use pointwise::Curve;
use std::collections::HashMap;
use std::sync::Arc;

/// A computed map.
#[derive(Clone, Debug)]
pub(super) struct Lowered {
    pub(super) op: Op,
    /// What it reads.
    pub(super) inputs: Vec<Source>,
    /// Channels, rows and columns.
    pub(super) shape: [usize; 3],
    /// The node of the model, for messages.
    pub(super) place: String,
    /// The name of the tensor in the model.
    pub(super) name: String,
    /// The names of tensors that are the same map.
    pub(super) aliases: Vec<String>,
    /// The parameters that the model has, as `aznas` wants them.
    pub(super) parameters: Parameters,
}

/// Parameters by role.
pub(super) type Parameters = Vec<(Role, Arc<[f32]>)>;

/// Where a map comes from: the input of the network, or the n-th of the list.
pub(super) type Source = Option<usize>;

/// A network as one list.
pub(super) struct Lowering {
    /// Channels, rows and columns of an image.
    pub(super) input: [usize; 3],
    pub(super) nodes: Vec<Lowered>,
    /// Where the logits come from.
    pub(super) output: Source,
    /// Convolutions and no normalisation anywhere: it may have been folded into them.
    pub(super) may_be_folded: bool,
}

/// A view of a computed map.
#[derive(Clone)]
struct Seen {
    source: Source,
    view: View,
}

/// What is known of a tensor of the model.
#[derive(Clone)]
enum Value {
    Constant(Tensor),
    Map(Seen),
    /// A function of every number of a map, with the name of the tensor.
    Function(Seen, Curve, String),
    /// Positions of a map behind a class token: tokens once a table of positions is added.
    Untabled(Seen, Arc<[f32]>),
    Logits(Logits),
    Probabilities(Logits),
    /// A mean over the channels of a map, or what a normalisation by hand makes of it.
    Moment(Moment),
    /// Parts of a tensor.
    Sequence(Vec<Value>),
    /// Random numbers that drop paths while training, of these dimensions. At initialisation nothing is dropped.
    Noise(Vec<usize>),
}

impl Value {
    fn dims(&self) -> Vec<usize> {
        match self {
            Self::Constant(tensor) => tensor.dims.clone(),
            Self::Map(seen) | Self::Function(seen, ..) => seen.view.dims(),
            Self::Untabled(seen, _) => {
                let mut dims = seen.view.dims();
                dims[1] += 1;
                dims
            }
            Self::Logits(logits) | Self::Probabilities(logits) => logits.dims(),
            Self::Moment(moment) => moment.dims(),
            Self::Noise(dims) => dims.clone(),
            Self::Sequence(_) => Vec::new(),
        }
    }
}

/// The work under way.
struct Work<'f> {
    file: &'f File,
    batch: usize,
    input: [usize; 3],
    values: HashMap<&'f str, Value>,
    /// How often each tensor is read.
    readers: HashMap<&'f str, Vec<usize>>,
    nodes: Vec<Lowered>,
    /// What may still be made of constants.
    room: Room,
    /// Sums with a bias that the product before them has taken along.
    biased: Vec<&'f str>,
}

/// The batch that shapes are worked out for where the model leaves it open; no other size is likely to equal it by chance.
const OPEN_BATCH: usize = 31;

/// Lowers a whole model. Open rows and columns are those of `resolution`.
pub(super) fn lower(file: &File, resolution: Option<usize>) -> Result<Lowering, OnnxError> {
    let place = format!("input {}", file.input);
    let refuse = |reason: &str| OnnxError::new(&place, reason);
    let &[batch, channels, rows, columns] = file.input_dims.as_slice() else {
        return Err(refuse("expected four dimensions: batch, channels, rows, columns"));
    };
    let open = "left open by the model: give a resolution";
    let side = |given: Option<usize>| given.or(resolution).ok_or_else(|| refuse(open));
    let channels = channels.ok_or_else(|| refuse("the number of channels is left open by the model"))?;
    let (batch, rows, columns) = (batch.unwrap_or(OPEN_BATCH), side(rows)?, side(columns)?);
    let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in file.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|name| readers.entry(name).or_default().push(index));
    }
    let view = View::of_map([batch, channels, rows, columns]);
    let mut values: HashMap<&str, Value> = HashMap::new();
    values.insert(&file.input, Value::Map(Seen { source: None, view }));
    file.constants.iter().for_each(|(name, tensor)| {
        values.insert(name, Value::Constant(tensor.clone()));
    });
    let input = [channels, rows, columns];
    numbers([batch, channels, rows, columns]).ok_or_else(|| refuse("more numbers than fit any memory"))?;
    let room = Room::of_file(file.len);
    let mut work = Work { file, batch, input, values, readers, nodes: Vec::new(), room, biased: Vec::new() };
    for node in &file.nodes {
        // What nothing reads, such as the statistics that training keeps, is not worth an error.
        let is_read = |name: &String| work.readers.contains_key(name.as_str()) || *name == file.output;
        if node.outputs.iter().any(is_read) {
            let value = work.node(node)?;
            let name = node.outputs.first().map(String::as_str).unwrap_or_default();
            for (index, part) in value.into_iter().enumerate() {
                let name = node.outputs.get(index).map_or(name, String::as_str);
                if let Value::Map(Seen { source: Some(index), view }) = &part
                    && view.is_map()
                    && work.nodes[*index].name != name
                {
                    work.nodes[*index].aliases.push(name.to_string());
                }
                work.values.insert(name, part);
            }
        }
    }
    let result = work.values.get(file.output.as_str()).cloned();
    let last = result.ok_or_else(|| OnnxError::new("outputs", "nothing computes the output"))?;
    let seen = work.computed(&last, "outputs")?;
    let output = work.plain(seen, "outputs")?.source;
    let has = |find: fn(&Op) -> bool| work.nodes.iter().any(|node| find(&node.op));
    let may_be_folded = has(|op| matches!(op, Op::Convolution(_)))
        && !has(|op| matches!(op, Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_)));
    Ok(Lowering { input, nodes: work.nodes, output, may_be_folded })
}

/// Numbers of a map; none if there are more than any memory has, in this map or in some of its size.
fn numbers(dims: [usize; 4]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim)).filter(|&numbers| numbers <= 1 << 40)
}

impl<'f> Work<'f> {
    fn value(&self, node: &Node, index: usize) -> Result<Value, OnnxError> {
        let name = node.inputs.get(index).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| OnnxError::new(&node.place, format!("input {index} is missing")))?;
        let value = self.values.get(name.as_str()).cloned();
        value.ok_or_else(|| OnnxError::new(&node.place, format!("reads {name}, which was not understood")))
    }

    fn constant(&self, node: &Node, index: usize) -> Result<Tensor, OnnxError> {
        match self.value(node, index)? {
            Value::Constant(tensor) => Ok(tensor),
            _ => Err(OnnxError::new(&node.place, format!("input {index} is computed; only a constant is understood"))),
        }
    }

    fn optional(&self, node: &Node, index: usize) -> Result<Option<Tensor>, OnnxError> {
        match node.inputs.get(index) {
            Some(name) if !name.is_empty() => self.constant(node, index).map(Some),
            _ => Ok(None),
        }
    }

    /// The only node that reads the numbers of a tensor, and not only its shape or type.
    fn only_reader(&self, name: &str) -> Option<&'f Node> {
        let reads_numbers = |node: &&Node| match node.operator.as_str() {
            "Shape" => false,
            "CastLike" => node.inputs.first().is_some_and(|input| input == name),
            _ => true,
        };
        let file = self.file;
        let mut readers = self.readers.get(name)?.iter().map(|&index| &file.nodes[index]).filter(reads_numbers);
        readers.next().filter(|_| readers.next().is_none() && name != file.output)
    }

    /// What a node computes, a value an output.
    fn node(&mut self, node: &'f Node) -> Result<Vec<Value>, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let values: Vec<Option<Value>> =
            node.inputs.iter().map(|name| self.values.get(name.as_str()).cloned()).collect();
        match node.operator.as_str() {
            "Shape" => return Ok(vec![Value::Constant(fold::shape(node, &self.value(node, 0)?.dims())?)]),
            "CastLike" => {
                let is_number = !matches!(self.value(node, 1)?, Value::Constant(like) if like.as_integers().is_some());
                let value = match self.value(node, 0)? {
                    Value::Constant(constant) if is_number => Value::Constant(constant.into_floats()),
                    value => value,
                };
                return Ok(vec![value]);
            }
            _ => {}
        }
        let constants: Option<Vec<&Tensor>> = values
            .iter()
            .zip(&node.inputs)
            .filter(|(_, name)| !name.is_empty())
            .map(|(value, _)| match value {
                Some(Value::Constant(tensor)) => Some(tensor),
                _ => None,
            })
            .collect();
        if let Some(constants) = constants
            && let Some(folded) = fold::fold(node, &constants, &mut self.room)?
        {
            return Ok(vec![Value::Constant(folded)]);
        }
        let is_noise = values.iter().flatten().any(|value| matches!(value, Value::Noise(_)));
        if is_noise || node.operator.starts_with("Random") {
            return self.noise(node, &values).map(|value| vec![value]);
        }
        if values.iter().flatten().any(|value| matches!(value, Value::Moment(_))) {
            return self.of_moments(node).map(|value| vec![value]);
        }
        match node.operator.as_str() {
            "Identity" | "Dropout" | "Cast" => Ok(vec![self.value(node, 0)?]),
            "Max" | "Min" | "Sum" if node.inputs.len() == 1 => Ok(vec![self.value(node, 0)?]),
            "Expand" => self.repeated(node).map(|value| vec![value]),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                let value = self.value(node, 0)?;
                let dims = fold::reshape(node, &value.dims(), self.optional(node, 1)?.as_ref())?;
                self.moved(node, value, |view| view.reshaped(&dims)).map(|value| vec![value])
            }
            "Transpose" => {
                let value = self.value(node, 0)?;
                let rank = value.dims().len();
                let order: Option<Vec<usize>> = match node.integers("perm") {
                    Some(order) => order.iter().map(|&axis| fold::place(axis, rank)).collect(),
                    None => Some((0..rank).rev().collect()),
                };
                let order = order.ok_or_else(|| refuse("no such axis"))?;
                self.moved(node, value, |view| view.transposed(&order)).map(|value| vec![value])
            }
            "Gather" => self.gather(node).map(|value| vec![value]),
            "Slice" => {
                let value = self.value(node, 0)?;
                let parameters: Vec<Tensor> =
                    (1..node.inputs.len()).map(|index| self.constant(node, index)).collect::<Result<_, _>>()?;
                let parameters: Vec<&Tensor> = parameters.iter().collect();
                let ranges = fold::ranges(node, &value.dims(), &parameters)?;
                let sliced = ranges.into_iter().try_fold(value, |value, range| match range {
                    Range { axis, start, len, step: 1 } => self.slice(node, value, axis, start, len),
                    range => self.every_so_many(node, &value, range),
                });
                sliced.map(|value| vec![value])
            }
            "Split" => self.split(node, node.outputs.len()),
            "SplitToSequence" => {
                let value = self.value(node, 0)?;
                let parts = self.parts_of_sequence(node, &value.dims())?;
                // Each is worth as much as a small constant.
                self.room.take(parts.saturating_mul(64), node)?;
                self.split(node, parts).map(|parts| vec![Value::Sequence(parts)])
            }
            "SequenceAt" => {
                let (value, place) = (self.value(node, 0)?, self.constant(node, 1)?.scalar());
                let Value::Sequence(parts) = value else { return Err(refuse("part of something that has none")) };
                let part = place.and_then(|place| parts.get(fold::place(place as i64, parts.len())?).cloned());
                part.map(|part| vec![part]).ok_or_else(|| refuse("no such part"))
            }
            "Add" if node.outputs.first().is_some_and(|name| self.biased.contains(&name.as_str())) => {
                let maps = (0..2).map(|index| self.value(node, index)).collect::<Result<Vec<_>, _>>()?;
                Ok(maps.into_iter().filter(|value| matches!(value, Value::Map(_))).collect())
            }
            "Mul" | "Div" | "Add" | "Sub" => self.arithmetic(node).map(|value| vec![value]),
            "MatMul" => self.product(node).map(|value| vec![value]),
            "Einsum" => self.einsum(node).map(|value| vec![value]),
            "Softmax" | "LogSoftmax" => self.softmax(node).map(|value| vec![value]),
            "Max" | "Min" => self.bounded(node).map(|value| vec![value]),
            _ if Curve::understands(&node.operator) => self.function(node).map(|value| vec![value]),
            _ => self.computed_by(node).map(|value| vec![value]),
        }
    }

    /// Random numbers, what is made of them, and the product with a map, which at initialisation is the map.
    fn noise(&self, node: &Node, values: &[Option<Value>]) -> Result<Value, OnnxError> {
        let map = values.iter().flatten().find(|value| matches!(value, Value::Map(_) | Value::Function(..)));
        match (map, node.operator.as_str()) {
            (Some(map), "RandomUniformLike" | "RandomNormalLike" | "Bernoulli") => Ok(Value::Noise(map.dims())),
            // What is kept may have been divided by the share of it before.
            (Some(Value::Function(seen, curve, _)), "Mul") if curve.factor().is_some() => Ok(Value::Map(seen.clone())),
            (Some(map), "Mul") => Ok(map.clone()),
            (None, "RandomUniform" | "RandomNormal" | "RandomUniformLike" | "RandomNormalLike") => {
                let given: Option<Vec<usize>> =
                    node.integers("shape").map(|shape| shape.iter().map(|&size| size.max(0) as usize).collect());
                fold::check_axes(given.as_ref().map_or(0, Vec::len), &node.place)?;
                Ok(Value::Noise(given.or_else(|| values.iter().flatten().next().map(Value::dims)).unwrap_or_default()))
            }
            (None, "Less" | "Greater" | "Cast" | "Floor" | "Div" | "Add" | "Sub" | "Mul" | "Not" | "Bernoulli") => {
                let noise = values.iter().flatten().find(|value| matches!(value, Value::Noise(_)));
                noise.cloned().ok_or_else(|| OnnxError::new(&node.place, "random numbers without a shape"))
            }
            _ => Err(OnnxError::new(&node.place, "random numbers that do more than drop paths")),
        }
    }

    /// A view that is moved about. Where the parts of an axis do not allow it, the map is made as it is seen first.
    fn moved(&mut self, node: &Node, value: Value, to: impl Fn(&View) -> Option<View>) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "moves axes in a way that is not understood");
        match value {
            Value::Map(seen) => match to(&seen.view) {
                // A map again, with its channels shuffled: computed here, it is a tensor that a block may end at.
                Some(view) if view.is_map_of_shuffled_channels() => {
                    let shuffled = self.plain(Seen { view, ..seen }, &node.place)?;
                    if let (Some(index), Some(name)) = (shuffled.source, node.outputs.first()) {
                        self.nodes[index].name.clone_from(name);
                    }
                    Ok(Value::Map(shuffled))
                }
                Some(view) => Ok(Value::Map(Seen { view, ..seen })),
                None => {
                    let plain = self.plain(seen, &node.place)?;
                    let view = to(&plain.view).ok_or_else(refuse)?;
                    Ok(Value::Map(Seen { view, ..plain }))
                }
            },
            Value::Function(seen, curve, name) => {
                let view = to(&seen.view).ok_or_else(refuse)?;
                Ok(Value::Function(Seen { view, ..seen }, curve, name))
            }
            _ => Err(refuse()),
        }
    }

    fn slice(&mut self, node: &Node, value: Value, axis: usize, start: usize, len: usize) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "takes part of an axis other than the channels");
        let seen = self.computed(&value, &node.place)?;
        if let Some(view) = seen.view.sliced(axis, start, len) {
            return Ok(Value::Map(Seen { view, ..seen }));
        }
        let seen = self.plain(seen, &node.place)?;
        let view = seen.view.sliced(axis, start, len).ok_or_else(refuse)?;
        Ok(Value::Map(Seen { view, ..seen }))
    }

    /// How many parts a tensor is split into by their sizes, or by the size of each.
    fn parts_of_sequence(&self, node: &Node, dims: &[usize]) -> Result<usize, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let axis = fold::place(node.integer("axis", 0), dims.len()).ok_or_else(|| refuse("no such axis"))?;
        let sizes = self.optional(node, 1)?.ok_or_else(|| refuse("parts of one place, without sizes"))?;
        let sizes =
            fold::sizes(&sizes).filter(|sizes| !sizes.contains(&0)).ok_or_else(|| refuse("sizes that are none"))?;
        Ok(if let [size] = *sizes.as_slice() { dims[axis].div_ceil(size) } else { sizes.len() })
    }

    fn split(&mut self, node: &Node, parts: usize) -> Result<Vec<Value>, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let value = self.value(node, 0)?;
        let dims = value.dims();
        let axis = fold::place(node.integer("axis", 0), dims.len()).ok_or_else(|| refuse("no such axis"))?;
        let sizes = match self.optional(node, 1)?.as_ref().map(fold::sizes) {
            // One size is that of every part.
            Some(Some(sizes)) if sizes.len() == 1 => vec![sizes[0]; parts],
            Some(sizes) => sizes.ok_or_else(|| refuse("sizes that are none"))?,
            None => match node.integers("split") {
                Some(sizes) => sizes.iter().map(|&size| size.max(0) as usize).collect(),
                None => vec![dims[axis].div_ceil(parts.max(1)); parts],
            },
        };
        if sizes.len() != parts {
            return Err(refuse("another number of sizes than outputs"));
        }
        let mut start = 0;
        let mut values = Vec::with_capacity(sizes.len());
        for size in sizes {
            let size = size.min(dims[axis].saturating_sub(start));
            values.push(self.slice(node, value.clone(), axis, start, size)?);
            start += size;
        }
        Ok(values)
    }

    /// A map repeated to fit another: what reads it repeats it anyway.
    fn repeated(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = || OnnxError::new(&node.place, "repeats a map to a shape that does not fit it");
        let (value, shape) = (self.value(node, 0)?, self.constant(node, 1)?);
        let (dims, asked) = (value.dims(), fold::sizes(&shape).ok_or_else(refuse)?);
        let fits = |(&dim, &asked): (&usize, &usize)| dim == asked || dim == 1 || asked == 1;
        if asked.len() == dims.len() && dims.iter().zip(&asked).all(fits) { Ok(value) } else { Err(refuse()) }
    }

    /// One place of an axis: of channels, or the first of the tokens. Places that are counted up one by one are all there are,
    /// in another shape.
    fn gather(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let refuse = |reason: &str| OnnxError::new(&node.place, reason);
        let value = self.value(node, 0)?;
        let axis = fold::place(node.integer("axis", 0), value.dims().len()).ok_or_else(|| refuse("no such axis"))?;
        let index = self.constant(node, 1)?;
        if let Some(places) = index.as_integers()
            && places.len() == value.dims()[axis]
            && places.iter().copied().eq(0..places.len() as i64)
        {
            let mut dims = value.dims();
            dims.splice(axis..=axis, index.dims.iter().copied());
            fold::check_axes(dims.len(), &node.place)?;
            return self.moved(node, value, |view| view.reshaped(&dims));
        }
        let (Some(&[index]), true) = (index.as_integers(), index.dims.is_empty()) else {
            return Err(refuse("takes other places than one"));
        };
        let seen = self.computed(&value, &node.place)?;
        let index = fold::place(index, seen.view.dims()[axis]).ok_or_else(|| refuse("no such place"))?;
        if let Some(view) = seen.view.picked(axis, index) {
            return Ok(Value::Map(Seen { view, ..seen }));
        }
        let is_tokens = matches!(seen.view.axis(axis), [part] if part.axis == Axis::Row);
        if !is_tokens || index != 0 {
            return Err(refuse("takes one place of an axis other than the channels or the first token"));
        }
        self.first_token(seen, axis, node).map(Value::Map)
    }
}
