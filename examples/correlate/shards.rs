//! Scores that other processes have written, joined by architecture, seed and setting.
//!
//! A shard is what `score` writes as csv or json, or the `scores.csv` of another run, also several one after the other. All
//! have to be of one program, one instruction set, and the settings that are asked for.

use crate::common::failure::{At, Failure, Result, quoted};
use crate::common::setting::Setting;
use crate::common::store;
use crate::scored::{Record, Scored, measurable};
use aznas::proxy::ProxySet;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What may differ between whoever scored and whoever asks, but not among those who scored.
const OF_THE_MACHINE: [&str; 2] = ["backend", "rounds"];

/// Joins shards of scores under any of `settings`.
pub fn join(paths: &[PathBuf], settings: &[Setting]) -> Result<Scored> {
    let mut shards = Shards { settings, machine: None, scored: Scored::default() };
    for path in paths {
        let refuse = |line, reason: String| Failure::content(path, format!("line {line}: {reason}"));
        let mut first = [0];
        let length = std::io::Read::read(&mut File::open(path).at(path)?, &mut first).at(path)?;
        if length == 1 && first == *b"{" {
            read_objects(path, |line, row| shards.add(&row).map_err(|reason| refuse(line, reason)))?;
        } else {
            store::read_named(path, |row| shards.add(row))?;
        }
    }
    Ok(shards.scored)
}

/// A row of a shard: fields by their names.
pub trait Row {
    fn field(&self, name: &str) -> Option<String>;
}

impl Row for store::Named<'_> {
    fn field(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_string)
    }
}

impl Row for Map<String, Value> {
    fn field(&self, name: &str) -> Option<String> {
        Some(match self.get(name)? {
            Value::String(text) => text.clone(),
            // What JSON cannot write.
            Value::Null => f64::NEG_INFINITY.to_string(),
            other => other.to_string(),
        })
    }
}

struct Shards<'s> {
    settings: &'s [Setting],
    /// Of the first row.
    machine: Option<Setting>,
    scored: Scored,
}

impl Shards<'_> {
    fn add(&mut self, row: &impl Row) -> std::result::Result<(), String> {
        if row.field("error").is_some() {
            return Ok(()); // an architecture without scores is missed where it is needed
        }
        let text = |name: &str| row.field(name).ok_or_else(|| format!("no {name}"));
        let number = |text: String, name: &str| {
            text.parse::<f64>().map_err(|_| format!("{name}: not a number: {}", quoted(&text)))
        };
        let (arch, setting) = (text("arch")?, Setting::parse(&text("setting")?));
        let seed = text("seed")?.parse().map_err(|_| "seed: not a number".to_string())?;
        let setting = self.known(setting)?;
        let known = setting.get("proxies").and_then(|set| ProxySet::parse(set).ok()).unwrap_or_default();
        let mut proxies = Vec::new();
        for proxy in measurable().iter() {
            let name = proxy.name();
            let field = row.field(name).or_else(|| row.field(&name.replace('-', "_")));
            proxies.push(match field {
                Some(field) if known.contains(proxy) => number(field, name)?,
                None if known.contains(proxy) => return Err(format!("no {name}")),
                _ => f64::NAN,
            });
        }
        let or_zero = |name: &str| row.field(name).map_or(Ok(0.0), |field| number(field, name));
        let (milliseconds, workspace_bytes) = (or_zero("milliseconds")?, or_zero("workspace_bytes")? as u64);
        let record = Record { proxies, flags: 0, milliseconds, workspace_bytes };
        self.scored.join(&setting, seed, arch, record)
    }

    /// The setting asked for that a row is of.
    fn known(&mut self, setting: Setting) -> std::result::Result<Setting, String> {
        let differences = self
            .machine
            .get_or_insert_with(|| setting.only(&OF_THE_MACHINE))
            .differences(&setting.only(&OF_THE_MACHINE));
        if !differences.is_empty() {
            return Err(format!("not of one instruction set with the lines before: {differences}"));
        }
        let own = setting.without(&OF_THE_MACHINE);
        let mut nearest: Option<String> = None;
        for asked in self.settings {
            let differences = own.differences(&asked.without(&OF_THE_MACHINE));
            if differences.is_empty() {
                return Ok(asked.clone());
            }
            if nearest.as_ref().is_none_or(|nearest| differences.len() < nearest.len()) {
                nearest = Some(differences);
            }
        }
        Err(format!("of another setting: {}", nearest.unwrap_or_default()))
    }
}

/// Reads a JSON object a line. A last line that is cut short is dropped.
fn read_objects(path: &Path, mut read: impl FnMut(u64, Map<String, Value>) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::new(File::open(path).at(path)?);
    let (mut line, mut number) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).at(path)? > 0 {
        number += 1;
        match serde_json::from_slice(&line) {
            Ok(row) => read(number, row)?,
            Err(_) if !line.ends_with(b"\n") => {
                eprintln!("note: line {number} of {} is dropped: it is cut short", path.display());
            }
            Err(error) => return Err(Failure::content(path, format!("line {number}: {error}"))),
        }
        line.clear();
    }
    Ok(())
}
