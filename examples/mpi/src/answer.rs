//! What a rank answers, as text: the number of a candidate and the bits of its scores, so that nothing is lost.

use crate::crew::Told;

/// The answer about a candidate.
pub fn write(id: usize, told: &Told) -> String {
    told.iter().fold(id.to_string(), |line, score| format!("{line} {:x}", score.to_bits()))
}

/// The candidate and its scores in an answer.
pub fn read(answer: &str) -> Option<(usize, Told)> {
    let (id, rest) = answer.split_once(' ')?;
    let score = |word| u64::from_str_radix(word, 16).ok().map(f64::from_bits);
    Some((id.parse().ok()?, rest.split(' ').map(score).collect::<Option<_>>()?))
}
