//! The space on the command line.

use super::failure::Result;
use aznas::proxy::ProxySet;
use aznas::spaces::autoformer::Parameters;
use aznas::spaces::nds::{Operators, Stem};
use aznas::spaces::{Policy, Reduction, Settings, SpaceName};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A space to search, and what its texts leave open.
#[derive(Clone, Debug, clap::Args)]
pub struct SpaceArguments {
    /// The search space
    #[arg(long, default_value = SpaceName::Nb201.name(), value_parser = parser())]
    pub space: SpaceName,
    #[command(flatten)]
    pub open: OpenArguments,
}

/// What the texts of spaces leave open.
#[derive(Clone, Debug, clap::Args)]
pub struct OpenArguments {
    /// Channels of the first stage (nb201, nb101), width of genotypes that say none (nds) [default: 16; 15 for nb101]
    #[arg(long)]
    pub channels: Option<u32>,
    /// Cells in each stage (nb201, nb101), depth of genotypes that say none (nds) [default: 5; 3 for nb101, 8 for nds]
    #[arg(long)]
    pub cells: Option<u32>,
    /// Classes of the classifier, which counts as complexity and parameters [default: 1000 for mbv2 and autoformer, else 10]
    #[arg(long)]
    pub classes: Option<u32>,
    /// Channels of the first stage that complexity and parameters are counted for (nb101) [default: 128]
    #[arg(long)]
    pub target_channels: Option<u32>,
    /// Resolution that complexity is counted at (mbv2, autoformer, nb101, nds; nb201 where a smaller network is scored)
    /// [default: 224; 32 for nb101, nds and nb201]
    #[arg(long)]
    pub target_resolution: Option<u32>,
    /// Score a network of so many percent of the channels in place of each. What is counted (complexity, parameters, layers)
    /// stays that of the whole network at the target resolution (all but autoformer)
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub score_width: Option<u32>,
    /// Score a network of at most so many cells a stage (nb201, nb101), cells a third of the depth (nds) or repetitions a
    /// super-block (mbv2) in place of each; what is counted stays that of the whole network
    #[arg(long, value_name = "CELLS", value_parser = clap::value_parser!(u32).range(1..))]
    pub score_cells: Option<u32>,
    /// Draw the parameters of each candidate alone, not as slices of one largest network (autoformer)
    #[arg(long)]
    pub own_parameters: bool,
    /// What cells are drawn from (nds)
    #[arg(long, default_value = Operators::Darts.name(), value_parser = named(Operators::ALL, Operators::name))]
    pub operators: Operators,
    /// What is before the cells (nds)
    #[arg(long, default_value = Stem::Cifar.name(), value_parser = named(Stem::ALL, Stem::name))]
    pub stem: Stem,
}

/// Values by their names.
pub fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(name)).try_map(move |given| {
        let found = all.into_iter().find(|&value| name(value) == given);
        found.ok_or("not a value")
    })
}

/// The names of the spaces, each with what its networks are and what their texts look like.
pub fn spaces() -> Vec<PossibleValue> {
    let named = SpaceName::ALL.iter().map(|space| {
        let Policy { name, summary, form, .. } = space.policy();
        PossibleValue::new(name).help(format!("{summary}, `{form}`"))
    });
    named.collect()
}

/// The space of this name.
pub fn by_name(name: &str) -> Option<SpaceName> {
    SpaceName::ALL.iter().copied().find(|space| space.name() == name)
}

fn parser() -> impl TypedValueParser<Value = SpaceName> {
    PossibleValuesParser::new(spaces()).try_map(|name| by_name(&name).ok_or("not a space"))
}

impl OpenArguments {
    /// The settings of a space for scores on images of this resolution.
    pub fn settings(&self, space: SpaceName, resolution: usize) -> Settings {
        let Policy { settings: default, has_target, .. } = *space.policy();
        let reduction =
            Reduction::given(self.score_width, self.score_cells).expect("the ranges are those of the parser");
        let target = match has_target || reduction.is_some() {
            true => self.target_resolution.unwrap_or(default.target_resolution),
            false => to_u32(resolution),
        };
        Settings {
            channels: self.channels.unwrap_or(default.channels),
            cells: self.cells.unwrap_or(default.cells),
            classes: self.classes.unwrap_or(default.classes),
            target_channels: self.target_channels.unwrap_or(default.target_channels),
            target_resolution: target,
            operators: self.operators,
            stem: self.stem,
            reduction,
            parameters: if self.own_parameters { Parameters::Own } else { Parameters::Shared },
            ..default
        }
    }
}

impl SpaceArguments {
    /// How networks of the space are scored.
    pub fn policy(&self) -> &'static Policy {
        self.space.policy()
    }

    /// The space's settings for scores on images of this resolution.
    pub fn settings(&self, resolution: usize) -> Settings {
        self.open.settings(self.space, resolution)
    }

    /// The proxies out of `proxies` that the space has.
    pub fn ranked(&self, proxies: ProxySet) -> ProxySet {
        ranked(self.space, proxies)
    }
}

/// Refuses what is left of `--proxies` where nothing is.
pub fn not_empty(ranked: ProxySet) -> Result<ProxySet> {
    if ranked.is_empty() { Err("--proxies: the space has none of them".into()) } else { Ok(ranked) }
}

/// The proxies out of `proxies` that a space has.
pub fn ranked(space: SpaceName, proxies: ProxySet) -> ProxySet {
    if space.policy().progressivity { proxies } else { proxies.without(ProxySet::PROGRESSIVE) }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
