//! Ranks trained architectures by their scores and says how well that predicts their accuracy.

mod campaign;
mod choice;
#[path = "../common/mod.rs"]
mod common;
mod paper;
mod picture;
mod report;
mod results;
mod sheet;
mod statistics;
mod store;
mod study;
mod table;

use aznas::Options;
use aznas::Sigma;
use aznas::proxy::ProxySet;
use aznas::spaces::SpaceName;
use campaign::{Effort, Representatives, Setting};
use clap::{Parser, ValueEnum};
use common::candidate::SpaceArguments;
use common::scoring::ScoringArguments;
use rayon::prelude::*;
use report::Report;
use results::{Columns, Settings};
use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use store::Store;
use study::Truth;
use table::Table;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

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
  correlate --truth accuracies.csv --out report --preset table9 --dedupe")]
struct Arguments {
    #[command(flatten)]
    space: SpaceArguments,
    #[command(flatten)]
    scoring: ScoringArguments,
    /// Table of architectures and accuracies
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The column of architectures
    #[arg(long, default_value = "arch", value_name = "NAME")]
    arch_column: String,
    /// Columns of accuracies [default: every other column of numbers]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    columns: Vec<String>,
    /// Use so many rows, drawn at random
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Seeds to score under, from --seed on
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Folder for the report and the scores
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Score cells that compute the same function once (nb201); what is counted on the graph stays each cell's own
    #[arg(long)]
    dedupe: bool,
    /// Leave out rows with unknown architectures instead of giving up
    #[arg(long)]
    skip_unknown: bool,
    /// Proxies of the ablation, the scatter and the chosen aggregate: paper, extended, all, or names between commas
    #[arg(long, default_value_t)]
    proxies: ProxySet,
    /// Several settings, or a recommended one
    #[arg(long, value_enum)]
    preset: Option<Preset>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Batch 8 with half-split sigma: ranks like batch 64, at an eighth of the work
    Fast,
    /// The paper's ablation: all subsets of its four proxies
    Table4,
    /// The paper's five initialisations
    Table8,
    /// The paper's five batch sizes, the small ones with half-split sigma too
    Table9,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("correlate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(arguments.scoring.workers()).build_global()?;
    let representatives = match (arguments.dedupe, arguments.space.space) {
        (false, _) => Representatives::none(),
        (true, SpaceName::Nb201) => Representatives::of_cells(),
        (true, _) => return Err("--dedupe knows cells of nb201 only".into()),
    };
    let settings = arguments.settings();
    let table = arguments.read(&settings)?;
    let truths = Truth::of(&table);
    fs::create_dir_all(&arguments.out)?;
    let mut store = Store::open(&arguments.out.join("scores.csv"))?;

    let mut overview = Settings::new();
    let mut first = Vec::new();
    for setting in &settings {
        let seeds = arguments.score(&table, setting, &representatives, &mut store, &mut overview, &truths)?;
        if first.is_empty() {
            first = seeds;
        }
    }
    let report = arguments.report(&table, &truths, &settings[0], &first, overview)?;
    report.write(&arguments.out)?;
    // Everything is on disk: whoever reads the terminal may stop when they like.
    let _ = writeln!(stdout(), "{}\n{}", report.text(), arguments.out.join("report.html").display());
    Ok(())
}

impl Arguments {
    /// What to score under.
    fn settings(&self) -> Vec<Setting> {
        let options = self.scoring.options(self.space.default_resolution());
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
        all.into_iter().map(|options| Setting { label: label(&options), options }).collect()
    }

    /// Reads the table; every architecture in it can be scored under every setting.
    fn read(&self, settings: &[Setting]) -> Result<Table> {
        let request = table::Request {
            arch_column: &self.arch_column,
            columns: &self.columns,
            sample: self.sample,
            seed: self.scoring.seed,
            skip_unknown: self.skip_unknown,
        };
        let file = File::open(&self.truth).map_err(|error| format!("{}: {error}", self.truth.display()))?;
        let table = table::read(file, &request, |arch| Ok(self.space.network(arch).map(drop)?))
            .map_err(|error| format!("{}: {error}", self.truth.display()))?;
        const SHOWN: usize = 5;
        for skipped in table.skipped.iter().take(SHOWN) {
            eprintln!("correlate: left out: line {}: {}", skipped.line, skipped.reason);
        }
        if table.skipped.len() > SHOWN {
            eprintln!("correlate: left out: {} lines more", table.skipped.len() - SHOWN);
        }
        table.architectures.par_iter().try_for_each(|arch| {
            let network = self.space.network(arch)?;
            settings.iter().try_for_each(|setting| {
                aznas::workspace_size(&*network, &setting.options, &aznas::tensor::Random).map(drop)
            })
        })?;
        Ok(table)
    }

    /// Scores the table under every seed of a setting.
    fn score(
        &self,
        table: &Table,
        setting: &Setting,
        representatives: &Representatives,
        store: &mut Store,
        overview: &mut Settings,
        truths: &[Truth],
    ) -> Result<Vec<Columns>> {
        let counts = campaign::counts(table, &self.space, &setting.options)?;
        let mut total = Effort::default();
        let mut seeds = Vec::new();
        for seed in 0..self.seeds {
            let options = Options { seed: setting.options.seed.wrapping_add(seed), ..setting.options };
            let setting = Setting { options, ..setting.clone() };
            let effort = campaign::score(table, &self.space, &setting, representatives, store)?;
            total.scored += effort.scored;
            total.milliseconds += effort.milliseconds;
            total.workspace_bytes = total.workspace_bytes.max(effort.workspace_bytes);
            seeds.push(campaign::proxies(table, &counts, &self.space, &setting, representatives, store)?);
        }
        overview.add(setting, truths, &seeds, &total);
        Ok(seeds)
    }

    /// The report: all settings in a table, the first one in detail.
    fn report(
        &self,
        table: &Table,
        truths: &[Truth],
        setting: &Setting,
        seeds: &[Columns],
        overview: Settings,
    ) -> Result<Report> {
        let seed = self.scoring.seed;
        let subtitle = format!(
            "{}: {} rows{}. In detail: {}, {} seed(s) from {seed}. {}",
            self.truth.display(),
            table.rows.len(),
            if self.dedupe { ", equal cells scored once" } else { "" },
            setting.label,
            self.seeds,
            results::compared(truths)
        );
        let proxies = self.space.ranked(self.proxies);
        let mut report = Report::new("Scores against trained accuracy".into(), subtitle);
        report.sheet(overview.finish());
        report.sheet(results::correlations(truths, seeds, proxies));
        let columns = &seeds[0];
        results::ranks(&mut report, table, truths, columns, proxies, &self.out)?;
        results::ablation(&mut report, truths, seeds, proxies);
        results::matrix(&mut report, truths, columns);
        report.sheet(results::selected(truths, columns, proxies, seed));
        results::choice(&mut report, truths, columns, seed);
        results::best(&mut report, table, truths, columns, proxies);
        Ok(report)
    }
}
