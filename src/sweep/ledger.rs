//! Where everything lies in the workspace of a sweep.
//!
//! From the start: a number for each parameter, if any are kept; a bit for each number of a rectifier, likewise; the ledger, a row for each boundary between blocks; the
//! gradients with respect to the last few boundaries, in a ring; then the input batch and the features, in their order, and
//! behind the last of them that is in use what a block needs besides. A block at the end of a network finds all features
//! before it, one at the beginning few: the memory of the later ones is its own.
//!
//! The results of products that the last blocks keep lie behind their features and stay there, as far as memory goes: these need
//! not be computed once more.

use crate::Error;
use crate::graph::Block;
use crate::mem::{ALIGNMENT, Slot, Workspace};
use crate::plan::{BlockPlan, Frame, Gradients};
use crate::tensor::Shape;

/// Words of a row.
const ROW: usize = 8;

/// Most boundaries whose gradients are in use at a time.
const RING: usize = 3;

/// Most blocks whose products are kept.
const KEPT: usize = 64;

/// What the features and a block need, and memory for the results of products that are kept: two fifths of that more.
const fn with_products(bytes: usize) -> usize {
    bytes.saturating_add(bytes / 5 * 2)
}

/// What is known of a boundary: the input batch (0), the feature of a block, or the output of the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boundary {
    pub(super) shape: Shape,
    /// Bytes from the start of the workspace.
    pub(super) offset: usize,
    /// Numbers of all parameters of the blocks before it.
    pub(super) parameters: usize,
    /// Words of the signs at all rectifiers of the blocks before it.
    pub(super) signs: usize,
    /// Bytes behind it that are kept of the block that made it.
    pub(super) kept: usize,
    /// What stands in memory is to be multiplied by two to this power.
    pub(super) exponent: i32,
}

impl Boundary {
    /// The numbers.
    pub(super) fn slot(&self) -> Slot<f32> {
        Slot::new(self.offset, self.shape.len())
    }

    /// Where the memory of the block starts that made it.
    fn end(&self) -> usize {
        self.offset + bytes_of::<f32>(self.shape.len())
    }

    /// Where the next one starts.
    pub(super) fn next(&self) -> usize {
        self.end() + self.kept
    }
}

/// What a sweep takes, while blocks are looked at in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    boundaries: usize,
    parameters: usize,
    signs: usize,
    reads_earlier: bool,
    /// Bytes of the largest gradient in each place of a ring of two, and of three.
    rings: [[usize; RING]; 2],
    /// Bytes of the features up to the block at hand, and the most that a block needs with those before it.
    features: usize,
    most: usize,
    /// The last blocks, each in the place of its number.
    last: [Needed; KEPT],
}

/// Bytes that a block needs with the features before it, and those of it that hold the results of products.
#[derive(Clone, Copy, Debug, Default)]
struct Needed {
    all: usize,
    kept: usize,
}

impl Survey {
    /// Of the input batch.
    pub(super) fn new(input: Shape) -> Self {
        Self {
            boundaries: 1,
            parameters: 0,
            signs: 0,
            reads_earlier: false,
            rings: [[0; RING]; 2],
            features: bytes_of::<f32>(input.len()),
            most: 0,
            last: [Needed::default(); KEPT],
        }
    }

    /// With one more block, the head too.
    pub(super) fn add(&mut self, block: &Block, plan: &BlockPlan) -> Result<(), Error> {
        let output = bytes_of::<f32>(block.output_shape().len());
        for (ring, len) in self.rings.iter_mut().zip(RING - 1..) {
            let place = &mut ring[self.boundaries % len];
            *place = output.max(*place);
        }
        let parameters = block.nodes().iter().map(|node| block.parameters_len(node));
        self.parameters = parameters.fold(self.parameters, usize::saturating_add);
        let signs = block.nodes().iter().map(|node| block.sign_words(node));
        self.signs = signs.fold(self.signs, usize::saturating_add);
        self.reads_earlier |= block.reads_earlier();
        self.features = checked(self.features, output)?;
        let all = checked(self.features, plan.middle_bytes())?;
        self.most = self.most.max(all);
        self.last[(self.boundaries - 1) % KEPT] = Needed { all, kept: plan.kept_bytes() };
        self.boundaries += 1;
        Ok(())
    }

    /// The first block whose products are kept, and the bytes of all features and blocks then. The last one's always
    /// are: nothing comes between its two passes.
    fn keep(&self) -> (usize, usize) {
        let blocks = self.boundaries - 1;
        let (mut first, mut behind) = (blocks, 0);
        for block in (blocks.saturating_sub(KEPT)..blocks).rev() {
            let Needed { all, kept } = self.last[block % KEPT];
            let needed = all.max(kept.saturating_add(behind));
            if needed > with_products(self.most) {
                break;
            }
            (first, behind) = (block, needed);
        }
        (first, self.most.max(behind))
    }

    /// Lays everything out: `keeps_state` asks for a number for each parameter, `keeps_signs` for a bit for each number of
    /// a rectifier, and there are gradients of so many losses. Where what stands for features may change after a block
    /// has read them (`rescales`), no products are kept.
    pub(super) fn lay_out(
        &self,
        keeps_state: bool,
        keeps_signs: bool,
        rescales: bool,
        losses: usize,
    ) -> Result<Layout, Error> {
        let state = if keeps_state { self.parameters } else { 0 };
        let signs = if keeps_signs { self.signs } else { 0 };
        let bytes = |len: usize, size: usize| {
            len.checked_mul(size).and_then(|bytes| bytes.checked_next_multiple_of(ALIGNMENT)).ok_or(TOO_LARGE)
        };
        let signs_at = bytes(state, size_of::<f32>())?;
        let rows_at = checked(signs_at, bytes(signs, size_of::<u64>())?)?;
        let mut end = checked(rows_at, bytes_of::<u64>(ROW * self.boundaries))?;
        let ring_len = if self.reads_earlier { RING } else { RING - 1 };
        let sizes = self.rings[ring_len - (RING - 1)];
        let mut ring = [(0, 0); RING];
        for (place, bytes) in ring.iter_mut().zip(sizes) {
            *place = (end, bytes);
            end = checked(end, bytes.checked_mul(losses).ok_or(TOO_LARGE)?)?;
        }
        let rows = Slot::new(rows_at, ROW * self.boundaries);
        let changes = rescales && self.reads_earlier;
        let (first_kept, needed) = if changes { (self.boundaries, self.most) } else { self.keep() };
        Ok(Layout {
            state: Slot::new(0, state),
            signs: Slot::new(signs_at, signs),
            rows,
            ring,
            ring_len,
            features_at: end,
            first_kept,
            bytes: checked(end, needed)?,
        })
    }
}

/// Where everything lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// A number for each parameter; none, if none are kept.
    pub(super) state: Slot<f32>,
    /// A bit for each number of a rectifier; none, if none are kept.
    pub(super) signs: Slot<u64>,
    rows: Slot<u64>,
    /// For each place of the ring, where its gradients start and the bytes of one.
    ring: [(usize, usize); RING],
    ring_len: usize,
    /// Where the input batch lies.
    pub(super) features_at: usize,
    /// The first block whose products are kept.
    pub(super) first_kept: usize,
    /// Bytes of workspace.
    pub(super) bytes: usize,
}

impl Layout {
    /// Notes what is known of a boundary.
    pub(super) fn set(&self, workspace: &mut Workspace<'_>, number: usize, boundary: &Boundary) {
        let Boundary { shape, offset, parameters, signs, kept, exponent } = *boundary;
        let row = &mut workspace.loans().write(self.rows)[ROW * number..][..ROW];
        let sizes = [shape.height, shape.width, shape.channels, offset, parameters, signs, kept];
        row.iter_mut().zip(sizes).for_each(|(word, size)| *word = size as u64);
        row[ROW - 1] = exponent as u64;
    }

    /// What is known of a boundary, of a batch of so many.
    pub(super) fn get(&self, workspace: &mut Workspace<'_>, number: usize, batch: usize) -> Boundary {
        let row = &workspace.loans().read(self.rows)[ROW * number..][..ROW];
        let [height, width, channels, offset, parameters, signs, kept] = core::array::from_fn(|i| row[i] as usize);
        let shape = Shape { batch, height, width, channels };
        Boundary { shape, offset, parameters, signs, kept, exponent: row[ROW - 1] as i32 }
    }

    /// Where the gradient with respect to a boundary lies, of one of the losses.
    pub(super) fn gradient(&self, number: usize, loss: usize) -> usize {
        let (start, bytes) = self.ring[number % self.ring_len];
        start + loss * bytes
    }

    /// Where the boundaries of a block lie, given what is known of the feature it makes, of its input and of the feature
    /// before that, and of which loss the gradients are.
    pub(super) fn frame(
        &self,
        block: usize,
        [output, input, earlier]: &[Boundary; 3],
        loss: usize,
        begun: bool,
    ) -> Frame {
        let gradients = Gradients {
            inputs: [self.gradient(block, loss), self.gradient(block.saturating_sub(1), loss)],
            output: self.gradient(block + 1, loss),
            begun,
        };
        Frame { gradients, ..Frame::new([input.offset, earlier.offset], output.offset, output.end()) }
    }
}

/// What no memory is large enough for.
const TOO_LARGE: Error = Error::Overflow { quantity: "the workspace" };

fn checked(a: usize, b: usize) -> Result<usize, Error> {
    a.checked_add(b).ok_or(TOO_LARGE)
}

/// Whole slots of numbers whose bytes are known to fit the address space twice.
fn bytes_of<T>(len: usize) -> usize {
    (len * size_of::<T>()).next_multiple_of(ALIGNMENT)
}
