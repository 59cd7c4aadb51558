//! The size of the input batch on the command line: a number, or what the networks need.

use aznas::base::rng::generator;
use aznas::graph::Network;
use aznas::proxy::ProxySet;
use aznas::score::{smallest_batch, sufficient_batch};
use aznas::spaces::{Settings, Space, SpaceName, Visitor};
use aznas::{Error, Options};

/// Leaves the batch to the networks. No score is of so many images.
pub const AUTO: usize = usize::MAX;

/// Positions a channel that `--batch auto` sees to, in the harmonic mean over the features: with so many, scores rank as those of
/// four times the batch do, and with half of them trainability does not (docs/ranking.md).
const POSITIONS_PER_CHANNEL: u32 = 20;

/// Images that networks of a space need, however many positions they have. Cells of nb101 pool so often that the positions of an
/// image are much alike: with 32 images, which have as many positions as suffice elsewhere, scores do not rank as with 128.
const fn least_images(space: SpaceName) -> usize {
    match space {
        SpaceName::Nb101 => 64,
        _ => 1,
    }
}

/// Networks that are drawn to know the widths of a space.
const SAMPLES: usize = 32;

/// A number of images, or `auto`.
pub fn parse(text: &str) -> Result<usize, String> {
    match text {
        "auto" => Ok(AUTO),
        _ => text.parse().map_err(|_| "neither auto nor a number".to_string()),
    }
}

/// The batch that a network needs, rounded up to a power of two: networks of like width, whose scores are compared, then get the
/// same images and the same errors. At least 2, of which half-split estimates are made.
pub fn of_network(network: &dyn Network, [height, width]: [usize; 2]) -> Result<usize, Error> {
    let needed = sufficient_batch(network, height, width, POSITIONS_PER_CHANNEL)?.max(2);
    Ok(needed.checked_next_power_of_two().unwrap_or(needed))
}

/// What is said of a batch that somebody chose, in which a feature has fewer than two positions a channel.
pub const TOO_SMALL: &str = "note: a feature has fewer than two positions a channel, which say little about it: \
                             --batch auto takes enough in the mean";

/// Whether [`TOO_SMALL`] is to be said of a score.
pub fn is_too_small(network: &dyn Network, options: &Options) -> bool {
    let counted = ProxySet::of(&[]).measured();
    let measured = !options.proxies.without(ProxySet::OF_WHOLE_NETWORKS).without(counted).is_empty();
    let needed = smallest_batch(network, options.height, options.width, 2);
    measured && needed.is_ok_and(|needed| needed > options.batch)
}

/// The batch that the networks of a space need: one for all, since scores of several are compared. The most that its
/// initial network and some drawn ones need.
pub fn of_space(space: SpaceName, settings: &Settings, resolution: usize) -> Result<usize, Error> {
    struct Most(usize);

    impl Visitor for Most {
        type Output = Result<usize, Error>;

        fn visit<S: Space>(self, space: S) -> Self::Output {
            let mut rng = generator(0);
            let drawn: Vec<_> = (0..SAMPLES).map(|_| space.sample(&mut rng)).collect();
            let needed = |architecture| of_network(&space.network(&architecture), [self.0; 2]);
            drawn.into_iter().chain(space.initial()).map(needed).try_fold(1, |most, batch| Ok(most.max(batch?)))
        }
    }

    space.visit(settings, Most(resolution))?.map(|batch| batch.max(least_images(space)))
}
