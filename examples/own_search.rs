//! Searches NAS-Bench-201 by ask and tell: the loop, and so the scorer, the threads and the clock, are the caller's.

use aznas::mem::Memory;
use aznas::proxy::ProxySet;
use aznas::search::{Budget, Search, Settings};
use aznas::spaces::nb201::{CellNetwork, CellSpace, Skeleton};
use aznas::tensor::Random;
use aznas::{Error, Options};

fn main() -> Result<(), Error> {
    let skeleton = Skeleton::CIFAR10;
    let proxies = ProxySet::PAPER;
    let options = Options { batch: 4, proxies, ..Options::default() };
    let settings = Settings {
        iterations: 64,
        parents: 16,
        proxies,
        budget: Budget { complexity: Some(100e6), ..Budget::default() },
        ..Settings::program()
    };
    let mut search = Search::new(CellSpace { skeleton, resolution: 32, reduction: None }, settings)?;
    let mut memory = Memory::new();
    while let Some(candidate) = search.ask()? {
        let network = CellNetwork { cell: candidate.architecture, skeleton };
        let mut workspace = memory.workspace(aznas::workspace_size(&network, &options, &Random)?)?;
        let scores = aznas::score(&network, &options, &Random, &mut workspace, |_| ())?;
        let values: Vec<f64> = scores.values(proxies).collect();
        search.tell(candidate.id, &values)?;
    }
    for leader in search.top(3) {
        println!("{} {:.3?}", leader.architecture, leader.scores);
    }
    Ok(())
}
