//! Tensors of the caller have the sizes that the network needs.

use crate::Error;
use crate::graph::Block;
use crate::tensor::{Shape, Source};

/// Refuses tensors of the caller that do not have the number of elements that a score needs.
pub(crate) fn check_source(block: &Block, source: &dyn Source) -> Result<(), Error> {
    let index = block.index();
    if index == 0 {
        check_batch(block.shape(block.input())?, source.input())?;
    } else {
        check(index, source.direction(index), block.output_shape().len())?;
    }
    check_parameters(block, source)
}

/// Refuses an input batch of the caller of another size.
pub(crate) fn check_batch(input: Shape, given: Option<&[f32]>) -> Result<(), Error> {
    check(0, given, input.len())
}

/// Refuses parameters of the caller of other sizes.
pub(crate) fn check_parameters(block: &Block, source: &dyn Source) -> Result<(), Error> {
    for node in block.nodes() {
        for parameter in block.parameters(node).as_slice() {
            check(block.index(), source.parameter(block.index(), node.key, parameter.role), parameter.len())?;
        }
    }
    Ok(())
}

fn check(block: usize, given: Option<&[f32]>, needed: usize) -> Result<(), Error> {
    match given {
        Some(given) if given.len() != needed => Err(Error::TensorLength { block, needed, given: given.len() }),
        _ => Ok(()),
    }
}
