//! What the integration tests share.
#![allow(dead_code)] // each test uses its part

pub mod record;
pub mod recorded;

use aznas::graph::{Cost, Network};
use aznas::proxy::{BlockScores, ProxySet};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::tensor::{Random, Source};
use aznas::{Options, Scores, Workspace};

/// A NAS-Bench-201 network from its text.
pub fn cell_network(text: &str, channels: u32, cells: u32, classes: u32) -> CellNetwork {
    CellNetwork { cell: Cell::parse(text).unwrap(), skeleton: Skeleton::new(channels, cells, classes).unwrap() }
}

/// Scores a network in memory of its own.
pub fn score_with<N: Network + ?Sized>(
    network: &N,
    options: &Options,
    source: &dyn Source,
) -> (Scores, Vec<BlockScores>) {
    let bytes = aznas::workspace_size(network, options, source).unwrap();
    let mut memory = vec![0u8; Workspace::buffer_len(bytes).unwrap()];
    let mut blocks = Vec::new();
    let mut workspace = Workspace::from_bytes(&mut memory);
    let scores = aznas::score(network, options, source, &mut workspace, |block| blocks.push(*block)).unwrap();
    (scores, blocks)
}

/// Scores a network with random tensors.
pub fn score<N: Network + ?Sized>(network: &N, options: &Options) -> (Scores, Vec<BlockScores>) {
    score_with(network, options, &Random)
}

/// The bits of everything a score consists of.
pub fn bits(scores: &Scores, blocks: &[BlockScores]) -> Vec<u64> {
    let mut bits: Vec<u64> = scores.values(ProxySet::ALL).map(f64::to_bits).collect();
    let Cost { macs, live_macs, parameters, live_parameters, live_layers, depth } = scores.cost;
    bits.extend([macs, live_macs, parameters, live_parameters, live_layers, depth]);
    bits.extend([scores.measured.bits(), scores.flags.0].map(u64::from));
    for block in blocks {
        bits.push(block.block as u64);
        bits.extend(block.feature.map(|side| side as u64));
        bits.extend([block.expressivity, block.sigma, block.trainability, block.concentration].map(f64::to_bits));
        bits.push(u64::from(block.flags.0));
    }
    bits
}

/// Cells that between them have every operation, merged and single convolutions, and every degenerate case.
pub const CELLS: [&str; 9] = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|nor_conv_3x3~0|skip_connect~1|avg_pool_3x3~2|",
    "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|",
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|none~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
];
