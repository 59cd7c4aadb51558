//! Complexity: what the network costs, by the convention of its space (AZ-NAS, Sec. 3.3).
//!
//! The paper takes the floating-point operations that the benchmark states, as a score: higher is better, since among
//! networks that fit a budget the larger ones are better. Each space counts them as its benchmark does
//! ([`Network::complexity`](crate::graph::Network::complexity)), in multiply-adds of one image; 0 upwards.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry = Entry { name: "complexity", origin: Origin::Graph(|counts| counts.complexity) };
