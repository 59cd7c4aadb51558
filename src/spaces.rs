//! Search spaces: the texts, candidates and closed-form costs of each benchmark.
//!
//! A space reads and prints the architecture text of its benchmark, samples and mutates candidates, and counts their
//! cost the way the benchmark does; its network type describes a candidate block by block. Nothing here touches a tensor.

pub mod autoformer;
pub mod mbv2;
pub mod nb201;
mod text;

use crate::Error;
use crate::graph::IdentityRule;
use core::ops::RangeInclusive;

/// How networks of a space are scored, where the spaces differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The number added to the variance in the normalisation layers (batch or layer).
    pub norm_epsilon: f64,
    /// What an identity block means.
    pub identity: IdentityRule,
    /// Whether progressivity is one of the scores.
    pub progressivity: bool,
}

/// Refuses a `value` outside `range`.
fn within(field: &'static str, value: u32, range: RangeInclusive<u32>, expected: &'static str) -> Result<(), Error> {
    if range.contains(&value) { Ok(()) } else { Err(Error::Invalid { field, expected }) }
}

/// Refuses a number of classes outside the range of every space.
fn check_classes(classes: u32) -> Result<(), Error> {
    within("classes", classes, 1..=1 << 20, "from 1 to 1048576")
}

/// A total as a 64-bit number. Fields are bounded so that the total itself cannot overflow 128 bits.
fn total(quantity: &'static str, sum: u128) -> Result<u64, Error> {
    u64::try_from(sum).map_err(|_| Error::Overflow { quantity })
}
