//! Where the list of a network is cut into primary blocks.
//!
//! Without names to cut at, the rule is this. A block can only end at a tensor that every path from the input to the output
//! passes through. Of these, it ends
//!
//! * where paths have met: behind a sum or a concatenation, with the activation that alone reads it;
//! * else behind a unit of computation: a convolution, linear map or attention with the normalisation and activation
//!   behind it.
//!
//! A pool belongs to the block behind it. The head is what follows the last block: it begins at the mean over all positions (or
//! the first token) that every path passes through, with the normalisation before it; else at the last linear map.

use super::lower::{Lowered, Lowering, Source};
use super::{Model, OnnxError, Weights};
use crate::{Graph, Node};
use aznas::graph::{IdentityRule, Op};

/// Where blocks end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// By the rule above.
    #[default]
    Automatic,
    /// At the tensors of these names, in any order.
    At(Vec<String>),
}

/// The list without what the output does not need.
struct Live {
    nodes: Vec<Lowered>,
}

pub(super) fn cut(list: Lowering, name: &str, cut: &Cut) -> Result<Model, OnnxError> {
    let mut live = Live::of(&list)?;
    if let Cut::At(names) = cut {
        live.take_names(names);
    }
    let ends = match cut {
        Cut::Automatic => live.ends(),
        Cut::At(names) => live.ends_at(names)?,
    };
    if ends.is_empty() {
        return Err(OnnxError::new("cut", "no tensor that every path passes through ends a block"));
    }
    let mut weights = Weights::default();
    let mut blocks = Vec::with_capacity(ends.len());
    let mut features = Vec::with_capacity(ends.len());
    let mut first = 0;
    for (index, &end) in ends.iter().enumerate() {
        blocks.push(live.block(first, end + 1, index, &mut weights)?);
        features.push(live.nodes[end].name.clone());
        first = end + 1;
    }
    let head = live.block(first, live.nodes.len(), ends.len(), &mut weights)?;
    let has_attention = live.nodes.iter().any(|node| matches!(node.op, Op::Attention(_)));
    let graph = Graph {
        name: name.to_string(),
        input: list.input,
        blocks,
        head,
        identity_rule: if has_attention { IdentityRule::Skip } else { IdentityRule::Reject },
        progressivity: true,
        complexity: None,
    };
    Ok(Model { graph, features, may_be_folded: list.may_be_folded, weights })
}

impl Live {
    fn of(list: &Lowering) -> Result<Self, OnnxError> {
        let output = list.output.ok_or_else(|| OnnxError::new("outputs", "the output is the input"))?;
        let mut needed = vec![false; list.nodes.len()];
        needed[output] = true;
        for index in (0..list.nodes.len()).rev().filter(|&index| index <= output) {
            if needed[index] {
                list.nodes[index].inputs.iter().flatten().for_each(|&input| needed[input] = true);
            }
        }
        let mut numbers = vec![0; list.nodes.len()];
        let mut nodes = Vec::new();
        for (index, node) in list.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
            numbers[index] = nodes.len();
            let inputs = node.inputs.iter().map(|input| input.map(|input| numbers[input])).collect();
            nodes.push(Lowered { inputs, ..node.clone() });
        }
        Ok(Self { nodes })
    }

    /// Whether every path from the input to the output passes through each node.
    fn bottlenecks(&self) -> Vec<bool> {
        // How far what comes before each node is read.
        let mut last_reader = vec![0; self.nodes.len() + 1];
        for (index, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                last_reader[input.map_or(0, |input| input + 1)] = index;
            }
        }
        let mut reach = 0;
        let mut bottlenecks = Vec::with_capacity(self.nodes.len());
        for index in 0..self.nodes.len() {
            // Everything up to the node before this one is read by this one at the latest.
            reach = reach.max(last_reader[index]);
            bottlenecks.push(reach <= index);
        }
        bottlenecks
    }

    fn readers(&self, index: usize) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, node)| node.inputs.contains(&Some(index)))
            .map(|(reader, _)| reader)
    }

    fn ends(&self) -> Vec<usize> {
        let bottlenecks = self.bottlenecks();
        let head = self.head(&bottlenecks);
        let mut ends = Vec::new();
        let mut computes = false;
        for index in 0..head {
            let node = &self.nodes[index];
            computes |= is_unit(&node.op) || matches!(node.op, Op::Add | Op::Concat);
            let mut readers = self.readers(index);
            let only = readers.next().filter(|_| readers.next().is_none());
            let goes_on = only.is_some_and(|reader| reader < head && self.belongs_behind(index, reader));
            if bottlenecks[index] && computes && !goes_on {
                ends.push(index);
                computes = false;
            }
        }
        ends
    }

    /// Whether a node that alone reads another is part of the same unit.
    fn belongs_behind(&self, index: usize, reader: usize) -> bool {
        let is_join = matches!(self.nodes[index].op, Op::Add | Op::Concat);
        match self.nodes[reader].op {
            Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_) | Op::Tokens | Op::Positions => {
                !is_join && is_unit(&self.nodes[index].op)
            }
            op => is_activation(&op),
        }
    }

    /// The first node of the head.
    fn head(&self, bottlenecks: &[bool]) -> usize {
        let count = self.nodes.len();
        let is_summary = |node: &Lowered| match node.op {
            Op::GlobalPool => true,
            Op::AveragePool(pool) => {
                pool.window.sides().iter().all(|side| side.kernel == 1) && node.shape[1..] == [1; 2]
            }
            Op::MaxPool(_) => node.shape[1..] == [1; 2],
            _ => false,
        };
        let summary = (0..count).rev().find(|&index| bottlenecks[index] && is_summary(&self.nodes[index]));
        let mut head =
            summary.or_else(|| (0..count).rev().find(|&index| is_unit(&self.nodes[index].op))).unwrap_or(count);
        // A normalisation that only the head reads, with its activation, is the head's.
        while head > 0 && bottlenecks[head - 1] {
            let before = &self.nodes[head - 1].op;
            let is_norm_of_join = matches!(before, Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_))
                && self.nodes[head - 1].inputs.iter().flatten().all(|&input| !is_unit(&self.nodes[input].op));
            let is_its_activation = is_activation(before) && self.follows_norm_of_join(head - 1);
            if !(is_norm_of_join || is_its_activation) {
                break;
            }
            head -= 1;
        }
        head
    }

    fn follows_norm_of_join(&self, index: usize) -> bool {
        let &[Some(input)] = self.nodes[index].inputs.as_slice() else { return false };
        let inputs = &self.nodes[input].inputs;
        matches!(self.nodes[input].op, Op::BatchNorm(_) | Op::LayerNorm(_) | Op::GroupNorm(_))
            && inputs.iter().flatten().all(|&input| !is_unit(&self.nodes[input].op))
    }

    /// Calls maps by those of their names that are asked for.
    fn take_names(&mut self, names: &[String]) {
        for node in &mut self.nodes {
            if let Some(alias) = node.aliases.iter().find(|alias| names.contains(alias)) {
                node.name.clone_from(alias);
            }
        }
    }

    fn ends_at(&self, names: &[String]) -> Result<Vec<usize>, OnnxError> {
        let mut ends = Vec::with_capacity(names.len());
        for name in names {
            let end = self.nodes.iter().position(|node| node.name == *name);
            ends.push(
                end.ok_or_else(|| OnnxError::new(format!("cut at {name}"), "no tensor of this name is computed"))?,
            );
        }
        ends.sort_unstable();
        ends.dedup();
        Ok(ends)
    }

    /// Nodes `first .. end` as block `index`.
    fn block(&self, first: usize, end: usize, index: usize, weights: &mut Weights) -> Result<Vec<Node>, OnnxError> {
        let mut nodes = Vec::with_capacity(end - first);
        let feature: Source = first.checked_sub(1);
        for (place, node) in self.nodes[first..end].iter().enumerate() {
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for &input in &node.inputs {
                inputs.push(match input {
                    input if input == feature => 0,
                    Some(input) if input >= first => input - first + 1,
                    _ => {
                        let name = input.map_or("the input", |input| &self.nodes[input].name);
                        return Err(OnnxError::new(
                            &node.place,
                            format!("reads {name}, past the end of the block before: not every path passes through it"),
                        ));
                    }
                });
            }
            let key = place as u32 + 1;
            for (role, tensor) in &node.parameters {
                weights.insert(index, key, *role, tensor.clone());
            }
            nodes.push(Node { op: node.op, inputs, key, draw: None });
        }
        Ok(nodes)
    }
}

fn is_unit(op: &Op) -> bool {
    matches!(op, Op::Convolution(_) | Op::Linear(_) | Op::Attention(_))
}

fn is_activation(op: &Op) -> bool {
    matches!(op, Op::Relu | Op::Activation(_))
}
