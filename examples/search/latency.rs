//! How long a network takes on a device: the sum over its layers, each looked up in a table or measured here.
//!
//! A layer is a primary block, or the head, on one image. Layers of the same name take the same time, so that one
//! is measured once however many networks have it.

use crate::failure::{At, Failure};
use aznas::graph::{Block, Network};
use aznas::mem::Memory;
use aznas::spaces::Space;
use aznas::tensor::{Random, Shape};
use aznas::{Error, Options};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Runs of each step whose median counts.
const RUNS: usize = 7;

/// Milliseconds by the name of the layer.
pub struct Table {
    milliseconds: BTreeMap<String, f64>,
    /// What layers that are not in the table are measured with; none if they are an error.
    kernel: Option<Options>,
    memory: Memory,
    /// Where measurements are kept.
    file: Option<(PathBuf, File)>,
}

impl Table {
    /// The table of another device: lines of `layer,milliseconds` below a header.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let milliseconds = read(path)?;
        Ok(Self { milliseconds, kernel: None, memory: Memory::new(), file: None })
    }

    /// A table of this machine, filled as layers come up.
    pub fn measured(options: Options) -> Self {
        Self { milliseconds: BTreeMap::new(), kernel: Some(options), memory: Memory::new(), file: None }
    }

    /// Keeps what is measured in a file, whose content comes before what is known so far.
    pub fn keep(&mut self, path: &Path) -> Result<(), Failure> {
        if self.kernel.is_none() {
            return Ok(());
        }
        let mut kept = if path.try_exists().at(path)? { read(path)? } else { BTreeMap::new() };
        let mut file = OpenOptions::new().append(true).create(true).open(path).at(path)?;
        if file.metadata().at(path)?.len() == 0 {
            file.write_all(b"layer,milliseconds\n").at(path)?;
        }
        for (layer, milliseconds) in &self.milliseconds {
            if !kept.contains_key(layer) {
                append(&mut file, path, layer, *milliseconds)?;
                kept.insert(layer.clone(), *milliseconds);
            }
        }
        self.milliseconds = kept;
        self.file = Some((path.to_path_buf(), file));
        Ok(())
    }

    /// Milliseconds of one image of `resolution` × `resolution` pixels through the network of an architecture.
    pub fn of<S: Space>(
        &mut self,
        space: &S,
        architecture: &S::Architecture,
        resolution: usize,
    ) -> Result<f64, Failure> {
        let network = space.network(architecture);
        let mut shape = Shape::new(1, resolution, resolution, network.input_channels())?;
        let mut sum = 0.0;
        for index in 0..=network.block_count() {
            let layer = Layer { network: &network, index, input: shape };
            let name =
                format!("{} {}x{}x{}", space.layer(architecture, index), shape.height, shape.width, shape.channels);
            sum += match self.milliseconds.get(&name) {
                Some(milliseconds) => *milliseconds,
                None => self.measure(&layer, name)?,
            };
            let mut block = Block::new(0, shape);
            layer.describe(0, &mut block)?;
            shape = block.output_shape();
        }
        Ok(sum)
    }

    fn measure<N: Network>(&mut self, layer: &Layer<'_, N>, name: String) -> Result<f64, Failure> {
        let Some(options) = self.kernel else {
            return Err(Failure::Arguments(format!("--latency-table: has no line for the layer `{name}`")));
        };
        let options = Options { batch: 1, height: layer.input.height, width: layer.input.width, ..options };
        let mut workspace = self.memory.workspace(aznas::workspace_size(layer, &options, &Random)?)?;
        let mut total = Duration::ZERO;
        aznas::forward(layer, &options, &Random, &mut workspace, |_, step| {
            let mut times = [Duration::ZERO; RUNS];
            for time in &mut times {
                let start = Instant::now();
                step();
                *time = start.elapsed();
            }
            times.sort();
            total += times[RUNS / 2];
        })?;
        // Whole nanoseconds, so that a time read back is the time that was measured.
        let milliseconds = total.as_nanos() as f64 / 1e6;
        if let Some((path, file)) = &mut self.file {
            append(file, path, &name, milliseconds)?;
        }
        self.milliseconds.insert(name, milliseconds);
        Ok(milliseconds)
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, f64>, Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(|error| Failure::content(path, error.to_string()))?;
    let mut table = BTreeMap::new();
    for (row, number) in reader.records().zip(2..) {
        let refuse = |reason: &str| Failure::content(path, format!("line {number}: {reason}"));
        let row = row.map_err(|error| refuse(&error.to_string()))?;
        let milliseconds =
            row.get(1).and_then(|text| text.parse().ok()).filter(|&ms: &f64| ms >= 0.0 && ms.is_finite());
        let (Some(layer), Some(milliseconds), 2) = (row.get(0), milliseconds, row.len()) else {
            return Err(refuse("a layer and its milliseconds are expected"));
        };
        table.insert(layer.to_string(), milliseconds);
    }
    Ok(table)
}

fn append(file: &mut File, path: &Path, layer: &str, milliseconds: f64) -> Result<(), Failure> {
    file.write_all(format!("{layer},{milliseconds}\n").as_bytes()).at(path)
}

/// One block of a network, or its head, as a network of its own.
struct Layer<'n, N> {
    network: &'n N,
    index: usize,
    input: Shape,
}

impl<N: Network> Network for Layer<'_, N> {
    fn input_channels(&self) -> usize {
        self.input.channels
    }

    fn block_count(&self) -> usize {
        1
    }

    fn describe(&self, _: usize, block: &mut Block) -> Result<(), Error> {
        if self.index == self.network.block_count() {
            self.network.describe_head(block)
        } else {
            self.network.describe(self.index, block)
        }
    }
}
