//! A number that is part of a description.

use core::fmt;

/// A number in the description of an op, such as an ε. It is compared and hashed by its bits, so that descriptions can be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Constant(u64);

impl Constant {
    /// The constant `x`.
    pub const fn new(x: f64) -> Self {
        Self(x.to_bits())
    }

    /// The number.
    pub const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Constant {
    fn from(x: f64) -> Self {
        Self::new(x)
    }
}

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn constants_are_their_bits() {
        for x in [0.0, -0.0, 1e-5, f64::INFINITY, f64::NAN] {
            let constant = Constant::from(x);
            assert_eq!(constant.get().to_bits(), x.to_bits());
            assert_eq!(constant, Constant::new(x));
            assert_eq!(format!("{constant:?}"), format!("{x:?}"));
        }
        assert_ne!(Constant::new(0.0), Constant::new(-0.0));
    }
}
