//! The header in the repository is the one that the sources make.

use std::path::Path;

#[path = "../../build/header.rs"]
mod header;

#[test]
fn the_checked_in_header_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the library lies in the workspace");
    let fresh = header::generate(root).expect("the sources of the library make a header");
    let checked_in = std::fs::read_to_string(root.join("include/aznas.h")).expect("include/aznas.h exists");
    assert!(fresh == checked_in, "include/aznas.h is stale: run `cargo build --features header`");
}
