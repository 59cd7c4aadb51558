//! Linear algebra: products, covariances, eigenvalues.

pub mod gemm;
