//! Studies across spaces: which proxies, and which sets of them, rank networks of every benchmark.

mod benchmark;
mod budgets;
#[path = "../common/mod.rs"]
mod common;
mod frontier;
#[path = "../correlate/picture/mod.rs"]
#[allow(dead_code, unused_imports)] // correlate draws the rest
mod picture;
mod sets;
#[path = "../correlate/sheet.rs"]
#[allow(dead_code)] // pictures escape text as tables do
mod sheet;
#[path = "../correlate/statistics.rs"]
#[allow(dead_code)] // correlate uses the rest
mod statistics;

use aznas::proxy::{Proxy, ProxySet};
use benchmark::{Benchmark, Figures};
use clap::Parser;
use common::failure::{At, Failure, Result};
use frontier::Priced;
use picture::{Bar, bars};
use sets::Choice;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compare proxies and sets of proxies across benchmarks, and choose sets without the benchmark they are judged on.
///
/// Scores nothing: each folder is what `correlate --out` has written for one benchmark.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  across --out study nb201 nb101 macro accel
  across --out study --set expressivity,trainability --set isotropy,params nb201 nb101
  across --out study --proxies blockwise --tolerance 0 nb201 nb101")]
struct Arguments {
    /// Folders of `correlate --out`, one a benchmark, called by their last part
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The column of accuracies [default: the first of each table]
    #[arg(long)]
    column: Option<String>,
    /// A set of your own beside those that have names, as often as you like
    #[arg(long = "set", value_name = "PROXIES")]
    sets: Vec<ProxySet>,
    /// Proxies that a set is chosen from, at most 16
    #[arg(long, default_value_t = CANDIDATES)]
    proxies: ProxySet,
    /// How far below the highest mean of tau that of the chosen set may be, which is the largest such set
    #[arg(long, default_value_t = 0.03)]
    tolerance: f64,
    /// The output folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What does not depend on how many blocks there are, or is counted to say just that: means over blocks of what each is by
/// itself, and sizes; nothing twice. Accuracies had a part in this list: see docs/ranking.md.
const CANDIDATES: ProxySet = ProxySet::GENERAL;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit("across"),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if arguments.proxies.len() > Choice::MOST {
        return Err(Failure::Message(format!("--proxies: more than {} to choose from", Choice::MOST)));
    }
    if arguments.tolerance.is_nan() || arguments.tolerance < 0.0 {
        return Err(Failure::Message("--tolerance: not a number from 0 up".to_string()));
    }
    let benchmarks = arguments
        .folders
        .iter()
        .map(|folder| Benchmark::read(folder, arguments.column.as_deref()))
        .collect::<Result<Vec<_>>>()?;
    for set in &arguments.sets {
        benchmarks.iter().try_for_each(|benchmark| benchmark.has_measured(*set))?;
    }
    std::fs::create_dir_all(&arguments.out).at(&arguments.out)?;

    let measured = |proxy: &Proxy| benchmarks.iter().any(|benchmark| benchmark.measured.contains(*proxy));
    let alone = Proxy::ALL.into_iter().filter(measured);
    let alone = alone.map(|proxy| (proxy.name().to_string(), ProxySet::of(&[proxy])));
    let named = ProxySet::NAMED.iter().filter(|(_, set)| set.without(ProxySet::BLOCKWISE).is_empty());
    let named = named.map(|&(name, set)| (name.to_string(), set));
    let own = arguments.sets.iter().map(|&set| (set.to_string(), set));
    let rows: Vec<_> = named.chain(own).chain(alone).collect();
    write_figures(&arguments.out.join("figures.csv"), &benchmarks, &rows)?;
    write_budgets(&arguments.out.join("budgets.csv"), &benchmarks, &rows)?;

    let path = arguments.out.join("taus.svg");
    std::fs::write(&path, drawn(&benchmarks)).at(&path)?;

    let priced = arguments.folders.iter().zip(&benchmarks);
    let priced = priced.map(|(folder, benchmark)| Priced::read(folder, &benchmark.name, arguments.column.as_deref()));
    let priced: Vec<Priced> = priced.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    if !priced.is_empty() {
        let path = arguments.out.join("frontier.svg");
        let drawn = frontier::picture(&priced).map_err(|error| format!("{}: {error}", path.display()))?;
        std::fs::write(&path, drawn).at(&path)?;
    }

    let choice = Choice::new(&benchmarks, arguments.proxies);
    write_best(&arguments.out.join("best.csv"), &benchmarks, &choice)?;
    let left_out = leave_one_out(&benchmarks, &choice, arguments.tolerance);
    write_left_out(&arguments.out.join("left-out.csv"), &left_out)?;
    print(&benchmarks, &rows, &left_out);
    println!("written to {}", arguments.out.display());
    Ok(())
}

/// A benchmark that had no part in the choice of a set.
struct LeftOut<'b> {
    benchmark: &'b str,
    rule: &'static str,
    /// The set chosen by the others, and by all.
    sets: [ProxySet; 2],
    /// τ of each on this one, and of the paper's four.
    taus: [f64; 3],
}

/// What is lost by the choice, and beside it by taking the best set.
fn leave_one_out<'b>(benchmarks: &'b [Benchmark], choice: &Choice, tolerance: f64) -> Vec<LeftOut<'b>> {
    if benchmarks.len() < 2 {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (rule, tolerance) in [("largest near the best", tolerance), ("best", 0.0)] {
        let by_all = choice.chosen(None, tolerance);
        for (place, benchmark) in benchmarks.iter().enumerate() {
            let sets = [choice.chosen(Some(place), tolerance), by_all];
            let taus = [sets[0], sets[1], ProxySet::PAPER].map(|set| benchmark.tau(set));
            rows.push(LeftOut { benchmark: &benchmark.name, rule, sets, taus });
        }
    }
    rows
}

fn figure(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.3}"))
}

fn write_figures(path: &Path, benchmarks: &[Benchmark], rows: &[(String, ProxySet)]) -> Result<()> {
    let mut writer = csv::Writer::from_path(path).at(path)?;
    writer.write_record(["proxies", "benchmark", "networks"].iter().chain(&Figures::NAMES)).at(path)?;
    for (name, set) in rows {
        for benchmark in benchmarks {
            let figures = benchmark.figures(*set).values().map(figure);
            let head = [name.clone(), benchmark.name.clone(), benchmark.len().to_string()];
            writer.write_record(head.into_iter().chain(figures)).at(path)?;
        }
    }
    writer.flush().at(path)
}

/// What a benchmark's ranking by `general` and by the paper's four is worth, and among networks of nearly one size.
fn drawn(benchmarks: &[Benchmark]) -> String {
    let pairs = |benchmark: &Benchmark| {
        let figures =
            [ProxySet::GENERAL, ProxySet::PAPER].map(|set| benchmark.figures(set).values().collect::<Vec<_>>());
        [(0, ""), (1, ", equal multiply-adds")].map(|(place, of)| Bar {
            label: format!("{}{of}", benchmark.name),
            values: figures.each_ref().map(|figures| figures[place]),
            published: None,
        })
    };
    let drawn: Vec<Bar> = benchmarks.iter().flat_map(pairs).collect();
    bars(&drawn, ["general", "the paper's four"], "Kendall's tau with trained accuracy")
}

fn write_budgets(path: &Path, benchmarks: &[Benchmark], rows: &[(String, ProxySet)]) -> Result<()> {
    let mut writer = csv::Writer::from_path(path).at(path)?;
    let heading = ["proxies", "benchmark", "budgets of", "accuracy found", "drawn blindly", "best there is"];
    writer.write_record(heading).at(path)?;
    for (name, set) in rows {
        for benchmark in benchmarks {
            for size in [Proxy::Flops, Proxy::Params] {
                let found = budgets::found(benchmark, *set, size);
                let figures = found.map_or([None; 3], |found| [found.chosen, found.drawn, found.best].map(Some));
                let head = [name, benchmark.name.as_str(), size.name()].map(str::to_string);
                writer.write_record(head.into_iter().chain(figures.map(figure))).at(path)?;
            }
        }
    }
    writer.flush().at(path)
}

/// How many of the best sets are written.
const SHOWN: usize = 50;

fn write_best(path: &Path, benchmarks: &[Benchmark], choice: &Choice) -> Result<()> {
    let mut writer = csv::Writer::from_path(path).at(path)?;
    let names = benchmarks.iter().map(|benchmark| benchmark.name.as_str());
    writer.write_record(["proxies", "mean"].into_iter().chain(names)).at(path)?;
    for set in choice.best(SHOWN) {
        let taus: Vec<f64> = benchmarks.iter().map(|benchmark| benchmark.tau(set)).collect();
        let mean = taus.iter().sum::<f64>() / taus.len() as f64;
        let figures = [mean].into_iter().chain(taus).map(|tau| figure(Some(tau)));
        writer.write_record([set.to_string()].into_iter().chain(figures)).at(path)?;
    }
    writer.flush().at(path)
}

fn write_left_out(path: &Path, rows: &[LeftOut<'_>]) -> Result<()> {
    let mut writer = csv::Writer::from_path(path).at(path)?;
    let heading = ["benchmark", "rule", "chosen without it", "tau", "chosen with it", "tau", "loss", "paper's four"];
    writer.write_record(heading).at(path)?;
    for LeftOut { benchmark, rule, sets: [without, with], taus } in rows {
        let [of_without, of_with, paper] = taus.map(|tau| figure(Some(tau)));
        let loss = figure(Some(taus[1] - taus[0]));
        let (without, with) = (without.to_string(), with.to_string());
        writer.write_record([*benchmark, rule, &without, &of_without, &with, &of_with, &loss, &paper]).at(path)?;
    }
    writer.flush().at(path)
}

fn print(benchmarks: &[Benchmark], rows: &[(String, ProxySet)], left_out: &[LeftOut<'_>]) {
    let line = |name: &str, cells: &[String]| {
        println!("{name:<28}{}", cells.iter().map(|cell| format!("{cell:>12}")).collect::<String>());
    };
    let names: Vec<String> = benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect();
    line("Kendall's tau", &[names, vec!["mean".to_string()]].concat());
    for (name, set) in rows {
        let taus: Vec<f64> = benchmarks.iter().map(|benchmark| benchmark.tau(*set)).collect();
        let mean = taus.iter().sum::<f64>() / taus.len() as f64;
        line(name, &taus.into_iter().chain([mean]).map(|tau| format!("{tau:.3}")).collect::<Vec<_>>());
    }
    for LeftOut { benchmark, rule, sets: [without, with], taus } in left_out {
        println!("{rule}: {benchmark}: {:.3} by {without}, chosen without it; {:.3} by {with}", taus[0], taus[1]);
    }
}
