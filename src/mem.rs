//! Memory: one workspace the caller gives, typed slots in it, and the plan of which buffer lives where and when.

mod layout;
#[cfg(feature = "alloc")]
mod owned;
mod workspace;

pub use layout::{BufferId, Layout, Lifetime};
#[cfg(feature = "alloc")]
pub use owned::Memory;
pub(crate) use workspace::singles;
pub use workspace::{ALIGNMENT, Loans, Plain, Slot, Workspace};
