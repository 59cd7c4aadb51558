//! Flops: multiply-adds, as the second baseline that the paper's Table 1 compares with
//! ([`Cost::macs`](crate::graph::Cost::macs)); 0 upwards.
//!
//! Every convolution, linear map and attention counts, by one convention for all spaces and at the resolution that is
//! scored; complexity counts by the convention of the space. Like everyone in the field the paper says FLOPs and means
//! pairs of a product and a sum.

use super::entry::{Entry, Origin};

pub(super) const ENTRY: Entry = Entry { name: "flops", origin: Origin::Graph(|counts| counts.cost.macs as f64) };
