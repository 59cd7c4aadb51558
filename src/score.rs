//! The score of a network: the only place that knows the whole order.

#[cfg(all(test, feature = "alloc"))]
pub(crate) mod tests;

mod batch;

pub use crate::plan::Plans;
pub use batch::{smallest_batch, sufficient_batch};

use crate::Error;
use crate::base::SMALL;
use crate::base::rng::repeat_seed;
use crate::graph::{Cost, Network, Walk, check_multiple, explained};
#[cfg(feature = "gradients")]
use crate::measure::Subject;
use crate::mem::Workspace;
use crate::options::{Entropy, Options, Sigma};
use crate::plan::{self, Ends, Region, Want};
use crate::proxy::{BlockScores, Counts, Measurement, ProxySet, Scores, Totals};
use crate::run::Runner;
use crate::tensor::{Source, View};

/// What has to be measured of each block.
pub(crate) fn want(options: &Options) -> Want {
    let needs = |measurement| options.proxies.needs(measurement);
    Want {
        concentration: !SMALL && needs(Measurement::Concentration),
        ..Want::measured(needs(Measurement::Spectrum), needs(Measurement::Transfer))
    }
}

/// The proxies that the network's space does not have, whoever asks for them.
fn absent<N: Network + ?Sized>(network: &N) -> ProxySet {
    if network.progressivity() { ProxySet::of(&[]) } else { ProxySet::PROGRESSIVE }
}

/// The options with a seed, and without the proxies that the network does not have.
fn present<N: Network + ?Sized>(network: &N, options: &Options, seed: u64) -> Options {
    Options { seed, proxies: options.proxies.without(absent(network)), ..*options }
}

/// Bytes of workspace that [`score`] needs for the same arguments, in a workspace of any alignment: see
/// [`Workspace::buffer_len`] for the length of a plain buffer.
///
/// # Errors
/// Everything that can be wrong with the network or the options; [`score`] has no other errors but a workspace that
/// is too small.
pub fn workspace_size<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
) -> Result<usize, Error> {
    Ok(prepare(network, options, source, &mut Plans::new())?.workspace_size())
}

/// A score of which everything is known before any work; see [`prepare`].
pub struct Prepared<'p, N: ?Sized> {
    network: &'p N,
    options: &'p Options,
    source: &'p dyn Source,
    plans: &'p mut Plans,
    /// Bytes of workspace.
    bytes: usize,
    counts: Counts,
}

/// The bytes of workspace and what is counted, at the resolution of the scores; nothing if another network `counts`.
fn walked<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
    plans: &mut Plans,
) -> Result<(usize, Cost), Error> {
    let is_counted = SMALL || network.counted().is_none();
    let (mut bytes, mut cost) = (0, Cost::default());
    let mut walk = Walk::from(network, Walk::batch(network, options.batch, options.height, options.width)?);
    let mut ends = Ends::new(walk.input());
    while let Some(block) = walk.next_block()? {
        let plan = plans.next(block, options, want(options), source)?;
        if plan.is_uneven() {
            check_multiple(network, options.height, options.width)?;
        }
        plan::check_source(block, source)?;
        bytes = bytes.max(ends.next(block, plan)?.bytes());
        if is_counted {
            cost.add(block)?;
        }
    }
    let head = walk.head()?;
    if is_counted {
        cost.add(head)?;
    }
    Ok((bytes, cost))
}

/// The bytes of workspace that proxies of the network as a whole take.
#[cfg(feature = "gradients")]
fn of_whole_network<N: Network + ?Sized>(network: &N, options: &Options, source: &dyn Source) -> Result<usize, Error> {
    Subject { network, options, source }.workspace_size()
}

/// There are none in this build.
#[cfg(not(feature = "gradients"))]
fn of_whole_network<N: Network + ?Sized>(_: &N, _: &Options, _: &dyn Source) -> Result<usize, Error> {
    Ok(0)
}

/// Refuses all that a score refuses but a workspace that is too small: a workspace of the size that is found can be had
/// before it is taken, and the network is looked at once for both. What is planned is kept in `plans`, as far as there is
/// room.
///
/// # Errors
/// Those of [`workspace_size`].
#[inline(never)] // what is on its stack is given back when it returns
pub fn prepare<'p, N: Network + ?Sized>(
    network: &'p N,
    options: &'p Options,
    source: &'p dyn Source,
    plans: &'p mut Plans,
) -> Result<Prepared<'p, N>, Error> {
    if !options.backend.is_available() {
        return Err(Error::BackendUnavailable);
    }
    if options.repeats == 0 {
        return Err(Error::Invalid { field: "repeats", expected: "at least 1" });
    }
    if options.sigma == Sigma::HalfSplit && options.batch < 2 {
        return Err(Error::Invalid { field: "batch", expected: "at least 2 for a half-split sigma" });
    }
    if options.entropy == Entropy::HalfSplit && options.batch < 2 {
        return Err(Error::Invalid { field: "batch", expected: "at least 2 for half-split entropies" });
    }
    let present = &present(network, options, options.seed);
    let (bytes, cost) = walked(network, present, source, plans)
        .map_err(|error| explained(network, options.height, options.width, error))?;
    if let Some(proxy) = present.proxies.iter().find(|proxy| !proxy.is_built()) {
        return Err(Error::NotBuilt { proxy: proxy.name() });
    }
    let bytes = bytes.max(of_whole_network(network, present, source)?);
    let cost = match !SMALL && network.counted().is_some() {
        true => Cost::of(network, options.height, options.width)?,
        false => cost.with_own_parameters(network, [options.height, options.width])?,
    };
    let counts = Counts { cost, complexity: network.complexity(&cost)? };
    Ok(Prepared { network, options, source, plans, bytes, counts })
}

/// Scores a network in the given memory. `observe` is told of every block as it is done, repeat after repeat.
///
/// The result is a function of the network, the options and the source alone: the same bits on any thread, in any
/// workspace.
///
/// # Errors
/// Those of [`workspace_size`], and [`Error::WorkspaceTooSmall`]. They come before any work.
pub fn score<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
    workspace: &mut Workspace<'_>,
    observe: impl FnMut(&BlockScores),
) -> Result<Scores, Error> {
    prepare(network, options, source, &mut Plans::new())?.score(workspace, observe)
}

/// Runs the forward pass alone and hands every feature, once complete, to `visit` with the number of its block: such as to
/// compare them with those of another implementation. Proxies that need no pass have no features.
///
/// # Errors
/// Those of [`score`].
pub fn features<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
    workspace: &mut Workspace<'_>,
    mut visit: impl FnMut(usize, View<'_>),
) -> Result<(), Error> {
    prepare(network, options, source, &mut Plans::new())?.fitting(workspace)?.for_each_block(options.seed, |runner| {
        runner.forward(workspace, &mut |_| ());
        if !runner.plan.is_empty() {
            let feature = workspace.loans().read(runner.plan.slot::<f32>(Region::Output, &runner.frame));
            visit(runner.block.index(), View::dense(feature, runner.block.output_shape()));
        }
        Ok(())
    })
}

/// Runs the forward pass alone, such as to take its time on this machine. Each step of a block, once done, is handed to
/// `repeat` with the number of the block; every call of the step does the same work again and changes nothing. Proxies
/// that need no pass have no steps.
///
/// # Errors
/// Those of [`score`].
pub fn forward<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
    workspace: &mut Workspace<'_>,
    mut repeat: impl FnMut(usize, &mut dyn FnMut()),
) -> Result<(), Error> {
    prepare(network, options, source, &mut Plans::new())?.fitting(workspace)?.for_each_block(options.seed, |runner| {
        runner.forward(workspace, &mut |step| repeat(runner.block.index(), step));
        Ok(())
    })
}

impl<'p, N: Network + ?Sized> Prepared<'p, N> {
    /// The network.
    pub(crate) fn network(&self) -> &'p N {
        self.network
    }

    /// Bytes of workspace that the score needs: see [`workspace_size`].
    pub fn workspace_size(&self) -> usize {
        self.bytes
    }

    /// [`score`].
    ///
    /// # Errors
    /// [`Error::WorkspaceTooSmall`], before any work.
    pub fn score(
        &mut self,
        workspace: &mut Workspace<'_>,
        mut observe: impl FnMut(&BlockScores),
    ) -> Result<Scores, Error> {
        self.of_blocks(workspace, |runner, workspace| {
            let scores = runner.score(workspace);
            observe(&scores);
            Ok(scores)
        })
    }

    /// [`score`] with the scores of each block from `block_scores`, which finds the feature before the block in its place
    /// and leaves that of the block there.
    pub(crate) fn of_blocks(
        &mut self,
        workspace: &mut Workspace<'_>,
        mut block_scores: impl FnMut(&mut Runner<'_>, &mut Workspace<'_>) -> Result<BlockScores, Error>,
    ) -> Result<Scores, Error> {
        let Self { network, options, .. } = *self.fitting(workspace)?;
        let absent = absent(network);
        let measured = options.proxies.without(absent).measured().without(absent);
        let mut totals = Totals::new(network.identity_rule(), measured);
        for repeat in 0..options.repeats {
            let seed = repeat_seed(options.seed, repeat);
            self.for_each_block(seed, |runner| {
                totals.add(&block_scores(runner, workspace)?);
                Ok(())
            })?;
            #[cfg(feature = "gradients")]
            Subject { network, options: &present(network, options, seed), source: self.source }
                .measure(workspace, &mut totals)?;
            totals.end_repeat();
        }
        Ok(totals.finish(&self.counts))
    }

    /// The same, if the workspace is large enough.
    fn fitting(&mut self, workspace: &Workspace<'_>) -> Result<&mut Self, Error> {
        let given = workspace.capacity();
        if given < self.bytes { Err(Error::WorkspaceTooSmall { needed: self.bytes, given }) } else { Ok(self) }
    }

    /// Describes and plans every block in order and hands it to `run` with its place in the workspace.
    #[inline(never)] // what is on its stack is given back when it returns
    fn for_each_block(
        &mut self,
        seed: u64,
        mut run: impl FnMut(&mut Runner<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { network, options, source, ref mut plans, bytes, .. } = *self;
        let options = &present(network, options, seed);
        let mut walk = Walk::from(network, Walk::batch(network, options.batch, options.height, options.width)?);
        let mut ends = Ends::new(walk.input());
        while let Some(block) = walk.next_block()? {
            #[cfg(feature = "alloc")]
            let (plan, weights) = plans.next_with_weights(block, options, want(options), source)?;
            #[cfg(not(feature = "alloc"))]
            let plan = plans.next(block, options, want(options), source)?;
            let frame = ends.next(block, plan)?.frame(bytes);
            let mut runner = Runner::new(block, plan, frame, options, source);
            #[cfg(feature = "alloc")]
            {
                runner.weights = weights;
            }
            run(&mut runner)?;
        }
        Ok(())
    }
}
