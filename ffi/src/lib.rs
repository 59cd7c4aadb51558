//! The C ABI of `aznas`: the safe core behind plain structs and functions.
//!
//! One file per object of the header. [`pointer`] is the only file that follows pointers from C, [`written`] knows what may
//! not overlap, [`boundary`] is the only one that lets errors and panics out. The doc comments of public items are the C manual: cbindgen copies them to
//! `include/aznas.h`.
#![no_std]
#![allow(clippy::missing_safety_doc, reason = "the head of the header states once what every pointer must be")]

#[cfg(feature = "std")]
extern crate std;

pub mod aggregate;
pub mod arch;
pub mod backend;
#[cfg(all(feature = "panic-handler", not(feature = "std")))]
mod bare_metal;
mod boundary;
pub mod cost;
pub mod error;
pub mod node;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod options;
mod pointer;
pub mod proxy;
mod refusal;
pub mod score;
#[cfg(not(feature = "small"))]
pub mod search;
pub mod source;
pub mod status;
#[cfg(not(feature = "panic-handler"))]
pub mod sweep;
mod tensors;
pub mod version;
mod written;

#[cfg(not(any(feature = "std", feature = "panic-handler")))]
compile_error!("without the feature `std` the library needs the feature `panic-handler`");
