//! Dense linear algebra on the caller's slices.

mod householder;
pub mod jacobi;
mod magnitude;
pub mod spectrum;
mod tridiagonal;
