//! Networks from files: graphs as text and ONNX models, described as the blocks that `aznas` scores.
//!
//! Both front ends end in the same [`Graph`], which is a [`aznas::graph::Network`]. They need a heap and the standard library,
//! so they are no part of the core.
#![forbid(unsafe_code)]

mod graph;
pub mod onnx;
mod text;

pub use graph::{Graph, Node};
pub use text::TextError;
