//! Moves through the space: mutation, splitting and random walks.
//!
//! Source: `search_space_IDW_fixfc.py` and `get_new_random_structure_str` in `evolution_search_az.py`.

use super::unit::round_to_eight;
use super::{Kind, MAX_BLOCKS, Structure, SuperBlock};
use crate::Error;
use crate::base::SMALL;
use crate::base::rng::below;
use rand_core::Rng;

/// An inverted residual with this many repetitions or more is split.
const SPLIT_THRESHOLD: u8 = 6;

/// Repetitions that a split leaves in each block but the last.
const SPLIT_REPETITIONS: u8 = 3;

/// Of so many mixed mutants one is a few small steps away.
const MUTANTS_A_SMALL: u64 = 3;

/// The most small steps of a mutant.
const MOST_STEPS: u64 = 3;

/// Of so many small steps of a network one moves a repetition.
const STEPS_A_MOVE: u64 = 5;

const EXPANSIONS: [u8; 4] = [1, 2, 4, 6];
const KERNELS: [u8; 3] = [3, 5, 7];

/// How mutants are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// Whole super-blocks are replaced, as in the authors' program. Its list of candidates repeats the types (expansion and
    /// kernel) that it adds early: E1K3 has weight 12 of 89 and E6K7 weight 2.
    #[default]
    Published,
    /// Whole super-blocks are replaced, with every type alike.
    Uniform,
    /// Two of three mutants as published; the others are up to three [small steps](Structure::step) away.
    /// A replaced block changes all of its numbers at once, which seldom keeps a good structure within a budget and its worst
    /// step between blocks (progressivity) as good.
    Mixed,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Published, Self::Uniform, Self::Mixed];

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Uniform => "uniform",
            Self::Mixed => "mixed",
        }
    }

    /// Weights by expansion and kernel.
    const fn weights(self) -> [[u64; KERNELS.len()]; EXPANSIONS.len()] {
        match self {
            Self::Published | Self::Mixed => [[12, 9, 5], [12, 8, 4], [11, 7, 3], [10, 6, 2]],
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

/// The widths that are a small step from a width: 8 more or less, a quarter more, a fifth less.
fn close_channels(channels: u16) -> Candidates {
    let (channels, limit) = (u32::from(channels), u32::from(u16::MAX));
    let scaled = [(5, 4), (4, 5)].map(|(numerator, denominator)| round_to_eight(channels * numerator, denominator));
    Candidates::of([channels.saturating_sub(8).max(8), channels + 8, scaled[0], scaled[1]], limit)
}

/// The numbers of repetitions a number can become: at most two more or less. No block vanishes.
fn repetition_neighbours(repetitions: u8) -> Candidates {
    let middle = u32::from(repetitions);
    Candidates::of(middle.saturating_sub(2).max(1)..=middle + 2, u32::from(u8::MAX))
}

impl SuperBlock {
    /// Replaces this block by one of its candidates, of which it is one itself. Its input and stride stay.
    fn replace(&mut self, rng: &mut (impl Rng + ?Sized), mutation: Mutation) {
        match &mut self.kind {
            Kind::InvertedResidual { expansion, kernel, bottleneck } => {
                (*expansion, *kernel) = mutation.draw(rng);
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

    /// Changes one number of this block by a small step, or draws it as it was: expansion, kernel, bottleneck, output or
    /// repetitions of an inverted residual, the output of a 3×3 convolution. Its input and stride stay.
    fn step(&mut self, rng: &mut (impl Rng + ?Sized)) {
        match &mut self.kind {
            Kind::InvertedResidual { expansion, kernel, bottleneck } => match below(rng, 5) {
                0 => *expansion = EXPANSIONS[below(rng, EXPANSIONS.len() as u64) as usize],
                1 => *kernel = KERNELS[below(rng, KERNELS.len() as u64) as usize],
                2 => *bottleneck = close_channels(*bottleneck).draw(rng) as u16,
                3 => self.output = close_channels(self.output).draw(rng) as u16,
                _ => {
                    let repetitions = u32::from(self.repetitions);
                    let close = [repetitions.saturating_sub(1).max(1), repetitions + 1];
                    self.repetitions = Candidates::of(close, u32::from(u8::MAX)).draw(rng) as u8;
                }
            },
            Kind::Conv { kernel: 3 } => self.output = close_channels(self.output).draw(rng) as u16,
            Kind::Conv { .. } => {}
        }
    }
}

impl Structure {
    /// A mutant: `replacements` times a super-block is drawn uniformly and, unless it was drawn before in this call,
    /// replaced. An inverted residual gets a type after `mutation` and uniformly drawn neighbouring output,
    /// repetitions and bottleneck, a 3×3 convolution a neighbouring output; other convolutions stay. Then inputs
    /// follow the outputs before them, and the result is [split](Self::split).
    ///
    /// Neighbours are what the authors' program allows; values beyond the range of the text are left out. The mutant
    /// may equal its parent. A third of those of [`Mutation::Mixed`] are up to three [small steps](Self::step) instead.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the split makes more than [`MAX_BLOCKS`] super-blocks.
    pub fn mutate(&self, rng: &mut (impl Rng + ?Sized), replacements: u32, mutation: Mutation) -> Result<Self, Error> {
        if !SMALL && mutation == Mutation::Mixed && below(rng, MUTANTS_A_SMALL) == 0 {
            return (0..=below(rng, MOST_STEPS)).try_fold(*self, |mutant, _| mutant.step(rng));
        }
        let mut mutant = *self;
        let mut replaced = [false; MAX_BLOCKS];
        for _ in 0..replacements {
            let position = below(rng, u64::from(self.count)) as usize;
            if !core::mem::replace(&mut replaced[position], true) {
                mutant.blocks[position].replace(rng, mutation);
            }
        }
        mutant.follow().split()
    }

    /// This network with one number of a uniformly drawn super-block changed by a small step, or drawn as it was: an
    /// inverted residual gets another expansion, kernel, bottleneck, output or number of repetitions, a 3×3 convolution
    /// another output; other convolutions stay. Widths change by 8, a quarter or a fifth, repetitions by one. Then inputs
    /// follow the outputs before them, and the result is [split](Self::split).
    ///
    /// One step of five instead takes a repetition from one super-block and gives it to another: where layers are limited, all
    /// other ways to a deeper late stage lead through networks that are shallower.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the split makes more than [`MAX_BLOCKS`] super-blocks.
    pub fn step(&self, rng: &mut (impl Rng + ?Sized)) -> Result<Self, Error> {
        let mut mutant = *self;
        if below(rng, STEPS_A_MOVE) == 0 {
            mutant.move_repetition(rng);
        } else {
            mutant.blocks[below(rng, u64::from(self.count)) as usize].step(rng);
        }
        mutant.follow().split()
    }

    /// Takes a repetition from one uniformly drawn super-block and gives it to another. Nothing moves if one of them is no
    /// inverted residual, if the first would vanish or if both are the same.
    fn move_repetition(&mut self, rng: &mut (impl Rng + ?Sized)) {
        let [from, to] = [(); 2].map(|()| below(rng, u64::from(self.count)) as usize);
        let residual = |position: usize| matches!(self.blocks[position].kind, Kind::InvertedResidual { .. });
        let [giver, taker] = [from, to].map(|position| self.blocks[position].repetitions);
        if from != to && residual(from) && residual(to) && giver > 1 && taker < u8::MAX {
            self.blocks[from].repetitions = giver - 1;
            self.blocks[to].repetitions = taker + 1;
        }
    }

    /// This network with inputs that are the outputs before them.
    fn follow(mut self) -> Self {
        for position in 1..usize::from(self.count) {
            self.blocks[position].input = self.blocks[position - 1].output;
        }
        self
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
    pub fn sample(rng: &mut (impl Rng + ?Sized), steps: u32, mutation: Mutation) -> Result<Self, Error> {
        (0..steps).try_fold(Self::INITIAL, |network, _| network.mutate(rng, 1, mutation))
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
        for (mutation, weights) in [(Mutation::Published, published), (Mutation::Uniform, [1; 12])] {
            let types = EXPANSIONS.iter().flat_map(|&expansion| KERNELS.map(|kernel| (expansion, kernel)));
            let mut rng = generator(3);
            let draw = || match single().mutate(&mut rng, 1, mutation).unwrap().blocks()[0].kind {
                Kind::InvertedResidual { expansion, kernel, .. } => (expansion, kernel),
                kind => panic!("{kind:?}"),
            };
            assert_distribution(89_000, draw, types.zip(weights));
        }
    }

    #[test]
    fn shapes_are_uniform_over_their_neighbours() {
        let mut rng = generator(4);
        let draw = || match single().mutate(&mut rng, 1, Mutation::Published).unwrap().blocks()[0] {
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
            let mutant = parent.mutate(&mut rng, 2, Mutation::Published).unwrap();
            assert_eq!(mutant.blocks()[1].output, 2048);
            mutant.blocks()[0].output
        };
        assert_distribution(10_000, draw, [(8, 5), (16, 3)]);
    }

    #[test]
    fn every_block_is_drawn_alike() {
        let mut rng = generator(6);
        let draw = || {
            let mutant = Structure::INITIAL.mutate(&mut rng, 1, Mutation::Published).unwrap();
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
    fn close_channels_are_a_small_step_away() {
        for (channels, close) in [
            (8, &[8, 16][..]),
            (16, &[8, 16, 24]),
            (24, &[16, 32]),
            (40, &[32, 48]),
            (96, &[88, 104, 120, 80]),
            (128, &[120, 136, 160, 104]),
            (1, &[8, 9]),
            (65535, &[65527, 52432]),
        ] {
            let given = close_channels(channels);
            let mut given = given.values().to_vec();
            let mut close = close.to_vec();
            given.sort_unstable();
            close.sort_unstable();
            assert_eq!(given, close, "{channels}");
        }
    }

    /// Every number is changed alike, one at a time.
    #[test]
    fn a_small_step_changes_one_number() {
        let parent = Structure::parse("SuperConvK3BNRELU(3,32,2,1)SuperResIDWE6K3(32,48,2,96,3)").unwrap();
        let mut rng = generator(7);
        let draw = || {
            let mutant = parent.step(&mut rng).unwrap();
            let (Kind::InvertedResidual { expansion, kernel, bottleneck }, [stem, block]) =
                (mutant.blocks()[1].kind, mutant.blocks())
            else {
                panic!("{mutant}")
            };
            assert_eq!(block.input, stem.output);
            [
                stem.output != 32,
                expansion != 6,
                kernel != 3,
                bottleneck != 96,
                block.output != 48,
                block.repetitions != 3,
            ]
        };
        let changed = |place: usize| core::array::from_fn(|index| index == place);
        // One step of five moves a repetition, for which there is no other block. Half of the others are in the stem, whose
        // width always changes. In the block an expansion is drawn again one time in four, a kernel one in three.
        let weights =
            [(0, 60), (1, 9), (2, 8), (3, 12), (4, 12), (5, 12)].map(|(place, weight)| (changed(place), weight));
        assert_distribution(50_000, draw, weights.into_iter().chain([([false; 6], 30 + 3 + 4)]));
    }

    #[test]
    fn repetitions_move_where_none_vanishes() {
        let parent =
            Structure::parse("SuperConvK3BNRELU(3,32,2,1)SuperResIDWE6K3(32,48,2,96,3)SuperResIDWE6K3(48,48,2,96,1)");
        let (parent, mut rng) = (parent.unwrap(), generator(9));
        let draw = || {
            let mutant = parent.step(&mut rng).unwrap();
            [0, 1, 2].map(|position| mutant.blocks()[position].repetitions)
        };
        // Of nine pairs of blocks one moves a repetition. Of five numbers of an inverted residual one is its repetitions, of
        // which there may be one more or less, or as many where there was but one.
        let weights = [([1, 2, 2], 5), ([1, 2, 1], 6), ([1, 4, 1], 6), ([1, 3, 2], 6)];
        let others = 225 - weights.iter().map(|(_, weight)| weight).sum::<u64>();
        assert_distribution(50_000, draw, weights.into_iter().chain([([1, 3, 1], others)]));
    }

    /// Of the mixed mutants a third are up to three small steps.
    #[test]
    fn mixed_mutants_are_small_steps_a_third_of_the_time() {
        let mut rng = generator(8);
        let mut small = 0;
        const MUTANTS: u32 = 20_000;
        for _ in 0..MUTANTS {
            let mutant = single().mutate(&mut rng, 1, Mutation::Mixed).unwrap();
            let SuperBlock {
                kind: Kind::InvertedResidual { expansion, kernel, bottleneck }, output, repetitions, ..
            } = mutant.blocks()[0]
            else {
                panic!("{mutant}")
            };
            let numbers = [expansion != 6, kernel != 3, bottleneck != 32, output != 48, repetitions != 1];
            small += u32::from(numbers.into_iter().filter(|&changed| changed).count() <= 1);
        }
        // One number or none: of the single steps all (a ninth of the mutants), of double ones those in one place, ...
        assert!((MUTANTS / 8..MUTANTS / 3).contains(&small), "{small}");
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
        fn mutants_stay_in_the_space(seed: u64, steps in 0u32..400, replacements in 0u32..8, mutation in 0usize..3) {
            let mutation = Mutation::ALL[mutation];
            let mut rng = generator(seed);
            let Ok(parent) = Structure::sample(&mut rng, steps, mutation) else {
                prop_assert!(steps > 50, "a short walk outgrew the structure");
                return Ok(());
            };
            let Ok(mutant) = parent.mutate(&mut rng, replacements, mutation) else { return Ok(()) };
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
