//! Tensors as the kernels see them: shapes, channels-last views, and values that are computed while they are read.

pub(crate) mod ahead;
pub(crate) mod columns;
mod map;
pub mod random;
pub mod shape;
pub mod source;
pub mod sums;
pub mod value;
pub mod view;

pub use shape::Shape;
pub use source::{Random, Role, Source};
pub use sums::Sums;
pub use value::{Affine, Gradient, Load, Normalised, Sink, Value};
pub use view::{View, ViewMut};
