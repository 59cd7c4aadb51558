//! Table 9: how many images, and below it the small batches with half-split σ, which the paper does not have.

use super::row::{FOUR, Row};
use aznas::Sigma::{HalfSplit, Plain};

pub const ROWS: [Row; 7] = [
    Row::of("batch 8", FOUR).batch(8).sigma(Plain).tau([0.730, 0.709, 0.687]).milliseconds(37.33),
    Row::of("batch 16", FOUR).batch(16).sigma(Plain).tau([0.736, 0.717, 0.701]).milliseconds(39.39),
    Row::of("batch 32", FOUR).batch(32).sigma(Plain).tau([0.740, 0.721, 0.708]).milliseconds(39.78),
    Row::of("batch 64", FOUR).batch(64).sigma(Plain).tau([0.741, 0.723, 0.710]).milliseconds(42.71),
    Row::of("batch 128", FOUR).batch(128).sigma(Plain).tau([0.741, 0.724, 0.710]).milliseconds(54.32),
    Row::of("batch 8, half-split σ", FOUR).batch(8).sigma(HalfSplit),
    Row::of("batch 16, half-split σ", FOUR).batch(16).sigma(HalfSplit),
];
