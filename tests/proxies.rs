//! What is not asked for costs nothing, and does not change what is; what is undefined says why.

mod common;

use aznas::graph::{Block, Convolution, Cost, IdentityRule, Network};
use aznas::proxy::{Flags, Proxy, ProxySet};
use aznas::simd::Backend;
use aznas::spaces::autoformer::TransformerNetwork;
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::tensor::{Random, Role, Source};
use aznas::{Error, Options, Workspace};

const SPECTRAL: ProxySet = ProxySet::of(&[
    Proxy::Expressivity,
    Proxy::Progressivity,
    Proxy::MeanProgressivity,
    Proxy::Isotropy,
    Proxy::MeanExpressivity,
    Proxy::EffectiveDimension,
]);
const TRANSFERRED: ProxySet = ProxySet::of(&[Proxy::Trainability, Proxy::LogGain]);
const CONCENTRATED: ProxySet = ProxySet::of(&[Proxy::ParticipationRatio]);
const ALL_OF_BLOCKS: ProxySet = ProxySet::BLOCKWISE.union(CONCENTRATED);
const MEASURED: ProxySet = SPECTRAL.union(TRANSFERRED).union(CONCENTRATED);

/// The sets of every single proxy, of pairs that share work, and of all.
fn sets() -> impl Iterator<Item = ProxySet> {
    let singles = Proxy::ALL.map(|proxy| ProxySet::of(&[proxy]));
    let pairs = [
        ProxySet::of(&[Proxy::Trainability, Proxy::Complexity]),
        ProxySet::of(&[Proxy::MeanProgressivity, Proxy::Depth]),
        ProxySet::of(&[]),
    ];
    singles.into_iter().chain(pairs).chain(ProxySet::NAMED.map(|(_, set)| set.without(ProxySet::OF_WHOLE_NETWORKS)))
}

fn check<N: Network>(network: &N, options: Options, source: &dyn Source) {
    let (all, all_blocks) = common::score_with(network, &Options { proxies: ALL_OF_BLOCKS, ..options }, source);
    let absent = if network.progressivity() { ProxySet::of(&[]) } else { ProxySet::PROGRESSIVE };
    assert_eq!(all.measured, ALL_OF_BLOCKS.without(absent));
    for proxies in sets() {
        let (some, blocks) = common::score_with(network, &Options { proxies, ..options }, source);
        let spectral = proxies.without(absent).intersects(SPECTRAL);
        let trainable = proxies.intersects(TRANSFERRED);
        let concentrated = proxies.without(absent).intersects(CONCENTRATED);
        for proxy in ALL_OF_BLOCKS.iter() {
            let is_known = match proxy {
                _ if TRANSFERRED.contains(proxy) => trainable,
                _ if absent.contains(proxy) => false,
                _ if SPECTRAL.contains(proxy) => spectral,
                _ if CONCENTRATED.contains(proxy) => concentrated,
                _ => true,
            };
            let expected = if is_known { all.get(proxy) } else { f64::NEG_INFINITY };
            assert_eq!(some.get(proxy).to_bits(), expected.to_bits(), "{proxy:?} of {proxies}");
            assert_eq!(some.measured.contains(proxy), is_known, "{proxy:?} of {proxies}");
        }
        assert_eq!(some.cost, all.cost);
        assert_eq!(blocks.len(), all_blocks.len());
        for (block, full) in blocks.iter().zip(&all_blocks) {
            let or_nan = |is_known, number: f64| if is_known { number.to_bits() } else { f64::NAN.to_bits() };
            assert_eq!(block.expressivity.to_bits(), or_nan(spectral, full.expressivity), "{proxies}");
            assert_eq!(block.concentration.to_bits(), or_nan(concentrated, full.concentration), "{proxies}");
            assert_eq!(block.sigma.to_bits(), or_nan(trainable, full.sigma), "{proxies}");
            assert_eq!(block.trainability.to_bits(), or_nan(trainable, full.trainability), "{proxies}");
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
        assert_eq!(scores.trainability(), f64::NEG_INFINITY);
        assert!(scores.flags.contains(Flags::NOT_FINITE));
    }
}

#[test]
fn memory_is_that_of_the_work() {
    for text in common::CELLS {
        let network = common::cell_network(text, 16, 5, 10);
        let bytes = |proxies| {
            let options = Options { batch: 16, proxies, ..Options::default() };
            aznas::workspace_size(&network, &options, &Random).unwrap()
        };
        let (all, spectra, transfers) = (bytes(ALL_OF_BLOCKS), bytes(SPECTRAL), bytes(MEASURED.without(SPECTRAL)));
        assert!(spectra <= all && transfers <= all, "{text}");
        // The largest block of a cell of convolutions alone is a cell, and its gradients take memory.
        assert!(spectra < all || text != common::CELLS[0], "{spectra} bytes without the backward pass, {all} with it");
        assert_eq!(bytes(ALL_OF_BLOCKS.without(MEASURED)), 0);
    }
    let network = common::cell_network(common::CELLS[0], 16, 5, 10);
    let options = Options { proxies: ALL_OF_BLOCKS.without(MEASURED), ..Options::default() };
    let counted = aznas::score(&network, &options, &Random, &mut Workspace::from_bytes(&mut []), |_| ()).unwrap();
    for proxy in options.proxies.iter() {
        assert!(counted.get(proxy) > 0.0, "{proxy:?}");
    }
}

#[test]
fn there_is_one_default() {
    assert_eq!(ProxySet::default(), ProxySet::PAPER);
    assert_eq!(Options::default().proxies, ProxySet::default());
}

/// A primary block that makes some proxy undefined, or does not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Convolution,
    DownSampling,
    /// Its feature is one row and one column smaller than its input.
    Uneven,
    Identity,
    /// Its feature has one channel.
    Narrow,
    /// Its feature is 0.
    Zero,
    /// Its feature is the caller's bias, which is not a number.
    NotFinite,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Convolution,
        Self::DownSampling,
        Self::Uneven,
        Self::Identity,
        Self::Narrow,
        Self::Zero,
        Self::NotFinite,
    ];
}

struct Chain {
    kinds: Vec<Kind>,
    identity_rule: IdentityRule,
    complexity: Option<f64>,
}

impl Network for Chain {
    fn input_channels(&self) -> usize {
        4
    }

    fn block_count(&self) -> usize {
        self.kinds.len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let input = block.input();
        let stride = if self.kinds[index] == Kind::DownSampling { 2 } else { 1 };
        let bias = self.kinds[index] == Kind::NotFinite;
        let channels = if self.kinds[index] == Kind::Narrow { 1 } else { 4 };
        let same = Convolution::same(channels, 3, stride);
        let convolution = match self.kinds[index] {
            Kind::Uneven => Convolution { kernel: [2; 2], padding: [0; 2], ..same },
            _ => Convolution { bias, ..same },
        };
        let output = match self.kinds[index] {
            Kind::Convolution | Kind::DownSampling | Kind::Uneven | Kind::Narrow | Kind::NotFinite => {
                block.convolution(input, convolution, 0)?
            }
            Kind::Identity => input,
            Kind::Zero => block.zero(input)?,
        };
        block.set_output(output)
    }

    fn identity_rule(&self) -> IdentityRule {
        self.identity_rule
    }

    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        Ok(self.complexity.unwrap_or(cost.macs as f64))
    }
}

/// Biases that are not numbers.
struct NotANumber([f32; 4]);

impl Source for NotANumber {
    fn parameter(&self, _: usize, _: u32, role: Role) -> Option<&[f32]> {
        (role == Role::Bias).then_some(&self.0)
    }
}

/// The flags that can explain why a proxy is −∞.
fn reasons(proxy: Proxy) -> Flags {
    let undefined = Flags::NOT_FINITE | Flags::CONSTANT_FEATURE;
    match proxy {
        Proxy::Expressivity | Proxy::MeanExpressivity => undefined,
        Proxy::EffectiveDimension | Proxy::ParticipationRatio => undefined,
        Proxy::Isotropy => undefined | Flags::ONE_CHANNEL,
        Proxy::Progressivity => undefined | Flags::SINGLE_BLOCK,
        Proxy::MeanProgressivity => undefined | Flags::SINGLE_BLOCK | Flags::ALL_DOWN_SAMPLE,
        Proxy::Trainability | Proxy::LogGain => {
            Flags::NOT_FINITE | Flags::IDENTITY_BLOCK | Flags::SINGLE_BLOCK | Flags::UNEVEN_BLOCK
        }
        Proxy::Complexity => Flags::NOT_FINITE,
        // What is counted is a number.
        _ => Flags::default(),
    }
}

/// Every network of up to three such blocks, by each rule, whatever is measured: no proxy that was measured is −∞ without a
/// reason, and no reason is given for nothing.
#[test]
fn minus_infinity_comes_with_a_reason() {
    let mut networks: Vec<Vec<Kind>> = vec![Vec::new()];
    for start in 0..1 + 7 + 49 {
        networks.extend(Kind::ALL.map(|kind| [&networks[start][..], &[kind]].concat()));
    }
    assert_eq!(networks.len(), 1 + 7 + 49 + 343);
    let (mut undefined, mut seen) = ([0; Proxy::COUNT], Flags::default());
    for kinds in &networks[1..] {
        for identity_rule in [IdentityRule::Reject, IdentityRule::Skip] {
            for proxies in [ProxySet::of(&[]), SPECTRAL, MEASURED.without(SPECTRAL), ALL_OF_BLOCKS] {
                for complexity in if kinds.len() == 1 { vec![None, Some(f64::NAN)] } else { vec![None] } {
                    let network = Chain { kinds: kinds.clone(), identity_rule, complexity };
                    let options = Options { batch: 2, height: 8, width: 8, proxies, ..Options::default() };
                    let source = NotANumber([f32::NAN; 4]);
                    let (scores, _) = common::score_with(&network, &options, &source);
                    seen |= scores.flags;
                    for proxy in scores.measured.iter() {
                        let value = scores.get(proxy);
                        assert!(!value.is_nan(), "{proxy:?} of {kinds:?}");
                        if value == f64::NEG_INFINITY {
                            undefined[proxy as usize] += 1;
                            let flags = scores.flags.names().collect::<Vec<_>>();
                            assert!(scores.flags.intersects(reasons(proxy)), "{proxy:?} of {kinds:?}: {flags:?}");
                        }
                    }
                    let is = |proxy| scores.measured.contains(proxy) && scores.get(proxy) == f64::NEG_INFINITY;
                    if scores.flags.contains(Flags::SINGLE_BLOCK) {
                        assert!(is(Proxy::Progressivity) || is(Proxy::Trainability), "{kinds:?}");
                    }
                    assert!(
                        !scores.flags.contains(Flags::ALL_DOWN_SAMPLE) || is(Proxy::MeanProgressivity),
                        "{kinds:?}"
                    );
                }
            }
        }
    }
    // The test sees what it is about.
    for proxy in MEASURED.with(Proxy::Complexity).iter() {
        assert!(undefined[proxy as usize] > 0, "{proxy:?} was defined everywhere");
    }
    // The other reasons are those of proxies of whole networks.
    let others = [Flags::NO_RECTIFIER, Flags::NO_BATCH_NORM, Flags::IMAGES_ALIKE, Flags::CUT_OFF, Flags::NO_PARAMETERS];
    let all = others.into_iter().fold(seen, |all, flag| all | flag);
    assert!(others.iter().all(|flag| !seen.contains(*flag)));
    assert_eq!(all.names().count(), Flags(u32::MAX).names().count(), "{:?}", seen.names().collect::<Vec<_>>());
}
