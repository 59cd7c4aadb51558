//! Live layers: convolutions and linear maps that lie on a path from the input to the output
//! ([`Cost::live_layers`](crate::graph::Cost::live_layers)); 0 upwards.
//!
//! Not of the paper.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry =
    Entry { name: "live-layers", origin: Origin::Graph(|counts| counts.cost.live_layers as f64) };
