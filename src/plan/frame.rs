//! Where the boundaries of a block lie.

/// Where a block finds the features that it reads, where it leaves its own, and where the memory of its own starts: bytes
/// from the start of the workspace. Who drives the blocks decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Of the block's input, and of the feature before that, if the block reads it.
    pub(crate) inputs: [usize; 2],
    pub(crate) output: usize,
    pub(crate) middle: usize,
}
