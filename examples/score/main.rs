//! Scores architectures without training them.

mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod input;
#[path = "../common/networks.rs"]
mod networks;
mod output;

use arguments::{Arguments, Format};
use aznas::Options;
use aznas::proxy::Flags;
use clap::Parser;
use common::batch;
use common::failure::{Failure, Result};
use common::progress::progress_bar;
use common::refusal;
use common::scoring::{Outcome, Scorer};
use common::setting::Setting;
use common::side_by_side;
use common::space::not_empty;
use input::Request;
use networks::{Candidate, NetworkArguments, Origin};
use output::Output;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit("score"),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let options = arguments.options();
    let proxies = not_empty(arguments.space.ranked(arguments.proxies))?;
    let (space, setting, blocks) = (arguments.space.clone(), arguments.setting(), arguments.blocks);
    let requests = input::requests(arguments.architectures.clone(), arguments.space.space == Origin::Graph);
    if arguments.print_graph {
        return print_graphs(requests, &space, &options, io::stdout().lock());
    }
    // Lines are answered one by one. What is all there before anything is answered is looked at first.
    let is_stream = arguments.format != Format::Table && arguments.architectures.iter().any(|text| text == "-");
    let (requests, count): (Box<dyn Iterator<Item = Result<Request>> + Send>, usize) = if is_stream {
        (Box::new(requests), 0)
    } else {
        let requests = requests.collect::<Result<Vec<_>>>()?;
        if !arguments.keep_going {
            requests.iter().try_for_each(|request| check(request, &space, &options))?;
        }
        let count = requests.len();
        (Box::new(requests.into_iter().map(Ok)), count)
    };
    let work = {
        let setting = setting.clone();
        move |scorer: &mut Scorer, request: Result<Request>| {
            let request = request?;
            let outcome = answer(&request, scorer, &space, &options, &setting, blocks);
            Ok::<_, Failure>((request, outcome))
        }
    };
    let answers = side_by_side::in_order(requests, arguments.scoring.workers(), work);
    let progress = progress_bar(count);
    let mut out = Output::new(arguments.format, proxies, setting, io::stdout().lock());
    out.begin().map_err(Failure::Output)?;
    let mut is_told = false;
    for answer in answers.map_err(|error| format!("--threads: {error}"))? {
        let (Request { place, arch, .. }, outcome) = answer?;
        match outcome {
            Ok(answer) => {
                let is_chosen = arguments.scoring.batch != batch::AUTO;
                if answer.outcome.scores.flags.contains(Flags::FEW_POSITIONS) && is_chosen && !is_told {
                    eprintln!("{}", batch::TOO_SMALL);
                    is_told = true;
                }
                out.row(&answer.name.unwrap_or(arch), answer.seed, answer.outcome)
            }
            Err(reason) if arguments.keep_going => out.refuse(&arch, &place, &reason),
            Err(reason) => return Err(format!("{place}: {reason}").into()),
        }
        .map_err(Failure::Output)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    out.end().map_err(Failure::Output)
}

/// Whether a request can be scored.
fn check(request: &Request, space: &NetworkArguments, options: &Options) -> Result<()> {
    let candidate = candidate(request, space, options)?;
    let size = candidate.workspace_size(options);
    Ok(size.map(drop).map_err(|error| format!("{}: {}", request.place, refusal::of(error)))?)
}

/// The network of a request.
fn candidate(request: &Request, space: &NetworkArguments, options: &Options) -> Result<Candidate> {
    let refuse = |reason: String| format!("{}: {reason}", request.place);
    request.asked.clone().map_err(refuse)?;
    let candidate = space.candidate(&request.arch, options).map_err(refuse)?;
    if let Some(remark) = candidate.remark {
        eprintln!("note: {}: {remark}", request.place);
    }
    Ok(candidate)
}

/// Prints the networks of all requests as graphs.
fn print_graphs(
    requests: impl Iterator<Item = Result<Request>>,
    space: &NetworkArguments,
    options: &Options,
    mut out: impl Write,
) -> Result<()> {
    for request in requests {
        let request = request?;
        let graph = candidate(&request, space, options)?.graph(&request.arch, options);
        let refuse = |reason: String| format!("{}: {reason}", request.place);
        let text = graph.map_err(|error| refuse(refusal::of(error)))?.print();
        writeln!(out, "{}", text.map_err(|error| refuse(error.to_string()))?).map_err(Failure::Output)?;
    }
    out.flush().map_err(Failure::Output)
}

/// The scores of a request.
struct Answer {
    /// What the network is called, if not by its text.
    name: Option<String>,
    seed: u64,
    outcome: Outcome,
}

/// Scores a request, or says why it cannot be.
fn answer(
    request: &Request,
    scorer: &mut Scorer,
    space: &NetworkArguments,
    options: &Options,
    setting: &Setting,
    blocks: bool,
) -> std::result::Result<Answer, String> {
    let asked = request.asked.as_ref()?;
    if let Some(granted) = &asked.setting {
        let differences = Setting::parse(granted).differences(setting);
        if !differences.is_empty() {
            return Err(format!("not the setting asked for: {differences}"));
        }
    }
    let options = Options { seed: asked.seed.unwrap_or(options.seed), ..*options };
    let candidate = space.candidate(&request.arch, &options)?;
    let options = candidate.options(&options);
    let outcome = scorer.score(&*candidate.network, &*candidate.source, &options, blocks).map_err(refusal::of)?;
    Ok(Answer { name: candidate.name, seed: options.seed, outcome: outcome.with_names(candidate.features) })
}
