//! Live complexity: multiply-adds that lie on a path from the input to the output
//! ([`Cost::live_macs`](crate::graph::Cost::live_macs)); 0 upwards.
//!
//! Not of the paper: complexity without what a benchmark counts but cannot influence the result.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry =
    Entry { name: "live-complexity", origin: Origin::Graph(|counts| counts.cost.live_macs as f64) };
