//! The MobileNetV2-like space as a space to search.

use super::{Cost, SearchSpace};
use crate::Error;
use crate::base::rng::Generator;
use crate::spaces::mbv2::{Proposal, Structure};

/// Mutations that lead from the initial structure to an independent sample.
const SAMPLE_STEPS: u32 = 32;

/// MobileNetV2-like structures, varied and counted as in the authors' program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructureSpace {
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that costs are counted for, whatever the scores are computed at.
    pub target_resolution: u32,
    /// How the type of a replaced super-block is drawn.
    pub proposal: Proposal,
}

impl Default for StructureSpace {
    /// ImageNet, as published.
    fn default() -> Self {
        Self { classes: 1000, target_resolution: 224, proposal: Proposal::default() }
    }
}

impl SearchSpace for StructureSpace {
    type Architecture = Structure;

    fn initial(&self) -> Option<Structure> {
        Some(Structure::INITIAL)
    }

    /// The end of a random walk from the initial structure, long enough to replace each super-block several times.
    fn sample(&self, rng: &mut Generator) -> Structure {
        (0..SAMPLE_STEPS).fold(Structure::INITIAL, |structure, _| self.mutate(&structure, 1, rng))
    }

    /// See [`Structure::mutate`]. A structure that would outgrow its capacity stays as it is; no published limit on
    /// the layers comes near.
    fn mutate(&self, parent: &Structure, replacements: usize, rng: &mut Generator) -> Structure {
        let replacements = u32::try_from(replacements).unwrap_or(u32::MAX);
        parent.mutate(rng, replacements, self.proposal).unwrap_or(*parent)
    }

    /// [`Structure::flops`], the authors' count; [`Structure::params`], the true one; and [`Structure::layers`].
    fn cost(&self, structure: &Structure) -> Result<Cost, Error> {
        Ok(Cost {
            complexity: structure.flops(self.target_resolution, self.classes)? as f64,
            parameters: structure.params(self.classes)?,
            layers: structure.layers(),
            ..Cost::default()
        })
    }
}
