//! What exact arithmetic makes exactly 0 is exactly 0: no score hangs on the sign of a rounding error.

mod common;

use aznas::graph::{Block, Convolution, Network, NodeId};
use aznas::ops::conv2d::Algorithm;
use aznas::proxy::Proxy;
use aznas::simd::Backend;
use aznas::tensor::Source;
use aznas::{Error, Options};

const SIDE: usize = 32;

/// A convolution of the images, then a rectifier without normalisation and a pointwise convolution.
struct Plain;

impl Network for Plain {
    fn block_count(&self) -> usize {
        2
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let x = if index == 0 {
            block.convolution(block.input(), Convolution::same(16, 3, 1), 0)?
        } else {
            let x = block.relu(block.input())?;
            block.convolution(x, Convolution::same(16, 1, 1), 0)?
        };
        block.set_output(x)
    }
}

/// Images whose other pixels are black.
struct Images(Vec<f32>);

impl Images {
    fn lit(is_lit: impl Fn(usize, usize) -> bool) -> Self {
        let number =
            |i: usize| ((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 23) as f32 - 1.0;
        let pixel = |i: usize| (i / 3 / SIDE % SIDE, i / 3 % SIDE);
        Self((0..2 * SIDE * SIDE * 3).map(|i| if is_lit(pixel(i).0, pixel(i).1) { number(i) } else { 0.0 }).collect())
    }
}

impl Source for Images {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.0)
    }
}

#[test]
fn black_pixels_leave_no_noise_for_rectifiers() {
    let inside = |border: usize| {
        move |row: usize, column: usize| [row, column].iter().all(|place| (border..SIDE - border).contains(place))
    };
    let borders = (0..=8).map(|border| (format!("border {border}"), Images::lit(inside(border))));
    let stripes = [3, 4, 5, 7, 9].map(|step| (format!("stripes {step}"), Images::lit(move |row, _| row % step == 0)));
    let single =
        [(0, 0), (13, 18), (31, 30)].map(|place| (format!("{place:?}"), Images::lit(move |r, c| (r, c) == place)));
    for (case, images) in borders.chain(stripes).chain(single) {
        for backend in Backend::available() {
            let sigma = |algorithm| {
                let options = Options { batch: 2, height: SIDE, width: SIDE, algorithm, backend, ..Options::default() };
                common::score_with(&Plain, &options, &images).1[1].sigma
            };
            let (direct, winograd) = (sigma(Algorithm::Direct), sigma(Algorithm::Winograd));
            // What rounds to the other side of a rectifier is a few of thousands.
            let error = (winograd - direct).abs() / direct;
            assert!(error <= 1e-3, "{case} {}: {winograd} is not {direct}", backend.name());
        }
    }
}

/// Blocks that normalise a map of one position, alone in its batch.
struct SinglePosition;

impl Network for SinglePosition {
    fn block_count(&self) -> usize {
        4
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let input = block.input();
        let convolution = |block: &mut Block, x: NodeId| block.convolution(x, Convolution::same(17, 1, 1), 0);
        let x = match index {
            // Behind a convolution, whose vjp reads through the normalisation; before one; and by itself.
            0 => convolution(block, input)?,
            1 => {
                let x = convolution(block, input)?;
                block.batch_norm(x, 1e-5, 0)?
            }
            2 => {
                let x = block.batch_norm(input, 1e-5, 0)?;
                convolution(block, x)?
            }
            _ => {
                let x = block.batch_norm(input, 1e-5, 0)?;
                block.relu(x)?
            }
        };
        block.set_output(x)
    }
}

#[test]
fn a_single_position_passes_no_gradient_through_its_statistics() {
    for backend in Backend::available() {
        let options = Options { batch: 1, height: 1, width: 1, backend, ..Options::default() };
        let (scores, blocks) = common::score(&SinglePosition, &options);
        for block in &blocks[1..] {
            assert_eq!((block.sigma, block.trainability), (0.0, 2.0 - 1e6), "{} {}", backend.name(), block.block);
        }
        assert_eq!(scores.get(Proxy::Trainability), 2.0 - 1e6, "{}", backend.name());
    }
}
