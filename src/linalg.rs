//! Dense linear algebra on the caller's slices.

mod block;
mod householder;
pub mod jacobi;
mod magnitude;
pub mod spectral_norm;
pub mod spectrum;
mod tridiagonal;
