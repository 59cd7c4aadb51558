//! The shape of a channels-last tensor, with checked sizes.

use crate::Error;

/// `[batch, height, width, channels]`, the last axis fastest. Token sequences use `height` = tokens, `width` = 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Samples.
    pub batch: usize,
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl Shape {
    /// A shape whose numbers of elements and bytes are known to fit the address space.
    pub fn new(batch: usize, height: usize, width: usize, channels: usize) -> Result<Self, Error> {
        batch
            .checked_mul(height)
            .and_then(|n| n.checked_mul(width))
            .and_then(|n| n.checked_mul(channels))
            .and_then(|n| n.checked_mul(size_of::<f64>()))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(Error::Overflow { quantity: "the size of a tensor" })?;
        Ok(Self { batch, height, width, channels })
    }

    /// Positions of one sample: `height · width`.
    pub const fn positions_per_image(&self) -> usize {
        self.height * self.width
    }

    /// Positions of the whole batch: `batch · height · width`; the rows of the (positions × channels) matrix.
    pub const fn positions(&self) -> usize {
        self.batch * self.height * self.width
    }

    /// Numbers in the tensor.
    pub const fn len(&self) -> usize {
        self.positions() * self.channels
    }

    /// Whether the tensor has no element.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same map with another number of channels.
    pub fn with_channels(&self, channels: usize) -> Result<Self, Error> {
        Self::new(self.batch, self.height, self.width, channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        let shape = Shape::new(2, 3, 4, 5).unwrap();
        assert_eq!((shape.positions_per_image(), shape.positions(), shape.len()), (12, 24, 120));
        assert!(Shape::new(0, 3, 4, 5).unwrap().is_empty());
        assert!(matches!(Shape::new(usize::MAX, 2, 1, 1), Err(Error::Overflow { .. })));
        assert!(matches!(Shape::new(usize::MAX / 8, 1, 1, 1), Err(Error::Overflow { .. })));
    }
}
