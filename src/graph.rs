//! Networks as chains of primary blocks, each block a small graph of nodes with checked shapes.
//!
//! Block 0 maps the input batch to the first feature; block *l* maps feature *l* − 1 to feature *l*. What follows the
//! last feature (the head) does not touch the scores; it only counts as multiply-adds and parameters.

mod block;
mod cost;
mod count;
mod draw;
mod network;
mod node;
mod op;
mod peak;
mod stand_in;
mod walk;

pub use crate::ops::conv2d::Convolution;
pub use block::{Block, MAX_NODES};
pub use cost::Cost;
pub use draw::{Distribution, Draw, Initialisation};
pub use network::{IdentityRule, Network};
pub(crate) use network::{check_multiple, explained};
pub use node::{MAX_INPUTS, Node, NodeId};
pub(crate) use op::Kind;
pub use op::Op;
pub use peak::peak_activation;
pub use stand_in::StandIn;
pub(crate) use walk::Walk;
