//! Searches for a network without training any: Algorithm 1 of the paper, for hours or seconds, as often interrupted as
//! need be.

mod arguments;
mod assessment;
mod charts;
#[path = "../common/mod.rs"]
mod common;
mod crew;
mod drawing;
mod driver;
mod finals;
mod interrupt;
mod latency;
mod progress;
mod record;
mod remembered;
mod threads;

use arguments::Arguments;
use aznas::spaces::{Space, Visitor};
use common::failure::Result;
use std::process::ExitCode;
use threads::Threads;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let settings = arguments.space_settings(arguments.options().height);
    let searched = arguments.space.space.visit(&settings, Searching(&arguments)).map_err(Into::into);
    match searched.flatten() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(signal)) => interrupt::exit_code(signal),
        Err(failure) => failure.exit("search"),
    }
}

/// Searches a space; tells the signal that has ended the search early.
struct Searching<'a>(&'a Arguments);

impl Visitor for Searching<'_> {
    type Output = Result<Option<usize>>;

    fn visit<S: Space>(self, space: S) -> Self::Output {
        driver::search(&space, self.0, &Threads(self.0.scoring.workers()))
    }
}
