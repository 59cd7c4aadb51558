//! What candidates cost, and why a budget admits none of them.

use crate::common::failure::{Failure, Result};
use crate::common::setting::Setting;
use crate::latency::Table;
use aznas::base::rng::Generator;
use aznas::graph::{Network, peak_activation};
use aznas::search::{Budget, Cost, SearchSpace};
use aznas::spaces::Space;
use aznas::tensor::Random;
use aznas::{Error, Options};
use std::cell::{Cell, RefCell};
use std::path::Path;

/// A space whose costs are completed by what only a program knows: how candidates are scored, and how long they take.
pub struct Assessed<'s, S> {
    space: &'s S,
    options: Options,
    budget: Budget,
    /// Rows and columns of the images that costs are counted for.
    resolution: usize,
    /// Milliseconds, if they are of interest.
    latency: Option<RefCell<Table>>,
    /// Why an architecture could not be assessed, where the library has no word for it.
    failure: RefCell<Option<Failure>>,
    /// The least of every cost that came up.
    least: Cell<Cost>,
    most_parameters: Cell<u64>,
}

impl<'s, S: Space> Assessed<'s, S> {
    /// `resolution` is that of the images that costs are counted for; `latency` tells milliseconds.
    pub fn new(space: &'s S, options: Options, budget: Budget, resolution: usize, latency: Option<Table>) -> Self {
        let infinite = Cost {
            complexity: f64::INFINITY,
            parameters: u64::MAX,
            layers: u32::MAX,
            workspace_bytes: u64::MAX,
            peak_activation: u64::MAX,
            custom: f64::INFINITY,
        };
        Self {
            space,
            options,
            budget,
            resolution,
            latency: latency.map(RefCell::new),
            failure: RefCell::new(None),
            least: Cell::new(infinite),
            most_parameters: Cell::new(0),
        }
    }

    pub fn space(&self) -> &'s S {
        self.space
    }

    /// Keeps measured latencies in a file; see [`Table::keep`].
    pub fn keep_latencies(&self, path: &Path, setting: &Setting) -> Result<()> {
        self.latency.as_ref().map_or(Ok(()), |table| table.borrow_mut().keep(path, setting))
    }

    /// Milliseconds of an architecture, if they are of interest.
    pub fn latency(&self, architecture: &S::Architecture) -> Result<Option<f64>> {
        let of = |table: &RefCell<Table>| table.borrow_mut().of(self.space, architecture, self.resolution);
        self.latency.as_ref().map(of).transpose()
    }

    /// The most numbers that inference of an architecture holds at a time, if they are limited.
    pub fn peak_activation(&self, architecture: &S::Architecture) -> std::result::Result<Option<u64>, Error> {
        let of = |_| peak_activation(&self.space.target_network(architecture), self.resolution, self.resolution);
        self.budget.peak_activation.map(of).transpose()
    }

    /// What an error of the search means.
    pub fn explain(&self, error: Error) -> Failure {
        match (self.failure.take(), error) {
            (Some(failure), _) => failure,
            (None, Error::NoCandidate { proposals }) => {
                let explanation = self.explanation();
                format!("none of {proposals} proposals in a row is within the budget: {explanation}").into()
            }
            (None, error) => Failure::Core(error),
        }
    }

    /// What the costs that came up say about the limits: those that none kept, or all if each was kept by some.
    fn explanation(&self) -> String {
        let (least, budget) = (self.least.get(), &self.budget);
        let whole = |limit: Option<u64>| limit.map(|limit| limit as f64);
        let mut limits = Vec::new();
        for (unit, limit, least) in [
            ("multiply-adds", budget.complexity, least.complexity),
            ("parameters", whole(budget.parameters), least.parameters as f64),
            ("layers", budget.layers.map(f64::from), f64::from(least.layers)),
            ("bytes of workspace", whole(budget.workspace_bytes), least.workspace_bytes as f64),
            ("activations at a time", whole(budget.peak_activation), least.peak_activation as f64),
            // Only measured of what keeps all else.
            ("milliseconds", budget.custom.filter(|_| least.custom.is_finite()), least.custom),
        ] {
            limits.extend(limit.map(|limit| {
                let text = format!("at most {limit} {unit} are allowed, and the least proposed were {least}");
                (least > limit, text)
            }));
        }
        let most = self.most_parameters.get();
        limits.extend(budget.minimum_parameters.map(|limit| {
            let text = format!("at least {limit} parameters are asked for, and the most proposed were {most}");
            (most < limit, text)
        }));
        let is_any_to_blame = limits.iter().any(|&(is_to_blame, _)| is_to_blame);
        limits.retain(|&(is_to_blame, _)| is_to_blame || !is_any_to_blame);
        limits.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
    }
}

impl<S: Space> SearchSpace for &Assessed<'_, S> {
    type Architecture = S::Architecture;

    fn initial(&self) -> Option<S::Architecture> {
        self.space.initial()
    }

    fn sample(&self, rng: &mut Generator) -> S::Architecture {
        self.space.sample(rng)
    }

    fn mutate(&self, parent: &S::Architecture, replacements: usize, rng: &mut Generator) -> S::Architecture {
        self.space.mutate(parent, replacements, rng)
    }

    fn cost(&self, architecture: &S::Architecture) -> std::result::Result<Cost, Error> {
        let mut cost = self.space.cost(architecture)?;
        if self.budget.workspace_bytes.is_some() {
            let of = |network: &dyn Network| aznas::workspace_size(network, &self.options, &Random);
            cost.workspace_bytes = self.space.with_scored(architecture, of)?? as u64;
        }
        cost.peak_activation = self.peak_activation(architecture)?.unwrap_or_default();
        // A latency takes measuring: not of what is out of the budget anyway.
        let rest = Budget { custom: None, ..self.budget };
        if self.budget.custom.is_some() && rest.admits(&cost) {
            match self.latency(architecture) {
                Ok(latency) => cost.custom = latency.unwrap_or(0.0),
                Err(failure) => {
                    self.failure.replace(Some(failure));
                    return Err(Error::Invalid { field: "latency", expected: "known" });
                }
            }
        }
        self.most_parameters.set(self.most_parameters.get().max(cost.parameters));
        let least = self.least.get();
        self.least.set(Cost {
            complexity: least.complexity.min(cost.complexity),
            parameters: least.parameters.min(cost.parameters),
            layers: least.layers.min(cost.layers),
            workspace_bytes: least.workspace_bytes.min(cost.workspace_bytes),
            peak_activation: least.peak_activation.min(cost.peak_activation),
            custom: if cost.custom > 0.0 { least.custom.min(cost.custom) } else { least.custom },
        });
        Ok(cost)
    }
}
