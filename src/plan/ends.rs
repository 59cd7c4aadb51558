//! Features at the two ends of the workspace.

use super::{BlockPlan, Frame};
use crate::Error;
use crate::graph::Block;
use crate::mem::ALIGNMENT;
use crate::tensor::Shape;
use core::ops::Range;

/// Where features lie while blocks are run one after another: in turns at either end of the workspace, so that a block's
/// feature is in place as the next one's input; what else a block needs lies between them. Where a block also reads the
/// feature before its input, its own lies at the same end as that, nearer to the end if it fits there, else behind it.
#[derive(Debug)]
pub(crate) struct Ends {
    /// What the last feature below and the last above take, in bytes from their end of the workspace.
    taken: [Range<usize>; 2],
}

/// Where one block lies.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The end of the input: 0 below, 1 above. The other two are at the other.
    of_input: usize,
    input: Range<usize>,
    earlier: Range<usize>,
    output: Range<usize>,
    /// Bytes of features below and above, and of what lies between them.
    ends: [usize; 2],
    middle: usize,
}

impl Ends {
    /// The input batch below.
    pub(crate) fn new(input: Shape) -> Self {
        Self { taken: [0..bytes_of(input), 0..0] }
    }

    /// The place of the next block.
    pub(crate) fn next(&mut self, block: &Block, plan: &BlockPlan) -> Result<Place, Error> {
        if plan.is_empty() {
            return Ok(Place::default());
        }
        let too_large = Error::Overflow { quantity: "the workspace" };
        let of_input = block.index() % 2;
        let input = self.taken[of_input].clone();
        let held = &mut self.taken[1 - of_input];
        let earlier = if block.reads_earlier() { held.clone() } else { 0..0 };
        let size = bytes_of(block.output_shape());
        let start = if size <= earlier.start { 0 } else { earlier.end };
        let output = start..start.checked_add(size).ok_or(too_large)?;
        *held = output.clone();
        let mut ends = [output.end.max(earlier.end); 2];
        ends[of_input] = input.end;
        let middle = plan.middle_bytes();
        // That a size of memory can be said is checked once, here.
        ends[0].checked_add(middle).and_then(|bytes| bytes.checked_add(ends[1])).ok_or(too_large)?;
        Ok(Place { of_input, input, earlier, output, ends, middle })
    }
}

impl Place {
    /// Bytes of workspace the block needs.
    pub(crate) fn bytes(&self) -> usize {
        self.ends[0] + self.middle + self.ends[1]
    }

    /// Where everything lies in a workspace of `len` bytes, at least those needed.
    pub(crate) fn frame(&self, len: usize) -> Frame {
        let at = |end: usize, bytes: &Range<usize>| if end == 0 { bytes.start } else { len - bytes.end };
        let of_output = 1 - self.of_input;
        let inputs = [at(self.of_input, &self.input), at(of_output, &self.earlier)];
        Frame::new(inputs, at(of_output, &self.output), self.ends[0])
    }
}

/// Whole slots of a feature.
fn bytes_of(shape: Shape) -> usize {
    // A shape is checked for numbers of twice the size.
    (shape.len() * size_of::<f32>()).next_multiple_of(ALIGNMENT)
}
