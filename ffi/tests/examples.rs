//! The examples run and print what they promise.

mod common;

use common::{Flavour, Language, Linkage, compile, run};
use std::process::Command;

#[test]
fn score_prints_the_proxies_or_the_place_of_the_mistake() {
    let program = compile("examples/score.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = run(&mut Command::new(&program), "");
    assert!(printed.starts_with("expressivity ") && printed.contains("complexity "), "{printed}");
    let refused = Command::new(&program).arg("|nor_conv_3x3~1|").output().expect("the program runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("column 15"), "{refused:?}");
}

#[test]
fn evaluator_finds_the_same_with_any_number_of_threads() {
    let program = compile("examples/evaluator.cpp", Language::Cpp17, &Flavour::Checked.build(), Linkage::Static, &[]);
    let search = |threads: &str| run(Command::new(&program).args(["60", threads]), "");
    let alone = search("1");
    assert_eq!(alone, search("3"));
    let best = |line: &str| line.split("best").nth(1).map(str::to_owned);
    let (first, last) = (alone.lines().next().and_then(best), alone.lines().last().and_then(best));
    assert!(alone.lines().count() == 3 && first != last, "the search does not move:\n{alone}");
}
