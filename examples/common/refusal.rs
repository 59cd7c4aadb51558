//! What the library refuses, in the words of the command line.

use aznas::Error;
use aznas::spaces::SpaceName;

/// The library's fields whose options have another name than theirs.
const OPTIONS: [(&str, &str); 3] =
    [("height", "--resolution"), ("width", "--resolution"), ("batch, height, width", "--batch, --resolution")];

/// Fields that are options of some program, by the same name.
const SAME: [&str; 10] = [
    "channels",
    "cells",
    "classes",
    "target_channels",
    "target_resolution",
    "score_width",
    "score_cells",
    "batch",
    "repeats",
    "iterations",
];

/// Why `text` is no architecture of the space, with what its texts look like and whose text this may be.
pub fn of_text(space: SpaceName, text: &str, error: Error) -> String {
    match error {
        Error::Parse { .. } => format!("{error}; {}", space.advice(text.as_bytes())),
        _ => of(error),
    }
}

/// Why something is refused, by the option that was typed.
pub fn of(error: Error) -> String {
    match error {
        Error::Invalid { field, expected } => format!("{}: must be {expected}", option(field)),
        Error::NotMultiple { field, divisor } => format!("{}: must be a multiple of {divisor}", option(field)),
        _ => error.to_string(),
    }
}

fn option(field: &str) -> String {
    match OPTIONS.iter().find(|(name, _)| *name == field) {
        Some((_, option)) => option.to_string(),
        None if SAME.contains(&field) => format!("--{}", field.replace('_', "-")),
        None => field.to_string(),
    }
}
