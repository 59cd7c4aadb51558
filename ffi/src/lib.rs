//! The C ABI of `aznas`: every `extern "C"` function will live in this crate, so that the core stays a
//! plain Rust library that can be tested as one.
#![no_std]
