//! The program `search`, run as its users run it: interrupted, killed, and asked for what cannot be.

mod programs;

use aznas::graph::peak_activation;
use aznas::spaces::{Settings, Space, nb101};
use programs::program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A folder of one test, which is not there yet.
fn folder(name: &str) -> PathBuf {
    programs::folder("search", name)
}

/// A search of tiny networks.
const TINY: [&str; 12] =
    ["--channels", "2", "--cells", "1", "--batch", "1", "--resolution", "8", "--threads", "2", "--population", "10"];

fn search(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program("search"));
    command.args(TINY).arg("--out").arg(folder).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finished(folder: &Path, arguments: &[&str]) -> Output {
    let output = search(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What the program says as it refuses.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = search(folder, arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    message
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The lines as anybody may have written them.
fn without_checksums(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0)).collect()
}

fn lines(folder: &Path) -> usize {
    fs::read(folder.join("history.csv")).map_or(0, |text| text.iter().filter(|&&byte| byte == b'\n').count())
}

/// Asserts that two searches have found the same.
fn assert_same(folder: &Path, expected: &Path) {
    for name in ["history.csv", "best.json", "network.svg", "progress.svg", "proxies.svg"] {
        assert!(read(folder, name) == read(expected, name), "{name} differs in {}", folder.display());
    }
}

fn wait_for_lines(child: &mut Child, folder: &Path, count: usize) {
    let start = Instant::now();
    while lines(folder) < count && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing is written");
        sleep(Duration::from_millis(1));
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
}

#[test]
fn leaves_a_history_the_best_and_pictures() {
    let folder = folder("whole");
    let output = finished(&folder, &["--iterations", "40", "--flops", "60000"]);
    let mut reader = csv::Reader::from_path(folder.join("history.csv")).unwrap();
    let header: Vec<_> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let columns = ["step", "arch", "expressivity", "progressivity", "trainability", "complexity", "params"];
    assert_eq!(header[..columns.len()], columns);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 40);
    for (step, row) in rows.iter().enumerate() {
        assert_eq!(row[0], step.to_string());
        assert!(row[5].parse::<f64>().unwrap() <= 60_000.0, "{row:?}");
    }
    let best: serde_json::Value = serde_json::from_str(&read(&folder, "best.json")).unwrap();
    let row = &rows[best["step"].as_u64().unwrap() as usize];
    assert_eq!(best["arch"], row[1]);
    assert_eq!(best["expressivity"].as_f64().unwrap(), row[2].parse::<f64>().unwrap());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains(&row[1]), "{printed}");
    for picture in ["network.svg", "progress.svg", "proxies.svg"] {
        assert!(read(&folder, picture).starts_with("<svg"), "{picture}");
        assert!(printed.contains(picture), "{printed}");
    }
}

/// A line of the history can be had again from `score`.
#[test]
fn the_history_tells_the_seed_of_its_scores() {
    let folder = folder("seeds");
    finished(&folder, &["--iterations", "6"]);
    let mut reader = csv::Reader::from_path(folder.join("history.csv")).unwrap();
    let row = reader.records().last().unwrap().unwrap();
    let output = Command::new(program("score"))
        .args(&TINY[..8])
        .args(["--seed", &row[7], "--format", "csv", &row[1]])
        .output()
        .unwrap();
    let scores = String::from_utf8(output.stdout).unwrap();
    let expected: Vec<_> = row.iter().skip(1).take(6).collect();
    assert!(scores.lines().nth(1).unwrap().starts_with(&expected.join(",")), "{scores}\n{row:?}");
}

/// A target makes the closest candidate the best, while the history keeps what was measured.
#[test]
fn a_target_is_come_close_to() {
    let folder = folder("target");
    let arguments = ["--proxies", "params", "--target", "params=500000", "--resume", "--iterations"];
    for iterations in ["20", "40"] {
        finished(&folder, &[&arguments[..], &[iterations]].concat());
    }
    let history = read(&folder, "history.csv");
    let params = history.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap());
    let closest = params.map(|params| (params - 500_000.0).abs()).fold(f64::INFINITY, f64::min);
    let best: serde_json::Value = serde_json::from_str(&read(&folder, "best.json")).unwrap();
    assert_eq!((best["params"].as_f64().unwrap() - 500_000.0).abs(), closest);
    let message = refusal(&folder, &["--iterations", "41", "--resume", "--proxies", "params"]);
    assert!(message.contains("target was params=500000 and is none"), "{message}");
    for (target, reason) in [
        ("trainability", "not a proxy, an equals sign and a number"),
        ("trainability=nan", "\"nan\" is not a finite number"),
        ("beauty=1", "\"beauty\" is no proxy"),
    ] {
        let output = search(&folder, &["--target", target]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(reason), "{message}");
    }
}

/// Beyond enough of a proxy the others decide: the best candidate is that with the most of them.
#[test]
fn beyond_enough_other_proxies_decide() {
    let folder = folder("enough");
    let arguments = ["--proxies", "params,T", "--enough", "trainability=-1e9", "--iterations", "40"];
    finished(&folder, &arguments);
    let history = read(&folder, "history.csv");
    let params = history.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<f64>().unwrap());
    let best: serde_json::Value = serde_json::from_str(&read(&folder, "best.json")).unwrap();
    assert_eq!(best["params"].as_f64().unwrap(), params.fold(0.0, f64::max));
    let other = ["--iterations", "41", "--resume", "--proxies", "params,T"];
    let message = refusal(&folder, &other);
    assert!(message.contains("enough was trainability=-1000000000 and is none"), "{message}");
    for (also, reason) in [
        (["--enough", "trainability=-2"], "--enough: trainability is given twice"),
        (["--target", "depth=3"], "--target: candidates are not ranked by depth"),
        (["--enough", "depth=3"], "--enough: candidates are not ranked by depth"),
    ] {
        let message = refusal(&folder, &[&arguments[..], &also].concat());
        assert!(message.contains(reason), "{message}");
    }
}

/// Whatever ranks stands in the history, goes on, and is another search than one by the paper's four.
/// The best once more, whole and in the published setting: the same after a search that was gone on with, and no score twice.
#[test]
fn finals_are_scored_as_published() {
    let [whole, continued] = ["finals", "finals-continued"].map(folder);
    let round = ["--iterations", "20", "--finals", "10", "--score-width", "50", "--score-cells", "1"];
    let output = finished(&whole, &round);
    let finals = read(&whole, "finals.csv");
    let count = finals.lines().count() - 1;
    assert!((1..=2).contains(&count), "{finals}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(&format!("best of {count} finals")), "{told}");
    let heading = finals.lines().next().unwrap();
    assert!(heading.contains("batch=64 resolution=32x32") && !heading.contains("score-width"), "{heading}");
    let best: serde_json::Value = serde_json::from_str(&read(&whole, "best.json")).unwrap();
    assert!(finals.contains(best["arch"].as_str().unwrap()), "{best}");
    finished(&continued, &["--iterations", "20", "--score-width", "50", "--score-cells", "1"]);
    for _ in 0..2 {
        finished(&continued, &[&round[..], &["--resume"]].concat());
        for name in ["history.csv", "finals.csv", "best.json"] {
            assert_eq!(read(&continued, name), read(&whole, name));
        }
    }
}

#[test]
fn any_set_of_proxies_ranks() {
    for (proxies, columns, paper) in [
        ("extended", "expressivity,trainability,complexity,mean-progressivity,depth,params", "paper"),
        ("depth", "depth,complexity,params", "live-layers"),
        ("all", "expressivity,progressivity,trainability,complexity,mean-progressivity,depth,", "params"),
        ("params,flops", "params,flops,complexity", "paper"),
    ] {
        let folder = folder(&format!("proxies-{}", proxies.replace(',', "-")));
        let printed = finished(&folder, &["--iterations", "12", "--proxies", proxies]).stdout;
        assert!(read(&folder, "history.csv").starts_with(&format!("step,arch,{columns}")), "{proxies}");
        let best: serde_json::Value = serde_json::from_str(&read(&folder, "best.json")).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        let mut reader = csv::Reader::from_path(folder.join("history.csv")).unwrap();
        let names = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let row = &rows[best["step"].as_u64().unwrap() as usize];
        for (name, value) in names.iter().zip(row).skip(2).take(columns.split_terminator(',').count()) {
            assert_eq!(best[name].as_f64().unwrap_or(f64::NEG_INFINITY), value.parse::<f64>().unwrap(), "{name}");
        }
        assert!(printed.contains(names.get(2).unwrap()), "{printed}");
        let message = refusal(&folder, &["--iterations", "14", "--resume", "--proxies", paper]);
        assert!(message.contains("ranked was ") && message.contains(&format!("and is {paper}")), "{message}");
        finished(&folder, &["--iterations", "14", "--resume", "--proxies", proxies]);
        assert_eq!(lines(&folder), 15);
    }
    // Counts that rank are those of the space, wherever it counts them: a resumed history is checked against them.
    for space in ["mbv2", "autoformer"] {
        let folder = folder(&format!("proxies-{space}"));
        for iterations in ["2", "3"] {
            let arguments = ["--space", space, "--batch", "1", "--resolution", "32", "--proxies", "params,complexity"];
            let mut command = Command::new(program("search"));
            command.args(arguments).args(["--iterations", iterations, "--resume", "--out"]).arg(&folder);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let unknown = search(&folder("proxies-unknown"), &["--iterations", "5", "--proxies", "E,x"]).output().unwrap();
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(!unknown.status.success() && message.contains("'--proxies") && message.contains("column 3"), "{message}");
}

#[test]
fn structures_are_searched_within_their_budget() {
    let folder = folder("mbv2");
    let tiny = ["--space", "mbv2", "--batch", "1", "--resolution", "32", "--iterations", "15", "--flops", "200e6"];
    let output = Command::new(program("search")).args(tiny).arg("--out").arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_path(folder.join("history.csv")).unwrap();
    let costs: Vec<f64> = reader.records().map(|row| row.unwrap()[5].parse().unwrap()).collect();
    assert_eq!(costs.len(), 15);
    // The initial structure has 162 million at 224 × 224.
    assert!(costs.iter().all(|cost| (50e6..=200e6).contains(cost)), "{costs:?}");
    assert!(read(&folder, "network.svg").contains("conv 1×1"));
}

/// The history is the same whatever is remembered, whichever worker has it.
#[test]
fn remembered_blocks_change_nothing() {
    let structures = "--space mbv2 --batch 1 --resolution 32 --iterations 60 --population 8 --duplicates reuse";
    let cells = "--space nb201 --channels 2 --cells 1 --batch 1 --resolution 8 --iterations 60 --duplicates reuse";
    for (space, arguments) in [("mbv2", structures), ("nb201", cells)] {
        for threads in ["1", "3"] {
            let histories = ["0", "100000", "50e6"].map(|bytes| {
                let folder = folder(&format!("remembered-{space}-{threads}-{bytes}"));
                let own = ["--threads", threads, "--reuse-memory", bytes];
                let output = Command::new(program("search"))
                    .args(arguments.split(' '))
                    .args(own)
                    .arg("--out")
                    .arg(&folder)
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                read(&folder, "history.csv")
            });
            assert_eq!(histories[0].lines().count(), 61);
            assert!(histories[1] == histories[0] && histories[2] == histories[0], "{space} with {threads} workers");
        }
    }
}

#[test]
fn latencies_are_measured_or_looked_up() {
    let (measured, looked_up) = (folder("latency-measured"), folder("latency-looked-up"));
    finished(&measured, &["--iterations", "20", "--latency", "1000"]);
    let table = read(&measured, "latency.csv");
    assert!(table.starts_with("layer,milliseconds,checksum of version="), "{table}");
    for layer in ["stem to 2 8x8x3", "reduction 8x8x2", "reduction 4x4x4", "head to 10 2x2x8"] {
        assert!(table.contains(&format!("\n{layer},")), "{layer} is missing in {table}");
    }
    let mut reader = csv::Reader::from_path(measured.join("history.csv")).unwrap();
    for row in reader.records().map(Result::unwrap) {
        let milliseconds: f64 = row[8].parse().unwrap();
        assert!(milliseconds > 0.0 && milliseconds < 1000.0, "{row:?}");
    }
    let path = measured.join("latency.csv");
    let arguments = ["--iterations", "20", "--latency", "1000", "--latency-table", path.to_str().unwrap()];
    finished(&looked_up, &arguments);
    assert_eq!(without_checksums(&read(&looked_up, "history.csv")), without_checksums(&read(&measured, "history.csv")));
    assert!(!looked_up.join("latency.csv").exists());

    let folder = folder("latency-damaged");
    fs::write(&path, table.replace("reduction 8x8x2", "reduction 9x9x2")).unwrap();
    let message = refusal(&folder, &arguments);
    assert!(message.contains("its checksum does not fit"), "{message}");
    // A table that somebody writes needs no checksums.
    let table = without_checksums(&table);
    for (damaged, reason) in [
        (table.replace("reduction 8x8x2", "reduction 9x9x2"), "has no line for the layer `reduction 8x8x2`"),
        (table.replace("reduction 8x8x2,", "reduction 8x8x2,-"), ": a layer and its milliseconds are expected"),
        (table.replace("reduction 8x8x2,", "reduction 8x8x2"), ": a layer and its milliseconds are expected"),
    ] {
        fs::write(&path, damaged).unwrap();
        let message = refusal(&folder, &arguments);
        assert!(message.contains(reason), "{message}");
        assert!(!folder.exists());
    }
}

#[test]
fn goes_on_as_if_never_interrupted() {
    for duplicates in ["keep", "reuse"] {
        let (whole, parts) = (folder(&format!("{duplicates}-whole")), folder(&format!("{duplicates}-parts")));
        let settings = ["--seed", "3", "--duplicates", duplicates];
        finished(&whole, &[&settings[..], &["--iterations", "60"]].concat());
        // Shorter searches first: the iterations are no part of a search's name.
        for iterations in ["1", "25", "60", "60"] {
            finished(&parts, &[&settings[..], &["--resume", "--iterations", iterations]].concat());
        }
        assert_same(&parts, &whole);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly() {
    let (whole, parts) = (folder("signal-whole"), folder("signal-parts"));
    finished(&whole, &["--iterations", "1500"]);
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut child = search(&parts, &["--iterations", "1500", "--resume"]).spawn().unwrap();
        let before = lines(&parts);
        wait_for_lines(&mut child, &parts, before.max(1) + 20);
        // Some programs that end others signal the process and its group.
        signal(&child, name);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "as shells tell of a program that a signal has ended");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("--resume"), "{message}");
        assert!(lines(&parts) < 1501, "the search was over before the signal");
        serde_json::from_str::<serde_json::Value>(&read(&parts, "best.json")).unwrap();
    }
    finished(&parts, &["--iterations", "1500", "--resume"]);
    assert_same(&parts, &whole);
}

/// Killed at fifty instants from before the first file to the last picture, it always goes on to the same end and never
/// loses more than the candidates at work.
#[cfg(unix)]
#[test]
fn survives_being_killed_at_any_instant() {
    const KILLS: u64 = 50;
    const ITERATIONS: &str = "1500";
    let (whole, parts) = (folder("kill-whole"), folder("kill-parts"));
    let start = Instant::now();
    finished(&whole, &["--iterations", ITERATIONS]);
    let typical = start.elapsed().as_millis() as u64;
    let mut kept = 0;
    for kill in 0..KILLS {
        let mut child = search(&parts, &["--iterations", ITERATIONS, "--resume"]).spawn().unwrap();
        // Delays of a multiplicative sequence: from none to what most of the search would take.
        sleep(Duration::from_micros((kill * kill * 7919 % 1000) * typical / KILLS * 2));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = lines(&parts);
        assert!(now >= kept, "kill {kill} lost {} candidates that were written", kept - now);
        kept = now;
    }
    assert!(kept > 0, "every kill came before the first line");
    finished(&parts, &["--iterations", ITERATIONS, "--resume"]);
    assert_same(&parts, &whole);
}

#[test]
fn a_search_is_not_overwritten() {
    let folder = folder("twice");
    finished(&folder, &["--iterations", "5"]);
    let history = read(&folder, "history.csv");
    let message = refusal(&folder, &["--iterations", "5"]);
    assert!(message.contains("--resume"), "{message}");
    let message = refusal(&folder, &["--iterations", "4", "--resume"]);
    assert!(message.contains("no longer than the iterations"), "{message}");
    assert_eq!(read(&folder, "history.csv"), history);
}

#[test]
fn the_history_of_another_search_is_refused() {
    let folder = folder("other");
    finished(&folder, &["--iterations", "5"]);
    let history = read(&folder, "history.csv");
    for (arguments, difference) in [
        (["--seed", "2"], "seed was 1 and is 2"),
        (["--space", "mbv2"], "space was nb201 and is mbv2"),
        (["--flops", "9e6"], "flops was none and is 9000000"),
        (["--init", "xavier-normal"], "init was kaiming-normal-fan-in and is xavier-normal"),
        (["--latency", "9"], "latency was none and is 9, processor was none and is "),
    ] {
        let message = refusal(&folder, &[&arguments[..], &["--iterations", "9", "--resume"]].concat());
        assert!(message.contains(difference), "{message}");
    }
    assert_eq!(read(&folder, "history.csv"), history);
    let path = folder.join("history.csv");
    let version = format!("version={}", env!("CARGO_PKG_VERSION"));
    for (foreign, reason) in [
        (history.replacen(&version, "version=0.0.9", 1), "version was 0.0.9 and is "),
        (history.replacen("seed=1", "seed=2", 1), "seed was 2 and is 1"),
        (history.replacen("step,arch", "step,cell", 1), "line 1: not the heading"),
        ("step,arch\n".to_string(), "line 1: not the heading"),
    ] {
        fs::write(&path, &foreign).unwrap();
        let message = refusal(&folder, &["--iterations", "9", "--resume"]);
        assert!(message.contains(reason), "{message}");
        assert_eq!(read(&folder, "history.csv"), foreign);
    }
}

#[test]
fn the_latencies_of_another_device_are_another_search() {
    let (folder, tables) = (folder("latency-other"), folder("latency-other-tables"));
    finished(&tables, &["--iterations", "10", "--latency", "1000"]);
    let measured = read(&tables, "latency.csv");
    let table = tables.join("table.csv");
    let arguments = ["--iterations", "10", "--latency", "1000", "--resume", "--latency-table", table.to_str().unwrap()];
    fs::write(&table, &measured).unwrap();
    finished(&folder, &arguments);
    // The same table elsewhere is the same search; another one under the same name is not.
    fs::write(tables.join("copy.csv"), &measured).unwrap();
    finished(&folder, &[&arguments[..6], &[tables.join("copy.csv").to_str().unwrap()]].concat());
    fs::write(&table, without_checksums(&measured).replace("0.", "1.")).unwrap();
    let message = refusal(&folder, &arguments);
    assert!(message.contains("belongs to another setting: latency-table was "), "{message}");
}

/// Wherever a crash has cut the measured times off, the search goes on, and takes no part of a number for a number.
#[test]
fn torn_latencies_are_measured_again() {
    let (whole, parts) = (folder("latency-whole"), folder("latency-torn"));
    let arguments = ["--iterations", "30", "--latency", "1000", "--resume"];
    finished(&whole, &arguments);
    let table = read(&whole, "latency.csv");
    let last = table.trim_end().rfind('\n').unwrap() + 1;
    for length in [0, 3, last, last + 1, table.len() - 20, table.len() - 1] {
        fs::create_dir_all(&parts).unwrap();
        fs::copy(whole.join("history.csv"), parts.join("history.csv")).unwrap();
        fs::write(parts.join("latency.csv"), &table[..length]).unwrap();
        finished(&parts, &arguments);
        let kept = if length < table.find('\n').unwrap() { "" } else { &table[..last] };
        assert!(read(&parts, "latency.csv").starts_with(kept), "{length}");
        assert_eq!(read(&parts, "history.csv"), read(&whole, "history.csv"));
    }
    // A table of another device may have been cut off as well.
    let torn = parts.join("torn.csv");
    fs::write(&torn, &table[..table.len() - 20]).unwrap();
    let arguments = ["--iterations", "30", "--latency", "1000", "--latency-table", torn.to_str().unwrap()];
    let output = search(&folder("latency-cut"), &arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("is dropped: it is cut short"), "{message}");
}

#[test]
fn more_workers_than_there_can_be_are_refused_first() {
    let folder = folder("workers");
    for threads in ["0", "1025", "20000", "-1"] {
        let mut command = Command::new(program("search"));
        let output = command.arg("--out").arg(&folder).arg(format!("--threads={threads}")).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("1..=1024") && output.status.code() == Some(2), "{message}");
        assert!(!folder.exists());
    }
    // As many as there is work for are started.
    let mut command = Command::new(program("search"));
    command.args(&TINY[..8]).args(["--threads", "1024", "--iterations", "12"]).arg("--out").arg(&folder);
    assert!(command.output().unwrap().status.success());
    assert_eq!(lines(&folder), 13);
}

#[test]
fn damage_to_the_history_is_found() {
    let (whole, parts) = (folder("damage-whole"), folder("damage-parts"));
    finished(&whole, &["--iterations", "12"]);
    finished(&parts, &["--iterations", "12"]);
    let path = parts.join("history.csv");
    let history = read(&parts, "history.csv");
    let rows: Vec<&str> = history.lines().collect();
    let with_row = |number: usize, row: &str| {
        let mut rows = rows.clone();
        rows[number - 1] = row;
        rows.join("\n") + "\n"
    };
    let complexity = rows[4].split(',').nth(5).unwrap();
    for (damaged, reason) in [
        (with_row(4, ""), "line 4: its checksum does not fit"),
        (with_row(5, rows[5]), "line 5: step 4 stands where 3 should"),
        (with_row(5, &rows[4].replace(complexity, "1.0")), "line 5: its checksum does not fit"),
        (with_row(5, "3,\u{fffd}"), "line 5: its checksum does not fit"),
        // Somebody has made a checksum that fits.
        (with_row(5, &signed(rows[0], &rows[4].replace("nor_conv", "old_conv"))), "line 5: arch: column"),
        (with_row(5, &signed(rows[0], &rows[4].replace(complexity, "1.0"))), "line 5: complexity is 1"),
    ] {
        fs::write(&path, &damaged).unwrap();
        let message = refusal(&parts, &["--iterations", "12", "--resume"]);
        assert!(message.contains(reason), "{message}\n{damaged}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged, "a refused history is left alone");
    }
    // What a crash can do to the last line is repaired, and says so.
    let last = history.len() - rows[12].len() - 1;
    for damaged in [&history[..history.len() - 1], &history[..last + 5], &(history[..last].to_string() + "\0\0\0\n")] {
        fs::write(&path, damaged).unwrap();
        let output = finished(&parts, &["--iterations", "12", "--resume"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("line 13 of") && message.contains("is dropped"), "{message}");
        assert_same(&parts, &whole);
    }
}

/// A line whose last field is the checksum of the others.
fn signed(heading: &str, line: &str) -> String {
    let (fields, _) = line.rsplit_once(',').unwrap();
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let checksum = heading.bytes().chain(fields.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    format!("{fields},{checksum:016x}")
}

#[test]
fn impossible_budgets_are_explained() {
    for (arguments, reason) in [
        (["--flops", "1000"], "at most 1000 multiply-adds are allowed, and the least proposed were "),
        (["--params", "100"], "at most 100 parameters are allowed"),
        (["--latency", "1e-6"], "at most 0.000001 milliseconds are allowed"),
        (["--max-workspace", "64"], "at most 64 bytes of workspace are allowed"),
        (["--peak-memory", "1k"], "at most 256 activations at a time are allowed, and the least proposed were "),
        (["--min-params", "1e9"], "at least 1000000000 parameters are asked for, and the most proposed were "),
    ] {
        let folder = folder("impossible");
        // Limits that all proposals keep are not to blame.
        let generous = ["--flops=1e12", "--params=1e12"];
        let generous: Vec<&str> = generous.into_iter().filter(|other| !other.starts_with(arguments[0])).collect();
        let message = refusal(&folder, &[&arguments[..], &generous].concat());
        assert!(message.contains(reason) && !message.contains(" 1000000000000 "), "{message}");
        assert!(!folder.exists(), "nothing should be written");
    }
}

/// Bytes of a number say how many numbers a budget of bytes is, and those of the network in use count: of nb101 that which
/// the benchmark trains, not the narrow one that is scored.
#[test]
fn peak_memory_is_limited_in_bytes() {
    const NB101: [&str; 9] = [
        "--space=nb101",
        "--random=6",
        "--channels=5",
        "--target-channels=16",
        "--cells=1",
        "--target-resolution=8",
        "--batch=1",
        "--resolution=8",
        "--threads=2",
    ];
    let space = Settings { channels: 5, target_channels: 16, cells: 1, target_resolution: 8, ..nb101::POLICY.settings };
    let space = nb101::CellSpace::new(&space).unwrap();
    let limited = |name: &str, arguments: &[&str]| {
        let folder = folder(name);
        let output = Command::new(program("search")).args(NB101).arg("--out").arg(&folder).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut reader = csv::Reader::from_path(folder.join("history.csv")).unwrap();
        let place = reader.headers().unwrap().iter().position(|name| name == "peak_activation").unwrap();
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| (row[1].to_string(), row[place].parse::<u64>().ok())).collect::<Vec<_>>()
    };
    assert!(limited("peak-none", &[]).iter().all(|(_, peak)| peak.is_none()));
    for size in [1, 2, 4] {
        let arguments = [format!("--peak-memory={}k", 4 * size), format!("--bytes-per-element={size}")];
        for (arch, peak) in limited(&format!("peak-{size}"), &arguments.each_ref().map(String::as_str)) {
            let network = space.target_network(&arch.parse().unwrap());
            let expected = peak_activation(&network, 8, 8).unwrap();
            assert_eq!(peak, Some(expected), "{arch}");
            assert!(expected <= 4096, "{arch}");
        }
    }
}

#[test]
fn bad_settings_are_refused_before_anything_is_written() {
    let folder = folder("bad");
    for (arguments, reason) in [
        (["--iterations", "0"], "iterations"),
        (["--repeats", "0"], "repeats"),
        (["--classes", "0"], "classes"),
        (["--max-layers", "3"], "--max-layers"),
        (["--target", "depth=3"], "--target: candidates are not ranked by depth"),
    ] {
        let message = refusal(&folder, &arguments);
        assert!(message.contains(reason), "{message}");
    }
    assert!(!folder.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_folder_that_cannot_be_written_is_reported() {
    let message = refusal(Path::new("/proc/nowhere"), &["--iterations", "5"]);
    assert!(message.contains("/proc/nowhere: "), "{message}");
    // A limit on the size of files stands for a full disk.
    let (whole, parts) = (folder("full-whole"), folder("full-parts"));
    finished(&whole, &["--iterations", "100"]);
    finished(&parts, &["--iterations", "20"]);
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut full = Command::new("bash");
    full.args(["-c", script]).arg(program("search")).args(TINY).arg("--out").arg(&parts);
    let output = full.args(["--iterations", "100", "--resume"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("history.csv: "), "{message}");
    assert!(lines(&parts) > 21);
    finished(&parts, &["--iterations", "100", "--resume"]);
    assert_same(&parts, &whole);
}
