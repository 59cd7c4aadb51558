//! A program that makes every mistake it can gets a status each time.

mod common;

use common::{Flavour, Language, Linkage};
use std::process::Command;

#[test]
fn a_million_mistakes() {
    let program = common::compile("tests/c/hostile.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = common::run(Command::new(program).args(["1000000", "1"]), "");
    assert!(printed.starts_with("accepted:"), "{printed}");
}
