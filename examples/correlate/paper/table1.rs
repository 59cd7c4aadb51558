//! Table 1: training-free methods side by side.
#![allow(clippy::approx_constant)] // 0.318 is a correlation, not 1/π

use super::Row;
use aznas::proxy::Proxy::*;

/// What is counted: rankings that any other should pass. Live layers are not in the paper.
pub const COUNTED: [Row; 3] = [
    Row::of("params", &[Params]).tau([0.578, 0.552, 0.520]).rho([0.753, 0.728, 0.691]).accuracy([
        (93.50, 0.17),
        (70.63, 0.29),
        (41.91, 0.70),
    ]),
    Row::of("multiply-adds", &[Complexity]).tau([0.578, 0.551, 0.517]).rho([0.753, 0.727, 0.691]).accuracy([
        (93.50, 0.17),
        (70.63, 0.29),
        (41.91, 0.70),
    ]),
    Row::of("live layers", &[LiveLayers]),
];

/// The methods.
pub const ROWS: [Row; 13] = [
    COUNTED[0],
    COUNTED[1],
    COUNTED[2],
    Row::of("GradNorm", &[GradNorm])
        .tau([0.357, 0.350, 0.304])
        .rho([0.484, 0.475, 0.412])
        .accuracy([(90.13, 1.00), (62.95, 1.38), (24.77, 4.67)])
        .milliseconds(28.8),
    Row::of("GraSP", &[Grasp])
        .tau([0.318, 0.315, 0.282])
        .rho([0.460, 0.453, 0.406])
        .accuracy([(89.49, 1.63), (61.72, 2.97), (27.26, 4.92)])
        .milliseconds(395.9),
    Row::of("SNIP", &[Snip])
        .tau([0.454, 0.451, 0.400])
        .rho([0.615, 0.609, 0.539])
        .accuracy([(90.32, 1.39), (63.44, 2.52), (28.77, 5.74)])
        .milliseconds(326.5),
    Row::of("Synflow", &[Synflow])
        .tau([0.571, 0.565, 0.555])
        .rho([0.769, 0.761, 0.747])
        .accuracy([(93.06, 0.83), (69.24, 2.07), (40.51, 5.70)])
        .milliseconds(53.4),
    Row::of("NASWOT", &[Naswot])
        .tau([0.557, 0.579, 0.573])
        .rho([0.743, 0.769, 0.760])
        .accuracy([(92.67, 0.24), (69.91, 0.27), (44.45, 0.83)])
        .milliseconds(36.9),
    Row::of("TE-NAS", &[Ntk, LinearRegions])
        .linear()
        .tau([0.536, 0.535, 0.492])
        .rho([0.731, 0.728, 0.680])
        .accuracy([(92.30, 0.33), (67.87, 1.05), (40.49, 2.16)])
        .milliseconds(1311.8),
    Row::of("ZenNAS", &[Zen])
        .tau([0.296, 0.283, 0.303])
        .rho([0.385, 0.361, 0.409])
        .accuracy([(90.30, 0.36), (67.70, 1.00), (39.55, 1.27)])
        .milliseconds(19.9),
    Row::of("GradSign", &[GradSign])
        .tau([0.618, 0.594, 0.575])
        .rho([0.809, 0.784, 0.765])
        .accuracy([(93.52, 0.19), (70.57, 0.31), (41.89, 0.69)])
        .milliseconds(1823.9),
    Row::of("ZiCo", &[Zico])
        .tau([0.589, 0.590, 0.584])
        .rho([0.784, 0.785, 0.778])
        .accuracy([(93.50, 0.18), (70.62, 0.26), (42.04, 0.82)])
        .milliseconds(372.8),
    Row::of("AZ-NAS", &[Expressivity, Progressivity, Trainability, Complexity])
        .tau([0.741, 0.723, 0.710])
        .rho([0.913, 0.900, 0.886])
        .accuracy([(93.53, 0.15), (70.75, 0.48), (45.43, 0.29)])
        .milliseconds(42.7),
];

/// AZ-NAS by its parts, among the other methods: what figures 6 and 7 compare. Multiply-adds are its complexity.
pub const PARTS: [Row; 14] = [
    ROWS[0],
    ROWS[3],
    ROWS[4],
    ROWS[5],
    ROWS[6],
    ROWS[7],
    ROWS[8],
    ROWS[9],
    ROWS[10],
    ROWS[11],
    Row::of("expressivity", &[Expressivity]),
    Row::of("progressivity", &[Progressivity]),
    Row::of("trainability", &[Trainability]),
    Row::of("complexity", &[Complexity]),
];
