//! What the space of AutoFormer's transformers prescribes and suggests.

use crate::graph::IdentityRule;
use crate::spaces::{Policy, Practice, Settings};

/// How networks of this space are scored and searched.
pub const POLICY: Policy = Policy {
    name: "autoformer",
    summary: "AutoFormer vision transformers",
    form: "autoformer(embed=192,heads=3-4-3,ratio=4-3.5-4)",
    // `az_nas.py` of the authors' AutoFormer search.
    norm_epsilon: 1e-5,
    identity: IdentityRule::Skip,
    progressivity: false,
    resolution: 224,
    has_target: true,
    settings: Settings { classes: 1000, ..Settings::COMMON },
    practice: Practice {
        batch: 64,
        iterations: 10_000,
        replacements: 1,
        layers: None,
        // All candidates are slices of one largest network.
        shares_draws: true,
        begins_alike: true,
    },
};
