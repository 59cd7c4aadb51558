//! What candidates cost, and why a budget admits none of them.

use crate::space::ScoredSpace;
use aznas::base::rng::Generator;
use aznas::search::{Budget, Cost, SearchSpace};
use aznas::tensor::Random;
use aznas::{Error, Options};
use std::cell::Cell;

/// A space whose costs are completed by what only a program knows: how candidates are scored.
pub struct Assessed<'s, S> {
    space: &'s S,
    options: Options,
    budget: Budget,
    /// The least of every cost that came up.
    least: Cell<Cost>,
}

impl<'s, S: ScoredSpace> Assessed<'s, S> {
    pub fn new(space: &'s S, options: Options, budget: Budget) -> Self {
        let infinite = Cost {
            complexity: f64::INFINITY,
            parameters: u64::MAX,
            layers: u32::MAX,
            workspace_bytes: u64::MAX,
            custom: f64::INFINITY,
        };
        Self { space, options, budget, least: Cell::new(infinite) }
    }

    /// What the costs that came up say about the limits that none, or hardly any, of them kept.
    pub fn explanation(&self) -> String {
        let least = self.least.get();
        let limits = [
            ("multiply-adds", self.budget.complexity, least.complexity),
            ("parameters", self.budget.parameters.map(|limit| limit as f64), least.parameters as f64),
            ("layers", self.budget.layers.map(f64::from), f64::from(least.layers)),
            ("bytes of workspace", self.budget.workspace_bytes.map(|limit| limit as f64), least.workspace_bytes as f64),
        ];
        let comparisons = limits.iter().filter_map(|&(unit, limit, least)| {
            limit.map(|limit| format!("at most {limit} {unit} are allowed, and the least proposed were {least}"))
        });
        comparisons.collect::<Vec<_>>().join("; ")
    }
}

impl<S: ScoredSpace> SearchSpace for &Assessed<'_, S> {
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

    fn cost(&self, architecture: &S::Architecture) -> Result<Cost, Error> {
        let mut cost = self.space.cost(architecture)?;
        if self.budget.workspace_bytes.is_some() {
            let network = self.space.network(architecture);
            cost.workspace_bytes = aznas::workspace_size(&network, &self.options, &Random)? as u64;
        }
        let least = self.least.get();
        self.least.set(Cost {
            complexity: least.complexity.min(cost.complexity),
            parameters: least.parameters.min(cost.parameters),
            layers: least.layers.min(cost.layers),
            workspace_bytes: least.workspace_bytes.min(cost.workspace_bytes),
            custom: least.custom.min(cost.custom),
        });
        Ok(cost)
    }
}
