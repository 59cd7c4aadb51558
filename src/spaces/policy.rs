//! What spaces prescribe, suggest and leave open.

use super::Reduction;
use super::autoformer::{Parameters, Size, Window};
use super::mbv2::Mutation;
use super::nds::{Operators, Stem};
use crate::graph::IdentityRule;

/// What a space prescribes or suggests, whatever its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Its name on command lines.
    pub name: &'static str,
    /// What its networks are, in a few words.
    pub summary: &'static str,
    /// What a text of it looks like.
    pub form: &'static str,
    /// The number added to the variance in the normalisation layers (batch or layer).
    pub norm_epsilon: f64,
    /// What an identity block means.
    pub identity: IdentityRule,
    /// Whether progressivity is one of the scores.
    pub progressivity: bool,
    /// Rows and columns of the images that networks are scored on unless told otherwise.
    pub resolution: u32,
    /// Whether complexity is counted at [`Settings::target_resolution`]; else it is at the resolution of the scores.
    pub has_target: bool,
    /// The settings of its benchmark.
    pub settings: Settings,
    /// How it is searched unless told otherwise.
    pub practice: Practice,
}

/// How a space is searched unless told otherwise: as published, where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Practice {
    /// Images of the input batch.
    pub batch: u32,
    /// Candidates in all.
    pub iterations: u32,
    /// Replacements of a mutation.
    pub replacements: u32,
    /// The most layers of a candidate, if they are limited.
    pub layers: Option<u32>,
    /// Whether all candidates share their random draws, so that one that comes up again takes its earlier scores.
    pub shares_draws: bool,
    /// Whether candidates begin alike, so that remembering their first blocks saves time.
    pub begins_alike: bool,
}

/// What the texts of a space leave open. A space ignores what it does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Channels of the first stage (nb101, nb201); filters of the first cell where a text does not say (nds).
    pub channels: u32,
    /// Cells in each stage (nb101, nb201); in all where a text does not say (nds).
    pub cells: u32,
    /// Classes of the classifier, which count as complexity and parameters.
    pub classes: u32,
    /// Channels of the first stage that costs are counted for (nb101).
    pub target_channels: u32,
    /// Rows and columns of the images that costs are counted for.
    pub target_resolution: u32,
    /// Pixels along a side of a patch (autoformer).
    pub patch: u32,
    /// The farthest relative position with an entry of its own (autoformer).
    pub reach: u32,
    /// Where the parameters of a candidate come from (autoformer).
    pub parameters: Parameters,
    /// The choices that candidates are drawn from (autoformer).
    pub size: Size,
    /// Whose window of parameters candidates keep to (autoformer).
    pub window: Window,
    /// What cells are drawn from (nds).
    pub operators: Operators,
    /// What is before the cells (nds).
    pub stem: Stem,
    /// How mutants are drawn (mbv2).
    pub mutation: Mutation,
    /// The smaller network that is scored in place of an architecture's own, if it is not itself (all but autoformer).
    pub reduction: Option<Reduction>,
}

impl Settings {
    /// What most spaces have in common. Each has its own in its [`Policy`].
    pub(super) const COMMON: Self = Self {
        channels: 16,
        cells: 5,
        classes: 10,
        target_channels: 128,
        target_resolution: 224,
        patch: super::autoformer::PATCH,
        reach: super::autoformer::MAX_RELATIVE_POSITION,
        parameters: Parameters::Shared,
        size: Size::Tiny,
        window: Window::AutoFormer,
        operators: Operators::Darts,
        stem: Stem::Cifar,
        mutation: Mutation::Published,
        reduction: None,
    };
}
