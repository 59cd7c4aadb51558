//! AutoFormer's transformers as a space.

use super::cost::patches;
use super::{Architecture, Choices, POLICY, Parameters, TransformerNetwork};
use crate::Error;
use crate::base::rng::Generator;
use crate::spaces::{Cost, Policy, SearchSpace, Settings, Space, check_classes, of_target, text::printed};
use core::fmt::Display;

/// Vision transformers with the choices of a [`Choices`].
///
/// The published procedure is random search within a window of parameters ([`Size::params_window`]) without progressivity
/// among the scores.
///
/// [`Size::params_window`]: super::Size::params_window
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformerSpace<'a> {
    choices: Choices<'a>,
    /// The least and the most parameters that searches keep to, if they do.
    pub window: Option<[u64; 2]>,
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that costs are counted for, whatever the scores are computed at.
    pub target_resolution: u32,
    /// Pixels along a side of a patch.
    pub patch: u32,
    /// The farthest relative position with an entry of its own.
    pub reach: u32,
    /// Where the parameters of candidates come from.
    pub parameters: Parameters,
}

impl<'a> TransformerSpace<'a> {
    /// The space of these choices for ImageNet: 1000 classes, 224 × 224 pixels, shared parameters, no window.
    ///
    /// # Errors
    /// Those of [`Choices::sample`].
    pub fn of(choices: Choices<'a>) -> Result<Self, Error> {
        choices.check()?;
        let Settings { classes, target_resolution, patch, reach, parameters, .. } = POLICY.settings;
        Ok(Self { choices, window: None, classes, target_resolution, patch, reach, parameters })
    }
}

impl SearchSpace for TransformerSpace<'_> {
    type Architecture = Architecture;

    /// The authors set out from none.
    fn initial(&self) -> Option<Architecture> {
        None
    }

    fn sample(&self, rng: &mut Generator) -> Architecture {
        self.choices.draw(rng)
    }

    /// Each replacement changes a gene as [`Choices::mutate`] does.
    fn mutate(&self, parent: &Architecture, replacements: usize, rng: &mut Generator) -> Architecture {
        (0..replacements).fold(*parent, |architecture, _| self.choices.vary(&architecture, rng))
    }

    /// [`Architecture::flops`], the authors' count; [`Architecture::params`]; and the blocks as layers.
    fn cost(&self, architecture: &Architecture) -> Result<Cost, Error> {
        Ok(Cost {
            complexity: architecture.flops(self.target_resolution, self.classes).map_err(of_target)? as f64,
            parameters: architecture.params(self.target_resolution, self.classes).map_err(of_target)?,
            layers: architecture.depth() as u32,
            ..Cost::default()
        })
    }
}

impl Space for TransformerSpace<'_> {
    type Network = TransformerNetwork;

    const POLICY: Policy = POLICY;

    fn new(settings: &Settings) -> Result<Self, Error> {
        let Settings { classes, target_resolution, patch, reach, parameters, size, window, .. } = *settings;
        check_classes(classes)?;
        patches(target_resolution).map_err(of_target)?;
        let window = size.params_window(window);
        Ok(Self {
            choices: size.choices(),
            window: Some([*window.start(), *window.end()]),
            classes,
            target_resolution,
            patch,
            reach,
            parameters,
        })
    }

    fn parse(&self, text: &[u8]) -> Result<Architecture, Error> {
        Architecture::parse(text)
    }

    fn network(&self, &architecture: &Architecture) -> TransformerNetwork {
        let Self { classes, target_resolution, patch, reach, parameters, .. } = *self;
        TransformerNetwork { architecture, classes, target_resolution, patch, reach, parameters }
    }

    fn layer(&self, architecture: &Architecture, index: usize) -> impl Display {
        let (embed, classes) = (architecture.embed(), self.classes);
        let block = architecture.blocks().get(index / 2).copied();
        printed(move |f| match block {
            Some(block) if index == 0 => write!(f, "embedding to {embed} attention {}", block.heads),
            Some(block) if index.is_multiple_of(2) => write!(f, "attention {}", block.heads),
            Some(block) => write!(f, "perceptron {}", block.hidden_width(embed)),
            None => write!(f, "head to {classes}"),
        })
    }

    fn parameter_window(&self) -> Option<[u64; 2]> {
        self.window
    }
}
