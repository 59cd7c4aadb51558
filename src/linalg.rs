//! Dense linear algebra on the caller's slices: products, covariances, eigenvalues, determinants.

mod band;
mod block;
pub mod covariance;
pub mod determinant;
pub mod gemm;
mod householder;
pub mod jacobi;
mod magnitude;
mod real;
mod reflector;
pub mod spectral_norm;
pub mod spectrum;
mod tridiagonal;
