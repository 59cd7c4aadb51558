//! The command line.

use crate::common::scoring::ScoringArguments;
use crate::common::setting::Setting;
use crate::networks::NetworkArguments;
use aznas::Options;
use aznas::proxy::ProxySet;
use clap::{Parser, ValueEnum};

/// Score architectures without training them: expressivity, progressivity, trainability, complexity.
///
/// All scores are "higher is better"; -inf means undefined. With csv and json each line of standard input is answered by a
/// line as soon as it and those before it are scored, so that any program can have a score as a worker.
#[derive(Parser)]
#[command(after_help = "\
A line of standard input is the text of an architecture, or {\"arch\": TEXT} with a \"seed\" of its own, or with the
\"setting\" of an earlier answer, which then has to be that of this program: version, options and instruction set.

Examples:
  score '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|'
  score --format csv --threads 4 - < cells.txt > scores.csv
  score --format json --keep-going - < lines.json
  score --space mbv2 --batch 16 --resolution 96 --blocks --format json 'SuperConvK3BNRELU(3,8,2,1)...'
  score --space autoformer --batch 16 'autoformer(embed=192,heads=3-4-3,ratio=4-3.5-4)'
  score --space onnx --batch 16 --blocks resnet18.onnx
  score --space onnx --print-graph resnet18.onnx > resnet18.jsonl
  score --space graph --batch 16 resnet18.jsonl

Also read (docs/texts.md has them all, and how to turn others into these):
  nb201: Structure(4 nodes with |...|); [(('nor_conv_3x3', 0),), ...]; {'0_1': 'conv_3x3', ...}; nb201(3, 0, 1, 2, 0, 4)
    with the benchmark's digits; naslib(2, 1, 3, 0, 1, 4) with NASLib's
  nb101: ModelSpec(matrix=[[0, 1], [0, 0]], ops=['input', 'output'])
  mbv2: blanks between tokens, labels, and what a log line has before the structure
  autoformer: configuration files (\"$(cat AutoFormer-T.yaml)\"), dictionaries, (depth, ratios..., heads..., width)")]
pub struct Arguments {
    #[command(flatten)]
    pub space: NetworkArguments,
    #[command(flatten)]
    pub scoring: ScoringArguments,
    /// Proxies to aggregate and to show in a table: paper, extended, general, blockwise, te-nas, all, or names between commas
    #[arg(long, default_value_t)]
    pub proxies: ProxySet,
    /// Report every primary block too (table and json)
    #[arg(long)]
    pub blocks: bool,
    /// Score nothing: print each network as a graph, a JSON object a line, that `--space graph` reads
    #[arg(long)]
    pub print_graph: bool,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Go on after what cannot be scored: json answers it by {"arch": TEXT, "error": REASON}, the others leave it out and
    /// say why on standard error
    #[arg(long)]
    pub keep_going: bool,
    /// Texts of architectures; of graphs and ONNX models, files. `-` reads one a line from standard input
    #[arg(required = true, value_name = "ARCH")]
    pub architectures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: with aggregate and rank among the architectures given
    Table,
    /// A line an architecture, in the order given, with a checksum
    Csv,
    /// A JSON object a line, in the order given; null stands for -inf
    Json,
}

impl Arguments {
    /// How architectures are scored. The paper's four are measured too, unless none but proxies of whole networks are asked
    /// for.
    pub fn options(&self) -> Options {
        let options = self.space.options(&self.scoring, self.proxies);
        let of_whole_networks = ProxySet::OF_WHOLE_NETWORKS.contains_all(self.proxies);
        let proxies = if of_whole_networks { self.proxies.measured() } else { options.proxies };
        Options { proxies, ..options }
    }

    /// What the scores depend on besides the architecture and the seed.
    pub fn setting(&self) -> Setting {
        self.space.setting(&self.options())
    }
}
