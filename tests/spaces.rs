//! What holds for every search space of the table.

use aznas::base::rng::generator;
use aznas::graph::{Cost as Counted, Network};
use aznas::spaces::{Settings, Space, SpaceName, Visitor};
use aznas::tensor::Random;
use aznas::{Error, Options};
use std::collections::BTreeSet;

/// Runs a check on every space under the settings of its benchmark.
fn for_each_space(check: impl Visitor<Output = ()> + Copy) {
    for space in SpaceName::ALL {
        space.visit(&space.policy().settings, check).unwrap();
    }
}

fn options(resolution: u32) -> Options {
    Options { batch: 2, height: resolution as usize, width: resolution as usize, ..Options::default() }
}

#[test]
fn names_and_numbers_are_unique() {
    let names: BTreeSet<&str> = SpaceName::ALL.iter().map(|space| space.name()).collect();
    let numbers: BTreeSet<u32> = SpaceName::ALL.iter().map(|&space| space as u32).collect();
    assert_eq!((names.len(), numbers.len()), (SpaceName::ALL.len(), SpaceName::ALL.len()));
    for &space in SpaceName::ALL {
        assert_eq!(SpaceName::from_number(space as u32), Some(space));
    }
    assert_eq!(SpaceName::from_number(0), None);
}

#[test]
fn candidates_print_read_cost_and_plan() {
    #[derive(Clone, Copy)]
    struct Check;

    impl Visitor for Check {
        type Output = ();

        fn visit<S: Space>(self, space: S) {
            let name = S::POLICY.name;
            let mut rng = generator(1);
            let mut architecture = space.initial().unwrap_or_else(|| space.sample(&mut rng));
            for step in 0..40 {
                let text = architecture.to_string();
                assert!(space.parse(text.as_bytes()).unwrap() == architecture, "{name}: {text}");
                let network = space.network(&architecture);
                let resolution = S::POLICY.resolution as usize;
                let counted = Counted::of(&network, resolution, resolution).unwrap();
                let cost = space.cost(&architecture).unwrap();
                assert_eq!(network.complexity(&counted), Ok(cost.complexity), "{name}: {text}");
                assert_eq!(counted.parameters, cost.parameters, "{name}: {text}");
                assert!(aznas::workspace_size(&network, &options(S::POLICY.resolution), &Random).is_ok(), "{text}");
                for index in 0..=network.block_count() {
                    let layer = space.layer(&architecture, index).to_string();
                    assert!(!layer.is_empty() && !layer.contains(','), "{name}: {layer}");
                }
                architecture =
                    if step % 2 == 0 { space.sample(&mut rng) } else { space.mutate(&architecture, 2, &mut rng) };
            }
        }
    }

    for_each_space(Check);
}

/// Every setting out of range, that no network of the space can be counted with, is refused by its name: by the space,
/// and by the size query and the score for a network that was made by hand.
#[test]
fn impossible_settings_are_refused_with_their_name() {
    for &space in SpaceName::ALL {
        let good = space.policy().settings;
        let refused = |settings: Settings| match space.network(&settings, space.policy().form.as_bytes()) {
            Err(Error::Invalid { field, .. }) => Some(field),
            other => other.map(|_| None).unwrap(),
        };
        for bad in [0, (1 << 20) + 1, u32::MAX] {
            assert_eq!(refused(Settings { classes: bad, ..good }), Some("classes"), "{}", space.name());
            if space.policy().has_target {
                let settings = Settings { target_resolution: bad, ..good };
                assert_eq!(refused(settings), Some("target_resolution"), "{}", space.name());
            }
        }
        for (field, settings) in [
            ("channels", Settings { channels: 0, ..good }),
            ("channels", Settings { channels: 65537, ..good }),
            ("cells", Settings { cells: 0, ..good }),
            ("cells", Settings { cells: 1025, ..good }),
        ] {
            // Spaces without such a thing ignore it.
            assert!(refused(settings).is_none_or(|named| named == field), "{}", space.name());
        }
    }
    for bad in [0, 8, 100, 225, 65537] {
        let settings = Settings { target_resolution: bad, ..SpaceName::Autoformer.policy().settings };
        let text = b"autoformer(embed=192,heads=3-4-3,ratio=4-3.5-4)";
        let refused = SpaceName::Autoformer.network(&settings, text).err();
        assert!(matches!(refused, Some(Error::Invalid { field: "target_resolution", .. })), "{bad}: {refused:?}");
    }
}

#[test]
fn networks_that_cannot_be_counted_are_not_scored() {
    use aznas::spaces::autoformer::{Architecture, TransformerNetwork};
    use aznas::spaces::mbv2::{Structure, UnitNetwork};
    let size = |network: &dyn Network| aznas::workspace_size(network, &options(32), &Random);
    let structure = Structure::INITIAL;
    let units = UnitNetwork { structure, classes: 10, target_resolution: 32 };
    assert!(size(&units).is_ok());
    let refused = |network: &dyn Network, named| match size(network) {
        Err(Error::Invalid { field, .. }) => assert_eq!(field, named),
        other => panic!("{other:?}"),
    };
    refused(&UnitNetwork { classes: 0, ..units }, "classes");
    refused(&UnitNetwork { target_resolution: 0, ..units }, "target_resolution");
    refused(&UnitNetwork { target_resolution: 65537, ..units }, "target_resolution");
    let architecture = Architecture::parse("autoformer(embed=8,heads=1,ratio=1)").unwrap();
    let transformer = TransformerNetwork::new(architecture);
    assert!(size(&transformer).is_ok());
    refused(&TransformerNetwork { classes: 0, ..transformer }, "classes");
    for target_resolution in [0, 8, 100, 225, 65537] {
        refused(&TransformerNetwork { target_resolution, ..transformer }, "target_resolution");
    }
}

/// A text of every space, given to every space: the advice says what was expected, and what the text looks like.
#[test]
fn a_text_of_another_space_is_recognised() {
    #[derive(Clone, Copy)]
    struct Texts;

    impl Visitor for Texts {
        type Output = Vec<String>;

        fn visit<S: Space>(self, space: S) -> Vec<String> {
            let mut rng = generator(3);
            (0..50).map(|_| space.sample(&mut rng).to_string()).chain([S::POLICY.form.to_string()]).collect()
        }
    }

    for &own in SpaceName::ALL {
        let texts = own.visit(&own.policy().settings, Texts).unwrap();
        for text in &texts {
            for cut in [text.len(), text.len() - 1, text.len() / 2, 12.min(text.len() / 2)] {
                let text = &text.as_bytes()[..cut];
                assert_eq!(SpaceName::of_text(text), Some(own), "{}", String::from_utf8_lossy(text));
            }
            for &other in SpaceName::ALL.iter().filter(|&&other| other != own) {
                let settings = other.policy().settings;
                assert!(matches!(other.network(&settings, text.as_bytes()), Err(Error::Parse { .. })), "{text}");
                let advice = other.advice(text.as_bytes()).to_string();
                let expected = format!(
                    "a text of {} looks like {}; this one looks like a text of {}",
                    other.name(),
                    other.policy().form,
                    own.name()
                );
                assert_eq!(advice, expected);
            }
        }
    }
    for nothing in ["", " ", "resnet50", "\u{feff}", "(", "\0"] {
        assert_eq!(SpaceName::of_text(nothing.as_bytes()), None, "{nothing:?}");
    }
}

/// Whatever the space, a byte-order mark and blanks around a text do not matter.
#[test]
fn texts_may_stand_between_blanks() {
    for &space in SpaceName::ALL {
        let form = space.policy().form;
        for text in [format!("\u{feff}{form}"), format!(" \t{form}\r\n"), format!("\u{feff} {form} ")] {
            assert!(space.network(&space.policy().settings, text.as_bytes()).is_ok(), "{text:?}");
        }
    }
}

/// A resolution that some block does not fit is answered with the multiple that every block fits, whoever asks.
#[test]
fn resolutions_are_refused_with_the_multiple_that_is_needed() {
    for &space in SpaceName::ALL {
        let policy = space.policy();
        let network = space.network(&policy.settings, policy.form.as_bytes()).unwrap();
        let multiple = network.resolution_multiple();
        assert!((policy.resolution as usize).is_multiple_of(multiple), "{}", policy.name);
        let mut refused = 0;
        for side in 1..=3 * multiple {
            for (field, height, width) in [("height", side, 3 * multiple), ("width", 3 * multiple, side)] {
                let options = Options { height, width, ..options(1) };
                match aznas::workspace_size(&*network, &options, &Random) {
                    Ok(_) => {}
                    Err(Error::NotMultiple { field: named, divisor }) => {
                        assert_eq!((named, divisor), (field, multiple), "{}", policy.name);
                        refused += 1;
                    }
                    // Not every space has images that are not square.
                    Err(Error::Invalid { field: "width", .. }) if side.is_multiple_of(multiple) => {}
                    Err(error) => panic!("{} at {height} x {width}: {error}", policy.name),
                }
                if let Err(error) = Counted::of(&*network, height, width) {
                    assert!(
                        matches!(error, Error::NotMultiple { .. } | Error::Invalid { field: "width", .. }),
                        "{}: {error}",
                        policy.name
                    );
                }
            }
        }
        assert!(refused > 0, "{}", policy.name);
    }
}

/// Parameters mean the same whatever the resolution of the scores.
#[test]
fn parameters_are_counted_at_the_target_resolution() {
    for &space in SpaceName::ALL {
        let policy = space.policy();
        let network = space.network(&policy.settings, policy.form.as_bytes()).unwrap();
        let parameters = |side: usize| {
            let cost = Counted::of(&*network, side, side).unwrap();
            [cost.parameters, cost.live_parameters]
        };
        let multiple = network.resolution_multiple();
        let expected = parameters(policy.resolution as usize);
        for side in [multiple, 2 * multiple, 5 * multiple] {
            assert_eq!(parameters(side), expected, "{} at {side}", policy.name);
            let options = options(side as u32);
            let mut memory = vec![0; aznas::workspace_size(&*network, &options, &Random).unwrap() + 64];
            let mut workspace = aznas::Workspace::from_bytes(&mut memory);
            let scores = aznas::score(&*network, &options, &Random, &mut workspace, |_| ()).unwrap();
            assert_eq!(scores.cost.parameters, expected[0], "{} at {side}", policy.name);
        }
    }
}
