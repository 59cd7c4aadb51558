//! The programs on networks from files: graphs as text and ONNX models.

mod programs;

use aznas::spaces::SpaceName;
use programs::program;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(name: &str, arguments: &[&str]) -> Output {
    Command::new(program(name)).args(arguments).output().unwrap()
}

/// What a program prints that succeeds.
fn printed(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a program says that refuses.
fn refusal(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A small ONNX model.
fn model(name: &str) -> String {
    format!("{}/../models/tests/onnx/{name}.onnx", env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("score-files-{name}"));
    fs::write(&path, content).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The answers in JSON without what differs from run to run and says where the network came from.
fn scores(arguments: &[&str]) -> Vec<Value> {
    let lines = printed("score", &[&["--format", "json"], arguments].concat());
    let scores = lines.lines().map(|line| {
        let mut object: Value = serde_json::from_str(line).unwrap();
        for name in ["arch", "milliseconds", "setting", "workspace_bytes"] {
            object.as_object_mut().unwrap().remove(name);
        }
        object
    });
    scores.collect()
}

/// A network of every space, printed as a graph, has the scores of the network.
#[test]
fn every_space_is_printed_as_a_graph() {
    for space in SpaceName::ALL {
        // Costs are counted for what is scored: a graph knows no other.
        let batch = ["--batch", "2", "--resolution", "32", "--target-resolution", "32"];
        let small = ["--channels", "8", "--cells", "1", "--target-channels", "8"];
        let arguments = [&["--space", space.name(), space.policy().form][..], &batch, &small].concat();
        let graph = printed("score", &[&["--print-graph"], &arguments[..]].concat());
        assert_eq!(graph.lines().count(), 1);
        let path = file(space.name(), &graph);
        let expected = scores(&arguments);
        assert_eq!(scores(&["--space", "graph", "--batch", "2", text(&path)]), expected, "{space:?}");
        // Printed from a graph it is the same text.
        assert_eq!(printed("score", &["--space", "graph", "--print-graph", text(&path)]), graph);
    }
}

#[test]
fn models_are_scored_by_name_cut_and_weights() {
    let path = model("residual");
    let arguments = ["--space", "onnx", "--batch", "2", "--blocks", &path];
    let [object] = &scores(&arguments)[..] else { panic!("one answer a file") };
    let blocks = object["blocks"].as_array().unwrap();
    assert!(blocks.len() > 1 && blocks.iter().all(|block| !block["name"].as_str().unwrap().is_empty()), "{object}");
    // The same blocks, by the names that the table shows.
    let names: Vec<&str> = blocks.iter().map(|block| block["name"].as_str().unwrap()).collect();
    assert_eq!(scores(&[&arguments[..], &["--cut", &names.join(",")]].concat())[0], *object);
    let fewer = scores(&[&arguments[..], &["--cut", names[0]]].concat());
    assert_eq!(fewer[0]["blocks"].as_array().unwrap().len(), 1, "{fewer:?}");
    // Other parameters, other scores; which they are is part of the setting.
    let own = scores(&[&arguments[..], &["--weights", "file"]].concat());
    assert_ne!(own[0]["expressivity"], object["expressivity"]);
    // As a graph it has the same scores.
    let graph = file("residual", &printed("score", &["--space", "onnx", "--print-graph", &path]));
    let [by_graph] = &scores(&["--space", "graph", "--batch", "2", text(&graph)])[..] else { panic!("one graph") };
    assert_eq!(by_graph["expressivity"], object["expressivity"]);
    assert!(printed("score", &arguments).contains(&path));
}

const GRAPH: &str = r#"{"name":"NAME","input":[3,8,8],"blocks":[[{"op":"convolution","inputs":[0],"channels":CHANNELS,"kernel":[3,3],"padding":[1,1]},{"op":"batch_norm","inputs":[1],"epsilon":1e-5}],[{"op":"relu","inputs":[0]},{"op":"convolution","inputs":[1],"channels":8,"kernel":[1,1]}]]}"#;

fn graph(name: &str, channels: usize) -> String {
    GRAPH.replace("NAME", name).replace("CHANNELS", &channels.to_string()) + "\n"
}

#[test]
fn a_table_may_name_graphs() {
    let networks = (1..=12).map(|number| graph(&format!("n{number}"), 4 * number)).collect::<String>();
    let networks = file("networks.jsonl", &networks);
    let rows = (1..=12).map(|number| format!("n{number},{number}\n")).collect::<String>();
    let truth = file("truth.csv", &format!("name,accuracy\n{rows}"));
    let out = programs::folder("correlate-graphs", "report");
    let base = ["--space", "graph", "--batch", "2", "--arch-column", "name", "--truth", text(&truth)];
    let out = ["--out", text(&out)];
    let with_networks = [&base[..], &out, &["--networks", text(&networks)]].concat();
    printed("correlate", &with_networks);
    let kept = fs::read_to_string(Path::new(out[1]).join("scores.csv")).unwrap();
    assert_eq!(kept.lines().count(), 13);
    assert!(kept.contains(",n12,"));
    // What `score` has written of the same graphs is taken, whichever file they were in.
    let lines = printed("score", &["--space", "graph", "--batch", "2", "--format", "csv", text(&networks)]);
    let written = file("scores.csv", &lines);
    printed("correlate", &[&with_networks[..], &["--scores", text(&written)]].concat());
    let missing = [&base[..], &out].concat();
    assert!(refusal("correlate", &missing).contains("--networks"));
    let twice = file("twice.jsonl", &(graph("n1", 8) + &graph("n1", 9)));
    let message = refusal("correlate", &[&missing[..], &["--networks", text(&twice)]].concat());
    assert!(message.contains("line 2") && message.contains("n1"), "{message}");
    let few = file("few.jsonl", &graph("n1", 8));
    let message = refusal("correlate", &[&missing[..], &["--networks", text(&few)]].concat());
    assert!(message.contains("n2") || message.contains("no network"), "{message}");
}

#[test]
fn what_is_no_network_is_named_by_file_line_and_field() {
    let bad = file("bad.jsonl", &(graph("good", 8) + "\n" + &graph("bad", 8).replace("\"relu\"", "\"rely\"")));
    let message = refusal("score", &["--space", "graph", "--batch", "2", text(&bad)]);
    for part in ["bad.jsonl", "line 3", "blocks[1][0].op", "rely"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    for arguments in [
        &["--space", "graph", "nowhere.jsonl"][..],
        &["--space", "onnx", "nowhere.onnx"],
        &["--space", "onnx", text(&bad)],
        &["--cut", "a", "|nor_conv_3x3~0|"],
        &["--space", "graph", "--weights", "file", text(&bad)],
        &["--space", "onnx", "--cut", "no-such-tensor", &model("residual")],
    ] {
        let message = refusal("score", arguments);
        assert!(message.len() < 600 && message.lines().count() == 1, "{message}");
    }
    for (path, place) in
        [("nowhere.onnx", "nowhere.onnx: "), (text(&bad), "bad.jsonl: byte "), (&model("sine"), "sine.onnx: ")]
    {
        let message = refusal("score", &["--space", "onnx", path]);
        assert!(message.contains(place), "{message}");
    }
    // A file goes on behind what cannot be scored.
    let arguments = ["--space", "graph", "--batch", "2", "--format", "json", "--keep-going", text(&bad)];
    let answers = printed("score", &arguments);
    assert_eq!(answers.lines().count(), 2);
    assert!(answers.lines().nth(1).unwrap().contains("\"error\""), "{answers}");
}
