//! Dense linear algebra on the caller's slices.

mod band;
mod block;
mod householder;
pub mod jacobi;
mod magnitude;
mod reflector;
pub mod spectral_norm;
pub mod spectrum;
mod tridiagonal;
