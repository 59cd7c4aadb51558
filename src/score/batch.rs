//! Batches that say enough about every feature.

use crate::Error;
use crate::graph::{Network, Walk};

/// The smallest batch of images of `height × width` in which the feature of every block has at least
/// `positions_per_channel` positions (images × rows × columns) a channel.
///
/// The spectrum of n positions of c channels is spread wider than that of the map they are drawn from, by about c/n of
/// each eigenvalue (Marchenko and Pastur): its entropy is too low by about c/2n, and the largest singular value of a
/// transfer matrix too high by about √(c/n). Both depend on the width, so they mislead where networks differ in it.
///
/// # Errors
/// Those of describing the network, and [`Error::TooLarge`] if the batch is beyond 32 bits.
pub fn smallest_batch<N: Network + ?Sized>(
    network: &N,
    height: usize,
    width: usize,
    positions_per_channel: u32,
) -> Result<usize, Error> {
    let (mut walk, mut batch) = (Walk::new(network, 1, height, width)?, 1);
    while let Some(block) = walk.next_block()? {
        let feature = block.output_shape();
        let positions = feature.channels as u64 * u64::from(positions_per_channel);
        batch = batch.max(positions.div_ceil(feature.positions() as u64));
    }
    in_32_bits(batch)
}

/// The smallest batch of images of `height × width` whose features have at least `positions_per_channel` positions a channel in
/// the harmonic mean over the blocks.
///
/// What a block's entropy loses is about half the ratio of its channels to its positions, and what σ is off by grows with it too.
/// Of means over the blocks that error is the mean of the blocks', in which one wide block of many weighs little:
/// [`smallest_batch`] is made for that one, and asks for several times as many images where a last convolution is wide.
///
/// # Errors
/// Those of [`smallest_batch`].
pub fn sufficient_batch<N: Network + ?Sized>(
    network: &N,
    height: usize,
    width: usize,
    positions_per_channel: u32,
) -> Result<usize, Error> {
    let (mut walk, mut sum, mut blocks) = (Walk::new(network, 1, height, width)?, 0.0, 0.0);
    while let Some(block) = walk.next_block()? {
        let feature = block.output_shape();
        sum += feature.channels as f64 / feature.positions() as f64;
        blocks += 1.0;
    }
    let needed = f64::from(positions_per_channel) * sum / blocks;
    let whole = needed as u64;
    in_32_bits(whole.saturating_add(u64::from((whole as f64) < needed)).max(1))
}

fn in_32_bits(batch: u64) -> Result<usize, Error> {
    u32::try_from(batch)
        .map(|batch| batch as usize)
        .map_err(|_| Error::TooLarge { quantity: "batch", limit: u32::MAX as usize })
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::mem::Memory;
    use crate::proxy::Flags;
    use crate::spaces::{Settings, SpaceName};
    use crate::tensor::Random;
    use crate::{Options, score, workspace_size};

    /// Whether a score of this batch says that a spectrum is of too few positions.
    fn says_too_few(network: &dyn Network, options: &Options) -> bool {
        let mut memory = Memory::new();
        let size = workspace_size(network, options, &Random).unwrap();
        let mut workspace = memory.workspace(size).unwrap();
        score(network, options, &Random, &mut workspace, |_| {}).unwrap().flags.contains(Flags::FEW_POSITIONS)
    }

    #[test]
    fn the_narrowest_feature_for_its_width_decides() {
        let cell = b"|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|";
        for (channels, side, positions, expected) in [
            (16, 32, 2, 2),
            (16, 32, 4, 4),
            (16, 8, 2, 32),
            (16, 8, 1, 16),
            (1, 32, 1, 1),
            (3, 12, 4, 6),
            (16, 32, 0, 1),
        ] {
            let settings = Settings { channels, cells: 1, ..SpaceName::Nb201.policy().settings };
            let check = |network: &dyn Network| {
                let batch = smallest_batch(network, side, side, positions);
                assert_eq!(batch, Ok(expected), "{channels} channels, {side} rows");
                if positions == 2 {
                    let options = |batch| Options { batch, height: side, width: side, ..Options::default() };
                    assert!(!says_too_few(network, &options(expected)));
                    assert!(says_too_few(network, &options(expected - 1)));
                }
            };
            SpaceName::Nb201.with_network(&settings, cell, check).unwrap();
        }
    }

    #[test]
    fn the_mean_over_the_blocks_decides_what_is_sufficient() {
        let cell = b"|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|";
        let settings = Settings { channels: 16, cells: 1, ..SpaceName::Nb201.policy().settings };
        let check = |network: &dyn Network| {
            // Stem and first cell 16 channels of 32 × 32, then twice a reduction and a cell: 32 of 16 × 16 and 64 of 8 × 8.
            let mean = (2.0 / 64.0 + 2.0 / 8.0 + 2.0) / 6.0;
            for positions in [0, 1, 2, 8, 20, 100] {
                let expected = (f64::from(positions) * mean).ceil().max(1.0) as usize;
                assert_eq!(sufficient_batch(network, 32, 32, positions), Ok(expected), "{positions}");
                assert!(expected <= smallest_batch(network, 32, 32, positions).unwrap());
            }
        };
        SpaceName::Nb201.with_network(&settings, cell, check).unwrap();
    }

    #[test]
    fn a_batch_that_nothing_holds_is_refused() {
        let settings = Settings { channels: 1 << 16, cells: 1, ..SpaceName::Nb201.policy().settings };
        let cell = b"|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|";
        let refused = |network: &dyn Network| {
            assert!(matches!(smallest_batch(network, 4, 4, u32::MAX), Err(Error::TooLarge { quantity: "batch", .. })));
            assert!(matches!(smallest_batch(network, 0, 4, 1), Err(Error::Invalid { field: "height", .. })));
            assert!(matches!(
                sufficient_batch(network, 4, 4, u32::MAX),
                Err(Error::TooLarge { quantity: "batch", .. })
            ));
            assert!(matches!(sufficient_batch(network, 0, 4, 1), Err(Error::Invalid { field: "height", .. })));
        };
        SpaceName::Nb201.with_network(&settings, cell, refused).unwrap();
    }
}
