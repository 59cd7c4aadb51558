//! The AutoFormer space as a space to search.

use super::{Cost, SearchSpace};
use crate::Error;
use crate::base::rng::Generator;
use crate::spaces::autoformer::{Architecture, Parameters, Space, TransformerNetwork};

/// Vision transformers with the choices of a [`Space`].
///
/// The published procedure is random search within a window of parameters ([`Size::params_window`]) without progressivity
/// among the scores.
///
/// [`Size::params_window`]: crate::spaces::autoformer::Size::params_window
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformerSpace<'a> {
    choices: Space<'a>,
    /// Classes of the classifier, which counts.
    pub classes: u32,
    /// Rows and columns of the images that costs are counted for, whatever the scores are computed at.
    pub target_resolution: u32,
    /// Where the parameters of candidates come from.
    pub parameters: Parameters,
}

impl<'a> TransformerSpace<'a> {
    /// The space of these choices for ImageNet: 1000 classes, 224 × 224 pixels, shared parameters.
    ///
    /// # Errors
    /// Those of [`Space::sample`].
    pub fn new(choices: Space<'a>) -> Result<Self, Error> {
        choices.check()?;
        Ok(Self { choices, classes: 1000, target_resolution: 224, parameters: Parameters::Shared })
    }

    /// The network of an architecture.
    pub fn network(&self, architecture: &Architecture) -> TransformerNetwork {
        TransformerNetwork {
            classes: self.classes,
            target_resolution: self.target_resolution,
            parameters: self.parameters,
            ..TransformerNetwork::new(*architecture)
        }
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

    /// Each replacement changes a gene as [`Space::mutate`] does.
    fn mutate(&self, parent: &Architecture, replacements: usize, rng: &mut Generator) -> Architecture {
        (0..replacements).fold(*parent, |architecture, _| self.choices.vary(&architecture, rng))
    }

    /// [`Architecture::flops`], the authors' count; [`Architecture::params`]; and the blocks as layers.
    fn cost(&self, architecture: &Architecture) -> Result<Cost, Error> {
        Ok(Cost {
            complexity: architecture.flops(self.target_resolution, self.classes)? as f64,
            parameters: architecture.params(self.target_resolution, self.classes)?,
            layers: architecture.depth() as u32,
            ..Cost::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Budget, Search, Settings, Warmup};
    use crate::spaces::autoformer::{Budget as Window, Size};
    use std::vec::Vec;

    #[test]
    fn random_search_keeps_to_the_window_of_parameters() {
        for size in [Size::Tiny, Size::Small, Size::Base] {
            let space = TransformerSpace::new(size.space()).unwrap();
            let window = size.params_window(Window::AutoFormer);
            let budget = Budget {
                parameters: Some(*window.end()),
                minimum_parameters: Some(*window.start()),
                ..Budget::default()
            };
            let iterations = if size == Size::Tiny { 10_000 } else { 500 };
            let settings = Settings { iterations, budget, weights: [1.0, 0.0, 1.0, 1.0], ..Settings::random() };
            let mut search = Search::new(space, settings).unwrap();
            while let Some(candidate) = search.ask().unwrap() {
                let cost = space.cost(&candidate.architecture).unwrap();
                assert!(window.contains(&cost.parameters), "{}", candidate.architecture);
                // Progressivity does not count, whatever it is.
                search.tell(candidate.id, [0.0, f64::NEG_INFINITY, 0.0, cost.complexity]).unwrap();
            }
            let largest = search.history().map(|(_, scores)| scores[3]).fold(0.0, f64::max);
            assert_eq!(search.best().unwrap().scores[3], largest);
        }
    }

    #[test]
    fn evolution_varies_what_it_found() {
        let space = TransformerSpace::new(Size::Tiny.space()).unwrap();
        let settings = Settings {
            iterations: 400,
            warmup: Warmup::Samples(20),
            parents: 10,
            replacements: 1,
            ..Settings::program()
        };
        let mut search = Search::new(space, settings).unwrap();
        while let Some(candidate) = search.ask().unwrap() {
            let cost = space.cost(&candidate.architecture).unwrap();
            search.tell(candidate.id, [cost.complexity; 4]).unwrap();
        }
        let complexities: Vec<f64> = search.history().map(|(_, scores)| scores[3]).collect();
        let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(mean(&complexities[300..]) > 1.2 * mean(&complexities[..20]));
    }

    #[test]
    fn impossible_choices_are_refused() {
        let choices = Space { heads: &[], ..Size::Tiny.space() };
        assert!(matches!(TransformerSpace::new(choices), Err(Error::Invalid { field: "heads", .. })));
    }
}
