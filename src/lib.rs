//! Training-free scores of neural networks, on a CPU, in memory the caller gives.
//!
//! `aznas` computes the AZ-NAS proxies (Lee and Ham, CVPR 2024) of a network at initialisation:
//! *expressivity*, *progressivity*, *trainability* and *complexity*, and combines them over candidates.
//! Every proxy is "higher is better".
//!
//! The path of a score is **describe → plan → run**: a [`spaces`] module turns a text into a [`graph`] of
//! primary blocks, `plan` turns each block into steps and byte offsets, `run` executes them without any
//! branch on memory, and `proxy` reads the scores off what ran. The crate needs no standard library, no heap
//! and no operating system; the feature `alloc` only adds conveniences.
//!
//! ```
//! use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
//! use aznas::{Options, Workspace, tensor::Random};
//!
//! let cell = Cell::parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|")?;
//! let network = CellNetwork { cell, skeleton: Skeleton::CIFAR10 };
//! let options = Options { batch: 8, ..Options::default() };
//! let bytes = aznas::workspace_size(&network, &options, &Random)?; // known before any work
//! let mut memory = vec![0; Workspace::buffer_len(bytes).unwrap()];
//! let mut workspace = Workspace::from_bytes(&mut memory);
//! let scores = aznas::score(&network, &options, &Random, &mut workspace, |_block| ())?;
//! assert!(scores.expressivity() > 0.0 && scores.trainability() < 0.0);
//! # Ok::<(), aznas::Error>(())
//! ```
//!
//! What is undefined is −∞, and flags say why. A caller that minimises, and therefore negates scores, gets +∞: still the
//! worst, but not a finite number.
#![no_std]
#![deny(unsafe_code)]
#![warn(unreachable_pub)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod aggregate;
pub mod base;
pub mod error;
pub mod graph;
pub mod linalg;
#[cfg(feature = "gradients")]
mod measure;
pub mod mem;
pub mod ops;
pub mod options;
mod plan;
pub mod prefix;
pub mod proxy;
mod run;
pub mod score;
pub mod search;
pub mod simd;
pub mod spaces;
#[cfg(feature = "gradients")]
pub mod sweep;
pub mod tensor;

/// The examples of the README, run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use error::Error;
pub use graph::Initialisation;
pub use mem::Workspace;
pub use options::{Entropy, Options, Sigma};
pub use proxy::Scores;
pub use score::{features, forward, score, workspace_size};
#[cfg(feature = "gradients")]
pub use sweep::gradients;
