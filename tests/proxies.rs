//! What is not asked for costs nothing, and does not change what is.

mod common;

use aznas::graph::Network;
use aznas::proxy::{Flags, Proxy, ProxySet};
use aznas::simd::Backend;
use aznas::spaces::autoformer::TransformerNetwork;
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::tensor::{Random, Role, Source};
use aznas::{Options, Workspace};

/// The sets of every single proxy, of pairs that share work, and of all.
fn sets() -> impl Iterator<Item = ProxySet> {
    let singles = Proxy::ALL.map(|proxy| ProxySet::of(&[proxy]));
    let pairs = [
        ProxySet::of(&[Proxy::Trainability, Proxy::Complexity]),
        ProxySet::of(&[Proxy::MeanProgressivity, Proxy::Depth]),
        ProxySet::of(&[]),
    ];
    singles.into_iter().chain(pairs).chain([ProxySet::PAPER, ProxySet::EXTENDED, ProxySet::ALL])
}

fn check<N: Network>(network: &N, options: Options, source: &dyn Source) {
    let (all, all_blocks) = common::score_with(network, &options, source);
    for proxies in sets() {
        let (some, blocks) = common::score_with(network, &Options { proxies, ..options }, source);
        let spectral = proxies.intersects(ProxySet::SPECTRAL);
        let trainable = proxies.contains(Proxy::Trainability);
        for proxy in Proxy::ALL {
            let is_known = match proxy {
                Proxy::Trainability => trainable,
                _ if ProxySet::SPECTRAL.contains(proxy) => spectral,
                _ => true,
            };
            let expected = if is_known { all.get(proxy) } else { f64::NEG_INFINITY };
            assert_eq!(some.get(proxy).to_bits(), expected.to_bits(), "{proxy:?} of {proxies:?}");
        }
        assert_eq!(some.cost, all.cost);
        assert_eq!(some.flags.contains(Flags::NOT_MEASURED), !(spectral && trainable), "{proxies:?}");
        assert_eq!(blocks.len(), all_blocks.len());
        for (block, full) in blocks.iter().zip(&all_blocks) {
            let or_nan = |is_known, number: f64| if is_known { number.to_bits() } else { f64::NAN.to_bits() };
            assert_eq!(block.expressivity.to_bits(), or_nan(spectral, full.expressivity), "{proxies:?}");
            assert_eq!(block.sigma.to_bits(), or_nan(trainable, full.sigma), "{proxies:?}");
            assert_eq!(block.trainability.to_bits(), or_nan(trainable, full.trainability), "{proxies:?}");
        }
    }
}

#[test]
fn wanted_proxies_are_the_same_bits_as_in_a_full_score() {
    for backend in Backend::available() {
        let options = Options { batch: 2, height: 8, width: 8, repeats: 2, backend, ..Options::default() };
        for text in common::CELLS {
            check(&common::cell_network(text, 4, 1, 10), options, &Random);
        }
        let structure = Structure::parse("SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,2)").unwrap();
        check(&UnitNetwork { structure, classes: 10, target_resolution: 224 }, options, &Random);
        let transformer = TransformerNetwork::new("autoformer(embed=16,heads=1-2,ratio=2-1)".parse().unwrap());
        check(&transformer, Options { height: 32, width: 32, ..options }, &Random);
    }
}

/// Weights of one convolution of the first cell, one of which is not a number.
struct Poisoned([f32; 9 * 4 * 4]);

impl Source for Poisoned {
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        ((block, key, role) == (1, 0, Role::Weight)).then_some(&self.0)
    }
}

#[test]
fn what_is_not_a_number_is_found_without_spectra() {
    let network = common::cell_network(common::CELLS[0], 4, 1, 10);
    for poison in [f32::NAN, f32::INFINITY] {
        let mut weights = [0.5; 9 * 4 * 4];
        weights[17] = poison;
        let options = Options { batch: 2, height: 8, width: 8, ..Options::default() };
        check(&network, options, &Poisoned(weights));
        let proxies = ProxySet::of(&[Proxy::Trainability]);
        let (scores, _) = common::score_with(&network, &Options { proxies, ..options }, &Poisoned(weights));
        assert_eq!(scores.trainability, f64::NEG_INFINITY);
        assert!(scores.flags.contains(Flags::NOT_FINITE));
    }
}

#[test]
fn memory_is_that_of_the_work() {
    for text in common::CELLS {
        let network = common::cell_network(text, 16, 5, 10);
        let bytes = |proxies| {
            let options = Options { batch: 16, proxies: ProxySet::of(proxies), ..Options::default() };
            aznas::workspace_size(&network, &options, &Random).unwrap()
        };
        let all = bytes(&Proxy::ALL);
        let forward = bytes(&[Proxy::Expressivity]);
        println!("all {all}, without backward pass {forward}, without spectra {}", bytes(&[Proxy::Trainability]));
        assert!(forward <= all && bytes(&[Proxy::Trainability]) <= all, "{text}");
        assert_eq!(bytes(&[Proxy::Complexity, Proxy::Depth]), 0);
    }
    let network = common::cell_network(common::CELLS[0], 16, 5, 10);
    let proxies = ProxySet::of(&[Proxy::LiveComplexity]);
    let options = Options { proxies, ..Options::default() };
    let counted = aznas::score(&network, &options, &Random, &mut Workspace::from_bytes(&mut []), |_| ()).unwrap();
    assert!(counted.get(Proxy::LiveComplexity) > 0.0);
}
