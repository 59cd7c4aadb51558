//! The command line.

use crate::campaign::Case;
use crate::common::frugal::Frugal;
use crate::common::scoring::ScoringArguments;
use crate::exhibit::{EXHIBITS, Exhibit};
use crate::measurement::{self, Wishes};
use crate::networks::{NetworkArguments, Origin};
use aznas::Options;
use aznas::proxy::ProxySet;
use aznas::spaces::SpaceName;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
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
  correlate --truth accuracies.csv --out report --preset paper
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
    /// Seeds to score under, from --seed on [default: 1, or as the preset says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
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
    /// Proxies of the ablation, the scatter and the chosen aggregate: paper, extended, general, blockwise, te-nas, all, or names between commas [default: paper]. Of
    /// up to eight the ablation has all subsets, of more each proxy alone, all but each, and all. The choice of a set on
    /// half of the rows is among these, the paper's and the extended; of more than eight proxies it adds the one that
    /// helps most, from none on, for as long as one does
    #[arg(long)]
    pub proxies: Option<ProxySet>,
    /// A recommended setting, or tables and figures of the paper made anew, with rows and seeds that their cost allows
    #[arg(long, value_parser = Preset::parser(), value_name = "PRESET")]
    pub preset: Option<Preset>,
    /// Measure every so many-th row by accuracy [default: as the preset says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
}

/// What is asked for by one word.
#[derive(Clone, Copy)]
pub enum Preset {
    /// A recommended setting.
    Frugal(Frugal),
    /// Tables and figures of the paper.
    Exhibits(&'static [Exhibit]),
}

impl Preset {
    fn parser() -> impl TypedValueParser<Value = Self> {
        let frugal = Frugal::value_variants().iter().filter_map(Frugal::to_possible_value);
        let exhibit = |exhibit: &'static Exhibit| PossibleValue::new(exhibit.name).help(exhibit.title);
        let paper = PossibleValue::new("paper").help("All of them in one report");
        let values = frugal.chain(EXHIBITS.iter().map(exhibit)).chain([paper]);
        PossibleValuesParser::new(values).map(|name| {
            let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == name);
            match (exhibit, Frugal::from_str(&name, false)) {
                (Some(exhibit), _) => Self::Exhibits(std::slice::from_ref(exhibit)),
                (None, Ok(frugal)) => Self::Frugal(frugal),
                (None, Err(_)) => Self::Exhibits(&EXHIBITS),
            }
        })
    }
}

impl Arguments {
    /// The same with what follows from them.
    pub fn settled(mut self) -> Self {
        if self.nds.is_some() {
            self.space.space = Origin::Space(SpaceName::Nds);
        }
        if let Some(Preset::Frugal(frugal)) = self.preset {
            let space = match self.space.space {
                Origin::Space(space) => Some(space),
                Origin::Graph | Origin::Onnx => None,
            };
            frugal.apply(space, &mut self.space.open, &mut self.scoring);
        }
        self
    }

    /// Refuses what would be ignored.
    pub fn check(&self) -> Result<(), &'static str> {
        match (self.exhibits(), self.proxies, self.every) {
            (Some(_), Some(_), _) => Err("--proxies: tables and figures of the paper have their own"),
            (None, _, Some(_)) => Err("--every is for the tables and figures of the paper: --preset"),
            _ => Ok(()),
        }
    }

    /// The file of the rows; clap asks for one of the two.
    pub fn table(&self) -> &Path {
        self.truth.as_ref().or(self.nds.as_ref()).map_or(Path::new(""), PathBuf::as_path)
    }

    /// The proxies of the generic report.
    pub fn proxies(&self) -> ProxySet {
        self.proxies.unwrap_or_default()
    }

    /// The options that everything is scored under, but for what a preset changes.
    pub fn options(&self) -> Options {
        self.space.options(&self.scoring, self.proxies())
    }

    /// The tables and figures of the paper that are asked for.
    pub fn exhibits(&self) -> Option<&'static [Exhibit]> {
        match self.preset {
            Some(Preset::Exhibits(exhibits)) => Some(exhibits),
            None | Some(Preset::Frugal(_)) => None,
        }
    }

    /// What is to be different of the samples of a preset.
    pub fn wishes(&self) -> Wishes {
        Wishes { every: self.every.map(|every| every as usize), seeds: self.seeds }
    }

    /// What to score under.
    pub fn cases(&self) -> Vec<Case> {
        let options = self.options();
        match self.preset {
            None | Some(Preset::Frugal(_)) => vec![Case::of(options)],
            Some(Preset::Exhibits(exhibits)) => {
                measurement::needed(exhibits, options, self.wishes()).into_iter().map(|needed| needed.case).collect()
            }
        }
    }
}
