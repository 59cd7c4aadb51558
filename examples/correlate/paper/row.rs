//! A row of a table: what ranks, under which setting, and what is published of it.

use aznas::aggregate::Mode;
use aznas::proxy::{Proxy, ProxySet};
use aznas::{Initialisation, Options, Sigma};

/// The paper's proxies.
pub const FOUR: &[Proxy] = &[Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::Complexity];

/// A ranking that is compared with others.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    /// What is aggregated, and how.
    pub proxies: ProxySet,
    pub mode: Mode,
    pub variant: Variant,
    pub published: Published,
}

/// What a row changes of the options that are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    pub batch: Option<usize>,
    pub initialisation: Option<Initialisation>,
    pub sigma: Option<Sigma>,
}

impl Variant {
    /// The options with what the row changes of them.
    pub fn of(self, options: Options) -> Options {
        Options {
            batch: self.batch.unwrap_or(options.batch),
            initialisation: self.initialisation.unwrap_or(options.initialisation),
            sigma: self.sigma.unwrap_or(options.sigma),
            ..options
        }
    }
}

/// Published figures, those of accuracies by data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    pub tau: Option<[f64; 3]>,
    pub rho: Option<[f64; 3]>,
    /// Of the cell picked among 3000 random ones: mean and deviation of 5 runs.
    pub accuracy: Option<[(f64, f64); 3]>,
    /// For an architecture, on a GPU.
    pub milliseconds: Option<f64>,
}

impl Published {
    pub const NOTHING: Self = Self { tau: None, rho: None, accuracy: None, milliseconds: None };
}

impl Row {
    /// The logarithmic aggregate of some proxies, or one proxy alone.
    pub const fn of(name: &'static str, proxies: &[Proxy]) -> Self {
        let variant = Variant { batch: None, initialisation: None, sigma: None };
        let proxies = ProxySet::of(proxies);
        Self { name, proxies, mode: Mode::Log, variant, published: Published::NOTHING }
    }

    /// The linear aggregate in place of the logarithmic one.
    pub const fn linear(self) -> Self {
        Self { mode: Mode::Linear, ..self }
    }

    /// The row at another batch.
    pub const fn batch(self, batch: usize) -> Self {
        Self { variant: Variant { batch: Some(batch), ..self.variant }, ..self }
    }

    /// The row with weights drawn in another way.
    pub const fn initialisation(self, initialisation: Initialisation) -> Self {
        Self { variant: Variant { initialisation: Some(initialisation), ..self.variant }, ..self }
    }

    /// The row with σ estimated in this way.
    pub const fn sigma(self, sigma: Sigma) -> Self {
        Self { variant: Variant { sigma: Some(sigma), ..self.variant }, ..self }
    }

    /// With the published τ.
    pub const fn tau(self, tau: [f64; 3]) -> Self {
        Self { published: Published { tau: Some(tau), ..self.published }, ..self }
    }

    /// With the published ρ.
    pub const fn rho(self, rho: [f64; 3]) -> Self {
        Self { published: Published { rho: Some(rho), ..self.published }, ..self }
    }

    /// With the published accuracy of what is picked.
    pub const fn accuracy(self, accuracy: [(f64, f64); 3]) -> Self {
        Self { published: Published { accuracy: Some(accuracy), ..self.published }, ..self }
    }

    /// With the published time.
    pub const fn milliseconds(self, milliseconds: f64) -> Self {
        Self { published: Published { milliseconds: Some(milliseconds), ..self.published }, ..self }
    }
}
