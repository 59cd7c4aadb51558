//! The proxies of whole networks: as recorded from an independent implementation, in the memory that was said, and −∞ with
//! the reason where they are not defined.

mod common;

use aznas::graph::{Block, Convolution, Network};
use aznas::ops::conv2d::Algorithm;
use aznas::ops::window::Window;
use aznas::proxy::{Flags, Proxy, ProxySet, Scores};
use aznas::simd::Backend;
use aznas::tensor::{Random, Role, Source};
use aznas::{Entropy, Error, Initialisation, Options, Sigma, Workspace};
use common::recorded::{NETWORKS, Recorded};

/// A score in memory of exactly the size, of any content at first.
fn score(network: &dyn Network, options: &Options, source: &dyn Source) -> Result<Scores, Error> {
    const GUARD: usize = 256;
    let bytes = aznas::workspace_size(network, options, source)?;
    let mut memory = vec![0xff; bytes + 64 + 2 * GUARD];
    let start = GUARD + memory[GUARD..].as_ptr().align_offset(64);
    if bytes > 0 {
        let mut small = Workspace::from_bytes(&mut memory[start..start + bytes - 1]);
        let refused = aznas::score(network, options, source, &mut small, |_| ());
        assert_eq!(refused, Err(Error::WorkspaceTooSmall { needed: bytes, given: bytes - 1 }));
        assert!(memory.iter().all(|&byte| byte == 0xff));
    }
    let mut workspace = Workspace::from_bytes(&mut memory[start..start + bytes]);
    let scores = aznas::score(network, options, source, &mut workspace, |_| ());
    assert!(memory[..start].iter().chain(&memory[start + bytes..]).all(|&byte| byte == 0xff));
    scores
}

fn only(proxy: Proxy, options: Options) -> Options {
    Options { proxies: ProxySet::of(&[proxy]), ..options }
}

/// The name of a proxy in the records, and the relative error that is allowed.
fn recorded(proxy: Proxy) -> (&'static str, f64) {
    match proxy {
        Proxy::GradNorm => ("grad_norm", 1e-5),
        Proxy::Snip => ("snip", 1e-5),
        Proxy::Grasp => ("grasp", 1e-3),
        Proxy::Synflow => ("synflow_ln", 1e-5),
        Proxy::Naswot => ("naswot", 1e-9),
        Proxy::Ntk => ("ntk_score", 1e-4),
        Proxy::LinearRegions => ("linear_regions", 0.0),
        Proxy::Zen => ("zen", 1e-4),
        Proxy::GradSign => ("grad_sign_sum", 2e-3),
        Proxy::GradSignMean => ("grad_sign", 2e-3),
        Proxy::Zico => ("zico", 1e-2),
        other => panic!("{} is not of a whole network", other.name()),
    }
}

fn gap(ours: f64, theirs: f64) -> f64 {
    if ours == theirs { 0.0 } else { (ours - theirs).abs() / theirs.abs() }
}

#[test]
fn as_recorded() {
    for name in NETWORKS {
        let record = Recorded::read(name);
        let network = record.record.network();
        for (backend, proxy) in
            Backend::available().flat_map(|backend| ProxySet::OF_WHOLE_NETWORKS.iter().map(move |p| (backend, p)))
        {
            let (column, mut allowed) = recorded(proxy);
            let Some(theirs) = record.proxies.double.get(column).map(|values| values[0]) else { continue };
            if name == "nb201_full" {
                // One input of its last rectifier is 1.5e-5, and single precision errs by as much: it changes sides.
                allowed = allowed.max(5e-4);
            }
            if name == "nds_cifar" && matches!(proxy, Proxy::GradSign | Proxy::GradSignMean) {
                // Of one image the largest windows cover the last maps: gradients there are 0 but for rounding, and their
                // signs are chance. PyTorch in single precision is off by 1e-2.
                allowed = 5e-2;
            }
            let options = record.record.options(backend, Algorithm::Direct);
            let ours = score(&*network, &only(proxy, options), &record).unwrap().get(proxy);
            let place = format!("{name} {} {}", backend.name(), proxy.name());
            println!("{place}: {ours} {theirs} {:.1e}", gap(ours, theirs));
            assert!(gap(ours, theirs) <= allowed, "{place}: {ours}, not {theirs}");
        }
    }
}

/// A small network of rectifiers and normalisations.
fn cell() -> impl Network {
    common::cell_network(common::CELLS[1], 4, 1, 10)
}

const SMALL: Options = Options {
    batch: 4,
    height: 8,
    width: 8,
    seed: 3,
    initialisation: Initialisation::KaimingNormalFanIn,
    repeats: 1,
    proxies: ProxySet::PAPER,
    sigma: Sigma::Plain,
    entropy: Entropy::Plain,
    backend: Backend::Scalar,
    algorithm: Algorithm::Direct,
};

#[test]
fn company_changes_no_bits() {
    let network = cell();
    for repeats in [1, 3] {
        let options = Options { repeats, ..SMALL };
        let all = score(&network, &Options { proxies: ProxySet::ALL, ..options }, &Random).unwrap();
        assert_eq!(all.measured, ProxySet::ALL);
        for proxy in Proxy::ALL {
            let alone = score(&network, &only(proxy, options), &Random).unwrap();
            assert!(alone.measured.contains(proxy));
            for known in alone.measured.iter() {
                let [ours, theirs] = [alone, all].map(|scores| scores.get(known));
                assert_eq!(ours.to_bits(), theirs.to_bits(), "{} asked for {}", known.name(), proxy.name());
                assert!(ours.is_finite() || all.flags != Flags::default(), "{}", known.name());
            }
        }
        // What comes free with another is known.
        assert!(score(&network, &only(Proxy::Snip, options), &Random).unwrap().measured.contains(Proxy::GradNorm));
    }
    // Each repeat draws anew.
    let value = |repeats| score(&network, &only(Proxy::Naswot, Options { repeats, ..SMALL }), &Random).unwrap();
    assert_ne!(value(1).get(Proxy::Naswot), value(2).get(Proxy::Naswot));
}

/// A stack of convolutions, of which some are normalised or rectified, before a classifier.
struct Plain {
    normalised: bool,
    rectified: bool,
    pooled: bool,
}

impl Network for Plain {
    fn block_count(&self) -> usize {
        2
    }
    fn describe(&self, _: usize, block: &mut Block) -> Result<(), Error> {
        let mut x = block.convolution(block.input(), Convolution::same(4, 3, 1), 0)?;
        if self.normalised {
            x = block.batch_norm(x, 1e-5, 0)?;
        }
        if self.rectified {
            x = block.relu(x)?;
        }
        block.set_output(x)
    }
    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        if self.pooled {
            let x = block.global_pool(block.input())?;
            let x = block.linear(x, 5, 0)?;
            block.set_output(x)?;
        }
        Ok(())
    }
}

#[test]
fn what_is_not_defined_says_why() {
    const NONE: Flags = Flags(0);
    for (normalised, rectified) in [(false, false), (false, true), (true, false), (true, true)] {
        let network = Plain { normalised, rectified, pooled: true };
        for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
            let scores = score(&network, &only(proxy, SMALL), &Random).unwrap();
            let reason = match proxy {
                Proxy::Naswot | Proxy::LinearRegions if !rectified => Flags::NO_RECTIFIER,
                Proxy::Zen if !normalised => Flags::NO_BATCH_NORM,
                // What is linear has few gradients.
                Proxy::Ntk if !rectified => scores.flags,
                _ => NONE,
            };
            assert!(proxy != Proxy::Ntk || [NONE, Flags::IMAGES_ALIKE].contains(&reason));
            assert_eq!((scores.flags, scores.get(proxy).is_finite()), (reason, reason == NONE), "{}", proxy.name());
        }
    }
}

/// Poolings and rectifiers, of which some are normalised, without a single weight.
struct Bare {
    normalised: bool,
}

impl Network for Bare {
    fn block_count(&self) -> usize {
        2
    }
    fn describe(&self, _: usize, block: &mut Block) -> Result<(), Error> {
        let mut x = block.average_pool(block.input(), Window::new(3, 1, 1)?)?;
        if self.normalised {
            x = block.batch_norm(x, 1e-5, 0)?;
        }
        x = block.relu(x)?;
        block.set_output(x)
    }
    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        let x = block.global_pool(block.input())?;
        block.set_output(x)
    }
}

#[test]
fn networks_without_parameters_say_so() {
    for normalised in [false, true] {
        for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
            let scores = score(&Bare { normalised }, &only(proxy, SMALL), &Random).unwrap();
            // Gains and shifts have gradients too.
            let is_defined = match proxy {
                Proxy::Naswot | Proxy::LinearRegions => true,
                Proxy::GradNorm | Proxy::Zen => normalised,
                _ => false,
            };
            let reason = match proxy {
                // SNIP, which is of weights alone, comes with it.
                Proxy::GradNorm => Flags::NO_PARAMETERS,
                // Those of six gains make a kernel, which is singular.
                Proxy::Ntk if normalised => Flags::IMAGES_ALIKE,
                _ if is_defined => Flags::default(),
                Proxy::Zen => Flags::NO_BATCH_NORM,
                _ => Flags::NO_PARAMETERS,
            };
            assert_eq!(scores.flags, reason, "{}", proxy.name());
            assert_eq!(scores.get(proxy).is_finite(), is_defined, "{}: {}", proxy.name(), scores.get(proxy));
        }
    }
}

/// An input batch, labels and the weights of a block that are given.
#[derive(Default)]
struct Given {
    input: Option<Vec<f32>>,
    labels: Option<Vec<u32>>,
    weights: Option<Vec<f32>>,
}

impl Source for Given {
    fn batch(&self, _: u32) -> Option<&[f32]> {
        self.input.as_deref()
    }
    fn input(&self) -> Option<&[f32]> {
        self.input.as_deref()
    }
    fn labels(&self, _: u32) -> Option<&[u32]> {
        self.labels.as_deref()
    }
    fn parameter(&self, block: usize, _: u32, role: Role) -> Option<&[f32]> {
        self.weights.as_deref().filter(|_| block == 1 && role == Role::Weight)
    }
}

fn takes_labels(proxy: Proxy) -> bool {
    use Proxy::{GradNorm, GradSign, GradSignMean, Grasp, Snip, Zico};
    matches!(proxy, GradNorm | Snip | Grasp | GradSign | GradSignMean | Zico)
}

#[test]
fn what_is_not_a_number_makes_every_proxy_worst() {
    for (normalised, pooled) in [(true, true), (false, true), (true, false)] {
        let network = Plain { normalised, rectified: true, pooled };
        for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
            if takes_labels(proxy) && !pooled || proxy == Proxy::Zen && !(normalised && pooled) {
                continue;
            }
            for backend in Backend::available() {
                for (of_input, poison) in [(true, f32::NAN), (true, f32::INFINITY), (false, f32::NAN)] {
                    let mut given = Given::default();
                    let poisoned = |len: usize| {
                        let mut numbers: Vec<_> = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
                        numbers[len / 2] = poison;
                        Some(numbers)
                    };
                    if of_input {
                        given.input = poisoned(4 * 8 * 8 * 3);
                    } else {
                        given.weights = poisoned(9 * 4 * 4);
                    }
                    let scores = score(&network, &Options { backend, ..only(proxy, SMALL) }, &given).unwrap();
                    let place = format!("{} of {poison}, {}", proxy.name(), backend.name());
                    // Synflow reads an image of ones.
                    if of_input && proxy == Proxy::Synflow {
                        assert!(scores.get(proxy).is_finite(), "{place}");
                        continue;
                    }
                    assert_eq!(scores.get(proxy), f64::NEG_INFINITY, "{place}");
                    assert_eq!(scores.flags, Flags::NOT_FINITE, "{place}");
                }
            }
        }
    }
}

#[test]
fn bad_data_is_refused() {
    let network = Plain { normalised: true, rectified: true, pooled: true };
    let len = 4 * 8 * 8 * 3;
    for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
        let options = only(proxy, SMALL);
        for labels in [vec![0, 1, 2, 5], vec![0; 3], vec![0; 5], vec![u32::MAX; 4], Vec::new()] {
            let given = Given { input: Some(vec![1.0; len]), labels: Some(labels), ..Given::default() };
            let result = score(&network, &options, &given);
            let is_refused = matches!(result, Err(Error::Invalid { field: "labels", .. }));
            assert_eq!(is_refused, takes_labels(proxy), "{}: {result:?}", proxy.name());
        }
        for wrong in [0, len - 1, len + 1] {
            let given = Given { input: Some(vec![1.0; wrong]), ..Given::default() };
            let result = score(&network, &options, &given);
            assert!(matches!(result, Err(Error::TensorLength { block: 0, .. })), "{}: {result:?}", proxy.name());
        }
        for wrong in [0, 143, 145] {
            let given = Given { weights: Some(vec![0.5; wrong]), ..Given::default() };
            let result = score(&network, &options, &given);
            assert!(matches!(result, Err(Error::TensorLength { block: 1, .. })), "{}: {result:?}", proxy.name());
        }
        // Without a head there are no classes.
        let headless = Plain { normalised: true, rectified: true, pooled: false };
        let result = score(&headless, &options, &Random);
        let is_refused = matches!(result, Err(Error::Node { block: 2, field: "output", .. }));
        assert_eq!(is_refused, takes_labels(proxy), "{}: {result:?}", proxy.name());
        if let Ok(scores) = result {
            let reason = if proxy == Proxy::Zen { Flags::NO_BATCH_NORM } else { Flags::default() };
            assert_eq!(
                (scores.flags, scores.get(proxy).is_finite()),
                (reason, proxy != Proxy::Zen),
                "{}",
                proxy.name()
            );
        }
    }
}

/// Batch normalisation of a single position divides by the deviation of one number, which is 0 but for epsilon.
#[test]
fn single_positions_are_defined_or_say_why() {
    let network = Plain { normalised: true, rectified: true, pooled: true };
    for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
        for batch in [1, 2] {
            let options = Options { batch, height: 1, width: 1, ..SMALL };
            let scores = score(&network, &only(proxy, options), &Random).unwrap();
            let value = scores.get(proxy);
            assert!(value.is_finite() != (scores.flags != Flags::default()), "{}: {value}", proxy.name());
            assert!(!scores.flags.contains(Flags::NOT_FINITE) && !value.is_nan(), "{}: {value}", proxy.name());
        }
    }
}

#[test]
fn single_images_are_no_special_case() {
    let network = cell();
    for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
        let scores = score(&network, &only(proxy, Options { batch: 1, ..SMALL }), &Random).unwrap();
        assert!(scores.get(proxy).is_finite(), "{}: {:?}", proxy.name(), scores.flags);
        match proxy {
            Proxy::Ntk => assert_eq!(scores.get(proxy), -1.0),
            Proxy::LinearRegions => assert_eq!(scores.get(proxy), 1.0),
            _ => {}
        }
    }
}

#[test]
fn each_is_drawn_as_published() {
    let network = cell();
    let initialisations = [Initialisation::KaimingNormalFanIn, Initialisation::Uniform];
    for proxy in ProxySet::OF_WHOLE_NETWORKS.iter() {
        let [one, other] = initialisations.map(|initialisation| {
            score(&network, &only(proxy, Options { initialisation, ..SMALL }), &Random).unwrap().get(proxy)
        });
        // Those of Kaiming's initialisation, which is the default, follow the options.
        let follows = matches!(proxy, Proxy::GradNorm | Proxy::Snip | Proxy::Grasp | Proxy::Synflow | Proxy::Naswot);
        assert_eq!(one != other, follows, "{}", proxy.name());
    }
}
