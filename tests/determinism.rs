//! The same bits on every thread, close numbers on every instruction set, and NaN that ends as −∞ with a reason.

mod common;

use aznas::proxy::{Flags, ProxySet};
use aznas::simd::Backend;
use aznas::tensor::{Role, Source};
use aznas::{Initialisation, Options};

fn options() -> Options {
    Options { batch: 4, height: 16, width: 16, ..Options::default() }
}

#[test]
fn threads_do_not_change_a_bit() {
    let options = || Options { proxies: ProxySet::ALL, ..options() };
    let networks: Vec<_> = common::CELLS.iter().map(|text| common::cell_network(text, 4, 1, 10)).collect();
    let alone: Vec<_> = networks.iter().map(|network| common::score(network, &options())).collect();
    assert!(alone.iter().all(|(scores, _)| scores.measured == ProxySet::ALL));
    let bits = |(scores, blocks): &(_, Vec<_>)| common::bits(scores, blocks);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|first| {
                let networks = &networks;
                scope.spawn(move || {
                    // Every worker in another order.
                    (0..networks.len())
                        .map(|i| (i + first) % networks.len())
                        .map(|i| (i, common::score(&networks[i], &options())))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for worker in workers {
            for (i, scored) in worker.join().unwrap() {
                assert_eq!(bits(&scored), bits(&alone[i]));
            }
        }
    });
}

#[test]
fn instruction_sets_agree_on_whole_scores() {
    for text in common::CELLS {
        let network = common::cell_network(text, 16, 2, 10);
        let (reference, blocks) = common::score(&network, &Options { backend: Backend::Scalar, ..options() });
        for backend in Backend::available() {
            let (scores, others) = common::score(&network, &Options { backend, ..options() });
            assert_eq!(scores.complexity(), reference.complexity());
            assert_eq!(scores.flags, reference.flags, "{text}");
            for (a, b) in blocks.iter().zip(&others) {
                let close = |a: f64, b: f64, tolerance: f64| {
                    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance
                };
                // Features agree to rounding; a gradient may pass a rectifier on one of them and not on the other.
                assert!(close(a.expressivity, b.expressivity, 1e-5), "{text} {}: {a:?} {b:?}", backend.name());
                assert!(close(a.sigma, b.sigma, 5e-3 * a.sigma), "{text} {}: {a:?} {b:?}", backend.name());
            }
        }
    }
}

#[test]
fn seeds_repeats_and_initialisations_change_what_they_should() {
    let network = common::cell_network(common::CELLS[1], 8, 1, 10);
    let score = |options: Options| common::score(&network, &options).0;
    let first = score(options());
    assert_eq!(first, score(options()));
    assert_ne!(first.expressivity(), score(Options { seed: 2, ..options() }).expressivity());
    let twice = score(Options { repeats: 2, ..options() });
    assert_ne!(first.trainability(), twice.trainability());
    let (_, blocks) = common::score(&network, &Options { repeats: 2, ..options() });
    let half = blocks.len() / 2;
    let sum: f64 = blocks.iter().map(|block| block.expressivity).sum();
    assert!((twice.expressivity() - sum / 2.0).abs() < 1e-12);
    assert_eq!(blocks[0].block, blocks[half].block);
    let mut seen = Vec::new();
    for initialisation in Initialisation::ALL {
        let scores = score(Options { initialisation, ..options() });
        assert!(scores.expressivity().is_finite() && scores.trainability().is_finite(), "{}", initialisation.name());
        assert!(!seen.contains(&scores.trainability().to_bits()), "{}", initialisation.name());
        seen.push(scores.trainability().to_bits());
    }
}

/// One tensor of the caller's, poisoned.
struct Poisoned {
    weights: Option<Vec<f32>>,
    input: Option<Vec<f32>>,
    direction: Option<Vec<f32>>,
}

impl Source for Poisoned {
    fn input(&self) -> Option<&[f32]> {
        self.input.as_deref()
    }
    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.direction.as_deref().filter(|_| block == 1)
    }
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.weights.as_deref().filter(|_| (block, key, role) == (1, 0, Role::Weight))
    }
}

#[test]
fn what_is_not_a_number_ends_as_minus_infinity_with_a_reason() {
    let network = common::cell_network(common::CELLS[0], 8, 1, 10);
    let none = || Poisoned { weights: None, input: None, direction: None };
    let numbers = |count: usize, at: usize, poison: f32| {
        let mut numbers: Vec<f32> = (0..count).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        numbers[at] = poison;
        Some(numbers)
    };
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let input = Poisoned { input: numbers(4 * 16 * 16 * 3, 100, poison), ..none() };
        let weights = Poisoned { weights: numbers(8 * 8 * 9, 7, poison), ..none() };
        for source in [input, weights] {
            let (scores, _) = common::score_with(&network, &options(), &source);
            assert_eq!(scores.expressivity(), f64::NEG_INFINITY);
            assert_eq!(scores.progressivity(), f64::NEG_INFINITY);
            assert_eq!(scores.trainability(), f64::NEG_INFINITY);
            assert!(scores.flags.contains(Flags::NOT_FINITE));
        }
        let direction = Poisoned { direction: numbers(4 * 16 * 16 * 8, 9, poison), ..none() };
        let (scores, _) = common::score_with(&network, &options(), &direction);
        assert!(scores.expressivity().is_finite());
        assert_eq!(scores.trainability(), f64::NEG_INFINITY);
        assert!(scores.flags.contains(Flags::NOT_FINITE));
    }
}

#[test]
fn tensors_of_the_wrong_length_are_refused() {
    let network = common::cell_network(common::CELLS[0], 8, 1, 10);
    let source = Poisoned { weights: Some(vec![0.0; 575]), input: None, direction: None };
    assert_eq!(
        aznas::workspace_size(&network, &options(), &source),
        Err(aznas::Error::TensorLength { block: 1, needed: 576, given: 575 })
    );
    let source = Poisoned { weights: None, input: Some(vec![0.0; 1]), direction: None };
    assert!(matches!(
        aznas::workspace_size(&network, &options(), &source),
        Err(aznas::Error::TensorLength { block: 0, needed: 3072, given: 1 })
    ));
}
