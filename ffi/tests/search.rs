//! Searches from C propose the very candidates that searches from Rust do.

mod common;

use aznas::proxy::{Proxy, ProxySet};
use aznas::search::{Budget, Search, Settings, Warmup};
use aznas::spaces::mbv2::Mutation;
use aznas::spaces::{self, Space, SpaceName, Visitor};
use common::{Flavour, Language, Linkage};
use std::fmt::Write;

/// A score of a text as the program counts it.
fn score(text: &str, column: u32) -> f64 {
    f64::from(text.bytes().fold(column, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 7)
}

/// The candidates of a search, a line each.
struct Searching(Settings);

impl Visitor for Searching {
    type Output = String;

    fn visit<S: Space>(self, space: S) -> String {
        let (mut search, mut lines) = (Search::new(space, self.0).expect("the settings are sound"), String::new());
        while let Some(candidate) = search.ask().expect("there are candidates") {
            let text = candidate.architecture.to_string();
            search.tell(candidate.id, &[score(&text, 0), score(&text, 1)]).expect("it was asked for");
            writeln!(lines, "{text}").expect("a string takes any text");
        }
        lines
    }
}

#[test]
fn every_space_is_searched_as_in_rust() {
    let (mut input, mut expected) = (String::new(), String::new());
    for &space in SpaceName::ALL {
        for (number, (workers, warmup, mutation)) in [
            (1, Warmup::Mutants(11), Mutation::Published),
            (1, Warmup::Initial, Mutation::Uniform),
            (5, Warmup::Samples(20), Mutation::Mixed),
            (40, Warmup::Mutants(3), Mutation::Mixed),
        ]
        .into_iter()
        .enumerate()
        {
            let practice = space.policy().practice;
            // MobileNetV2 alone grows without a limit.
            let complexity = (space == SpaceName::Mbv2).then_some(450e6);
            let settings = Settings {
                iterations: 80,
                seed: 7 + number as u64,
                workers,
                warmup,
                parents: 9,
                replacements: practice.replacements as usize,
                budget: Budget { complexity, layers: practice.layers, ..Budget::default() },
                proxies: ProxySet::of(&[Proxy::Expressivity, Proxy::Trainability]),
                ..Settings::program()
            };
            let (kind, count) = match warmup {
                Warmup::Initial => (0, 0),
                Warmup::Mutants(count) => (1, count),
                Warmup::Samples(count) => (2, count),
            };
            let most = complexity.unwrap_or(0.0);
            writeln!(
                input,
                "{} {} {workers} {kind} {count} 9 80 {most} {}",
                space as u32, settings.seed, mutation as u32
            )
            .expect("a string takes any text");
            let open = spaces::Settings { mutation, ..space.policy().settings };
            expected += &space.visit(&open, Searching(settings)).expect("the settings are sound");
        }
    }
    let library = Flavour::Checked.build();
    for linkage in [Linkage::Static, Linkage::Shared] {
        let program = common::compile("tests/c/search.c", Language::C11, &library, linkage, &[]);
        assert_eq!(common::output(&program, &input), expected);
    }
}
