//! A network whose blocks read the last two features, differentiated as a whole, against the interpreter.

use super::{Loss, Parameter, Sweep, gradients, workspace_size};
use crate::graph::Walk;
use crate::mem::Memory;
use crate::options::Options;
use crate::run::tests::{Point, interpret, tensors};
use crate::score::tests::{Cells, Given};
use crate::simd::Backend;
use crate::tensor::Role;
use std::vec::Vec;

/// The sum of all outputs, in double precision, with the parameters of one block moved along a direction.
fn sum_of_outputs(given: &Given, options: &Options, moved: Option<(usize, &Point, f64)>) -> f64 {
    let mut features: Vec<Vec<f64>> = Vec::new();
    let mut walk = Walk::new(&Cells, options.batch, options.height, options.width).unwrap();
    while let Some(block) = walk.next_block().unwrap() {
        let index = block.index();
        let mut point = Point::of(&given.0[index]);
        if index >= 1 {
            point.input.clone_from(&features[index - 1]);
        }
        if index >= 2 {
            point.earlier.clone_from(&features[index - 2]);
        }
        if let Some((_, direction, step)) = moved.filter(|&(block, ..)| block == index) {
            point = point.moved(direction, step);
        }
        features.push(interpret(block, &point));
    }
    features.last().unwrap().iter().sum()
}

#[test]
fn gradients_of_features_that_are_read_twice_add_up() {
    let options = Options { batch: 2, height: 8, width: 8, ..Options::default() };
    let mut given = Given(Vec::new());
    let mut walk = Walk::new(&Cells, options.batch, options.height, options.width).unwrap();
    while let Some(block) = walk.next_block().unwrap() {
        given.0.push(tensors(block, block.index() as u64));
    }
    // A few directions of each block's parameters, and the slope of the sum along them.
    let slopes: Vec<_> = (0..given.0.len())
        .flat_map(|block| [3, 5].map(|seed| (block, Point::of(&given.0[block]).random_parameters(seed + block as u64))))
        .map(|(block, direction)| {
            let along = |step| sum_of_outputs(&given, &options, Some((block, &direction, step)));
            let slope = (along(1e-6) - along(-1e-6)) / 2e-6;
            (block, direction, slope)
        })
        .collect();
    let expected = sum_of_outputs(&given, &options, None);
    let sweep = Sweep { loss: Loss::Sum, ..Sweep::default() };
    for backend in Backend::available() {
        let options = Options { backend, ..options };
        let bytes = workspace_size(&Cells, &options, &sweep, &given).unwrap();
        let mut memory = Memory::new();
        let mut workspace = memory.workspace(bytes).unwrap();
        let mut told: Vec<Point> = (0..given.0.len()).map(|_| Point::default()).collect();
        let loss = gradients(&Cells, &options, &sweep, &given, &mut workspace, &mut |parameter: Parameter<'_>| {
            assert!(matches!(parameter.role, Role::Weight | Role::Gain | Role::Shift));
            told[parameter.block].set(parameter.key, parameter.role, parameter.gradient);
        })
        .unwrap();
        assert!((loss - expected).abs() < 1e-3 * (1.0 + expected.abs()), "{}: {loss} {expected}", backend.name());
        for (block, direction, slope) in &slopes {
            let ours = told[*block].along(direction);
            let allowed = 2e-3 * (1.0 + told[*block].length());
            assert!((ours - slope).abs() <= allowed, "{}, block {block}: {ours}, not {slope}", backend.name());
        }
    }
}
