//! The tables and figures of the paper that are made anew: what each compares, on how many rows, and how it is shown.

use crate::measurement::Sample;
use crate::paper::{Row, table1, table4, table5, table8, table9};

/// A table or a figure.
pub struct Exhibit {
    /// What it is called on the command line and by its files.
    pub name: &'static str,
    pub title: &'static str,
    pub note: &'static str,
    pub rows: &'static [Row],
    /// The most that is measured for it; of what costs much, less.
    pub sample: Sample,
    pub form: Form,
}

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Figures in a table, and bars beside the published ones.
    Table,
    /// The predicted rank of every architecture against its true one: a small picture for each ranking.
    Scatters,
    /// How far every two rankings agree.
    Agreement,
    /// What the aggregate of every two rankings reaches.
    Pairs,
    /// The architectures that each ranking likes best.
    Favourites,
}

/// Every row and seed that a pass allows.
const ALL: Sample = Sample { every: 1, seeds: u64::MAX };
/// Settings are compared with one another on the same rows, and do not need as many.
const THIRD: Sample = Sample { every: 3, seeds: 1 };
/// The paper's own choice for its figures.
const FIFTEENTH: Sample = Sample { every: 15, seeds: 1 };

/// All of them, in the order of the report of `--preset paper`.
pub const EXHIBITS: [Exhibit; 9] = [
    Exhibit {
        name: "table1",
        title: "Table 1: training-free methods",
        note: "Rows, seeds and images of each method are what its cost allows: see what was measured. Live layers are not in the \
               paper.",
        rows: &table1::ROWS,
        sample: ALL,
        form: Form::Table,
    },
    Exhibit {
        name: "table4",
        title: "Table 4: the four proxies alone and together",
        note: "Rows of two and three proxies are partly inferred: the published text lost their marks.",
        rows: &table4::ROWS,
        sample: ALL,
        form: Form::Table,
    },
    Exhibit {
        name: "table5",
        title: "Table 5: ZiCo and Synflow with the proxies of AZ-NAS",
        note: "Logarithmic aggregates. Times add up: what is measured with E has T and P too.",
        rows: &table5::ROWS,
        sample: ALL,
        form: Form::Table,
    },
    Exhibit {
        name: "table8",
        title: "Table 8: how weights are drawn",
        note: "All four proxies, on the same architectures and seed in every row.",
        rows: &table8::ROWS,
        sample: THIRD,
        form: Form::Table,
    },
    Exhibit {
        name: "table9",
        title: "Table 9: how many images",
        note: "All four proxies, on the same architectures and seed in every row. Half-split σ is not in the paper.",
        rows: &table9::ROWS,
        sample: THIRD,
        form: Form::Table,
    },
    Exhibit {
        name: "figure4",
        title: "Figure 4: predicted and true ranks",
        note: "Ranks from 1, the worst. Each ranking on what was measured of it, thinned to every third at the least.",
        rows: &table1::ROWS,
        sample: THIRD,
        form: Form::Scatters,
    },
    Exhibit {
        name: "figure6",
        title: "Figure 6: how far rankings agree",
        note: "Kendall's τ between every two rankings, on the architectures that both were measured of.",
        rows: &table1::PARTS,
        sample: THIRD,
        form: Form::Agreement,
    },
    Exhibit {
        name: "figure7",
        title: "Figure 7: aggregates of every two rankings",
        note: "Kendall's τ of the logarithmic aggregate of two rankings with accuracy, on the architectures that both were \
               measured of; on the diagonal the ranking alone. Framed: the best of a row.",
        rows: &table1::PARTS,
        sample: THIRD,
        form: Form::Pairs,
    },
    Exhibit {
        name: "figure9",
        title: "Figure 9: the best three by each ranking",
        note: "Among every fifteenth architecture by accuracy. Percentile: the share of them that it truly beats.",
        rows: &table1::ROWS,
        sample: FIFTEENTH,
        form: Form::Favourites,
    },
];
