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
