//! Scores that reuse earlier networks have the bits of scores from scratch, and reuse what there is to reuse.

mod common;

use aznas::base::rng::{Generator, below, generator};
use aznas::graph::{Block, Convolution, Distribution, Draw, Network};
use aznas::mem::Memory;
use aznas::ops::conv2d::Algorithm;
use aznas::prefix::{Counts, Entry, Store, prepare};
use aznas::proxy::{BlockScores, Proxy, ProxySet};
use aznas::score::Plans;
use aznas::simd::Backend;
use aznas::spaces::SearchSpace;
use aznas::spaces::autoformer::{Choices, Size, TransformerNetwork, TransformerSpace};
use aznas::spaces::mbv2::{Structure, StructureSpace, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork, CellSpace, Skeleton};
use aznas::spaces::nds::{self, Operators, Stem};
use aznas::tensor::Random;
use aznas::{Entropy, Sigma};
use aznas::{Error, Initialisation, Options, Scores};

/// Entries and words of stores that have room for everything, for scores only, for next to nothing, and for nothing.
const STORES: [(usize, usize); 6] = [(4096, 1 << 22), (4096, 0), (64, 20_000), (8, 1 << 16), (3, 5000), (0, 1 << 16)];

/// Numbers of weights that are kept beside: none, next to none, fewer than there are, all.
const WEIGHTS: [usize; STORES.len()] = [1 << 20, 0, 1 << 15, 64 * 300, 64 * 40, 1 << 22];

fn score(
    store: &mut Store<'_>,
    plans: &mut Plans,
    network: &impl Network,
    options: &Options,
) -> Result<(Scores, Vec<BlockScores>), Error> {
    let mut memory = Memory::new();
    let mut prepared = prepare(network, options, plans)?;
    let mut workspace = memory.workspace(prepared.workspace_size())?;
    let mut blocks = Vec::new();
    let scores = store.score_prepared(&mut prepared, &mut workspace, |block| blocks.push(*block))?;
    Ok((scores, blocks))
}

/// Everything that is told of a score, comparable to the bit.
fn all(told: &(Scores, Vec<BlockScores>)) -> (Vec<u64>, String) {
    // The debug text has what is no number to take the bits of.
    (common::bits(&told.0, &told.1), format!("{told:?}"))
}

fn new_blocks(store: &Store<'_>, before: Counts) -> [u64; 3] {
    let after = store.counts();
    [after.reused - before.reused, after.replayed - before.replayed, after.scored - before.scored]
}

/// Scores a random walk in all stores, under options that change back and forth.
fn assert_same_bits<A: Clone, N: Network>(
    steps: usize,
    first: A,
    mutate: impl Fn(&A, &mut Generator) -> A,
    network: impl Fn(&A) -> N,
    options: Options,
) {
    let variants = [
        options,
        Options { seed: options.seed + 1, ..options },
        Options { repeats: 2, ..options },
        Options { sigma: Sigma::HalfSplit, batch: options.batch + 1, ..options },
    ];
    let mut buffers = STORES.map(|(entries, words)| (vec![Entry::VACANT; entries], vec![0; words]));
    let mut stores = buffers.each_mut().map(|(entries, words)| Store::new(entries, words));
    let mut plans: Vec<Plans> = WEIGHTS.iter().map(|&weights| Plans::of_most(3).with_weights(weights)).collect();
    let mut rng = generator(5);
    let mut family = vec![first];
    for step in 0..steps {
        let parent = &family[below(&mut rng, family.len() as u64) as usize];
        let child = mutate(parent, &mut rng);
        // Half of the time the options stay the first.
        let options = &variants[below(&mut rng, 2 * variants.len() as u64).saturating_sub(4) as usize];
        let network = network(&child);
        let expected = all(&common::score(&network, options));
        for ((store, plans), sizes) in stores.iter_mut().zip(&mut plans).zip(STORES) {
            assert_eq!(all(&score(store, plans, &network, options).unwrap()), expected, "step {step}, {sizes:?}");
        }
        family.push(child);
        if family.len() > 6 {
            family.remove(0);
        }
    }
    let [everything, scores_only, little, .., nothing] = stores.each_ref().map(Store::counts);
    // The last feature of a network is not kept, though another one may go on after it.
    assert!(everything.reused > everything.scored / 4 && everything.replayed < 10, "{everything:?}");
    assert_eq!(scores_only.scored, everything.scored);
    assert!(little.scored > everything.scored, "{little:?}: the store is not tight");
    assert_eq!((nothing.reused, nothing.replayed), (0, 0));
}

#[test]
fn structures_have_the_bits_of_scores_from_scratch() {
    let space = StructureSpace::default();
    let first = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,2)SuperResIDWE1K5(16,16,1,8,1)\
                 SuperResIDWE2K3(16,24,2,16,1)SuperConvK1BNRELU(24,32,1,1)";
    assert_same_bits(
        150,
        Structure::parse(first).unwrap(),
        |parent, rng| loop {
            let child = space.mutate(parent, 1, rng);
            if child.layers() < 9 && child.blocks().iter().all(|block| block.output <= 48) {
                return child;
            }
        },
        |&structure| UnitNetwork { structure, classes: 10, target_resolution: 32 },
        Options { batch: 2, height: 16, width: 16, ..Options::default() },
    );
}

#[test]
fn cells_have_the_bits_of_scores_from_scratch() {
    let skeleton = Skeleton::new(4, 1, 10).unwrap();
    let space = CellSpace { skeleton, resolution: 8, reduction: None };
    assert_same_bits(
        100,
        Cell::parse(common::CELLS[0]).unwrap(),
        |parent, rng| space.mutate(parent, 1, rng),
        |&cell| CellNetwork { cell, skeleton },
        Options { batch: 2, height: 8, width: 8, ..Options::default() },
    );
}

#[test]
fn transformers_have_the_bits_of_scores_from_scratch() {
    let choices = Choices { depths: &[2, 3], embeds: &[12, 16], heads: &[1, 2], ..Size::Tiny.choices() };
    let space = TransformerSpace::of(choices).unwrap();
    assert_same_bits(
        60,
        space.sample(&mut generator(1)),
        |parent, rng| space.mutate(parent, 1, rng),
        |&architecture| TransformerNetwork { patch: 8, ..TransformerNetwork::new(architecture) },
        Options { batch: 2, height: 16, width: 16, ..Options::default() },
    );
}

/// Cells that read the last two features; the one that halves the map comes late, so that networks begin alike.
#[test]
fn genotypes_have_the_bits_of_scores_from_scratch() {
    let (mut entries, mut words) = (vec![Entry::VACANT; 64], vec![0; 1 << 16]);
    let mut store = Store::new(&mut entries, &mut words);
    let mut plans = Plans::of_most(3).with_weights(1 << 20);
    let options = Options { batch: 2, height: 8, width: 8, ..Options::default() };
    let mut rng = generator(1);
    let mut architecture = Operators::Darts.sample([2, 6], &mut rng);
    for step in 0..12 {
        let network = nds::CellNetwork { architecture, stem: Stem::Cifar, classes: 10, target_resolution: 32 };
        let expected = all(&common::score(&network, &options));
        assert_eq!(all(&score(&mut store, &mut plans, &network, &options).unwrap()), expected, "step {step}");
        architecture = Operators::Darts.mutate(&architecture, &mut rng);
    }
    assert!(store.counts().reused > 12, "{:?}", store.counts());
}

/// Blocks of a convolution or two, of the last feature (0), of the one before it (1), or of both (2), with a kernel of
/// either size.
#[derive(Clone)]
struct Ladder(Vec<[u64; 2]>);

impl Network for Ladder {
    fn block_count(&self) -> usize {
        self.0.len()
    }
    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let [reads, size] = self.0[index];
        let convolution = Convolution::same(4, 1 + 2 * size as usize, 1);
        let mut sources = Vec::new();
        if reads != 1 || index < 2 {
            sources.push(block.input());
        }
        if reads > 0 && index >= 2 {
            sources.push(block.earlier()?);
        }
        for (key, source) in (0..).zip(&mut sources) {
            let x = block.convolution(*source, convolution, key)?;
            *source = block.batch_norm(x, 1e-5, key)?;
        }
        let sum = block.add(&sources)?;
        let output = block.relu(sum)?;
        block.set_output(output)
    }
}

#[test]
fn blocks_that_read_the_last_two_features_have_the_bits_of_scores_from_scratch() {
    let draw = |rng: &mut Generator| [below(rng, 3), below(rng, 2)];
    assert_same_bits(
        200,
        Ladder((0..7).map(|_| draw(&mut generator(3))).collect()),
        |parent, rng| {
            let mut child = parent.clone();
            let place = below(rng, child.0.len() as u64) as usize;
            child.0[place] = draw(rng);
            child
        },
        Ladder::clone,
        Options { batch: 2, height: 8, width: 8, ..Options::default() },
    );
}

/// A chain of one convolution a block.
#[derive(Clone)]
struct Chain {
    convolutions: Vec<Convolution>,
    epsilon: f64,
    key: u32,
    draw: Option<Draw>,
}

impl Chain {
    fn new(channels: &[usize]) -> Self {
        let convolutions = channels.iter().map(|&channels| Convolution::same(channels, 3, 1)).collect();
        Self { convolutions, epsilon: 1e-5, key: 0, draw: None }
    }
}

impl Network for Chain {
    fn block_count(&self) -> usize {
        self.convolutions.len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let x = block.convolution(block.input(), self.convolutions[index], self.key)?;
        if let Some(draw) = self.draw {
            block.set_draw(x, draw)?;
        }
        let x = block.batch_norm(x, self.epsilon, 0)?;
        let x = block.relu(x)?;
        block.set_output(x)
    }
}

const TINY: Options = Options {
    batch: 2,
    height: 8,
    width: 8,
    seed: 1,
    initialisation: Initialisation::KaimingNormalFanIn,
    repeats: 1,
    sigma: Sigma::Plain,
    entropy: Entropy::Plain,
    proxies: ProxySet::BLOCKWISE,
    backend: Backend::Scalar,
    algorithm: Algorithm::Direct,
};

/// Scores networks with one store and tells of each how many blocks were reused, run forward and scored.
fn course(entries: usize, words: usize, networks: &[Chain]) -> Vec<[u64; 3]> {
    let (mut entries, mut words) = (vec![Entry::VACANT; entries], vec![0; words]);
    let mut store = Store::new(&mut entries, &mut words);
    let told = networks.iter().map(|network| {
        let before = store.counts();
        assert_eq!(
            all(&score(&mut store, &mut Plans::new(), network, &TINY).unwrap()),
            all(&common::score(network, &TINY))
        );
        new_blocks(&store, before)
    });
    told.collect()
}

#[test]
fn only_what_differs_is_computed() {
    let networks = [&[4, 5, 6, 7][..], &[4, 5, 6, 7], &[4, 5, 8, 7], &[4, 5, 6, 7, 8], &[5, 5, 6, 7], &[4, 5, 8, 7, 8]];
    let networks = networks.map(Chain::new);
    let with_features = [[0, 0, 4], [4, 0, 0], [2, 0, 2], [3, 1, 1], [0, 0, 4], [3, 1, 1]];
    assert_eq!(course(256, 1 << 16, &networks), with_features);
    // A network that is known takes no work; else all blocks before the last that is not are run.
    let without = [[0, 0, 4], [4, 0, 0], [0, 2, 2], [0, 4, 1], [0, 0, 4], [0, 4, 1]];
    assert_eq!(course(256, 0, &networks), without);
    assert_eq!(course(0, 1 << 16, &networks), networks.map(|network| [0, 0, network.convolutions.len() as u64]));
}

#[test]
fn words_are_enough_for_the_features_of_a_network() {
    let first = Chain::new(&[20, 30, 40, 50]);
    let words = aznas::prefix::words(&first, &TINY).unwrap();
    // Networks that leave the first one at each of its blocks.
    let reused = |words: usize| {
        [1, 2, 3].map(|block| {
            let mut other = first.clone();
            other.convolutions[block].channels += 1;
            course(256, words, &[first.clone(), other])[1][0]
        })
    };
    assert_eq!(reused(words), [1, 2, 3]);
    // With one less, a feature is forgotten.
    assert_eq!(reused(words - 1).into_iter().sum::<u64>(), 3 + 2);
    let twice = aznas::prefix::words(&first, &Options { repeats: 2, ..TINY }).unwrap();
    assert_eq!(twice, 2 * words);
    assert!(aznas::prefix::words(&first, &Options { batch: usize::MAX, ..TINY }).is_err());
}

/// Whatever changes a feature or a score is part of what a block is known by.
#[test]
fn nothing_is_taken_from_other_options_or_other_nodes() {
    let normal = Draw { distribution: Distribution::Normal { deviation: 0.5 }, bias: false, interleave: 1, salt: 0 };
    let drawn = |draw| Chain { draw: Some(draw), ..Chain::new(&[4, 6]) };
    let base = Chain::new(&[4, 6]);
    let with = |change: fn(&mut Convolution)| {
        let mut chain = base.clone();
        change(&mut chain.convolutions[0]);
        (chain, TINY)
    };
    let variants = [
        (base.clone(), TINY),
        (base.clone(), Options { seed: 2, ..TINY }),
        (base.clone(), Options { batch: 3, ..TINY }),
        (base.clone(), Options { height: 9, ..TINY }),
        (base.clone(), Options { width: 9, ..TINY }),
        (base.clone(), Options { height: 4, width: 16, ..TINY }),
        (base.clone(), Options { initialisation: Initialisation::KaimingUniformFanIn, ..TINY }),
        (base.clone(), Options { sigma: Sigma::HalfSplit, ..TINY }),
        (base.clone(), Options { entropy: Entropy::HalfSplit, ..TINY }),
        (base.clone(), Options { proxies: ProxySet::of(&[Proxy::Expressivity]), ..TINY }),
        (base.clone(), Options { proxies: ProxySet::of(&[Proxy::Trainability]), ..TINY }),
        (base.clone(), Options { backend: Backend::default(), ..TINY }),
        (base.clone(), Options { algorithm: Algorithm::Winograd, ..TINY }),
        (base.clone(), Options { algorithm: Algorithm::Bfloat16, ..TINY }),
        (Chain { epsilon: 1e-3, ..base.clone() }, TINY),
        (Chain { key: 1, ..base.clone() }, TINY),
        with(|first| first.channels = 5),
        with(|first| (first.kernel, first.padding) = ([5, 5], [2, 2])),
        with(|first| (first.kernel, first.padding) = ([3, 1], [1, 0])),
        with(|first| (first.dilation, first.padding) = ([2, 2], [2, 2])),
        with(|first| first.stride = [2, 2]),
        with(|first| (first.groups, first.channels) = (3, 6)),
        with(|first| first.bias = true),
        // Packed for the backward pass in another order, to as many numbers.
        (
            Chain {
                convolutions: vec![base.convolutions[0], Convolution::same(6, 3, 2)],
                epsilon: 1e-2,
                ..base.clone()
            },
            TINY,
        ),
        (drawn(normal), TINY),
        (drawn(Draw { distribution: Distribution::Normal { deviation: 0.25 }, ..normal }), TINY),
        (drawn(Draw { distribution: Distribution::Uniform { half_width: 0.5 }, ..normal }), TINY),
        (drawn(Draw { bias: true, ..normal }), TINY),
        (drawn(Draw { interleave: 2, ..normal }), TINY),
        (drawn(Draw { salt: 1, ..normal }), TINY),
    ];
    let (mut entries, mut words) = (vec![Entry::VACANT; 1024], vec![0; 1 << 20]);
    let mut store = Store::new(&mut entries, &mut words);
    let mut plans = Plans::of_most(3).with_weights(1 << 20);
    for round in 0..2 {
        for (variant, (network, options)) in variants.iter().enumerate() {
            let before = store.counts();
            let (told, expected) =
                (score(&mut store, &mut plans, network, options), all(&common::score(network, options)));
            assert_eq!(all(&told.unwrap()), expected, "variant {variant}");
            // Weights alone, which are kept from the second round on.
            let told = score(&mut Store::new(&mut [], &mut []), &mut plans, network, options);
            assert_eq!(all(&told.unwrap()), expected, "variant {variant}");
            let is_scalar = Backend::default() == Backend::Scalar && options.backend == Backend::Scalar;
            let expected = if round == 0 { [0, 0, 2] } else { [2, 0, 0] };
            assert!(is_scalar || new_blocks(&store, before) == expected, "variant {variant} in round {round}");
        }
    }
    // What is counted on the graph takes no pass, and leaves nothing behind.
    let (counted, before) = (Options { proxies: ProxySet::of(&[Proxy::Depth]), ..TINY }, store.counts());
    assert_eq!(all(&score(&mut store, &mut plans, &base, &counted).unwrap()), all(&common::score(&base, &counted)));
    assert_eq!(new_blocks(&store, before), [0; 3]);
}

#[test]
fn refusals_are_those_of_a_score() {
    let network = Chain::new(&[4, 6]);
    let mut store = Store::new(&mut [], &mut []);
    let mut memory = Memory::new();
    let mut workspace = memory.workspace(0).unwrap();
    for options in [TINY, Options { repeats: 0, ..TINY }, Options { batch: 0, ..TINY }] {
        let refusal = store.score(&network, &options, &mut workspace, |_| ()).unwrap_err();
        assert_eq!(Err(refusal), aznas::score(&network, &options, &Random, &mut workspace, |_| ()));
    }
    assert_eq!(store.counts(), Counts::default());
}
