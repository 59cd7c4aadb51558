//! Multiply-adds and parameters counted on the graph against the benchmarks' and the closed forms.

mod common;

use aznas::base::rng::generator;
use aznas::graph::{Cost, Network};
use aznas::spaces::mbv2::UnitNetwork;
use aznas::spaces::nb101;
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::nds::{self, Operators, Stem};

/// Every operation, both stems, every depth up to 7.
#[test]
fn graph_and_closed_form_agree_on_cells_of_nds() {
    let mut rng = generator(1);
    for (operators, stem) in Operators::ALL.into_iter().flat_map(|operators| Stem::ALL.map(|stem| (operators, stem))) {
        for depth in 1..8 {
            let architecture = operators.sample([6, depth], &mut rng);
            let network = nds::CellNetwork { architecture, stem, classes: 9, target_resolution: 64 };
            let cost = Cost::of(&network, 64, 64).unwrap();
            assert_eq!(Ok(cost.macs), architecture.macs(stem, 9, 64), "{stem:?} {architecture}");
            assert_eq!(Ok(cost.parameters), architecture.params(stem, 9), "{stem:?} {architecture}");
            assert!(cost.live_macs <= cost.macs && cost.live_parameters <= cost.parameters);
        }
    }
}

#[test]
fn the_recorded_cells_cost_what_the_benchmark_says() {
    let mut rows = 0;
    for row in csv::Reader::from_path("golden/nb201_flops.csv").unwrap().records() {
        let row = row.unwrap();
        let network = common::cell_network(&row[0], 16, 5, 10);
        let cost = Cost::of(&network, 32, 32).unwrap();
        assert_eq!(cost.parameters, row[1].parse::<u64>().unwrap(), "{}", &row[0]);
        assert_eq!(network.complexity(&cost), Ok(row[2].parse::<f64>().unwrap()), "{}", &row[0]);
        rows += 1;
    }
    assert_eq!(rows, 200);
}

#[test]
fn graph_and_closed_form_agree_on_every_cell() {
    let skeleton = Skeleton::new(6, 2, 7).unwrap();
    for cell in Cell::all() {
        let network = CellNetwork { cell, skeleton };
        let cost = Cost::of(&network, 16, 16).unwrap();
        assert_eq!(network.complexity(&cost), Ok(skeleton.macs(&cell, 16).unwrap() as f64), "{cell}");
        assert_eq!(cost.live_macs + 7, skeleton.live_macs(&cell, 16).unwrap(), "{cell}");
        assert_eq!(cost.parameters, skeleton.params(&cell).unwrap(), "{cell}");
    }
}

#[test]
fn graph_and_closed_form_agree_on_cells_of_nas_bench_101() {
    let skeleton = nb101::Skeleton::new(7, 2, 9).unwrap();
    for cell in nb101::Cells::new().step_by(997) {
        let network = nb101::CellNetwork { cell, skeleton, target_channels: 7, target_resolution: 16 };
        let cost = Cost::of(&network, 16, 16).unwrap();
        assert_eq!(Ok(cost.macs), skeleton.macs(&cell, 16), "{cell}");
        assert_eq!(Ok(cost.parameters), skeleton.params(&cell), "{cell}");
        // Every vertex lies on a path.
        assert_eq!([cost.live_macs, cost.live_parameters], [cost.macs, cost.parameters], "{cell}");
    }
}

#[test]
fn the_recorded_structures_cost_what_the_authors_say() {
    let mut rows = 0;
    for row in csv::Reader::from_path("golden/mbv2_costs.csv").unwrap().records() {
        let row = row.unwrap();
        let count = |column: usize| row[column].parse::<u64>().unwrap();
        let network = UnitNetwork { structure: row[0].parse().unwrap(), classes: 1000, target_resolution: 224 };
        let cost = Cost::of(&network, 224, 224).unwrap();
        assert_eq!(network.complexity(&cost), Ok(count(2) as f64), "{}", &row[0]);
        assert_eq!([cost.parameters, cost.macs], [count(4), count(5)], "{}", &row[0]);
        // Complexity is counted at the target resolution whatever the scores are computed at.
        assert_eq!(network.complexity(&Cost::of(&network, 96, 96).unwrap()), Ok(count(2) as f64));
        rows += 1;
    }
    assert_eq!(rows, 6);
}
