//! A network whose blocks read the last two features, feature by feature against the interpreter.

use super::{Plans, prepare, workspace_size};
use crate::Error;
use crate::graph::{Block, Convolution, Network, Walk};
use crate::mem::Memory;
use crate::ops::window::Window;
use crate::options::Options;
use crate::plan::Region;
use crate::proxy::ProxySet;
use crate::run::tests::{Point, Tensors, interpret, tensors};
use crate::simd::Backend;
use crate::tensor::{Role, Source};
use std::vec;
use std::vec::Vec;

/// What blocks read of the last feature and of the one before it: how far each is shrunk, if it is read; and the channels
/// of their own. Features grow and shrink, so that some find room before the one they read and some do not.
const CELLS: [([Option<usize>; 2], usize); 9] = [
    ([Some(1), None], 4),
    ([Some(1), None], 4),
    ([Some(1), Some(1)], 12),
    ([Some(1), Some(1)], 4),
    ([Some(2), Some(2)], 8),
    ([Some(1), Some(2)], 8),
    ([None, Some(1)], 24),
    ([Some(1), Some(1)], 4),
    ([Some(1), None], 4),
];

pub(crate) struct Cells;

impl Network for Cells {
    fn block_count(&self) -> usize {
        CELLS.len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let ([last, earlier], channels) = CELLS[index];
        let mut terms = Vec::new();
        if let Some(stride) = last {
            let x = block.convolution(block.input(), Convolution::same(channels, 3, stride), 1)?;
            terms.push(block.batch_norm(x, 1e-5, 1)?);
        }
        if let Some(stride) = earlier {
            let x = block.earlier()?;
            let x = block.relu(x)?;
            let x = block.average_pool(x, Window::new(stride, stride, 0)?)?;
            let x = block.convolution(x, Convolution::same(channels, 1, 1), 2)?;
            terms.push(block.batch_norm(x, 1e-5, 2)?);
        }
        let sum = block.add(&terms)?;
        let output = block.relu(sum)?;
        block.set_output(output)
    }
}

/// The tensors of each block.
pub(crate) struct Given(pub(crate) Vec<Tensors>);

impl Source for Given {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.0[0].input)
    }
    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.0[block].direction(block)
    }
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.0[block].parameter(block, key, role)
    }
}

#[test]
fn features_that_are_read_twice_stay_in_place() {
    let options = Options { batch: 2, height: 8, width: 8, proxies: ProxySet::BLOCKWISE, ..Options::default() };
    let mut given = Given(Vec::new());
    let mut features: Vec<Vec<f64>> = Vec::new();
    let mut walk = Walk::new(&Cells, options.batch, options.height, options.width).unwrap();
    while let Some(block) = walk.next_block().unwrap() {
        let index = block.index();
        let tensors = tensors(block, index as u64);
        let mut point = Point::of(&tensors);
        if index >= 1 {
            point.input.clone_from(&features[index - 1]);
        }
        if index >= 2 {
            point.earlier.clone_from(&features[index - 2]);
        }
        features.push(interpret(block, &point));
        given.0.push(tensors);
    }
    for backend in Backend::available() {
        let options = Options { backend, ..options };
        let mut plans = Plans::new();
        let mut prepared = prepare(&Cells, &options, &given, &mut plans).unwrap();
        let bytes = prepared.workspace_size();
        let mut memory = Memory::new();
        let mut workspace = memory.workspace(bytes).unwrap();
        let mut index = 0;
        let scores = prepared.of_blocks(&mut workspace, |runner, workspace| {
            let scores = runner.score(workspace);
            let feature = workspace.loans().read::<f32>(runner.plan.slot(Region::Output, &runner.frame));
            assert_eq!(feature.len(), features[index].len());
            for (ours, theirs) in feature.iter().zip(&features[index]) {
                let error = (f64::from(*ours) - theirs).abs();
                assert!(error < 1e-4 * theirs.abs().max(1.0), "{}, block {index}: {ours} {theirs}", backend.name());
            }
            index += 1;
            Ok(scores)
        });
        assert!(scores.is_ok());
        assert_eq!(index, CELLS.len());
        let mut small = vec![0; bytes - 1];
        let mut workspace = crate::Workspace::from_bytes(&mut small);
        let refused = prepared.score(&mut workspace, |_| ());
        assert!(matches!(refused, Err(Error::WorkspaceTooSmall { needed, .. }) if needed == bytes));
    }
}

#[test]
fn the_first_two_blocks_have_no_feature_before_last() {
    struct Early(usize);
    impl Network for Early {
        fn block_count(&self) -> usize {
            2
        }
        fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
            let output = if index == self.0 { block.earlier()? } else { block.relu(block.input())? };
            block.set_output(output)
        }
        fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
            // Behind two blocks there is one.
            block.earlier().map(|_| ())
        }
    }
    for index in 0..2 {
        let refused = workspace_size(&Early(index), &Options::default(), &crate::tensor::Random);
        assert!(
            matches!(refused, Err(Error::Node { block, node: 1, field: "op", .. }) if block == index),
            "{refused:?}"
        );
    }
    assert!(workspace_size(&Early(2), &Options::default(), &crate::tensor::Random).is_ok());
}
