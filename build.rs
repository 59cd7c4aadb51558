//! Announces the folder with the C header to crates that depend on this one and, with the feature `header`, writes the
//! header anew.

#[cfg(feature = "header")]
#[path = "build/header.rs"]
mod header;

fn main() {
    let root = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets the folder"));
    println!("cargo::metadata=include={}", root.join("include").display());
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    {
        for input in ["build/header.rs", "cbindgen.toml", "ffi/src"] {
            println!("cargo::rerun-if-changed={input}");
        }
        let header = header::generate(&root).expect("the header is made in a checkout of the repository");
        std::fs::write(root.join("include/aznas.h"), header).expect("the include folder can be written");
    }
}
