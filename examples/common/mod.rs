//! What the example programs share.
#![allow(dead_code)] // each program uses its part

pub mod candidate;
pub mod progress;
pub mod scoring;
