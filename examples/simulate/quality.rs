//! What a search of NAS-Bench-201 finds with many candidates in flight, each of which misses the latest scores.

use crate::recorded::Recorded;
use aznas::Error;
use aznas::base::rng::Generator;
use aznas::search::{Budget, Cost, Search, SearchSpace, Settings};
use aznas::spaces::nb201::{Cell, CellSpace, Skeleton};

/// Candidates of a search: what the program `search` takes.
const ITERATIONS: usize = 500;

/// The cells that are recorded. All others are over the budget.
struct Table<'a> {
    space: CellSpace,
    recorded: &'a Recorded,
}

impl SearchSpace for Table<'_> {
    type Architecture = Cell;

    fn initial(&self) -> Option<Cell> {
        self.space.initial()
    }

    fn sample(&self, rng: &mut Generator) -> Cell {
        self.space.sample(rng)
    }

    fn mutate(&self, parent: &Cell, replacements: usize, rng: &mut Generator) -> Cell {
        self.space.mutate(parent, replacements, rng)
    }

    fn cost(&self, cell: &Cell) -> Result<Cost, Error> {
        let custom = if self.recorded.0.contains_key(cell) { 0.0 } else { 1.0 };
        Ok(Cost { custom, ..Cost::default() })
    }
}

/// The accuracies of the best cells of several searches.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub in_flight: usize,
    pub mean: f64,
    /// Standard error of the mean.
    pub error: f64,
}

impl Found {
    /// Searches by the authors' settings, with seeds from 1 on.
    pub fn by_searches(recorded: &Recorded, in_flight: usize, runs: u64) -> Result<Self, Error> {
        let accuracies = (1..=runs).map(|seed| accuracy(recorded, in_flight, seed)).collect::<Result<Vec<_>, _>>()?;
        let count = accuracies.len() as f64;
        let mean = accuracies.iter().sum::<f64>() / count;
        let variance = accuracies.iter().map(|accuracy| (accuracy - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Ok(Self { in_flight, mean, error: (variance / count).sqrt() })
    }
}

/// The accuracy of the best cell of a search. Scores come in at once: what a candidate knows does not depend on when.
fn accuracy(recorded: &Recorded, in_flight: usize, seed: u64) -> Result<f64, Error> {
    let settings = Settings {
        iterations: ITERATIONS,
        seed,
        workers: in_flight,
        parents: ITERATIONS / 8 - 1,
        // With one there would be cells without a way on: the table need not have all of a cell's neighbours.
        replacements: 2,
        budget: Budget { custom: Some(0.0), ..Budget::default() },
        ..Settings::program()
    };
    let space = Table { space: CellSpace { skeleton: Skeleton::CIFAR10, resolution: 32, reduction: None }, recorded };
    let mut search = Search::new(space, settings)?;
    while let Some(candidate) = search.ask()? {
        search.tell(candidate.id, &recorded.0[&candidate.architecture].scores)?;
    }
    let best = search.best().expect("a search has a best candidate");
    Ok(recorded.0[best.architecture].accuracy)
}
