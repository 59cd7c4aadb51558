//! C programs get the very bits that Rust gets.

mod common;

use aznas::graph::{Block, Convolution, Network, NodeId, Op, peak_activation};
use aznas::mem::Memory;
use aznas::ops::activation::Activation;
use aznas::ops::attention::Attention;
use aznas::ops::conv2d::Algorithm;
use aznas::ops::shuffle::Shuffle;
use aznas::ops::slice::Slice;
use aznas::proxy::{BlockScores, Proxy, ProxySet};
use aznas::simd::Backend;
use aznas::spaces::autoformer::{Architecture, TransformerNetwork};
use aznas::spaces::mbv2::{Structure, UnitNetwork};
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::{Settings, SpaceName};
use aznas::sweep::{self, Input, Loss, Parameter, Sweep};
use aznas::tensor::{Random, Role, Source};
use aznas::{Error, Initialisation, Options, Scores};
use common::{Flavour, Language, Linkage};
use std::fmt::Write;
use std::path::PathBuf;

const CELL: &str = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";
const HALF_DEAD: &str = "|none~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|none~0|skip_connect~1|nor_conv_1x1~2|";
const CUT: &str = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";
const UNITS: &str = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,2)SuperConvK1BNRELU(16,32,1,1)";
const VERTICES: &str = "5:1110111011:31m";
// Without blanks, at which the programs stop to read.
const GENOTYPE: &str = "Genotype(normal=[('sep_conv_3x3',0),('none',1),('conv_7x1_1x7',2),('skip_connect',1)],\
    normal_concat=[2,3],reduce=[('skip_connect',0),('dil_conv_5x5',1)],reduce_concat=[2])";
const TRANSFORMER: &str = "autoformer(embed=32,heads=1-2,ratio=1-2)";

/// The back ends of this processor with their numbers in C.
fn backends() -> impl Iterator<Item = (Backend, u32)> {
    Backend::available().map(|backend| match backend {
        Backend::Scalar => (backend, 1),
        Backend::Avx2 => (backend, 2),
        Backend::Avx512 => (backend, 3),
        Backend::Neon => (backend, 4),
        other => panic!("{} has no number here", other.name()),
    })
}

fn bits(x: f64) -> u64 {
    if x.is_nan() { 0x7ff8_0000_0000_0000 } else { x.to_bits() }
}

/// The lines that `print.h` prints.
fn printed(scores: &Scores, block_count: usize, rows: &[BlockScores]) -> String {
    let Scores { cost, flags, .. } = scores;
    let first_eight = ProxySet::from_bits(255).expect("they are known");
    let proxies: Vec<_> = scores.values(first_eight).map(|value| format!("{:016x}", bits(value))).collect();
    // C says in a flag what Rust says by the set that was measured.
    let is_measured = scores.measured.contains_all(first_eight);
    let flags = flags.0 | if is_measured { 0 } else { 8 };
    let mut text = format!(
        "{} {} {} {} {} {} {} {} {block_count}\n",
        proxies.join(" "),
        cost.macs,
        cost.live_macs,
        cost.parameters,
        cost.live_parameters,
        cost.live_layers,
        cost.depth,
        flags
    );
    for row in rows {
        let [height, width, channels] = row.feature;
        let numbers = [row.expressivity, row.sigma, row.trainability].map(|x| format!("{:016x}", bits(x)));
        writeln!(text, "{} {height}x{width}x{channels} {} {}", row.block, numbers.join(" "), row.flags.0)
            .expect("a string takes any text");
    }
    text
}

fn scores(network: &dyn Network, options: &Options, source: &dyn Source, visit: impl FnMut(&BlockScores)) -> Scores {
    let mut memory = Memory::new();
    let needed = aznas::workspace_size(network, options, source).expect("the network is sound");
    let mut workspace = memory.workspace(needed).expect("there is memory");
    aznas::score(network, options, source, &mut workspace, visit).expect("the network is sound")
}

fn score(network: &dyn Network, options: &Options, source: &dyn Source, with_rows: bool) -> String {
    let mut rows = Vec::new();
    let scores = scores(network, options, source, |row| {
        if with_rows {
            rows.push(*row);
        }
    });
    printed(&scores, network.block_count(), &rows)
}

/// The program `name` of today and those of earlier headers, each linked in both ways.
fn programs(name: &str, language: Language) -> Vec<PathBuf> {
    let library = Flavour::Checked.build();
    let sources = common::generations().into_iter().map(|folder| format!("{folder}/{name}"));
    let linked = |source: String| {
        [Linkage::Static, Linkage::Shared].map(|linkage| common::compile(&source, language, &library, linkage, &[]))
    };
    sources.flat_map(linked).collect()
}

#[test]
fn named_spaces() {
    // Space, channels, cells, classes, batch, side, seed, index of the initialisation, repeats, proxies, text.
    let cases = [
        (1, 4, 1, 10, 2, 8, 1, 0, 1, 0, CELL),
        (1, 4, 1, 10, 2, 8, 1, 0, 1, 1, CELL),
        (1, 4, 1, 10, 2, 8, 1, 0, 2, 4, CELL),
        (1, 4, 1, 10, 2, 8, 1, 0, 2, 32, CELL),
        (1, 8, 2, 100, 3, 16, 7, 1, 1, 15, CELL),
        (1, 4, 1, 10, 2, 8, u64::MAX, 2, 3, 61, HALF_DEAD),
        (1, 4, 1, 10, 2, 8, 3, 4, 2, 255, CUT),
        (2, 16, 5, 1000, 2, 32, 1, 0, 1, 0, UNITS),
        (2, 16, 5, 7, 3, 16, 2, 6, 2, 12, UNITS),
        (3, 16, 5, 1000, 2, 32, 1, 0, 1, 0, TRANSFORMER),
        (3, 16, 5, 10, 3, 64, 9, 0, 2, 24, TRANSFORMER),
        (5, 7, 1, 10, 2, 8, 1, 0, 1, 15, VERTICES),
        (6, 4, 3, 10, 2, 8, 1, 0, 1, 15, GENOTYPE),
    ];
    let (mut input, mut expected) = (String::new(), String::new());
    for (space, channels, cells, classes, batch, side, seed, initialisation, repeats, proxies, text) in cases {
        for ((backend, number), algorithm) in
            backends().flat_map(|backend| [0, 1, 2].map(|algorithm| (backend, algorithm)))
        {
            writeln!(
                input,
                "{space} {channels} {cells} {classes} {batch} {side} {seed} {initialisation} {repeats} {number} {proxies} \
                 {algorithm} {text}"
            )
            .expect("a string takes any text");
            let initialisation = Initialisation::ALL[initialisation];
            let options = Options {
                batch,
                height: side,
                width: side,
                seed,
                initialisation,
                repeats,
                proxies: ProxySet::from_bits(proxies).unwrap_or_default(),
                backend,
                algorithm: [Algorithm::Winograd, Algorithm::Direct, Algorithm::Bfloat16][algorithm],
                ..Options::default()
            };
            let network: Box<dyn Network> = match space {
                1 => {
                    let skeleton = Skeleton::new(channels, cells, classes).expect("the skeleton is sound");
                    Box::new(CellNetwork { cell: Cell::parse(text).expect("the cell is sound"), skeleton })
                }
                2 => {
                    let structure = Structure::parse(text).expect("the structure is sound");
                    Box::new(UnitNetwork { structure, classes, target_resolution: 224 })
                }
                5 | 6 => {
                    let space = SpaceName::from_number(space).expect("the space has a number");
                    let settings = Settings { channels, cells, classes, ..space.policy().settings };
                    space.network(&settings, text.as_bytes()).expect("the cells are sound")
                }
                _ => {
                    let architecture = Architecture::parse(text).expect("the architecture is sound");
                    Box::new(TransformerNetwork { classes, ..TransformerNetwork::new(architecture) })
                }
            };
            expected += &score(&*network, &options, &Random, true);
        }
    }
    for program in programs("scores.c", Language::C11) {
        assert_eq!(common::output(&program, &input), expected, "{}", program.display());
    }
}

#[test]
fn proxies_by_name_and_number() {
    let singles = Proxy::ALL.iter().flat_map(|proxy| [proxy.name().to_owned(), proxy.symbol().to_owned()]);
    let sets = ["paper", "extended", "all", "E,P", "depth,expressivity,E", "", "paper,E", "E, P", "E,x", "e"];
    let texts: Vec<_> = singles.chain(sets.map(str::to_owned)).collect();
    let cell = Cell::parse(CELL).expect("the cell is sound");
    let network = CellNetwork { cell, skeleton: Skeleton::new(4, 1, 10).expect("the skeleton is sound") };
    let mut expected: String = Proxy::ALL.iter().map(|proxy| format!("{}\n", proxy.name())).collect();
    for text in &texts {
        let line = match ProxySet::parse(text) {
            Err(Error::Parse { column, .. }) => format!("-1 {column}"),
            Err(other) => panic!("{text}: {other}"),
            Ok(proxies) => {
                let scalar = Options { batch: 2, height: 8, width: 8, backend: Backend::Scalar, ..Options::default() };
                let scores = scores(&network, &Options { proxies, ..scalar }, &Random, |_| ());
                let values: String = scores.values(proxies).map(|value| format!(" {:016x}", bits(value))).collect();
                format!("{} {}{values}", proxies.bits(), scores.measured.bits())
            }
        };
        expected += &format!("{line}\n");
    }
    let program = common::compile("tests/c/proxies.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    assert_eq!(common::output(&program, &(texts.join("\n") + "\n")), expected);
}

/// The transformer of `graph.c`: patches, tokens and attention, then a perceptron.
fn describe_transformer(index: usize, block: &mut Block) -> Result<NodeId, Error> {
    let input = block.input();
    if index == 1 {
        let x = block.layer_norm(input, 1e-5, 0)?;
        let x = block.linear(x, 48, 0)?;
        let x = block.activation(x, Activation::Gelu)?;
        let x = block.linear(x, 24, 1)?;
        return block.add(&[input, x]);
    }
    let patches =
        Convolution { kernel: [4, 4], stride: [4, 4], padding: [0, 0], bias: true, ..Convolution::same(24, 1, 1) };
    let patches = block.convolution(input, patches, 0)?;
    let tokens = block.tokens(patches, 1)?;
    let x = block.layer_norm(tokens, 1e-5, 2)?;
    let x = block.linear(x, 3 * 16, 3)?;
    let x = block.attention(x, Attention { heads: 2, grid: [4, 4], reach: 2 }, 4)?;
    let x = block.linear(x, 24, 5)?;
    block.add(&[tokens, x])
}

/// The blocks of the cells of `cells.c`: two that read one feature, then four that read two.
fn describe_cell(index: usize, block: &mut Block) -> Result<NodeId, Error> {
    let [(last, before, channels), ..] = [(1, 1, 8), (2, 2, 24), (1, 2, 24), (1, 1, 8)][index.saturating_sub(2)..]
    else {
        return Err(Error::Invalid { field: "block", expected: "one of the network's" });
    };
    let input = block.input();
    if index < 2 {
        let x = block.convolution(input, Convolution::same(8, 3, 1), 0)?;
        return block.batch_norm(x, 1e-5, 0);
    }
    let earlier = block.earlier()?;
    let x = block.relu(input)?;
    let x = block.convolution(x, Convolution::same(channels, 3, last), 0)?;
    let x = block.batch_norm(x, 1e-5, 0)?;
    let y = block.relu(earlier)?;
    let y = block.convolution(y, Convolution::same(channels, 1, before), 1)?;
    let y = block.batch_norm(y, 1e-5, 1)?;
    block.add(&[x, y])
}

/// The blocks of the first network of `gates.c`.
fn describe_gates(index: usize, block: &mut Block) -> Result<NodeId, Error> {
    let input = block.input();
    match index {
        0 => {
            let x = block.convolution(input, Convolution::same(16, 3, 2), 0)?;
            let x = block.batch_norm(x, 1e-5, 0)?;
            block.activation(x, Activation::HardSwish)
        }
        1 => {
            let x = block.convolution(input, Convolution { groups: 2, ..Convolution::same(16, 1, 1) }, 0)?;
            let x = block.batch_norm(x, 1e-5, 0)?;
            let x = block.push(Op::Shuffle(Shuffle { groups: 2 }), &[x], 0)?;
            let x = block.convolution(x, Convolution::depthwise(16, 3, 1), 1)?;
            let x = block.batch_norm(x, 1e-5, 1)?;
            let x = block.activation(x, Activation::Silu)?;
            let gate = block.global_pool(x)?;
            let gate = block.linear(gate, 4, 2)?;
            let gate = block.activation(gate, Activation::LeakyRelu { slope: 0.2.into() })?;
            let gate = block.linear(gate, 16, 3)?;
            let gate = block.activation(gate, Activation::Sigmoid)?;
            let x = block.product(x, gate)?;
            block.add(&[x, input])
        }
        2 => {
            let [left, right] = [0, 8].map(|first| block.slice(input, Slice::of_channels(first, 8)));
            let right = right?;
            let x = block.convolution(left?, Convolution::same(8, 3, 1), 0)?;
            let gate = block.activation(right, Activation::HardSigmoid)?;
            let x = block.product(x, gate)?;
            let x = block.activation(x, Activation::Elu { alpha: 0.5.into() })?;
            let y = block.activation(right, Activation::Tanh)?;
            let x = block.concat(&[x, y])?;
            block.activation(x, Activation::Relu6)
        }
        _ => {
            let x = block.convolution(input, Convolution::depthwise(16, 3, 1), 0)?;
            let x = block.layer_norm(x, 1e-5, 1)?;
            let x = block.linear(x, 32, 1)?;
            let x = block.activation(x, Activation::Gelu)?;
            let x = block.linear(x, 16, 2)?;
            let x = block.scale(x, 3)?;
            block.add(&[input, x])
        }
    }
}

/// The blocks of the transformer of `gates.c`.
fn describe_plain_transformer(index: usize, block: &mut Block) -> Result<NodeId, Error> {
    let input = block.input();
    if index == 0 {
        let patches = Convolution { kernel: [4; 2], stride: [4; 2], padding: [0; 2], ..Convolution::same(24, 1, 1) };
        let x = block.convolution(input, Convolution { bias: true, ..patches }, 0)?;
        return block.tokens(x, 0);
    }
    let x = block.layer_norm(input, 1e-5, 0)?;
    let x = block.linear(x, 48, 0)?;
    let x = block.attention(x, Attention::plain(2), 0)?;
    let x = block.linear(x, 24, 1)?;
    block.add(&[input, x])
}

/// The networks of `graph.c`, `cells.c` and `gates.c`, described with the builder of the core.
enum Graph {
    ResNet,
    MobileNet,
    Transformer,
    Cells,
    Gates,
    PlainTransformer,
}

impl Network for Graph {
    fn block_count(&self) -> usize {
        match self {
            Self::ResNet => 3,
            Self::MobileNet | Self::Transformer | Self::PlainTransformer => 2,
            Self::Cells => 6,
            Self::Gates => 4,
        }
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let described = match self {
            Self::Transformer => Some(describe_transformer(index, block)?),
            Self::Cells => Some(describe_cell(index, block)?),
            Self::Gates => Some(describe_gates(index, block)?),
            Self::PlainTransformer => Some(describe_plain_transformer(index, block)?),
            Self::ResNet | Self::MobileNet => None,
        };
        if let Some(output) = described {
            return block.set_output(output);
        }
        let input = block.input();
        let mut convolution = |x, convolution, key| {
            let x = block.convolution(x, convolution, key)?;
            block.batch_norm(x, 1e-5, key)
        };
        let output = match (self, index) {
            (Self::ResNet, 0) => convolution(input, Convolution::same(16, 3, 1), 0)?,
            (Self::MobileNet, 0) => convolution(input, Convolution::same(8, 3, 2), 0)?,
            (Self::ResNet, _) => {
                let stride = if index == 1 { 2 } else { 1 };
                let x = convolution(input, Convolution::same(32, 3, stride), 0)?;
                let x = block.relu(x)?;
                let x = block.convolution(x, Convolution::same(32, 3, 1), 1)?;
                let x = block.batch_norm(x, 1e-5, 1)?;
                let shortcut = if index == 1 {
                    let shortcut = block.convolution(input, Convolution::same(32, 1, 2), 2)?;
                    block.batch_norm(shortcut, 1e-5, 2)?
                } else {
                    input
                };
                block.add(&[x, shortcut])?
            }
            _ => {
                let x = convolution(input, Convolution::same(48, 1, 1), 0)?;
                let x = block.relu(x)?;
                let x = block.convolution(x, Convolution::depthwise(48, 3, 1), 1)?;
                let x = block.batch_norm(x, 1e-5, 1)?;
                let x = block.relu(x)?;
                let x = block.convolution(x, Convolution::same(8, 1, 1), 2)?;
                let x = block.batch_norm(x, 1e-5, 2)?;
                let x = block.add(&[x, input])?;
                return block.set_output(x);
            }
        };
        let output = block.relu(output)?;
        block.set_output(output)
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        if matches!(self, Self::MobileNet | Self::Transformer) {
            return Ok(());
        }
        let pool = if matches!(self, Self::PlainTransformer) { Op::TokenPool } else { Op::GlobalPool };
        let x = block.push(pool, &[block.input()], 0)?;
        let x = block.linear(x, 10, 0)?;
        block.set_output(x)
    }
}

#[test]
fn cells_that_read_the_last_two_features() {
    let program = common::compile("tests/c/cells.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    for (backend, number) in backends() {
        let options = Options { batch: 4, height: 16, width: 16, backend, ..Options::default() };
        let printed = common::run(std::process::Command::new(&program).arg(number.to_string()), "");
        assert_eq!(printed, score(&Graph::Cells, &options, &Random, false), "{}", backend.name());
    }
}

#[test]
fn gates_and_their_peak_activation_memory() {
    let program = common::compile("tests/c/gates.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    for (backend, number) in backends() {
        let options = Options { batch: 4, height: 16, width: 16, backend, ..Options::default() };
        let printed = common::run(std::process::Command::new(&program).arg(number.to_string()), "");
        let expected = [Graph::Gates, Graph::PlainTransformer].map(|network| {
            let peak = peak_activation(&network, 16, 16).expect("the network is sound");
            format!("{}{peak}\n", score(&network, &options, &Random, false))
        });
        assert_eq!(printed, expected.concat(), "{}", backend.name());
    }
}

#[test]
fn nodes_of_the_caller() {
    let programs = programs("graph.c", Language::C11);
    for (backend, number) in backends() {
        let options = Options { batch: 4, height: 16, width: 16, backend, ..Options::default() };
        let expected = [Graph::ResNet, Graph::MobileNet, Graph::Transformer]
            .map(|network| score(&network, &options, &Random, false))
            .concat();
        for program in &programs {
            let printed = common::run(std::process::Command::new(program).arg(number.to_string()), "");
            assert_eq!(printed, expected, "{}: {}", backend.name(), program.display());
        }
    }
}

/// The tensors of `tensors.c`.
struct Tensors {
    input: Vec<f32>,
    weights: Vec<f32>,
    gain: Vec<f32>,
}

impl Source for Tensors {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.input)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        match (block, key, role) {
            (1, 0 | 5, Role::Weight) => Some(&self.weights),
            (1, 5, Role::Gain) => Some(&self.gain),
            _ => None,
        }
    }
}

/// The tensors of the transformer in `tensors.c`, by role and key.
struct Tokens([(Role, u32, Vec<f32>); 6]);

impl Source for Tokens {
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.0.iter().find(|tensor| (0, tensor.1, tensor.0) == (block, key, role)).map(|tensor| &tensor.2[..])
    }
}

#[test]
fn tensors_of_the_caller() {
    let number = |i: u32, salt: u32| {
        let hash = (i + 1).wrapping_mul(2654435761) ^ salt.wrapping_mul(2246822519);
        ((hash ^ hash >> 15) % 2001) as f32 / 1000.0 - 1.0
    };
    let tensors = Tensors {
        input: (0..2 * 8 * 8 * 3).map(|i| number(i, 1)).collect(),
        weights: (0..9 * 4 * 4).map(|i| number(i, 2)).collect(),
        gain: (0..4).map(|i| 0.5 + 0.25 * i as f32).collect(),
    };
    let text = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|";
    let network = CellNetwork {
        cell: Cell::parse(text).expect("the cell is sound"),
        skeleton: Skeleton::new(4, 1, 10).expect("the skeleton is sound"),
    };
    let architecture = Architecture::parse("autoformer(embed=12,heads=1,ratio=1)").expect("the architecture is sound");
    let transformer = TransformerNetwork { patch: 4, reach: 1, ..TransformerNetwork::new(architecture) };
    let tokens = [
        (Role::ClassToken, 1, 12, 6),
        (Role::Position, 1, 60, 7),
        (Role::KeyRow, 4, 256, 8),
        (Role::KeyColumn, 4, 256, 9),
        (Role::ValueRow, 4, 256, 10),
        (Role::ValueColumn, 4, 256, 11),
    ];
    let tokens = Tokens(tokens.map(|(role, key, len, salt)| (role, key, (0..len).map(|i| number(i, salt)).collect())));
    let programs = programs("tensors.c", Language::C11);
    for (backend, number) in backends() {
        let options = Options { batch: 2, height: 8, width: 8, backend, ..Options::default() };
        let given = [score(&network, &options, &tensors, false), score(&transformer, &options, &tokens, false)];
        let drawn = [score(&network, &options, &Random, false), score(&transformer, &options, &Random, false)];
        assert!(given[0] != drawn[0] && given[1] != drawn[1], "the tensors do not matter");
        let expected = given.concat();
        for program in &programs {
            let printed = common::run(std::process::Command::new(program).arg(number.to_string()), "");
            assert_eq!(printed, expected, "{}: {}", backend.name(), program.display());
        }
    }
}

/// The second batch and the labels of `gradients.c`.
struct SecondBatch(Vec<f32>);

impl Source for SecondBatch {
    fn batch(&self, number: u32) -> Option<&[f32]> {
        Some(&self.0[..]).filter(|_| number == 1)
    }

    fn labels(&self, batch: u32) -> Option<&[u32]> {
        const LABELS: [[u32; 2]; 2] = [[3, 0], [9, 1]];
        LABELS.get(batch as usize).map(|labels| &labels[..])
    }
}

#[test]
fn gradients_of_all_parameters() {
    let text = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";
    let network = CellNetwork {
        cell: Cell::parse(text).expect("the cell is sound"),
        skeleton: Skeleton::new(4, 1, 10).expect("the skeleton is sound"),
    };
    let given = SecondBatch((0..2 * 8 * 8 * 3).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect());
    let program =
        common::compile("tests/c/gradients.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    for (backend, number) in backends() {
        let options = Options { batch: 2, height: 8, width: 8, backend, ..Options::default() };
        let mut expected = String::new();
        for loss in [Loss::CrossEntropy, Loss::Sum, Loss::EachSample] {
            for input in 0..3 {
                for source in [&Random as &dyn Source, &given] {
                    let sweep = Sweep { loss, input: Input::Batch(input), ..Sweep::default() };
                    let mut memory = Memory::new();
                    let needed = sweep::workspace_size(&network, &options, &sweep, source).expect("it is sound");
                    let mut workspace = memory.workspace(needed).expect("there is memory");
                    let mut told = 0;
                    let mut watch = |parameter: Parameter<'_>| {
                        told += 1;
                        let both = parameter.gradient.iter().zip(parameter.values.unwrap_or(parameter.gradient));
                        let sum = both.fold(0u64, |sum, (gradient, value)| {
                            let add = |sum: u64, x: &f32| sum.wrapping_mul(31).wrapping_add(x.to_bits().into());
                            let sum = add(sum, gradient);
                            if parameter.values.is_some() { add(sum, value) } else { sum }
                        });
                        writeln!(
                            expected,
                            "{} {} {} {} {} {} {} {sum:016x}",
                            parameter.block,
                            parameter.node,
                            parameter.key,
                            parameter.role as u32,
                            parameter.sample.unwrap_or(0),
                            parameter.gradient.len(),
                            u32::from(parameter.values.is_some()),
                        )
                        .expect("a string takes any text");
                    };
                    let loss = aznas::gradients(&network, &options, &sweep, source, &mut workspace, &mut watch);
                    let loss = bits(loss.expect("it is sound"));
                    writeln!(expected, "{loss:016x} {told}").expect("a string takes any text");
                }
            }
        }
        let printed = common::run(std::process::Command::new(&program).arg(number.to_string()), "");
        assert_eq!(printed, expected, "{}", backend.name());
    }
}

#[test]
fn ranks() {
    let columns: [&[f64]; 3] =
        [&[3.0, 1.0, 2.0, 2.0, f64::NEG_INFINITY], &[-0.5, -0.25, f64::NAN, -0.5, -2.0], &[1e6, 2e6, 3e6, 4e6, 5e6]];
    let mut expected = String::new();
    for weights in [[1.0; 3], [1.0, 0.5, 2.0]] {
        for mode in [aznas::aggregate::Mode::Log, aznas::aggregate::Mode::Linear] {
            let mut out = [0.0; 5];
            aznas::aggregate::aggregate(&columns, &weights, mode, &mut out, &mut [0; 5]).expect("the lists are sound");
            writeln!(expected, "{}", out.map(|x| format!("{:016x}", bits(x))).join(" "))
                .expect("a string takes any text");
        }
    }
    for program in programs("aggregate.c", Language::C11) {
        assert_eq!(common::output(&program, ""), expected, "{}", program.display());
    }
}

#[test]
fn eight_threads_of_cpp() {
    let mut printed = programs("threads.cpp", Language::Cpp17).into_iter().map(|program| common::output(&program, ""));
    let first = printed.next().expect("there is a program");
    assert_eq!(first.lines().count(), 25);
    assert!(
        printed.all(|other| other == first),
        "a program of an earlier header, or a shared library, scores differently"
    );
}

#[test]
fn the_header_for_cpp_compiles_without_exceptions() {
    let mut compiler = std::process::Command::new("c++");
    compiler.args(["-std=c++17", "-fno-exceptions", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]);
    common::run(compiler.arg("-x").arg("c++").arg(common::root().join("include/aznas.hpp")), "");
}
