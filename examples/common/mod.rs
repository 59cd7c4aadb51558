//! What the example programs share.
#![allow(dead_code)] // each program uses its part

pub mod batch;
pub mod failure;
pub mod frugal;
pub mod progress;
pub mod refusal;
pub mod scoring;
pub mod setting;
pub mod side_by_side;
pub mod space;
pub mod store;
