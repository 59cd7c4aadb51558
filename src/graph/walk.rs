//! A network, block after block: the one traversal behind plan, cost, size query and score.

use super::{Block, Network};
use crate::Error;
use crate::tensor::Shape;

/// Describes the blocks of a network in order, the head last. Blocks are large, and stacks can be small: there is one for
/// all.
pub(crate) struct Walk<'n, N: ?Sized> {
    network: &'n N,
    block: Block,
    /// The block to be described next.
    next: usize,
    /// The shape of the feature that the block at hand reads; the first one reads none.
    feature: Option<Shape>,
}

impl<'n, N: Network + ?Sized> Walk<'n, N> {
    /// Starts before the first block, which reads a batch of images of `height × width`.
    #[inline(always)] // else what is large lies on the stack twice
    pub(crate) fn new(network: &'n N, batch: usize, height: usize, width: usize) -> Result<Self, Error> {
        Ok(Self::from(network, Self::batch(network, batch, height, width)?))
    }

    /// Starts before the first block, which reads a [`batch`](Self::batch) of this shape.
    #[inline(always)] // else what is large lies on the stack twice
    pub(crate) fn from(network: &'n N, input: Shape) -> Self {
        Self { network, block: Block::new(0, input), next: 0, feature: None }
    }

    /// The shape of a batch of images of `height × width`, if there is a network for it.
    pub(crate) fn batch(network: &N, batch: usize, height: usize, width: usize) -> Result<Shape, Error> {
        let channels = network.input_channels();
        for (field, size) in [("batch", batch), ("height", height), ("width", width), ("input_channels", channels)] {
            if size == 0 {
                return Err(Error::Invalid { field, expected: "at least 1" });
            }
        }
        let input = Shape::new(batch, height, width, channels)?;
        if network.block_count() == 0 {
            return Err(Error::Invalid { field: "blocks", expected: "at least 1" });
        }
        Ok(input)
    }

    /// The shape of the input batch, before the first block has been described.
    pub(crate) fn input(&self) -> Shape {
        self.block.nodes()[0].shape
    }

    /// The next block; after the last one, `None`.
    pub(crate) fn next_block(&mut self) -> Result<Option<&Block>, Error> {
        if self.next == self.network.block_count() {
            return Ok(None);
        }
        self.start();
        self.network.describe(self.block.index(), &mut self.block)?;
        self.block.seal()?;
        Ok(Some(&self.block))
    }

    /// The head, once there is no other block left.
    pub(crate) fn head(&mut self) -> Result<&Block, Error> {
        self.start();
        self.network.describe_head(&mut self.block)?;
        self.block.seal()?;
        Ok(&self.block)
    }

    /// Any block, the head as the one after the last, given the shapes of its input and of the feature before that.
    #[cfg(feature = "gradients")]
    pub(crate) fn enter(&mut self, index: usize, input: Shape, earlier: Option<Shape>) -> Result<&Block, Error> {
        self.block.restart(index, input, earlier);
        if index < self.network.block_count() {
            self.network.describe(index, &mut self.block)?;
        } else {
            self.network.describe_head(&mut self.block)?;
        }
        self.block.seal()?;
        Ok(&self.block)
    }

    /// Begins the block that reads what the one before it makes.
    fn start(&mut self) {
        if self.next > 0 {
            let feature = self.block.output_shape();
            self.block.restart(self.next, feature, self.feature);
            self.feature = Some(feature);
        }
        self.next += 1;
    }
}
