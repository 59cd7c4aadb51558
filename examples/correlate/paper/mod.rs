//! Figures published in Lee and Ham, *AZ-NAS*, CVPR 2024, all of NAS-Bench-201: a table a file.

mod row;
pub mod table1;
pub mod table4;
pub mod table5;
pub mod table8;
pub mod table9;

pub use row::{Published, Row};

use aznas::aggregate::Mode;
use aznas::proxy::ProxySet;
use aznas::{Options, Sigma};

/// The data sets whose accuracies rankings are compared with, in the order of all published figures.
pub const DATASETS: [&str; 3] = ["C10", "C100", "IN16"];

/// The place of a column's data set among [`DATASETS`]: CIFAR-10, CIFAR-100 or ImageNet16-120, by its name.
pub fn dataset(column: &str) -> Option<usize> {
    let name: String = column.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    // CIFAR-100 begins like CIFAR-10.
    [("cifar100", 1), ("cifar10", 0), ("imagenet16", 2)]
        .into_iter()
        .find_map(|(part, place)| name.contains(part).then_some(place))
}

/// What is published of a ranking at batch 64 and the default initialisation. A single proxy ranks the same in both modes.
pub fn of_ranking(set: ProxySet, mode: Mode) -> Published {
    let rows = table1::ROWS.iter().chain(&table4::ROWS).chain(&table5::ROWS);
    let found = rows.into_iter().find(|row| row.proxies == set && (row.mode == mode || set.len() == 1));
    found.map_or(Published::NOTHING, |row| row.published)
}

/// The published τ of all four proxies under a setting of the paper.
pub fn of_setting(options: &Options) -> Option<[f64; 3]> {
    if options.sigma != Sigma::Plain || options.repeats != 1 {
        return None;
    }
    let rows = table8::ROWS.iter().chain(&table9::ROWS);
    let is_same = |row: &&Row| {
        let of_paper = Options { batch: 64, initialisation: aznas::Initialisation::default(), ..*options };
        row.variant.of(of_paper) == *options
    };
    rows.into_iter().find(is_same)?.published.tau
}
