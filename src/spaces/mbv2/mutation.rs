//! Moves through the space: mutation, splitting and random walks.
//!
//! Source: `search_space_IDW_fixfc.py` and `get_new_random_structure_str` in `evolution_search_az.py`.

use super::unit::round_to_eight;
use super::{Kind, MAX_BLOCKS, Structure, SuperBlock};
use crate::Error;
use crate::base::rng::below;
use rand_core::Rng;

/// An inverted residual with this many repetitions or more is split.
const SPLIT_THRESHOLD: u8 = 6;

/// Repetitions that a split leaves in each block but the last.
const SPLIT_REPETITIONS: u8 = 3;

const EXPANSIONS: [u8; 4] = [1, 2, 4, 6];
const KERNELS: [u8; 3] = [3, 5, 7];

/// How likely each type (expansion and kernel) is when an inverted residual is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Proposal {
    /// As in the authors' program, whose list of candidates repeats the types that it adds early: E1K3 has weight
    /// 12 of 89 and E6K7 weight 2.
    #[default]
    Published,
    /// Every type alike.
    Uniform,
}

impl Proposal {
    /// Weights by expansion and kernel.
    const fn weights(self) -> [[u64; KERNELS.len()]; EXPANSIONS.len()] {
        match self {
            Self::Published => [[12, 9, 5], [12, 8, 4], [11, 7, 3], [10, 6, 2]],
            Self::Uniform => [[1; KERNELS.len()]; EXPANSIONS.len()],
        }
    }

    /// Draws an expansion and a kernel.
    fn draw(self, rng: &mut (impl Rng + ?Sized)) -> (u8, u8) {
        let weights = self.weights();
        let drawn = below(rng, weights.as_flattened().iter().sum());
        let running_sums = weights.as_flattened().iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        let position = running_sums.filter(|&sum| sum <= drawn).count();
        (EXPANSIONS[position / KERNELS.len()], KERNELS[position % KERNELS.len()])
    }
}

/// Different values, one of which is drawn uniformly.
struct Candidates {
    values: [u32; 9],
    count: usize,
}

impl Candidates {
    /// The different values out of `values`, of which there are at most 9, that do not exceed `limit`.
    fn of(values: impl IntoIterator<Item = u32>, limit: u32) -> Self {
        let mut candidates = Self { values: [0; 9], count: 0 };
        for value in values {
            if value <= limit && !candidates.values().contains(&value) {
                candidates.values[candidates.count] = value;
                candidates.count += 1;
            }
        }
        candidates
    }

    fn values(&self) -> &[u32] {
        &self.values[..self.count]
    }

    fn draw(&self, rng: &mut (impl Rng + ?Sized)) -> u32 {
        self.values[below(rng, self.count as u64) as usize]
    }
}

/// The widths a width can become: about 2.5, 2, 1.5, 1.25 and 1 times and their inverses, in multiples of 8.
fn channel_neighbours(channels: u16) -> Candidates {
    let factors = [(5, 2), (2, 1), (3, 2), (5, 4), (1, 1), (4, 5), (2, 3), (1, 2), (2, 5)];
    let scaled = factors.map(|(numerator, denominator)| round_to_eight(u32::from(channels) * numerator, denominator));
    Candidates::of(scaled, u32::from(u16::MAX))
}

/// The numbers of repetitions a number can become: at most two more or less. No block vanishes.
fn repetition_neighbours(repetitions: u8) -> Candidates {
    let middle = u32::from(repetitions);
    Candidates::of(middle.saturating_sub(2).max(1)..=middle + 2, u32::from(u8::MAX))
}

impl SuperBlock {
    /// Replaces this block by one of its candidates, of which it is one itself. Its input and stride stay.
    fn replace(&mut self, rng: &mut (impl Rng + ?Sized), proposal: Proposal) {
        match &mut self.kind {
            Kind::InvertedResidual { expansion, kernel, bottleneck } => {
                (*expansion, *kernel) = proposal.draw(rng);
                self.output = channel_neighbours(self.output).draw(rng) as u16;
                self.repetitions = repetition_neighbours(self.repetitions).draw(rng) as u8;
                *bottleneck = channel_neighbours(*bottleneck).draw(rng) as u16;
            }
            Kind::Conv { kernel: 3 } => {
                self.output = channel_neighbours(self.output).draw(rng) as u16;
                self.repetitions = 1;
            }
            // The search never touches the last convolution, a 1×1; other kernels do not occur in it.
            Kind::Conv { .. } => {}
        }
    }
}

impl Structure {
    /// A mutant: `replacements` times a super-block is drawn uniformly and, unless it was drawn before in this call,
    /// replaced. An inverted residual gets a type after `proposal` and uniformly drawn neighbouring output,
    /// repetitions and bottleneck, a 3×3 convolution a neighbouring output; other convolutions stay. Then inputs
    /// follow the outputs before them, and the result is [split](Self::split).
    ///
    /// Neighbours are what the authors' program allows; values beyond the range of the text are left out. The mutant
    /// may equal its parent.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the split makes more than [`MAX_BLOCKS`] super-blocks.
    pub fn mutate(&self, rng: &mut (impl Rng + ?Sized), replacements: u32, proposal: Proposal) -> Result<Self, Error> {
        let mut mutant = *self;
        let mut replaced = [false; MAX_BLOCKS];
        for _ in 0..replacements {
            let position = below(rng, u64::from(self.count)) as usize;
            if !core::mem::replace(&mut replaced[position], true) {
                mutant.blocks[position].replace(rng, proposal);
            }
        }
        for position in 1..usize::from(self.count) {
            mutant.blocks[position].input = mutant.blocks[position - 1].output;
        }
        mutant.split()
    }

    /// This network with every inverted residual of six or more repetitions cut into blocks of three and a last one
    /// of three to five. That adds a projection where a bottleneck is as wide as the output.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if that makes more than [`MAX_BLOCKS`] super-blocks.
    pub fn split(&self) -> Result<Self, Error> {
        let mut network = Self::EMPTY;
        for block in self.blocks() {
            let mut rest = *block;
            while matches!(rest.kind, Kind::InvertedResidual { .. }) && rest.repetitions >= SPLIT_THRESHOLD {
                network.push(SuperBlock { repetitions: SPLIT_REPETITIONS, ..rest })?;
                rest.input = rest.output;
                rest.stride = 1;
                rest.repetitions -= SPLIT_REPETITIONS;
            }
            network.push(rest)?;
        }
        Ok(network)
    }

    /// The end of a random walk: `steps` mutations of one replacement each, from [`Structure::INITIAL`] on.
    ///
    /// # Errors
    /// Those of [`Self::mutate`].
    pub fn sample(rng: &mut (impl Rng + ?Sized), steps: u32, proposal: Proposal) -> Result<Self, Error> {
        (0..steps).try_fold(Self::INITIAL, |network, _| network.mutate(rng, 1, proposal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::generator;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::string::ToString;

    #[test]
    fn channel_neighbours_are_those_of_the_authors() {
        for (channels, neighbours) in [
            (8, &[16, 8][..]),
            (16, &[40, 32, 24, 16, 8]),
            (24, &[64, 48, 32, 24, 16, 8]),
            (32, &[80, 64, 48, 40, 32, 24, 16]),
            (48, &[120, 96, 72, 64, 48, 40, 32, 24, 16]),
            (64, &[160, 128, 96, 80, 64, 48, 40, 32, 24]),
            (96, &[240, 192, 144, 120, 96, 80, 64, 48, 40]),
            (128, &[320, 256, 192, 160, 128, 104, 88, 64, 48]),
            (1, &[8]),
            (65535, &[52432, 43688, 32768, 26216]),
        ] {
            assert_eq!(channel_neighbours(channels).values(), neighbours, "{channels}");
        }
    }

    #[test]
    fn repetition_neighbours_stay_in_range() {
        for (repetitions, neighbours) in
            [(1, &[1, 2, 3][..]), (2, &[1, 2, 3, 4]), (3, &[1, 2, 3, 4, 5]), (254, &[252, 253, 254, 255])]
        {
            assert_eq!(repetition_neighbours(repetitions).values(), neighbours, "{repetitions}");
        }
    }

    /// Counts the values of `key` over mutants and holds them against `weights`, within 5 standard deviations.
    fn assert_distribution<K: Ord + core::fmt::Debug>(
        mutants: u32,
        mut key: impl FnMut() -> K,
        weights: impl IntoIterator<Item = (K, u64)>,
    ) {
        let weights: BTreeMap<K, u64> = weights.into_iter().collect();
        let sum: u64 = weights.values().sum();
        let mut counts = BTreeMap::new();
        for _ in 0..mutants {
            *counts.entry(key()).or_insert(0u32) += 1;
        }
        assert!(counts.keys().eq(weights.keys()), "{counts:?}");
        for (key, weight) in weights {
            let probability = weight as f64 / sum as f64;
            let mean = f64::from(mutants) * probability;
            let deviation = (mean * (1.0 - probability)).sqrt();
            assert!((f64::from(counts[&key]) - mean).abs() <= 5.0 * deviation, "{key:?}: {counts:?}");
        }
    }

    /// A network of one inverted residual, so that every mutation replaces it.
    fn single() -> Structure {
        Structure::parse("SuperResIDWE6K3(32,48,2,32,1)").unwrap()
    }

    #[test]
    fn types_have_the_published_weights() {
        let published = [12, 9, 5, 12, 8, 4, 11, 7, 3, 10, 6, 2];
        for (proposal, weights) in [(Proposal::Published, published), (Proposal::Uniform, [1; 12])] {
            let types = EXPANSIONS.iter().flat_map(|&expansion| KERNELS.map(|kernel| (expansion, kernel)));
            let mut rng = generator(3);
            let draw = || match single().mutate(&mut rng, 1, proposal).unwrap().blocks()[0].kind {
                Kind::InvertedResidual { expansion, kernel, .. } => (expansion, kernel),
                kind => panic!("{kind:?}"),
            };
            assert_distribution(89_000, draw, types.zip(weights));
        }
    }

    #[test]
    fn shapes_are_uniform_over_their_neighbours() {
        let mut rng = generator(4);
        let draw = || match single().mutate(&mut rng, 1, Proposal::Published).unwrap().blocks()[0] {
            SuperBlock {
                kind: Kind::InvertedResidual { bottleneck, .. },
                input: 32,
                output,
                stride: 2,
                repetitions,
            } => (output, bottleneck, repetitions),
            block => panic!("{block}"),
        };
        let mut shapes = std::vec::Vec::new();
        for output in [120, 96, 72, 64, 48, 40, 32, 24, 16] {
            for bottleneck in [80, 64, 48, 40, 32, 24, 16] {
                shapes.extend([1, 2, 3].map(|repetitions| ((output, bottleneck, repetitions), 1)));
            }
        }
        assert_eq!(shapes.len(), 189);
        assert_distribution(100_000, draw, shapes);
    }

    /// With two replacements among two blocks, of which the last never changes, the stem is replaced by 8 or 16
    /// three times out of four. Replacing it twice would also reach 24, 32 and 40.
    #[test]
    fn a_block_is_replaced_at_most_once() {
        let parent = Structure::parse("SuperConvK3BNRELU(3,8,2,1)SuperConvK1BNRELU(8,2048,1,1)").unwrap();
        let mut rng = generator(5);
        let draw = || {
            let mutant = parent.mutate(&mut rng, 2, Proposal::Published).unwrap();
            assert_eq!(mutant.blocks()[1].output, 2048);
            mutant.blocks()[0].output
        };
        assert_distribution(10_000, draw, [(8, 5), (16, 3)]);
    }

    #[test]
    fn every_block_is_drawn_alike() {
        let mut rng = generator(6);
        let draw = || {
            let mutant = Structure::INITIAL.mutate(&mut rng, 1, Proposal::Published).unwrap();
            let outputs = mutant.blocks().iter().zip(Structure::INITIAL.blocks());
            outputs
                .enumerate()
                .find(|(_, (mutant, parent))| mutant.output != parent.output)
                .map(|(position, _)| position)
        };
        // Changed outputs: 1 of 2, 6 of 7, 8 of 9 (three times), none; the rest leaves every output as it is.
        let sum = 6 * 126;
        let changed = [63, 108, 112, 112, 112];
        let unchanged = sum - changed.iter().sum::<u64>();
        let weights = changed.into_iter().enumerate().map(|(position, weight)| (Some(position), weight));
        assert_distribution(50_000, draw, weights.chain([(None, unchanged)]));
    }

    #[test]
    fn long_blocks_are_split() {
        for (repetitions, split) in [(5, &[5][..]), (6, &[3, 3]), (7, &[3, 4]), (9, &[3, 3, 3]), (11, &[3, 3, 5])] {
            let text = std::format!("SuperResIDWE6K3(32,48,2,32,{repetitions})SuperConvK3BNRELU(48,8,2,9)");
            let network = Structure::parse(text).unwrap().split().unwrap();
            let (last, blocks) = network.blocks().split_last().unwrap();
            assert!(blocks.iter().map(|block| block.repetitions).eq(split.iter().copied()), "{network}");
            assert_eq!((blocks[0].input, blocks[0].stride), (32, 2));
            assert!(blocks[1..].iter().all(|block| (block.input, block.stride) == (48, 1)), "{network}");
            assert_eq!(last.repetitions, 9);
        }
        let long = Structure::parse("SuperResIDWE6K3(8,8,1,8,255)").unwrap();
        assert_eq!(long.split(), Err(Error::TooLarge { quantity: "super-blocks", limit: MAX_BLOCKS }));
    }

    proptest! {
        /// Walks long enough to outgrow the widths and the capacity of the structure.
        #[test]
        fn mutants_stay_in_the_space(seed: u64, steps in 0u32..400, replacements in 0u32..8, uniform: bool) {
            let proposal = if uniform { Proposal::Uniform } else { Proposal::Published };
            let mut rng = generator(seed);
            let Ok(parent) = Structure::sample(&mut rng, steps, proposal) else {
                prop_assert!(steps > 50, "a short walk outgrew the structure");
                return Ok(());
            };
            let Ok(mutant) = parent.mutate(&mut rng, replacements, proposal) else { return Ok(()) };
            prop_assert_eq!(mutant.to_string().parse(), Ok(mutant));
            prop_assert_eq!(mutant.split(), Ok(mutant));
            let strides = |network: &Structure| network.blocks().iter().map(|block| u32::from(block.stride)).product::<u32>();
            prop_assert_eq!(strides(&mutant), 32);
            prop_assert_eq!(mutant.output(), 2048);
            prop_assert!(mutant.blocks().iter().all(|block| (1..6).contains(&block.repetitions)));
            prop_assert!(mutant.flops(224, 1000).is_ok());
            prop_assert!(mutant.size(1000).unwrap() < mutant.params(1000).unwrap());
        }
    }
}
