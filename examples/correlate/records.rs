//! The records of NDS, as they are published: networks and how they were trained.
//!
//! A file is a list of records, or an object with lists `top` and `mid`. Of a record counts `net` with `genotype`, `width` and
//! `depth`, and `test_ep_top1`, the error on the test images after each epoch in percent: accuracy is what the last one leaves of 100.

use crate::table::{Request, Rows, Skipped, Table};
use aznas::spaces::nds::{Architecture, Cell, Edge, Operation};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Lists<'t> {
    #[serde(borrow)]
    top: Vec<&'t RawValue>,
    #[serde(borrow)]
    mid: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct Record {
    net: Net,
    #[serde(rename = "test_ep_top1")]
    errors: Errors,
}

#[derive(Deserialize)]
struct Net {
    genotype: Genotype,
    width: u32,
    depth: u32,
}

#[derive(Deserialize)]
struct Genotype {
    normal: Vec<Pair>,
    normal_concat: Vec<u8>,
    reduce: Vec<Pair>,
    reduce_concat: Vec<u8>,
}

/// An operation on a state.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "(String, u8)")]
struct Pair(Edge);

impl TryFrom<(String, u8)> for Pair {
    type Error = String;

    fn try_from((name, state): (String, u8)) -> Result<Self, String> {
        let operation = Operation::ALL.into_iter().find(|operation| operation.name() == name);
        let operation = operation.ok_or_else(|| format!("{name:?} is no operation of NDS"))?;
        Ok(Self(Edge { operation, state }))
    }
}

/// Errors in percent; at least one.
#[derive(Deserialize)]
#[serde(try_from = "Vec<f64>")]
struct Errors {
    last: f64,
}

impl TryFrom<Vec<f64>> for Errors {
    type Error = &'static str;

    fn try_from(errors: Vec<f64>) -> Result<Self, Self::Error> {
        errors.last().map(|&last| Self { last }).ok_or("there is no epoch")
    }
}

impl Net {
    fn architecture(&self) -> Result<Architecture, String> {
        let Self { genotype: Genotype { normal, normal_concat, reduce, reduce_concat }, width, depth } = self;
        let cell = |name: &str, pairs: &[Pair], parts: &[u8]| {
            let (nodes, rest) = pairs.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(format!("{name}: two pairs make a node, and there are {}", pairs.len()));
            }
            let nodes: Vec<[Edge; 2]> = nodes.iter().map(|node| node.map(|Pair(edge)| edge)).collect();
            Cell::new(&nodes, parts).map_err(|error| format!("{name}: {error}"))
        };
        let (normal, reduction) = (cell("normal", normal, normal_concat)?, cell("reduce", reduce, reduce_concat)?);
        Architecture::new(normal, reduction, *width, *depth).map_err(|error| error.to_string())
    }
}

/// Reads the records of a file, of which each becomes a row.
///
/// # Errors
/// What is wrong, with the line and the column. Records that are no networks are left out if that is asked for.
pub fn read(text: &str, request: &Request<'_>) -> Result<Table, String> {
    // A wrong file is told by its beginning: of an object the error is about its lists.
    let records: Vec<&RawValue> = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map(|Lists { top, mid }| [top, mid].concat()),
        false => serde_json::from_str(text),
    }
    .map_err(|error| format!("a list of records, or lists top and mid: {error}"))?;
    let mut rows = Rows::new(request);
    let mut skipped = Vec::new();
    for record in records {
        let start = record.get().as_ptr() as usize - text.as_ptr() as usize;
        match row(record.get()) {
            Ok((architecture, accuracy)) => rows.add(&architecture.to_string(), vec![accuracy]),
            Err((at, reason)) => {
                let (line, column) = place(&text[..start], at);
                if !request.skip_unknown {
                    return Err(format!("line {line}, column {column}: {reason}"));
                }
                skipped.push(Skipped { line, reason });
            }
        }
    }
    Ok(Table { skipped, ..rows.finish(vec![("accuracy".to_string(), 0)])? })
}

/// The architecture and the accuracy of a record, or what is wrong with it on which line and column of its own.
fn row(text: &str) -> Result<(Architecture, f64), ([usize; 2], String)> {
    let record: Record = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        ([error.line(), error.column()], reason.to_string())
    })?;
    let architecture = record.net.architecture().map_err(|reason| ([1, 1], reason))?;
    Ok((architecture, 100.0 - record.errors.last))
}

/// Line and column in the file of a place in a record, which begins behind `before`.
fn place(before: &str, [line, column]: [usize; 2]) -> (u64, usize) {
    let own = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
    let lines = before.matches('\n').count() + line;
    (lines as u64, if line == 1 { own + column } else { column })
}
