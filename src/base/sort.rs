//! Sorting in place, without a heap.

use super::SMALL;
use core::cmp::Ordering;

/// Sorts by a total order; the order of what is equal is arbitrary. With the feature `small` the code is short.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if SMALL { heap_sort(items, &compare) } else { items.sort_unstable_by(compare) }
}

/// [`sort_by`] the order of a key.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Heapsort (Williams, 1964): first every place that has places below it is sifted, from the last to the first, then the
/// largest item is put behind the heap, again and again.
fn heap_sort<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) {
    let len = items.len();
    for step in (0..len + len / 2).rev() {
        let (mut place, end) = match step.checked_sub(len) {
            Some(place) => (place, len),
            None => {
                items.swap(0, step);
                (0, step)
            }
        };
        while 2 * place + 1 < end {
            let mut below = 2 * place + 1;
            if below + 1 < end && compare(&items[below], &items[below + 1]).is_lt() {
                below += 1;
            }
            if compare(&items[place], &items[below]).is_ge() {
                break;
            }
            items.swap(place, below);
            place = below;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use std::vec::Vec;

    #[test]
    fn both_ways_sort() {
        let mut rng = generator(4);
        for len in 0..200 {
            for range in [1, 3, 1000] {
                let items: Vec<u64> = (0..len).map(|_| below(&mut rng, range)).collect();
                let mut expected = items.clone();
                expected.sort();
                let (mut heap, mut chosen) = (items.clone(), items);
                heap_sort(&mut heap, &u64::cmp);
                assert_eq!(heap, expected);
                sort_by_key(&mut chosen, |&item| core::cmp::Reverse(item));
                expected.reverse();
                assert_eq!(chosen, expected);
            }
        }
    }
}
