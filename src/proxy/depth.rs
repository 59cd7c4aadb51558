//! Depth: the longest chain of convolutions and linear maps from the input to the output, summed over the blocks
//! ([`Cost::depth`](crate::graph::Cost::depth)); 0 upwards.
//!
//! Not of the paper. Of networks that cost the same, the deeper composes more functions.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry = Entry { name: "depth", origin: Origin::Graph(|counts| counts.cost.depth as f64) };
