//! Programs that make every mistake they can get a status each time.

mod common;

use common::{Flavour, Language, Linkage};
use std::process::Command;

#[test]
fn a_million_mistakes() {
    let program = common::compile("tests/c/hostile.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = common::run(Command::new(program).args(["1000000", "1"]), "");
    assert!(printed.starts_with("accepted:"), "{printed}");
}

#[test]
fn nothing_is_written_over_anything() {
    let program = common::compile("tests/c/overlap.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = common::output(&program, "");
    let pairs = printed.split_whitespace().next().and_then(|number| number.parse::<usize>().ok());
    assert!(pairs.is_some_and(|pairs| pairs > 100), "{printed}");
}
