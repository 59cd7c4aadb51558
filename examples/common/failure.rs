//! What stops a program, for people.

use super::refusal;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a program stops short.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for cannot be done.
    Message(String),
    /// The library refuses something.
    Core(aznas::Error),
    /// A file or a folder could not be handled.
    File { path: PathBuf, error: io::Error },
    /// A file or a folder does not hold what it should.
    Content { path: PathBuf, reason: String },
    /// Nobody reads what is printed.
    Output(io::Error),
}

/// What programs do, or why they cannot.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn content(path: &Path, reason: impl Into<String>) -> Self {
        Self::Content { path: path.to_path_buf(), reason: reason.into() }
    }

    /// Tells people, and whoever started the program.
    pub fn exit(self, program: &str) -> ExitCode {
        match self {
            // Whoever read our output has enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            failure => {
                eprintln!("{program}: {failure}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Names the file that something went wrong with.
pub trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Failure::File { path: path.to_path_buf(), error })
    }
}

impl<T> At<T> for csv::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Failure::File { path: path.to_path_buf(), error: error.into() })
    }
}

impl From<aznas::Error> for Failure {
    fn from(error: aznas::Error) -> Self {
        Self::Core(error)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::Message(message.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Core(error) => f.write_str(&refusal::of(*error)),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Content { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

/// A text as messages show it: in quotes, and no more of it than a line holds.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], text.len()),
    }
}
