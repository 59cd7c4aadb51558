//! The only file that follows pointers from C: NULL, alignment, sizes and overlaps are checked here.
//!
//! What cannot be checked is the caller's promise, stated at the head of the header: a pointer that is not NULL points
//! to as much memory as the struct or the length beside it says, and nobody else writes to it during the call.

use crate::refusal::Refusal;
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
    /// Its sizes in all headers so far, the shortest first: that of the first release, and last that of this version.
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// A struct that starts with its own size.
///
/// # Safety
/// The first field is `struct_size: usize`.
pub(crate) unsafe trait Descriptor: Struct {}

/// Bytes from `start`, for telling overlaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    len: usize,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: 0, len: 0 };

    /// `len` bytes.
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

/// Whether some header up to this version, or one that may come, gives `size` bytes to `T`.
fn is_known_size<T: Struct>(size: usize) -> bool {
    T::SIZES.contains(&size) || (size_of::<T>()..=size_of::<T>() + GROWTH).contains(&size)
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
    if size >= size_of::<T>() {
        // SAFETY: as promised by the caller.
        return unsafe { pointer.read() };
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: as promised by the caller; every pattern of bits, zeros too, is a value.
    unsafe {
        pointer.cast::<u8>().copy_to_nonoverlapping(value.as_mut_ptr().cast::<u8>(), size);
        value.assume_init()
    }
}

/// Writes as much of `value` as a struct of `size` bytes has.
///
/// # Safety
/// `pointer` points to as many writable bytes.
unsafe fn set<T: Struct>(pointer: *mut T, size: usize, value: T) {
    let known = size.min(size_of::<T>());
    // SAFETY: as promised by the caller.
    unsafe { pointer.cast::<u8>().copy_from_nonoverlapping((&raw const value).cast::<u8>(), known) };
}

/// A struct of the caller.
///
/// # Safety
/// `pointer` is NULL or points to a struct of the size it says.
pub(crate) unsafe fn read<T: Descriptor>(pointer: *const T) -> Result<T, Refusal> {
    check(pointer, T::NAME)?;
    // SAFETY: the pointer is aligned and the first field is the size.
    let size = unsafe { pointer.cast::<usize>().read() };
    // SAFETY: the struct is `size` bytes long.
    if !is_known_size::<T>(size) || !unsafe { is_zero_beyond(pointer, size) } {
        return Err(Refusal::StructSize(T::NAME));
    }
    // SAFETY: the pointer is aligned and the struct `size` bytes long.
    Ok(unsafe { get(pointer, size) })
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

/// Writes as much of `value` as fits a struct that [`read`] found to be sound.
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
    if !is_known_size::<T>(struct_size) {
        return Err(Refusal::StructSize(T::NAME));
    }
    // SAFETY: the struct is `struct_size` bytes long.
    unsafe {
        pointer.cast::<u8>().write_bytes(0, struct_size);
        set(pointer, struct_size, value);
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

/// An array of the caller's structs, each as long as some header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array<T> {
    start: *mut T,
    count: usize,
    stride: usize,
}

impl<T: Struct> Array<T> {
    /// `count` structs to read, `stride` bytes each; `stride_field` is the field that says so.
    ///
    /// # Safety
    /// `start` is NULL or points to as many, which live as long as the array is used.
    pub(crate) unsafe fn new(
        start: *const T,
        count: usize,
        stride: usize,
        stride_field: &'static str,
    ) -> Result<Self, Refusal> {
        // SAFETY: as promised by the caller.
        let array = unsafe { Self::to_fill(start.cast_mut(), count, stride, stride_field) }?;
        // SAFETY: each is `stride` bytes long.
        let is_sound = |index| unsafe { is_zero_beyond(array.place(index), stride) };
        if stride > size_of::<T>() && !(0..count).all(is_sound) {
            return Err(Refusal::ElementSize(stride_field));
        }
        Ok(array)
    }

    /// `count` structs of which nothing is read, `stride` bytes each.
    ///
    /// # Safety
    /// `start` is NULL or points to as many, which live as long as the array is used.
    pub(crate) unsafe fn to_fill(
        start: *mut T,
        count: usize,
        stride: usize,
        stride_field: &'static str,
    ) -> Result<Self, Refusal> {
        if count > 0 {
            check(start, T::NAME)?;
            if !is_known_size::<T>(stride) || !stride.is_multiple_of(align_of::<T>()) {
                return Err(Refusal::ElementSize(stride_field));
            }
            let bytes = count.checked_mul(stride).filter(|&bytes| isize::try_from(bytes).is_ok());
            bytes.ok_or(Refusal::Core(Error::Overflow { quantity: T::NAME }))?;
        }
        Ok(Self { start, count, stride })
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
