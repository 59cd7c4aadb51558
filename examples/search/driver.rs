//! A search from its beginning or its last line to its end, whoever scores the candidates.

use crate::arguments::Arguments;
use crate::assessment::Assessed;
use crate::common::batch;
use crate::common::failure::{At, Failure, Result};
use crate::common::setting::Setting;
use crate::crew::{Crew, Task};
use crate::interrupt::Interrupt;
use crate::latency::Table;
use crate::progress::Progress;
use crate::record::{Line, Record};
use crate::{charts, drawing, finals};
use aznas::aggregate::{Mode, aggregate};
use aznas::search::{Cost, Search, SearchSpace, Settings};
use aznas::spaces::Space;
use aznas::tensor::Random;
use serde_json::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the disk is made sure to hold what was found.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);

/// Searches with the help of `crew`; tells the signal that has ended the search early.
pub fn search<S: Space>(space: &S, arguments: &Arguments, crew: &impl Crew) -> Result<Option<usize>> {
    let settings = arguments.settings(space)?;
    let options = arguments.options();
    let setting = arguments.setting()?;
    let latency = match (&arguments.latency, &arguments.latency_table) {
        (None, _) => None,
        (Some(_), Some(path)) => Some(Table::read(path)?),
        (Some(_), None) => Some(Table::measured(options)),
    };
    let resolution = arguments.space_settings(options.height).target_resolution as usize;
    let assessed = Assessed::new(space, options, settings.budget, resolution, latency);
    // Settings that cannot work are refused before anything is written.
    let mut search = Search::new(&assessed, settings.clone())?;
    let trial = search.clone().ask().map_err(|error| assessed.explain(error))?;
    if let Some(candidate) = trial {
        space.with_scored(&candidate.architecture, |network| {
            let is_chosen = arguments.preset.is_none() && arguments.scoring.batch != batch::AUTO;
            if is_chosen && batch::is_too_small(network, &options) {
                eprintln!("{}", batch::TOO_SMALL);
            }
            aznas::workspace_size(network, &options, &Random).map(drop)
        })??;
    }
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => new_folder(arguments)?,
    };
    let (mut record, history) =
        Record::open(&folder, &setting, settings.proxies, arguments.resume, |line| recall(space, line))?;
    search = Search::resume(&assessed, settings.clone(), history)?;
    assessed.keep_latencies(&Record::latency_path(&folder), &setting)?;
    let interrupt = Interrupt::install().unwrap_or_else(|error| {
        eprintln!("note: an interrupt will lose the candidates at work: {error}");
        Interrupt::default()
    });

    let task = Task::new(space, arguments)?;
    let seed = |id| task.options(id).seed;
    let mut written = search.progress().told;
    let mut progress = Progress::new(written, settings.iterations);
    let (mut is_told, mut checked) = (false, Instant::now());
    crew.run(&mut search, &task, &|| interrupt.signal().is_some(), &mut |search| {
        for (id, (architecture, scores)) in search.history().enumerate().skip(written) {
            record.append(&line(&assessed, id, architecture, scores, seed(id))?)?;
            written = id + 1;
        }
        if checked.elapsed() >= CHECKPOINT_INTERVAL {
            record.checkpoint(best(search, &assessed, &setting, seed)?.as_ref())?;
            checked = Instant::now();
        }
        progress.update(written, || describe_best(search));
        if interrupt.signal().is_some() && !is_told {
            progress.say("stopping: waiting for the candidates at work (interrupt again to lose them)");
            is_told = true;
        }
        Ok(())
    })
    .map_err(|failure| match failure {
        Failure::Core(error) => assessed.explain(error),
        other => other,
    })?;
    let rate = progress.finish(written);
    let interrupted = interrupt.signal().filter(|_| written < settings.iterations);
    // What is left to be done decides what is ranked: the best of an interrupted search is the best of all it has.
    search.stop()?;
    record.checkpoint(best(&search, &assessed, &setting, seed)?.as_ref())?;
    let pictures = draw(&search, space, &settings, resolution, &folder)?;
    conclude(&search, &folder, &pictures, rate).map_err(Failure::Output)?;
    let interrupted = match interrupted {
        None if arguments.finals.is_some() => {
            second_round(&search, &assessed, arguments, &folder, &mut record, &|| interrupt.signal())?
        }
        signal => signal,
    };
    if interrupted.is_some() {
        eprintln!("{} of {} candidates are done; go on with", written, settings.iterations);
        eprintln!("  {}", arguments.resume_command(&folder));
    }
    Ok(interrupted)
}

/// A folder that no other search has.
fn new_folder(arguments: &Arguments) -> Result<PathBuf> {
    let parent = Path::new("searches");
    std::fs::create_dir_all(parent).at(parent)?;
    for number in 1.. {
        let folder = parent.join(format!("{}-{number}", arguments.space.space.name()));
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.at(&folder).map(|()| folder),
        }
    }
    unreachable!("there are more numbers than folders")
}

/// Scores the best candidates as published, if that is asked for; tells the signal that has ended it early.
fn second_round<S: Space>(
    search: &Search<&Assessed<'_, S>>,
    assessed: &Assessed<'_, S>,
    arguments: &Arguments,
    folder: &Path,
    record: &mut Record,
    signal: &dyn Fn() -> Option<usize>,
) -> Result<Option<usize>> {
    let (settings, count) = (search.settings(), arguments.finalists(search.progress().told));
    // One that came up again has been scored as published once.
    let mut leaders: Vec<(String, usize)> = Vec::new();
    for leader in search.top(count) {
        let arch = leader.architecture.to_string();
        if leaders.iter().all(|(other, _)| *other != arch) {
            leaders.push((arch, leader.id));
        }
    }
    let archs: Vec<String> = leaders.iter().map(|(arch, _)| arch.clone()).collect();
    let Some((finals, setting)) = finals::run(archs, arguments, settings, folder, &|| signal().is_some())? else {
        return Ok(signal());
    };
    let Some(first) = finals.first() else { return Ok(None) };
    let leader = leaders.iter().find(|(arch, _)| *arch == first.arch);
    let Some((step, (architecture, _))) = leader.and_then(|&(_, id)| Some((id, search.history().nth(id)?))) else {
        return Ok(None);
    };
    let line = line(assessed, step, architecture, &first.scores, arguments.published().seed)?;
    record.checkpoint(Some(&described(&line, first.aggregate, settings, &setting)))?;
    let scores = settings.proxies.iter().zip(&first.scores);
    let scores: Vec<_> = scores.map(|(proxy, score)| format!("{} {}", proxy.name(), short(*score))).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "best of {} finals", finals.len())
        .and_then(|()| writeln!(out, "  {}\n  {}", first.arch, scores.join("  ")))
        .and_then(|()| writeln!(out, "  step {step}  aggregate {:.4}", first.aggregate))
        .and_then(|()| writeln!(out, "written to {}", Record::finals_path(folder).display()))
        .map_err(Failure::Output)?;
    Ok(None)
}

/// The best candidate, with the names of the history.
fn described(line: &Line, aggregate: f64, settings: &Settings, setting: &Setting) -> serde_json::Value {
    let mut object = line.object(settings.proxies);
    object["aggregate"] = json!(aggregate);
    object["setting"] = json!(setting.to_string());
    object
}

fn line<S: Space>(
    assessed: &Assessed<'_, S>,
    step: usize,
    architecture: &S::Architecture,
    scores: &[f64],
    seed: u64,
) -> Result<Line> {
    let Cost { complexity, parameters, .. } = assessed.space().cost(architecture)?;
    Ok(Line {
        step,
        arch: architecture.to_string(),
        scores: scores.to_vec(),
        complexity,
        params: parameters,
        seed,
        latency: assessed.latency(architecture)?,
        peak_activation: assessed.peak_activation(architecture)?,
    })
}

/// The architecture of a line read back, provided that what can be computed again of it is what the line says.
fn recall<S: Space>(space: &S, line: &Line) -> std::result::Result<S::Architecture, String> {
    let refuse = |error| format!("arch: {error}");
    let architecture = space.parse(line.arch.as_bytes()).map_err(refuse)?;
    let cost = space.cost(&architecture).map_err(refuse)?;
    for (field, stored, counted) in
        [("complexity", line.complexity, cost.complexity), ("params", line.params as f64, cost.parameters as f64)]
    {
        if stored != counted {
            return Err(format!("{field} is {stored}, but that of the architecture is {counted}"));
        }
    }
    Ok(architecture)
}

/// The best candidate of the history.
fn best<S: Space>(
    search: &Search<&Assessed<'_, S>>,
    assessed: &Assessed<'_, S>,
    setting: &Setting,
    seed: impl Fn(usize) -> u64,
) -> Result<Option<serde_json::Value>> {
    let Some(best) = search.best() else { return Ok(None) };
    let line = line(assessed, best.id, best.architecture, best.scores, seed(best.id))?;
    Ok(Some(described(&line, best.aggregate, search.settings(), setting)))
}

/// A score as people read it: counts are large and whole.
fn short(score: f64) -> String {
    if score.abs() < 1e5 || !score.is_finite() { format!("{score:.4}") } else { format!("{:.2}M", score / 1e6) }
}

fn describe_best<A: SearchSpace>(search: &Search<A>) -> String {
    search.best().map_or_else(String::new, |best| {
        let scores = search.settings().proxies.iter().zip(best.scores);
        let scores: Vec<_> = scores.map(|(proxy, score)| format!("{} {}", proxy.symbol(), short(*score))).collect();
        format!("best: {}", scores.join("  "))
    })
}

/// Draws what there is to see; the paths of the pictures with what they show.
fn draw<S: Space, A: SearchSpace<Architecture = S::Architecture>>(
    search: &Search<A>,
    space: &S,
    settings: &Settings,
    side: usize,
    folder: &Path,
) -> Result<Vec<(&'static str, PathBuf)>> {
    let Some(best) = search.best() else { return Ok(Vec::new()) };
    let proxies = settings.proxies;
    let column = |place: usize| search.history().map(|(_, scores)| scores[place]).collect::<Vec<_>>();
    let columns: Vec<Vec<f64>> = (0..proxies.len()).map(column).collect();
    let mut aggregates = vec![0.0; columns[0].len()];
    let objective =
        |(proxy, column): (_, &Vec<f64>)| column.iter().map(|&score| settings.objective(proxy, score)).collect();
    let objectives: Vec<Vec<f64>> = proxies.iter().zip(&columns).map(objective).collect();
    let slices: Vec<&[f64]> = objectives.iter().map(Vec::as_slice).collect();
    let (weights, mut scratch) = (vec![1.0; proxies.len()], vec![0; aggregates.len()]);
    aggregate(&slices, &weights, Mode::Log, &mut aggregates, &mut scratch)?;
    let costs = search.history().map(|(architecture, _)| Ok(space.cost(architecture)?.complexity));
    let view = charts::View {
        columns: proxies.iter().zip(columns).collect(),
        aggregates: &aggregates,
        complexities: costs.collect::<Result<Vec<_>>>()?,
        budget: settings.budget.complexity,
    };
    let mut pictures = Vec::new();
    for (shows, name, picture) in [
        ("network", "network.svg", drawing::picture(space, best.architecture, side)),
        ("progress", "progress.svg", charts::progress(&view)),
        ("proxies", "proxies.svg", charts::proxies(&view)),
    ] {
        let path = folder.join(name);
        let picture = picture.map_err(|error| Failure::content(&path, error.to_string()))?;
        std::fs::write(&path, picture).at(&path)?;
        pictures.push((shows, path));
    }
    Ok(pictures)
}

fn conclude<A: SearchSpace<Architecture: std::fmt::Display>>(
    search: &Search<A>,
    folder: &Path,
    pictures: &[(&str, PathBuf)],
    rate: f64,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(best) = search.best() {
        let scores = search.settings().proxies.iter().zip(best.scores);
        let scores: Vec<_> = scores.map(|(proxy, score)| format!("{} {}", proxy.name(), short(*score))).collect();
        writeln!(out, "best of {} candidates ({rate:.1} a second)", search.progress().told)?;
        writeln!(out, "  {}", best.architecture)?;
        writeln!(out, "  {}", scores.join("  "))?;
        writeln!(out, "  step {}  aggregate {:.4}", best.id, best.aggregate)?;
    }
    writeln!(out, "written to {}", folder.display())?;
    for (shows, path) in
        [("history", Record::history_path(folder)), ("best", Record::best_path(folder))].iter().chain(pictures)
    {
        writeln!(out, "  {shows:<10}{}", path.display())?;
    }
    out.flush()
}
