//! Scores a cell of NAS-Bench-201, with what each of its blocks contributes.

use aznas::mem::Memory;
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::tensor::Random;
use aznas::{Error, Options};

fn main() -> Result<(), Error> {
    let text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|";
    let network = CellNetwork { cell: Cell::parse(text)?, skeleton: Skeleton::CIFAR10 };
    // Eight random images of 32 × 32; weights drawn from the seed.
    let options = Options { batch: 8, seed: 1, ..Options::default() };

    // The plan that says how much memory it takes is the plan that runs.
    let bytes = aznas::workspace_size(&network, &options, &Random)?;
    println!("{} KiB", bytes / 1024);

    let mut memory = Memory::new(); // kept from one score to the next
    let mut workspace = memory.workspace(bytes)?;
    let scores = aznas::score(&network, &options, &Random, &mut workspace, |block| {
        println!("block {:2}: entropy {:.3}, sigma {:.3}", block.block, block.expressivity, block.sigma);
    })?;
    println!("expressivity {:.3}, progressivity {:.3}", scores.expressivity(), scores.progressivity());
    println!("trainability {:.3}, complexity {:.0}", scores.trainability(), scores.complexity());
    Ok(())
}
