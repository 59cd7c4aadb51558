//! The only file that follows pointers from C: NULL, alignment, sizes and overlaps are checked here.
//!
//! What cannot be checked is the caller's promise, stated at the head of the header: a pointer that is not NULL points
//! to as much memory as the struct or the length beside it says, and nobody else writes to it during the call.

use crate::refusal::Refusal;
use aznas::Error;

/// How much longer than this version's a struct of a later version may be.
const GROWTH: usize = 1024;

/// A struct of the header that starts with its own size.
///
/// # Safety
/// The first field is `struct_size: usize`, and every pattern of bits is a value of the type.
pub(crate) unsafe trait Descriptor: Copy {
    /// The name of the argument that points to it.
    const NAME: &'static str;
}

/// Bytes from `start`, for telling overlaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    len: usize,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: 0, len: 0 };

    pub(crate) fn new<T>(start: *const T, len: usize) -> Self {
        Self { start: start.addr(), len }
    }

    /// The bytes of `len` numbers to write, of which nothing but their number is known to be sound.
    pub(crate) fn of_output<T>(start: *mut T, len: usize, name: &'static str) -> Result<Self, Refusal> {
        if len > 0 {
            check(start, name)?;
        }
        Ok(Self::new(start, byte_len::<T>(len, name)?))
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.len > 0
            && other.len > 0
            && self.start < other.start.saturating_add(other.len)
            && other.start < self.start.saturating_add(self.len)
    }
}

fn check<T>(pointer: *const T, name: &'static str) -> Result<(), Refusal> {
    if pointer.is_null() {
        Err(Refusal::NullPointer(name))
    } else if !pointer.is_aligned() {
        Err(Refusal::Misaligned(name))
    } else {
        Ok(())
    }
}

/// Refuses a size that neither this version nor a later one gives to `T`.
pub(crate) fn check_size<T>(size: usize, name: &'static str) -> Result<(), Refusal> {
    if (size_of::<T>()..=size_of::<T>() + GROWTH).contains(&size) { Ok(()) } else { Err(Refusal::StructSize(name)) }
}

/// What this version knows of a struct.
///
/// # Safety
/// `pointer` is NULL or points to a struct of the size it says.
pub(crate) unsafe fn read<T: Descriptor>(pointer: *const T) -> Result<T, Refusal> {
    check(pointer, T::NAME)?;
    // SAFETY: the pointer is aligned and the first field is the size.
    let size = unsafe { pointer.cast::<usize>().read() };
    check_size::<T>(size, T::NAME)?;
    // SAFETY: the struct is `size` bytes long.
    let unknown = unsafe { core::slice::from_raw_parts(pointer.add(1).cast::<u8>(), size - size_of::<T>()) };
    if unknown.iter().any(|&byte| byte != 0) {
        return Err(Refusal::StructSize(T::NAME));
    }
    // SAFETY: the pointer is aligned and the struct at least as long as `T`.
    Ok(unsafe { pointer.read() })
}

/// As [`read`], but NULL is allowed.
///
/// # Safety
/// That of [`read`].
pub(crate) unsafe fn read_optional<T: Descriptor>(pointer: *const T) -> Result<Option<T>, Refusal> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: as promised by the caller.
    unsafe { read(pointer) }.map(Some)
}

/// Fills a struct of `struct_size` bytes with `value`, and what this version does not know with zeros.
///
/// # Safety
/// `pointer` is NULL or points to `struct_size` writable bytes.
pub(crate) unsafe fn initialise<T: Descriptor>(pointer: *mut T, struct_size: usize, value: T) -> Result<(), Refusal> {
    check(pointer, T::NAME)?;
    check_size::<T>(struct_size, T::NAME)?;
    // SAFETY: the pointer is aligned, the struct `struct_size` bytes long and that is no less than `T`.
    unsafe {
        pointer.write(value);
        pointer.add(1).cast::<u8>().write_bytes(0, struct_size - size_of::<T>());
    }
    Ok(())
}

/// Refuses a pointer that a single `T` cannot be written to.
pub(crate) fn check_output<T>(pointer: *mut T, name: &'static str) -> Result<(), Refusal> {
    check(pointer, name)
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
pub(crate) unsafe fn slice<'a, T>(start: *const T, len: usize, name: &'static str) -> Result<&'a [T], Refusal> {
    if len == 0 {
        return Ok(&[]);
    }
    check(start, name)?;
    byte_len::<T>(len, name)?;
    // SAFETY: the pointer is aligned and points to `len` numbers, which fit the address space.
    Ok(unsafe { core::slice::from_raw_parts(start, len) })
}

/// The caller's numbers, to write.
///
/// # Safety
/// `start` is NULL or points to `len` numbers that nobody else uses during `'a`.
pub(crate) unsafe fn slice_mut<'a, T>(start: *mut T, len: usize, name: &'static str) -> Result<&'a mut [T], Refusal> {
    if len == 0 {
        return Ok(&mut []);
    }
    check(start, name)?;
    byte_len::<T>(len, name)?;
    // SAFETY: the pointer is aligned and points to `len` numbers, which fit the address space.
    Ok(unsafe { core::slice::from_raw_parts_mut(start, len) })
}

/// An array of structs that may be longer than this version knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array<T> {
    start: *mut T,
    count: usize,
    stride: usize,
}

impl<T: Copy> Array<T> {
    /// `count` structs, `stride` bytes each.
    ///
    /// # Safety
    /// `start` is NULL or points to as many, which live as long as the array is used.
    pub(crate) unsafe fn new(
        start: *const T,
        count: usize,
        stride: usize,
        name: &'static str,
    ) -> Result<Self, Refusal> {
        if count > 0 {
            check(start, name)?;
            check_size::<T>(stride, name)?;
            if !stride.is_multiple_of(align_of::<T>()) {
                return Err(Refusal::StructSize(name));
            }
            let bytes = count.checked_mul(stride).filter(|&bytes| isize::try_from(bytes).is_ok());
            bytes.ok_or(Refusal::Core(Error::Overflow { quantity: name }))?;
        }
        Ok(Self { start: start.cast_mut(), count, stride })
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn span(&self) -> Span {
        Span::new(self.start, self.count * self.stride)
    }

    /// What this version knows of struct `index`, which must be below [`Self::len`].
    pub(crate) fn get(&self, index: usize) -> T {
        // SAFETY: the place lies inside the array and is aligned, its start and stride being so.
        unsafe { self.place(index).read() }
    }

    /// Writes what this version knows of struct `index`, which must be below [`Self::len`].
    ///
    /// # Safety
    /// The array is writable and nobody else uses it.
    pub(crate) unsafe fn set(&self, index: usize, value: T) {
        // SAFETY: the place lies inside the array and is aligned, its start and stride being so.
        unsafe { self.place(index).write(value) }
    }

    fn place(&self, index: usize) -> *mut T {
        assert!(index < self.count, "an element outside its array");
        self.start.wrapping_byte_add(index * self.stride)
    }
}
