//! Every kind of primary block of the three spaces, as a score runs it: weights, forward pass, vector-Jacobian product,
//! statistics and spectra. `forward` is the forward pass alone.
//!
//! Operations are two for every multiply-add of the forward pass that reaches the block's output, and as many again for
//! the vector-Jacobian product; statistics come free, and so does what Winograd's algorithm saves.

use aznas::graph::{Block, Cost, Network};
use aznas::mem::Memory;
use aznas::spaces::autoformer::{Architecture, TransformerNetwork};
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::tensor::Random;
use aznas::{Error, Options, score, workspace_size};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench_part};
use std::time::{Duration, Instant};

/// One block of a network, behind a block that hands on random numbers in the shape of its input.
struct Single<N> {
    network: N,
    index: usize,
    channels: usize,
}

impl<N: Network> Network for Single<N> {
    fn input_channels(&self) -> usize {
        self.channels
    }

    fn block_count(&self) -> usize {
        2
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        if index == 0 { Ok(()) } else { self.network.describe(self.index, block) }
    }
}

/// Benches block `index` of `network` on inputs of `[height, width, channels]`.
fn bench_block(
    criterion: &mut Criterion,
    name: &str,
    network: impl Network,
    index: usize,
    [height, width, channels]: [usize; 3],
    batch: usize,
) {
    let single = Single { network, index, channels };
    let options = Options { batch, height, width, ..Options::default() };
    let bytes = workspace_size(&single, &options, &Random).expect("the block is right");
    let macs = Cost::of(&single, height, width).expect("the block is right").live_macs;
    let forward = 2.0 * (batch as u64 * macs) as f64;
    let name = format!("{name} {channels}@{height}x{width} b{batch}");
    let mut memory = Memory::new();
    let mut workspace = memory.workspace(bytes).expect("there is memory");

    bench_part(criterion, &format!("{name} forward"), options.backend, Work::Operations(forward), || {
        let mut time = Duration::ZERO;
        let timed = |block, step: &mut dyn FnMut()| {
            if block == 1 {
                let start = Instant::now();
                step();
                time += start.elapsed();
            }
        };
        aznas::forward(&single, &options, &Random, &mut workspace, timed).expect("the workspace suffices");
        time
    });
    bench_part(criterion, &name, options.backend, Work::Operations(2.0 * forward), || {
        let (mut before, mut time) = (Instant::now(), Duration::ZERO);
        let note = |_: &_| (before, time) = (Instant::now(), before.elapsed());
        score(&single, &options, &Random, &mut workspace, note).expect("the workspace suffices");
        time
    });
}

fn cells(criterion: &mut Criterion) {
    let cells = [
        (
            "cell, all 3x3",
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
        ),
        (
            "cell, mixed",
            "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        ),
        ("cell, light", "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|"),
    ];
    let skeleton = Skeleton::CIFAR10;
    // Blocks 1 to 5 are cells, 6 is a reduction, and so on.
    let stage_len = skeleton.cells() as usize + 1;
    for batch in [8, 64] {
        for (name, text) in cells {
            let network = CellNetwork { cell: Cell::parse(text).expect("a cell"), skeleton };
            for (stage, input) in [[32, 32, 16], [16, 16, 32], [8, 8, 64]].into_iter().enumerate() {
                bench_block(criterion, name, network, 1 + stage * stage_len, input, batch);
            }
        }
        let network = CellNetwork { cell: Cell::parse(cells[0].1).expect("a cell"), skeleton };
        for (stage, input) in [[32, 32, 16], [16, 16, 32]].into_iter().enumerate() {
            bench_block(criterion, "reduction", network, (stage + 1) * stage_len, input, batch);
        }
    }
}

fn inverted_residuals(criterion: &mut Criterion) {
    let mut bench_unit = |name: &str, structure: &str, index, side, channels, batch| {
        let structure = Structure::parse(structure).expect("a structure");
        let network = UnitNetwork { structure, classes: 1000, target_resolution: 224 };
        bench_block(criterion, name, network, index, [side, side, channels], batch);
    };
    for kernel in [3, 5, 7] {
        for stride in [1, 2] {
            let name = format!("inverted residual E6K{kernel}/{stride}");
            bench_unit(&name, &format!("SuperResIDWE6K{kernel}(40,40,{stride},40,1)"), 0, 28, 40, 8);
        }
        // The second unit has no projection.
        bench_unit(
            &format!("inverted residual E6K{kernel}, identity"),
            &format!("SuperResIDWE6K{kernel}(112,112,1,112,1)"),
            1,
            14,
            112,
            8,
        );
    }
    for expansion in [1, 2, 4] {
        bench_unit(
            &format!("inverted residual E{expansion}K3/2"),
            &format!("SuperResIDWE{expansion}K3(24,24,2,24,1)"),
            0,
            112,
            24,
            8,
        );
    }
    bench_unit("first convolution 3x3/2", "SuperConvK3BNRELU(3,24,2,1)", 0, 224, 3, 8);
    bench_unit("last convolution 1x1", "SuperConvK1BNRELU(192,2048,1,1)", 0, 7, 192, 64);
}

fn transformer_layers(criterion: &mut Criterion) {
    for (embed, heads) in [(192, 3), (384, 6), (640, 10)] {
        let text = format!("autoformer(embed={embed},heads={heads}-{heads},ratio=4-4)");
        let network = TransformerNetwork::new(Architecture::parse(&text).expect("an architecture"));
        for (name, index) in [("attention", 2), ("perceptron", 1)] {
            bench_block(criterion, name, network, index, [197, 1, embed], 8);
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = cells, inverted_residuals, transformer_layers
}
criterion_main!(benches);
