//! What the space of MobileNetV2-like structures prescribes and suggests.

use crate::graph::IdentityRule;
use crate::spaces::{Policy, Practice, Settings};

/// How networks of this space are scored and searched.
pub const POLICY: Policy = Policy {
    name: "mbv2",
    summary: "MobileNetV2-like structures",
    form: "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperConvK1BNRELU(32,2048,1,1)",
    // `Masternet.py` and `compute_az_nas_score.py` of the authors.
    norm_epsilon: 1e-3,
    identity: IdentityRule::Reject,
    progressivity: true,
    resolution: 224,
    has_target: true,
    settings: Settings { classes: 1000, ..Settings::COMMON },
    practice: Practice {
        batch: 64,
        iterations: 100_000,
        replacements: 2,
        layers: Some(14),
        shares_draws: false,
        begins_alike: true,
    },
};
