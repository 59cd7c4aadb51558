//! Plans of blocks, kept for blocks that are like them.

#[cfg(feature = "alloc")]
use super::Weights;
use super::{BlockPlan, Want};
use crate::Error;
use crate::base::SMALL;
use crate::graph::{Block, Op};
use crate::ops::conv2d::Algorithm;
use crate::options::{Entropy, Options, Sigma};
use crate::simd::Backend;
use crate::tensor::{Role, Shape, Source};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// Blocks that a plan is kept with. Small builds have no stack for them, and plan each block anew.
const COMPARED: usize = if SMALL { 0 } else { 1 };

/// Plans of blocks, and weights. A block like one that is kept, such as the next cell of a stage, has its plan: in one
/// network, between [preparing](crate::score::prepare) a score and running it, from repeat to repeat, and from one network
/// to the next.
///
/// Whatever was planned before, results are the same.
pub struct Plans {
    first: [Planned; 1],
    #[cfg(feature = "alloc")]
    others: Vec<Planned>,
    /// How many others may be kept.
    #[cfg(feature = "alloc")]
    most_others: usize,
    #[cfg(feature = "alloc")]
    weights: Weights,
    /// The number of the latest use.
    now: u64,
}

/// A block with its plan.
struct Planned {
    plan: BlockPlan,
    block: [Block; COMPARED],
    /// What it was planned under; nothing, if the plan is of nothing.
    terms: Option<Terms>,
    /// The number of the latest use.
    used: u64,
}

/// All that a plan depends on beside the block and what the caller gives.
#[derive(Clone, Copy, PartialEq)]
struct Terms {
    want: Want,
    backend: Backend,
    algorithm: Algorithm,
    sigma: Sigma,
    entropy: Entropy,
}

impl Default for Plans {
    fn default() -> Self {
        Self::new()
    }
}

impl Plans {
    /// Room for one plan: a block is planned but once if it follows its like.
    #[inline(always)] // else what is large lies on the stack twice
    pub fn new() -> Self {
        Self {
            first: [Planned::new()],
            #[cfg(feature = "alloc")]
            others: Vec::new(),
            #[cfg(feature = "alloc")]
            most_others: 0,
            #[cfg(feature = "alloc")]
            weights: Weights::NONE,
            now: 0,
        }
    }

    /// Room for so many plans, at least one; all but the first take 64 KiB of the heap each, once there are so many. Enough
    /// for all different blocks of a network, if each is to be planned but once; or for those that networks have in common.
    #[cfg(feature = "alloc")]
    pub fn of_most(most: usize) -> Self {
        Self { most_others: most.saturating_sub(1), ..Self::new() }
    }

    /// Memory of the heap for so many numbers of weights, which are then neither drawn nor packed again for networks that have
    /// them in common under one seed. Without so much memory, none are kept.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn with_weights(self, most: usize) -> Self {
        Self { weights: Weights::of_most(most), ..self }
    }

    /// The plan of what is wanted of a block by itself. Where biases of the caller are held, it is the same caller for all
    /// blocks.
    #[inline(always)] // nothing but a call where nothing is kept
    pub(crate) fn next(
        &mut self,
        block: &Block,
        options: &Options,
        want: Want,
        source: &dyn Source,
    ) -> Result<&BlockPlan, Error> {
        if SMALL {
            self.first[0].plan.renew(block, options, want, source)?;
            return Ok(&self.first[0].plan);
        }
        let place = self.planned(block, options, want, source)?;
        Ok(&self.at(place).plan)
    }

    /// [`next`](Self::next) with the weights that are kept, if any are to be.
    #[cfg(feature = "alloc")]
    pub(crate) fn next_with_weights(
        &mut self,
        block: &Block,
        options: &Options,
        want: Want,
        source: &dyn Source,
    ) -> Result<(&BlockPlan, Option<&mut Weights>), Error> {
        let place = self.planned(block, options, want, source)?;
        let kept = place.checked_sub(1).map_or(&self.first[0], |other| &self.others[other]);
        Ok((&kept.plan, Some(&mut self.weights).filter(|weights| weights.is_some())))
    }

    /// The place of the plan of a block.
    fn planned(&mut self, block: &Block, options: &Options, want: Want, source: &dyn Source) -> Result<usize, Error> {
        let Options { backend, algorithm, sigma, entropy, .. } = *options;
        let terms = Terms { want, backend, algorithm, sigma, entropy };
        self.now += 1;
        let now = self.now;
        let known = self.all().position(|kept| kept.is_for(block, terms, source));
        let place = match known {
            Some(place) => place,
            None => self.place()?,
        };
        let kept = self.at(place);
        kept.used = now;
        if known.is_none() {
            kept.terms = None;
            kept.plan.renew(block, options, want, source)?;
            kept.block.iter_mut().for_each(|kept| kept.become_like(block));
            kept.terms = Some(terms);
        }
        Ok(place)
    }

    /// What is kept, by place.
    fn all(&self) -> impl Iterator<Item = &Planned> {
        let all = self.first.iter();
        #[cfg(feature = "alloc")]
        let all = all.chain(&self.others);
        all
    }

    /// What is kept at a place.
    fn at(&mut self, place: usize) -> &mut Planned {
        #[cfg(feature = "alloc")]
        if place > 0 {
            return &mut self.others[place - 1];
        }
        &mut self.first[place]
    }

    /// The place for another plan: a new one, or that of the plan that was used longest ago.
    fn place(&mut self) -> Result<usize, Error> {
        #[cfg(feature = "alloc")]
        if self.first[0].terms.is_some() && self.others.len() < self.most_others {
            let more = self.most_others - self.others.len();
            let needed = more.saturating_mul(size_of::<Planned>());
            self.others.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { needed })?;
            self.others.push(Planned::new());
            return Ok(self.others.len());
        }
        Ok(self.all().enumerate().min_by_key(|(_, kept)| kept.used).map_or(0, |(place, _)| place))
    }
}

impl Planned {
    /// A plan of nothing.
    #[inline(always)] // else what is large lies on the stack twice
    fn new() -> Self {
        let block = core::array::from_fn(|_| Block::new(0, Shape::default()));
        Self { plan: BlockPlan::new(), block, terms: None, used: 0 }
    }

    /// Whether all that the plan depends on is the same for `block`: the terms, the nodes, whether there is a gradient with
    /// respect to the input, and which shifts of zeros the caller gives.
    fn is_for(&self, block: &Block, terms: Terms, source: &dyn Source) -> bool {
        let [planned] = &self.block[..] else { return false };
        let gives = |block: &Block, key, role| source.parameter(block.index(), key, role).is_some();
        let of_zeros = |x: usize| self.plan.nodes[x].zero;
        self.terms == Some(terms)
            && (planned.index() == 0) == (block.index() == 0)
            && planned.is_like(block)
            && block.nodes().iter().zip(&self.plan.nodes).all(|(node, plan)| match (node.op, node.inputs()) {
                (Op::BatchNorm(_), &[x]) if of_zeros(x.index()) && !terms.want.is_of_norms() => {
                    plan.zero != gives(block, node.key, Role::Shift)
                }
                #[cfg(feature = "gradients")]
                _ if self.plan.holds_biases() => {
                    gives(block, node.key, Role::Bias) == gives(planned, node.key, Role::Bias)
                }
                _ => true,
            })
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::graph::{Convolution, Network};
    use crate::mem::Memory;
    use crate::proxy::BlockScores;
    use crate::score::prepare;
    use crate::spaces::nb201::{Cell, CellNetwork, Skeleton};
    use crate::tensor::Random;
    use std::string::String;
    use std::{format, vec};

    /// Adds normalised zeros to what it reads, in every block.
    struct Zeros;

    impl Network for Zeros {
        fn block_count(&self) -> usize {
            4
        }

        fn describe(&self, index: usize, block: &mut Block) -> Result<(), Error> {
            let input = block.input();
            let x = match index {
                0 => input,
                _ => block.convolution(input, Convolution::same(3, 1, 1), 0)?,
            };
            let zero = block.zero(input)?;
            let shifted = block.batch_norm(zero, 1e-5, 1)?;
            let sum = block.add(&[x, shifted])?;
            block.set_output(sum)
        }
    }

    /// Gives shifts of normalisations in some blocks, and weights of convolutions in the others.
    struct Given(Vec<usize>);

    const WEIGHTS: [f32; 9] = [0.125; 9];

    impl Source for Given {
        fn parameter(&self, block: usize, _: u32, role: Role) -> Option<&[f32]> {
            match (role, self.0.contains(&block)) {
                (Role::Shift, true) => Some(&[1.0, -2.0, 3.0]),
                (Role::Weight, false) => Some(&WEIGHTS),
                _ => None,
            }
        }
    }

    fn cell(index: usize) -> CellNetwork {
        CellNetwork { cell: Cell::from_index(index).unwrap(), skeleton: Skeleton::new(4, 2, 10).unwrap() }
    }

    fn scores(plans: &mut Plans, network: &dyn Network, options: &Options, source: &dyn Source) -> String {
        let (mut blocks, mut memory) = (Vec::<BlockScores>::new(), Memory::new());
        let mut prepared = prepare(network, options, source, plans).unwrap();
        let mut workspace = memory.workspace(prepared.workspace_size()).unwrap();
        prepared.score(&mut workspace, |block| blocks.push(*block)).unwrap();
        // As text, since what is not measured is NaN.
        format!("{blocks:?}")
    }

    #[test]
    fn what_was_planned_before_changes_nothing() {
        let options = Options { batch: 2, height: 8, width: 8, repeats: 2, ..Options::default() };
        let mut cases = vec![options];
        cases.push(Options { sigma: Sigma::HalfSplit, ..options });
        cases.push(Options { entropy: Entropy::HalfSplit, ..options });
        cases.push(Options { algorithm: Algorithm::Direct, ..options });
        cases.push(Options { backend: Backend::Scalar, ..options });
        cases.push(Options { height: 12, ..options });
        for (most, weights) in [(0, 0), (1, 1 << 20), (2, 1 << 14), (5, 1 << 12), (20, 1 << 20)] {
            let mut plans = Plans::of_most(most).with_weights(weights);
            for index in [15624, 0, 7812, 3125, 15624, 9876] {
                for options in &cases {
                    let network = cell(index);
                    let expected = scores(&mut Plans::new(), &network, options, &Random);
                    assert_eq!(scores(&mut plans, &network, options, &Random), expected, "{most} plans, cell {index}");
                }
                assert!(plans.all().count() <= most.max(1));
            }
            // They were indeed taken from there.
            assert_eq!(plans.weights.kept() > 0, weights > 0, "{weights}");
        }
    }

    #[test]
    fn what_callers_gave_before_changes_nothing() {
        let options = Options { batch: 2, height: 4, width: 4, ..Options::default() };
        let sources = [vec![], vec![0], vec![2], vec![1, 3], vec![0, 1, 2, 3]].map(Given);
        let mut plans = Plans::of_most(3).with_weights(1 << 16);
        for first in &sources {
            for second in &sources {
                for source in [first, second] {
                    let expected = scores(&mut Plans::new(), &Zeros, &options, source);
                    assert_eq!(scores(&mut plans, &Zeros, &options, source), expected, "{:?}", source.0);
                }
            }
        }
    }
}
