//! How networks of these spaces are scored and searched.

use crate::graph::IdentityRule;
use crate::spaces::{Policy, Practice, Settings};

/// How networks of these spaces are scored and searched.
pub const POLICY: Policy = Policy {
    name: "nds",
    summary: "NDS cells: ENAS, Amoeba, NASNet, PNAS, DARTS",
    form: "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
           reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2], width=16, depth=8)",
    // `BN.EPS` of pycls.
    norm_epsilon: 1e-5,
    identity: IdentityRule::Reject,
    progressivity: true,
    resolution: 32,
    has_target: true,
    settings: Settings { channels: 16, cells: 8, target_resolution: 32, ..Settings::COMMON },
    practice: Practice {
        batch: 8,
        iterations: 500,
        replacements: 1,
        layers: None,
        shares_draws: false,
        begins_alike: false,
    },
};
