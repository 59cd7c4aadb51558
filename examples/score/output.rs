//! How results are written.

use crate::arguments::Format;
use crate::common::scoring::Outcome;
use crate::common::setting::Setting;
use crate::common::store::{self, Checksum};
use aznas::aggregate::{Mode, aggregate};
use aznas::proxy::{Proxy, ProxySet};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The columns of every CSV file; those of other proxies that were measured stand before the flags.
const COLUMNS: [&str; 16] = [
    "arch",
    "expressivity",
    "progressivity",
    "trainability",
    "complexity",
    "params",
    "macs",
    "live_macs",
    "live_params",
    "mean_progressivity",
    "depth",
    "live_layers",
    "peak_activation",
    "flags",
    "seed",
    "setting",
];

/// The place of the flags among them.
const FLAGS: usize = 13;

/// Rows as they come.
pub struct Output<W> {
    pub format: Format,
    pub proxies: ProxySet,
    /// What all scores depend on.
    pub setting: Setting,
    pub out: W,
    /// A table is written at the end, when ranks are known.
    rows: Vec<(String, Outcome)>,
}

impl<W: Write> Output<W> {
    pub fn new(format: Format, proxies: ProxySet, setting: Setting, out: W) -> Self {
        Self { format, proxies, setting, out, rows: Vec::new() }
    }

    pub fn begin(&mut self) -> io::Result<()> {
        if self.format == Format::Csv {
            writeln!(self.out, "{}", self.heading())?;
        }
        self.out.flush()
    }

    /// The proxies without a column of their own that had to be measured: whoever goes on with the scores needs them all.
    fn further(&self) -> ProxySet {
        let measured = self.setting.get("proxies").and_then(|set| ProxySet::parse(set).ok()).unwrap_or_default();
        let counted = ProxySet::of(&[]).measured();
        measured.without(counted).without(ProxySet::PAPER).without(ProxySet::of(&[Proxy::MeanProgressivity]))
    }

    fn heading(&self) -> String {
        let (first, last) = COLUMNS.split_at(FLAGS);
        let further = self.further().iter().map(Proxy::name);
        let columns: Vec<_> = first.iter().copied().chain(further).chain(last.iter().copied()).collect();
        store::heading(&columns, &Setting::default())
    }

    /// Writes a row, which is out of the program when this returns.
    pub fn row(&mut self, arch: &str, seed: u64, outcome: Outcome) -> io::Result<()> {
        match self.format {
            Format::Table => self.rows.push((arch.to_string(), outcome)),
            Format::Csv => {
                let heading = Checksum::of(self.heading().as_bytes());
                let further = outcome.scores.values(self.further()).map(|value| value.to_string());
                let fields = csv(arch, seed, &self.setting, &outcome);
                let (first, last) = fields.split_at(FLAGS);
                let row = store::line(heading, first.iter().cloned().chain(further).chain(last.iter().cloned()));
                self.out.write_all(row.as_bytes())?;
            }
            Format::Json => {
                let mut object = json(arch, seed, &self.setting, &outcome);
                for proxy in self.further().iter() {
                    object[proxy.name()] = outcome.scores.get(proxy).into();
                }
                writeln!(self.out, "{object}")?;
            }
        }
        self.out.flush()
    }

    /// Answers what cannot be scored.
    pub fn refuse(&mut self, arch: &str, place: &str, reason: &str) -> io::Result<()> {
        if self.format == Format::Json {
            writeln!(self.out, "{}", json!({ "arch": arch, "error": reason }))?;
        } else {
            eprintln!("note: left out: {place}: {reason}");
        }
        self.out.flush()
    }

    pub fn end(&mut self) -> io::Result<()> {
        if self.format == Format::Table {
            table(&mut self.out, self.proxies, &self.rows)?;
        }
        self.out.flush()
    }
}

fn csv(arch: &str, seed: u64, setting: &Setting, outcome: &Outcome) -> [String; COLUMNS.len()] {
    let scores = &outcome.scores;
    [
        arch.to_string(),
        scores.expressivity().to_string(),
        scores.progressivity().to_string(),
        scores.trainability().to_string(),
        scores.complexity().to_string(),
        scores.cost.parameters.to_string(),
        scores.cost.macs.to_string(),
        scores.cost.live_macs.to_string(),
        scores.cost.live_parameters.to_string(),
        scores.get(Proxy::MeanProgressivity).to_string(),
        scores.cost.depth.to_string(),
        scores.cost.live_layers.to_string(),
        outcome.peak_activation.to_string(),
        scores.flags.names().collect::<Vec<_>>().join(" "),
        seed.to_string(),
        setting.to_string(),
    ]
}

fn json(arch: &str, seed: u64, setting: &Setting, outcome: &Outcome) -> Value {
    let scores = &outcome.scores;
    let mut object = json!({
        "arch": arch,
        "expressivity": scores.expressivity(),
        "progressivity": scores.progressivity(),
        "trainability": scores.trainability(),
        "complexity": scores.complexity(),
        "params": scores.cost.parameters,
        "macs": scores.cost.macs,
        "live_macs": scores.cost.live_macs,
        "live_params": scores.cost.live_parameters,
        "mean_progressivity": scores.get(Proxy::MeanProgressivity),
        "depth": scores.cost.depth,
        "live_layers": scores.cost.live_layers,
        "peak_activation": outcome.peak_activation,
        "flags": scores.flags.names().collect::<Vec<_>>(),
        "seed": seed,
        "setting": setting.to_string(),
        "workspace_bytes": outcome.workspace_bytes,
        "milliseconds": outcome.elapsed.as_secs_f64() * 1e3,
    });
    if !outcome.blocks.is_empty() {
        let blocks = outcome.blocks.iter().map(|block| {
            json!({
                "block": block.block,
                "name": outcome.name(block.block),
                "feature": block.feature,
                "expressivity": block.expressivity,
                "sigma": block.sigma,
                "trainability": block.trainability,
            })
        });
        object["blocks"] = blocks.collect();
    }
    object
}

fn table(out: &mut impl Write, proxies: ProxySet, rows: &[(String, Outcome)]) -> io::Result<()> {
    let columns: Vec<Vec<f64>> =
        proxies.iter().map(|proxy| rows.iter().map(|(_, outcome)| outcome.scores.get(proxy)).collect()).collect();
    let aggregates = aggregates(&columns);
    write!(out, "{:>5} {:>10}", "rank", "aggregate")?;
    for proxy in proxies.iter() {
        write!(out, " {:>11}", proxy.symbol())?;
    }
    writeln!(out, " {:>10} {:>10} {:>9} {:>8}  architecture", "params", "peak", "memory", "time")?;
    for (i, (text, outcome)) in rows.iter().enumerate() {
        let rank = 1 + aggregates.iter().filter(|&&other| other > aggregates[i]).count();
        let scores = &outcome.scores;
        write!(out, "{rank:>5} {:>10.4}", aggregates[i])?;
        for column in &columns {
            // Counts are whole numbers.
            let decimals = if column[i].fract() == 0.0 { 0 } else { 4 };
            write!(out, " {:>11.decimals$}", column[i])?;
        }
        writeln!(
            out,
            " {:>10} {:>10} {:>7.1}Mi {:>6.1}ms  {text}",
            scores.cost.parameters,
            outcome.peak_activation,
            outcome.workspace_bytes as f64 / f64::from(1 << 20),
            outcome.elapsed.as_secs_f64() * 1e3,
        )?;
        for name in scores.flags.names() {
            writeln!(out, "      {name}")?;
        }
        for block in &outcome.blocks {
            let [height, width, channels] = block.feature;
            writeln!(
                out,
                "      block {:>3}  {:<13} expressivity {:>8.5}  sigma {:>9.5}  trainability {:>9.5}  {}",
                block.block,
                format!("{height}x{width}x{channels}"),
                block.expressivity,
                block.sigma,
                block.trainability,
                outcome.name(block.block)
            )?;
        }
    }
    Ok(())
}

fn aggregates(columns: &[Vec<f64>]) -> Vec<f64> {
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; columns[0].len()];
    if !out.is_empty() {
        let mut scratch = vec![0; out.len()];
        // The columns are of one length and not empty: nothing can be wrong with them.
        let _ = aggregate(&columns, &vec![1.0; columns.len()], Mode::Log, &mut out, &mut scratch);
    }
    out
}
