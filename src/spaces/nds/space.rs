//! The cell spaces of NDS as a space.

use super::{Architecture, CellNetwork, Operators, POLICY, Stem, check_size};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::Generator;
use crate::graph::StandIn;
use crate::spaces::{Cost, Policy, Reduction, SearchSpace, Settings, Space, check_classes, of_target, text::printed};
use core::fmt::Display;

/// Architectures of one of the five spaces, of one width and depth.
///
/// Architectures are read whatever their operations, and of the width and the depth that they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenotypeSpace {
    /// What cells are drawn from.
    pub operators: Operators,
    /// What is before the cells.
    pub stem: Stem,
    /// Filters that networks begin with, unless a text says another number.
    pub width: u32,
    /// Cells of networks, unless a text says another number.
    pub depth: u32,
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that complexity is counted for.
    pub target_resolution: u32,
    /// How much of a network is scored in its place, if it is not scored whole: of its width, and of the cells of each third
    /// of its depth.
    pub reduction: Option<Reduction>,
}

impl SearchSpace for GenotypeSpace {
    type Architecture = Architecture;

    /// The spaces name no cell to set out from.
    fn initial(&self) -> Option<Architecture> {
        None
    }

    fn sample(&self, rng: &mut Generator) -> Architecture {
        self.operators.sample([self.width, self.depth], rng)
    }

    /// Each replacement gives an edge another operation or another state.
    fn mutate(&self, parent: &Architecture, replacements: usize, rng: &mut Generator) -> Architecture {
        (0..replacements).fold(*parent, |architecture, _| self.operators.mutate(&architecture, rng))
    }

    /// Multiply-adds and parameters. Layers are not counted.
    fn cost(&self, architecture: &Architecture) -> Result<Cost, Error> {
        let macs = architecture.macs(self.stem, self.classes, self.target_resolution);
        Ok(Cost {
            complexity: macs.map_err(of_target)? as f64,
            parameters: architecture.params(self.stem, self.classes)?,
            ..Cost::default()
        })
    }
}

impl Space for GenotypeSpace {
    type Network = CellNetwork;

    const POLICY: Policy = POLICY;

    fn new(settings: &Settings) -> Result<Self, Error> {
        let Settings { channels, cells, classes, target_resolution, operators, stem, reduction, .. } = *settings;
        let own_name = |error| match error {
            Error::Invalid { field: "width", expected } => Error::Invalid { field: "channels", expected },
            Error::Invalid { field: "depth", expected } => Error::Invalid { field: "cells", expected },
            other => other,
        };
        check_size(channels, cells).and_then(|()| stem.check_width(channels)).map_err(own_name)?;
        check_classes(classes)?;
        stem.check_resolution(target_resolution).map_err(of_target)?;
        Ok(Self { operators, stem, width: channels, depth: cells, classes, target_resolution, reduction })
    }

    fn parse(&self, text: &[u8]) -> Result<Architecture, Error> {
        Architecture::parse(text, [self.width, self.depth])
    }

    fn network(&self, architecture: &Architecture) -> CellNetwork {
        let Self { stem, classes, target_resolution, .. } = *self;
        CellNetwork { architecture: *architecture, stem, classes, target_resolution }
    }

    fn stand_in(&self, architecture: &Architecture) -> Result<Option<StandIn<CellNetwork>>, Error> {
        let Some(reduction) = self.reduction.filter(|_| !SMALL) else { return Ok(None) };
        let counted = self.network(architecture);
        let architecture = architecture.reduced(&reduction, self.stem)?;
        let images = [self.target_resolution as usize; 2];
        Ok(Some(StandIn { scored: CellNetwork { architecture, ..counted }, counted, images }))
    }

    fn layer(&self, architecture: &Architecture, index: usize) -> impl Display {
        let (architecture, stem, classes) = (*architecture, self.stem, self.classes);
        printed(move |f| match index.checked_sub(stem.blocks()) {
            None => write!(f, "{} stem {index} to {}", stem.name(), architecture.width()),
            Some(place) if place >= architecture.depth() as usize => write!(f, "head to {classes}"),
            Some(place) => {
                let place = place as u32;
                let kind = if architecture.reduces(place) { "reduction" } else { "normal" };
                let larger = if architecture.reads_larger(place, stem) { " of a larger map" } else { "" };
                let (cell, before) = (architecture.cell(place), architecture.channels_before(place, stem));
                write!(f, "{kind} {cell} beside {before} channels{larger} to {}", architecture.filters(place))
            }
        })
    }
}
