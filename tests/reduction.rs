//! A smaller network that is scored in place of a whole one: what is counted is that of the one, what is measured that of
//! the other.

mod common;

use aznas::base::rng::generator;
use aznas::graph::{Cost, Network};
use aznas::proxy::{Proxy, ProxySet};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::{Reduction, Settings, Space, SpaceName, Visitor, mbv2::Structure};
use aznas::tensor::Random;
use aznas::{Error, Options};

const OPTIONS: Options = Options {
    batch: 2,
    height: 8,
    width: 8,
    seed: 3,
    initialisation: aznas::Initialisation::KaimingNormalFanIn,
    repeats: 1,
    proxies: ProxySet::BLOCKWISE,
    sigma: aznas::Sigma::HalfSplit,
    entropy: aznas::Entropy::Plain,
    backend: aznas::simd::Backend::Scalar,
    algorithm: aznas::ops::conv2d::Algorithm::Winograd,
};

/// The spaces whose networks can be reduced.
fn reducible() -> impl Iterator<Item = SpaceName> {
    SpaceName::ALL.iter().copied().filter(|&space| space != SpaceName::Autoformer)
}

fn reduced(space: SpaceName, width: u32, cells: u32) -> Settings {
    Settings { reduction: Some(Reduction::new(width, cells).unwrap()), ..space.policy().settings }
}

#[test]
fn what_counts_is_whole_and_what_is_scored_is_small() {
    struct Check;

    impl Visitor for Check {
        type Output = ();

        fn visit<S: Space>(self, space: S) {
            let mut rng = generator(4);
            let architecture = space.sample(&mut rng);
            let whole = space.network(&architecture);
            let small = space.stand_in(&architecture).unwrap().unwrap();
            let [height, width] = small.images;
            let cost = Cost::of(&whole, height, width).unwrap();
            assert_eq!(Cost::of(&small, 4, 4), Ok(cost), "{architecture}");
            assert!(small.scored.block_count() <= whole.block_count());
            let scores = space
                .with_scored(&architecture, |network| {
                    let by_itself = Cost::of(&small.scored, 8, 8).unwrap();
                    assert!(by_itself.macs < cost.macs, "{architecture}");
                    common::score(network, &OPTIONS).0
                })
                .unwrap();
            assert_eq!(scores.cost, cost, "{architecture}");
            assert_eq!(scores.get(Proxy::Complexity), whole.complexity(&cost).unwrap(), "{architecture}");
            assert_eq!(scores.get(Proxy::Complexity), space.cost(&architecture).unwrap().complexity);
            let alone = common::score(&small.scored, &OPTIONS).0;
            for proxy in [Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability] {
                assert_eq!(scores.get(proxy).to_bits(), alone.get(proxy).to_bits(), "{architecture}");
            }
        }
    }

    for space in reducible() {
        space.visit(&reduced(space, 50, 1), Check).unwrap();
    }
}

#[test]
fn a_cell_is_scored_in_the_skeleton_that_is_asked_for() {
    let text = common::CELLS[0];
    let network = SpaceName::Nb201.network(&reduced(SpaceName::Nb201, 50, 3), text.as_bytes()).unwrap();
    let (scores, _) = common::score(&*network, &OPTIONS);
    let cell = Cell::parse(text).unwrap();
    let (alone, _) = common::score(&CellNetwork { cell, skeleton: Skeleton::new(8, 3, 10).unwrap() }, &OPTIONS);
    assert_eq!(scores.get(Proxy::Expressivity).to_bits(), alone.get(Proxy::Expressivity).to_bits());
    assert_eq!(scores.get(Proxy::Trainability).to_bits(), alone.get(Proxy::Trainability).to_bits());
    assert_eq!(scores.get(Proxy::Complexity), Skeleton::CIFAR10.macs(&cell, 32).unwrap() as f64);
    assert_eq!(scores.cost.parameters, Skeleton::CIFAR10.params(&cell).unwrap());
}

#[test]
fn structures_keep_their_rules() {
    let structure: Structure = "SuperConvK3BNRELU(3,24,2,2)SuperResIDWE6K7(24,40,2,16,5)".parse().unwrap();
    let left = |width, cells| structure.reduced(&Reduction::new(width, cells).unwrap()).to_string();
    assert_eq!(left(50, 2), "SuperConvK3BNRELU(3,16,2,2)SuperResIDWE6K7(16,16,2,8,2)");
    assert_eq!(left(1, 1), "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K7(8,8,2,8,1)");
    assert_eq!(left(100, 9), structure.to_string());
}

#[test]
fn what_leaves_nothing_is_refused_by_name() {
    let refused = |space: SpaceName, settings: &Settings| match space.network(settings, space.policy().form.as_bytes())
    {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("{}: {:?}", space.name(), other.map(drop)),
    };
    let tiny = |space| reduced(space, 1, 1);
    assert_eq!(refused(SpaceName::Nb201, &tiny(SpaceName::Nb201)), "score_width");
    assert_eq!(refused(SpaceName::Nb101, &tiny(SpaceName::Nb101)), "score_width");
    assert_eq!(refused(SpaceName::Autoformer, &reduced(SpaceName::Autoformer, 100, 1)), "score_width");
    for bad in [0, 2, 30, 65540, u32::MAX] {
        let settings = Settings { target_resolution: bad, ..reduced(SpaceName::Nb201, 50, 1) };
        assert_eq!(refused(SpaceName::Nb201, &settings), "target_resolution");
    }
    // Odd maps.
    let network = SpaceName::Nb201.network(&reduced(SpaceName::Nb201, 50, 1), common::CELLS[0].as_bytes()).unwrap();
    let size = |side| aznas::workspace_size(&*network, &Options { height: side, width: side, ..OPTIONS }, &Random);
    assert_eq!(size(6), Err(Error::NotMultiple { field: "height", divisor: 4 }));
    assert!(size(4).is_ok());
}
