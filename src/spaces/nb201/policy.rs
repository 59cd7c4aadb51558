//! What the space of NAS-Bench-201 prescribes and suggests.

use crate::graph::IdentityRule;
use crate::spaces::{Policy, Practice, Settings};

/// How networks of this space are scored and searched.
pub const POLICY: Policy = Policy {
    name: "nb201",
    summary: "NAS-Bench-201 cells",
    form: "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|",
    // `cell_operations.py` and `compute_az_nas_score.py` of the authors.
    norm_epsilon: 1e-5,
    identity: IdentityRule::Reject,
    progressivity: true,
    resolution: 32,
    has_target: false,
    settings: Settings { target_resolution: 32, ..Settings::COMMON },
    practice: Practice {
        batch: 8,
        iterations: 500,
        replacements: 1,
        layers: None,
        shares_draws: false,
        begins_alike: false,
    },
};
