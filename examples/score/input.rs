//! What is to be scored: texts of the command line, and lines as they come.

use crate::common::failure::{Failure, Result};
use aznas::spaces::SpaceName;
use serde::Deserialize;
use std::io::{self, BufRead, BufReader, Read, Stdin};

/// An architecture to score.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it came from.
    pub place: String,
    /// What it is, or what is wrong with the line.
    pub asked: std::result::Result<Asked, String>,
    /// The text of the architecture; the whole line, if that is not understood.
    pub arch: String,
}

/// What a line may say beside the architecture.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub seed: Option<u64>,
    /// The setting that whoever asks takes for granted.
    pub setting: Option<String>,
}

/// A line with more than an architecture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    arch: String,
    seed: Option<u64>,
    setting: Option<String>,
}

/// The architectures of the command line, of which `-` stands for the lines of standard input. These are read as they are
/// asked for.
pub fn requests(architectures: Vec<String>) -> impl Iterator<Item = Result<Request>> + Send {
    architectures.into_iter().enumerate().flat_map(|(i, text)| -> Box<dyn Iterator<Item = Result<Request>> + Send> {
        if text == "-" {
            Box::new(Lines { input: BufReader::new(io::stdin()), number: 0 })
        } else {
            let place = format!("architecture {}", i + 1);
            Box::new(std::iter::once(Ok(Request { place, asked: Ok(Asked::default()), arch: text })))
        }
    })
}

/// The lines of standard input that are not empty.
struct Lines {
    input: BufReader<Stdin>,
    number: u64,
}

impl Iterator for Lines {
    type Item = Result<Request>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            match (&mut self.input).take(MOST_BYTES).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => self.number += 1,
                Err(error) => return Some(Err(format!("standard input: {error}").into())),
            }
            let place = format!("line {}", self.number);
            if line.len() as u64 == MOST_BYTES {
                return Some(Err(Failure::from(format!("{place}: longer than {MOST_BYTES} bytes"))));
            }
            // What some editors put before the first line.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            if !line.trim_ascii().is_empty() {
                return Some(Ok(request(line.trim_ascii(), place)));
            }
        }
    }
}

/// No text of an architecture comes near that.
const MOST_BYTES: u64 = 1 << 20;

fn request(line: &[u8], place: String) -> Request {
    let whole = String::from_utf8_lossy(line).into_owned();
    let refused = |reason: String| Request { asked: Err(reason), arch: whole.clone(), place: place.clone() };
    let Ok(text) = std::str::from_utf8(line) else { return refused("not UTF-8".to_string()) };
    // Some spaces have dictionaries for texts.
    if !text.starts_with('{') || SpaceName::of_text(line).is_some() {
        return Request { place, asked: Ok(Asked::default()), arch: whole };
    }
    match serde_json::from_str(text) {
        Ok(Line { arch, seed, setting }) => Request { place, asked: Ok(Asked { seed, setting }), arch },
        Err(error) => refused(format!("not {{\"arch\": TEXT, \"seed\": NUMBER}}: {error}")),
    }
}
