//! What everything else stands on: mathematics without a standard library, and random tensors.

pub mod few;
pub mod math;
pub mod rng;
