//! The user's table: a row an architecture, with the accuracies it reaches when trained.

use crate::Result;
use aznas::base::rng::{below, generator};
use std::collections::HashMap;
use std::io::Read;

/// What to read of a table.
pub struct Request<'a> {
    pub arch_column: &'a str,
    /// Accuracy columns; empty for every other column that begins with a number.
    pub columns: &'a [String],
    /// How many rows to keep, drawn at random.
    pub sample: Option<usize>,
    pub seed: u64,
    /// Leave out rows whose architecture is not understood, instead of giving up.
    pub skip_unknown: bool,
}

/// A row that was left out.
#[derive(Debug, PartialEq)]
pub struct Skipped {
    pub line: u64,
    pub reason: String,
}

/// Rows in the order of the file. An architecture that occurs in several rows is held once.
#[derive(Debug, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub architectures: Vec<String>,
    /// For each row, the number of its architecture.
    pub rows: Vec<u32>,
    /// For each column, the value of every row; NaN where there is none.
    pub truths: Vec<Vec<f64>>,
    pub skipped: Vec<Skipped>,
}

impl Table {
    /// The text of a row's architecture.
    pub fn architecture(&self, row: usize) -> &str {
        &self.architectures[self.rows[row] as usize]
    }
}

/// Reads a table row by row; `check` says whether an architecture is understood.
pub fn read(input: impl Read, request: &Request<'_>, check: impl Fn(&str) -> Result<()>) -> Result<Table> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let heading: Vec<String> =
        reader.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_string()).collect();
    let position = |name: &str| {
        let found = heading.iter().position(|other| other == name);
        found.ok_or_else(|| format!("no column {name:?}; there are: {}", heading.join(", ")))
    };
    let arch = position(request.arch_column)?;
    let mut records = reader.records().peekable();
    let places: Vec<usize> = if request.columns.is_empty() {
        let first = match records.peek() {
            Some(Ok(record)) => record.clone(),
            _ => csv::StringRecord::new(),
        };
        (0..heading.len()).filter(|&i| i != arch && first.get(i).is_some_and(|text| number(text).is_some())).collect()
    } else {
        request.columns.iter().map(|name| position(name)).collect::<std::result::Result<_, _>>()?
    };
    if places.is_empty() {
        return Err(format!("no column of numbers beside {:?}", request.arch_column).into());
    }

    let mut skipped = Vec::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut reservoir = Reservoir::new(request.sample, request.seed);
    for record in records {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = &record[arch];
        let architecture = match numbers.get(text) {
            Some(&number) => number,
            None => match check(text) {
                Ok(()) => {
                    numbers.insert(text.to_string(), numbers.len() as u32);
                    numbers.len() as u32 - 1
                }
                Err(error) if request.skip_unknown => {
                    skipped.push(Skipped { line, reason: format!("{text:?}: {error}") });
                    continue;
                }
                Err(error) => return Err(format!("line {line}: {text:?}: {error}").into()),
            },
        };
        let values = places.iter().map(|&i| {
            number(&record[i]).ok_or_else(|| format!("line {line}: {}: not a number: {:?}", heading[i], &record[i]))
        });
        reservoir.offer((architecture, values.collect::<std::result::Result<Vec<f64>, _>>()?));
    }

    let mut architectures = vec![String::new(); numbers.len()];
    numbers.into_iter().for_each(|(text, number)| architectures[number as usize] = text);
    let rows = reservoir.finish();
    if rows.is_empty() {
        return Err("the table has no usable row".into());
    }
    Ok(Table {
        columns: places.iter().map(|&i| heading[i].clone()).collect(),
        architectures,
        truths: (0..places.len()).map(|i| rows.iter().map(|(_, values)| values[i]).collect()).collect(),
        rows: rows.into_iter().map(|(architecture, _)| architecture).collect(),
        skipped,
    })
}

/// A number; NaN for a field that is empty or says so, as spreadsheets and pandas do.
fn number(text: &str) -> Option<f64> {
    if text.is_empty() || text.eq_ignore_ascii_case("na") {
        return Some(f64::NAN);
    }
    // An infinite accuracy is a failed one.
    text.parse().ok().map(|value: f64| if value.is_finite() { value } else { f64::NAN })
}

/// A uniform sample of a stream (algorithm R), in the order of the stream.
struct Reservoir<T> {
    capacity: Option<usize>,
    rng: aznas::base::rng::Generator,
    seen: u64,
    items: Vec<(u64, T)>,
}

impl<T> Reservoir<T> {
    fn new(capacity: Option<usize>, seed: u64) -> Self {
        Self { capacity, rng: generator(seed), seen: 0, items: Vec::new() }
    }

    fn offer(&mut self, item: T) {
        self.seen += 1;
        match self.capacity {
            Some(capacity) if self.items.len() >= capacity => {
                let place = below(&mut self.rng, self.seen) as usize;
                if place < capacity {
                    self.items[place] = (self.seen, item);
                }
            }
            _ => self.items.push((self.seen, item)),
        }
    }

    fn finish(mut self) -> Vec<T> {
        self.items.sort_by_key(|(number, _)| *number);
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}
