//! Tensors as the kernels see them: shapes, channels-last views, and values that are computed while they are read.

pub(crate) mod columns;
mod equal;
mod load;
mod map;
pub(crate) mod prefetch;
pub mod random;
pub mod shape;
pub mod source;
pub(crate) mod store;
pub mod sums;
pub mod value;
pub mod view;

#[cfg(test)]
mod reference;

pub use equal::equal;
pub use load::Load;
pub use shape::Shape;
pub use source::{Random, Role, Source};
pub use sums::Sums;
pub use value::{Affine, Gradient, Normalised, Sink, Value};
pub use view::{View, ViewMut};
