//! Vision transformers: published scores, memory, shared parameters and refusals.

mod common;

use aznas::proxy::{BlockScores, Flags, Proxy, ProxySet};
use aznas::simd::Backend;
use aznas::spaces::autoformer::{Architecture, Parameters, TransformerNetwork};
use aznas::tensor::Random;
use aznas::{Error, Options, Scores};

/// The network that the authors' search found in the tiny space.
const WINNER: &str = "autoformer(embed=192,heads=4-3-4-4-4-4-4-3-3-4-4-4,\
    ratio=3.5-3.5-3.5-4-3.5-3.5-3.5-3.5-3.5-3.5-4-4)";

fn network(text: &str) -> TransformerNetwork {
    TransformerNetwork::new(Architecture::parse(text).unwrap())
}

fn score(network: &TransformerNetwork, options: Options) -> (Scores, Vec<BlockScores>) {
    common::score(network, &options)
}

fn images(batch: usize, side: usize) -> Options {
    Options { batch, height: side, width: side, ..Options::default() }
}

#[test]
fn the_winner_scores_as_published() {
    let (scores, blocks) = score(&network(WINNER), images(16, 224));
    // Of two seeds: E 120.735 to 120.756, T −0.208 to −0.203; entropies from 5.106 down to 4.961.
    assert!((120.735 * 0.99..120.756 * 1.01).contains(&scores.expressivity()), "{}", scores.expressivity());
    assert!((-0.208 * 1.01..-0.203 * 0.99).contains(&scores.trainability()), "{}", scores.trainability());
    assert!((blocks[0].expressivity - 5.106).abs() < 0.01 && (blocks[23].expressivity - 4.961).abs() < 0.01);
    assert_eq!((scores.complexity(), scores.cost.parameters), (1_380_128_376.0, 5_921_032));
    assert_eq!(blocks.len(), 24);
}

/// Whatever is asked for: transformers have no progressivity.
#[test]
fn progressivity_is_not_measured() {
    let network = network("autoformer(embed=24,heads=2-1,ratio=2-2)");
    let progressive = ProxySet::PROGRESSIVE;
    for proxies in [ProxySet::PAPER, ProxySet::EXTENDED, ProxySet::BLOCKWISE, progressive] {
        let options = Options { proxies, ..images(2, 64) };
        let (scores, _) = score(&network, options);
        assert!(progressive.iter().all(|proxy| scores.get(proxy) == f64::NEG_INFINITY), "{proxies}");
        assert!(!scores.measured.intersects(progressive), "{proxies}");
        assert!(scores.measured.contains_all(proxies.without(progressive)), "{proxies}");
        assert!(!scores.flags.contains(Flags::NOT_FINITE), "{proxies}");
    }
    // What nobody needs takes no memory.
    let bytes = |proxies| aznas::workspace_size(&network, &Options { proxies, ..images(2, 64) }, &Random).unwrap();
    assert_eq!(bytes(progressive), bytes(ProxySet::of(&[Proxy::Depth])));
}

#[test]
fn memory_is_linear_in_tokens_and_batch() {
    let network = network(WINNER);
    let bytes = |batch, side| aznas::workspace_size(&network, &images(batch, side), &Random).unwrap() as f64;
    for (batch, side) in [(1, 224), (8, 224), (64, 224), (8, 448)] {
        let tokens = |side: usize| (side / 16 * side / 16 + 1) as f64;
        let (more_images, more_tokens) = (bytes(2 * batch, side), bytes(batch, 2 * side));
        let own = bytes(batch, side);
        println!("batch {batch}, {side} pixels: {:.1} MiB", own / f64::from(1 << 20));
        assert!(more_images <= 2.0 * own, "batch {batch}, {side} pixels: {own}, then {more_images}");
        let growth = tokens(2 * side) / tokens(side);
        assert!(more_tokens <= 1.05 * growth * own, "batch {batch}, {side} pixels: {own}, then {more_tokens}");
    }
}

#[test]
fn candidates_share_parameters_unless_they_have_their_own() {
    // The first layers are equal; only what follows differs.
    let texts = ["autoformer(embed=24,heads=2-1,ratio=2-2)", "autoformer(embed=24,heads=2-1-2,ratio=2-3-1)"];
    for (parameters, shared) in [(Parameters::Shared, 3), (Parameters::Own, 0)] {
        let [few, many] = texts.map(|text| score(&TransformerNetwork { parameters, ..network(text) }, images(2, 64)).1);
        let same = few.iter().zip(&many).take_while(|(a, b)| a.expressivity.to_bits() == b.expressivity.to_bits());
        assert_eq!(same.count(), shared, "{parameters:?}");
    }
}

#[test]
fn scores_are_the_same_in_any_workspace_and_on_any_seed_of_its_own() {
    let network = network("autoformer(embed=40,heads=1-2,ratio=1.5-3.25)");
    for backend in Backend::available() {
        let options = Options { backend, ..images(2, 80) };
        let bits = |options: &Options| {
            let (scores, blocks) = common::score(&network, options);
            common::bits(&scores, &blocks)
        };
        let once = bits(&options);
        assert_eq!(once, bits(&options), "{}", backend.name());
        assert_ne!(once, bits(&Options { seed: 2, ..options }), "{}", backend.name());
        // 0xff makes every number a NaN: reading anything not written before would show.
        let needed = aznas::workspace_size(&network, &options, &Random).unwrap();
        let mut memory = vec![0xffu8; needed + 64];
        let mut workspace = aznas::Workspace::from_bytes(&mut memory);
        let mut blocks = Vec::new();
        let scores = aznas::score(&network, &options, &Random, &mut workspace, |block| blocks.push(*block)).unwrap();
        assert_eq!(once, common::bits(&scores, &blocks), "{}", backend.name());
    }
}

#[test]
fn images_of_broken_patches_are_refused() {
    let size = |height, width| {
        let options = Options { height, width, ..images(2, 224) };
        aznas::workspace_size(&network(WINNER), &options, &Random)
    };
    for (height, width) in [(225, 224), (8, 8), (100, 100)] {
        assert_eq!(size(height, width), Err(Error::NotMultiple { field: "height", divisor: 16 }), "{height} x {width}");
    }
    assert!(matches!(size(32, 48), Err(Error::Invalid { field: "width", .. })));
    assert!(size(32, 32).is_ok());
    let huge = TransformerNetwork::new(Architecture::parse("autoformer(embed=65535,heads=255,ratio=16)").unwrap());
    let options = Options { batch: 1 << 40, ..images(1, 1 << 12) };
    assert!(matches!(aznas::workspace_size(&huge, &options, &Random), Err(Error::Overflow { .. })));
}
