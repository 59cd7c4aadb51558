//! Peak activation memory: worked out by hand for the first blocks of published networks, and against a simulation of whole
//! networks that knows nothing of blocks.

use aznas::Error;
use aznas::base::rng::generator;
use aznas::graph::{Block, Convolution, MAX_NODES, Network, Node, NodeId, Op, peak_activation};
use aznas::ops::activation::Activation;
use aznas::ops::window::Window;
use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
use aznas::spaces::{Settings, Space, SpaceName, Visitor};
use aznas::tensor::Shape;
use std::collections::BTreeMap;

type Describe = fn(&mut Block) -> Result<NodeId, Error>;

/// Blocks one after another, on images of so many channels.
struct Chain<'a> {
    channels: usize,
    blocks: &'a [Describe],
}

impl Network for Chain<'_> {
    fn input_channels(&self) -> usize {
        self.channels
    }

    fn block_count(&self) -> usize {
        self.blocks.len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        let output = self.blocks[index](block)?;
        block.set_output(output)
    }
}

fn norm(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = block.convolution(x, convolution, key)?;
    block.batch_norm(x, 1e-5, key)
}

/// Convolution, batch normalisation, ReLU6.
fn unit(block: &mut Block, x: NodeId, convolution: Convolution, key: u32) -> Result<NodeId, Error> {
    let x = norm(block, x, convolution, key)?;
    block.activation(x, Activation::Relu6)
}

/// An inverted residual of MobileNetV2 behind its expansion, if it has one.
fn inverted(block: &mut Block, hidden: usize, stride: usize, output: usize) -> Result<NodeId, Error> {
    let input = block.input();
    let expanded = block.shape(input)?.channels != hidden;
    let x = if expanded { unit(block, input, Convolution::same(hidden, 1, 1), 0)? } else { input };
    let x = unit(block, x, Convolution::depthwise(hidden, 3, stride), 1)?;
    let x = norm(block, x, Convolution::same(output, 1, 1), 2)?;
    if block.shape(x)? == block.shape(input)? { block.add(&[x, input]) } else { Ok(x) }
}

/// A basic block of ResNet.
fn basic(block: &mut Block, channels: usize, stride: usize) -> Result<NodeId, Error> {
    let input = block.input();
    let x = norm(block, input, Convolution::same(channels, 3, stride), 0)?;
    let x = block.relu(x)?;
    let x = norm(block, x, Convolution::same(channels, 3, 1), 1)?;
    let shortcut = match stride {
        1 => input,
        _ => norm(block, input, Convolution::same(channels, 1, stride), 2)?,
    };
    let x = block.add(&[x, shortcut])?;
    block.relu(x)
}

/// Every block by itself, then as many of them in a row: the peak is that of the worst.
fn check(blocks: &[Describe], expected: &[u64]) {
    let mut shape = Shape::new(1, 224, 224, 3).unwrap();
    for (i, &own) in expected.iter().enumerate() {
        let alone = Chain { channels: shape.channels, blocks: &blocks[i..=i] };
        assert_eq!(peak_activation(&alone, shape.height, shape.width), Ok(own), "block {i}");
        let so_far = Chain { channels: 3, blocks: &blocks[..=i] };
        assert_eq!(peak_activation(&so_far, 224, 224).unwrap(), *expected[..=i].iter().max().unwrap(), "up to {i}");
        let mut block = Block::new(0, shape);
        let output = blocks[i](&mut block).unwrap();
        shape = block.shape(output).unwrap();
    }
}

#[test]
fn the_first_blocks_of_mobilenet_v2() {
    let blocks: [Describe; 4] = [
        |block| unit(block, block.input(), Convolution::same(32, 3, 2), 0),
        |block| inverted(block, 32, 1, 16),
        |block| inverted(block, 96, 2, 24),
        |block| inverted(block, 144, 1, 24),
    ];
    check(
        &blocks,
        &[
            // The image and what the stem makes of it.
            3 * 224 * 224 + 32 * 112 * 112,
            // What the depthwise convolution reads and writes; the projection after it writes half as much.
            32 * 112 * 112 + 32 * 112 * 112,
            // The same, of stride 2; the expansion before it reads 16 channels and writes these 96.
            96 * 112 * 112 + 96 * 56 * 56,
            // The same, and the block's input, which the sum still needs and writes over.
            144 * 56 * 56 + 144 * 56 * 56 + 24 * 56 * 56,
        ],
    );
}

#[test]
fn the_first_blocks_of_resnet_18() {
    let blocks: [Describe; 4] = [
        |block| {
            let stem = Convolution { kernel: [7; 2], padding: [3; 2], ..Convolution::same(64, 3, 2) };
            let x = norm(block, block.input(), stem, 0)?;
            let x = block.relu(x)?;
            block.max_pool(x, Window::new(3, 2, 1)?)
        },
        |block| basic(block, 64, 1),
        |block| basic(block, 64, 1),
        |block| basic(block, 128, 2),
    ];
    check(
        &blocks,
        &[
            // What the pool reads and writes; the convolution before it reads the image and writes as much.
            64 * 112 * 112 + 64 * 56 * 56,
            // The block's input, and what the second convolution reads and writes.
            3 * 64 * 56 * 56,
            3 * 64 * 56 * 56,
            // The block's input; what the second convolution has written; and what that read, or the projection writes.
            64 * 56 * 56 + 2 * 128 * 28 * 28,
        ],
    );
}

/// What follows is of maps of 8 × 8 with two channels.
const MAP: u64 = 2 * 8 * 8;

fn peak(blocks: &[Describe]) -> u64 {
    peak_activation(&Chain { channels: 2, blocks }, 8, 8).unwrap()
}

fn convolve(block: &mut Block, x: NodeId, key: u32) -> Result<NodeId, Error> {
    block.convolution(x, Convolution::same(2, 3, 1), key)
}

#[test]
fn what_is_elementwise_writes_over_an_input_that_nobody_needs() {
    // All in one memory.
    assert_eq!(peak(&[|block| block.relu(block.input())]), MAP);
    assert_eq!(peak(&[|block| block.batch_norm(block.input(), 1e-5, 0), |block| block.relu(block.input())]), MAP);
    // A normalisation before the convolution, and the shortcut that still needs what it reads.
    let before: Describe = |block| {
        let x = block.batch_norm(block.input(), 1e-5, 0)?;
        let x = block.relu(x)?;
        let x = convolve(block, x, 0)?;
        block.add(&[x, block.input()])
    };
    assert_eq!(peak(&[before]), 3 * MAP);
    // The sum writes over its second term: the first is needed once more.
    let twice: Describe = |block| {
        let x = convolve(block, block.input(), 0)?;
        let y = convolve(block, x, 1)?;
        let sum = block.add(&[x, y])?;
        let product = block.product(sum, x)?;
        block.relu(product)
    };
    assert_eq!(peak(&[twice]), 2 * MAP);
    // A gate of one position, made beside the map that it then scales in place.
    let gate: Describe = |block| {
        let factor = block.global_pool(block.input())?;
        let factor = block.activation(factor, Activation::Sigmoid)?;
        block.product(block.input(), factor)
    };
    assert_eq!(peak(&[gate]), MAP + 2);
    // Nothing is written over by what is not elementwise.
    assert_eq!(peak(&[|block| block.concat(&[block.input(), block.input()])]), 3 * MAP);
}

#[test]
fn an_identity_is_what_it_reads() {
    let identity: Describe = |block| Ok(block.input());
    assert_eq!(peak(&[identity, identity]), MAP);
    let beside: Describe = |block| {
        let same = block.push(Op::Identity, &[block.input()], 0)?;
        let x = convolve(block, block.input(), 0)?;
        block.add(&[x, same])
    };
    assert_eq!(peak(&[beside]), 2 * MAP);
}

#[test]
fn a_feature_is_held_until_the_block_after_the_next_has_read_it() {
    let plain: Describe = |block| {
        let x = convolve(block, block.input(), 0)?;
        convolve(block, x, 1)
    };
    let with_earlier: Describe = |block| {
        // Two nodes, one value.
        let x = convolve(block, block.input(), 0)?;
        let (a, b) = (block.earlier()?, block.earlier()?);
        let x = block.add(&[x, a])?;
        block.add(&[x, b])
    };
    assert_eq!(peak(&[plain, plain, plain]), 2 * MAP);
    assert_eq!(peak(&[plain, plain, with_earlier]), 3 * MAP);
    // An earlier feature that does not count is not held.
    let in_vain: Describe = |block| {
        let earlier = block.earlier()?;
        block.relu(earlier)?;
        convolve(block, block.input(), 0)
    };
    assert_eq!(peak(&[plain, plain, in_vain]), 2 * MAP);
}

#[test]
fn what_does_not_count_is_not_held() {
    let dead: Describe = |block| {
        convolve(block, block.input(), 0)?;
        let zero = block.zero(block.input())?;
        let x = convolve(block, zero, 1)?;
        let y = block.relu(block.input())?;
        block.add(&[x, y])
    };
    assert_eq!(peak(&[dead]), MAP);
    let nothing: Describe = |block| block.zero(block.input());
    assert_eq!(peak(&[nothing]), MAP);
}

#[test]
fn networks_that_are_wrong_are_refused() {
    let skeleton = Skeleton::new(4, 1, 10).unwrap();
    let network = CellNetwork { cell: Cell::all().next().unwrap(), skeleton };
    assert_eq!(peak_activation(&network, 0, 8), Err(Error::Invalid { field: "height", expected: "at least 1" }));
    assert_eq!(peak_activation(&network, 8, 9), Err(Error::NotMultiple { field: "width", divisor: 4 }));
    assert!(peak_activation(&network, 1 << 31, 1 << 31).is_err());
}

/// Every node of a network in a row, with what it reads by number.
#[derive(Default)]
struct Flat {
    nodes: Vec<(Node, Vec<usize>)>,
}

impl Flat {
    fn of(network: &dyn Network, side: usize) -> Self {
        let mut flat = Self::default();
        let mut block = Block::new(0, Shape::new(1, side, side, network.input_channels()).unwrap());
        let (mut features, mut shapes) = (vec![0], vec![block.nodes()[0].shape]);
        flat.nodes.push((block.nodes()[0], Vec::new()));
        for index in 0..=network.block_count() {
            let earlier = index.checked_sub(1).filter(|&at| at > 0);
            block.restart(index, shapes[index], earlier.map(|at| shapes[at]));
            match index == network.block_count() {
                false => network.describe(index, &mut block).unwrap(),
                true => network.describe_head(&mut block).unwrap(),
            }
            let number = |node: NodeId| (0..MAX_NODES).find(|&place| block.node(place) == Ok(node)).unwrap();
            // What each node of the block is in the row; those that are nothing but what they read have no place there.
            let mut place = vec![features[index]];
            for node in &block.nodes()[1..] {
                let inputs: Vec<_> = node.inputs().iter().map(|&input| place[number(input)]).collect();
                place.push(match node.op {
                    Op::Identity => inputs[0],
                    Op::Earlier => features[index - 1],
                    _ => {
                        flat.nodes.push((*node, inputs));
                        flat.nodes.len() - 1
                    }
                });
            }
            features.push(place[number(block.output())]);
            shapes.push(block.output_shape());
        }
        let output = features[features.len() - 1];
        flat.nodes.push((flat.nodes[output].0, vec![output]));
        flat
    }

    /// Simulates memories by their readers to come; the last node of the row reads the network's output and writes nothing.
    fn peak(&self) -> u64 {
        let is_read =
            |value: usize, behind: usize| self.nodes[behind + 1..].iter().any(|(_, inputs)| inputs.contains(&value));
        let len = |value: usize| self.nodes[value].0.shape.len() as u64;
        let mut held = BTreeMap::from([(0, len(0))]);
        let mut peak = len(0);
        for (i, (node, inputs)) in self.nodes.iter().enumerate().skip(1).take(self.nodes.len() - 2) {
            let is_in_place =
                matches!(node.op, Op::BatchNorm(_) | Op::Relu | Op::Activation(_) | Op::Add | Op::Product | Op::Scale);
            let over = inputs.iter().find(|&&input| is_in_place && len(input) == len(i) && !is_read(input, i));
            if let Some(over) = over {
                held.remove(over);
            }
            held.insert(i, len(i));
            peak = peak.max(held.values().sum());
            held.retain(|&value, _| is_read(value, i));
        }
        peak
    }
}

/// Networks in which everything counts, of every space.
#[test]
fn whole_networks_peak_as_a_simulation_does() {
    struct Simulate(usize);

    impl Visitor for Simulate {
        type Output = usize;

        fn visit<S: Space>(self, space: S) -> usize {
            let (mut rng, mut compared) = (generator(3), 0);
            for _ in 0..400 {
                let architecture = space.sample(&mut rng);
                let network = space.network(&architecture);
                let flat = Flat::of(&network, self.0);
                if flat.nodes.iter().any(|(node, _)| node.op == Op::Zero) {
                    continue;
                }
                let peak = peak_activation(&network, self.0, self.0).unwrap();
                assert_eq!(peak, flat.peak(), "{}: {architecture}", S::POLICY.name);
                compared += 1;
            }
            compared
        }
    }

    for &space in SpaceName::ALL {
        let side = if space == SpaceName::Autoformer { 224 } else { 32 };
        let settings = Settings { channels: 16, cells: 3, ..space.policy().settings };
        let compared = space.visit(&settings, Simulate(side)).unwrap();
        assert!(compared >= 30, "{}: {compared}", space.name());
    }
}
