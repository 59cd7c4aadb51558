//! Which buffer lives when, and therefore where: liveness → offsets.

use super::{ALIGNMENT, Plain, Slot};
use crate::Error;
use crate::base::sort::sort_by_key;
use core::cmp::Reverse;

/// First and last step (inclusive) at which a buffer holds something that is still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The step that writes it first.
    pub first: u32,
    /// The step that reads it last.
    pub last: u32,
}

impl Lifetime {
    /// A buffer no step has touched yet; see [`Lifetime::extend`].
    pub const NEVER: Self = Self { first: u32::MAX, last: 0 };

    /// Makes it include `step`.
    pub fn extend(&mut self, step: u32) {
        self.first = self.first.min(step);
        self.last = self.last.max(step);
    }

    /// A buffer used within one step only.
    pub const fn at(step: u32) -> Self {
        Self { first: step, last: step }
    }

    const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether it holds something at `step` that was written before.
    #[cfg(feature = "gradients")]
    pub const fn crosses(self, step: u32) -> bool {
        self.first < step && step <= self.last
    }

    const fn is_never(self) -> bool {
        self.first > self.last
    }
}

/// A buffer of a [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferId(u16);

impl BufferId {
    /// How many buffers were added before it.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Buffer {
    bytes: usize,
    lifetime: Lifetime,
    offset: usize,
    /// It is placed below all that is not.
    #[cfg(feature = "gradients")]
    kept: bool,
}

impl Buffer {
    /// The bytes it takes: whole slots.
    fn taken(&self) -> usize {
        // That this does not overflow was checked when the buffer was added.
        self.bytes.next_multiple_of(ALIGNMENT)
    }

    /// Buffers are placed in this order.
    #[cfg(feature = "gradients")]
    fn rank(&self) -> impl Ord {
        (!self.kept, Reverse(self.taken()))
    }

    /// Buffers are placed in this order.
    #[cfg(not(feature = "gradients"))]
    fn rank(&self) -> impl Ord {
        Reverse(self.taken())
    }
}

const NO_BUFFER: Buffer = Buffer {
    bytes: 0,
    lifetime: Lifetime::at(0),
    offset: 0,
    #[cfg(feature = "gradients")]
    kept: false,
};

/// Buffers with lifetimes, packed so that those alive together do not overlap.
///
/// Placement is greedy, those to be kept first, then the largest first, each at the lowest offset that is free throughout its life; for the buffers of
/// a block this comes within a few percent of the largest sum of live bytes.
#[derive(Clone, Debug)]
pub struct Layout<const CAPACITY: usize> {
    buffers: [Buffer; CAPACITY],
    count: usize,
}

impl<const CAPACITY: usize> Layout<CAPACITY> {
    /// A layout without buffers.
    pub const fn new() -> Self {
        Self { buffers: [NO_BUFFER; CAPACITY], count: 0 }
    }

    /// Adds a buffer of `bytes`.
    pub fn add(&mut self, bytes: usize, lifetime: Lifetime) -> Result<BufferId, Error> {
        bytes.checked_next_multiple_of(ALIGNMENT).ok_or(Error::Overflow { quantity: "the workspace" })?;
        let slot = self
            .buffers
            .get_mut(self.count)
            .ok_or(Error::TooLarge { quantity: "the number of buffers of a block", limit: CAPACITY })?;
        *slot = Buffer { bytes, lifetime, ..NO_BUFFER };
        self.count += 1;
        Ok(BufferId(self.count as u16 - 1))
    }

    /// Takes all buffers out.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Gives the buffers, in the order they were added in, other lifetimes.
    pub fn set_lifetimes(&mut self, lifetimes: &[Lifetime]) {
        self.buffers[..self.count].iter_mut().zip(lifetimes).for_each(|(buffer, &lifetime)| buffer.lifetime = lifetime);
    }

    /// The whole buffer, as numbers of one type. Valid after [`Layout::place`].
    pub fn slot<T: Plain>(&self, buffer: BufferId) -> Slot<T> {
        let Buffer { bytes, offset, .. } = self.buffers[buffer.index()];
        Slot::new(offset, bytes / size_of::<T>())
    }

    /// Buffers that were added.
    #[cfg(feature = "gradients")]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Places a buffer of this number as low as it can be, since it is kept longer than others.
    #[cfg(feature = "gradients")]
    pub fn keep(&mut self, index: usize) {
        self.buffers[..self.count][index].kept = true;
    }

    /// The end of the highest buffer that is kept. Valid after [`Layout::place`].
    #[cfg(feature = "gradients")]
    pub fn end_of_kept(&self) -> usize {
        let kept = self.buffers[..self.count].iter().filter(|buffer| buffer.kept);
        kept.map(|buffer| buffer.offset + buffer.taken()).max().unwrap_or(0)
    }

    /// Gives every buffer its offset; returns the end of the highest.
    pub fn place(&mut self) -> Result<usize, Error> {
        let mut order = [0u16; CAPACITY];
        let order = &mut order[..self.count];
        order.iter_mut().enumerate().for_each(|(i, o)| *o = i as u16);
        // Ties by number, so that the layout is a function of the graph alone.
        sort_by_key(order, |&i| (self.buffers[usize::from(i)].rank(), i));
        // Those that have a place come first, from the lowest on.
        let (mut end, mut placed) = (0, 0);
        for i in 0..order.len() {
            let index = order[i];
            let buffer = self.buffers[usize::from(index)];
            if buffer.lifetime.is_never() || buffer.bytes == 0 {
                continue;
            }
            let mut offset = 0usize;
            for &other in &order[..placed] {
                let other = &self.buffers[usize::from(other)];
                if buffer.lifetime.overlaps(other.lifetime) {
                    if offset.saturating_add(buffer.taken()) <= other.offset {
                        break;
                    }
                    offset = offset.max(other.offset + other.taken());
                }
            }
            let above = offset.checked_add(buffer.taken()).ok_or(Error::Overflow { quantity: "the workspace" })?;
            end = end.max(above);
            self.buffers[usize::from(index)].offset = offset;
            let mut rank = placed;
            while rank > 0 && self.buffers[usize::from(order[rank - 1])].offset > offset {
                order[rank] = order[rank - 1];
                rank -= 1;
            }
            order[rank] = index;
            placed += 1;
        }
        Ok(end)
    }
}

impl<const CAPACITY: usize> Default for Layout<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};

    #[test]
    fn buffers_alive_together_are_disjoint() {
        let mut rng = generator(3);
        for _ in 0..200 {
            let mut layout = Layout::<40>::new();
            for _ in 0..40 {
                let first = below(&mut rng, 50) as u32;
                let last = first + below(&mut rng, 20) as u32;
                layout.add(below(&mut rng, 5000) as usize, Lifetime { first, last }).unwrap();
            }
            let end = layout.place().unwrap();
            let mut largest_live = 0;
            for step in 0..70 {
                let live = layout.buffers.iter().filter(|b| b.lifetime.overlaps(Lifetime::at(step)));
                largest_live = largest_live.max(live.map(Buffer::taken).sum::<usize>());
            }
            assert!(end >= largest_live && end <= largest_live * 3 / 2, "{end} {largest_live}");
            for (i, a) in layout.buffers.iter().enumerate() {
                assert!(a.offset + a.taken() <= end && a.offset.is_multiple_of(ALIGNMENT));
                for b in &layout.buffers[..i] {
                    let apart = a.offset + a.taken() <= b.offset || b.offset + b.taken() <= a.offset;
                    assert!(apart || !a.lifetime.overlaps(b.lifetime));
                }
            }
        }
    }

    #[test]
    fn capacity_and_overflow_are_errors() {
        let mut layout = Layout::<2>::new();
        assert!(matches!(layout.add(usize::MAX, Lifetime::at(0)), Err(Error::Overflow { .. })));
        layout.add(usize::MAX / 2, Lifetime::at(0)).unwrap();
        layout.add(usize::MAX / 2 + 1, Lifetime::at(0)).unwrap();
        assert!(matches!(layout.add(1, Lifetime::at(0)), Err(Error::TooLarge { .. })));
        assert!(matches!(layout.place(), Err(Error::Overflow { .. })));
    }
}
