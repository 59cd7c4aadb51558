//! A page that needs nothing but itself, and a file beside it for everything on it.

use crate::common::failure::{At, Result};
use crate::sheet::{Sheet, escape};
use std::fs;
use std::path::Path;

const STYLE: &str = "\
body { font: 15px/1.5 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif; color: #1a202c; max-width: 1150px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.2em; margin: 2em 0 .3em; border-bottom: 1px solid #e2e8f0; }
p { color: #4a5568; } a { color: #2b6cb0; }
table { border-collapse: collapse; font-size: 13px; margin: .5em 0; }
th, td { padding: .25em .8em; text-align: left; border-bottom: 1px solid #e2e8f0; }
th { background: #f7fafc; } tr:hover td { background: #ebf8ff; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { max-width: 100%; height: auto; margin: .5em 0; }
";

enum Part {
    Sheet(Sheet),
    /// A table that is in its file alone.
    Numbers(Sheet),
    Picture {
        name: &'static str,
        title: String,
        note: String,
        svg: String,
    },
}

/// Results in the order they are read.
pub struct Report {
    title: String,
    subtitle: String,
    parts: Vec<Part>,
}

impl Report {
    /// An empty page.
    pub fn new(title: String, subtitle: String) -> Self {
        Self { title, subtitle, parts: Vec::new() }
    }

    /// Adds a table.
    pub fn sheet(&mut self, sheet: Sheet) {
        self.parts.push(Part::Sheet(sheet));
    }

    /// Adds the numbers of a picture, for its file alone.
    pub fn numbers(&mut self, sheet: Sheet) {
        self.parts.push(Part::Numbers(sheet));
    }

    /// Adds a picture; `note` says which file has its numbers.
    pub fn picture(&mut self, name: &'static str, title: &str, note: &str, svg: String) {
        self.parts.push(Part::Picture { name, title: title.into(), note: note.into(), svg });
    }

    /// The tables as text, those without end left to their files.
    pub fn text(&self) -> String {
        const MOST_ROWS: usize = 100;
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Sheet(sheet) if sheet.rows.len() <= MOST_ROWS => Some(sheet.text()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Writes `report.html`, a CSV file for each table and an SVG file for each picture.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<h1>{0}</h1>\n<p>{1}</p>\n",
            escape(&self.title),
            escape(&self.subtitle)
        );
        for part in &self.parts {
            match part {
                Part::Sheet(sheet) => {
                    sheet.write(folder)?;
                    html += &format!("<h2>{}</h2>\n{}", escape(&sheet.title), sheet.html());
                }
                Part::Numbers(sheet) => sheet.write(folder)?,
                Part::Picture { name, title, note, svg } => {
                    let path = folder.join(format!("{name}.svg"));
                    fs::write(&path, svg).at(&path)?;
                    html += &format!("<h2>{}</h2>\n<p>{}</p>\n{svg}", escape(title), escape(note));
                }
            }
        }
        let path = folder.join("report.html");
        fs::write(&path, html + "</body>\n</html>\n").at(&path)
    }
}
