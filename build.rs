//! Announces the folder with the C header to crates that depend on this one.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
