//! The output folder: what a search leaves behind, and what it goes on from.
//!
//! * `history.csv` grows by a line with every candidate, each written at once. It is the truth, and all that a search goes on
//!   from; its heading names the search, so that no other one goes on in its place.
//! * `latency.csv` has the times measured on this machine, if any were.
//! * `finals.csv` has what the best candidates score as published, if there is a second round.
//! * `best.json` is the best candidate so far. It is replaced as a whole or not at all.

use crate::common::failure::{At, Failure, Result};
use crate::common::setting::Setting;
use crate::common::store::Store;
use aznas::proxy::{Proxy, ProxySet};
use csv::StringRecord;
use serde_json::{Value, json};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A line of `history.csv`.
#[derive(Clone, Debug)]
pub struct Line {
    pub step: usize,
    pub arch: String,
    /// The values of the proxies that rank, in their order.
    pub scores: Vec<f64>,
    /// What the candidate costs as its space counts it.
    pub complexity: f64,
    pub params: u64,
    /// The seed that `score` gets the same scores with.
    pub seed: u64,
    /// Milliseconds of one image, if they are limited.
    pub latency: Option<f64>,
    /// The most numbers that inference holds at a time, if they are limited.
    pub peak_activation: Option<u64>,
}

/// The costs that stand in a line, by the proxies whose names they have: unless these rank, and stand there themselves.
const COSTS: [Proxy; 2] = [Proxy::Complexity, Proxy::Params];

/// The names of a line's fields, in a search by these proxies.
pub fn columns(proxies: ProxySet) -> Vec<&'static str> {
    let costs = COSTS.into_iter().filter(|&cost| !proxies.contains(cost));
    let mut columns = vec!["step", "arch"];
    columns.extend(proxies.iter().chain(costs).map(Proxy::name));
    columns.extend(["seed", "latency", "peak_activation"]);
    columns
}

impl Line {
    /// Its fields, in the order of [`columns`].
    pub fn fields(&self, proxies: ProxySet) -> Vec<String> {
        let costs = COSTS.into_iter().zip([self.complexity.to_string(), self.params.to_string()]);
        let mut fields = vec![self.step.to_string(), self.arch.clone()];
        fields.extend(self.scores.iter().map(f64::to_string));
        fields.extend(costs.filter(|&(cost, _)| !proxies.contains(cost)).map(|(_, value)| value));
        fields.push(self.seed.to_string());
        fields.push(self.latency.map(|milliseconds| milliseconds.to_string()).unwrap_or_default());
        fields.push(self.peak_activation.map(|numbers| numbers.to_string()).unwrap_or_default());
        fields
    }

    /// The names of its fields with their values, for a JSON file.
    pub fn object(&self, proxies: ProxySet) -> Value {
        let costs = [
            ("complexity", json!(self.complexity)),
            ("params", json!(self.params)),
            ("latency", json!(self.latency)),
            ("peak_activation", json!(self.peak_activation)),
        ];
        let mut object = json!({ "step": self.step, "arch": self.arch, "seed": self.seed });
        for (name, value) in costs {
            object[name] = value;
        }
        for (proxy, score) in proxies.iter().zip(&self.scores) {
            object[proxy.name()] = json!(score);
        }
        object
    }

    /// Reads line `step` back, or says what is wrong with it.
    fn read(record: &StringRecord, step: usize, proxies: ProxySet) -> std::result::Result<Self, String> {
        let columns = columns(proxies);
        if record.len() != columns.len() {
            return Err(format!("{} fields stand where {} should", record.len(), columns.len()));
        }
        let field = |name: &str| columns.iter().position(|&column| column == name).map_or("", |place| &record[place]);
        let line = Self {
            step: number(&field, "step")?,
            arch: field("arch").to_string(),
            scores: proxies.iter().map(|proxy| number(&field, proxy.name())).collect::<std::result::Result<_, _>>()?,
            complexity: number(&field, "complexity")?,
            // A proxy is written as any other.
            params: number::<f64>(&field, "params")? as u64,
            seed: number(&field, "seed")?,
            latency: optional(&field, "latency")?,
            peak_activation: optional(&field, "peak_activation")?,
        };
        if line.step == step { Ok(line) } else { Err(format!("step {} stands where {step} should", line.step)) }
    }
}

/// The number in a field.
fn number<'a, T: FromStr<Err: Display>>(
    field: &impl Fn(&str) -> &'a str,
    name: &str,
) -> std::result::Result<T, String> {
    field(name).parse().map_err(|error| format!("{name}: {error}"))
}

/// The number in a field that may be empty.
fn optional<'a, T: FromStr<Err: Display>>(
    field: &impl Fn(&str) -> &'a str,
    name: &str,
) -> std::result::Result<Option<T>, String> {
    if field(name).is_empty() { Ok(None) } else { number(field, name).map(Some) }
}

/// An output folder being written.
pub struct Record {
    folder: PathBuf,
    history: Store,
    proxies: ProxySet,
}

impl Record {
    pub fn history_path(folder: &Path) -> PathBuf {
        folder.join("history.csv")
    }

    pub fn latency_path(folder: &Path) -> PathBuf {
        folder.join("latency.csv")
    }

    pub fn finals_path(folder: &Path) -> PathBuf {
        folder.join("finals.csv")
    }

    pub fn best_path(folder: &Path) -> PathBuf {
        folder.join("best.json")
    }

    /// Begins the search of this setting by these proxies in `folder`, or goes on with it. Gives the candidates there
    /// are; `recall` looks at each line and gives its architecture.
    #[expect(clippy::type_complexity, reason = "an architecture and its scores")]
    pub fn open<A>(
        folder: &Path,
        setting: &Setting,
        proxies: ProxySet,
        resume: bool,
        recall: impl Fn(&Line) -> std::result::Result<A, String>,
    ) -> Result<(Self, Vec<(A, Vec<f64>)>)> {
        fs::create_dir_all(folder).at(folder)?;
        let path = Self::history_path(folder);
        if !resume && path.try_exists().at(&path)? {
            let reason = "holds a search already: go on with it by --resume or choose another folder";
            return Err(Failure::content(folder, reason));
        }
        let mut candidates = Vec::new();
        let history = Store::open(&path, &columns(proxies), setting, |record| {
            let line = Line::read(record, candidates.len(), proxies)?;
            candidates.push((recall(&line)?, line.scores));
            Ok(())
        })?;
        Ok((Self { folder: folder.to_path_buf(), history, proxies }, candidates))
    }

    /// Adds a line to the history.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        self.history.append(line.fields(self.proxies))
    }

    /// Makes sure that everything so far survives a loss of power.
    pub fn checkpoint(&mut self, best: Option<&Value>) -> Result<()> {
        self.history.sync()?;
        best.map_or(Ok(()), |best| replace(&Self::best_path(&self.folder), best))
    }
}

/// Replaces a file as a whole: whatever happens, its old or its new content is there.
fn replace(path: &Path, content: &Value) -> Result<()> {
    let partial = path.with_extension("json.partial");
    let mut file = File::create(&partial).at(&partial)?;
    file.write_all(format!("{content:#}\n").as_bytes()).at(&partial)?;
    file.sync_all().at(&partial)?;
    fs::rename(&partial, path).at(path)
}
