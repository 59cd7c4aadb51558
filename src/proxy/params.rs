//! Params: trainable numbers, as the first baseline that the paper's Table 1 compares with
//! ([`Cost::parameters`](crate::graph::Cost::parameters)); 0 upwards.
//!
//! Counted on the graph at the resolution that is scored, head included. The paper reads them from the benchmark's
//! records, which agree.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry = Entry { name: "params", origin: Origin::Graph(|counts| counts.cost.parameters as f64) };
