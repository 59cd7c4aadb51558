//! What networks are ranked by.
//!
//! A proxy is a file of this folder (its source and what was mended of it, what it measures, how blocks combine) and a
//! line of the table in `table.rs`. Nothing else names it: what has to be measured for a set of proxies is asked of the
//! table, and [`Scores`] hold a value for every line of it.

mod blocks;
mod complexity;
mod depth;
mod effective_dimension;
mod entry;
pub mod expressivity;
mod flags;
mod flops;
pub mod grad_norm;
pub mod grad_sign;
mod grad_sign_mean;
pub mod grasp;
mod isotropy;
mod linear_regions;
mod live_complexity;
mod live_layers;
mod log_gain;
mod mean_expressivity;
mod mean_progressivity;
pub mod naswot;
pub mod ntk;
mod params;
mod participation_ratio;
mod progressivity;
mod scores;
mod set;
pub mod snip;
pub mod synflow;
mod table;
mod totals;
pub mod trainability;
pub mod zen;
pub mod zico;

pub use blocks::BlockScores;
pub(crate) use entry::{Counts, Measurement};
pub use flags::Flags;
pub use scores::Scores;
pub use set::ProxySet;
pub use table::Proxy;
pub(crate) use totals::Totals;
