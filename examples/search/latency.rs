//! How long a network takes on a device: the sum over its layers, each looked up in a table or measured here.
//!
//! A layer is a primary block, or the head, on one image. Layers of the same name take the same time, so that one
//! is measured once however many networks have it.

use crate::common::failure::Result;
use crate::common::setting::Setting;
use crate::common::store::{self, Store};
use aznas::graph::{Block, Network};
use aznas::mem::Memory;
use aznas::spaces::Space;
use aznas::tensor::{Random, Shape};
use aznas::{Error, Options};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
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
    store: Option<Store>,
}

impl Table {
    /// The table of another device: lines of `layer,milliseconds` below a header.
    pub fn read(path: &Path) -> Result<Self> {
        let mut milliseconds = BTreeMap::new();
        store::read_named(path, |row| {
            let (layer, time) = entry(row.get(COLUMNS[0]), row.get(COLUMNS[1]))?;
            milliseconds.insert(layer, time);
            Ok(())
        })?;
        Ok(Self { milliseconds, kernel: None, memory: Memory::new(), store: None })
    }

    /// A table of this machine, filled as layers come up.
    pub fn measured(options: Options) -> Self {
        Self { milliseconds: BTreeMap::new(), kernel: Some(options), memory: Memory::new(), store: None }
    }

    /// Keeps what is measured in a file, whose content comes before what is known so far.
    pub fn keep(&mut self, path: &Path, setting: &Setting) -> Result<()> {
        if self.kernel.is_none() {
            return Ok(());
        }
        let mut kept = BTreeMap::new();
        let mut store = Store::open(path, &COLUMNS, setting, |record| {
            let (layer, milliseconds) = entry(record.get(0), record.get(1))?;
            kept.insert(layer, milliseconds);
            Ok(())
        })?;
        for (layer, milliseconds) in std::mem::take(&mut self.milliseconds) {
            if let Entry::Vacant(entry) = kept.entry(layer) {
                store.append([entry.key(), &milliseconds.to_string()])?;
                entry.insert(milliseconds);
            }
        }
        (self.milliseconds, self.store) = (kept, Some(store));
        Ok(())
    }

    /// Milliseconds of one image of `resolution` × `resolution` pixels through the network of an architecture.
    pub fn of<S: Space>(&mut self, space: &S, architecture: &S::Architecture, resolution: usize) -> Result<f64> {
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

    fn measure<N: Network>(&mut self, layer: &Layer<'_, N>, name: String) -> Result<f64> {
        let Some(options) = self.kernel else {
            return Err(format!("--latency-table: has no line for the layer `{name}`").into());
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
        if let Some(store) = &mut self.store {
            store.append([name.as_str(), &milliseconds.to_string()])?;
        }
        self.milliseconds.insert(name, milliseconds);
        Ok(milliseconds)
    }
}

/// The names of a line's fields.
const COLUMNS: [&str; 2] = ["layer", "milliseconds"];

fn entry(layer: Option<&str>, milliseconds: Option<&str>) -> std::result::Result<(String, f64), String> {
    let milliseconds = milliseconds.and_then(|text| text.parse().ok());
    match (layer, milliseconds.filter(|&time: &f64| time >= 0.0 && time.is_finite())) {
        (Some(layer), Some(milliseconds)) => Ok((layer.to_string(), milliseconds)),
        _ => Err("a layer and its milliseconds are expected".to_string()),
    }
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

    fn describe(&self, _: usize, block: &mut Block) -> std::result::Result<(), Error> {
        if self.index == self.network.block_count() {
            self.network.describe_head(block)
        } else {
            self.network.describe(self.index, block)
        }
    }
}
