//! What stops the program.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the program stops short, for people.
#[derive(Debug)]
pub enum Failure {
    /// Arguments that do not go together.
    Arguments(String),
    /// The library refuses something.
    Core(aznas::Error),
    /// No proposal was within the budget.
    Budget { proposals: usize, explanation: String },
    /// A file could not be handled.
    File { path: PathBuf, error: io::Error },
    /// A folder or a file does not hold what it should.
    Content { path: PathBuf, reason: String },
    /// A picture could not be drawn.
    Picture { path: PathBuf, reason: String },
    /// Nobody reads what is printed.
    Output(io::Error),
}

impl Failure {
    pub fn content(path: &Path, reason: impl Into<String>) -> Self {
        Self::Content { path: path.to_path_buf(), reason: reason.into() }
    }
}

/// Names the file that something went wrong with.
pub trait At<T> {
    fn at(self, path: &Path) -> Result<T, Failure>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| Failure::File { path: path.to_path_buf(), error })
    }
}

impl From<aznas::Error> for Failure {
    fn from(error: aznas::Error) -> Self {
        Self::Core(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(reason) => f.write_str(reason),
            Self::Core(error) => error.fmt(f),
            Self::Budget { proposals, explanation } => {
                write!(f, "none of {proposals} proposals in a row is within the budget: {explanation}")
            }
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Content { path, reason } | Self::Picture { path, reason } => {
                write!(f, "{}: {reason}", path.display())
            }
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}
