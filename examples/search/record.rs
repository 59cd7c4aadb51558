//! The output folder: what a search leaves behind, and what it goes on from.
//!
//! * `history.csv` grows by a line with every candidate, each written at once. It is the truth, and all that a search goes on
//!   from; its heading names the search, so that no other one goes on in its place.
//! * `latency.csv` has the times measured on this machine, if any were.
//! * `best.json` is the best candidate so far. It is replaced as a whole or not at all.

use crate::common::failure::{At, Failure, Result};
use crate::common::setting::Setting;
use crate::common::store::Store;
use csv::StringRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

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

/// The names of a line's fields.
const COLUMNS: [&str; 9] =
    ["step", "arch", "expressivity", "progressivity", "trainability", "complexity", "params", "seed", "latency"];

impl Line {
    pub fn scores(&self) -> [f64; 4] {
        [self.expressivity, self.progressivity, self.trainability, self.complexity]
    }

    fn fields(&self) -> [String; COLUMNS.len()] {
        let Self { step, arch, expressivity, progressivity, trainability, complexity, params, seed, latency } = self;
        let latency = latency.map(|milliseconds| milliseconds.to_string()).unwrap_or_default();
        let fields: [&dyn Display; COLUMNS.len()] =
            [step, arch, expressivity, progressivity, trainability, complexity, params, seed, &latency];
        fields.map(|field| field.to_string())
    }

    /// Reads line `step` back, or says what is wrong with it.
    fn read(record: &StringRecord, step: usize) -> std::result::Result<Self, String> {
        let line: Self = record.deserialize(None).map_err(|error| error.to_string())?;
        if line.step == step { Ok(line) } else { Err(format!("step {} stands where {step} should", line.step)) }
    }
}

/// An output folder being written.
pub struct Record {
    folder: PathBuf,
    history: Store,
}

impl Record {
    pub fn history_path(folder: &Path) -> PathBuf {
        folder.join("history.csv")
    }

    pub fn latency_path(folder: &Path) -> PathBuf {
        folder.join("latency.csv")
    }

    pub fn best_path(folder: &Path) -> PathBuf {
        folder.join("best.json")
    }

    /// Begins the search of this setting in `folder`, or goes on with it. Gives the candidates there are; `recall` looks at
    /// each line and gives its architecture.
    #[expect(clippy::type_complexity, reason = "an architecture and its scores")]
    pub fn open<A>(
        folder: &Path,
        setting: &Setting,
        resume: bool,
        recall: impl Fn(&Line) -> std::result::Result<A, String>,
    ) -> Result<(Self, Vec<(A, [f64; 4])>)> {
        fs::create_dir_all(folder).at(folder)?;
        let path = Self::history_path(folder);
        if !resume && path.try_exists().at(&path)? {
            let reason = "holds a search already: go on with it by --resume or choose another folder";
            return Err(Failure::content(folder, reason));
        }
        let mut candidates = Vec::new();
        let history = Store::open(&path, &COLUMNS, setting, |record| {
            let line = Line::read(record, candidates.len())?;
            candidates.push((recall(&line)?, line.scores()));
            Ok(())
        })?;
        Ok((Self { folder: folder.to_path_buf(), history }, candidates))
    }

    /// Adds a line to the history.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        self.history.append(line.fields())
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
