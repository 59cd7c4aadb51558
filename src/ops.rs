//! The primitive operations of a network: forward and vector–Jacobian product side by side, a file each.

pub mod conv2d;
pub mod moments;
