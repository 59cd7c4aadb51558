//! How well one ranking predicts another. Everything takes O(n log n), but for what looks at pairs of nearly one size.

use aznas::aggregate::average_ranks;
use rayon::prelude::*;

/// The doubled ranks of `values` from the lowest up: integers, equal exactly for ties. NaN counts as −∞.
pub fn doubled_ranks(values: &[f64]) -> Vec<u32> {
    let (mut ranks, mut scratch) = (vec![0.0; values.len()], vec![0; values.len()]);
    // The lengths agree, and no table has two thousand million rows.
    average_ranks(values, &mut ranks, &mut scratch).expect("lengths agree");
    ranks.into_iter().map(|rank| (2.0 * rank) as u32).collect()
}

/// Kendall's τ-b of two lists of ranks: concordant less discordant pairs over the geometric mean of the pairs that do
/// not tie in the one and in the other. `None` if all of a list ties.
///
/// Knight's method (1966): after sorting by one list, the discordant pairs are the exchanges that sorting by the
/// other takes.
pub fn kendall(x: &[u32], y: &[u32]) -> Option<f64> {
    let mut pairs: Vec<u64> = x.iter().zip(y).map(|(&x, &y)| u64::from(x) << 32 | u64::from(y)).collect();
    pairs.sort_unstable();
    let of_x = tied_pairs(&pairs, |pair| pair >> 32);
    let of_both = tied_pairs(&pairs, |pair| pair);
    let mut second: Vec<u64> = pairs.iter().map(|pair| pair & u64::from(u32::MAX)).collect();
    let discordant = sort_and_count_inversions(&mut second);
    let of_y = tied_pairs(&second, |y| y);
    let all = pair_count(pairs.len() as u64);
    if of_x == all || of_y == all {
        return None;
    }
    let difference = (all + of_both - of_x - of_y) as f64 - 2.0 * discordant as f64;
    Some(difference / ((all - of_x) as f64).sqrt() / ((all - of_y) as f64).sqrt())
}

fn pair_count(items: u64) -> u64 {
    items * items.saturating_sub(1) / 2
}

/// Pairs with equal keys, in a list that is sorted by them.
fn tied_pairs(sorted: &[u64], key: impl Fn(u64) -> u64) -> u64 {
    sorted.chunk_by(|&a, &b| key(a) == key(b)).map(|ties| pair_count(ties.len() as u64)).sum()
}

/// Merge sort; returns how many pairs stood in the wrong order.
fn sort_and_count_inversions(values: &mut [u64]) -> u64 {
    let mut merged = values.to_vec();
    let (mut from, mut to) = (values, &mut merged[..]);
    let (mut inversions, mut width, mut is_swapped) = (0, 1, false);
    while width < from.len() {
        for (from, to) in from.chunks(2 * width).zip(to.chunks_mut(2 * width)) {
            let (left, right) = from.split_at(width.min(from.len()));
            let (mut i, mut j) = (0, 0);
            for out in to {
                if j == right.len() || (i < left.len() && left[i] <= right[j]) {
                    *out = left[i];
                    i += 1;
                } else {
                    *out = right[j];
                    j += 1;
                    inversions += (left.len() - i) as u64;
                }
            }
        }
        (from, to) = (to, from);
        is_swapped = !is_swapped;
        width *= 2;
    }
    if is_swapped {
        to.copy_from_slice(from);
    }
    inversions
}

/// Most items of which [`kendall_at_equal_size`] looks at pairs; of more, every so many-th by size.
pub const MOST_IN_PAIRS: usize = 10_000;

/// Kendall's τ-b over the pairs alone whose sizes differ by less than a tenth of the larger one: what a prediction knows beside
/// the size. `None` if no such pair tells the lists apart.
pub fn kendall_at_equal_size(x: &[u32], y: &[u32], sizes: &[f64]) -> Option<f64> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    let order: Vec<usize> = order.into_iter().step_by(sizes.len().div_ceil(MOST_IN_PAIRS).max(1)).collect();
    let of_smaller = |place: usize| {
        let smaller = order[place];
        let mut sums = [0i64; 3];
        for &larger in order[place + 1..].iter().take_while(|&&larger| sizes[smaller] > 0.9 * sizes[larger]) {
            let [dx, dy] = [x, y].map(|ranks| ranks[smaller].cmp(&ranks[larger]) as i64);
            sums[0] += dx * dy;
            sums[1] += dx * dx;
            sums[2] += dy * dy;
        }
        sums
    };
    let add = |a: [i64; 3], b: [i64; 3]| std::array::from_fn(|i| a[i] + b[i]);
    let [difference, of_x, of_y] = (0..order.len()).into_par_iter().map(of_smaller).reduce(|| [0; 3], add);
    (of_x > 0 && of_y > 0).then(|| difference as f64 / (of_x as f64).sqrt() / (of_y as f64).sqrt())
}

/// Spearman's ρ: the correlation of the ranks. `None` if all of a list ties.
pub fn spearman(x: &[u32], y: &[u32]) -> Option<f64> {
    // The mean of all doubled ranks, whatever the ties.
    let mean = x.len() as f64 + 1.0;
    let product = |a: &[u32], b: &[u32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - mean) * (f64::from(b) - mean)).sum()
    };
    let (of_x, of_y) = (product(x, x), product(y, y));
    (of_x > 0.0 && of_y > 0.0).then(|| product(x, y) / of_x.sqrt() / of_y.sqrt())
}

/// Normalised discounted cumulative gain of the `k` items predicted best.
///
/// The gain of an item is the share of the others it truly beats (ties half), so the scale of the truth does not
/// matter; the item at place i is discounted by log2(i + 1); what ties in the prediction shares its gains. 1 for a
/// perfect order. `None` if all truths tie.
pub fn discounted_gain(predicted: &[u32], truth: &[u32], k: usize) -> Option<f64> {
    let gain = |place: usize| f64::from(truth[place]) - 2.0;
    let discounts = |places: std::ops::Range<usize>| -> f64 {
        places.take_while(|&place| place < k).map(|place| 1.0 / (place as f64 + 2.0).log2()).sum()
    };
    let total_by = |key: &[u32]| {
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_unstable_by_key(|&item| std::cmp::Reverse(key[item]));
        let mut first = 0;
        let mut total = 0.0;
        for ties in order.chunk_by(|&a, &b| key[a] == key[b]) {
            let mean = ties.iter().map(|&item| gain(item)).sum::<f64>() / ties.len() as f64;
            total += mean * discounts(first..first + ties.len());
            first += ties.len();
            if first >= k {
                break;
            }
        }
        total
    };
    let is_constant = truth.windows(2).all(|pair| pair[0] == pair[1]);
    (!is_constant).then(|| total_by(predicted) / total_by(truth))
}

/// Mean and standard deviation (of the sample; 0 for one value). `None` without values.
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (!values.is_empty()).then(|| (mean, (squares / (count - 1.0).max(1.0)).sqrt()))
}
