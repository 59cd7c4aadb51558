//! What no ranking can pass: how well one training predicts another of the same architecture on the same data set.

use crate::paper;
use crate::study::{MEASURES, Truth};

/// The other trainings of what a column has, found by its name: columns that differ in their last number alone, and are
/// of the same data set.
pub fn repeats<'t>(truth: &Truth, truths: &'t [Truth]) -> Vec<&'t Truth> {
    let is_repeat = |other: &&Truth| {
        other.name != truth.name
            && paper::dataset(&other.name) == paper::dataset(&truth.name)
            && stem(&truth.name).is_some_and(|stem_of_truth| stem(&other.name) == Some(stem_of_truth))
    };
    truths.iter().filter(is_repeat).collect()
}

/// What is before and behind the last number of a name.
fn stem(name: &str) -> Option<(&str, &str)> {
    let up_to_number = name.trim_end_matches(|c: char| !c.is_ascii_digit());
    let before = up_to_number.trim_end_matches(|c: char| c.is_ascii_digit());
    (before.len() < up_to_number.len()).then_some((before, &name[up_to_number.len()..]))
}

/// The measures of another training as a prediction, in the mean of all others; nothing if there is none.
pub fn ceiling(truth: &Truth, truths: &[Truth], columns: &[Vec<f64>]) -> Option<[Option<f64>; MEASURES.len()]> {
    let others = repeats(truth, truths);
    let rows = columns.first().map_or(0, Vec::len);
    let of_another = |other: &&Truth| {
        let mut prediction = vec![f64::NAN; rows];
        other.rows.iter().zip(&other.values).for_each(|(&row, &value)| prediction[row] = value);
        truth.shared(other).measures(&prediction, columns)
    };
    let all: Vec<_> = others.iter().map(of_another).collect();
    let mean = |measure: usize| {
        let values: Option<Vec<f64>> = all.iter().map(|measures| measures[measure]).collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    (!all.is_empty()).then(|| std::array::from_fn(mean))
}
