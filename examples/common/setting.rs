//! Everything a stored number depends on, by the names of the command line.

use super::batch::AUTO;
use aznas::Options;
use aznas::ops::conv2d::Algorithm;
use aznas::spaces::{Settings, SpaceName};
use clap::ValueEnum;
use std::fmt::{self, Display};

/// Names and values, written `name=value name=value`. What is not given has no entry.
///
/// Whatever keeps numbers keeps the setting beside them, so that numbers of another one are never taken for its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Setting(Vec<(String, String)>);

impl Setting {
    /// What scores depend on besides the architecture and the seed.
    ///
    /// The arguments are taken apart, so that one that is added has to be thought about.
    pub fn of_scores(space: SpaceName, settings: &Settings, options: &Options) -> Self {
        let Settings {
            channels,
            cells,
            classes,
            target_channels,
            target_resolution,
            patch,
            reach,
            parameters,
            size,
            window,
            operators,
            stem,
            mutation: _, // what is scored, not how
            reduction,
        } = settings;
        Self::begun(space.name())
            .with("channels", Some(channels))
            .with("cells", Some(cells))
            .with("classes", Some(classes))
            .with("target-channels", Some(target_channels))
            .with("target-resolution", Some(target_resolution))
            .with("patch", Some(patch))
            .with("reach", Some(reach))
            .with("parameters", Some(format!("{parameters:?}").to_lowercase()))
            .with("subset", Some(format!("{size:?}").to_lowercase()))
            .with("window", Some(format!("{window:?}").to_lowercase()))
            .with("operators", Some(operators.name()))
            .with("stem", Some(stem.name()))
            .with("score-width", reduction.map(|reduction| reduction.width()))
            .with("score-cells", reduction.map(|reduction| reduction.cells()))
            .with_options(options)
    }

    /// What scores of networks from files of this kind depend on.
    pub fn of_files(kind: &str, options: &Options) -> Self {
        Self::begun(kind).with_options(options)
    }

    fn begun(space: &str) -> Self {
        Self::default().with("version", Some(env!("CARGO_PKG_VERSION"))).with("space", Some(space))
    }

    fn with_options(self, options: &Options) -> Self {
        let Options {
            batch,
            height,
            width,
            seed: _,
            initialisation,
            repeats,
            proxies,
            sigma,
            entropy,
            backend,
            algorithm,
        } = *options;
        // Products are only rounded where the processor multiplies rounded numbers.
        let rounds = (algorithm == Algorithm::Bfloat16).then(|| backend.has_bfloat16());
        let batch = if batch == AUTO { "auto".to_string() } else { batch.to_string() };
        self.with("batch", Some(batch))
            .with("resolution", Some(format!("{height}x{width}")))
            .with("init", Some(initialisation.name()))
            .with("repeats", Some(repeats))
            .with("proxies", Some(proxies))
            .with("sigma", Some(sigma.name()))
            .with("entropy", Some(entropy.name()))
            .with("backend", Some(backend.name()))
            .with("algorithm", Some(algorithm.name()))
            .with("rounds", rounds)
    }

    /// The setting with one more entry, if it has a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<impl Display>) -> Self {
        // Blanks are between entries.
        self.0.extend(value.map(|value| (name.to_string(), value.to_string().replace(char::is_whitespace, "_"))));
        self
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Self {
        let entry = |entry: &str| {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            (name.to_string(), value.to_string())
        };
        Self(text.split_whitespace().map(entry).collect())
    }

    /// The value of an entry.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Only the entries of these names.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// All entries but those of these names.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// What is another in `now`, in words; empty if nothing is.
    pub fn differences(&self, now: &Self) -> String {
        let show = |setting: &Self, name: &str| setting.get(name).unwrap_or("none").to_string();
        let added = now.0.iter().filter(|(name, _)| self.get(name).is_none());
        let names = self.0.iter().chain(added).map(|(name, _)| name);
        names
            .filter(|name| self.get(name) != now.get(name))
            .map(|name| format!("{name} was {} and is {}", show(self, name), show(now, name)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The name of a value on the command line.
pub fn value_name(value: impl ValueEnum) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_string())
}

/// What the processor calls itself, if it can be found out.
pub fn processor() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_string()
}

impl Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.0.iter().enumerate();
        entries
            .into_iter()
            .try_for_each(|(i, (name, value))| write!(f, "{}{name}={value}", if i == 0 { "" } else { " " }))
    }
}
