//! Sums that a processor can form side by side, in an order that does not depend on it.

/// Partial sums.
const LANES: usize = 8;

/// The sum of `term(0) … term(len − 1)` in double precision. Term i goes into partial sum i mod 8, and these are
/// added up in one order at the end: the same bits on every machine.
#[inline(always)]
pub(crate) fn sum(len: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = len - len % LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(len - whole) {
        *sum += term(whole + lane);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_counts_once() {
        for len in [0, 1, 7, 8, 9, 16, 17, 127, 1000] {
            // Powers of two below 2⁵³ would show a term that is missing or doubled; so do whole numbers.
            assert_eq!(sum(len, |i| (i + 1) as f64), (len * (len + 1) / 2) as f64, "{len}");
        }
        assert!(sum(9, |i| if i == 8 { f64::NAN } else { 1.0 }).is_nan());
    }
}
