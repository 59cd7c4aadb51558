//! What a search with many workers comes to: the program `search` with workers that only seem to score, and what is found on
//! NAS-Bench-201 with many candidates in flight.

#[path = "../mpi/src/answer.rs"]
mod answer;
#[allow(dead_code, reason = "these workers do not score")]
#[path = "../search/arguments.rs"]
mod arguments;
#[path = "../search/assessment.rs"]
mod assessment;
#[path = "../search/charts.rs"]
mod charts;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "these workers do not score")]
#[path = "../search/crew.rs"]
mod crew;
#[path = "../search/drawing.rs"]
mod drawing;
#[path = "../search/driver.rs"]
mod driver;
#[path = "../search/finals.rs"]
mod finals;
#[allow(dead_code, reason = "these workers do not score")]
#[path = "../search/interrupt.rs"]
mod interrupt;
#[path = "../search/latency.rs"]
mod latency;
mod picture;
#[path = "../search/progress.rs"]
mod progress;
mod quality;
#[path = "../search/record.rs"]
mod record;
mod recorded;
#[allow(dead_code, reason = "these workers do not score")]
#[path = "../search/remembered.rs"]
mod remembered;
mod workers;

use arguments::Arguments;
use aznas::spaces::{Space, Visitor};
use clap::Parser;
use common::failure::{At, Failure, Result};
use quality::Found;
use recorded::Recorded;
use std::path::PathBuf;
use std::process::ExitCode;
use workers::{Course, Workers};

/// Simulate searches with many workers.
///
/// Rank 0 is the real one, with its search, its messages and its files. The workers' time is that of recorded scores.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  simulate --times seconds.txt --scores scores.csv --accuracies accuracies.csv --out scale.svg
  simulate --times seconds.txt --scores scores.csv --accuracies accuracies.csv --workers 1000 --seconds 0.5 --out half.svg")]
struct Simulation {
    /// Seconds that scores of MobileNetV2 structures took, one a line
    #[arg(long, value_name = "FILE")]
    times: PathBuf,
    /// Scores of NAS-Bench-201 cells: lines of arch and the paper's four proxies
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
    /// Accuracies of the same cells: lines of arch and accuracy
    #[arg(long, value_name = "FILE")]
    accuracies: PathBuf,
    /// Seconds that a score is to take in the mean; recorded times are stretched to it
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Numbers of workers
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1_000, 10_000])]
    workers: Vec<u16>,
    /// Candidates out at a time, for each worker
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4])]
    for_each: Vec<u16>,
    /// Candidates of a search with so many workers
    #[arg(long, default_value_t = 100_000)]
    iterations: usize,
    /// Numbers of candidates in flight
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 256])]
    in_flight: Vec<usize>,
    /// Searches of cells for each of these numbers
    #[arg(long, default_value_t = 200)]
    runs: u64,
    /// The picture
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match simulate(&Simulation::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit("simulate"),
    }
}

fn simulate(simulation: &Simulation) -> Result<()> {
    let recorded = Recorded::read(&simulation.scores, &simulation.accuracies)?;
    let times = recorded::times(&simulation.times, simulation.seconds)?;
    let mut courses = Vec::new();
    for &count in &simulation.workers {
        for &share in &simulation.for_each {
            courses.push(course(simulation, &times, count, count.saturating_mul(share))?);
        }
    }
    println!("\nworkers  in flight  efficiency  rank 0 busy  of it a candidate");
    for course in &courses {
        println!(
            "{:>7}  {:>9}  {:>8.1} %  {:>9.2} %  {:>14.1} µs",
            course.workers,
            course.in_flight,
            100.0 * course.efficiency(),
            100.0 * course.busy_share(),
            1e6 * course.busy / simulation.iterations as f64
        );
    }
    println!("\nin flight  accuracy of the best cell, mean of {} searches", simulation.runs);
    let mut found = Vec::new();
    for &in_flight in &simulation.in_flight {
        let result = Found::by_searches(&recorded, in_flight, simulation.runs)?;
        println!("{in_flight:>9}  {:.2} ± {:.2}", result.mean, result.error);
        found.push(result);
    }
    let picture = picture::picture(&courses, &found);
    let picture = picture.map_err(|error| Failure::content(&simulation.out, error.to_string()))?;
    std::fs::write(&simulation.out, picture).at(&simulation.out)
}

/// A search of MobileNetV2 structures by so many workers, in a folder that is gone afterwards.
fn course(simulation: &Simulation, times: &[f64], count: u16, in_flight: u16) -> Result<Course> {
    let folder = simulation.out.with_extension("search");
    let iterations = simulation.iterations.to_string();
    let mut arguments =
        Arguments::parse_from(["search", "--space", "mbv2", "--flops", "450e6", "--iterations", &iterations]);
    arguments.scoring.threads = Some(in_flight);
    arguments.out = Some(folder.clone());
    let workers = Workers::new(count, times.to_vec());
    let settings = arguments.space_settings(arguments.options().height);
    let searched = arguments.space.space.visit(&settings, Searching(&arguments, &workers))?;
    std::fs::remove_dir_all(&folder).at(&folder)?;
    match searched? {
        None => Ok(workers.course()),
        Some(_) => Err("interrupted".to_string().into()),
    }
}

/// Searches a space.
struct Searching<'a>(&'a Arguments, &'a Workers);

impl Visitor for Searching<'_> {
    type Output = Result<Option<usize>>;

    fn visit<S: Space>(self, space: S) -> Self::Output {
        driver::search(&space, self.0, self.1)
    }
}
