//! The command line.

use crate::campaign::Case;
use crate::common::scoring::ScoringArguments;
use crate::networks::{NetworkArguments, Origin};
use crate::paper;
use aznas::proxy::ProxySet;
use aznas::spaces::SpaceName;
use aznas::{Options, Sigma};
use clap::{Parser, ValueEnum};
use std::path::{Path, PathBuf};

/// Score every architecture of a table and correlate the scores with trained accuracy.
///
/// The table is a CSV file with a column of architectures and one or more columns of accuracies. Columns named after
/// CIFAR-10, CIFAR-100 or ImageNet16-120 are compared with the figures of the paper. Scores are kept in
/// DIR/scores.csv; run again after an interruption, or with other proxies, and nothing is scored twice.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  correlate --truth accuracies.csv --out report --preset fast
  correlate --truth accuracies.csv --columns cifar10,cifar100 --sample 1000 --seeds 3 --out report
  correlate --truth accuracies.csv --out report --preset table9 --dedupe
  correlate --truth accuracies.csv --out report --batch 8 --scores shard-*.csv
  correlate --nds DARTS.json --sample 1000 --out report
  correlate --space graph --networks graphs.jsonl --truth accuracies.csv --arch-column name --out report")]
pub struct Arguments {
    #[command(flatten)]
    pub space: NetworkArguments,
    #[command(flatten)]
    pub scoring: ScoringArguments,
    /// Table of architectures and accuracies
    #[arg(long, value_name = "FILE", required_unless_present = "nds")]
    pub truth: Option<PathBuf>,
    /// In place of a table, records of NDS as they are published, in JSON; their accuracy is that of the last epoch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["truth", "space", "arch_column", "columns"])]
    pub nds: Option<PathBuf>,
    /// The graphs that the table names, one a line (graph)
    #[arg(long, value_name = "FILE")]
    pub networks: Option<PathBuf>,
    /// The column of architectures
    #[arg(long, default_value = "arch", value_name = "NAME")]
    pub arch_column: String,
    /// Columns of accuracies [default: every other column of numbers]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub columns: Vec<String>,
    /// Use so many rows, drawn at random
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// Seeds to score under, from --seed on
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// Folder for the report and the scores
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Score nothing: take the scores that `score` has written as csv or json, wherever it ran, or the scores.csv of
    /// other runs
    #[arg(long, value_name = "FILES", num_args = 1..)]
    pub scores: Vec<PathBuf>,
    /// Score cells that compute the same function once (nb201); what is counted on the graph stays each cell's own
    #[arg(long)]
    pub dedupe: bool,
    /// Leave out rows with unknown architectures instead of giving up
    #[arg(long)]
    pub skip_unknown: bool,
    /// Proxies of the ablation, the scatter and the chosen aggregate: paper, extended, general, blockwise, te-nas, all, or names between commas. Of
    /// up to eight the ablation has all subsets, of more each proxy alone, all but each, and all. The choice of a set on
    /// half of the rows is among these, the paper's and the extended; of more than eight proxies it adds the one that
    /// helps most, from none on, for as long as one does
    #[arg(long, default_value_t)]
    pub proxies: ProxySet,
    /// Several settings, or a recommended one
    #[arg(long, value_enum)]
    pub preset: Option<Preset>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Batch 8 with half-split sigma: ranks like batch 64, at an eighth of the work
    Fast,
    /// The paper's ablation: all subsets of its four proxies
    Table4,
    /// The paper's five initialisations
    Table8,
    /// The paper's five batch sizes, the small ones with half-split sigma too
    Table9,
}

impl Arguments {
    /// The same with what follows from them.
    pub fn settled(mut self) -> Self {
        if self.nds.is_some() {
            self.space.space = Origin::Space(SpaceName::Nds);
        }
        self
    }

    /// The file of the rows; clap asks for one of the two.
    pub fn table(&self) -> &Path {
        self.truth.as_ref().or(self.nds.as_ref()).map_or(Path::new(""), PathBuf::as_path)
    }

    /// What to score under.
    pub fn cases(&self) -> Vec<Case> {
        let options = self.space.options(&self.scoring, self.proxies);
        let all = match self.preset {
            None | Some(Preset::Table4) => vec![options],
            Some(Preset::Fast) => vec![Options { batch: 8, sigma: Sigma::HalfSplit, ..options }],
            Some(Preset::Table8) => {
                paper::INITIALISATIONS.map(|(initialisation, _)| Options { initialisation, ..options }).to_vec()
            }
            Some(Preset::Table9) => {
                let batches = || paper::BATCHES.iter().map(|&(batch, _)| batch);
                let plain = batches().map(|batch| Options { batch, sigma: Sigma::Plain, ..options });
                let small = batches().filter(|&batch| batch <= 16);
                plain.chain(small.map(|batch| Options { batch, sigma: Sigma::HalfSplit, ..options })).collect()
            }
        };
        let label = |options: &Options| {
            format!("batch {}, {}, {} sigma", options.batch, options.initialisation.name(), options.sigma.name())
        };
        all.into_iter().map(|options| Case { label: label(&options), options }).collect()
    }
}
