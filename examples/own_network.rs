//! Describes a network of one's own, a small ResNet, and scores it at several widths.

use aznas::graph::{Block, Convolution, Network};
use aznas::mem::Memory;
use aznas::tensor::Random;
use aznas::{Error, Options};

struct ResNet {
    width: usize,
}

impl Network for ResNet {
    fn block_count(&self) -> usize {
        6
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        // Three stages, each with half the rows and columns and twice the channels of the one before.
        let (stage, is_residual) = (index / 2, index % 2 == 1);
        let stride = if stage > 0 && !is_residual { 2 } else { 1 };
        let input = block.input();
        let mut x = block.convolution(input, Convolution::same(self.width << stage, 3, stride), 0)?;
        x = block.batch_norm(x, 1e-5, 0)?;
        if is_residual {
            x = block.add(&[x, input])?;
        }
        x = block.relu(x)?;
        block.set_output(x)
    }
}

fn main() -> Result<(), Error> {
    let (mut memory, options) = (Memory::new(), Options { batch: 16, ..Options::default() });
    for network in [4, 8, 16, 32].map(|width| ResNet { width }) {
        let mut workspace = memory.workspace(aznas::workspace_size(&network, &options, &Random)?)?;
        let scores = aznas::score(&network, &options, &Random, &mut workspace, |_| ())?;
        println!("width {:2}: E {:5.2}, T {:.2}", network.width, scores.expressivity(), scores.trainability());
    }
    Ok(())
}
