//! What everything else stands on: mathematics without a standard library, where random numbers come from, short lists.

pub mod constant;
pub(crate) mod digest;
pub mod few;
pub mod math;
pub mod rng;
pub(crate) mod sort;
pub(crate) mod sum;

/// Whether code is to be short rather than fast (feature `small`): what only saves time is then left out, and what kernels
/// have in common is not compiled into each. The results are the same bits, but for eigenvalues of matrices of order 384 and
/// above and for effective dimensions, which differ by rounding.
///
/// Left out, and refused by name, are the cells of NDS, the notations of other programs in texts, and the ops that no other
/// space is made of: slices, shuffles, products, scales, and all activations but the rectifier and GELU.
pub(crate) const SMALL: bool = cfg!(feature = "small");
