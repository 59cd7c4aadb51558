//! The output folder: what a search leaves behind, and what it goes on from.
//!
//! * `history.csv` grows by a line with every candidate, each written at once. It is the truth.
//! * `checkpoint.json` names the search, so that no other one goes on in its place, and how much is safe on the disk.
//! * `latency.csv` has the times measured on this machine, if any were.
//! * `best.json` is the best candidate so far.
//!
//! `checkpoint.json` and `best.json` are replaced as a whole or not at all: at any instant the folder is one that a search can go on from.

use crate::failure::{At, Failure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A line of `history.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub step: usize,
    pub arch: String,
    pub expressivity: f64,
    pub progressivity: f64,
    pub trainability: f64,
    pub complexity: f64,
    pub params: u64,
    /// The seed that `score` gets the same scores with.
    pub seed: u64,
    /// Milliseconds of one image, if they are limited.
    pub latency: Option<f64>,
}

const HEADER: &str = "step,arch,expressivity,progressivity,trainability,complexity,params,seed,latency";

impl Line {
    pub fn scores(&self) -> [f64; 4] {
        [self.expressivity, self.progressivity, self.trainability, self.complexity]
    }

    fn to_csv(&self) -> io::Result<Vec<u8>> {
        let Self { step, arch, expressivity, progressivity, trainability, complexity, params, seed, latency } = self;
        let latency = latency.map(|milliseconds| milliseconds.to_string()).unwrap_or_default();
        let fields: [&dyn Display; 9] =
            [step, arch, expressivity, progressivity, trainability, complexity, params, seed, &latency];
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(fields.map(|field| field.to_string()))?;
        writer.into_inner().map_err(|error| error.into_error())
    }

    /// Reads line `step` back, or says what is wrong with it.
    fn from_csv(text: &[u8], step: usize) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        let line: Self = match reader.deserialize().next() {
            Some(line) => line.map_err(|error| error.to_string())?,
            None => return Err("it is empty".to_string()),
        };
        if line.step != step {
            return Err(format!("step {} stands where {step} should", line.step));
        }
        Ok(line)
    }
}

/// What tells one search from another, by name.
pub type Identity = Map<String, Value>;

/// The candidates of a folder, with remarks about what was repaired.
pub struct Recovered<A> {
    pub history: Vec<(A, [f64; 4])>,
    pub notes: Vec<String>,
}

/// An output folder being written.
pub struct Record {
    folder: PathBuf,
    history: File,
    identity: Identity,
}

impl Record {
    pub fn checkpoint_path(folder: &Path) -> PathBuf {
        folder.join("checkpoint.json")
    }

    pub fn history_path(folder: &Path) -> PathBuf {
        folder.join("history.csv")
    }

    pub fn latency_path(folder: &Path) -> PathBuf {
        folder.join("latency.csv")
    }

    pub fn best_path(folder: &Path) -> PathBuf {
        folder.join("best.json")
    }

    /// Begins a search in `folder`, which must not hold one.
    pub fn create(folder: &Path, identity: Identity) -> Result<Self, Failure> {
        fs::create_dir_all(folder).at(folder)?;
        let path = Self::history_path(folder);
        let history = OpenOptions::new().append(true).create(true).open(&path).at(&path)?;
        let mut record = Self { folder: folder.to_path_buf(), history, identity };
        record.lock()?;
        if Self::is_in(folder)? {
            let reason = "holds a search already: go on with it by --resume or choose another folder";
            return Err(Failure::content(folder, reason));
        }
        if record.history.metadata().at(&path)?.len() > 0 {
            return Err(Failure::content(&path, "belongs to a search without a checkpoint: choose another folder"));
        }
        // The name of the search comes before its first line.
        replace(&Self::checkpoint_path(folder), &checkpoint(&record.identity, 0))?;
        record.write(format!("{HEADER}\n").as_bytes())?;
        Ok(record)
    }

    /// Whether `folder` holds a search.
    pub fn is_in(folder: &Path) -> Result<bool, Failure> {
        let path = Self::checkpoint_path(folder);
        path.try_exists().at(&path)
    }

    /// Opens the search in `folder` to go on with it. `recall` looks at each line and gives its
    /// architecture.
    pub fn resume<A>(
        folder: &Path,
        identity: Identity,
        recall: impl Fn(&Line) -> Result<A, String>,
    ) -> Result<(Self, Recovered<A>), Failure> {
        let safe = read_checkpoint(&Self::checkpoint_path(folder), &identity)?;
        let path = Self::history_path(folder);
        let history = OpenOptions::new().read(true).append(true).create(safe == 0).open(&path).at(&path)?;
        let mut record = Self { folder: folder.to_path_buf(), history, identity };
        record.lock()?;
        let text = fs::read(&path).at(&path)?;
        let (mut history, mut notes, mut end) = (Vec::new(), Vec::new(), 0);
        for (number, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let outcome = match line.strip_suffix(b"\n") {
                None => Err("it is cut short".to_string()),
                Some(line) if number == 0 && line == HEADER.as_bytes() => Ok(None),
                Some(_) if number == 0 => Err(format!("the header {HEADER} is expected")),
                Some(line) => candidate(line, number - 1, &recall).map(Some),
            };
            match outcome {
                Ok(entry) => history.extend(entry),
                // A crash leaves at most the last line unfinished.
                Err(reason) if end + line.len() == text.len() && !(number == 0 && line.ends_with(b"\n")) => {
                    notes.push(format!("line {} of {} is dropped: {reason}", number + 1, path.display()));
                    break;
                }
                Err(reason) => return Err(Failure::content(&path, format!("line {}: {reason}", number + 1))),
            }
            end += line.len();
        }
        record.history.set_len(end as u64).at(&path)?;
        record.history.seek(SeekFrom::End(0)).at(&path)?;
        if end == 0 {
            record.write(format!("{HEADER}\n").as_bytes())?;
        }
        if history.len() < safe {
            let lost = safe - history.len();
            notes.push(format!("{lost} of {safe} candidates are missing in {} and scored again", path.display()));
        }
        Ok((record, Recovered { history, notes }))
    }

    /// Keeps a second program out, for as long as this one runs.
    fn lock(&self) -> Result<(), Failure> {
        match self.history.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::content(&self.folder, "another program is searching in this folder"))
            }
            // Some file systems cannot lock: the search is no worse for it.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(TryLockError::Error(error)) => Err(error).at(&self.folder),
        }
    }

    /// Adds a line to the history.
    pub fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let text = line.to_csv().at(&Self::history_path(&self.folder))?;
        self.write(&text)
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.history.write_all(text).at(&Self::history_path(&self.folder))
    }

    /// Makes sure that the first `candidates` lines survive a loss of power, and notes so.
    pub fn checkpoint(&mut self, candidates: usize, best: Option<&Value>) -> Result<(), Failure> {
        self.history.sync_data().at(&Self::history_path(&self.folder))?;
        if let Some(best) = best {
            replace(&Self::best_path(&self.folder), best)?;
        }
        replace(&Self::checkpoint_path(&self.folder), &checkpoint(&self.identity, candidates))
    }
}

fn candidate<A>(
    text: &[u8],
    step: usize,
    recall: impl Fn(&Line) -> Result<A, String>,
) -> Result<(A, [f64; 4]), String> {
    let line = Line::from_csv(text, step)?;
    Ok((recall(&line)?, line.scores()))
}

fn checkpoint(identity: &Identity, candidates: usize) -> Value {
    json!({ "version": VERSION, "settings": identity, "candidates": candidates })
}

/// The number of candidates that were on the disk for sure, provided that the search is the same.
fn read_checkpoint(path: &Path, identity: &Identity) -> Result<usize, Failure> {
    let text = fs::read(path).at(path)?;
    let damaged = || Failure::content(path, "is not a checkpoint of this program");
    let stored: Value = serde_json::from_slice(&text).map_err(|_| damaged())?;
    let version = stored["version"].as_str().ok_or_else(damaged)?;
    if version != VERSION {
        return Err(Failure::content(path, format!("was written by version {version}, this is version {VERSION}")));
    }
    let settings = stored["settings"].as_object().ok_or_else(damaged)?;
    let names = settings.keys().chain(identity.keys().filter(|&name| !settings.contains_key(name)));
    let show = |value: Option<&Value>| value.map_or("none".to_string(), Value::to_string);
    let differences: Vec<_> = names
        .filter(|&name| settings.get(name) != identity.get(name))
        .map(|name| format!("{name} was {} and is {}", show(settings.get(name)), show(identity.get(name))))
        .collect();
    if !differences.is_empty() {
        let reason = format!("belongs to another search: {}", differences.join(", "));
        return Err(Failure::content(path, reason));
    }
    stored["candidates"].as_u64().map(|candidates| candidates as usize).ok_or_else(damaged)
}

/// Replaces a file as a whole: whatever happens, its old or its new content is there.
fn replace(path: &Path, content: &Value) -> Result<(), Failure> {
    let partial = path.with_extension("json.partial");
    let mut file = File::create(&partial).at(&partial)?;
    file.write_all(format!("{content:#}\n").as_bytes()).at(&partial)?;
    file.sync_all().at(&partial)?;
    fs::rename(&partial, path).at(path)?;
    // The new name, too, has to reach the disk; only Unix can open a folder for that.
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder).and_then(|folder| folder.sync_all()).at(folder),
        _ => Ok(()),
    }
}
