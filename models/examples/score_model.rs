//! Scores networks from ONNX files and graphs as text.

use aznas::graph::Cost;
use aznas::mem::Memory;
use aznas::proxy::BlockScores;
use aznas::tensor::{Random, Source};
use aznas::{Options, Scores};
use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model};
use clap::Parser;
use std::process::ExitCode;

/// Score networks from ONNX files (`.onnx`) and graphs as text (any other name, one JSON object a line).
#[derive(Parser)]
#[command(after_help = "\
Examples:
  score_model resnet18.onnx
  score_model --blocks --batch 16 mobilenet_v2.onnx
  score_model --print-graph resnet18.onnx > resnet18.jsonl
  score_model resnet18.jsonl")]
struct Arguments {
    /// Images of the random input batch
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows and columns of an image, where the file leaves them open
    #[arg(long)]
    resolution: Option<usize>,
    /// Tensors of an ONNX file that blocks end at, between commas [default: by rule, see docs/own-networks.md]
    #[arg(long, value_delimiter = ',')]
    cut: Vec<String>,
    /// Score with the parameters of the ONNX file instead of drawn ones
    #[arg(long)]
    file_weights: bool,
    /// Show every block
    #[arg(long)]
    blocks: bool,
    /// Print what was understood, as a graph, and score nothing
    #[arg(long)]
    print_graph: bool,
    /// The files
    #[arg(required = true)]
    files: Vec<String>,
}

type Failure = Box<dyn std::error::Error>;

/// A network to score: its graph, the names of its blocks, and where its parameters come from.
type Item = (Graph, Vec<String>, Box<dyn Source>);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for file in &arguments.files {
        if let Err(error) =
            items(file, &arguments).and_then(|items| items.iter().try_for_each(|item| show(item, &arguments)))
        {
            eprintln!("score_model: {file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn items(file: &str, arguments: &Arguments) -> Result<Vec<Item>, Failure> {
    let bytes = std::fs::read(file)?;
    if !file.ends_with(".onnx") {
        let lines = std::str::from_utf8(&bytes)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(number, line)| match Graph::parse(line) {
            Ok(graph) => {
                let names = (0..graph.blocks.len()).map(|block| format!("block {block}")).collect();
                Ok((graph, names, Box::new(Random) as Box<dyn Source>))
            }
            Err(error) => Err(format!("line {}: {error}", number + 1).into()),
        };
        return lines.map(read).collect();
    }
    let cut = if arguments.cut.is_empty() { Cut::Automatic } else { Cut::At(arguments.cut.clone()) };
    let model = Model::read(&bytes, file, arguments.resolution, &cut)?;
    if model.may_be_folded {
        eprintln!(
            "score_model: {file}: no normalisation, but biases: was it exported with batch normalisations folded?"
        );
    }
    let source: Box<dyn Source> =
        if arguments.file_weights { Box::new(model.weights().clone()) } else { Box::new(Random) };
    Ok(vec![(model.graph, model.features, source)])
}

fn show((graph, names, source): &Item, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.print_graph {
        println!("{}", graph.print()?);
        return Ok(());
    }
    let [_, height, width] = graph.input;
    let Cost { macs, parameters, .. } = Cost::of(graph, height, width)?;
    let options = Options { batch: arguments.batch, height, width, seed: arguments.seed, ..Options::default() };
    let mut memory = Memory::default();
    let bytes = aznas::workspace_size(graph, &options, &**source)?;
    let mut blocks: Vec<BlockScores> = Vec::new();
    let scores: Scores =
        aznas::score(graph, &options, &**source, &mut memory.workspace(bytes)?, |block| blocks.push(*block))?;
    let [e, p, t] = [scores.expressivity(), scores.progressivity(), scores.trainability()];
    println!("{}: E {e:.4}  P {p:.4}  T {t:.4}  {macs} multiply-adds  {parameters} parameters", graph.name);
    for (name, block) in names.iter().zip(blocks).filter(|_| arguments.blocks) {
        let [rows, columns, channels] = block.feature;
        let (entropy, sigma) = (block.expressivity, block.sigma);
        println!("  {name}: {rows}x{columns}x{channels}  entropy {entropy:.4}  sigma {sigma:.4}");
    }
    Ok(())
}
