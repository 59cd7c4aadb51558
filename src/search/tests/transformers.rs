//! Searches of the transformers of AutoFormer.

use crate::Error;
use crate::proxy::ProxySet;
use crate::search::{Budget, Search, Settings, Warmup};
use crate::spaces::SearchSpace;
use crate::spaces::autoformer::{Choices, Size, TransformerSpace, Window};
use std::vec::Vec;

#[test]
fn random_search_keeps_to_the_window_of_parameters() {
    for size in [Size::Tiny, Size::Small, Size::Base] {
        let space = TransformerSpace::of(size.choices()).unwrap();
        let window = size.params_window(Window::AutoFormer);
        let budget =
            Budget { parameters: Some(*window.end()), minimum_parameters: Some(*window.start()), ..Budget::default() };
        let iterations = if size == Size::Tiny { 10_000 } else { 500 };
        let proxies = ProxySet::PAPER.without(ProxySet::PROGRESSIVE);
        let settings = Settings { iterations, budget, proxies, ..Settings::random() };
        let mut search = Search::new(space, settings).unwrap();
        while let Some(candidate) = search.ask().unwrap() {
            let cost = space.cost(&candidate.architecture).unwrap();
            assert!(window.contains(&cost.parameters), "{}", candidate.architecture);
            search.tell(candidate.id, &[0.0, 0.0, cost.complexity]).unwrap();
        }
        let largest = search.history().map(|(_, scores)| scores[2]).fold(0.0, f64::max);
        assert_eq!(search.best().unwrap().scores[2], largest);
    }
}

#[test]
fn evolution_varies_what_it_found() {
    let space = TransformerSpace::of(Size::Tiny.choices()).unwrap();
    let settings =
        Settings { iterations: 400, warmup: Warmup::Samples(20), parents: 10, replacements: 1, ..Settings::program() };
    let mut search = Search::new(space, settings).unwrap();
    while let Some(candidate) = search.ask().unwrap() {
        let cost = space.cost(&candidate.architecture).unwrap();
        search.tell(candidate.id, &[cost.complexity; 4]).unwrap();
    }
    let complexities: Vec<f64> = search.history().map(|(_, scores)| scores[3]).collect();
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    assert!(mean(&complexities[300..]) > 1.2 * mean(&complexities[..20]));
}

#[test]
fn impossible_choices_are_refused() {
    let choices = Choices { heads: &[], ..Size::Tiny.choices() };
    assert!(matches!(TransformerSpace::of(choices), Err(Error::Invalid { field: "heads", .. })));
}
