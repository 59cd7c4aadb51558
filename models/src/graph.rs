//! A network as a list of its blocks.

use aznas::Error;
use aznas::graph::{Block, Cost, Draw, IdentityRule, Network, Op};

/// A network that was read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// What it is called in results.
    pub name: String,
    /// Channels, rows and columns of an image.
    pub input: [usize; 3],
    /// The primary blocks, the first of which reads the input batch. The last node of each is its feature.
    pub blocks: Vec<Vec<Node>>,
    /// What follows the last feature.
    pub head: Vec<Node>,
    /// What an identity block counts for.
    pub identity_rule: IdentityRule,
    /// Whether progressivity is one of the scores.
    pub progressivity: bool,
    /// The complexity score, where it is not the multiply-adds of the graph.
    pub complexity: Option<f64>,
}

/// A node of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// What it reads: 0 is what the block reads, *n* the *n*-th node of the block, counted from 1.
    pub inputs: Vec<usize>,
    /// The number that its parameters are drawn and looked up by.
    pub key: u32,
    /// How its parameters are drawn, if not as the options of a score say.
    pub draw: Option<Draw>,
}

impl Graph {
    /// The blocks of another network, for images of `height` × `width`.
    ///
    /// # Errors
    /// Everything that can be wrong with the network.
    pub fn of<N: Network + ?Sized>(network: &N, name: &str, height: usize, width: usize) -> Result<Self, Error> {
        let channels = network.input_channels();
        let mut block = Block::new(0, aznas::tensor::Shape::new(1, height, width, channels)?);
        let (mut blocks, mut earlier) = (Vec::with_capacity(network.block_count()), None);
        for index in 0..network.block_count() {
            network.describe(index, &mut block)?;
            blocks.push(nodes_of(&block));
            let feature = block.output_shape();
            block.restart(index + 1, feature, earlier.replace(feature));
        }
        network.describe_head(&mut block)?;
        let cost = Cost::of(network, height, width)?;
        let complexity = network.complexity(&cost)?;
        Ok(Self {
            name: name.to_string(),
            input: [channels, height, width],
            blocks,
            head: nodes_of(&block),
            identity_rule: network.identity_rule(),
            progressivity: network.progressivity(),
            complexity: (complexity != cost.macs as f64).then_some(complexity),
        })
    }
}

/// The nodes of a block up to its output; what stands behind it comes before it here, as the last node is the output.
fn nodes_of(block: &Block) -> Vec<Node> {
    let count = block.nodes().len();
    let output = (0..count).find(|&index| block.node(index) == Ok(block.output())).unwrap_or(0);
    let number = |node| (0..count).find(|&index| block.node(index) == Ok(node)).unwrap_or(0);
    let mut nodes: Vec<_> = block.nodes()[1..]
        .iter()
        .map(|node| Node {
            op: node.op,
            inputs: node.inputs().iter().map(|&input| number(input)).collect(),
            key: node.key,
            draw: node.draw,
        })
        .collect();
    if output + 1 != count {
        nodes.push(Node { op: Op::Identity, inputs: vec![output], key: 0, draw: None });
    }
    nodes
}

impl Network for Graph {
    fn input_channels(&self) -> usize {
        self.input[0]
    }

    fn block_count(&self) -> usize {
        self.blocks.len()
    }

    fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
        describe(&self.blocks[index], block)
    }

    fn describe_head(&self, block: &mut Block) -> Result<(), Error> {
        describe(&self.head, block)
    }

    fn complexity(&self, cost: &Cost) -> Result<f64, Error> {
        Ok(self.complexity.unwrap_or(cost.macs as f64))
    }

    fn identity_rule(&self) -> IdentityRule {
        self.identity_rule
    }

    fn progressivity(&self) -> bool {
        self.progressivity
    }
}

fn describe(nodes: &[Node], block: &mut Block) -> Result<(), Error> {
    for node in nodes {
        let inputs = node.inputs.iter().map(|&input| block.node(input)).collect::<Result<Vec<_>, _>>()?;
        let output = block.push(node.op, &inputs, node.key)?;
        if let Some(draw) = node.draw {
            block.set_draw(output, draw)?;
        }
        block.set_output(output)?;
    }
    Ok(())
}
