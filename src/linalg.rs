//! Dense linear algebra on the caller's slices: products, covariances, eigenvalues.

pub mod gemm;
mod householder;
pub mod jacobi;
mod magnitude;
pub mod spectrum;
mod tridiagonal;
