//! What a field of a table says, and what a column of fields is by all of them.

use crate::common::failure::quoted;

/// Marks of a missing value, in small letters, as spreadsheets, pandas, R and people write them.
const MISSING: [&str; 12] = ["", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", "nil", "-", "--", "?"];

/// What a field can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    /// A number before a percent sign.
    Percent,
    /// A number but for a comma in place of the point, or between thousands: nobody can tell.
    Comma,
    Text,
}

/// The fields of a column, counted.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// For each [`Kind`], how many there are, and the line and text of the first.
    found: [(u64, Option<(u64, String)>); 4],
}

impl Column {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_string(), found: Default::default() }
    }

    /// The number in a field; NaN for what is missing, and for what is none, which [`judge`](Self::judge) tells.
    pub fn read(&mut self, text: &str, line: u64) -> f64 {
        let Some((kind, value)) = read(text) else { return f64::NAN };
        let (count, first) = &mut self.found[kind as usize];
        *count += 1;
        first.get_or_insert_with(|| (line, text.to_string()));
        value
    }

    /// `Ok(Ok(()))` for a column of numbers; `Ok` with the reason for what can be none; an error for a column of numbers with
    /// something else among them.
    pub fn judge(&self) -> Result<Result<(), String>, String> {
        let count = |kind: Kind| self.found[kind as usize].0;
        let [number, percent, comma, text] = [Kind::Number, Kind::Percent, Kind::Comma, Kind::Text].map(count);
        let place = |kind: Kind| match &self.found[kind as usize].1 {
            Some((line, text)) => format!("line {line}, column {}: {}", self.name, quoted(text)),
            None => String::new(),
        };
        if number + percent + comma + text == 0 {
            Ok(Err("holds no value".to_string()))
        } else if text > number + percent + comma {
            let (line, text) = self.found[Kind::Text as usize].1.clone().unwrap_or_default();
            Ok(Err(format!("holds text, such as {} in line {line}", quoted(&text))))
        } else if text > 0 {
            Err(format!("{} is not a number", place(Kind::Text)))
        } else if comma > 0 {
            Err(format!(
                "{} has a comma: write numbers with a point, without marks between thousands",
                place(Kind::Comma)
            ))
        } else if percent > 0 && number > 0 {
            Err(format!("{} has a percent sign, which {} has not", place(Kind::Percent), place(Kind::Number)))
        } else {
            Ok(Ok(()))
        }
    }
}

/// What a field is, and its number; nothing for a missing one.
fn read(text: &str) -> Option<(Kind, f64)> {
    if MISSING.contains(&text.to_ascii_lowercase().as_str()) {
        return None;
    }
    // An infinite accuracy is a failed one.
    let number = |text: &str| text.parse().ok().map(|value: f64| if value.is_finite() { value } else { f64::NAN });
    if let Some(value) = number(text) {
        return Some((Kind::Number, value));
    }
    if let Some(value) = text.strip_suffix('%').and_then(|text| number(text.trim_end())) {
        return Some((Kind::Percent, value));
    }
    let is_number = number(&text.trim_end_matches('%').trim_end().replace(',', "")).is_some();
    Some((if is_number { Kind::Comma } else { Kind::Text }, f64::NAN))
}
