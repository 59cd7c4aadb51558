//! A table of results, once as a file, once on a page and once on the terminal: the same figures everywhere.

use crate::common::failure::{At, Result};
use std::fmt::Write;
use std::path::Path;

/// A table with a heading.
pub struct Sheet {
    /// The name of its file, without ending.
    pub name: String,
    pub title: String,
    pub note: String,
    pub heading: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// No rows yet.
    pub fn new(name: &str, title: &str, note: &str, heading: &[&str]) -> Self {
        let heading = heading.iter().map(ToString::to_string).collect();
        Self { name: name.into(), title: title.into(), note: note.into(), heading, rows: Vec::new() }
    }

    /// Writes `name.csv` into a folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(format!("{}.csv", self.name));
        let mut writer = csv::Writer::from_path(&path).at(&path)?;
        writer.write_record(&self.heading).at(&path)?;
        self.rows.iter().try_for_each(|row| writer.write_record(row)).at(&path)?;
        writer.flush().at(&path)
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|i| self.rows.iter().chain([&self.heading]).map(|row| row[i].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = format!("{}\n", self.title);
        for row in [&self.heading].into_iter().chain(&self.rows) {
            for (cell, &width) in row.iter().zip(&widths) {
                let _ =
                    if is_figure(cell) { write!(text, "  {cell:>width$}") } else { write!(text, "  {cell:<width$}") };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// For the page.
    pub fn html(&self) -> String {
        let mut html = format!("<p>{} <a href=\"{1}.csv\">{1}.csv</a></p>\n<table>\n", escape(&self.note), self.name);
        for (row, tag) in [(&self.heading, "th")].into_iter().chain(self.rows.iter().map(|row| (row, "td"))) {
            html.push_str("<tr>");
            for cell in row {
                let class = if is_figure(cell) { " class=\"n\"" } else { "" };
                let _ = write!(html, "<{tag}{class}>{}</{tag}>", escape(cell));
            }
            html.push_str("</tr>\n");
        }
        html + "</table>\n"
    }
}

fn is_figure(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') || cell == "undefined"
}

/// Four decimals, or that there is no such figure.
pub fn figure(value: Option<f64>) -> String {
    value.map_or("undefined".into(), |value| format!("{value:.4}"))
}

/// Text that may stand in HTML and SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
