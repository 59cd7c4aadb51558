//! What has been scored already: a file that only grows, so that an interrupted run goes on where it stopped.

use crate::Result;
use aznas::proxy::{Flags, Proxy};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// The proxies that are measured; the others are counted on the graph whenever they are needed.
pub const MEASURED: [Proxy; 4] =
    [Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::MeanProgressivity];

const HEADING: &str =
    "setting,arch,expressivity,progressivity,trainability,mean-progressivity,flags,milliseconds,workspace_bytes";

/// What was measured of an architecture, and what that took.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// In the order of [`MEASURED`].
    pub proxies: [f64; 4],
    pub flags: u32,
    pub milliseconds: f64,
    pub workspace_bytes: u64,
}

/// The file, and its content by setting and architecture.
pub struct Store {
    file: File,
    records: HashMap<String, HashMap<String, Record>>,
}

impl Store {
    /// Opens or creates the file. What an interruption left of a last line is cut off.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut reader = BufReader::new(&file);
        let mut records: HashMap<String, HashMap<String, Record>> = HashMap::new();
        let (mut complete, mut line, mut number) = (0, String::new(), 0);
        while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
            number += 1;
            complete += line.len() as u64;
            let row = line.trim_end();
            if number == 1 && row != HEADING {
                return Err(format!("{} is not a file of scores", path.display()).into());
            }
            if number > 1 {
                let (setting, arch, record) =
                    parse(row).ok_or_else(|| format!("{}, line {number}: not a score", path.display()))?;
                records.entry(setting).or_default().insert(arch, record);
            }
            line.clear();
        }
        file.set_len(complete)?;
        let mut store = Self { file, records };
        if number == 0 {
            writeln!(store.file, "{HEADING}")?;
        }
        Ok(store)
    }

    /// The scores under a setting, by architecture.
    pub fn get(&self, setting: &str, arch: &str) -> Option<&Record> {
        self.records.get(setting)?.get(arch)
    }

    /// Keeps scores, on disk too when this returns.
    pub fn add(&mut self, setting: &str, scored: Vec<(String, Record)>) -> Result<()> {
        let mut text = String::new();
        for (arch, record) in &scored {
            // Structures of the MobileNetV2 space contain commas; no text contains quotes.
            let [e, p, t, m] = record.proxies;
            let Record { flags, milliseconds, workspace_bytes, .. } = record;
            text += &format!("{setting},\"{arch}\",{e},{p},{t},{m},{flags},{milliseconds:.3},{workspace_bytes}\n");
        }
        self.file.write_all(text.as_bytes())?;
        self.file.flush()?;
        self.records.entry(setting.to_string()).or_default().extend(scored);
        Ok(())
    }
}

impl From<&aznas::Scores> for Record {
    fn from(scores: &aznas::Scores) -> Self {
        let proxies = MEASURED.map(|proxy| scores.get(proxy));
        let Flags(flags) = scores.flags;
        Self { proxies, flags, milliseconds: 0.0, workspace_bytes: 0 }
    }
}

fn parse(row: &str) -> Option<(String, String, Record)> {
    let (setting, rest) = row.split_once(",\"")?;
    let (arch, rest) = rest.split_once("\",")?;
    let fields: Vec<&str> = rest.split(',').collect();
    let [e, p, t, m, flags, milliseconds, workspace_bytes] = fields[..] else { return None };
    let proxies = [e.parse().ok()?, p.parse().ok()?, t.parse().ok()?, m.parse().ok()?];
    let record = Record {
        proxies,
        flags: flags.parse().ok()?,
        milliseconds: milliseconds.parse().ok()?,
        workspace_bytes: workspace_bytes.parse().ok()?,
    };
    Some((setting.to_string(), arch.to_string(), record))
}
