//! The version, for the compiler and at run time.

use core::ffi::c_char;

/// Version of this header: changes that break programs.
pub const AZNAS_VERSION_MAJOR: u32 = 0;
/// Version of this header: additions; while the major version is 0, also changes that break programs.
pub const AZNAS_VERSION_MINOR: u32 = 1;
/// Version of this header: corrections.
pub const AZNAS_VERSION_PATCH: u32 = 0;

const _: () = {
    assert!(is_number(env!("CARGO_PKG_VERSION_MAJOR"), AZNAS_VERSION_MAJOR));
    assert!(is_number(env!("CARGO_PKG_VERSION_MINOR"), AZNAS_VERSION_MINOR));
    assert!(is_number(env!("CARGO_PKG_VERSION_PATCH"), AZNAS_VERSION_PATCH));
};

const fn is_number(text: &str, number: u32) -> bool {
    matches!(u32::from_str_radix(text, 10), Ok(value) if value == number)
}

/// The version of the library that is running, such as "0.1.0": compare with `AZNAS_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn aznas_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
