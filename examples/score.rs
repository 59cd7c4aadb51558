//! Scores architectures without training them.

mod common;

use aznas::aggregate::{Mode, aggregate};
use aznas::graph::Network;
use aznas::proxy::{Proxy, ProxySet};
use clap::{Parser, ValueEnum};
use common::candidate::SpaceArguments;
use common::progress::progress_bar;
use common::scoring::{Outcome, Scorers, ScoringArguments};
use rayon::prelude::*;
use serde_json::json;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// Score architectures without training them: expressivity, progressivity, trainability, complexity.
///
/// All scores are "higher is better"; -inf means undefined.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  score '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|'
  score --format csv --threads 4 - < cells.txt > scores.csv
  score --space mbv2 --batch 16 --resolution 96 --blocks --format json 'SuperConvK3BNRELU(3,8,2,1)...'
  score --space autoformer --batch 16 'autoformer(embed=192,heads=3-4-3,ratio=4-3.5-4)'")]
struct Arguments {
    #[command(flatten)]
    space: SpaceArguments,
    #[command(flatten)]
    scoring: ScoringArguments,
    /// Proxies to aggregate and to show in a table: paper, extended, all, or names between commas
    #[arg(long, default_value_t)]
    proxies: ProxySet,
    /// Report every primary block too (table and json)
    #[arg(long)]
    blocks: bool,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Texts of architectures; `-` reads one a line from standard input
    #[arg(required = true, value_name = "ARCH", allow_hyphen_values = true)]
    architectures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: with aggregate and rank among the architectures given
    Table,
    /// A line an architecture, in the order given
    Csv,
    /// A JSON object a line, in the order given; null stands for -inf
    Json,
}

/// Architectures scored between writes.
const CHUNK: usize = 64;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("score: {failure}");
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Input { place: String, error: aznas::Error },
    Reading(io::Error),
    Output(io::Error),
    Threads(rayon::ThreadPoolBuildError),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input { place, error } => write!(f, "{place}: {error}"),
            Self::Reading(error) => write!(f, "standard input: {error}"),
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Threads(error) => write!(f, "{error}"),
        }
    }
}

/// An architecture, where it came from, and its network.
struct Item {
    text: String,
    place: String,
    network: Box<dyn Network + Send + Sync>,
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = arguments.scoring.options(arguments.space.default_resolution());
    let items = read(arguments)?;
    // Nothing is scored or written before every text is known to be good and to fit.
    for item in &items {
        aznas::workspace_size(&*item.network, &options, &aznas::tensor::Random)
            .map_err(|error| Failure::Input { place: item.place.clone(), error })?;
    }
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(arguments.scoring.workers()).build().map_err(Failure::Threads)?;
    let progress = progress_bar(items.len());
    let out = io::stdout().lock();
    let mut out =
        Output { format: arguments.format, proxies: arguments.space.ranked(arguments.proxies), out, rows: Vec::new() };
    out.begin().map_err(Failure::Output)?;
    let scorers = Scorers::default();
    for chunk in items.chunks(CHUNK) {
        let outcomes: Vec<_> = pool.install(|| {
            chunk
                .par_iter()
                .map(|item| {
                    let outcome = scorers.score(&*item.network, &options, arguments.blocks);
                    progress.inc(1);
                    outcome.map_err(|error| Failure::Input { place: item.place.clone(), error })
                })
                .collect()
        });
        for (item, outcome) in chunk.iter().zip(outcomes) {
            out.row(&item.text, outcome?).map_err(Failure::Output)?;
        }
    }
    progress.finish_and_clear();
    out.end().map_err(Failure::Output)
}

fn read(arguments: &Arguments) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    let mut add = |text: &str, place: String| match arguments.space.network(text) {
        Ok(network) => {
            items.push(Item { text: text.to_string(), place, network });
            Ok(())
        }
        Err(error) => Err(Failure::Input { place, error }),
    };
    for (i, text) in arguments.architectures.iter().enumerate() {
        if text == "-" {
            for (line, text) in io::stdin().lock().lines().enumerate() {
                let text = text.map_err(Failure::Reading)?;
                if !text.trim().is_empty() {
                    add(text.trim(), format!("line {}", line + 1))?;
                }
            }
        } else {
            add(text, format!("architecture {}", i + 1))?;
        }
    }
    Ok(items)
}

struct Output<W> {
    format: Format,
    proxies: ProxySet,
    out: W,
    /// A table is written at the end, when ranks are known.
    rows: Vec<(String, Outcome)>,
}

impl<W: Write> Output<W> {
    fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::Csv => writeln!(
                self.out,
                "arch,expressivity,progressivity,trainability,complexity,params,macs,live_macs,live_params,\
                 mean_progressivity,depth,live_layers,flags"
            ),
            _ => Ok(()),
        }
    }

    fn row(&mut self, text: &str, outcome: Outcome) -> io::Result<()> {
        let scores = &outcome.scores;
        match self.format {
            Format::Table => {
                self.rows.push((text.to_string(), outcome));
                Ok(())
            }
            Format::Csv => {
                // Texts of all spaces but the first contain commas.
                let text = if text.contains(',') { format!("\"{text}\"") } else { text.to_string() };
                writeln!(
                    self.out,
                    "{text},{},{},{},{},{},{},{},{},{},{},{},{}",
                    scores.expressivity(),
                    scores.progressivity(),
                    scores.trainability(),
                    scores.complexity(),
                    scores.cost.parameters,
                    scores.cost.macs,
                    scores.cost.live_macs,
                    scores.cost.live_parameters,
                    scores.get(Proxy::MeanProgressivity),
                    scores.cost.depth,
                    scores.cost.live_layers,
                    scores.flags.names().collect::<Vec<_>>().join(" ")
                )
            }
            Format::Json => {
                let mut object = json!({
                    "arch": text,
                    "expressivity": scores.expressivity(),
                    "progressivity": scores.progressivity(),
                    "trainability": scores.trainability(),
                    "complexity": scores.complexity(),
                    "params": scores.cost.parameters,
                    "macs": scores.cost.macs,
                    "live_macs": scores.cost.live_macs,
                    "live_params": scores.cost.live_parameters,
                    "mean_progressivity": scores.get(Proxy::MeanProgressivity),
                    "depth": scores.cost.depth,
                    "live_layers": scores.cost.live_layers,
                    "flags": scores.flags.names().collect::<Vec<_>>(),
                    "workspace_bytes": outcome.workspace_bytes,
                    "milliseconds": outcome.elapsed.as_secs_f64() * 1e3,
                });
                if !outcome.blocks.is_empty() {
                    let blocks = outcome.blocks.iter().map(|block| {
                        json!({
                            "block": block.block,
                            "feature": block.feature,
                            "expressivity": block.expressivity,
                            "sigma": block.sigma,
                            "trainability": block.trainability,
                        })
                    });
                    object["blocks"] = blocks.collect();
                }
                writeln!(self.out, "{object}")
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.format == Format::Table {
            self.table()?;
        }
        self.out.flush()
    }

    fn table(&mut self) -> io::Result<()> {
        let columns: Vec<Vec<f64>> = self
            .proxies
            .iter()
            .map(|proxy| self.rows.iter().map(|(_, outcome)| outcome.scores.get(proxy)).collect())
            .collect();
        let aggregates = aggregates(&columns);
        let out = &mut self.out;
        write!(out, "{:>5} {:>10}", "rank", "aggregate")?;
        for proxy in self.proxies.iter() {
            write!(out, " {:>11}", proxy.symbol())?;
        }
        writeln!(out, " {:>10} {:>9} {:>8}  architecture", "params", "memory", "time")?;
        for (i, (text, outcome)) in self.rows.iter().enumerate() {
            let rank = 1 + aggregates.iter().filter(|&&other| other > aggregates[i]).count();
            let scores = &outcome.scores;
            write!(out, "{rank:>5} {:>10.4}", aggregates[i])?;
            for column in &columns {
                // Counts are whole numbers.
                let decimals = if column[i].fract() == 0.0 { 0 } else { 4 };
                write!(out, " {:>11.decimals$}", column[i])?;
            }
            writeln!(
                out,
                " {:>10} {:>7.1}Mi {:>6.1}ms  {text}",
                scores.cost.parameters,
                outcome.workspace_bytes as f64 / f64::from(1 << 20),
                outcome.elapsed.as_secs_f64() * 1e3,
            )?;
            for name in scores.flags.names() {
                writeln!(out, "      {name}")?;
            }
            for block in &outcome.blocks {
                let [height, width, channels] = block.feature;
                writeln!(
                    out,
                    "      block {:>3}  {:<13} expressivity {:>8.5}  sigma {:>9.5}  trainability {:>9.5}",
                    block.block,
                    format!("{height}x{width}x{channels}"),
                    block.expressivity,
                    block.sigma,
                    block.trainability
                )?;
            }
        }
        Ok(())
    }
}

fn aggregates(columns: &[Vec<f64>]) -> Vec<f64> {
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; columns[0].len()];
    if !out.is_empty() {
        let mut scratch = vec![0; out.len()];
        // The columns are of one length and not empty: nothing can be wrong with them.
        let _ = aggregate(&columns, &vec![1.0; columns.len()], Mode::Log, &mut out, &mut scratch);
    }
    out
}
