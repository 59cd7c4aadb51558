//! Where the boundaries of a block lie.

/// Where a block finds its input, where it leaves its feature, and where the memory of its own starts: bytes from the
/// start of the workspace. Who drives the blocks decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) middle: usize,
}
