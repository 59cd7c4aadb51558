//! Peak activation memory: the most numbers that inference holds at a time.
//!
//! Nodes run one after another in the order of their block. While one runs, these are held: what it reads, what it writes,
//! and every value that a node behind it still reads, in its block or, of a feature, in the next two.
//!
//! **One rule says which values have no memory of their own.** An op that makes each number of its value from the numbers in
//! the same place (batch normalisation, which deployment folds into a convolution; rectifiers and all other activations;
//! gains of channels; sums and products) writes over an input of as many numbers that nobody reads any more. If every such
//! input is still needed, its value takes memory like any other. Beside that, an identity is the value it reads, and what
//! does not depend on the image, or cannot influence the output, is not held at all.
//!
//! Parameters do not count, nor does what an op needs for itself, such as columns of a matrix product or the weights of an
//! attention.

use super::network::explained;
use super::{Block, MAX_NODES, Network, Op, Walk};
use crate::Error;

/// The most numbers that inference of one image of `height × width` holds at a time, input, head and output included. In
/// memory they take as many times the bytes of a number: 1, 2 or 4.
///
/// Source: the liveness of Liberis and Lane, *Neural networks on microcontrollers: saving memory at inference via operator
/// reordering*, 2019, in the order in which the network is described, with the rule of this module for ops in place.
///
/// # Errors
/// Everything that can be wrong with the network.
pub fn peak_activation<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<u64, Error> {
    counted(network, height, width).map_err(|error| explained(network, height, width, error))
}

fn counted<N: Network + ?Sized>(network: &N, height: usize, width: usize) -> Result<u64, Error> {
    let mut peak = Peak::default();
    let mut walk = Walk::new(network, 1, height, width)?;
    while let Some(block) = walk.next_block()? {
        peak.add(block)?;
    }
    peak.add(walk.head()?)?;
    Ok(peak.finish())
}

/// The peak of the blocks so far.
#[derive(Default)]
struct Peak {
    numbers: u64,
    /// That of the latest block, if its input goes with its last reader, and if it stays for the next block: which of the
    /// two is right, the next block says.
    latest: [u64; 2],
}

impl Peak {
    fn add(&mut self, block: &Block) -> Result<(), Error> {
        let flow = block.flow();
        let keeps_earlier =
            block.nodes().iter().zip(flow).any(|(node, flow)| matches!(node.op, Op::Earlier) && flow.is_live());
        self.numbers = self.numbers.max(self.latest[usize::from(keeps_earlier)]);
        self.latest = [of_block(block, false)?, of_block(block, true)?];
        Ok(())
    }

    fn finish(self) -> u64 {
        self.numbers.max(self.latest[0])
    }
}

/// Later than every node of a block.
const END: usize = MAX_NODES;

/// What is held while the nodes of a block run one after another.
struct Held {
    /// The node that reads each value last; of a memory, the last that reads a value in it.
    until: [usize; MAX_NODES],
    /// The memory that each value is in, by the node whose value came into it first.
    memory: [usize; MAX_NODES],
    /// Numbers of each memory until it is free.
    numbers: [u64; MAX_NODES],
    now: u64,
    peak: u64,
}

impl Held {
    /// Gives a value memory of its own.
    fn take(&mut self, value: usize, numbers: usize) -> Result<(), Error> {
        self.numbers[value] = numbers as u64;
        let now = self.now.checked_add(self.numbers[value]);
        self.now = now.ok_or(Error::Overflow { quantity: "the peak activation memory" })?;
        self.peak = self.peak.max(self.now);
        Ok(())
    }

    /// Puts a value into memory that there is.
    fn join(&mut self, value: usize, memory: usize) {
        self.memory[value] = memory;
        self.until[memory] = self.until[memory].max(self.until[value]);
    }

    /// Frees the memory of a value that no node behind `node` reads.
    fn release(&mut self, value: usize, node: usize) {
        let memory = self.memory[value];
        if self.until[memory] <= node {
            self.now -= core::mem::take(&mut self.numbers[memory]);
        }
    }
}

/// The most numbers that are held at a time while a block runs; `keeps_input` if the next block reads its input too.
fn of_block(block: &Block, keeps_input: bool) -> Result<u64, Error> {
    let (nodes, flow) = (block.nodes(), block.flow());
    let is_live = |node: usize| flow[node].is_live();
    let live = || (0..nodes.len()).filter(|&node| is_live(node));
    let inputs = |node: usize| nodes[node].inputs().iter().map(|input| input.index()).filter(|&input| is_live(input));
    let len = |node: usize| nodes[node].shape.len();
    let (until, memory) = ([0; MAX_NODES], core::array::from_fn(|node| node));
    let mut held = Held { until, memory, numbers: [0; MAX_NODES], now: 0, peak: 0 };
    for node in live() {
        inputs(node).for_each(|input| held.until[input] = node);
    }
    held.until[block.output().index()] = END;
    if keeps_input {
        held.until[0] = END;
    }
    // What the block reads is there before its first node runs.
    held.take(0, len(0))?;
    let mut earlier = live().filter(|&node| matches!(nodes[node].op, Op::Earlier));
    if let Some(first) = earlier.next() {
        held.take(first, len(first))?;
        earlier.for_each(|other| held.join(other, first));
    }
    held.release(0, 0);
    for node in live().filter(|&node| !matches!(nodes[node].op, Op::Input | Op::Earlier)) {
        let is_over = |&memory: &usize| held.until[memory] == node && held.numbers[memory] == len(node) as u64;
        let mut memories = inputs(node).map(|input| held.memory[input]);
        let place = match nodes[node].op {
            Op::Identity => memories.next(),
            op if op.is_elementwise() => memories.find(is_over),
            _ => None,
        };
        match place {
            Some(memory) => held.join(node, memory),
            None => held.take(node, len(node))?,
        }
        inputs(node).for_each(|input| held.release(input, node));
    }
    Ok(held.peak)
}
