//! Linear algebra: products, covariances, eigenvalues.

pub mod covariance;
pub mod gemm;
