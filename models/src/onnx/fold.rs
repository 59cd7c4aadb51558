//! Operators on constants: shapes that models compute, and weights that they turn.

use super::OnnxError;
use super::file::Node;
use super::tensor::{Elements, Tensor};

/// Most axes of a tensor.
pub(super) const MOST_AXES: usize = 16;

/// Elements that may still be made of constants: shapes, masks and turned weights are about as many as the file has bytes,
/// tensors blown up by a hostile shape are more.
pub(super) struct Room(usize);

impl Room {
    /// For a file of so many bytes.
    pub(super) fn of_file(bytes: usize) -> Self {
        Self(bytes.saturating_add(1 << 16))
    }

    /// Takes the room of so many elements.
    pub(super) fn take(&mut self, elements: usize, node: &Node) -> Result<(), OnnxError> {
        let left = self.0.checked_sub(elements);
        self.0 = left.ok_or_else(|| OnnxError::new(&node.place, "more constants than come of a file of this size"))?;
        Ok(())
    }
}

/// The result of an operator whose inputs are all constants; `None` if it is not one of those that models compute shapes
/// and weights with. What is made anew takes its room.
pub(super) fn fold(node: &Node, inputs: &[&Tensor], room: &mut Room) -> Result<Option<Tensor>, OnnxError> {
    let Some(tensor) = folded(node, inputs, room)? else { return Ok(None) };
    check_axes(tensor.dims.len(), &node.place)?;
    let is_shared = ["Constant", "Identity", "Dropout", "Unsqueeze", "Squeeze", "Reshape", "Flatten"];
    if !is_shared.contains(&node.operator.as_str()) {
        room.take(tensor.len(), node)?;
    }
    Ok(Some(tensor))
}

/// Refuses a tensor of more axes than any has.
pub(super) fn check_axes(count: usize, place: &str) -> Result<(), OnnxError> {
    if count <= MOST_AXES { Ok(()) } else { Err(OnnxError::new(place, format!("a tensor of {count} axes"))) }
}

fn folded(node: &Node, inputs: &[&Tensor], room: &Room) -> Result<Option<Tensor>, OnnxError> {
    let refuse = |reason: &str| OnnxError::new(&node.place, reason);
    let bounded = |dims: &[usize]| bounded(dims, room);
    let input = |index: usize| inputs.get(index).copied().ok_or_else(|| refuse("too few inputs"));
    Ok(Some(match node.operator.as_str() {
        "Constant" => node.value()?.ok_or_else(|| refuse("a constant of a kind that is not understood"))?,
        "Identity" | "Dropout" => input(0)?.clone(),
        "Cast" => match (node.integer("to", 1), &input(0)?.elements) {
            (1 | 11, Elements::Integers(_)) => input(0)?.clone().into_floats(),
            (6 | 7, Elements::Floats(elements)) => {
                Tensor::integers(input(0)?.dims.clone(), elements.iter().map(|&x| x as i64).collect())
            }
            (9, Elements::Integers(elements)) => {
                Tensor::integers(input(0)?.dims.clone(), elements.iter().map(|&x| i64::from(x != 0)).collect())
            }
            (1 | 6 | 7 | 11, _) => input(0)?.clone(),
            _ => return Err(refuse("a cast to a type that is not understood")),
        },
        "Sqrt" | "Floor" | "Neg" | "Reciprocal" => {
            let f: fn(f32) -> f32 = match node.operator.as_str() {
                "Sqrt" => f32::sqrt,
                "Floor" => f32::floor,
                "Neg" => |x| -x,
                _ => |x| 1.0 / x,
            };
            match &input(0)?.elements {
                Elements::Floats(elements) => {
                    Tensor::floats(input(0)?.dims.clone(), elements.iter().map(|&x| f(x)).collect())
                }
                Elements::Integers(elements) if node.operator == "Neg" => {
                    Tensor::integers(input(0)?.dims.clone(), elements.iter().map(|&x| x.wrapping_neg()).collect())
                }
                Elements::Integers(_) => return Err(refuse("of integers")),
            }
        }
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Equal" | "Pow" => {
            binary(&node.operator, input(0)?, input(1)?, room)
                .ok_or_else(|| refuse("constants that do not fit each other"))?
        }
        "Where" => {
            let (condition, [a, b]) = (input(0)?, [input(1)?, input(2)?]);
            let zipped = broadcast_dims(&condition.dims, &a.dims).and_then(|dims| broadcast_dims(&dims, &b.dims));
            let dims = zipped.ok_or_else(|| refuse("constants that do not fit each other"))?;
            let len = bounded(&dims).ok_or_else(|| refuse("too large"))?;
            let condition = condition.as_integers().ok_or_else(|| refuse("a condition that is no boolean"))?;
            let at = |tensor: &Tensor, place: usize| source_of(place, &dims, &tensor.dims);
            match (&a.elements, &b.elements) {
                (Elements::Integers(a), Elements::Integers(b)) => {
                    let pick = |i: usize| {
                        if condition[at(inputs[0], i)] != 0 { a[at(inputs[1], i)] } else { b[at(inputs[2], i)] }
                    };
                    Tensor::integers(dims.clone(), (0..len).map(pick).collect())
                }
                _ => return Ok(None),
            }
        }
        "Gather" => {
            gather(input(0)?, input(1)?, node.integer("axis", 0), room).ok_or_else(|| refuse("an index outside"))?
        }
        "Concat" => {
            concat(inputs, node.integer("axis", 0), room).ok_or_else(|| refuse("parts that do not fit each other"))?
        }
        "Unsqueeze" | "Squeeze" | "Reshape" | "Flatten" => {
            let dims = reshape(node, &input(0)?.dims, inputs.get(1).copied())?;
            let len = dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim));
            if len != Some(input(0)?.len()) {
                return Err(refuse("a shape with another number of elements"));
            }
            Tensor { dims, elements: input(0)?.elements.clone() }
        }
        "Slice" => {
            let tensor = input(0)?;
            let mut part = tensor.clone();
            for Range { axis, start, len, step } in ranges(node, &tensor.dims, &inputs[1..])? {
                let picked = (0..len as i64).map(|index| start as i64 + index * step).collect();
                let picked = Tensor::integers(vec![len], picked);
                part = gather(&part, &picked, axis as i64, room).ok_or_else(|| refuse("a range outside"))?;
            }
            part
        }
        "Transpose" => {
            transpose(input(0)?, node.integers("perm")).ok_or_else(|| refuse("axes that are no permutation"))?
        }
        "ConstantOfShape" => {
            let dims = sizes(input(0)?).ok_or_else(|| refuse("a shape that is none"))?;
            let len = bounded(&dims).ok_or_else(|| refuse("too large"))?;
            match node.value()?.map(|value| value.elements) {
                Some(Elements::Integers(value)) => {
                    Tensor::integers(dims, vec![value.first().copied().unwrap_or(0); len])
                }
                Some(Elements::Floats(value)) => Tensor::floats(dims, vec![value.first().copied().unwrap_or(0.0); len]),
                None => Tensor::floats(dims, vec![0.0; len]),
            }
        }
        "ReduceMean" | "ReduceSum" => {
            let given = inputs.get(1).and_then(|axes| axes.as_integers()).or_else(|| node.integers("axes"));
            let all: Vec<i64> = (0..input(0)?.dims.len() as i64).collect();
            let tensor = reduced(input(0)?, given.unwrap_or(&all), node.operator == "ReduceMean");
            let tensor = tensor.ok_or_else(|| refuse("no such axis, integers, or nothing"))?;
            let dims = if node.integer("keepdims", 1) != 0 {
                tensor.dims
            } else {
                let is_kept = |&(index, _): &(usize, &usize)| {
                    !given.unwrap_or(&all).iter().any(|&axis| place(axis, all.len()) == Some(index))
                };
                tensor.dims.iter().enumerate().filter(is_kept).map(|(_, &dim)| dim).collect()
            };
            Tensor { dims, elements: tensor.elements }
        }
        "Range" => {
            let bounds =
                [input(0)?, input(1)?, input(2)?].map(|bound| bound.as_integers().and_then(|x| x.first().copied()));
            let [Some(start), Some(end), Some(step)] = bounds else { return Ok(None) };
            let reach = if step > 0 { end.checked_sub(start) } else { start.checked_sub(end) };
            let len = reach.filter(|_| step != 0).ok_or_else(|| refuse("a range that does not end"))?.max(0);
            let len = len.unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
            let len = bounded(&[len]).ok_or_else(|| refuse("too large"))?;
            Tensor::integers(vec![len], (0..len as i64).map(|place| start + place * step).collect())
        }
        "Expand" | "Tile" => {
            let asked = sizes(input(1)?).ok_or_else(|| refuse("a shape that is none"))?;
            let of = &input(0)?.dims;
            let dims = if node.operator == "Expand" {
                broadcast_dims(of, &asked)
            } else if asked.len() == of.len() {
                of.iter().zip(&asked).map(|(dim, times)| dim.checked_mul(*times)).collect()
            } else {
                None
            };
            let dims = dims.ok_or_else(|| refuse("a shape that does not fit"))?;
            let len = bounded(&dims).ok_or_else(|| refuse("too large"))?;
            let places = (0..len).map(|place| source_of(place, &dims, of));
            match &input(0)?.elements {
                Elements::Floats(elements) => Tensor::floats(dims.clone(), places.map(|i| elements[i]).collect()),
                Elements::Integers(elements) => Tensor::integers(dims.clone(), places.map(|i| elements[i]).collect()),
            }
        }
        _ => return Ok(None),
    }))
}

/// What `Shape` makes of dimensions: all of them, or those from `start` to `end`.
pub(super) fn shape(node: &Node, dims: &[usize]) -> Result<Tensor, OnnxError> {
    let rank = dims.len() as i64;
    let at = |axis: i64| (if axis < 0 { axis.saturating_add(rank) } else { axis }).clamp(0, rank) as usize;
    let (start, end) = (at(node.integer("start", 0)), at(node.integer("end", rank)));
    let sizes: Vec<i64> = dims.get(start..end).unwrap_or_default().iter().map(|&dim| dim as i64).collect();
    Ok(Tensor::integers(vec![sizes.len()], sizes))
}

/// The dimensions after `Reshape`, `Flatten`, `Squeeze` or `Unsqueeze`, whose second input may be given.
pub(super) fn reshape(node: &Node, dims: &[usize], second: Option<&Tensor>) -> Result<Vec<usize>, OnnxError> {
    let dims = reshaped(node, dims, second)?;
    check_axes(dims.len(), &node.place)?;
    Ok(dims)
}

fn reshaped(node: &Node, dims: &[usize], second: Option<&Tensor>) -> Result<Vec<usize>, OnnxError> {
    let refuse = |reason: &str| OnnxError::new(&node.place, reason);
    let given = second.map(|tensor| tensor.as_integers().ok_or_else(|| refuse("axes or a shape that are no integers")));
    let given = given.transpose()?;
    match node.operator.as_str() {
        "Flatten" => {
            let axis = place(node.integer("axis", 1), dims.len() + 1).ok_or_else(|| refuse("no such axis"))?;
            Ok(vec![dims[..axis].iter().product(), dims[axis..].iter().product()])
        }
        "Reshape" => {
            let shape = given.ok_or_else(|| refuse("a shape that is not known beforehand"))?;
            let total: usize = dims.iter().product();
            let mut result = Vec::with_capacity(shape.len());
            for (index, &size) in shape.iter().enumerate() {
                result.push(match size {
                    0 if node.integer("allowzero", 0) == 0 => *dims.get(index).ok_or_else(|| refuse("no such axis"))?,
                    -1 => 0,
                    size => usize::try_from(size).map_err(|_| refuse("a negative size"))?,
                });
            }
            if let Some(open) = shape.iter().position(|&size| size == -1) {
                let mut others = result.iter().enumerate().filter(|(index, _)| *index != open);
                let known = others.try_fold(1usize, |known, (_, &size)| known.checked_mul(size));
                let known =
                    known.filter(|&known| known > 0).ok_or_else(|| refuse("a shape that leaves no size open"))?;
                result[open] = total / known;
            }
            Ok(result)
        }
        "Squeeze" => {
            let axes = given.or(node.integers("axes"));
            let rank = dims.len();
            let picked: Option<Vec<usize>> = axes.map_or_else(
                || Some((0..rank).filter(|&axis| dims[axis] == 1).collect()),
                |axes| axes.iter().map(|&axis| place(axis, rank)).collect(),
            );
            let picked = picked.ok_or_else(|| refuse("no such axis"))?;
            if picked.iter().any(|&axis| dims[axis] != 1) {
                return Err(refuse("an axis of more than one place"));
            }
            Ok((0..rank).filter(|axis| !picked.contains(axis)).map(|axis| dims[axis]).collect())
        }
        _ => {
            let axes = given.or(node.integers("axes")).ok_or_else(|| refuse("axes that are not known beforehand"))?;
            let rank = dims.len() + axes.len();
            let picked: Option<Vec<usize>> = axes.iter().map(|&axis| place(axis, rank)).collect();
            let picked = picked.ok_or_else(|| refuse("no such axis"))?;
            let mut rest = dims.iter().copied();
            Ok((0..rank).map(|axis| if picked.contains(&axis) { 1 } else { rest.next().unwrap_or(1) }).collect())
        }
    }
}

/// What a `Slice` takes of an axis: `len` places, `step` apart, from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) axis: usize,
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) step: i64,
}

/// What a `Slice` takes of the axes that it does not take as they are.
pub(super) fn ranges(node: &Node, dims: &[usize], parameters: &[&Tensor]) -> Result<Vec<Range>, OnnxError> {
    let refuse = |reason: &str| OnnxError::new(&node.place, reason);
    let list = |index: usize, name: &str| {
        parameters.get(index).and_then(|tensor| tensor.as_integers()).or_else(|| node.integers(name))
    };
    let unknown = || refuse("a range that is not known beforehand");
    let starts = list(0, "starts").ok_or_else(unknown)?;
    let ends = list(1, "ends").ok_or_else(unknown)?;
    let all: Vec<i64> = (0..starts.len() as i64).collect();
    let axes = list(2, "axes").unwrap_or(&all);
    let ones = vec![1; starts.len()];
    let steps = list(3, "steps").unwrap_or(&ones);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(refuse("ranges and axes of different number"));
    }
    let mut ranges = Vec::new();
    for (place, &axis) in axes.iter().enumerate() {
        let axis = self::place(axis, dims.len()).ok_or_else(|| refuse("no such axis"))?;
        let (size, step) = (dims[axis] as i64, steps[place]);
        if step == 0 {
            return Err(refuse("a step of 0"));
        }
        // Backwards, a range ends before the first place.
        let within = if step > 0 { [0, size] } else { [-1, size - 1] };
        let clamp = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(within[0], within[1]);
        let (start, end) = (clamp(starts[place]), clamp(ends[place]));
        let reach = if step > 0 { end - start } else { start - end };
        let len = reach.max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
        if step != 1 || len < dims[axis] {
            ranges.push(Range { axis, start: usize::try_from(start).unwrap_or(0), len, step });
        }
    }
    Ok(ranges)
}

/// An axis counted from the front, or from the back if negative.
pub(super) fn place(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis.checked_add(rank as i64)? } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}

/// A shape that is given as a tensor.
pub(super) fn sizes(tensor: &Tensor) -> Option<Vec<usize>> {
    tensor.as_integers()?.iter().map(|&size| usize::try_from(size).ok()).collect()
}

/// Elements of a tensor, if there is room for them.
fn bounded(dims: &[usize], room: &Room) -> Option<usize> {
    dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim)).filter(|&len| len <= room.0)
}

/// The dimensions that two tensors are repeated to.
fn broadcast_dims(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let from_back = |dims: &[usize], back: usize| if back < dims.len() { dims[dims.len() - 1 - back] } else { 1 };
    let mut dims = Vec::with_capacity(rank);
    for back in (0..rank).rev() {
        dims.push(match (from_back(a, back), from_back(b, back)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return None,
        });
    }
    Some(dims)
}

/// The place in a tensor of dimensions `of` that stands at `place` once it is repeated to `dims`.
fn source_of(place: usize, dims: &[usize], of: &[usize]) -> usize {
    let (mut rest, mut source, mut stride) = (place, 0, 1);
    for back in 0..dims.len() {
        let dim = dims[dims.len() - 1 - back];
        let index = rest % dim.max(1);
        rest /= dim.max(1);
        if back < of.len() {
            let size = of[of.len() - 1 - back];
            source += index % size.max(1) * stride;
            stride *= size;
        }
    }
    source
}

fn binary(operator: &str, a: &Tensor, b: &Tensor, room: &Room) -> Option<Tensor> {
    let dims = broadcast_dims(&a.dims, &b.dims)?;
    let len = bounded(&dims, room)?;
    let places = || (0..len).map(|place| (source_of(place, &dims, &a.dims), source_of(place, &dims, &b.dims)));
    Some(match (&a.elements, &b.elements) {
        (Elements::Integers(x), Elements::Integers(y)) => {
            let f = |(i, j): (usize, usize)| {
                let (x, y) = (x[i], y[j]);
                match operator {
                    "Add" => x.checked_add(y),
                    "Sub" => x.checked_sub(y),
                    "Mul" => x.checked_mul(y),
                    "Div" => x.checked_div(y),
                    "Mod" => x.checked_rem_euclid(y),
                    "Equal" => Some(i64::from(x == y)),
                    _ => None,
                }
            };
            Tensor::integers(dims.clone(), places().map(f).collect::<Option<_>>()?)
        }
        (Elements::Floats(x), Elements::Floats(y)) => {
            let f: fn(f32, f32) -> f32 = match operator {
                "Add" => |x, y| x + y,
                "Sub" => |x, y| x - y,
                "Mul" => |x, y| x * y,
                "Div" => |x, y| x / y,
                "Pow" => f32::powf,
                _ => return None,
            };
            Tensor::floats(dims.clone(), places().map(|(i, j)| f(x[i], y[j])).collect())
        }
        _ => return None,
    })
}

/// Slabs of `inner` elements picked from along an axis.
fn gather(tensor: &Tensor, indices: &Tensor, axis: i64, room: &Room) -> Option<Tensor> {
    let axis = place(axis, tensor.dims.len())?;
    let size = tensor.dims[axis];
    let picked: Option<Vec<usize>> = indices.as_integers()?.iter().map(|&index| place(index, size)).collect();
    let picked = picked?;
    let outer: usize = tensor.dims[..axis].iter().product();
    let inner: usize = tensor.dims[axis + 1..].iter().product();
    let dims: Vec<usize> = [&tensor.dims[..axis], &indices.dims, &tensor.dims[axis + 1..]].concat();
    bounded(&dims, room)?;
    let picked = &picked;
    let places = (0..outer).flat_map(move |o| {
        picked.iter().flat_map(move |&index| (0..inner).map(move |i| (o * size + index) * inner + i))
    });
    Some(match &tensor.elements {
        Elements::Floats(elements) => Tensor::floats(dims, places.map(|i| elements[i]).collect()),
        Elements::Integers(elements) => Tensor::integers(dims, places.map(|i| elements[i]).collect()),
    })
}

fn concat(parts: &[&Tensor], axis: i64, room: &Room) -> Option<Tensor> {
    let first = parts.first()?;
    let axis = place(axis, first.dims.len())?;
    let same = |part: &&&Tensor| {
        part.dims.len() == first.dims.len()
            && part.dims.iter().zip(&first.dims).enumerate().all(|(index, (a, b))| index == axis || a == b)
    };
    if parts.iter().filter(same).count() != parts.len() {
        return None;
    }
    let mut dims = first.dims.clone();
    dims[axis] = parts.iter().map(|part| part.dims[axis]).sum();
    bounded(&dims, room)?;
    let outer: usize = dims[..axis].iter().product();
    let inner: usize = dims[axis + 1..].iter().product();
    let slabs = |o: usize, part: &Tensor| o * part.dims[axis] * inner..(o + 1) * part.dims[axis] * inner;
    Some(match &first.elements {
        Elements::Floats(_) => {
            let mut elements = Vec::new();
            for o in 0..outer {
                for part in parts {
                    elements.extend_from_slice(&part.as_floats()?[slabs(o, part)]);
                }
            }
            Tensor::floats(dims, elements)
        }
        Elements::Integers(_) => {
            let mut elements = Vec::new();
            for o in 0..outer {
                for part in parts {
                    elements.extend_from_slice(&part.as_integers()?[slabs(o, part)]);
                }
            }
            Tensor::integers(dims, elements)
        }
    })
}

/// The sum or the mean along axes, which keep one place.
fn reduced(tensor: &Tensor, axes: &[i64], is_mean: bool) -> Option<Tensor> {
    let mut dims = tensor.dims.clone();
    for &axis in axes {
        dims[place(axis, tensor.dims.len())?] = 1;
    }
    let elements = tensor.as_floats().filter(|elements| !elements.is_empty())?;
    let mut sums = vec![0.0f64; dims.iter().product()];
    for (place, &element) in elements.iter().enumerate() {
        sums[source_of(place, &tensor.dims, &dims)] += f64::from(element);
    }
    let count = if is_mean { (elements.len() / sums.len().max(1)) as f64 } else { 1.0 };
    Some(Tensor::floats(dims, sums.iter().map(|sum| (sum / count) as f32).collect()))
}

fn transpose(tensor: &Tensor, order: Option<&[i64]>) -> Option<Tensor> {
    let rank = tensor.dims.len();
    let order: Vec<usize> = match order {
        Some(order) => order.iter().map(|&axis| place(axis, rank)).collect::<Option<_>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.iter().copied().ne(0..rank) {
        return None;
    }
    let mut strides = vec![1; rank];
    for axis in (0..rank.saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * tensor.dims[axis + 1];
    }
    let dims: Vec<usize> = order.iter().map(|&axis| tensor.dims[axis]).collect();
    let source = |place: usize| {
        let (mut rest, mut source) = (place, 0);
        for (&axis, &dim) in order.iter().zip(&dims).rev() {
            source += rest % dim * strides[axis];
            rest /= dim;
        }
        source
    };
    let len = tensor.len();
    Some(match &tensor.elements {
        Elements::Floats(elements) => Tensor::floats(dims.clone(), (0..len).map(|i| elements[source(i)]).collect()),
        Elements::Integers(elements) => Tensor::integers(dims.clone(), (0..len).map(|i| elements[source(i)]).collect()),
    })
}
