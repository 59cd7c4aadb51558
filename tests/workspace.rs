//! The size query is exact, and nothing outside the workspace is touched.

mod common;

use aznas::base::rng::generator;
use aznas::graph::{Block, Convolution, Cost, MAX_NODES, Network, Op};
use aznas::ops::attention::Attention;
use aznas::ops::max_pool::MaxPool;
use aznas::ops::pool::AveragePool;
use aznas::ops::window::Window;
use aznas::simd::Backend;
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb101;
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::nds::{self, Operators};
use aznas::spaces::{SearchSpace, Settings, Space};
use aznas::sweep::{self, Sweep};
use aznas::tensor::Random;
use aznas::{Error, Options, Workspace};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

/// A setting small enough to run many cells in.
fn small() -> Options {
    Options { batch: 3, height: 8, width: 8, ..Options::default() }
}

#[test]
fn every_cell_stays_within_the_stated_limits() {
    for (batch, limit) in [(64, 56 * MIB), (8, 7 * MIB + MIB / 2)] {
        let options = Options { batch, ..Options::default() };
        let bytes = |cell| {
            let network = CellNetwork { cell, skeleton: Skeleton::CIFAR10 };
            aznas::workspace_size(&network, &options, &Random).unwrap()
        };
        let largest = Cell::all().map(bytes).max().unwrap();
        println!(
            "batch {batch}: {:.2} MiB for the largest of {} cells",
            largest as f64 / MIB as f64,
            Cell::all().len()
        );
        assert!(largest <= limit, "batch {batch}: {largest} bytes, at most {limit} are allowed");
    }
}

/// Of NAS-Bench-201 the cells of `CELLS`, which have the largest, and every 499th.
#[test]
fn gradients_stay_within_the_stated_limits() {
    let of_sweep = |network: &dyn Network, options: &Options| {
        sweep::workspace_size(network, options, &Sweep::default(), &Random).unwrap()
    };
    for (batch, limit) in [(64, 110 * MIB), (8, 15 * MIB)] {
        let options = Options { batch, ..Options::default() };
        let cells = Cell::all().step_by(499).chain(common::CELLS.map(|text| Cell::parse(text).unwrap()));
        let bytes = |cell| of_sweep(&CellNetwork { cell, skeleton: Skeleton::CIFAR10 }, &options);
        let largest = cells.map(bytes).max().unwrap();
        println!("batch {batch}: {:.2} MiB for the gradients of the largest cell", largest as f64 / MIB as f64);
        assert!(largest <= limit, "batch {batch}: {largest} bytes, at most {limit} are allowed");
    }
    let network = UnitNetwork { structure: Structure::INITIAL, classes: 1000, target_resolution: 224 };
    let bytes = of_sweep(&network, &Options { height: 224, width: 224, ..Options::default() });
    println!("{:.2} MiB for the gradients of the initial structure", bytes as f64 / MIB as f64);
    assert!(bytes <= 1024 * MIB, "{bytes} bytes");
}

/// Of the cells of NAS-Bench-101 every 499th, at the width and the batch that are scored unless told otherwise.
#[test]
fn cells_of_nas_bench_101_stay_within_the_stated_limit() {
    let space = nb101::CellSpace::new(&nb101::POLICY.settings).unwrap();
    let options = Options { batch: nb101::POLICY.practice.batch as usize, ..Options::default() };
    let bytes = |cell| aznas::workspace_size(&space.network(&cell), &options, &Random).unwrap();
    let largest = nb101::Cells::new().step_by(499).map(bytes).max().unwrap();
    println!("NAS-Bench-101: {:.2} MiB", largest as f64 / MIB as f64);
    assert!(largest <= 10 * MIB, "{largest} bytes");
}

/// Of each of the spaces of NDS a hundred networks as they are searched unless told otherwise.
#[test]
fn cells_of_nds_stay_within_the_stated_limit() {
    let mut rng = generator(1);
    for operators in Operators::ALL {
        let settings = Settings { operators, ..nds::POLICY.settings };
        let space = nds::GenotypeSpace::new(&settings).unwrap();
        let options = Options { batch: nds::POLICY.practice.batch as usize, ..Options::default() };
        let mut bytes = || aznas::workspace_size(&space.network(&space.sample(&mut rng)), &options, &Random).unwrap();
        let largest = (0..100).map(|_| bytes()).max().unwrap();
        println!("{}: {:.2} MiB", operators.name(), largest as f64 / MIB as f64);
        assert!(largest <= 32 * MIB, "{}: {largest} bytes", operators.name());
    }
}

#[test]
fn one_byte_less_is_refused_and_nothing_is_written() {
    for text in common::CELLS {
        let network = common::cell_network(text, 4, 1, 10);
        let needed = aznas::workspace_size(&network, &small(), &Random).unwrap();
        let mut memory = vec![0xa5u8; needed + 64];
        let skip = memory.as_ptr().align_offset(64);
        let mut workspace = Workspace::from_bytes(&mut memory[skip..skip + needed - 1]);
        let refused = aznas::score(&network, &small(), &Random, &mut workspace, |_| ());
        assert_eq!(refused.unwrap_err(), Error::WorkspaceTooSmall { needed, given: needed - 1 });
        assert!(memory.iter().all(|&byte| byte == 0xa5));
    }
}

#[test]
fn exact_workspaces_of_any_content_and_alignment_give_the_same_bits() {
    const GUARD: usize = 256;
    for text in common::CELLS {
        let network = common::cell_network(text, 5, 1, 10);
        for backend in Backend::available() {
            let options = Options { backend, ..small() };
            let (scores, blocks) = common::score(&network, &options);
            let needed = aznas::workspace_size(&network, &options, &Random).unwrap();
            // 0xff makes every number a NaN: reading anything not written before would show.
            for (fill, misalignment) in [(0xffu8, 0), (0x7f, 4), (0x00, 63)] {
                let mut memory = vec![fill; needed + 64 + 2 * GUARD + misalignment];
                let aligned = GUARD + memory[GUARD..].as_ptr().align_offset(64);
                let start = if misalignment == 0 { aligned } else { aligned - 64 + misalignment };
                let range = start..aligned + needed;
                let mut again = Vec::new();
                let mut workspace = Workspace::from_bytes(&mut memory[range.clone()]);
                let rescored =
                    aznas::score(&network, &options, &Random, &mut workspace, |block| again.push(*block)).unwrap();
                assert_eq!(common::bits(&rescored, &again), common::bits(&scores, &blocks), "{text}");
                let outside = memory[..range.start].iter().chain(&memory[range.end..]);
                assert!(outside.copied().all(|byte| byte == fill), "{text}: a byte outside was written");
            }
        }
    }
}

#[test]
fn impossible_requests_are_refused_with_their_place() {
    let network = common::cell_network(common::CELLS[0], 16, 5, 10);
    let size = |options: Options| aznas::workspace_size(&network, &options, &Random);
    let default = Options::default();
    for (named, zero) in [
        ("batch", Options { batch: 0, ..default }),
        ("height", Options { height: 0, ..default }),
        ("width", Options { width: 0, ..default }),
    ] {
        assert!(matches!(size(zero), Err(Error::Invalid { field, .. }) if field == named), "{named}");
    }
    assert!(matches!(size(Options { batch: usize::MAX, ..default }), Err(Error::Overflow { .. })));
    assert!(matches!(size(Options { batch: 1 << 55, ..default }), Err(Error::Overflow { .. })));
    assert!(matches!(size(Options { repeats: 0, ..default }), Err(Error::Invalid { field: "repeats", .. })));
    // 30 is not divisible by 4: the reduction's branches or the fold of its gradient cannot agree.
    for side in [30, 1] {
        let refused = size(Options { height: side, width: side, ..default });
        assert_eq!(refused, Err(Error::NotMultiple { field: "height", divisor: 4 }));
    }
    for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_available()) {
        assert_eq!(size(Options { backend, ..default }), Err(Error::BackendUnavailable));
    }
    struct Nothing;
    impl Network for Nothing {
        fn block_count(&self) -> usize {
            0
        }
        fn describe(&self, _: usize, _: &mut Block) -> Result<(), Error> {
            Ok(())
        }
    }
    assert!(matches!(aznas::workspace_size(&Nothing, &default, &Random), Err(Error::Invalid { field: "blocks", .. })));
}

/// One convolution and whatever head.
struct Headed<F>(F);

impl<F: Fn(&mut Block) -> Result<(), Error>> Network for Headed<F> {
    fn block_count(&self) -> usize {
        1
    }
    fn describe(&self, _: usize, block: &mut Block) -> Result<(), Error> {
        let x = block.convolution(block.input(), Convolution::same(4, 3, 1), 0)?;
        block.set_output(x)
    }
    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        (self.0)(block)
    }
}

#[test]
fn a_head_that_a_score_refuses_is_refused_by_the_query() {
    type Head = fn(&mut Block) -> Result<(), Error>;
    let heads: [(&str, Head); 9] = [
        ("an input that does not exist", |block| block.node(7).map(|_| ())),
        ("groups that do not divide", |block| {
            let odd = Convolution { groups: 3, ..Convolution::same(4, 3, 1) };
            block.convolution(block.input(), odd, 0).map(|_| ())
        }),
        ("a kernel beyond the map", |block| {
            block
                .convolution(block.input(), Convolution { padding: [0; 2], ..Convolution::same(4, 9, 1) }, 0)
                .map(|_| ())
        }),
        ("a sum of different shapes", |block| {
            let x = block.linear(block.input(), 10, 0)?;
            block.add(&[x, block.input()]).map(|_| ())
        }),
        ("two inputs where one is read", |block| block.push(Op::Relu, &[block.input(); 2], 0).map(|_| ())),
        ("a window beyond its map", |block| block.max_pool(block.input(), Window::new(9, 1, 0)?).map(|_| ())),
        ("an attention of a map", |block| {
            let attention = Attention { heads: 1, grid: [8, 8], reach: 2 };
            block.attention(block.input(), attention, 0).map(|_| ())
        }),
        ("more multiply-adds than can be counted", |block| {
            let mut x = block.global_pool(block.input())?;
            for key in 0..20 {
                x = block.linear(x, 1 << 30, key)?;
            }
            block.set_output(x)
        }),
        ("more nodes than a block can have", |block| {
            (0..MAX_NODES).try_for_each(|_| block.push(Op::Relu, &[block.input()], 0).map(|_| ()))
        }),
    ];
    for (name, head) in heads {
        let network = Headed(head);
        let counted = Cost::of(&network, 8, 8).unwrap_err();
        let refused = aznas::workspace_size(&network, &small(), &Random).unwrap_err();
        let mut workspace = Workspace::from_bytes(&mut []);
        let scored = aznas::score(&network, &small(), &Random, &mut workspace, |_| ()).unwrap_err();
        assert_eq!([refused, scored], [counted; 2], "{name}");
    }
    // No head is none that could be wrong.
    assert!(aznas::workspace_size(&Headed(|_: &mut Block| Ok(())), &small(), &Random).is_ok());
}

/// A rectifier, then one op of any size.
struct OneOp(Op);

impl Network for OneOp {
    fn block_count(&self) -> usize {
        2
    }
    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let op = if index == 0 { Op::Relu } else { self.0 };
        let x = block.push(op, &[block.input()], 0)?;
        block.set_output(x)
    }
    fn input_channels(&self) -> usize {
        1
    }
}

/// Every window over a map with each field as small, and as large, as it may be.
fn extreme_ops() -> impl Iterator<Item = Op> {
    const FAR: [usize; 4] = [1, 3, 1 << 16, usize::MAX];
    let fields = FAR.into_iter().flat_map(|kernel| FAR.into_iter().map(move |stride| (kernel, stride)));
    fields.flat_map(|(kernel, stride)| {
        let convolutions = [0, 1, 1 << 16].into_iter().flat_map(move |padding| {
            [1, 3, 1 << 16].into_iter().flat_map(move |dilation| {
                // Along both axes, and along one.
                [[kernel, kernel], [kernel, 1]].map(|kernel| {
                    Op::Convolution(Convolution {
                        kernel,
                        stride: [stride; 2],
                        padding: [padding; 2],
                        dilation: [dilation; 2],
                        ..Convolution::same(1, 1, 1)
                    })
                })
            })
        });
        let windows =
            [0, 1, kernel / 2].into_iter().filter_map(move |padding| Window::new(kernel, stride, padding).ok());
        convolutions.chain(
            windows.flat_map(|window| [Op::AveragePool(AveragePool { window }), Op::MaxPool(MaxPool { window })]),
        )
    })
}

#[test]
fn planning_takes_time_for_what_is_described_not_for_its_numbers() {
    let (mut planned, mut slowest) = (0, Duration::ZERO);
    for (height, width) in [(1, 1), (16, 16), (1 << 16, 1), (1, 1 << 16)] {
        for op in extreme_ops() {
            let options = Options { batch: 1, height, width, ..Options::default() };
            let start = Instant::now();
            planned += usize::from(aznas::workspace_size(&OneOp(op), &options, &Random).is_ok());
            slowest = slowest.max(start.elapsed());
            assert!(start.elapsed() < Duration::from_secs(5), "{height} × {width}: {op:?}");
        }
    }
    println!("{planned} plans, at most {slowest:?} for one");
    assert!(planned > 100, "{planned}");
}
