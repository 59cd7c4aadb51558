//! What programs keep to go on from: nothing damaged is read, and nothing that depends on something else.
#![allow(dead_code)] // the programs use more of their modules than this test

#[path = "../examples/correlate/campaign.rs"]
mod campaign;
#[path = "../examples/common/mod.rs"]
mod common;
#[path = "../examples/correlate/arguments.rs"]
mod correlate;
#[path = "../examples/correlate/exhibit.rs"]
mod exhibit;
#[path = "../examples/correlate/field.rs"]
mod field;
#[path = "../examples/correlate/measurement.rs"]
mod measurement;
#[path = "../examples/correlate/named.rs"]
mod named;
#[path = "../examples/common/networks.rs"]
mod networks;
#[path = "../examples/correlate/paper/mod.rs"]
mod paper;
mod programs;
#[path = "../examples/score/arguments.rs"]
mod score;
#[path = "../examples/correlate/scored.rs"]
mod scored;
#[path = "../examples/search/arguments.rs"]
mod search;
#[path = "../examples/correlate/table.rs"]
mod table;

use aznas::ops::conv2d::Algorithm;
use aznas::simd::Backend;
use aznas::{Entropy, Initialisation, Options, Sigma};
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use common::setting::Setting;
use common::store::Store;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

const COLUMNS: [&str; 3] = ["step", "arch", "score"];

fn setting() -> Setting {
    Setting::default().with("version", Some("1.2.3")).with("seed", Some(7))
}

/// Lines that need quoting, and numbers of every kind.
fn rows() -> Vec<[String; 3]> {
    let numbers = [0.1 + 0.2, -0.0, 1e-300, f64::NEG_INFINITY, f64::NAN, 6.0];
    let row = |(step, number): (usize, f64)| [step.to_string(), format!("a({step},\"8\")"), number.to_string()];
    numbers.into_iter().enumerate().map(row).collect()
}

/// A folder with a file of all [`rows`]; its path and content.
fn written(name: &str) -> (PathBuf, Vec<u8>) {
    let folder = programs::folder("stored", name);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file.csv");
    let mut store = Store::open(&path, &COLUMNS, &setting(), |_| Ok(())).unwrap();
    rows().iter().for_each(|row| store.append(row).unwrap());
    drop(store);
    (path.clone(), fs::read(&path).unwrap())
}

/// Opens a file; the rows that were in it, or why it is refused.
fn open(path: &Path, setting: &Setting) -> Result<(Store, Vec<Vec<String>>), String> {
    let mut found = Vec::new();
    let store = Store::open(path, &COLUMNS, setting, |row| {
        found.push(row.iter().map(str::to_string).collect());
        Ok(())
    });
    store.map(|store| (store, found)).map_err(|failure| failure.to_string())
}

fn is_line_end(&byte: &u8) -> bool {
    byte == b'\n'
}

#[test]
fn what_was_written_is_read() {
    let (path, content) = written("whole");
    let (_, found) = open(&path, &setting()).unwrap();
    assert_eq!(found, rows());
    assert_eq!(fs::read(&path).unwrap(), content);
    let text = String::from_utf8(content).unwrap();
    assert!(text.starts_with("step,arch,score,checksum of version=1.2.3 seed=7\n"), "{text}");
    // Anybody can check a line: FNV-1a over the heading and the line up to its last comma.
    let heading = text.lines().next().unwrap();
    let line = text.lines().nth(1).unwrap();
    let (fields, checksum) = line.rsplit_once(',').unwrap();
    let hashed = heading
        .bytes()
        .chain(fields.bytes())
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    assert_eq!(checksum, format!("{hashed:016x}"));
}

/// Every bit of a file, flipped: the file is refused and left alone, or what the bit belongs to is dropped.
#[test]
fn no_flipped_bit_is_read() {
    let (path, content) = written("bits");
    let mut dropped = 0;
    for place in 0..content.len() {
        for bit in 0..8 {
            let mut damaged = content.clone();
            damaged[place] ^= 1 << bit;
            fs::write(&path, &damaged).unwrap();
            match open(&path, &setting()) {
                Ok((_, found)) => {
                    let whole = content[..place].iter().filter(|byte| is_line_end(byte)).count() - 1;
                    assert_eq!(found, rows()[..whole], "byte {place}, bit {bit}");
                    assert!(whole >= rows().len() - 2, "only an end can be dropped");
                    dropped += 1;
                }
                Err(_) => assert_eq!(fs::read(&path).unwrap(), damaged, "byte {place}, bit {bit}"),
            }
        }
    }
    assert!(dropped > 0);
}

/// Cut off anywhere, by a crash or by a full disk, a file goes on to the bytes it would have had.
#[test]
fn an_unfinished_line_is_dropped_and_written_again() {
    let (path, content) = written("cut");
    for length in 0..=content.len() {
        // Some file systems leave zeros where nothing was written.
        for zeros in [0, 3] {
            fs::write(&path, [&content[..length], &vec![0; zeros]].concat()).unwrap();
            let (mut store, found) = open(&path, &setting()).unwrap();
            let whole = content[..length].iter().filter(|byte| is_line_end(byte)).count().saturating_sub(1);
            assert_eq!(found, rows()[..whole], "{length} bytes and {zeros} zeros");
            rows()[whole..].iter().for_each(|row| store.append(row).unwrap());
            drop(store);
            assert_eq!(fs::read(&path).unwrap(), content, "{length} bytes and {zeros} zeros");
        }
    }
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let (path, content) = written("other");
    let text = String::from_utf8(content).unwrap();
    let other = setting().with("subset", Some("tiny"));
    for (setting, content, reason) in [
        (Setting::default(), text.clone(), "another setting: version was 1.2.3 and is none, seed was 7 and is none"),
        (other, text.clone(), "belongs to another setting: subset was none and is tiny"),
        (setting(), text.replacen("seed=7", "seed=8", 1), "belongs to another setting: seed was 8 and is 7"),
        (setting(), text.replacen("arch", "cell", 1), "line 1: not the heading"),
        (
            setting(),
            "step,arch,score\n0,a,1\n".to_string(),
            "files of earlier versions, without checksums, are not read",
        ),
        (setting(), "a letter\n".to_string(), "line 1: not the heading"),
        (setting(), "a letter".to_string(), "line 1: not the heading"),
        (setting(), text.replacen("0.3", "0.4", 1), "line 2: its checksum does not fit"),
        (setting(), text.replacen("\n1,", "\n\n1,", 1), "line 3: its checksum does not fit"),
    ] {
        fs::write(&path, &content).unwrap();
        let error = open(&path, &setting).unwrap_err();
        assert!(error.contains(reason), "{error}");
        assert!(error.starts_with(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn one_program_at_a_time_adds_lines_without_breaks() {
    let (path, content) = written("locked");
    let (mut store, _) = open(&path, &setting()).unwrap();
    assert!(open(&path, &setting()).unwrap_err().contains("another program is adding to it"));
    assert!(store.append(["0", "a\nb", "c"]).is_err());
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), content);
}

/// A program, what its numbers are kept under, and the options that change nothing of that, each with the reason.
struct Program {
    command: Command,
    base: &'static [&'static str],
    setting: fn(&ArgMatches) -> String,
    changes_nothing: &'static [(&'static str, &'static str)],
}

fn programs() -> [Program; 3] {
    [
        Program {
            command: search::Arguments::program(),
            base: &[
                "--space",
                "mbv2",
                "--latency",
                "5",
                "--peak-memory",
                "1e6",
                "--population",
                "30",
                "--out",
                "folder",
            ],
            setting: |matches| {
                let arguments = search::Arguments::of(matches).unwrap();
                arguments.setting().unwrap().to_string()
            },
            changes_nothing: &[
                (
                    "iterations",
                    "a longer search begins as a shorter one; what follows from it, the population, is kept",
                ),
                ("reuse_memory", "what is remembered has the bits of what is computed"),
                ("finals", "scores what was found once more, into a file of its own"),
                ("out", "where the files lie"),
                ("resume", "goes on with what there is"),
            ],
        },
        Program {
            command: correlate::Arguments::command(),
            base: &["--space", "mbv2", "--truth", "table.csv", "--out", "folder"],
            setting: |matches| {
                let arguments = correlate::Arguments::from_arg_matches(matches).unwrap().settled();
                let of =
                    |case: campaign::Case| format!("{} {}", arguments.space.setting(&case.options), case.options.seed);
                arguments.cases().into_iter().map(of).collect::<Vec<_>>().join("\n")
            },
            changes_nothing: &[
                ("threads", "scores are the same bits whichever worker has them"),
                ("truth", "scores are kept by architecture, whoever asks for them"),
                ("networks", "counts by its content: `a_file_of_networks_counts_by_its_content`"),
                ("arch_column", "names a column of the table"),
                ("columns", "names columns of the table"),
                ("sample", "chooses rows of the table"),
                ("every", "chooses rows of the table"),
                ("scores", "are asked for under the setting"),
                ("seeds", "asks for more seeds, each of which is kept beside its scores"),
                ("out", "where the files lie"),
                ("dedupe", "chooses which architecture is scored; its scores are its own"),
                ("skip_unknown", "chooses rows of the table"),
            ],
        },
        Program {
            command: score::Arguments::command(),
            base: &["--space", "mbv2", "arch"],
            setting: |matches| {
                let arguments = score::Arguments::from_arg_matches(matches).unwrap();
                format!("{} {}", arguments.setting(), arguments.scoring.seed)
            },
            changes_nothing: &[
                ("threads", "scores are the same bits whichever worker has them"),
                ("blocks", "more is written"),
                ("print_graph", "nothing is scored"),
                ("format", "how scores are written"),
                ("keep_going", "what is done about what cannot be scored"),
                ("architectures", "stand beside their scores"),
            ],
        },
    ]
}

/// Two values of an option beside its default, or all there are.
fn values(argument: &Arg) -> Vec<String> {
    let named = |names: Vec<&str>| names.into_iter().map(str::to_string).collect();
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(|value| value.get_name().to_string()).collect();
    }
    match argument.get_id().as_str() {
        "init" => named(Initialisation::ALL.map(Initialisation::name).to_vec()),
        "entropy" => named(Entropy::ALL.map(Entropy::name).to_vec()),
        "sigma" => named(Sigma::ALL.map(Sigma::name).to_vec()),
        "algorithm" => named(Algorithm::ALL.map(Algorithm::name).to_vec()),
        "backend" => named(Backend::ALL.map(Backend::name).to_vec()),
        "proxies" => named(vec!["all", "extended"]),
        "latency_table" => ["a", "b"].map(|content| table_of(content).display().to_string()).to_vec(),
        "truth" | "networks" | "out" | "scores" | "arch_column" | "columns" | "architectures" => {
            named(vec!["one", "two"])
        }
        "random" => named(vec!["37"]),
        "batch" => named(vec!["37", "auto"]),
        "target" | "enough" => named(vec!["trainability=-0.5", "complexity=4e8"]),
        _ => named(vec!["37", "41"]),
    }
}

/// A file with this content.
fn table_of(content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("latency-{content}.csv"));
    fs::write(&path, content).unwrap();
    path
}

/// The setting of a command line.
fn setting_of(program: &Program, more: &[String]) -> String {
    let words = ["program"].into_iter().chain(program.base.iter().copied()).chain(more.iter().map(String::as_str));
    let matches = program.command.clone().args_override_self(true).try_get_matches_from(words).unwrap();
    (program.setting)(&matches)
}

/// A second round knows nothing of how little a preset lets the first one do, only of what the user gave.
#[test]
fn finals_are_as_published_under_every_preset() {
    for preset in ["fast", "fastest"] {
        for (space, given) in [("nb201", None), ("mbv2", None), ("nb201", Some(Initialisation::Uniform))] {
            let mut words = vec!["search", "--space", space, "--preset", preset, "--finals", "1"];
            words.extend(given.iter().flat_map(|init| ["--init", init.name()]));
            let matches = search::Arguments::program().try_get_matches_from(words).unwrap();
            let published = search::Arguments::of(&matches).unwrap().published();
            assert_eq!(published.initialisation, given.unwrap_or_default(), "{space}, {preset}");
            let usual = Options::default();
            assert_eq!((published.batch, published.sigma), (usual.batch, usual.sigma), "{space}, {preset}");
            assert_eq!(published.entropy, usual.entropy, "{space}, {preset}");
        }
    }
}

/// Every option of every program, found by asking the parser, names what is kept, or is known to change nothing of it.
#[test]
fn every_option_is_part_of_the_setting_or_changes_nothing() {
    for program in programs() {
        let base = setting_of(&program, &[]);
        let arguments: Vec<&Arg> = program.command.get_arguments().collect();
        assert!(arguments.len() > 15);
        for (id, _) in program.changes_nothing {
            assert!(arguments.iter().any(|argument| argument.get_id() == id), "{id} is no option");
        }
        for argument in arguments {
            let id = argument.get_id().as_str();
            if id == "nds" {
                continue; // in place of a table and of a space, which it is one of
            }
            let word = argument.get_long().map(|long| format!("--{long}"));
            let of = |value: Option<String>| {
                // Presets were measured on cells.
                let space = (id == "preset").then(|| ["--space", "nb201"].map(str::to_string));
                let words = space.into_iter().flatten().chain(word.iter().cloned()).chain(value);
                setting_of(&program, &words.collect::<Vec<_>>())
            };
            let settings: Vec<String> = match argument.get_action() {
                ArgAction::SetTrue => vec![of(None)],
                _ => values(argument).into_iter().map(|value| of(Some(value))).collect(),
            };
            let distinct: HashSet<&String> = settings.iter().chain([&base]).collect();
            if program.changes_nothing.iter().any(|(name, _)| *name == id) {
                assert_eq!(distinct.len(), 1, "{id} changes something: {distinct:#?}");
            } else if id == "preset" {
                // The first two are settings of their own; the last is all exhibits of the paper, some of which need the same.
                let cases = |setting: &String| setting.lines().map(str::to_string).collect::<HashSet<_>>();
                let (frugal, exhibits) = settings.split_at(2);
                assert!(frugal[0] != frugal[1], "{distinct:#?}");
                for setting in frugal {
                    assert!(*setting != base && exhibits.iter().all(|exhibit| exhibit != setting), "{distinct:#?}");
                }
                if let Some((paper, exhibits)) = exhibits.split_last() {
                    let all = exhibits.iter().flat_map(cases).collect::<HashSet<_>>();
                    assert_eq!(cases(paper), all);
                    assert!(exhibits.iter().all(|exhibit| !exhibit.is_empty()));
                }
            } else {
                let has_default = settings.contains(&base);
                let expected = settings.len() + usize::from(!has_default);
                assert_eq!(distinct.len(), expected, "{id} does not tell its values apart: {distinct:#?}");
                assert!(distinct.len() > 1, "{id}");
            }
        }
    }
}

#[test]
fn a_table_of_latencies_counts_by_its_content() {
    let [program, ..] = programs();
    let of = |path: &Path| setting_of(&program, &["--latency-table".to_string(), path.display().to_string()]);
    let path = table_of("content");
    let first = of(&path);
    fs::write(&path, "other content").unwrap();
    assert_ne!(of(&path), first);
    let elsewhere = table_of("elsewhere");
    fs::copy(&path, &elsewhere).unwrap();
    assert_eq!(of(&path), of(&elsewhere));
}

#[test]
fn a_file_of_networks_counts_by_its_content() {
    let graph = |channels: usize| {
        let nodes = format!(r#"{{"op":"convolution","inputs":[0],"channels":{channels},"kernel":[1,1]}}"#);
        format!(r#"{{"name":"n","input":[3,8,8],"blocks":[[{nodes}]]}}"#)
    };
    let words = ["correlate", "--space", "graph", "--truth", "t.csv", "--out", "folder"];
    let arguments = correlate::Arguments::try_parse_from(words).unwrap();
    let setting = |path: &Path| {
        let networks = named::Networks::of(&arguments.space, Some(path)).unwrap();
        networks.setting(&arguments.cases()[0].options)
    };
    let [first, second] = ["first", "second"].map(|name| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("networks-{name}.jsonl"));
        fs::write(&path, graph(8)).unwrap();
        path
    });
    let before = setting(&first);
    assert_eq!(setting(&second), before);
    fs::write(&second, graph(9)).unwrap();
    assert_ne!(setting(&second), before);
}

#[test]
fn settings_are_read_as_written() {
    let setting = Setting::default().with("a", Some(1.5)).with("b", None::<u8>).with("c", Some("x y\tz"));
    assert_eq!(setting.to_string(), "a=1.5 c=x_y_z");
    assert_eq!(Setting::parse(&setting.to_string()), setting);
    assert_eq!(setting.differences(&setting), "");
    let other = Setting::default().with("c", Some("x_y_z")).with("d", Some(true));
    assert_eq!(setting.differences(&other), "a was 1.5 and is none, d was none and is true");
}
