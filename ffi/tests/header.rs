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

/// The line of the header that gives `name` a value.
fn value(header: &str, name: &str) -> Option<u32> {
    let line = header.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(" = "))?;
    line.trim_end_matches(',').parse().ok()
}

#[test]
fn proxies_and_flags_have_their_bits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the library lies in the workspace");
    let header = std::fs::read_to_string(root.join("include/aznas.h")).expect("include/aznas.h exists");
    let constant = |prefix: &str, name: &str| format!("{prefix}_{}", name.replace('-', "_").to_uppercase());
    for (number, proxy) in aznas::proxy::Proxy::ALL.iter().enumerate() {
        let name = constant("AZNAS_PROXY", proxy.name());
        assert_eq!(value(&header, &name), Some(1 << number), "{name}");
    }
    let flags = (0..32).map(|bit| aznas::proxy::Flags(1 << bit));
    let flags: Vec<_> = flags.flat_map(|flag| flag.names().map(move |name| (flag, name))).collect();
    assert!(flags.len() > 4);
    for (flag, name) in flags {
        let name = constant("AZNAS_FLAG", name);
        assert_eq!(value(&header, &name), Some(flag.0), "{name}");
    }
}
