//! The examples run and print what they promise.

mod common;

use aznas::graph::{Cost, peak_activation};
use aznas::spaces::mbv2::UnitNetwork;
use common::{Flavour, Language, Linkage, compile, has_tool, root, run, scratch};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[test]
fn score_prints_the_proxies_or_the_place_of_the_mistake() {
    let program = compile("examples/score.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = run(&mut Command::new(&program), "");
    assert!(printed.starts_with("expressivity ") && printed.contains("complexity "), "{printed}");
    let refused = Command::new(&program).arg("|nor_conv_3x3~1|").output().expect("the program runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("column 15"), "{refused:?}");
}

/// Structures are drawn, most are out of the budget, and the best of the rest keeps to it.
#[test]
fn select_on_device_keeps_to_its_budget() {
    let library = Flavour::Checked.build();
    let program = compile("examples/select_on_device.c", Language::C11, &library, Linkage::Static, &["-DHOSTED"]);
    let printed = run(&mut Command::new(&program), "");
    let lines: Vec<_> = printed.lines().collect();
    let numbers = |line: &str| line.split(' ').filter_map(|word| word.parse::<u64>().ok()).collect::<Vec<_>>();
    let (&[drawn, kept], &[peak, parameters]) = (&numbers(lines[0])[..], &numbers(lines[1])[..]) else {
        panic!("{printed}");
    };
    assert!(kept == 12 && drawn > kept, "{printed}");
    let structure = UnitNetwork {
        structure: lines[2].parse().expect("the best is a structure"),
        classes: 2,
        target_resolution: 96,
    };
    assert_eq!(peak_activation(&structure, 96, 96), Ok(peak));
    assert_eq!(Cost::of(&structure, 96, 96).map(|cost| cost.parameters), Ok(parameters));
    assert!(peak <= 56 * 1024 && parameters <= 12 * 1024, "{printed}");
    assert_eq!(lines.len(), 8, "{printed}");
}

#[test]
fn gradients_are_told_of_every_block_or_the_place_of_the_mistake() {
    let program = compile("examples/gradients.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = run(&mut Command::new(&program), "");
    // The stem, three stages of five cells with two reductions between them, and the head.
    assert!(printed.starts_with("loss "), "{printed}");
    assert_eq!(printed.lines().filter(|line| line.starts_with("block ")).count(), 1 + 3 * 5 + 2 + 1, "{printed}");
    let refused = Command::new(&program).arg("|nor_conv_3x3~1|").output().expect("the program runs");
    assert_eq!(refused.status.code(), Some(1));
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

#[test]
fn mpi_search_finds_what_threads_find_or_ends() {
    if !has_tool("mpirun") || !has_tool("mpicxx") {
        return;
    }
    let library = Flavour::Checked.build();
    let threads = compile("examples/evaluator.cpp", Language::Cpp17, &library, Linkage::Static, &[]);
    let program = scratch().join("mpi_search");
    let mut compiler = Command::new("mpicxx");
    compiler.args(["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-I"]);
    compiler.arg(root().join("include")).arg(root().join("ffi/examples/mpi_search.cpp")).arg("-o").arg(&program);
    run(compiler.arg(library.join("libaznas.a")).args(["-lpthread", "-ldl", "-lm"]), "");
    // Containers have no user but root.
    let root_may = [("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")];
    let ranks = |number: &str, candidates: &str| {
        let mut command = Command::new("mpirun");
        command.args(["--oversubscribe", "-np", number]).arg(&program).arg(candidates).envs(root_may);
        command
    };
    let expected = run(Command::new(&threads).args(["60", "1"]), "");
    for number in ["2", "4"] {
        assert_eq!(run(&mut ranks(number, "60"), ""), expected, "{number} ranks");
    }
    let alone = ranks("1", "60").output().expect("mpirun runs");
    assert!(!alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("the workers are"), "{alone:?}");
    // A search without an end, until one of its ranks dies: each has worked for a second, so none still joins the others,
    // which is what a job that loses a rank may wait for without an end.
    let mut endless =
        ranks("3", "1000000000").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("mpirun runs");
    let job = endless.id();
    let killer = format!(
        "until [ $(ps -o cputimes= --ppid {job} | awk '$1 > 0' | wc -l) = 3 ]; do sleep 0.1; done; pkill -9 -o -P {job}"
    );
    run(Command::new("sh").args(["-c", &killer]), "");
    for _ in 0..600 {
        if let Some(status) = endless.try_wait().expect("the job can be asked") {
            assert!(!status.success());
            return;
        }
        sleep(Duration::from_millis(100));
    }
    endless.kill().expect("the job can be killed");
    panic!("a job without one of its ranks goes on");
}
