//! Where the boundaries of a block lie.

/// Where a block finds the features that it reads, where it leaves its own, and where the memory of its own starts: bytes
/// from the start of the workspace. Who drives the blocks decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Of the block's input, and of the feature before that, if the block reads it.
    pub(crate) inputs: [usize; 2],
    pub(crate) output: usize,
    pub(crate) middle: usize,
    /// Of the gradients with respect to them, where a block passes on what the blocks behind it have left.
    #[cfg(feature = "gradients")]
    pub(crate) gradients: Gradients,
}

impl Frame {
    /// Of a block that keeps gradients to itself.
    pub(crate) fn new(inputs: [usize; 2], output: usize, middle: usize) -> Self {
        Self {
            inputs,
            output,
            middle,
            #[cfg(feature = "gradients")]
            gradients: Gradients::default(),
        }
    }
}

/// Where the gradients with respect to a block's boundaries lie.
#[cfg(feature = "gradients")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gradients {
    pub(crate) inputs: [usize; 2],
    pub(crate) output: usize,
    /// A block behind has left its contribution to that with respect to the input already.
    pub(crate) begun: bool,
}
