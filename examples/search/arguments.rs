//! The command line.

use crate::common::failure::{At, Result};
use crate::common::frugal::Frugal;
use crate::common::scoring::ScoringArguments;
use crate::common::setting::{Setting, processor, value_name};
use crate::common::space::{SpaceArguments, named, not_empty};
use crate::common::store::Checksum;
use aznas::Options;
use aznas::base::rng::generator;
use aznas::proxy::{Proxy, ProxySet};
use aznas::search::{Budget, Duplicates, Goal, Settings};
use aznas::spaces::mbv2::Mutation;
use aznas::spaces::{Practice, Settings as SpaceSettings, Space, autoformer};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::path::{Path, PathBuf};

/// Search for a network by training-free scores: evolution by aggregated ranks.
///
/// Every candidate goes into history.csv in the output folder at once; the best one, pictures and what is needed to go
/// on with the search are kept beside it.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  search
  search --space mbv2 --flops 450e6 --resolution 96 --batch 16 --iterations 500
  search --space mbv2 --flops 600e6 --out found --resume
  search --space mbv2 --flops 450e6 --resolution 96 --target trainability=-0.3
  search --space mbv2 --target-resolution 96 --peak-memory 256k --bytes-per-element 1 --params 1e6
  search --space autoformer --subset tiny --random 10000")]
pub struct Arguments {
    #[command(flatten)]
    pub space: SpaceArguments,
    #[command(flatten)]
    pub scoring: ScoringArguments,
    /// Proxies that candidates are ranked by: paper, extended, general, blockwise, te-nas, all, or names between commas. Those of progressivity do not
    /// count where the space has none
    #[arg(long, default_value_t)]
    pub proxies: ProxySet,
    /// A value that a proxy is to be close to instead of high, such as trainability=-0.3; may be given for several
    #[arg(long, value_name = "PROXY=VALUE", value_parser = goal)]
    pub target: Vec<(Proxy, f64)>,
    /// A value of a proxy above which higher is no better, such as trainability=-0.1 of a network that is to be surpassed; may
    /// be given for several
    #[arg(long, value_name = "PROXY=VALUE", value_parser = goal)]
    pub enough: Vec<(Proxy, f64)>,
    /// Candidates to score [default: 500 for nb201, 100000 for mbv2, 10000 for autoformer]
    #[arg(long)]
    pub iterations: Option<usize>,
    /// What transformers are made from (autoformer)
    #[arg(long, value_enum, default_value_t = Subset::Tiny)]
    pub subset: Subset,
    /// Whose least and most parameters candidates keep to, where --min-params and --params do not say (autoformer)
    #[arg(long, value_enum, default_value_t = Window::Autoformer)]
    pub window: Window,
    /// Of the best so many candidates, all but the last may become parents [default: an eighth of the iterations, from
    /// 16 to 1024]
    #[arg(long)]
    pub population: Option<usize>,
    /// How a structure is varied (mbv2): two super-blocks are replaced, as published or, uniform, with all types alike; or,
    /// mixed, a third of the time a few single numbers change a little or repetitions move, which finds more near a good structure
    #[arg(long, default_value = Mutation::Published.name(), value_parser = named(Mutation::ALL, Mutation::name))]
    pub mutation: Mutation,
    /// Draw candidates independently instead of varying the best ones; with a number, so many of them
    #[arg(long, value_name = "ITERATIONS", num_args = 0..=1, default_missing_value = "0", conflicts_with = "iterations")]
    pub random: Option<usize>,
    /// What becomes of a candidate that equals an earlier one [default: keep; reuse for autoformer, where all are slices
    /// of one network]
    #[arg(long, value_enum)]
    pub duplicates: Option<DuplicatesName>,
    /// At most as many multiply-adds, such as 450e6
    #[arg(long, value_parser = count)]
    pub flops: Option<u64>,
    /// At most as many parameters, such as 5e6
    #[arg(long, value_parser = count)]
    pub params: Option<u64>,
    /// At least as many parameters
    #[arg(long, value_parser = count)]
    pub min_params: Option<u64>,
    /// At most as many layers [default: 14 for mbv2]
    #[arg(long)]
    pub max_layers: Option<u32>,
    /// At most as many bytes of workspace, such as 512e6 or 64M
    #[arg(long, value_parser = bytes)]
    pub max_workspace: Option<u64>,
    /// At most as many bytes of activations held at a time by inference of an image of the resolution that complexity is
    /// counted at, such as 256k
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub peak_memory: Option<u64>,
    /// Bytes of an activation in use
    #[arg(long, value_enum, default_value_t = BytesPerElement::Four, requires = "peak_memory")]
    pub bytes_per_element: BytesPerElement,
    /// At most as many milliseconds for an image of the resolution that complexity is counted at, layer by layer on one
    /// core of this machine or as the table says
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub latency: Option<f64>,
    /// Latencies of another device: lines of `layer,milliseconds` below a header, as in the latency.csv of a search
    #[arg(long, value_name = "FILE", requires = "latency")]
    pub latency_table: Option<PathBuf>,
    /// Bytes in which each worker remembers blocks, so that a candidate is computed from where it departs from earlier
    /// ones; 0 for none. Scores stay the same. Of no use to candidates that are all drawn anew (--duplicates keep)
    /// [default: 512e6 for mbv2 and autoformer; 0 for nb201, whose candidates differ from the first cell on]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub reuse_memory: Option<u64>,
    /// Score in a recommended setting for little time (docs/frontier.md); goes with --finals
    #[arg(long, value_enum)]
    pub preset: Option<Frugal>,
    /// Score the best so many percent of the candidates once more, as published (whole networks at the resolution of the
    /// space, batch 64, plain sigma and entropy), and rank them among themselves: a second round for a cheap first one. At
    /// most as many as may become parents
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub finals: Option<f64>,
    /// The output folder [default: a new one in searches/]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the search in the output folder, if there is one; all else must be as it was
    #[arg(long, requires = "out")]
    pub resume: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicatesName {
    /// It is scored again with other random draws, as published
    Keep,
    /// It takes the earlier scores; all candidates are scored with the same random draws
    Reuse,
    /// Another is drawn in its place, so that the best candidates, who may become parents, differ from each other; all
    /// candidates are scored with the same random draws
    Skip,
}

/// What a number takes on the device.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BytesPerElement {
    #[value(name = "1")]
    One = 1,
    #[value(name = "2")]
    Two = 2,
    #[value(name = "4")]
    Four = 4,
}

/// The published ranges of transformers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subset {
    Tiny,
    Small,
    Base,
}

impl Subset {
    fn size(self) -> autoformer::Size {
        match self {
            Self::Tiny => autoformer::Size::Tiny,
            Self::Small => autoformer::Size::Small,
            Self::Base => autoformer::Size::Base,
        }
    }
}

/// Published windows of parameters.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Window {
    /// Of AutoFormer (2021)
    Autoformer,
    /// Of TF-TAS (2022), wider
    TfTas,
}

impl Window {
    fn published(self) -> autoformer::Window {
        match self {
            Self::Autoformer => autoformer::Window::AutoFormer,
            Self::TfTas => autoformer::Window::TfTas,
        }
    }
}

/// After how many proposals outside the budget the search gives up. Each may take planning and measuring.
const MAX_PROPOSALS: usize = 10_000;

/// A whole number, also as 450e6.
fn count(text: &str) -> std::result::Result<u64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    // Beyond 2⁵³ a float no longer holds every whole number.
    if (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err("not a whole number from 0 to 2^53".to_string())
    }
}

/// A proxy and a value of it.
fn goal(text: &str) -> std::result::Result<(Proxy, f64), String> {
    let (name, value) = text.split_once('=').ok_or("not a proxy, an equals sign and a number")?;
    let known = Proxy::ALL.into_iter().find(|proxy| proxy.name() == name);
    let proxy = known.ok_or_else(|| format!("{name:?} is no proxy"))?;
    match value.parse() {
        Ok(value) if f64::is_finite(value) => Ok((proxy, value)),
        _ => Err(format!("{value:?} is not a finite number")),
    }
}

/// Bytes, also in units of 1024 to a power, as 256k, 64M or 2G.
fn bytes(text: &str) -> std::result::Result<u64, String> {
    let units = [('k', 10), ('M', 20), ('G', 30)].into_iter();
    let unit = units.filter_map(|(unit, power)| Some((text.strip_suffix(unit)?, 1 << power))).next();
    let (number, unit) = unit.unwrap_or((text, 1));
    count(number)?.checked_mul(unit).ok_or("too many bytes".to_string())
}

fn percent(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && number <= 100.0 => Ok(number),
        _ => Err("not a number above 0 and up to 100".to_string()),
    }
}

fn milliseconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("not a positive number".to_string()),
    }
}

impl Arguments {
    /// The command line as it is read.
    pub fn program() -> Command {
        let help = "Images of the random input batch, or auto: the least that gives the features of some networks of the space \
                    twenty positions a channel, in the mean of each [default: 8 for nb201, else 64]";
        Self::command().mut_arg("batch", |batch| batch.hide_default_value(true).help(help))
    }

    /// What was read of it.
    pub fn of(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut arguments = Self::from_arg_matches(matches)?;
        if matches.value_source("batch") == Some(ValueSource::DefaultValue) {
            arguments.scoring.batch = arguments.practice().batch as usize;
        }
        if let Some(preset) = arguments.preset {
            preset.apply(Some(arguments.space.space), &mut arguments.space.open, &mut arguments.scoring);
        }
        Ok(arguments)
    }

    /// Reads the command line; ends the program if it is wrong or asks for help.
    pub fn read() -> Self {
        Self::of(&Self::program().get_matches()).unwrap_or_else(|error| error.exit())
    }

    fn practice(&self) -> Practice {
        self.space.policy().practice
    }

    /// The settings of the space for scores on images of this resolution.
    pub fn space_settings(&self, resolution: usize) -> SpaceSettings {
        let (size, window) = (self.subset.size(), self.window.published());
        SpaceSettings { size, window, mutation: self.mutation, ..self.space.settings(resolution) }
    }

    /// The library's options for scores as published.
    pub fn published(&self) -> Options {
        let (resolution, own) = (self.space.policy().resolution as usize, self.options());
        let initialisation = self.scoring.init.unwrap_or_default();
        let usual = Options { height: resolution, width: resolution, initialisation, ..Options::default() };
        let Options { seed, proxies, backend, algorithm, .. } = own;
        Options { seed, proxies, backend, algorithm, ..usual }
    }

    /// The settings of the space for scores as published.
    pub fn whole_settings(&self) -> SpaceSettings {
        let options = self.options();
        SpaceSettings { reduction: None, ..self.space_settings(options.height) }
    }

    /// How many of so many candidates are in the second round.
    pub fn finalists(&self, candidates: usize) -> usize {
        let share = |percent: f64| (candidates as f64 * percent / 100.0).ceil() as usize;
        self.finals.map_or(0, share)
    }

    /// How many candidates to score.
    fn iterations(&self) -> usize {
        let usual = self.iterations.unwrap_or(self.practice().iterations as usize);
        self.random.filter(|&count| count > 0).unwrap_or(usual)
    }

    /// What becomes of a candidate that equals an earlier one.
    fn duplicates(&self) -> DuplicatesName {
        let usual = if self.practice().shares_draws { DuplicatesName::Reuse } else { DuplicatesName::Keep };
        self.duplicates.unwrap_or(usual)
    }

    /// The published 1024 are for a hundred thousand iterations; with so many, a short search would hardly select.
    fn population(&self) -> usize {
        self.population.unwrap_or((self.iterations() / 8).clamp(16, 1024))
    }

    /// Bytes in which a worker remembers blocks.
    pub fn reuse_memory(&self) -> usize {
        if self.duplicates() == DuplicatesName::Keep {
            return 0;
        }
        let usual = if self.practice().begins_alike { 512_000_000 } else { 0 };
        usize::try_from(self.reuse_memory.unwrap_or(usual)).unwrap_or(usize::MAX)
    }

    /// The library's options for the scores of the first candidate.
    pub fn options(&self) -> Options {
        self.scoring.options_in(self.space.space, |resolution| self.space_settings(resolution), self.proxies)
    }

    /// The library's settings for a search of `space`.
    pub fn settings<S: Space>(&self, space: &S) -> Result<Settings> {
        let practice = self.practice();
        // What does not differ is not counted.
        if self.max_layers.is_some() && space.cost(&space.sample(&mut generator(0)))?.layers == 0 {
            let name = self.space.space.name();
            return Err(format!("--max-layers: networks of {name} all have the same layers").into());
        }
        if self.population() < 2 {
            return Err("--population: must be at least 2".into());
        }
        let base = if self.random.is_some() { Settings::random() } else { Settings::program() };
        let [least, most] = space.parameter_window().map_or([None; 2], |window| window.map(Some));
        let proxies = not_empty(self.space.ranked(self.proxies))?;
        let mut goals = [Goal::High; Proxy::COUNT];
        let near = self.target.iter().map(|&(proxy, value)| ("--target", proxy, Goal::Near(value)));
        let enough = self.enough.iter().map(|&(proxy, value)| ("--enough", proxy, Goal::Enough(value)));
        for (option, proxy, goal) in near.chain(enough) {
            if !proxies.contains(proxy) {
                return Err(format!("{option}: candidates are not ranked by {}", proxy.name()).into());
            }
            if std::mem::replace(&mut goals[proxy as usize], goal) != Goal::High {
                return Err(format!("{option}: {} is given twice", proxy.name()).into());
            }
        }
        Ok(Settings {
            iterations: self.iterations(),
            seed: self.scoring.seed,
            workers: self.scoring.workers(),
            parents: self.population() - 1,
            replacements: practice.replacements as usize,
            duplicates: match self.duplicates() {
                DuplicatesName::Keep => Duplicates::Keep,
                DuplicatesName::Reuse => Duplicates::Reuse,
                DuplicatesName::Skip => Duplicates::Skip,
            },
            budget: Budget {
                complexity: self.flops.map(|flops| flops as f64),
                parameters: self.params.or(most),
                minimum_parameters: self.min_params.or(least),
                layers: self.max_layers.or(practice.layers),
                workspace_bytes: self.max_workspace,
                peak_activation: self.peak_memory.map(|bytes| bytes / self.bytes_per_element as u64),
                custom: self.latency,
            },
            proxies,
            goals,
            max_proposals: MAX_PROPOSALS,
            ..base
        })
    }

    /// Everything that the course of the search and what it keeps depend on, but its length.
    ///
    /// The arguments are taken apart, so that one that is added has to be thought about.
    pub fn setting(&self) -> Result<Setting> {
        let Self {
            space,
            scoring,
            proxies,
            target,
            enough,
            iterations: _, // the length; what depends on it is the population
            subset: _,     // in the settings of the space
            window: _,
            population: _,
            mutation,
            random,
            duplicates: _,
            flops,
            params,
            min_params,
            max_layers: _,
            max_workspace,
            peak_memory,
            bytes_per_element,
            latency,
            latency_table,
            reuse_memory: _, // the same bits are remembered or computed
            preset: _,       // what it stands for is in the options
            finals: _,       // scored after the search, into a file of their own
            out: _,
            resume: _,
        } = self;
        let options = self.options();
        // Where the file lies says nothing of what is in it.
        let content = |path: &PathBuf| std::fs::read(path).at(path).map(|content| Checksum::of(&content));
        // In the order of the proxies, however they were given.
        let goals = |given: &[(Proxy, f64)]| {
            let mut goals = given.to_vec();
            goals.sort_by_key(|&(proxy, _)| proxy as usize);
            let goals: Vec<_> = goals.iter().map(|(proxy, value)| format!("{}={value}", proxy.name())).collect();
            (!goals.is_empty()).then(|| goals.join(","))
        };
        let is_measured = latency.is_some() && latency_table.is_none();
        Ok(Setting::of_scores(space.space, &self.space_settings(options.height), &options)
            .with("ranked", Some(space.ranked(*proxies)))
            .with("target", goals(target))
            .with("enough", goals(enough))
            .with("seed", Some(options.seed))
            .with("threads", Some(scoring.workers()))
            .with("population", Some(self.population()))
            .with("mutation", Some(mutation.name()).filter(|_| *mutation != Mutation::Published))
            .with("random", Some(random.is_some()))
            .with("duplicates", value_name(self.duplicates()))
            .with("flops", flops.as_ref())
            .with("params", params.as_ref())
            .with("min-params", min_params.as_ref())
            .with("max-layers", self.max_layers.or(self.practice().layers))
            .with("max-workspace", max_workspace.as_ref())
            .with("peak-memory", peak_memory.as_ref())
            .with("bytes-per-element", peak_memory.and_then(|_| value_name(*bytes_per_element)))
            .with("latency", latency.as_ref())
            .with("latency-table", latency_table.as_ref().map(content).transpose()?)
            .with("processor", is_measured.then(processor)))
    }

    /// The command that goes on with the search in `folder`.
    pub fn resume_command(&self, folder: &Path) -> String {
        let mut words: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
        if self.out.is_none() {
            words.extend(["--out".to_string(), quoted(&folder.display().to_string())]);
        }
        if !self.resume {
            words.push("--resume".to_string());
        }
        words.join(" ")
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./,=+:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
