//! Which parameters a measurement counts.

use super::Subject;
use crate::Error;
use crate::graph::{Block, Network, Walk};
use crate::proxy::Flags;
use crate::tensor::Role;

/// How many numbers of parameters count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// In the network, the head too; the most there can be, if they are more.
    pub(super) all: usize,
    /// The most that any block has.
    pub(super) largest_block: usize,
}

impl Counted {
    fn add(&mut self, block: &Block, counts: fn(Role) -> bool) {
        let of_node = |node| {
            let parameters = block.parameters(node);
            parameters.as_slice().iter().filter(|parameter| counts(parameter.role)).map(|p| p.len()).sum::<usize>()
        };
        let own = block.nodes().iter().map(of_node).fold(0, usize::saturating_add);
        self.all = self.all.saturating_add(own);
        self.largest_block = self.largest_block.max(own);
    }
}

/// The weights of convolutions and linear maps.
pub(super) fn is_weight(role: Role) -> bool {
    role == Role::Weight
}

impl<N: Network + ?Sized> Subject<'_, N> {
    /// How many numbers of parameters count.
    pub(super) fn counted(&self, counts: fn(Role) -> bool) -> Result<Counted, Error> {
        let mut walk = Walk::new(self.network, self.options.batch, self.options.height, self.options.width)?;
        let mut counted = Counted::default();
        while let Some(block) = walk.next_block()? {
            counted.add(block, counts);
        }
        counted.add(walk.head()?, counts);
        Ok(counted)
    }

    /// What a proxy is that is made of the gradients with respect to the parameters that count: undefined, if the network
    /// has none of these.
    pub(super) fn made_of(&self, counts: fn(Role) -> bool, value: f64) -> Result<(f64, Flags), Error> {
        let has_none = self.counted(counts)?.all == 0;
        Ok(if has_none { (f64::NAN, Flags::NO_PARAMETERS) } else { (value, Flags::default()) })
    }
}
