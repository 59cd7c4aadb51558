//! The MobileNetV2-like structures as a space.

use super::{Mutation, POLICY, Shortcut, Structure, Unit, UnitNetwork};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::Generator;
use crate::graph::StandIn;
use crate::spaces::{
    Cost, Policy, Reduction, SearchSpace, Settings, Space, check_classes, check_target, of_target, text::printed,
};
use core::fmt::Display;

/// Mutations that lead from the initial structure to an independent sample.
const SAMPLE_STEPS: u32 = 32;

/// MobileNetV2-like structures, varied and counted as in the authors' program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructureSpace {
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that costs are counted for, whatever the scores are computed at.
    pub target_resolution: u32,
    /// How mutants are drawn.
    pub mutation: Mutation,
    /// How much of a structure is scored in its place, if it is not scored whole: see [`Structure::reduced`].
    pub reduction: Option<Reduction>,
}

impl Default for StructureSpace {
    /// ImageNet, as published.
    fn default() -> Self {
        let Settings { classes, target_resolution, .. } = Self::POLICY.settings;
        Self { classes, target_resolution, mutation: Mutation::default(), reduction: None }
    }
}

impl SearchSpace for StructureSpace {
    type Architecture = Structure;

    fn initial(&self) -> Option<Structure> {
        Some(Structure::INITIAL)
    }

    /// The end of a random walk from the initial structure, long enough to replace each super-block several times.
    fn sample(&self, rng: &mut Generator) -> Structure {
        // Small steps would leave less of a walk.
        let mutation = if self.mutation == Mutation::Mixed { Mutation::Published } else { self.mutation };
        let space = Self { mutation, ..*self };
        (0..SAMPLE_STEPS).fold(Structure::INITIAL, |structure, _| space.mutate(&structure, 1, rng))
    }

    /// See [`Structure::mutate`]. A structure that would outgrow its capacity stays as it is; no published limit on
    /// the layers comes near.
    fn mutate(&self, parent: &Structure, replacements: usize, rng: &mut Generator) -> Structure {
        let replacements = u32::try_from(replacements).unwrap_or(u32::MAX);
        parent.mutate(rng, replacements, self.mutation).unwrap_or(*parent)
    }

    /// [`Structure::flops`], the authors' count; [`Structure::params`], the true one; and [`Structure::layers`].
    fn cost(&self, structure: &Structure) -> Result<Cost, Error> {
        Ok(Cost {
            complexity: structure.flops(self.target_resolution, self.classes).map_err(of_target)? as f64,
            parameters: structure.params(self.classes)?,
            layers: structure.layers(),
            ..Cost::default()
        })
    }
}

impl Space for StructureSpace {
    type Network = UnitNetwork;

    const POLICY: Policy = POLICY;

    fn new(settings: &Settings) -> Result<Self, Error> {
        let Settings { classes, target_resolution, mutation, reduction, .. } = *settings;
        check_classes(classes)?;
        check_target(target_resolution)?;
        Ok(Self { classes, target_resolution, mutation, reduction })
    }

    fn parse(&self, text: &[u8]) -> Result<Structure, Error> {
        Structure::parse(text)
    }

    fn network(&self, &structure: &Structure) -> UnitNetwork {
        UnitNetwork { structure, classes: self.classes, target_resolution: self.target_resolution }
    }

    fn stand_in(&self, structure: &Structure) -> Result<Option<StandIn<UnitNetwork>>, Error> {
        let Some(reduction) = self.reduction.filter(|_| !SMALL) else { return Ok(None) };
        let counted = self.network(structure);
        let scored = UnitNetwork { structure: structure.reduced(&reduction), ..counted };
        Ok(Some(StandIn { scored, counted, images: [self.target_resolution as usize; 2] }))
    }

    fn layer(&self, structure: &Structure, index: usize) -> impl Display {
        let (unit, classes) = (structure.units().nth(index), self.classes);
        printed(move |f| match unit {
            Some(Unit::Conv { output, kernel, stride, .. }) => write!(f, "conv k{kernel} s{stride} to {output}"),
            Some(Unit::InvertedResidual { output, hidden, kernel, stride, shortcut, .. }) => {
                let shortcut = match shortcut {
                    Shortcut::Identity => "identity",
                    Shortcut::Projection => "projection",
                };
                write!(f, "residual k{kernel} s{stride} by {hidden} to {output} {shortcut}")
            }
            None => write!(f, "head to {classes}"),
        })
    }
}
