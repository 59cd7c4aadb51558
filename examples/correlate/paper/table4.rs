//! Table 4: the proxies of AZ-NAS alone and together, in both modes.
//!
//! The published text lost which proxies a row has: single proxies, all four, E + C and E + T + C are certain (stated, or
//! equal to rows of tables 1 and 5), the others follow from the order of the rows. That the row of T with one other has C is
//! told by its figure, which T with P misses by 0.08.

use super::Row;
use aznas::proxy::Proxy::{Complexity as C, Expressivity as E, Progressivity as P, Trainability as T};

pub const ROWS: [Row; 14] = [
    Row::of("E", &[E]).tau([0.569, 0.563, 0.506]),
    Row::of("P", &[P]).tau([0.521, 0.508, 0.489]),
    Row::of("T", &[T]).tau([0.349, 0.353, 0.407]),
    Row::of("C", &[C]).tau([0.578, 0.551, 0.517]),
    Row::of("E+P", &[E, P]).tau([0.601, 0.590, 0.547]),
    Row::of("E+T", &[E, T]).tau([0.635, 0.631, 0.639]),
    Row::of("E+C", &[E, C]).tau([0.674, 0.653, 0.601]),
    Row::of("T+C", &[T, C]).tau([0.629, 0.615, 0.644]),
    Row::of("E+P+T", &[E, P, T]).tau([0.679, 0.673, 0.669]),
    Row::of("E+P+C", &[E, P, C]).tau([0.683, 0.661, 0.616]),
    Row::of("E+T+C", &[E, T, C]).tau([0.731, 0.714, 0.708]),
    Row::of("E+T+C, linear", &[E, T, C]).linear().tau([0.706, 0.692, 0.678]),
    Row::of("E+P+T+C", &[E, P, T, C]).tau([0.741, 0.723, 0.710]),
    Row::of("E+P+T+C, linear", &[E, P, T, C]).linear().tau([0.697, 0.681, 0.663]),
];
