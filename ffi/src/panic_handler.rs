//! The end of a program on bare metal that meets a defect of this library.

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
