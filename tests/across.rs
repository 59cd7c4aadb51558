//! The program that compares proxies across benchmarks.

mod programs;

use programs::{folder, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A benchmark of eight networks, as `correlate` leaves it: trainability ranks them as trained, but for two neighbours;
/// `sign` turns expressivity with or against them; params say nothing.
fn benchmark(group: &Path, name: &str, sign: f64) -> PathBuf {
    let folder = group.join(name);
    fs::create_dir_all(&folder).unwrap();
    let mut text =
        "arch,accuracy,expressivity,progressivity,trainability,complexity,params,flops,aggregate\n".to_string();
    for network in 0..8 {
        let truth = f64::from(network);
        let trainability = if network < 2 { 1.0 - truth } else { truth };
        text += &format!("n{network},{},{},-inf,{trainability},5,{},7,0\n", 90.0 + truth, sign * truth, network % 2);
    }
    fs::write(folder.join("ranks.csv"), text).unwrap();
    folder
}

fn across(out: &Path, folders: &[PathBuf], more: &[&str]) -> Output {
    Command::new(program("across")).arg("--out").arg(out).args(more).args(folders).output().unwrap()
}

/// The rows of a file, without its heading.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let reader = csv::Reader::from_path(path).unwrap();
    reader.into_records().map(|row| row.unwrap().iter().map(str::to_string).collect()).collect()
}

#[test]
fn a_set_of_ones_own_is_judged_beside_the_others() {
    let group = folder("across", "own");
    let folders = [("one", 1.0), ("odd", -1.0)].map(|(name, sign)| benchmark(&group, name, sign));
    let out = group.join("out");
    let output = across(&out, &folders, &["--set", "T,params", "--set", "E,T"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures = rows(&out.join("figures.csv"));
    let tau = |proxies: &str, benchmark: &str| {
        let row = figures.iter().find(|row| row[0] == proxies && row[1] == benchmark);
        row.unwrap_or_else(|| panic!("{proxies}: {figures:?}"))[3].parse::<f64>().unwrap()
    };
    assert!(tau("expressivity,trainability", "one") > 0.9 && tau("expressivity,trainability", "odd") < 0.5);
    assert_eq!(tau("trainability,params", "one"), tau("trainability,params", "odd"));
    assert_eq!(rows(&out.join("budgets.csv")).iter().filter(|row| row[0] == "trainability,params").count(), 4);
    // Alone, every proxy that was measured, and no other.
    let stands = |proxy: &str| figures.iter().any(|row| row[0] == proxy);
    assert!(stands("flops") && stands("progressivity") && !stands("isotropy") && !stands("naswot"));

    let refused = across(&group.join("none"), &folders, &["--set", "E,isotropy"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("one: no column of isotropy"), "{said}");
    assert!(!group.join("none").exists());
}

#[test]
fn what_carries_over_is_chosen() {
    let group = folder("across", "chosen");
    let folders = [("one", 1.0), ("two", 1.0), ("odd", -1.0)].map(|(name, sign)| benchmark(&group, name, sign));
    let out = group.join("out");
    let proxies = ["--proxies", "expressivity,trainability,params", "--tolerance"];
    let output = across(&out, &folders, &[&proxies[..], &["0"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("Kendall's tau") && printed.contains("trainability"), "{printed}");

    // One pair of 28 is the wrong way round; a set of it and a constant ranks the same.
    let figures = rows(&out.join("figures.csv"));
    let tau = |proxies: &str, benchmark: &str| {
        let row = figures.iter().find(|row| row[0] == proxies && row[1] == benchmark).unwrap();
        (row[2].clone(), row[3].clone())
    };
    assert_eq!(tau("trainability", "odd"), ("8".into(), format!("{:.3}", 26.0 / 28.0)));
    assert_eq!((tau("expressivity", "one").1, tau("expressivity", "odd").1), ("1.000".into(), "-1.000".into()));
    // All networks tie.
    assert_eq!(tau("progressivity", "one").1, "");

    let chosen = |rule: &str, benchmark: &str| {
        let rows = rows(&out.join("left-out.csv"));
        rows.into_iter().find(|row| row[..2] == [benchmark, rule]).unwrap()[2..].to_vec()
    };
    for rule in ["largest near the best", "best"] {
        assert_eq!(chosen(rule, "odd")[..2], ["expressivity", "-1.000"], "it had no part in the choice");
        assert_eq!(chosen(rule, "one")[..4], ["trainability", "0.929", "trainability", "0.929"]);
    }
    let best = rows(&out.join("best.csv"));
    assert_eq!(best[0], ["trainability", "0.929", "0.929", "0.929", "0.929"]);
    assert_eq!(best.len(), 7, "three proxies, three pairs and all");

    // Of what is near enough, the largest: the more there is in a set, the less hangs on a benchmark.
    let with_tolerance = |tolerance: &str| {
        assert!(across(&out, &folders, &[&proxies[..], &[tolerance]].concat()).status.success());
        assert_eq!(chosen("best", "one")[0], "trainability");
        chosen("largest near the best", "one")
    };
    // In the mean over all the best has 0.929, and with params 0.786.
    assert_eq!(with_tolerance("0.15")[2..4], ["trainability,params", "0.786"]);
    assert_eq!(with_tolerance("2")[0], "expressivity,trainability,params");
    assert_eq!(with_tolerance("2")[4], "0.000", "nothing is lost if nothing is chosen");
}

#[test]
fn what_budgets_leave_to_find_is_found() {
    let group = folder("across", "budgets");
    let mut text = "arch,accuracy,expressivity,progressivity,trainability,params,flops\n".to_string();
    // Ten networks of one size and ten of double; expressivity knows the best of each, trainability the worst.
    for network in 0..20 {
        let size = if network < 10 { 100 } else { 200 };
        text += &format!("n{network},{network},{network},-inf,{},0,{size}\n", -network);
    }
    let good = group.join("good");
    fs::create_dir_all(&good).unwrap();
    fs::write(good.join("ranks.csv"), text).unwrap();
    let few = benchmark(&group, "few", 1.0);
    let out = group.join("out");
    assert!(across(&out, &[good, few], &[]).status.success());

    let budgets = rows(&out.join("budgets.csv"));
    let found = |proxies: &str, benchmark: &str, size: &str| {
        let row = budgets.iter().find(|row| row[..3] == [proxies, benchmark, size]).unwrap();
        row[3..].join(" ")
    };
    assert_eq!(found("expressivity", "good", "flops"), "14.000 9.500 14.000");
    assert_eq!(found("trainability", "good", "flops"), "5.000 9.500 14.000");
    assert_eq!(found("progressivity", "good", "flops"), "9.500 9.500 14.000", "all are equal to it");
    assert_eq!(found("expressivity", "good", "params"), "  ", "nothing has parameters");
    assert_eq!(found("expressivity", "few", "flops"), "  ", "eight are too few to choose from");
    assert!(fs::read_to_string(out.join("taus.svg")).unwrap().contains("good, equal multiply-adds"));
}

#[test]
fn what_nothing_cheaper_is_worth_is_named_in_a_picture() {
    let group = folder("across", "frontier");
    let out = group.join("out");
    // Milliseconds, and τ of the extended set and of the paper's four.
    let settings = [("cheap", "0.5,0.6,0.5"), ("dear", "5,0.8,0.5"), ("poor", "2,0.5,0.4"), ("unscored", ",0.9,0.9")];
    let folders = settings.map(|(name, figures)| {
        let folder = benchmark(&group, name, 1.0);
        // Another column has other figures.
        let text = "setting,column,ms per architecture,\"extended, tau\",\"paper's four, tau\"\n";
        fs::write(folder.join("settings.csv"), format!("{text}a,other,9,0.1,0.1\na,accuracy,{figures}\n")).unwrap();
        folder
    });
    assert!(across(&out, &folders, &["--column", "accuracy"]).status.success());
    let drawn = fs::read_to_string(out.join("frontier.svg")).unwrap();
    let times = |name: &str| drawn.matches(&format!("\n{name}\n")).count();
    assert_eq!(["cheap", "dear", "poor", "unscored", "extended"].map(times), [2, 1, 0, 0, 1], "{drawn}");

    // Where nothing was scored there is nothing to draw.
    let out = group.join("none");
    assert!(across(&out, &[benchmark(&group, "plain", 1.0)], &[]).status.success());
    assert!(!out.join("frontier.svg").exists());

    fs::write(folders[0].join("settings.csv"), "column,tau\naccuracy,1\n").unwrap();
    let output = across(&out, &folders, &[]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && told.contains("cheap/settings.csv: has no column ms per architecture"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let group = folder("across", "refused");
    let good = benchmark(&group, "good", 1.0);
    let written = |name: &str, text: &str| {
        let folder = group.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ranks.csv"), text).unwrap();
        folder
    };
    for (bad, more, reason) in [
        (group.join("absent"), &[][..], "absent/ranks.csv: "),
        (written("empty", "arch,accuracy,params\n"), &[], "fewer than two networks with accuracies"),
        (written("word", "arch,accuracy,params\na,1,2\nb,x,3\n"), &[], "line 3: accuracy: \"x\" is not a number"),
        (written("short", "arch,accuracy,params\na,1\n"), &[], "short/ranks.csv: "),
        (good.clone(), &["--column", "depth"], "has no column depth"),
        (good.clone(), &["--tolerance", "nan"], "--tolerance"),
        (good.clone(), &["--tolerance=-1"], "--tolerance"),
        (good.clone(), &["--proxies", "all"], "--proxies: more than 16"),
    ] {
        let output = across(&group.join("out"), &[good.clone(), bad], more);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && message.contains(reason), "{reason}: {message}");
    }
}
