//! What a program without an operating system must have: an end for a program that meets a defect of this library.

unsafe extern "C" {
    /// Bare metal only (feature `panic-handler`): the program supplies this function. The library calls it when it
    /// finds a defect of its own, and it must not return: halt, or reset the device.
    fn aznas_on_panic() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the program supplies the function, which takes nothing and does not return.
    unsafe { aznas_on_panic() }
}

/// Parts of Rust's own library that were built to unwind name this function; nothing unwinds here.
///
/// cbindgen:ignore
#[cfg(not(any(target_os = "none", target_os = "unknown")))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// The compiler turns comparisons for equality into calls of `bcmp`, which the compiler's own library brings only where
/// there is no operating system. With this a program needs to supply no more than `memcmp`.
#[cfg(not(any(target_os = "none", target_os = "unknown")))]
mod equality {
    use core::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
    }

    /// cbindgen:ignore
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
        // SAFETY: the same promises.
        unsafe { memcmp(a, b, n) }
    }
}
