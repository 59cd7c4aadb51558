//! The primitive operations of a network: forward and vector–Jacobian product side by side, a file each.
//!
//! Every function takes its memory from the caller: scratch as `&mut [f32]` of at least the length that the module's
//! `scratch_len` states; it is left with unspecified numbers. Shapes are checked by each module's `output` when a
//! network is planned; the computations themselves have no error path. By the field's convention only matrix products
//! (convolutions, linear maps, attention) count as multiply-adds; every other primitive costs none.

pub mod activation;
pub mod attention;
pub mod batch_norm;
#[cfg(feature = "gradients")]
pub mod bias;
pub mod combine;
pub mod concat;
pub mod conv2d;
pub mod global_pool;
pub mod group_norm;
pub mod layer_norm;
pub mod linear;
pub mod max_pool;
pub mod moments;
pub(crate) mod operation;
pub mod pad;
pub mod pool;
pub mod positions;
pub mod product;
pub mod scale;
mod separable;
pub mod shuffle;
pub mod signs;
pub mod slice;
mod strip;
pub mod tokens;
pub mod window;

#[cfg(test)]
mod reference;
