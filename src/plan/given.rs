//! Tensors of the caller have the sizes that the network needs.

use crate::Error;
use crate::graph::Block;
use crate::tensor::Source;

/// Refuses tensors of the caller that do not have the number of elements the network needs.
pub(crate) fn check_source(block: &Block, source: &dyn Source) -> Result<(), Error> {
    let index = block.index();
    let check = |given: Option<&[f32]>, needed: usize| match given {
        Some(given) if given.len() != needed => Err(Error::TensorLength { block: index, needed, given: given.len() }),
        _ => Ok(()),
    };
    if index == 0 {
        check(source.input(), block.shape(block.input())?.len())?;
    } else {
        check(source.direction(index), block.output_shape().len())?;
    }
    for node in block.nodes() {
        for parameter in block.parameters(node).as_slice() {
            check(source.parameter(index, node.key, parameter.role), parameter.len())?;
        }
    }
    Ok(())
}
