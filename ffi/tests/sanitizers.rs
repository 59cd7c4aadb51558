//! The programs of the other tests under the sanitizers of the C compiler and under valgrind.
//!
//! The sanitizers see what the programs do, and every block of memory they hand over; valgrind sees the library as well,
//! which is the one that users link.

mod common;

use common::{Flavour, Language, Linkage, compile, has_tool, output, run};
use std::process::Command;

const ADDRESS: [&str; 3] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// Whether the compiler has a sanitizer, and its programs run here; says so aloud where not.
fn has_sanitizer(flag: &str) -> bool {
    let program = common::scratch().join(format!("probe{}", flag.replace(['=', ','], "-")));
    let source = common::scratch().join("probe.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("the folder can be written");
    let built = Command::new("cc").arg(flag).arg(&source).arg("-o").arg(&program).output();
    let works = built.is_ok_and(|built| built.status.success())
        && Command::new(&program).output().is_ok_and(|ran| ran.status.success());
    if !works {
        eprintln!("SKIPPED: cc {flag} does not work here");
    }
    works
}

#[test]
fn address_and_undefined_behaviour() {
    if !has_sanitizer(ADDRESS[0]) {
        return;
    }
    let library = Flavour::Checked.build();
    let program = |source, language| compile(source, language, &library, Linkage::Static, &ADDRESS);
    run(Command::new(program("tests/c/hostile.c", Language::C11)).args(["50000", "2"]), "");
    for source in ["tests/c/graph.c", "tests/c/tensors.c", "tests/c/aggregate.c", "examples/score.c"] {
        output(&program(source, Language::C11), "");
    }
    output(&program("tests/c/threads.cpp", Language::Cpp17), "");
}

#[test]
fn races() {
    if !has_sanitizer("-fsanitize=thread") {
        return;
    }
    let library = Flavour::Checked.build();
    output(&compile("tests/c/threads.cpp", Language::Cpp17, &library, Linkage::Static, &["-fsanitize=thread"]), "");
}

#[test]
fn valgrind() {
    if !has_tool("valgrind") {
        return;
    }
    let library = Flavour::Release.build();
    for (source, arguments) in
        [("tests/c/graph.c", &["0"][..]), ("tests/c/tensors.c", &["0"]), ("tests/c/hostile.c", &["2000", "3"])]
    {
        let program = compile(source, Language::C11, &library, Linkage::Static, &[]);
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]).arg(program).args(arguments);
        run(&mut valgrind, "");
    }
}
