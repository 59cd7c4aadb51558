//! The program that simulates searches with many workers.

mod programs;

use aznas::spaces::nb201::Cell;
use programs::{folder, program};
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// Every cell with a score and an accuracy that grows with it, and three times.
#[test]
fn many_workers_are_simulated() {
    let folder = folder("simulate", "all");
    fs::create_dir_all(&folder).unwrap();
    let (mut scores, mut accuracies) = ("arch,e,p,t,c\n".to_string(), "arch,accuracy\n".to_string());
    for cell in Cell::all() {
        let convolutions = cell.to_string().matches("conv").count();
        writeln!(scores, "{cell},{convolutions},{convolutions},{convolutions},{convolutions}").unwrap();
        writeln!(accuracies, "{cell},{}", 80 + convolutions).unwrap();
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (scores, accuracies) = (write("scores.csv", &scores), write("accuracies.csv", &accuracies));
    let times = write("times.txt", "1\n2\n3\n");
    let simulate = |times: &std::path::Path| {
        let mut command = Command::new(program("simulate"));
        command.arg("--times").arg(times).arg("--scores").arg(&scores).arg("--accuracies").arg(&accuracies);
        let sizes =
            ["--workers", "2,8", "--for-each", "1,4", "--iterations", "60", "--in-flight", "1,64", "--runs", "3"];
        command.args(sizes).arg("--out").arg(folder.join("scale.svg")).output().unwrap()
    };
    let output = simulate(&times);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = |heading: &str, count: usize| -> Vec<Vec<String>> {
        let lines = printed.lines().skip_while(|line| !line.starts_with(heading)).skip(1).take(count);
        lines.map(|line| line.split_whitespace().map(str::to_string).collect()).collect()
    };
    // Workers, candidates in flight and the share of the time that workers score: more in flight wait less.
    let courses = rows("workers", 4);
    let efficiency = |course: &[String]| course[2].parse::<f64>().unwrap();
    for pair in courses.chunks(2) {
        assert!(efficiency(&pair[0]) > 20.0 && efficiency(&pair[0]) < efficiency(&pair[1]), "{printed}");
        assert!(efficiency(&pair[1]) <= 100.0, "{printed}");
    }
    // The scores say which cells are best, so a search of 500 finds one.
    let found = rows("in flight", 2);
    assert_eq!((found[0][0].as_str(), found[0][1].as_str()), ("1", "86.00"), "{printed}");
    assert!(fs::read_to_string(folder.join("scale.svg")).unwrap().contains("candidates in flight"));
    assert!(!folder.join("scale.search").exists());

    let refused = simulate(&write("wrong.txt", "1\n-2\n"));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(1) && message.contains("wrong.txt: not a positive number a line"),
        "{message}"
    );
}
