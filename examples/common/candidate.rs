//! From the text of an architecture to a network of its space.

use aznas::Error;
use aznas::graph::Network;
use aznas::spaces::autoformer::{Architecture, Parameters, TransformerNetwork};
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::{Policy, autoformer, mbv2, nb201};

/// The search spaces programs know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SpaceName {
    /// NAS-Bench-201 cells, `|nor_conv_3x3~0|+|...|`
    Nb201,
    /// MobileNetV2-like structures, `SuperConvK3BNRELU(3,8,2,1)...`
    Mbv2,
    /// Vision transformers, `autoformer(embed=192,heads=3-4-...,ratio=4-3.5-...)`
    Autoformer,
}

/// The space and what its texts leave open.
#[derive(Clone, Debug, clap::Args)]
pub struct SpaceArguments {
    /// The search space
    #[arg(long, value_enum, default_value_t = SpaceName::Nb201)]
    pub space: SpaceName,
    /// Channels of the first stage (nb201)
    #[arg(long, default_value_t = 16)]
    pub channels: u32,
    /// Cells in each stage (nb201)
    #[arg(long, default_value_t = 5)]
    pub cells: u32,
    /// Classes of the classifier, which counts as complexity and parameters [default: 10 for nb201, else 1000]
    #[arg(long)]
    pub classes: Option<u32>,
    /// Resolution that complexity is counted at (mbv2, autoformer)
    #[arg(long, default_value_t = 224)]
    pub target_resolution: u32,
    /// Draw the parameters of each candidate alone, not as slices of one largest network (autoformer)
    #[arg(long)]
    pub own_parameters: bool,
}

impl SpaceArguments {
    /// The resolution that the space's benchmark uses.
    pub fn default_resolution(&self) -> usize {
        match self.space {
            SpaceName::Nb201 => 32,
            SpaceName::Mbv2 | SpaceName::Autoformer => 224,
        }
    }

    /// How networks of the space are scored.
    pub fn policy(&self) -> Policy {
        match self.space {
            SpaceName::Nb201 => nb201::POLICY,
            SpaceName::Mbv2 => mbv2::POLICY,
            SpaceName::Autoformer => autoformer::POLICY,
        }
    }

    /// The network that `text` describes.
    pub fn network(&self, text: &str) -> Result<Box<dyn Network + Send + Sync>, Error> {
        Ok(match self.space {
            SpaceName::Nb201 => {
                let skeleton = Skeleton::new(self.channels, self.cells, self.classes.unwrap_or(10))?;
                Box::new(CellNetwork { cell: Cell::parse(text)?, skeleton })
            }
            SpaceName::Mbv2 => Box::new(UnitNetwork {
                structure: Structure::parse(text)?,
                classes: self.classes.unwrap_or(1000),
                target_resolution: self.target_resolution,
            }),
            SpaceName::Autoformer => Box::new(TransformerNetwork {
                classes: self.classes.unwrap_or(1000),
                target_resolution: self.target_resolution,
                parameters: if self.own_parameters { Parameters::Own } else { Parameters::Shared },
                ..TransformerNetwork::new(Architecture::parse(text)?)
            }),
        })
    }
}
