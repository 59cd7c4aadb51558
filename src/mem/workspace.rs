//! The caller's buffer as typed slots that are lent out one step at a time.
#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Alignment of every slot in bytes: a cache line, and the widest vector.
pub const ALIGNMENT: usize = 64;

/// Types that may be read from any initialised bytes.
///
/// # Safety
/// Every bit pattern is a value, there is no padding, and the alignment divides [`ALIGNMENT`].
pub unsafe trait Plain: Copy {}
// SAFETY: floating-point numbers accept every bit pattern, have no padding, and align to their size.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: so do integers.
unsafe impl Plain for u64 {}

/// Memory for numbers of double precision as memory for twice as many of single precision; their values are lost.
pub(crate) fn singles(numbers: &mut [f64]) -> &mut [f32] {
    let (pointer, len) = (numbers.as_mut_ptr(), numbers.len());
    // SAFETY: the same bytes, borrowed for as long, of a type that accepts every bit pattern, half as large and less aligned.
    unsafe { core::slice::from_raw_parts_mut(pointer.cast(), 2 * len) }
}

/// A range of the workspace that holds `len` numbers of type `T`.
#[derive(Debug)]
pub struct Slot<T> {
    offset: usize,
    len: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slot<T> {}

impl<T: Plain> Slot<T> {
    /// A slot of `len` numbers that starts `offset` bytes into the workspace; `offset` is a multiple of
    /// [`ALIGNMENT`].
    pub fn new(offset: usize, len: usize) -> Self {
        Self { offset, len, element: PhantomData }
    }

    /// The slot as far behind `start` as it lies behind the start of the workspace.
    pub fn behind(self, start: usize) -> Self {
        Self { offset: start + self.offset, ..self }
    }

    /// Numbers in the slot.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the slot is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes of the slot within the workspace.
    pub fn bytes(&self) -> Range<usize> {
        self.offset..self.offset + self.len * size_of::<T>()
    }
}

/// The caller's memory. Accepts a buffer of any alignment; nothing outside of it is ever touched.
#[derive(Debug)]
pub struct Workspace<'a> {
    /// Aligned to [`ALIGNMENT`] (or dangling, if `len` is 0).
    start: *mut u8,
    len: usize,
    buffer: PhantomData<&'a mut [u8]>,
}

// SAFETY: a workspace is nothing but an exclusive borrow of bytes.
unsafe impl Send for Workspace<'_> {}

impl<'a> Workspace<'a> {
    /// A workspace over memory that may be uninitialised; it is cleared once.
    pub fn new(buffer: &'a mut [MaybeUninit<u8>]) -> Self {
        buffer.fill(MaybeUninit::new(0));
        // SAFETY: every byte has just been written.
        let bytes = unsafe { core::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<u8>(), buffer.len()) };
        Self::from_bytes(bytes)
    }

    /// A workspace over bytes of any content.
    pub fn from_bytes(buffer: &'a mut [u8]) -> Self {
        let skip = buffer.as_ptr().align_offset(ALIGNMENT).min(buffer.len());
        let aligned = &mut buffer[skip..];
        Self { start: aligned.as_mut_ptr(), len: aligned.len(), buffer: PhantomData }
    }

    /// Bytes that slots can use: the length of the buffer less what its alignment costs.
    pub fn capacity(&self) -> usize {
        self.len
    }

    /// The length a buffer of any alignment must have so that its workspace has `capacity` bytes.
    pub fn buffer_len(capacity: usize) -> Option<usize> {
        capacity.checked_add(ALIGNMENT - 1)
    }

    /// The workspace in two, of which the first has the next whole slots of `bytes`, or all.
    #[cfg(feature = "gradients")]
    pub(crate) fn split(&mut self, bytes: usize) -> [Workspace<'_>; 2] {
        let first = bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(self.len).min(self.len);
        // SAFETY: first <= len, so that the second part starts inside the workspace or at its end.
        let rest = unsafe { self.start.add(first) };
        [(self.start, first), (rest, self.len - first)].map(|(start, len)| Workspace {
            start,
            len,
            buffer: PhantomData,
        })
    }

    /// Lends slots to one step of work.
    pub fn loans(&mut self) -> Loans<'_> {
        Loans {
            start: self.start,
            len: self.len,
            lent: [const { (0..0, false) }; MAX_LOANS],
            count: 0,
            workspace: PhantomData,
        }
    }
}

/// Slots one step may hold at a time.
const MAX_LOANS: usize = 64;

/// Slots lent to one step. Two loans never overlap unless both only read.
///
/// The planner gives slots that are used together disjoint places, so the checks below fail only if the planner is
/// wrong; they then stop the program rather than let two steps write the same memory.
#[derive(Debug)]
pub struct Loans<'w> {
    start: *mut u8,
    len: usize,
    /// Byte range and whether it is lent for writing.
    lent: [(Range<usize>, bool); MAX_LOANS],
    count: usize,
    workspace: PhantomData<&'w mut [u8]>,
}

impl<'w> Loans<'w> {
    /// A slot to read.
    pub fn read<T: Plain>(&mut self, slot: Slot<T>) -> &'w [T] {
        let pointer = self.lend(slot, false);
        // SAFETY: the range is inside the workspace, aligned and initialised, and no loan to write overlaps it
        // while the workspace is borrowed for 'w.
        unsafe { core::slice::from_raw_parts(pointer, slot.len) }
    }

    /// A slot to write. Its content is what the last step that had it left there.
    pub fn write<T: Plain>(&mut self, slot: Slot<T>) -> &'w mut [T] {
        let pointer = self.lend(slot, true);
        // SAFETY: the range is inside the workspace, aligned and initialised, and no other loan overlaps it while
        // the workspace is borrowed for 'w.
        unsafe { core::slice::from_raw_parts_mut(pointer, slot.len) }
    }

    fn lend<T: Plain>(&mut self, slot: Slot<T>, writes: bool) -> *mut T {
        if slot.is_empty() {
            return core::ptr::NonNull::dangling().as_ptr();
        }
        let bytes = slot.bytes();
        assert!(bytes.end <= self.len && bytes.start.is_multiple_of(ALIGNMENT), "a slot outside the workspace");
        for (other, other_writes) in &self.lent[..self.count] {
            let overlap = bytes.start < other.end && other.start < bytes.end;
            assert!(!overlap || !(writes || *other_writes), "two slots of one step overlap");
        }
        self.lent[self.count] = (bytes.clone(), writes);
        self.count += 1;
        // SAFETY: bytes.end <= len, so the offset stays inside the workspace.
        unsafe { self.start.add(bytes.start).cast() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::vec;

    #[test]
    fn any_alignment_is_accepted() {
        let mut bytes = vec![1u8; 4 * ALIGNMENT];
        for skip in 0..=ALIGNMENT {
            let given = &mut bytes[skip..];
            let given_len = given.len();
            let mut workspace = Workspace::from_bytes(given);
            assert!(workspace.capacity() + ALIGNMENT > given_len);
            let slot = Slot::<f64>::new(ALIGNMENT, 4);
            let numbers = workspace.loans().write(slot);
            assert_eq!(numbers.as_ptr() as usize % ALIGNMENT, 0);
        }
        assert_eq!(Workspace::from_bytes(&mut []).capacity(), 0);
        assert_eq!(Workspace::from_bytes(&mut bytes[1..2]).capacity(), 0);
    }

    #[cfg(feature = "gradients")]
    #[test]
    fn parts_are_disjoint_and_make_the_whole() {
        let mut bytes = vec![0u8; 4 * ALIGNMENT];
        let mut workspace = Workspace::from_bytes(&mut bytes);
        let capacity = workspace.capacity();
        for (asked, first) in
            [(0, 0), (1, ALIGNMENT), (ALIGNMENT, ALIGNMENT), (capacity, capacity), (usize::MAX, capacity)]
        {
            let [mut a, mut b] = workspace.split(asked);
            assert_eq!([a.capacity(), b.capacity()], [first, capacity - first]);
            let a = a.loans().write(Slot::<u64>::new(0, first / 8));
            let b = b.loans().write(Slot::<u64>::new(0, (capacity - first) / 8));
            a.fill(1);
            b.fill(2);
            assert!(a.iter().all(|&word| word == 1));
        }
    }

    #[test]
    fn loans_of_one_step_are_disjoint_unless_read() {
        let mut bytes = vec![MaybeUninit::uninit(); 1024];
        let mut workspace = Workspace::new(&mut bytes);
        let low = Slot::<f32>::new(0, 20);
        let high = Slot::<f32>::new(128, 20);
        let across = Slot::<f32>::new(64, 20);
        {
            let mut loans = workspace.loans();
            loans.write(low).fill(1.0);
            loans.write(high).fill(2.0);
        }
        let mut loans = workspace.loans();
        assert_eq!(loans.read(low)[19], 1.0);
        assert_eq!(loans.read(across)[16], 2.0);
        assert!(catch_unwind(AssertUnwindSafe(|| loans.write(high))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| loans.read(Slot::<f32>::new(960, 20)))).is_err());
    }
}
