//! Figures published in Lee and Ham, *AZ-NAS*, CVPR 2024: Kendall's τ with the accuracies of NAS-Bench-201.

use aznas::Initialisation;
use aznas::aggregate::Mode;
use aznas::proxy::{Proxy, ProxySet};

const E: Proxy = Proxy::Expressivity;
const P: Proxy = Proxy::Progressivity;
const T: Proxy = Proxy::Trainability;
const C: Proxy = Proxy::Complexity;

/// Table 4. The published text lost which proxies a row has: single proxies, all four, E + C and E + T + C are
/// certain (stated, or equal to rows of tables 1 and 5), the others follow from the order of the rows. The row of T
/// with one other of P and C is left out. A single proxy has the same τ in both modes.
const ABLATION: [(&[Proxy], Mode, [f64; 3]); 13] = [
    (&[E], Mode::Log, [0.569, 0.563, 0.506]),
    (&[P], Mode::Log, [0.521, 0.508, 0.489]),
    (&[T], Mode::Log, [0.349, 0.353, 0.407]),
    (&[C], Mode::Log, [0.578, 0.551, 0.517]),
    (&[E, P], Mode::Log, [0.601, 0.590, 0.547]),
    (&[E, T], Mode::Log, [0.635, 0.631, 0.639]),
    (&[E, C], Mode::Log, [0.674, 0.653, 0.601]),
    (&[E, P, T], Mode::Log, [0.679, 0.673, 0.669]),
    (&[E, P, C], Mode::Log, [0.683, 0.661, 0.616]),
    (&[E, T, C], Mode::Log, [0.731, 0.714, 0.708]),
    (&[E, T, C], Mode::Linear, [0.706, 0.692, 0.678]),
    (&[E, P, T, C], Mode::Log, [0.741, 0.723, 0.710]),
    (&[E, P, T, C], Mode::Linear, [0.697, 0.681, 0.663]),
];

/// Table 8: initialisations, all four proxies.
pub const INITIALISATIONS: [(Initialisation, [f64; 3]); 5] = [
    (Initialisation::KaimingNormalFanIn, [0.741, 0.723, 0.710]),
    (Initialisation::KaimingNormalFanOut, [0.754, 0.733, 0.724]),
    (Initialisation::XavierNormal, [0.754, 0.732, 0.724]),
    (Initialisation::Normal, [0.740, 0.715, 0.709]),
    (Initialisation::Uniform, [0.730, 0.703, 0.702]),
];

/// Table 9: batch sizes, all four proxies.
pub const BATCHES: [(usize, [f64; 3]); 5] = [
    (8, [0.730, 0.709, 0.687]),
    (16, [0.736, 0.717, 0.701]),
    (32, [0.740, 0.721, 0.708]),
    (64, [0.741, 0.723, 0.710]),
    (128, [0.741, 0.724, 0.710]),
];

/// Table 1: accuracy of the cell picked among 3000 by all four proxies, mean and deviation of 5 runs.
pub const SELECTED: [(f64, f64); 3] = [(93.53, 0.15), (70.75, 0.48), (45.43, 0.29)];

/// The place of a column's dataset in the figures above: CIFAR-10, CIFAR-100 or ImageNet16-120, by its name.
pub fn dataset(column: &str) -> Option<usize> {
    let name: String = column.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    // CIFAR-100 begins like CIFAR-10.
    [("cifar100", 1), ("cifar10", 0), ("imagenet16", 2)]
        .into_iter()
        .find_map(|(part, place)| name.contains(part).then_some(place))
}

/// The published τ of an aggregate at batch 64 and the default initialisation.
pub fn ablation(set: ProxySet, mode: Mode) -> Option<[f64; 3]> {
    let found = ABLATION
        .iter()
        .find(|(proxies, other, _)| ProxySet::of(proxies) == set && (*other == mode || proxies.len() == 1));
    found.map(|(.., figures)| *figures)
}
