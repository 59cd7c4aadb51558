//! How a candidate comes about: a function of the seed, its number, and who may be its parent.

use core::borrow::Borrow;

use rand_core::Rng;

use super::{SearchSpace, Settings, Warmup};
use crate::Error;
use crate::base::rng::{self, Generator};

/// Proposals for a candidate that are passed over because they came up before.
const MOST_KNOWN: usize = 100;

/// Makes candidate `number` of a search: the first proposal within the budget.
///
/// One that `is_known` is passed over, up to a hundred of them: where a small space has no others left, the next is taken.
///
/// `initial` is [`SearchSpace::initial`]. There are as many `parents` as [`leaders`] says, of which `parent` gives one by its
/// place; none for the first candidates, which have no parents ([`Settings::has_parents`]).
///
/// # Errors
/// [`Error::NoCandidate`] if `max_proposals` proposals in a row are outside the budget, and any error of the space or of
/// `parent`.
pub fn propose<S: SearchSpace, P: Borrow<S::Architecture>>(
    space: &S,
    settings: &Settings,
    initial: Option<&S::Architecture>,
    number: usize,
    parents: usize,
    parent: impl Fn(usize) -> Result<P, Error>,
    is_known: impl Fn(&S::Architecture) -> bool,
) -> Result<S::Architecture, Error> {
    // A fresh word of the seed's own stream, so that neighbouring seeds do not share candidates' streams.
    let mut rng = rng::generator(rng::generator(settings.seed).next_u64() ^ number as u64);
    let mut known = 0;
    for proposal in 0..settings.max_proposals {
        let architecture = match parents {
            0 => without_parent(space, settings.warmup, initial, number == 0 && proposal == 0, &mut rng),
            choices => {
                let parent = parent(rng::below(&mut rng, choices as u64) as usize)?;
                space.mutate(parent.borrow(), settings.replacements, &mut rng)
            }
        };
        if known < MOST_KNOWN && is_known(&architecture) {
            known += 1;
            continue;
        }
        if settings.budget.admits(&space.cost(&architecture)?) {
            return Ok(architecture);
        }
    }
    Err(Error::NoCandidate { proposals: settings.max_proposals })
}

/// A proposal to begin with. `first` marks the very first of the search.
fn without_parent<S: SearchSpace>(
    space: &S,
    warmup: Warmup,
    initial: Option<&S::Architecture>,
    first: bool,
    rng: &mut Generator,
) -> S::Architecture {
    match (warmup, initial) {
        (Warmup::Samples(_), _) | (_, None) => space.sample(rng),
        (Warmup::Initial, Some(initial)) if first => initial.clone(),
        (_, Some(initial)) => space.mutate(initial, 1, rng),
    }
}

/// Who may be a parent: the candidates with the best `aggregates`, the earlier ones among equals, at most `count`. Writes their
/// numbers in ascending order to the front of `order`, which is as long as `aggregates`, and returns how many they are.
///
/// They are those that a search finds, if `aggregates` are those of [`aggregate`](crate::aggregate::aggregate).
pub fn leaders(aggregates: &[f64], count: usize, order: &mut [u64]) -> usize {
    let len = aggregates.len().min(order.len());
    let order = &mut order[..len];
    order.iter_mut().zip(0..).for_each(|(place, number)| *place = number);
    let best_first = |&one: &u64, &other: &u64| {
        aggregates[other as usize].total_cmp(&aggregates[one as usize]).then(one.cmp(&other))
    };
    if count < len {
        order.select_nth_unstable_by(count, best_first);
    }
    let count = count.min(len);
    order[..count].sort_unstable();
    count
}
