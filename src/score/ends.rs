//! Features at the two ends of the workspace.

use crate::Error;
use crate::graph::Block;
use crate::mem::ALIGNMENT;
use crate::plan::{BlockPlan, Frame};
use crate::tensor::Shape;

/// Where a block lies that is run after the one before it and before the next: its input at one end of the workspace
/// and its feature at the other, so that the feature is in place as the next block's input; what else the block needs
/// lies between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    input: usize,
    middle: usize,
    output: usize,
    input_is_above: bool,
}

impl Ends {
    /// The ends around a block: nothing if it has nothing to do.
    pub(crate) fn of(block: &Block, plan: &BlockPlan) -> Result<Self, Error> {
        let input_is_above = block.index() % 2 == 1;
        if plan.is_empty() {
            return Ok(Self { input: 0, middle: 0, output: 0, input_is_above });
        }
        let (input, middle) = (bytes_of(block.shape(block.input())?), plan.middle_bytes());
        let output = bytes_of(block.output_shape());
        // That a size of memory can be said is checked once, here.
        let bytes = input.checked_add(middle).and_then(|bytes| bytes.checked_add(output));
        bytes.ok_or(Error::Overflow { quantity: "the workspace" })?;
        Ok(Self { input, middle, output, input_is_above })
    }

    /// Bytes of workspace the block needs.
    pub(crate) fn bytes(&self) -> usize {
        self.input + self.middle + self.output
    }

    /// Where everything lies in a workspace of `end` bytes, at least those needed.
    pub(crate) fn frame(&self, end: usize) -> Frame {
        if self.input_is_above {
            Frame { input: end - self.input, output: 0, middle: self.output }
        } else {
            Frame { input: 0, output: end - self.output, middle: self.input }
        }
    }
}

/// Whole slots of a feature.
fn bytes_of(shape: Shape) -> usize {
    // A shape is checked for numbers of twice the size.
    (shape.len() * size_of::<f32>()).next_multiple_of(ALIGNMENT)
}
