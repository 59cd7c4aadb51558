//! What is to be scored: texts of the command line, and lines as they come.

use crate::common::failure::{At, Failure, Result};
use aznas::spaces::SpaceName;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

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

/// The architectures of the command line, of which `-` stands for the lines of standard input, and everything for a file of
/// graphs if `are_graphs`. Lines are read as they are asked for.
pub fn requests(architectures: Vec<String>, are_graphs: bool) -> impl Iterator<Item = Result<Request>> + Send {
    type Requests = Box<dyn Iterator<Item = Result<Request>> + Send>;
    architectures.into_iter().enumerate().flat_map(move |(i, text)| -> Requests {
        if text == "-" {
            Box::new(Lines { input: Box::new(BufReader::new(io::stdin())), name: None, number: 0, are_graphs })
        } else if are_graphs {
            match File::open(&text).at(Path::new(&text)) {
                Ok(file) => {
                    let input = Box::new(BufReader::new(file));
                    Box::new(Lines { input, name: Some(text), number: 0, are_graphs })
                }
                Err(failure) => Box::new(std::iter::once(Err(failure))),
            }
        } else {
            let place = format!("architecture {}", i + 1);
            Box::new(std::iter::once(Ok(Request { place, asked: Ok(Asked::default()), arch: text })))
        }
    })
}

/// The lines of a file that are not empty; of standard input if it has no name.
struct Lines {
    input: Box<dyn BufRead + Send>,
    name: Option<String>,
    number: u64,
    are_graphs: bool,
}

impl Iterator for Lines {
    type Item = Result<Request>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            match (&mut self.input).take(MOST_BYTES).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => self.number += 1,
                Err(error) => {
                    let name = self.name.as_deref().unwrap_or("standard input");
                    return Some(Err(format!("{name}: {error}").into()));
                }
            }
            let file = self.name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
            let place = format!("{file}line {}", self.number);
            if line.len() as u64 == MOST_BYTES {
                return Some(Err(Failure::from(format!("{place}: longer than {MOST_BYTES} bytes"))));
            }
            // What some editors put before the first line.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            if !line.trim_ascii().is_empty() {
                return Some(Ok(request(line.trim_ascii(), place, self.are_graphs)));
            }
        }
    }
}

/// No text of an architecture comes near that, nor does the text of a graph.
const MOST_BYTES: u64 = 1 << 20;

fn request(line: &[u8], place: String, is_graph: bool) -> Request {
    let whole = String::from_utf8_lossy(line).into_owned();
    let refused = |reason: String| Request { asked: Err(reason), arch: whole.clone(), place: place.clone() };
    let Ok(text) = std::str::from_utf8(line) else { return refused("not UTF-8".to_string()) };
    // Graphs are objects, and some spaces have dictionaries for texts.
    if is_graph || !text.starts_with('{') || SpaceName::of_text(line).is_some() {
        return Request { place, asked: Ok(Asked::default()), arch: whole };
    }
    match serde_json::from_str(text) {
        Ok(Line { arch, seed, setting }) => Request { place, asked: Ok(Asked { seed, setting }), arch },
        Err(error) => refused(format!("not {{\"arch\": TEXT, \"seed\": NUMBER}}: {error}")),
    }
}
