//! What the libraries offer to the linker and ask of it.

mod common;

use common::{Flavour, root, run, scratch};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The functions of the header, those of hosted libraries alone too.
const FUNCTIONS: [&str; 19] = [
    "aznas_aggregate",
    "aznas_aggregate_workspace_size",
    "aznas_arch_init",
    "aznas_backend_name",
    "aznas_cost",
    "aznas_gradients",
    "aznas_gradients_workspace_size",
    "aznas_options_init",
    "aznas_proxy_name",
    "aznas_proxy_parse",
    "aznas_score",
    "aznas_scores_values",
    "aznas_search_ask",
    "aznas_search_init",
    "aznas_search_workspace_size",
    "aznas_smallest_batch",
    "aznas_status_str",
    "aznas_version",
    "aznas_workspace_size",
];

/// Whether bare metal does without a function.
fn is_hosted(function: &str) -> bool {
    function.starts_with("aznas_gradients")
}

/// The names of one kind, by the letter that `nm` gives it.
fn symbols(kinds: &[&str], arguments: &[&str], library: &Path) -> BTreeSet<String> {
    let listed = run(Command::new("nm").args(arguments).arg(library), "");
    let name = |line: &str| match line.split_whitespace().rev().take(2).collect::<Vec<_>>()[..] {
        [name, kind] if kinds.contains(&kind) => Some(name.split('@').next().unwrap_or(name).to_owned()),
        _ => None,
    };
    listed.lines().filter_map(name).collect()
}

#[test]
fn the_shared_library_exports_the_header_and_has_a_name() {
    let library = Flavour::Checked.build().join("libaznas.so");
    let exported = symbols(&["T", "t", "D", "B", "R", "W", "V"], &["-D"], &library);
    assert_eq!(exported.iter().map(String::as_str).collect::<Vec<_>>(), FUNCTIONS);
    let header = std::fs::read_to_string(root().join("include/aznas.h")).expect("the header exists");
    for function in FUNCTIONS {
        assert!(header.contains(&format!("{function}(")), "{function} is not in the header");
    }
    let dynamic = run(Command::new("readelf").arg("-d").arg(&library), "");
    assert!(dynamic.contains("[libaznas.so.0.1]"), "{dynamic}");
}

/// The program brings its own entry and system calls, the four memory functions and the hook. That it links with every
/// function of the header shows that the library needs nothing else.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
#[test]
fn a_program_without_a_c_library_scores() {
    let library = Flavour::BareMetal.build();
    let program = scratch().join("freestanding");
    let mut compiler = Command::new("cc");
    compiler
        .args([
            "-std=c11",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-ffreestanding",
            "-fno-builtin",
            "-fno-stack-protector",
        ])
        .args(["-ffp-contract=off", "-nostdlib", "-static", "-I"])
        .arg(root().join("include"))
        .arg(root().join("ffi/examples/freestanding.c"))
        .args(FUNCTIONS.iter().filter(|function| !is_hosted(function)).map(|function| format!("-Wl,-u,{function}")))
        .arg(library.join("libaznas.a"))
        .args(["-Wl,--gc-sections", "-o"])
        .arg(&program);
    run(&mut compiler, "");
    let printed = run(&mut Command::new(&program), "");
    let hosted = common::compile(
        "examples/freestanding.c",
        common::Language::C11,
        &Flavour::Checked.build(),
        common::Linkage::Static,
        &["-DHOSTED"],
    );
    assert_eq!(printed, common::output(&hosted, ""));
    assert_eq!(printed.lines().count(), 5, "{printed}");
}
