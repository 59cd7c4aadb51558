//! Table 8: how weights are drawn.

use super::row::{FOUR, Row};
use aznas::Initialisation::*;

pub const ROWS: [Row; 5] = [
    Row::of("Kaiming normal, fan-in", FOUR).initialisation(KaimingNormalFanIn).tau([0.741, 0.723, 0.710]),
    Row::of("Kaiming normal, fan-out", FOUR).initialisation(KaimingNormalFanOut).tau([0.754, 0.733, 0.724]),
    Row::of("Xavier normal", FOUR).initialisation(XavierNormal).tau([0.754, 0.732, 0.724]),
    Row::of("N(0, 0.1²)", FOUR).initialisation(Normal).tau([0.740, 0.715, 0.709]),
    Row::of("U(±0.1)", FOUR).initialisation(Uniform).tau([0.730, 0.703, 0.702]),
];
