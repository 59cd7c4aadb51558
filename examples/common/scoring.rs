//! The options of a score on the command line, and a scorer that keeps its memory from one network to the next.

use super::batch;
use aznas::graph::{Network, peak_activation};
use aznas::mem::Memory;
use aznas::ops::conv2d::Algorithm;
use aznas::proxy::{BlockScores, ProxySet};
use aznas::score::Plans;
use aznas::simd::Backend;
use aznas::spaces::{Settings, SpaceName};
use aznas::tensor::Source;
use aznas::{Entropy, Sigma};
use aznas::{Error, Initialisation, Options, Scores};
use std::time::{Duration, Instant};

/// Workers that a program takes. Each has a stack and memory for networks, and more than cores are of no use.
const MOST_WORKERS: i64 = 1024;

/// How networks are scored.
#[derive(Clone, Debug, clap::Args)]
pub struct ScoringArguments {
    /// Images of the random input batch, or auto: the least power of two that gives features twenty positions a channel in
    /// the mean, of a space for all of its networks, of a file for each
    #[arg(long, default_value = "64", value_parser = batch::parse)]
    pub batch: usize,
    /// Rows and columns of an image [default: 32 for nb201 and nb101, of a file its own, else 224]
    #[arg(long)]
    pub resolution: Option<usize>,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How weights are drawn (nb201, mbv2; autoformer prescribes it) [default: kaiming-normal-fan-in, or as the preset says]
    #[arg(long, value_parser = initialisation)]
    pub init: Option<Initialisation>,
    /// How a preset draws them if nothing is given. What is scored as published knows nothing of it.
    #[arg(skip)]
    pub preset_init: Option<Initialisation>,
    /// Draws of everything that scores are the means of
    #[arg(long, default_value_t = 1)]
    pub repeats: u32,
    /// How sigma is estimated; half-split suits batches of up to 16
    #[arg(long, default_value = Sigma::default().name(), value_parser = sigma)]
    pub sigma: Sigma,
    /// How entropies of spectra are estimated; half-split suits batches that give wide blocks few positions a channel
    #[arg(long, default_value = Entropy::default().name(), value_parser = entropy)]
    pub entropy: Entropy,
    /// Instruction set [default: the fastest of this processor]
    #[arg(long, value_parser = backend)]
    pub backend: Option<Backend>,
    /// How convolutions sum products: direct; winograd; or bfloat16, which is winograd but rounds the factors of other
    /// convolutions to eight bits where the processor multiplies such numbers (AVX-512 BF16)
    #[arg(long, default_value = Algorithm::default().name(), value_parser = algorithm)]
    pub algorithm: Algorithm,
    /// Networks scored at a time, a worker each [default: one for each core]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=MOST_WORKERS))]
    pub threads: Option<u16>,
}

impl ScoringArguments {
    /// The library's options for scores that know at least these proxies.
    pub fn options(&self, default_resolution: usize, proxies: ProxySet) -> Options {
        let resolution = self.resolution.unwrap_or(default_resolution);
        Options {
            batch: self.batch,
            height: resolution,
            width: resolution,
            seed: self.seed,
            initialisation: self.init.or(self.preset_init).unwrap_or_default(),
            repeats: self.repeats,
            // What is known anyway is not named: it does not depend on which proxies a user looks at.
            proxies: ProxySet::PAPER.union(proxies).measured(),
            sigma: self.sigma,
            entropy: self.entropy,
            backend: self.backend.unwrap_or_default(),
            algorithm: self.algorithm,
        }
    }

    /// The same for networks of a space, whose settings are known for any resolution.
    pub fn options_in(&self, space: SpaceName, settings: impl Fn(usize) -> Settings, proxies: ProxySet) -> Options {
        let mut options = self.options(space.policy().resolution as usize, proxies);
        if options.batch == batch::AUTO {
            // Settings that no space has are refused by whoever scores with them.
            options.batch = batch::of_space(space, &settings(options.height), options.height).unwrap_or(1);
        }
        options
    }

    /// Workers to use.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }
}

fn initialisation(name: &str) -> Result<Initialisation, String> {
    by_name(name, Initialisation::ALL, Initialisation::name)
}

fn sigma(name: &str) -> Result<Sigma, String> {
    by_name(name, Sigma::ALL, Sigma::name)
}

fn entropy(name: &str) -> Result<Entropy, String> {
    by_name(name, Entropy::ALL, Entropy::name)
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    by_name(name, Algorithm::ALL, Algorithm::name)
}

fn backend(name: &str) -> Result<Backend, String> {
    by_name(name, Backend::ALL, Backend::name)
}

fn by_name<T: Copy>(
    name: &str,
    all: impl IntoIterator<Item = T> + Clone,
    of: fn(T) -> &'static str,
) -> Result<T, String> {
    let names = || all.clone().into_iter().map(of).collect::<Vec<_>>().join(", ");
    all.clone().into_iter().find(|&item| of(item) == name).ok_or_else(|| format!("one of {}", names()))
}

/// A score with what it took.
pub struct Outcome {
    pub scores: Scores,
    /// The blocks of every repeat, if they were asked for.
    pub blocks: Vec<BlockScores>,
    /// The names of blocks, where they have some.
    pub names: Vec<String>,
    pub workspace_bytes: usize,
    /// The most numbers that inference of an image as large as those scored holds at a time.
    pub peak_activation: u64,
    pub elapsed: Duration,
}

impl Outcome {
    /// The outcome with names for the blocks.
    #[must_use]
    pub fn with_names(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// The name of a block; nothing if it has none.
    pub fn name(&self, block: usize) -> &str {
        self.names.get(block).map_or("", String::as_str)
    }
}

/// Plans that who scores keeps: those that the networks of a space have in common, and of a few cells.
const PLANS: usize = 8;

/// Numbers of weights that it keeps, 16 MiB: those of most small networks that presets score.
const WEIGHTS: usize = 1 << 22;

/// What who scores keeps from one network to the next.
pub fn plans() -> Plans {
    Plans::of_most(PLANS).with_weights(WEIGHTS)
}

/// Scores one network after the other in the same memory.
pub struct Scorer {
    memory: Memory,
    plans: Plans,
}

impl Default for Scorer {
    fn default() -> Self {
        Self { memory: Memory::new(), plans: plans() }
    }
}

impl Scorer {
    /// Scores `network` with the parameters of `source`.
    pub fn score(
        &mut self,
        network: &dyn Network,
        source: &dyn Source,
        options: &Options,
        with_blocks: bool,
    ) -> Result<Outcome, Error> {
        let start = Instant::now();
        let mut prepared = aznas::score::prepare(network, options, source, &mut self.plans)?;
        let workspace_bytes = prepared.workspace_size();
        let mut workspace = self.memory.workspace(workspace_bytes)?;
        let mut blocks = Vec::new();
        let scores = prepared.score(&mut workspace, |block| {
            if with_blocks {
                blocks.push(*block);
            }
        })?;
        let elapsed = start.elapsed();
        let peak_activation = peak_activation(network, options.height, options.width)?;
        Ok(Outcome { scores, blocks, names: Vec::new(), workspace_bytes, peak_activation, elapsed })
    }
}
