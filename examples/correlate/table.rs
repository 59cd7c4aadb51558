//! The user's table: a row an architecture, with the accuracies it reaches when trained.

use crate::common::failure::quoted;
use crate::field::Column;
use aznas::base::rng::{below, generator};
use std::collections::HashMap;
use std::io::Read;

/// What to read of a table.
pub struct Request<'a> {
    pub arch_column: &'a str,
    /// Accuracy columns; empty for every other column of numbers.
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
    /// Which columns were taken for accuracies and which were not, where nobody said.
    pub remarks: Vec<String>,
}

impl Table {
    /// The text of a row's architecture.
    pub fn architecture(&self, row: usize) -> &str {
        &self.architectures[self.rows[row] as usize]
    }

    /// The table with these of its rows.
    pub fn only(&self, rows: &[usize]) -> Self {
        Self {
            columns: self.columns.clone(),
            architectures: self.architectures.clone(),
            rows: rows.iter().map(|&row| self.rows[row]).collect(),
            truths: self.truths.iter().map(|truth| rows.iter().map(|&row| truth[row]).collect()).collect(),
            ..Self::default()
        }
    }
}

/// Reads a table row by row; `check` says whether an architecture is understood.
///
/// # Errors
/// What is wrong, with the line and the column.
pub fn read(
    input: impl Read,
    request: &Request<'_>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let heading: Vec<String> = match reader.headers() {
        Ok(heading) => heading.iter().map(|name| name.trim_start_matches('\u{feff}').to_string()).collect(),
        Err(error) => return Err(reason(&error, &[])),
    };
    let arch = position(&heading, request.arch_column)?;
    let chosen: Vec<usize> = if request.columns.is_empty() {
        (0..heading.len()).filter(|&place| place != arch && !is_unnamed(&heading, place)).collect()
    } else {
        request.columns.iter().map(|name| position(&heading, name)).collect::<Result<_, _>>()?
    };
    let mut columns: Vec<Column> = chosen.iter().map(|&place| Column::new(&heading[place])).collect();

    let mut skipped = Vec::new();
    let mut rows = Rows::new(request);
    for record in reader.records() {
        let record = record.map_err(|error| reason(&error, &heading))?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = &record[arch];
        if !rows.know(text) {
            match check(text) {
                Ok(()) => {}
                Err(error) if request.skip_unknown => {
                    skipped.push(Skipped { line, reason: format!("{}: {error}", quoted(text)) });
                    continue;
                }
                Err(error) => {
                    return Err(format!("line {line}, column {}: {}: {error}", heading[arch], quoted(text)));
                }
            }
        }
        let values = columns.iter_mut().zip(&chosen).map(|(column, &place)| column.read(&record[place], line));
        rows.add(text, values.collect());
    }

    let (taken, remarks) = judge(&heading, &columns, request)?;
    let names = taken.iter().map(|&i| (columns[i].name.clone(), i));
    Ok(Table { skipped, remarks, ..rows.finish(names.collect())? })
}

/// Rows as they come in.
pub struct Rows {
    /// The number of each architecture.
    numbers: HashMap<String, u32>,
    kept: Reservoir<(u32, Vec<f64>)>,
}

impl Rows {
    /// None yet.
    pub fn new(request: &Request<'_>) -> Self {
        Self { numbers: HashMap::new(), kept: Reservoir::new(request.sample, request.seed) }
    }

    /// Whether there was a row of the architecture.
    pub fn know(&self, architecture: &str) -> bool {
        self.numbers.contains_key(architecture)
    }

    /// Adds a row, unless the sample leaves it out.
    pub fn add(&mut self, architecture: &str, values: Vec<f64>) {
        let number = match self.numbers.get(architecture) {
            Some(&number) => number,
            None => {
                let number = self.numbers.len() as u32;
                self.numbers.insert(architecture.to_string(), number);
                number
            }
        };
        self.kept.offer((number, values));
    }

    /// The rows as a table of these columns: names, and places among the values.
    pub fn finish(self, columns: Vec<(String, usize)>) -> Result<Table, String> {
        let mut architectures = vec![String::new(); self.numbers.len()];
        self.numbers.into_iter().for_each(|(text, number)| architectures[number as usize] = text);
        let rows = self.kept.finish();
        if rows.is_empty() {
            return Err("the table has no usable row".to_string());
        }
        let truth = |place: usize| rows.iter().map(|(_, values)| values[place]).collect();
        let (columns, truths) = columns.into_iter().map(|(name, place)| (name, truth(place))).unzip();
        let rows = rows.into_iter().map(|(architecture, _)| architecture).collect();
        Ok(Table { columns, architectures, truths, rows, ..Table::default() })
    }
}

/// Which of the columns are accuracies, by all their rows, and what people are told of that.
fn judge(heading: &[String], columns: &[Column], request: &Request<'_>) -> Result<(Vec<usize>, Vec<String>), String> {
    let (mut taken, mut remarks) = (Vec::new(), Vec::new());
    for (i, column) in columns.iter().enumerate() {
        match column.judge()? {
            Ok(()) => taken.push(i),
            Err(reason) if request.columns.is_empty() => remarks.push(format!("column {} {reason}", column.name)),
            Err(reason) => return Err(format!("column {} {reason}", column.name)),
        }
    }
    let unnamed = (0..heading.len()).filter(|&place| is_unnamed(heading, place));
    remarks.extend(unnamed.map(|place| format!("column {} has no name, as those that number the rows", place + 1)));
    if taken.is_empty() {
        let remarks = remarks.iter().map(|remark| format!("; {remark}")).collect::<String>();
        return Err(format!("no column of numbers beside {}{remarks}", request.arch_column));
    }
    if request.columns.is_empty() {
        remarks.iter_mut().for_each(|remark| *remark = format!("left out: {remark}"));
        let names: Vec<&str> = taken.iter().map(|&i| columns[i].name.as_str()).collect();
        remarks.push(format!("taken for accuracies: {}", names.join(", ")));
    } else {
        remarks.clear();
    }
    Ok((taken, remarks))
}

/// Whether a column has no name, or the one that pandas makes of none.
fn is_unnamed(heading: &[String], place: usize) -> bool {
    heading[place].is_empty() || heading[place] == format!("Unnamed: {place}")
}

fn position(heading: &[String], name: &str) -> Result<usize, String> {
    let mut places = (0..heading.len()).filter(|&place| heading[place] == name);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(format!("line 1: two columns are named {}", quoted(name))),
        (None, _) => {
            let names = heading.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            let is_other = matches!(heading, [only] if only.contains([';', '\t']));
            let hint = if is_other { "; fields are expected between commas" } else { "" };
            Err(format!("line 1: no column {}; there are: {names}{hint}", quoted(name)))
        }
    }
}

/// What is wrong with a row, and where.
fn reason(error: &csv::Error, heading: &[String]) -> String {
    let line = |position: &Option<csv::Position>| position.as_ref().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            format!("line {}: {len} fields where the heading has {expected_len}", line(pos))
        }
        csv::ErrorKind::Utf8 { pos, err } => match heading.get(err.field()) {
            Some(name) => format!("line {}, column {name}: not UTF-8", line(pos)),
            None => format!("line {}: not UTF-8", line(pos)),
        },
        _ => error.to_string(),
    }
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
