//! Ascending ranks from 1, where candidates that tie share the mean of the ranks they take together.

use crate::Error;
use crate::base::SMALL;
use crate::base::sort::{sort_by, sort_by_key};

/// The longest list that can be ranked: doubled ranks must fit 32 bits.
pub const MAX_CANDIDATES: usize = (u32::MAX / 2) as usize;

/// A score as an integer of the same order, in which exactly the ties are equal: NaN is −∞ and −0.0 is 0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn new(score: f64) -> Self {
        let rankable = if score.is_nan() { f64::NEG_INFINITY } else { score };
        // −0.0 + 0.0 is 0.0. Negative numbers grow with their bits: all are turned round; of the others only the sign.
        let bits = (rankable + 0.0).to_bits();
        let negative = (bits as i64 >> 63) as u64;
        Self(bits ^ (negative | 1 << 63))
    }

    fn upper_half(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Writes the rank of every candidate's score into `ranks`: 1 for the lowest, the mean rank for ties.
/// NaN ranks as −∞. `ranks` is as long as `scores`, `scratch` at least.
///
/// # Errors
/// [`Error::Invalid`] if `ranks` has another length, [`Error::TooLarge`] above [`MAX_CANDIDATES`],
/// [`Error::WorkspaceTooSmall`] if `scratch` is too short.
pub fn average_ranks(scores: &[f64], ranks: &mut [f64], scratch: &mut [u64]) -> Result<(), Error> {
    if ranks.len() != scores.len() {
        return Err(Error::Invalid { field: "ranks", expected: "as many as scores" });
    }
    let order = order_scratch(scores.len(), scratch)?;
    rank(scores, order, |ties, doubled_rank| {
        for &place in ties {
            ranks[candidate(place)] = f64::from(doubled_rank) / 2.0;
        }
    });
    Ok(())
}

/// The part of `scratch` that takes the order of `candidates`.
pub(super) fn order_scratch(candidates: usize, scratch: &mut [u64]) -> Result<&mut [u64], Error> {
    if candidates > MAX_CANDIDATES {
        return Err(Error::TooLarge { quantity: "candidates", limit: MAX_CANDIDATES });
    }
    let given = size_of_val(scratch);
    scratch.get_mut(..candidates).ok_or(Error::WorkspaceTooSmall { needed: candidates * size_of::<u64>(), given })
}

/// Visits every group of candidates that tie, in ascending order, with the doubled rank they share.
/// `order` is scratch, as long as `scores`; the groups are parts of it, see [`candidate`].
pub(super) fn rank(scores: &[f64], order: &mut [u64], visit: impl FnMut(&[u64], u32)) {
    let key = |&place: &u64| Key::new(scores[candidate(place)]);
    // Sorting plain integers is several times faster than sorting by keys elsewhere in memory. So a place holds
    // the upper half of the key above the candidate's number, and only equal halves are told apart by whole keys.
    if SMALL {
        order.iter_mut().zip(0..).for_each(|(place, number)| *place = number);
        sort_by_key(order, key);
        return for_each_tie(order, key, visit);
    }
    for (number, (place, &score)) in order.iter_mut().zip(scores).enumerate() {
        *place = u64::from(Key::new(score).upper_half()) << 32 | number as u64;
    }
    sort_by(order, u64::cmp);
    for similar in order.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
        sort_by_key(similar, key);
    }
    for_each_tie(order, key, visit);
}

/// The candidate at a place of the order.
pub(super) fn candidate(place: u64) -> usize {
    place as u32 as usize
}

/// Visits every group of equal keys in an ascending `order`, with the doubled rank its members share.
pub(super) fn for_each_tie<T>(order: &[T], key: impl Fn(&T) -> Key, mut visit: impl FnMut(&[T], u32)) {
    let mut lower = 0;
    for ties in order.chunk_by(|a, b| key(a) == key(b)) {
        visit(ties, doubled_rank(lower, ties.len()));
        lower += ties.len();
    }
}

/// Twice the mean of the ranks `lower + 1 ..= lower + ties`: an integer, so that ranks can be counted exactly.
pub(super) fn doubled_rank(lower: usize, ties: usize) -> u32 {
    (2 * lower + ties + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    #[test]
    fn keys_keep_the_order_of_scores() {
        let ascending =
            [f64::NEG_INFINITY, f64::MIN, -1.0, -f64::MIN_POSITIVE, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(Key::new(*a).cmp(&Key::new(*b)), i.cmp(&j), "{a} against {b}");
            }
        }
        assert_eq!(Key::new(-0.0), Key::new(0.0));
        for nan in [f64::NAN, -f64::NAN] {
            assert_eq!(Key::new(nan), Key::new(f64::NEG_INFINITY));
        }
    }

    #[test]
    fn average_ranks_of_ties() {
        let cases: [(&[f64], &[f64]); 5] = [
            (&[], &[]),
            (&[5.0], &[1.0]),
            (&[2.0, 1.0, 2.0, 3.0, 2.0], &[3.0, 1.0, 3.0, 5.0, 3.0]),
            (&[1.0 + 1e-12, 1.0 + 1e-13, 1.0, 1.0 + 1e-12], &[3.5, 2.0, 1.0, 3.5]),
            (&[-0.0, f64::NAN, 0.0, f64::NEG_INFINITY], &[3.5, 1.5, 3.5, 1.5]),
        ];
        for (scores, expected) in cases {
            let mut ranks = vec![0.0; scores.len()];
            average_ranks(scores, &mut ranks, &mut vec![0; scores.len()]).unwrap();
            assert_eq!(ranks, expected, "{scores:?}");
        }
    }

    #[test]
    fn average_ranks_checks_lengths() {
        assert!(matches!(average_ranks(&[1.0], &mut [], &mut [0]), Err(Error::Invalid { field: "ranks", .. })));
        let mut ranks = [7.0];
        let short = average_ranks(&[1.0], &mut ranks, &mut []);
        assert_eq!((short, ranks), (Err(Error::WorkspaceTooSmall { needed: 8, given: 0 }), [7.0]));
    }

    /// Scores that tie, nearly tie, or are not numbers.
    const SCORES: [f64; 9] = [f64::NAN, f64::NEG_INFINITY, -1.0, -1.0 - 1e-13, -0.0, 0.0, 1.0, 1.0 + 1e-13, f64::MAX];

    proptest! {
        #[test]
        fn ranks_count_the_lower_and_half_of_the_equal(scores in prop::collection::vec(prop::sample::select(&SCORES), 0..60)) {
            let mut ranks = vec![0.0; scores.len()];
            average_ranks(&scores, &mut ranks, &mut vec![0; scores.len()]).unwrap();
            let rankable: Vec<f64> = scores.iter().map(|&x| if x.is_nan() { f64::NEG_INFINITY } else { x }).collect();
            for (x, rank) in rankable.iter().zip(ranks) {
                let lower = rankable.iter().filter(|y| *y < x).count() as f64;
                let equal = rankable.iter().filter(|y| *y == x).count() as f64;
                prop_assert_eq!(rank, lower + (equal + 1.0) / 2.0);
            }
        }
    }
}
