//! Evolutionary search by aggregated ranks (Algorithm 1 of the paper), as a state machine that is asked and told.
//!
//! [`Search::ask`] hands out the next candidate, the caller scores it however it likes, and [`Search::tell`]
//! takes the scores. Nothing here scores, waits, reads a clock or writes a file, so the same search runs on one thread,
//! on many or across machines.
//!
//! ```
//! use aznas::proxy::{Proxy, ProxySet};
//! use aznas::search::{Cost, Search, SearchSpace, Settings};
//! use aznas::base::rng::{Generator, below};
//!
//! /// Eight digits.
//! struct Digits;
//!
//! impl SearchSpace for Digits {
//!     type Architecture = [u8; 8];
//!     fn initial(&self) -> Option<[u8; 8]> {
//!         Some([0; 8])
//!     }
//!     fn sample(&self, rng: &mut Generator) -> [u8; 8] {
//!         std::array::from_fn(|_| below(rng, 10) as u8)
//!     }
//!     fn mutate(&self, parent: &[u8; 8], replacements: usize, rng: &mut Generator) -> [u8; 8] {
//!         let mut child = *parent;
//!         for _ in 0..replacements {
//!             child[below(rng, 8) as usize] = below(rng, 10) as u8;
//!         }
//!         child
//!     }
//!     fn cost(&self, digits: &[u8; 8]) -> Result<Cost, aznas::Error> {
//!         Ok(Cost { complexity: digits.iter().map(|&digit| f64::from(digit)).sum(), ..Cost::default() })
//!     }
//! }
//!
//! // One score a candidate, whatever it stands for.
//! let proxies = ProxySet::of(&[Proxy::Expressivity]);
//! let mut search = Search::new(Digits, Settings { iterations: 2000, parents: 20, proxies, ..Settings::program() })?;
//! while let Some(candidate) = search.ask()? {
//!     let sum = candidate.architecture.iter().map(|&digit| f64::from(digit)).sum();
//!     search.tell(candidate.id, &[sum])?;
//! }
//! // Nearly eight nines; the best of as many random samples comes to about 60.
//! assert!(search.best().unwrap().scores[0] >= 68.0);
//! # Ok::<(), aznas::Error>(())
//! ```

mod budget;
#[cfg(feature = "alloc")]
mod evolution;
mod proposal;
mod settings;
#[cfg(all(test, feature = "alloc"))]
mod tests;

pub use crate::spaces::{Cost, SearchSpace};
pub use budget::Budget;
#[cfg(feature = "alloc")]
pub use evolution::{Candidate, Leader, Progress, Search};
pub use proposal::{leaders, propose};
pub use settings::{Duplicates, Goal, Settings, Warmup};
