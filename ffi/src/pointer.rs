//! The only file that follows pointers from C: NULL, alignment and sizes are checked here, and that nothing lies in the
//! memory that the call writes.
//!
//! What cannot be checked is the caller's promise, stated at the head of the header: a pointer that is not NULL points
//! to as much memory as the struct or the length beside it says, and nobody else writes to it during the call.

use crate::refusal::Refusal;
use crate::written::{Span, Written};
use aznas::Error;
use core::mem::MaybeUninit;

/// How much longer than this version's a struct of a later version may be.
const GROWTH: usize = 1024;

/// A struct of the header. It grows at its end, by fields whose zero means what was the case without them: so what a shorter
/// struct of an older header lacks counts as zeros, and what a longer struct of a newer one has must be zeros.
///
/// # Safety
/// Every pattern of bits is a value of the type.
pub(crate) unsafe trait Struct: Copy {
    /// The argument or field that points to it.
    const NAME: &'static str;
    /// Where the fields of older headers end, that of the first release first: the places of the first fields they lack.
    const ENDS: &'static [usize] = &[];
}

/// A struct that starts with its own size.
///
/// # Safety
/// The first field is `struct_size: usize`.
pub(crate) unsafe trait Descriptor: Struct {}

fn check<T>(pointer: *const T, name: &'static str) -> Result<(), Refusal> {
    if pointer.is_null() {
        Err(Refusal::NullPointer(name))
    } else if !pointer.is_aligned() {
        Err(Refusal::Misaligned(name))
    } else {
        Ok(())
    }
}

/// The size of `T` in the header whose fields end at `end`: where an alignment does not, padding follows.
const fn size_up_to<T>(end: usize) -> usize {
    end.next_multiple_of(align_of::<T>())
}

/// How many bytes of a `T` of `size` bytes this version knows, if a header up to this version, or one that may come, gives it
/// that size. What pads the struct of an older header is none of them: it holds anything, and fields of today lie there.
fn known_len<T: Struct>(size: usize) -> Option<usize> {
    const { assert!(has_distinct_sizes::<T>(), "a field was added into padding alone") };
    if (size_of::<T>()..=size_of::<T>() + GROWTH).contains(&size) {
        return Some(size_of::<T>());
    }
    T::ENDS.iter().copied().find(|&end| size_up_to::<T>(end) == size)
}

/// Whether no two headers give `T` the same size.
const fn has_distinct_sizes<T: Struct>() -> bool {
    let mut later = size_of::<T>();
    let mut older = T::ENDS;
    while let [rest @ .., end] = older {
        if size_up_to::<T>(*end) >= later {
            return false;
        }
        later = size_up_to::<T>(*end);
        older = rest;
    }
    true
}

/// Whether what a struct of `size` bytes has beyond what this version knows is zero.
///
/// # Safety
/// `pointer` points to as many bytes.
unsafe fn is_zero_beyond<T: Struct>(pointer: *const T, size: usize) -> bool {
    let unknown = size.saturating_sub(size_of::<T>());
    // SAFETY: the struct is `size` bytes long; where nothing is unknown the slice is empty.
    unknown == 0
        || unsafe { core::slice::from_raw_parts(pointer.add(1).cast::<u8>(), unknown) }.iter().all(|&byte| byte == 0)
}

/// What this version knows of a struct of `size` bytes, and zeros for what that lacks.
///
/// # Safety
/// `pointer` is aligned and points to as many bytes.
unsafe fn get<T: Struct>(pointer: *const T, size: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: as promised by the caller; every pattern of bits, zeros too, is a value.
    unsafe {
        pointer.cast::<u8>().copy_to_nonoverlapping(value.as_mut_ptr().cast::<u8>(), known_len::<T>(size).unwrap_or(0));
        value.assume_init()
    }
}

/// Writes as much of `value` as a struct of `size` bytes has.
///
/// # Safety
/// `pointer` points to as many writable bytes.
unsafe fn set<T: Struct>(pointer: *mut T, size: usize, value: T) {
    let known = known_len::<T>(size).unwrap_or(0);
    // SAFETY: as promised by the caller.
    unsafe { pointer.cast::<u8>().copy_from_nonoverlapping((&raw const value).cast::<u8>(), known) };
}

/// The bytes of a struct of the caller, whose size must be a known one.
///
/// # Safety
/// `pointer` is NULL or points to a struct of the size it says.
pub(crate) unsafe fn measure<T: Descriptor>(pointer: *const T) -> Result<Span, Refusal> {
    check(pointer, T::NAME)?;
    // SAFETY: the pointer is aligned and the first field is the size.
    let size = unsafe { pointer.cast::<usize>().read() };
    // SAFETY: the struct is `size` bytes long.
    if known_len::<T>(size).is_none() || !unsafe { is_zero_beyond(pointer, size) } {
        return Err(Refusal::StructSize(T::NAME));
    }
    Ok(Span::new(pointer, size))
}

/// A struct to read.
///
/// # Safety
/// That of [`measure`].
pub(crate) unsafe fn read<T: Descriptor>(pointer: *const T, written: &Written) -> Result<T, Refusal> {
    // SAFETY: as promised by the caller.
    let span = unsafe { measure(pointer) }?;
    written.check(span, T::NAME)?;
    // SAFETY: the pointer is aligned and the struct as long.
    Ok(unsafe { get(pointer, span.len()) })
}

/// A struct to write, with what it asks for.
///
/// # Safety
/// That of [`measure`].
pub(crate) unsafe fn read_to_write<T: Descriptor>(pointer: *mut T, written: &mut Written) -> Result<T, Refusal> {
    // SAFETY: as promised by the caller.
    let span = unsafe { measure(pointer) }?;
    written.add(span, T::NAME)?;
    // SAFETY: the pointer is aligned and the struct as long.
    Ok(unsafe { get(pointer, span.len()) })
}

/// Writes as much of `value` as fits a struct that [`measure`] found to be sound.
///
/// # Safety
/// `pointer` points to a writable struct of the size it says.
pub(crate) unsafe fn write<T: Descriptor>(pointer: *mut T, value: T) {
    // SAFETY: as promised by the caller, and the first field is the size.
    unsafe { set(pointer, pointer.cast::<usize>().read(), value) };
}

/// Fills a struct of `struct_size` bytes with as much of `value` as it has, and what this version does not know with zeros.
///
/// # Safety
/// `pointer` is NULL or points to `struct_size` writable bytes.
pub(crate) unsafe fn initialise<T: Descriptor>(pointer: *mut T, struct_size: usize, value: T) -> Result<(), Refusal> {
    check(pointer, T::NAME)?;
    if known_len::<T>(struct_size).is_none() {
        return Err(Refusal::StructSize(T::NAME));
    }
    // SAFETY: the struct is `struct_size` bytes long.
    unsafe {
        pointer.cast::<u8>().write_bytes(0, struct_size);
        set(pointer, struct_size, value);
    }
    Ok(())
}

/// Notes that `len` numbers are written, of which nothing is read.
pub(crate) fn check_output<T>(
    start: *mut T,
    len: usize,
    name: &'static str,
    written: &mut Written,
) -> Result<(), Refusal> {
    if len > 0 {
        check(start, name)?;
    }
    written.add(Span::new(start, byte_len::<T>(len, name)?), name)
}

/// Bytes of `len` numbers of type `T`.
pub(crate) fn byte_len<T>(len: usize, name: &'static str) -> Result<usize, Refusal> {
    len.checked_mul(size_of::<T>())
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or(Refusal::Core(Error::Overflow { quantity: name }))
}

/// The caller's numbers, to read.
///
/// # Safety
/// `start` is NULL or points to `len` numbers that do not change during `'a`.
pub(crate) unsafe fn slice<'a, T>(
    start: *const T,
    len: usize,
    name: &'static str,
    written: &Written,
) -> Result<&'a [T], Refusal> {
    if len == 0 {
        return Ok(&[]);
    }
    check(start, name)?;
    written.check(Span::new(start, byte_len::<T>(len, name)?), name)?;
    // SAFETY: the pointer is aligned and points to `len` numbers, which fit the address space.
    Ok(unsafe { core::slice::from_raw_parts(start, len) })
}

/// Numbers of the caller that [`check_output`] found to be sound, to write.
///
/// # Safety
/// `start` points to `len` numbers that nobody else uses during `'a`, or `len` is 0.
pub(crate) unsafe fn slice_mut<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the pointer is aligned and points to `len` numbers, which fit the address space.
    unsafe { core::slice::from_raw_parts_mut(start, len) }
}

/// `count` numbers in a workspace of the caller that [`check_output`] found to be sound, wherever it starts.
///
/// # Safety
/// `start` points to `len` bytes that nobody else uses during `'a`, or `len` is 0.
pub(crate) unsafe fn scratch<'a>(start: *mut u8, len: usize, count: usize) -> Result<&'a mut [u64], Refusal> {
    let needed = scratch_len(count)?;
    // SAFETY: as promised by the caller.
    let bytes = unsafe { slice_mut(start, len) };
    let skipped = bytes.as_ptr().align_offset(align_of::<u64>()).min(len);
    if (len - skipped) / size_of::<u64>() < count {
        return Err(Error::WorkspaceTooSmall { needed, given: len }.into());
    }
    // SAFETY: the numbers lie inside the workspace, aligned, and every pattern of bits is one.
    Ok(unsafe { slice_mut(bytes[skipped..].as_mut_ptr().cast(), count) })
}

/// The bytes of a workspace that suffice for `count` numbers.
pub(crate) fn scratch_len(count: usize) -> Result<usize, Refusal> {
    Ok(byte_len::<u64>(count, "candidate_count")? + align_of::<u64>() - 1)
}

/// An array of the caller's structs, each as long as some header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array<T> {
    start: *mut T,
    count: usize,
    stride: usize,
}

impl<T: Struct> Array<T> {
    pub(crate) const EMPTY: Self = Self { start: core::ptr::null_mut(), count: 0, stride: 0 };

    /// `count` structs to read, `stride` bytes each; `stride_field` is the field that says so.
    ///
    /// # Safety
    /// `start` is NULL or points to as many, which live as long as the array is used.
    pub(crate) unsafe fn new(
        start: *const T,
        count: usize,
        stride: usize,
        stride_field: &'static str,
        written: &Written,
    ) -> Result<Self, Refusal> {
        let array = Self { start: start.cast_mut(), count, stride };
        written.check(array.measure(stride_field)?, T::NAME)?;
        // SAFETY: each is `stride` bytes long.
        let is_sound = |index| unsafe { is_zero_beyond(array.place(index), stride) };
        if stride > size_of::<T>() && !(0..count).all(is_sound) {
            return Err(Refusal::ElementSize(stride_field));
        }
        Ok(array)
    }

    /// `count` structs to write, of which nothing is read, `stride` bytes each.
    ///
    /// # Safety
    /// `start` is NULL or points to as many, which live as long as the array is used.
    pub(crate) unsafe fn new_output(
        start: *mut T,
        count: usize,
        stride: usize,
        stride_field: &'static str,
        written: &mut Written,
    ) -> Result<Self, Refusal> {
        let array = Self { start, count, stride };
        written.add(array.measure(stride_field)?, T::NAME)?;
        Ok(array)
    }

    /// The bytes of the array, if it can be one.
    fn measure(&self, stride_field: &'static str) -> Result<Span, Refusal> {
        if self.count == 0 {
            return Ok(Span::default());
        }
        check(self.start, T::NAME)?;
        if known_len::<T>(self.stride).is_none() || !self.stride.is_multiple_of(align_of::<T>()) {
            return Err(Refusal::ElementSize(stride_field));
        }
        let bytes = self.count.checked_mul(self.stride).filter(|&bytes| isize::try_from(bytes).is_ok());
        Ok(Span::new(self.start, bytes.ok_or(Refusal::Core(Error::Overflow { quantity: T::NAME }))?))
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// What this version knows of struct `index`, which must be below [`Self::len`].
    pub(crate) fn get(&self, index: usize) -> T {
        // SAFETY: the place lies inside the array and is aligned, its start and stride being so.
        unsafe { get(self.place(index), self.stride) }
    }

    /// Writes as much of `value` as struct `index`, which must be below [`Self::len`], has.
    ///
    /// # Safety
    /// The array is writable and nobody else uses it.
    pub(crate) unsafe fn set(&self, index: usize, value: T) {
        // SAFETY: the place lies inside the array.
        unsafe { set(self.place(index), self.stride, value) }
    }

    fn place(&self, index: usize) -> *mut T {
        assert!(index < self.count, "an element outside its array");
        self.start.wrapping_byte_add(index * self.stride)
    }
}
