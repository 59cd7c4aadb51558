//! The half-split corrections of σ and of entropies: what they are computed from, what they need, and that they help.

mod common;

use aznas::graph::{Block, Convolution, Network};
use aznas::proxy::trainability::half_split;
use aznas::proxy::{Proxy, ProxySet};
use aznas::tensor::Source;
use aznas::{Entropy, Sigma};
use aznas::{Error, Options, Workspace};

const SIDE: usize = 8;

/// Blocks without batch normalisation: what happens to an image does not depend on the others.
struct Separate;

impl Network for Separate {
    fn block_count(&self) -> usize {
        3
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let stride = if index == 2 { 2 } else { 1 };
        let x = block.convolution(block.input(), Convolution::same(4 << index, 3, stride), 0)?;
        let x = block.relu(x)?;
        block.set_output(x)
    }
}

/// The images and directions of some samples of a batch, so that parts of a batch can be scored by themselves.
struct Part {
    input: Vec<f32>,
    directions: [Vec<f32>; 2],
}

impl Part {
    fn of(samples: std::ops::Range<usize>) -> Self {
        let number = |i: usize| (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let normal = |i: usize| number(i) as f32 / (1 << 23) as f32 - 1.0;
        let sign = |i: usize| if number(i) & 1 == 0 { 1.0 } else { -1.0 };
        let numbers = |len: usize| samples.start * len..samples.end * len;
        Self {
            input: numbers(SIDE * SIDE * 3).map(normal).collect(),
            directions: [SIDE * SIDE * 8, SIDE * SIDE / 4 * 16].map(|len| numbers(len).map(sign).collect()),
        }
    }

    fn sigmas(&self, batch: usize, sigma: Sigma) -> Vec<f64> {
        let options = Options { batch, height: SIDE, width: SIDE, sigma, ..Options::default() };
        common::score_with(&Separate, &options, self).1.iter().map(|block| block.sigma).skip(1).collect()
    }

    fn entropies(&self, batch: usize, entropy: Entropy) -> Vec<f64> {
        let options = Options { batch, height: SIDE, width: SIDE, entropy, ..Options::default() };
        common::score_with(&Separate, &options, self).1.iter().map(|block| block.expressivity).collect()
    }
}

impl Source for Part {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.input)
    }
    fn direction(&self, block: usize) -> Option<&[f32]> {
        Some(&self.directions[block - 1])
    }
}

#[test]
fn parts_are_weighted_by_their_images() {
    for batch in [2, 5, 8] {
        let middle = batch / 2;
        let whole = Part::of(0..batch);
        let corrected = whole.sigmas(batch, Sigma::HalfSplit);
        let plain = whole.sigmas(batch, Sigma::Plain);
        let first = Part::of(0..middle).sigmas(middle, Sigma::Plain);
        let second = Part::of(middle..batch).sigmas(batch - middle, Sigma::Plain);
        for i in 0..corrected.len() {
            let expected = half_split(plain[i], [first[i], second[i]], middle as f64 / batch as f64);
            assert!((corrected[i] - expected).abs() <= 1e-6 * expected, "batch {batch}: {corrected:?} {expected}");
            assert!(corrected[i] < plain[i], "a norm of a mean is at most the mean of the norms");
        }
        let corrected = whole.entropies(batch, Entropy::HalfSplit);
        let plain = whole.entropies(batch, Entropy::Plain);
        let first = Part::of(0..middle).entropies(middle, Entropy::Plain);
        let second = Part::of(middle..batch).entropies(batch - middle, Entropy::Plain);
        for i in 0..corrected.len() {
            let expected = half_split(plain[i], [first[i], second[i]], middle as f64 / batch as f64);
            // No more than that of equal eigenvalues.
            let expected = expected.min(f64::ln([4.0, 8.0, 16.0][i]));
            assert!((corrected[i] - expected).abs() <= 1e-6 * expected, "batch {batch}: {corrected:?} {expected}");
        }
    }
}

#[test]
fn one_image_cannot_be_split() {
    let network = common::cell_network(common::CELLS[0], 4, 1, 10);
    let options = |batch| Options { batch, height: SIDE, width: SIDE, ..Options::default() };
    for halved in
        [Options { sigma: Sigma::HalfSplit, ..options(1) }, Options { entropy: Entropy::HalfSplit, ..options(1) }]
    {
        let size = |batch| aznas::workspace_size(&network, &Options { batch, ..halved }, &aznas::tensor::Random);
        assert!(matches!(size(1), Err(Error::Invalid { field: "batch", .. })));
        assert!(size(2).is_ok());
    }
}

#[test]
fn small_batches_come_closer_to_large_ones() {
    let network = common::cell_network(common::CELLS[1], 16, 1, 10);
    let mean_error = |sigma| {
        let options = |batch| Options { batch, height: 16, width: 16, ..Options::default() };
        let reference = common::score(&network, &options(128)).1;
        let small = common::score(&network, &Options { sigma, repeats: 4, ..options(4) }).1;
        let errors = small.iter().enumerate().filter(|(_, block)| block.block > 0).map(|(i, block)| {
            let reference = reference[i % reference.len()].sigma;
            (block.sigma - reference) / reference
        });
        errors.clone().sum::<f64>() / errors.count() as f64
    };
    let (plain, corrected) = (mean_error(Sigma::Plain), mean_error(Sigma::HalfSplit));
    println!("mean relative error of sigma at batch 4: {plain:.3}, corrected {corrected:.3}");
    assert!(plain > 0.1 && corrected.abs() < plain / 2.0, "{plain} {corrected}");
}

#[test]
fn entropies_of_few_positions_come_closer_to_those_of_many() {
    let network = common::cell_network(common::CELLS[1], 16, 1, 10);
    // 64 channels in the last blocks, and 64 positions of 4 images.
    let options = |batch| Options { batch, height: 16, width: 16, ..Options::default() };
    let reference = common::score(&network, &options(128)).1;
    let mean_error = |entropy| {
        let small = common::score(&network, &Options { entropy, repeats: 4, ..options(4) }).1;
        let errors =
            small.iter().enumerate().map(|(i, block)| block.expressivity - reference[i % reference.len()].expressivity);
        errors.sum::<f64>() / small.len() as f64
    };
    let (plain, corrected) = (mean_error(Entropy::Plain), mean_error(Entropy::HalfSplit));
    let concentrations = |entropy, batch| {
        let proxies = ProxySet::of(&[Proxy::ParticipationRatio]);
        common::score(&network, &Options { proxies, entropy, repeats: 4, ..options(batch) }).1
    };
    let of_many = concentrations(Entropy::Plain, 128);
    let [few, halved] = [Entropy::Plain, Entropy::HalfSplit].map(|entropy| {
        let few = concentrations(entropy, 4);
        let errors = few.iter().zip(&of_many).map(|(few, many)| few.concentration / many.concentration - 1.0);
        errors.sum::<f64>() / few.len() as f64
    });
    println!("mean relative error of concentrations at batch 4: {few:.3}, corrected {halved:.3}");
    assert!(few > 0.05 && halved.abs() < few / 2.0, "{few} {halved}");
    println!("mean error of entropies at batch 4: {plain:.3}, corrected {corrected:.3}");
    assert!(plain < -0.02 && corrected.abs() < -plain / 2.0, "{plain} {corrected}");
}

#[test]
fn the_planned_workspace_is_all_it_touches() {
    for text in common::CELLS {
        let network = common::cell_network(text, 5, 1, 10);
        let options = Options {
            batch: 3,
            height: SIDE,
            width: SIDE,
            sigma: Sigma::HalfSplit,
            entropy: Entropy::HalfSplit,
            ..Options::default()
        };
        let (scores, blocks) = common::score(&network, &options);
        let needed = aznas::workspace_size(&network, &options, &aznas::tensor::Random).unwrap();
        // Every number is a NaN at first: reading anything not written before would show.
        let mut memory = vec![0xffu8; needed + 128];
        let start = memory.as_ptr().align_offset(64);
        let mut again = Vec::new();
        let mut workspace = Workspace::from_bytes(&mut memory[start..start + needed]);
        let random = &aznas::tensor::Random;
        let result = aznas::score(&network, &options, random, &mut workspace, |block| again.push(*block)).unwrap();
        assert_eq!(common::bits(&result, &again), common::bits(&scores, &blocks), "{text}");
        assert!(memory[..start].iter().chain(&memory[start + needed..]).all(|&byte| byte == 0xff), "{text}");
    }
}
