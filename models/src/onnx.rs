//! ONNX models as networks: what the operators compute, in the ops of `aznas`, cut into primary blocks.
//!
//! The way is *bytes → file → list → blocks*: `framing` checks that the bytes are what they say, `file` reads and checks the
//! file, `lower` turns operators into ops in one list for the whole network, `cut` makes primary blocks of the list.
//!
//! Files may be hostile. Whatever they hold, they are read or refused in memory of a multiple of their length.

mod cut;
mod error;
mod file;
mod fold;
mod framing;
mod lower;
mod tensor;
mod view;

pub use cut::Cut;
pub use error::OnnxError;

use crate::Graph;
use aznas::tensor::{Role, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network that was read from an ONNX file.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its blocks.
    pub graph: Graph,
    /// The name of each block's feature in the model.
    pub features: Vec<String>,
    /// There are convolutions and no normalisation: it may have been folded into them. Scores of a network without it mean
    /// something else.
    pub may_be_folded: bool,
    weights: Weights,
}

/// The parameters of a file, to score with in place of drawn ones.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    tensors: BTreeMap<Place, (Role, Arc<[f32]>)>,
}

/// Block, key and number of the role.
type Place = (usize, u32, u8);

impl Model {
    /// Reads a model. `resolution` is for models that leave rows and columns open.
    ///
    /// # Errors
    /// [`OnnxError`] names the node and the operator that are not understood, or the part of the file that is damaged.
    pub fn read(bytes: &[u8], name: &str, resolution: Option<usize>, cut: &Cut) -> Result<Self, OnnxError> {
        let file = file::File::read(bytes)?;
        let list = lower::lower(&file, resolution)?;
        cut::cut(list, name, cut)
    }

    /// The parameters of the file.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }
}

impl Weights {
    fn insert(&mut self, block: usize, key: u32, role: Role, tensor: Arc<[f32]>) {
        self.tensors.insert((block, key, role as u8), (role, tensor));
    }

    /// Block, key, role and numbers of every parameter, the blocks ascending; that of the head is the number of blocks.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u32, Role, &[f32])> {
        self.tensors.iter().map(|(&(block, key, _), (role, tensor))| (block, key, *role, &**tensor))
    }
}

impl Source for Weights {
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.tensors.get(&(block, key, role as u8)).map(|(_, tensor)| &**tensor)
    }
}
