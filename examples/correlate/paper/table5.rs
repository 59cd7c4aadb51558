//! Table 5: other methods with the proxies of AZ-NAS.

use super::Row;
use aznas::proxy::Proxy::{Complexity as C, Expressivity as E, Progressivity as P, Synflow, Trainability as T, Zico};

pub const ROWS: [Row; 14] = [
    Row::of("C", &[C]).tau([0.578, 0.551, 0.517]),
    Row::of("C+E", &[C, E]).tau([0.674, 0.653, 0.601]).milliseconds(22.3),
    Row::of("C+E+T", &[C, E, T]).tau([0.731, 0.714, 0.708]).milliseconds(42.7),
    Row::of("C+E+T+P", &[C, E, T, P]).tau([0.741, 0.723, 0.710]).milliseconds(42.7),
    Row::of("ZiCo", &[Zico]).tau([0.589, 0.590, 0.584]).milliseconds(372.8),
    Row::of("ZiCo+C", &[Zico, C]).tau([0.632, 0.615, 0.595]).milliseconds(372.8),
    Row::of("ZiCo+C+E", &[Zico, C, E]).tau([0.733, 0.717, 0.678]).milliseconds(395.1),
    Row::of("ZiCo+C+E+T", &[Zico, C, E, T]).tau([0.761, 0.749, 0.743]).milliseconds(415.5),
    Row::of("ZiCo+C+E+T+P", &[Zico, C, E, T, P]).tau([0.773, 0.757, 0.747]).milliseconds(415.5),
    Row::of("Synflow", &[Synflow]).tau([0.571, 0.565, 0.555]).milliseconds(53.4),
    Row::of("Synflow+C", &[Synflow, C]).tau([0.636, 0.616, 0.594]).milliseconds(53.4),
    Row::of("Synflow+C+E", &[Synflow, C, E]).tau([0.741, 0.721, 0.681]).milliseconds(75.7),
    Row::of("Synflow+C+E+T", &[Synflow, C, E, T]).tau([0.768, 0.753, 0.746]).milliseconds(96.1),
    Row::of("Synflow+C+E+T+P", &[Synflow, C, E, T, P]).tau([0.776, 0.758, 0.747]).milliseconds(96.1),
];
