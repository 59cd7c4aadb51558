//! A short list without a heap.

/// Up to `N` items; more are refused by whoever built what is listed.
#[derive(Clone, Copy, Debug)]
pub struct Few<T, const N: usize> {
    items: [T; N],
    count: usize,
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// The first `N` items of `items`; `filler` stands where there are none.
    pub fn collect(filler: T, items: impl Iterator<Item = T>) -> Self {
        let mut few = Self { items: [filler; N], count: 0 };
        for (place, item) in few.items.iter_mut().zip(items) {
            *place = item;
            few.count += 1;
        }
        few
    }

    /// The items.
    pub fn as_slice(&self) -> &[T] {
        &self.items[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collects_up_to_its_capacity() {
        assert_eq!(Few::<u8, 3>::collect(0, [5, 6].into_iter()).as_slice(), [5, 6]);
        assert_eq!(Few::<u8, 3>::collect(0, 1..9).as_slice(), [1, 2, 3]);
        assert!(Few::<u8, 3>::collect(0, core::iter::empty()).as_slice().is_empty());
    }
}
