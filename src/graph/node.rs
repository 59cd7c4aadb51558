//! A node of a block.

use super::draw::Draw;
use super::op::Op;
use crate::tensor::{Role, Shape};

/// Most inputs a node can have.
pub const MAX_INPUTS: usize = 8;

/// A node of the block it was returned by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeId(pub(super) u16);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A primitive, its inputs and the shape of its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// The shape of its result.
    pub shape: Shape,
    /// The number its parameters are drawn and asked for by, together with the block and their roles. No two nodes of a block
    /// with parameters of one role have the same: convolutions and linear maps differ, and so do normalisations of both
    /// kinds. Weights are never shared inside a block.
    pub key: u32,
    /// How its parameters are drawn, if the network says so; else as the options of a score say.
    pub draw: Option<Draw>,
    pub(super) inputs: [NodeId; MAX_INPUTS],
    pub(super) input_count: u8,
    /// How many nodes of the network this one stands for.
    pub(super) times: u8,
}

impl Node {
    /// Whether a parameter of this role is drawn where the caller does not give it; else it has its neutral value.
    pub(crate) fn draws(&self, role: Role) -> bool {
        match role {
            Role::Bias => self.draw.is_some_and(|draw| draw.bias),
            Role::Gain | Role::Shift => false,
            Role::Weight | Role::ClassToken | Role::Position => true,
            Role::KeyRow | Role::KeyColumn | Role::ValueRow | Role::ValueColumn => true,
        }
    }

    /// How many nodes of the network this one stands for: rectifiers of one value are one node.
    pub fn times(&self) -> usize {
        usize::from(self.times)
    }

    /// The nodes it reads, all earlier in the block.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs[..usize::from(self.input_count)]
    }
}
