//! Searches for a network with MPI processes for workers: rank 0 searches, the others score. Options, files and results are
//! those of the example `search` with as many threads as there are workers.

mod answer;
#[path = "../../search/arguments.rs"]
mod arguments;
#[path = "../../search/assessment.rs"]
mod assessment;
#[path = "../../search/charts.rs"]
mod charts;
#[path = "../../common/mod.rs"]
mod common;
#[path = "../../search/crew.rs"]
mod crew;
#[path = "../../search/drawing.rs"]
mod drawing;
#[path = "../../search/driver.rs"]
mod driver;
#[path = "../../search/finals.rs"]
mod finals;
#[path = "../../search/interrupt.rs"]
mod interrupt;
#[path = "../../search/latency.rs"]
mod latency;
#[path = "../../search/progress.rs"]
mod progress;
mod ranks;
#[path = "../../search/record.rs"]
mod record;
#[path = "../../search/remembered.rs"]
mod remembered;

use arguments::Arguments;
use aznas::spaces::{Space, Visitor};
use common::failure::{Failure, Result};
use mpi::Threading;
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;
use ranks::Ranks;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Whoever asks for help needs no MPI.
    let arguments = Arguments::read();
    // Only this thread talks to others; another one watches for signals.
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
        return Failure::from("MPI is initialised already").exit("search");
    };
    let world = universe.world();
    match run(arguments, &world) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(signal)) => interrupt::exit_code(signal),
        Err(failure) => failure.exit("search"),
    }
}

/// Searches, or works for the search; tells the signal that has ended it early.
fn run(mut arguments: Arguments, world: &SimpleCommunicator) -> Result<Option<usize>> {
    let workers = world.size() - 1;
    if workers < 1 || arguments.scoring.threads.is_some() {
        return Err("the workers are the ranks above 0: mpirun -np 1 + WORKERS, without --threads".into());
    }
    let workers = u16::try_from(workers).map_err(|_| "more ranks than workers can be counted")?;
    arguments.scoring.threads = Some(workers);
    let settings = arguments.space_settings(arguments.options().height);
    arguments.space.space.visit(&settings, Working(&arguments, world))?
}

/// What a rank does in a space.
struct Working<'a>(&'a Arguments, &'a SimpleCommunicator);

impl Visitor for Working<'_> {
    type Output = Result<Option<usize>>;

    fn visit<S: Space>(self, space: S) -> Self::Output {
        let Self(arguments, world) = self;
        if world.rank() == 0 {
            driver::search(&space, arguments, &Ranks::greet(world, &arguments.setting()?)?)
        } else {
            ranks::work(&space, arguments, world).map(|()| None)
        }
    }
}
