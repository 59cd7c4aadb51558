//! Ranks trained architectures by their scores and says how well that predicts their accuracy.

mod arguments;
mod campaign;
mod ceiling;
mod choice;
#[path = "../common/mod.rs"]
mod common;
mod correlations;
mod exhibit;
mod field;
mod forms;
mod measurement;
mod named;
#[path = "../common/networks.rs"]
mod networks;
mod paper;
mod picture;
mod records;
mod report;
mod reproduction;
mod results;
mod scored;
mod shards;
mod sheet;
mod statistics;
mod study;
mod table;

use arguments::Arguments;
use aznas::proxy::ProxySet;
use aznas::spaces::SpaceName;
use campaign::{Case, Effort, Representatives};
use clap::Parser;
use common::failure::{At, Failure, Result, quoted};
use common::refusal;
use common::setting::Setting;
use common::space::not_empty;
use exhibit::Exhibit;
use named::Networks;
use networks::Origin;
use rayon::prelude::*;
use report::Report;
use scored::Scored;
use std::fs::{self, File};
use std::io::{Write, stdout};
use std::process::ExitCode;
use study::Truth;
use table::Table;

fn main() -> ExitCode {
    match run(&Arguments::parse().settled()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit("correlate"),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    arguments.check()?;
    // Ranking keeps no more than the cores busy.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.scoring.workers().min(cores);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| format!("--threads: {error}"))?;
    let representatives = match (arguments.dedupe, arguments.space.space) {
        (false, _) => Representatives::none(),
        (true, Origin::Space(SpaceName::Nb201)) => Representatives::of_cells(),
        (true, _) => return Err("--dedupe knows cells of nb201 only".into()),
    };
    not_empty(arguments.space.ranked(arguments.proxies()))?;
    let cases = arguments.cases();
    let networks = Networks::of(&arguments.space, arguments.networks.as_deref())?;
    let networks = if arguments.scores.is_empty() { networks } else { networks.of_any_file() };
    let table = arguments.read(&networks, &cases)?;
    let asked: Vec<Setting> = cases.iter().map(|case| networks.setting(&case.options)).collect();
    let joined = if arguments.scores.is_empty() { None } else { Some(shards::join(&arguments.scores, &asked)?) };
    fs::create_dir_all(&arguments.out).at(&arguments.out)?;
    let path = arguments.out.join("scores.csv");
    let mut scored = joined.map_or_else(|| Scored::open(&path), Ok)?;

    let others: Option<Vec<_>> = asked.iter().map(|setting| scored.others(setting)).collect();
    if let Some((count, differences)) = others.and_then(|others| others.into_iter().next()) {
        let path = path.display();
        eprintln!("note: none of the {count} scores in {path} is of use here: {differences}");
    }
    let report = match arguments.exhibits() {
        Some(exhibits) => arguments.reproduction(exhibits, &table, &networks, &representatives, &mut scored)?,
        None => arguments.study(&table, &networks, &cases[0], &representatives, &mut scored)?,
    };
    report.write(&arguments.out)?;
    // Everything is on disk: whoever reads the terminal may stop when they like.
    let _ = writeln!(stdout(), "{}\n{}", report.text(), arguments.out.join("report.html").display());
    Ok(())
}

impl Arguments {
    /// Reads the table; every architecture in it can be scored in every case.
    fn read(&self, networks: &Networks, cases: &[Case]) -> Result<Table> {
        let request = table::Request {
            arch_column: &self.arch_column,
            columns: &self.columns,
            sample: self.sample,
            seed: self.scoring.seed,
            skip_unknown: self.skip_unknown,
        };
        let file = self.table();
        let table = if self.nds.is_some() {
            records::read(&fs::read_to_string(file).at(file)?, &request)
        } else {
            let check = |arch: &str| networks.candidate(arch, &cases[0].options).map(drop);
            table::read(File::open(file).at(file)?, &request, check)
        };
        let table = table.map_err(|reason| Failure::content(file, reason))?;
        table.remarks.iter().for_each(|remark| eprintln!("note: {remark}"));
        const SHOWN: usize = 5;
        for skipped in table.skipped.iter().take(SHOWN) {
            eprintln!("note: left out: line {}: {}", skipped.line, skipped.reason);
        }
        if table.skipped.len() > SHOWN {
            eprintln!("note: left out: {} lines more", table.skipped.len() - SHOWN);
        }
        table.architectures.par_iter().try_for_each(|arch| {
            let candidate = networks.candidate(arch, &cases[0].options)?;
            let size = |case: &Case| candidate.workspace_size(&case.options).map(drop);
            let refuse = |error| Failure::from(format!("{}: {}", quoted(arch), refusal::of(error)));
            cases.iter().try_for_each(size).map_err(refuse)
        })?;
        Ok(table)
    }

    /// Tables and figures of the paper.
    fn reproduction(
        &self,
        exhibits: &'static [Exhibit],
        table: &Table,
        networks: &Networks,
        representatives: &Representatives,
        scored: &mut Scored,
    ) -> Result<Report> {
        let request = reproduction::Request {
            exhibits,
            table,
            networks,
            representatives,
            options: self.options(),
            wishes: self.wishes(),
            workers: self.scoring.workers(),
            has: self.space.ranked(ProxySet::ALL),
        };
        let mut report = Report::new("The paper's tables and figures".into(), self.subtitle(table, &Truth::of(table)));
        reproduction::reproduce(&request, scored, &mut report)?;
        Ok(report)
    }

    /// A study of the proxies that are asked for.
    fn study(
        &self,
        table: &Table,
        networks: &Networks,
        case: &Case,
        representatives: &Representatives,
        scored: &mut Scored,
    ) -> Result<Report> {
        let truths = Truth::of(table);
        let counts = campaign::counts(table, networks, &case.options)?;
        let peaks = campaign::peaks(table, networks, &case.options)?;
        let (mut total, mut seeds) = (Effort::default(), Vec::new());
        for seed in 0..self.seeds.unwrap_or(1) {
            let case = case.after(seed);
            total.add(campaign::score(table, networks, &case, representatives, self.scoring.workers(), scored)?);
            seeds.push(campaign::proxies(table, &counts, networks, &[case], representatives, scored)?);
        }
        let (known, proxies, seed) = (case.options.proxies, self.space.ranked(self.proxies()), self.scoring.seed);
        let mut report = Report::new(
            "Scores against trained accuracy".into(),
            format!("{} {}.", self.subtitle(table, &truths), case.label),
        );
        report.sheet(results::setting(case, &truths, &seeds, &total));
        report.sheet(results::correlations(&truths, &seeds, &peaks, known, proxies));
        let columns = &seeds[0];
        results::ranks(&mut report, table, &truths, columns, known, proxies, &self.out)?;
        results::ablation(&mut report, &truths, &seeds, proxies);
        results::matrix(&mut report, &truths, columns, known);
        report.sheet(results::selected(&truths, columns, known, proxies, seed));
        results::choice(&mut report, &truths, columns, known, proxies, seed);
        results::best(&mut report, table, &truths, columns, known, proxies);
        Ok(report)
    }

    /// Which rows a report is of, and what they are compared with.
    fn subtitle(&self, table: &Table, truths: &[Truth]) -> String {
        let (file, rows, seed) = (self.table().display(), table.rows.len(), self.scoring.seed);
        let dedupe = if self.dedupe { ", equal cells scored once" } else { "" };
        let compared = results::compared(truths);
        let compared = if compared.is_empty() { compared } else { format!(" {compared}.") };
        format!("{file}: {rows} rows{dedupe}. Seeds from {seed}.{compared}")
    }
}
