//! Search spaces: the texts, candidates and closed-form costs of each benchmark.
//!
//! A space reads and prints the architecture text of its benchmark, samples and mutates candidates, and counts their
//! cost the way the benchmark does; its network type describes a candidate block by block. Nothing here touches a tensor.
//! Programs and searches know a space by the trait [`Space`] and by its line in the table of [`SpaceName`].

mod advice;
pub mod autoformer;
pub mod mbv2;
pub mod nb101;
pub mod nb201;
pub mod nds;
mod policy;
mod reduction;
mod space;
mod table;
mod text;

pub use advice::Advice;
pub use policy::{Policy, Practice, Settings};
pub use reduction::Reduction;
pub use space::{Cost, SearchSpace, Space};
pub use table::{SpaceName, Visitor};

use crate::Error;
use core::ops::RangeInclusive;
use text::Cursor;

/// Refuses a `value` outside `range`.
fn within(field: &'static str, value: u32, range: RangeInclusive<u32>, expected: &'static str) -> Result<(), Error> {
    if range.contains(&value) { Ok(()) } else { Err(Error::Invalid { field, expected }) }
}

/// Refuses a number of classes outside the range of every space.
fn check_classes(classes: u32) -> Result<(), Error> {
    within("classes", classes, 1..=1 << 20, "from 1 to 1048576")
}

/// Refuses a target resolution outside the range of spaces that take any.
fn check_target(resolution: u32) -> Result<(), Error> {
    within("target_resolution", resolution, 1..=65536, "from 1 to 65536")
}

/// The error of a count at the target resolution, which counts know as resolution.
fn of_target(error: Error) -> Error {
    match error {
        Error::Invalid { field: "resolution", expected } => Error::Invalid { field: "target_resolution", expected },
        other => other,
    }
}

/// A total as a 64-bit number. Fields are bounded so that the total itself cannot overflow 128 bits.
fn total(quantity: &'static str, sum: u128) -> Result<u64, Error> {
    u64::try_from(sum).map_err(|_| Error::Overflow { quantity })
}
