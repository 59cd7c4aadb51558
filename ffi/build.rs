//! Names the shared library, which plain cargo does not.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // While the major version is 0, a new minor version may break programs.
    let interface = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libaznas.so.{interface}");
        }
        Ok("macos" | "ios") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libaznas.{interface}.dylib");
        }
        _ => {}
    }
}
