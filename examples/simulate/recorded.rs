//! Scores of cells with their accuracies, and the times that scores took.

use crate::common::failure::{At, Failure, Result};
use aznas::spaces::nb201::Cell;
use std::collections::BTreeMap;
use std::path::Path;

/// What is known of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The paper's four proxies.
    pub scores: [f64; 4],
    pub accuracy: f64,
}

/// All cells that have both.
pub struct Recorded(pub BTreeMap<Cell, Known>);

impl Recorded {
    /// Reads both files. Cells of one of them alone are left out.
    pub fn read(scores: &Path, accuracies: &Path) -> Result<Self> {
        let accuracies: BTreeMap<Cell, f64> =
            lines(accuracies)?.into_iter().map(|(cell, numbers)| (cell, numbers[0])).collect();
        let mut cells = BTreeMap::new();
        for (cell, numbers) in lines(scores)? {
            let &[e, p, t, c, ..] = numbers.as_slice() else {
                return Err(Failure::content(scores, "a line has fewer than four proxies"));
            };
            if let Some(&accuracy) = accuracies.get(&cell) {
                cells.insert(cell, Known { scores: [e, p, t, c], accuracy });
            }
        }
        if cells.is_empty() {
            return Err(Failure::content(scores, "no cell has an accuracy"));
        }
        Ok(Self(cells))
    }
}

/// Recorded times, one a line, stretched to this mean.
pub fn times(path: &Path, mean: f64) -> Result<Vec<f64>> {
    let text = std::fs::read_to_string(path).at(path)?;
    let times: std::result::Result<Vec<f64>, _> = text.lines().map(str::parse).collect();
    let times = times.ok().filter(|times| !times.is_empty() && times.iter().all(|&time| time > 0.0));
    let times = times.ok_or_else(|| Failure::content(path, "not a positive number a line"))?;
    let factor = mean * times.len() as f64 / times.iter().sum::<f64>();
    Ok(times.iter().map(|time| time * factor).collect())
}

/// The cells of a file with the numbers behind them, of which there is one at least.
fn lines(path: &Path) -> Result<Vec<(Cell, Vec<f64>)>> {
    let mut lines = Vec::new();
    for (index, record) in csv::Reader::from_path(path).at(path)?.records().enumerate() {
        let record = record.at(path)?;
        let refuse = |reason: String| Failure::content(path, format!("line {}: {reason}", index + 2));
        let cell = Cell::parse(&record[0]).map_err(|error| refuse(error.to_string()))?;
        let numbers: std::result::Result<Vec<f64>, _> = record.iter().skip(1).map(str::parse).collect();
        match numbers {
            Ok(numbers) if !numbers.is_empty() => lines.push((cell, numbers)),
            _ => return Err(refuse("no numbers".to_string())),
        }
    }
    Ok(lines)
}
