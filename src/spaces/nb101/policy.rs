//! How networks of NAS-Bench-101 are scored and searched.

use crate::graph::IdentityRule;
use crate::spaces::{Policy, Practice, Settings};

/// Channels of the stem that are scored unless told otherwise, about an eighth of what the benchmark trains. Wider ones take
/// longer and rank no better (`docs/beyond-the-paper.md`).
const SCORED_CHANNELS: u32 = 15;

/// How networks of this space are scored and searched.
pub const POLICY: Policy = Policy {
    name: "nb101",
    summary: "NAS-Bench-101 cells",
    form: "7:101010101100001000001:333mm",
    // `base_ops.py` of the benchmark.
    norm_epsilon: 1e-5,
    identity: IdentityRule::Reject,
    progressivity: true,
    resolution: 32,
    has_target: true,
    settings: Settings { channels: SCORED_CHANNELS, cells: 3, target_resolution: 32, ..Settings::COMMON },
    practice: Practice {
        batch: 8,
        iterations: 500,
        replacements: 1,
        layers: None,
        shares_draws: false,
        begins_alike: false,
    },
};
