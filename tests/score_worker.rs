//! The program `score`: as a worker that answers line by line, and what it says about what it cannot score.

mod programs;

use programs::program;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

const CELL: &str = "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|";
const STRUCTURE: &str = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,16,2,8,1)SuperConvK1BNRELU(16,32,1,1)";

/// Tiny networks.
const TINY: [&str; 8] = ["--channels", "2", "--cells", "1", "--batch", "1", "--resolution", "8"];

fn score(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("score"));
    command.args(TINY).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The whole answer to an input.
fn answered(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    let mut child = score(arguments).spawn().unwrap();
    // A program that gives up does not read to the end.
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// The objects that answer an input.
fn objects(arguments: &[&str], input: &str) -> Vec<Value> {
    let output = answered(&[&["--format", "json"], arguments].concat(), input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(json).collect()
}

/// A worker that is waiting for lines.
struct Worker {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Worker {
    fn start(arguments: &[&str]) -> Self {
        let mut child = score(arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }
}

/// One line in, one line out, before the next line is there.
#[test]
fn every_line_is_answered_as_it_comes() {
    for (format, threads) in [("json", "1"), ("json", "4"), ("csv", "4")] {
        let mut worker = Worker::start(&["--format", format, "--threads", threads, "-"]);
        if format == "csv" {
            assert!(worker.answer().starts_with("arch,expressivity,"));
        }
        for _ in 0..3 {
            worker.tell(CELL);
            assert!(worker.answer().contains(CELL));
        }
        drop(worker.child.stdin.take());
        assert_eq!(worker.answer(), "");
        assert!(worker.child.wait().unwrap().success());
    }
}

/// A hundred thousand lines keep their order, and take no more memory than hundreds.
#[test]
fn order_is_kept_and_memory_is_flat() {
    const LINES: usize = 100_000;
    let mut child = score(&["--format", "json", "--threads", "4", "-"]).stderr(Stdio::inherit()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Cells that take longer and shorter.
        for line in 0..LINES {
            let cell = if line % 7 == 0 { CELL } else { "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|" };
            writeln!(input, "{{\"arch\":\"{cell}\",\"seed\":{line}}}").unwrap();
        }
    });
    let peak = |child: &Child| -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let (mut early, mut late) = (None, None);
    for (number, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
        assert_eq!(json(&line.unwrap())["seed"], number);
        match number {
            500 => early = peak(&child),
            99_900 => late = peak(&child),
            _ => {}
        }
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    if let (Some(early), Some(late)) = (early, late) {
        assert!(late < early + 1024.0, "from {early} to {late} KiB");
    }
}

#[test]
fn lines_may_have_a_seed_and_answers_say_what_they_depend_on() {
    let plain = &objects(&["--seed", "5", "-"], CELL)[0];
    let own = objects(&["-"], &format!("{{\"arch\": \"{CELL}\", \"seed\": 5}}\n{CELL}\n"));
    assert_eq!((&own[0]["seed"], &own[1]["seed"]), (&json("5"), &json("1")));
    assert_eq!(plain["expressivity"], own[0]["expressivity"]);
    assert_ne!(own[1]["expressivity"], own[0]["expressivity"]);
    let setting = plain["setting"].as_str().unwrap();
    for entry in [format!("version={}", env!("CARGO_PKG_VERSION")), "batch=1".into(), "resolution=8x8".into()] {
        assert!(setting.split(' ').any(|other| other == entry), "{setting}");
    }
    // An answer's setting, asked for again, is that of the same program with the same options only.
    let asked = |setting: &str| format!("{{\"arch\": \"{CELL}\", \"setting\": \"{setting}\"}}");
    assert_eq!(objects(&["-"], &asked(setting))[0]["expressivity"], own[1]["expressivity"]);
    let older = setting.replace(env!("CARGO_PKG_VERSION"), "0.0.9");
    let output = answered(&["--format", "json", "-"], asked(&older));
    let expected = format!("line 1: not the setting asked for: version was 0.0.9 and is {}", env!("CARGO_PKG_VERSION"));
    assert!(text(&output.stderr).contains(&expected), "{}", text(&output.stderr));
    let output = answered(&["--format", "json", "--repeats", "2", "-"], asked(setting));
    assert!(text(&output.stderr).contains("repeats was 1 and is 2"), "{}", text(&output.stderr));
}

/// All that can be wrong with a line: without `--keep-going` what came before is answered, with it everything is.
#[test]
fn a_bad_line_is_named_and_others_are_answered() {
    let long = "x".repeat(200_000);
    for (line, reason) in [
        ("what".to_string(), "column 1"),
        (STRUCTURE.to_string(), "column 1"),
        (long.clone(), "column 1"),
        ("{\"arch\": 5}".into(), "not {\"arch\": TEXT, \"seed\": NUMBER}: invalid type"),
        ("{\"seed\": 5}".into(), "missing field `arch`"),
        (format!("{{\"arch\": \"{CELL}\", \"batch\": 5}}"), "unknown field `batch`"),
        (format!("{{\"arch\": \"{CELL}\", \"seed\": -1}}"), "invalid value"),
        (format!("{{\"arch\": \"{CELL}"), "EOF while parsing"),
    ] {
        let input = format!("{CELL}\n\n{line}\n{CELL}\n");
        let output = answered(&["--format", "json", "-"], &input);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("score: line 3: ") && message.contains(reason), "{message}");
        assert!(message.len() < 1000);
        assert_eq!(text(&output.stdout).lines().count(), 1);
        let answers = objects(&["--keep-going", "-"], &input);
        assert_eq!(answers.len(), 3);
        assert!(answers[1]["error"].as_str().unwrap().contains(reason) && answers[1]["arch"].is_string());
        assert_eq!(answers[0]["expressivity"], answers[2]["expressivity"]);
        let output = answered(&["--format", "csv", "--keep-going", "-"], &input);
        assert!(output.status.success() && text(&output.stdout).lines().count() == 3);
        assert!(text(&output.stderr).contains("left out: line 3: "));
    }
    let output = answered(&["--format", "json", "--keep-going", "-"], [CELL.as_bytes(), b"\n\xff\n"].concat());
    assert!(text(&output.stdout).contains("\"error\":\"not UTF-8\""), "{}", text(&output.stdout));
    // A table is written at its end: what cannot be in it is found before anything is scored.
    let output = answered(&["-"], format!("{CELL}\nwhat\n"));
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("line 2: column 1"));
    let output = answered(&["--format", "csv", CELL, "what"], "");
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("architecture 2: column 1"));
}

#[test]
fn lines_of_any_editor_are_read() {
    let expected = &objects(&["-"], CELL)[0]["expressivity"];
    for input in [format!("\u{feff}{CELL}\r\n"), format!("\r\n \t{CELL} \n\n"), format!("\u{feff}\n{CELL}")] {
        let answers = objects(&["-"], &input);
        assert!(answers.len() == 1 && &answers[0]["expressivity"] == expected, "{input:?}");
    }
    assert!(objects(&["-"], "").is_empty());
}

#[test]
fn fields_with_commas_are_quoted_and_lines_have_checksums() {
    let arguments = ["--space", "mbv2", "--resolution", "32", "--batch", "1", "--format", "csv", STRUCTURE];
    let output = Command::new(program("score")).args(arguments).output().unwrap();
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let heading = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    assert_eq!(&row[0], STRUCTURE);
    assert_eq!(heading.iter().rev().take(3).collect::<Vec<_>>(), ["checksum", "setting", "seed"]);
    assert_eq!(row.iter().next_back().unwrap().len(), 16);
}

#[test]
fn more_workers_than_there_can_be_are_refused() {
    for threads in ["0", "1025", "20000", "-1"] {
        let output = answered(&[&format!("--threads={threads}"), CELL], "");
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains("1..=1024"));
    }
    assert!(answered(&["--threads", "1024", CELL], "").status.success());
    assert_eq!(objects(&["--threads", "1024", "-"], &format!("{CELL}\n").repeat(50)).len(), 50);
}

/// Two features of 4 channels at 8 rows, two of 8 at 4 and two of 16 at 2: in the mean 1.52 channels a position of an image.
/// Twenty positions a channel are in 31 images, and a batch is a power of two.
#[test]
fn a_batch_that_fits_is_found_and_one_that_does_not_is_noted() {
    let scored = |batch: &str| {
        let options = ["--channels", "4", "--cells", "1", "--resolution", "8", "--format", "csv", "--batch", batch];
        Command::new(program("score")).args(options).arg(CELL).output().unwrap()
    };
    let (auto, fitting, small) = (scored("auto"), scored("32"), scored("7"));
    assert_eq!(text(&auto.stdout), text(&fitting.stdout));
    assert!(text(&auto.stdout).contains("batch=32 ") && auto.stderr.is_empty(), "{}", text(&auto.stderr));
    assert!(small.status.success() && text(&small.stderr).contains("fewer than two positions a channel"));
    let wrong = scored("many");
    assert!(!wrong.status.success() && text(&wrong.stderr).contains("neither auto nor a number"));
}

/// Blocks of transformers are near the identity, so that their features tell nothing of a network one by one.
#[test]
fn proxies_that_a_space_has_not_are_refused() {
    let arguments = ["--space", "autoformer", "--proxies", "isotropy,Pm", "nothing is read"];
    let output = Command::new(program("score")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("--proxies: the space has none of them"));
}

#[test]
fn options_may_stand_after_architectures() {
    let output = Command::new(program("score")).args([CELL, "--format", "csv"]).args(TINY).output().unwrap();
    assert_eq!(text(&output.stdout).lines().count(), 2, "{}", text(&output.stderr));
}

#[test]
fn who_has_enough_ends_it() {
    let mut worker = Worker::start(&["--format", "json", "-"]);
    worker.tell(CELL);
    worker.answer();
    drop(worker.answers);
    // Standard input stays open.
    let input = worker.child.stdin.as_mut().unwrap();
    let _ = writeln!(input, "{CELL}\n{CELL}");
    assert!(worker.child.wait().unwrap().success());
}
