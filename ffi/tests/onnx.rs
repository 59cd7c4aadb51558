//! ONNX files become the nodes and tensors in C that they become in Rust, or are refused for the same reason.

mod common;

use aznas::mem::Memory;
use aznas::proxy::ProxySet;
use aznas::simd::Backend;
use aznas::tensor::{Random, Source};
use aznas::{Options, Scores};
use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model};
use common::{Flavour, Language, Linkage};
use std::fmt::Write;

/// The scores of a graph with parameters of a source.
fn scores(graph: &Graph, source: &(impl Source + Sync)) -> Scores {
    let [_, height, width] = graph.input;
    let options = Options { batch: 2, height, width, backend: Backend::Scalar, ..Options::default() };
    let mut memory = Memory::new();
    let bytes = aznas::workspace_size(graph, &options, source).expect("the network is sound");
    let mut workspace = memory.workspace(bytes).expect("there is memory");
    aznas::score(graph, &options, source, &mut workspace, |_| ()).expect("the network is sound")
}

/// The line that C prints of the scores of so many blocks.
fn line(found: &Scores, count: usize) -> String {
    let first_eight = ProxySet::from_bits(255).expect("they are known");
    let proxies: Vec<_> = found.values(first_eight).map(|value| format!("{:016x}", value.to_bits())).collect();
    let flags = found.flags.0 | if found.measured.contains_all(first_eight) { 0 } else { 8 };
    let cost = found.cost;
    let counts = [cost.macs, cost.live_macs, cost.parameters, cost.live_parameters, cost.live_layers];
    let counts: Vec<_> = counts.iter().map(u64::to_string).collect();
    format!("{} {} {} {flags} {count}", proxies.join(" "), counts.join(" "), cost.depth)
}

/// What an error has room for.
fn cut(place: &str, reason: &str) -> String {
    let place = if place.len() < 48 { place.to_owned() } else { format!("...{}", &place[place.len() - 44..]) };
    format!("{place}: {}", &reason[..reason.len().min(79)])
}

#[test]
fn files_become_nodes_or_are_refused() {
    let folder = common::root().join("models/tests/onnx");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("there are models").map(|entry| entry.expect("it is there").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    paths.sort();
    // One that is no model at all.
    paths.push(common::root().join("models/tests/onnx/make.py"));
    let (mut input, mut expected, mut read) = (String::new(), String::new(), 0);
    for path in &paths {
        let bytes = std::fs::read(path).expect("it is there");
        match Model::read(&bytes, "model", None, &Cut::Automatic) {
            // Those that no score takes are none for C either.
            Ok(model) if aznas::graph::Cost::of(&model.graph, model.graph.input[1], model.graph.input[2]).is_ok() => {
                let count = model.graph.blocks.len();
                for found in [scores(&model.graph, &Random), scores(&model.graph, model.weights())] {
                    writeln!(expected, "{}", line(&found, count)).expect("a string takes any text");
                }
                read += 1;
            }
            Ok(_) => continue,
            Err(error) => writeln!(expected, "{}", cut(&error.place, &error.reason)).expect("a string takes any text"),
        }
        writeln!(input, "{}", path.display()).expect("a string takes any text");
    }
    assert!(read > 10, "{read}");
    let library = Flavour::Onnx.build();
    let program = common::compile("tests/c/onnx.c", Language::C11, &library, Linkage::Static, &["-DAZNAS_ONNX"]);
    assert_eq!(common::output(&program, &input), expected);
}
