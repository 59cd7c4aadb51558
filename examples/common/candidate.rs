//! The space on the command line, and from the text of an architecture to a network of it.

use super::refusal;
use aznas::graph::Network;
use aznas::proxy::ProxySet;
use aznas::spaces::autoformer::Parameters;
use aznas::spaces::{Policy, Settings, SpaceName};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// The space and what its texts leave open.
#[derive(Clone, Debug, clap::Args)]
pub struct SpaceArguments {
    /// The search space
    #[arg(long, default_value = SpaceName::Nb201.name(), value_parser = spaces())]
    pub space: SpaceName,
    /// Channels of the first stage (nb201, nb101) [default: 16 for nb201, 60 for nb101]
    #[arg(long)]
    pub channels: Option<u32>,
    /// Cells in each stage (nb201, nb101) [default: 5 for nb201, 3 for nb101]
    #[arg(long)]
    pub cells: Option<u32>,
    /// Classes of the classifier, which counts as complexity and parameters [default: 10 for nb201 and nb101, else 1000]
    #[arg(long)]
    pub classes: Option<u32>,
    /// Channels of the first stage that complexity and parameters are counted for (nb101) [default: 128]
    #[arg(long)]
    pub target_channels: Option<u32>,
    /// Resolution that complexity is counted at (mbv2, autoformer, nb101) [default: 224; 32 for nb101]
    #[arg(long)]
    pub target_resolution: Option<u32>,
    /// Draw the parameters of each candidate alone, not as slices of one largest network (autoformer)
    #[arg(long)]
    pub own_parameters: bool,
}

/// The names of the spaces, each with what its networks are and what their texts look like.
fn spaces() -> impl TypedValueParser<Value = SpaceName> {
    let named = SpaceName::ALL.iter().map(|space| {
        let Policy { name, summary, form, .. } = space.policy();
        PossibleValue::new(name).help(format!("{summary}, `{form}`"))
    });
    PossibleValuesParser::new(named.collect::<Vec<_>>()).try_map(|name| {
        let found = SpaceName::ALL.iter().find(|space| space.name() == name);
        found.copied().ok_or("not a space")
    })
}

impl SpaceArguments {
    /// How networks of the space are scored.
    pub fn policy(&self) -> &'static Policy {
        self.space.policy()
    }

    /// The space's settings for scores on images of this resolution.
    pub fn settings(&self, resolution: usize) -> Settings {
        let Policy { settings: default, has_target, .. } = *self.policy();
        let target =
            if has_target { self.target_resolution.unwrap_or(default.target_resolution) } else { to_u32(resolution) };
        Settings {
            channels: self.channels.unwrap_or(default.channels),
            cells: self.cells.unwrap_or(default.cells),
            classes: self.classes.unwrap_or(default.classes),
            target_channels: self.target_channels.unwrap_or(default.target_channels),
            target_resolution: target,
            parameters: if self.own_parameters { Parameters::Own } else { Parameters::Shared },
            ..default
        }
    }

    /// The resolution that the space's benchmark uses.
    pub fn default_resolution(&self) -> usize {
        self.policy().resolution as usize
    }

    /// The network that `text` describes, or why there is none.
    pub fn network(&self, text: &str) -> Result<Box<dyn Network + Send + Sync>, String> {
        let network = self.space.network(&self.settings(self.default_resolution()), text.as_bytes());
        network.map_err(|error| refusal::of_text(self.space, text, error))
    }

    /// The proxies out of `proxies` that the space has.
    pub fn ranked(&self, proxies: ProxySet) -> ProxySet {
        if self.policy().progressivity { proxies } else { proxies.without(ProxySet::PROGRESSIVE) }
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
