//! Scores architectures without training them.

mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod input;
mod output;

use arguments::{Arguments, Format};
use aznas::Options;
use clap::Parser;
use common::candidate::SpaceArguments;
use common::failure::{Failure, Result};
use common::progress::progress_bar;
use common::refusal;
use common::scoring::{Outcome, Scorer};
use common::setting::Setting;
use common::side_by_side;
use input::Request;
use output::Output;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit("score"),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let options = arguments.options();
    let (space, setting, blocks) = (arguments.space.clone(), arguments.setting(), arguments.blocks);
    let requests = input::requests(arguments.architectures.clone());
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
    let mut out =
        Output::new(arguments.format, arguments.space.ranked(arguments.proxies), setting, io::stdout().lock());
    out.begin().map_err(Failure::Output)?;
    for answer in answers.map_err(|error| format!("--threads: {error}"))? {
        let (Request { place, arch, .. }, outcome) = answer?;
        match outcome {
            Ok((seed, outcome)) => out.row(&arch, seed, outcome),
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
fn check(request: &Request, space: &SpaceArguments, options: &Options) -> Result<()> {
    let refuse = |reason: String| format!("{}: {reason}", request.place);
    request.asked.clone().map_err(refuse)?;
    let network = space.network(&request.arch).map_err(refuse)?;
    let size = aznas::workspace_size(&*network, options, &aznas::tensor::Random);
    Ok(size.map(drop).map_err(|error| refuse(refusal::of(error)))?)
}

/// The seed and the scores of a request, or why there are none.
fn answer(
    request: &Request,
    scorer: &mut Scorer,
    space: &SpaceArguments,
    options: &Options,
    setting: &Setting,
    blocks: bool,
) -> std::result::Result<(u64, Outcome), String> {
    let asked = request.asked.as_ref()?;
    if let Some(granted) = &asked.setting {
        let differences = Setting::parse(granted).differences(setting);
        if !differences.is_empty() {
            return Err(format!("not the setting asked for: {differences}"));
        }
    }
    let options = Options { seed: asked.seed.unwrap_or(options.seed), ..*options };
    let network = space.network(&request.arch)?;
    let outcome = scorer.score(&*network, &options, blocks).map_err(refusal::of)?;
    Ok((options.seed, outcome))
}
