//! Draws the random tensors of a block, or takes the caller's in their place.

use super::{Runner, buffer};
use crate::base::rng::{Key, Stream};
use crate::graph::{Distribution, NodeId};
use crate::mem::Loans;
use crate::ops::conv2d::Conv2d;
use crate::ops::operation::Parameter;
#[cfg(feature = "gradients")]
use crate::options::sweep::Input;
use crate::plan::Region;
use crate::tensor::Role;
use crate::tensor::random::{fill_normal, fill_signs, fill_uniform};

impl Runner<'_> {
    pub(super) fn draw_input(&self, loans: &mut Loans<'_>) {
        let input = loans.write(self.slot(Region::Input(0)));
        #[cfg(feature = "gradients")]
        match self.setting.input {
            Input::Batch(number) => self.draw_batch(number, input),
            Input::Ones => input.fill(1.0),
            Input::Shifted { by } => {
                let other = loans.write(self.slot(buffer(self.plan.mixed_input)));
                self.draw_batch(0, input);
                self.draw_batch(1, other);
                input.iter_mut().zip(other).for_each(|(x, &mut y)| *x += by * y);
            }
        }
        #[cfg(not(feature = "gradients"))]
        self.draw_batch(0, input);
    }

    /// The input batch of a number.
    fn draw_batch(&self, number: u32, out: &mut [f32]) {
        match self.source.batch(number) {
            Some(given) => out.copy_from_slice(given),
            None => fill_normal(self.options.backend, Key::new(self.options.seed, Stream::Input, 0, number), 1.0, out),
        }
    }

    pub(super) fn draw_direction(&self, loans: &mut Loans<'_>) {
        let direction = loans.write(self.slot(buffer(self.plan.statistics.direction)));
        let block = self.block.index();
        match self.source.direction(block) {
            Some(given) => direction.copy_from_slice(given),
            None => {
                let key = Key::new(self.options.seed, Stream::Direction, block as u32, 0);
                fill_signs(self.options.backend, key, direction);
            }
        }
    }

    /// The weights of a convolution as its kernel wants them, forwards (0) or backwards (1).
    pub(super) fn packed<'a, 'w: 'a>(
        &'a self,
        leader: NodeId,
        convolution: &Conv2d,
        pass: usize,
        loans: &mut Loans<'w>,
    ) -> &'a [f32] {
        #[cfg(feature = "alloc")]
        if let Some(packed) = self.kept_packed(leader, pass) {
            return packed;
        }
        let drawn = &self.parameters(leader, loans)[..convolution.geometry().weights()];
        let packed = loans.write(self.slot(buffer(self.plan.nodes[leader.index()].packed[pass])));
        match pass {
            0 => convolution.pack_forward(drawn, packed),
            _ => convolution.pack_vjp(drawn, packed),
        }
        packed
    }

    /// The parameters of a node, or of every convolution of a group.
    pub(super) fn draw_weights(&self, leader: NodeId, loans: &mut Loans<'_>) {
        let mut rest = loans.write(self.slot(buffer(self.plan.nodes[leader.index()].weights)));
        for member in self.plan.members(leader) {
            let node = &self.block.nodes()[member.index()];
            for parameter in self.block.parameters(node).as_slice() {
                if self.holds(node, parameter.role) {
                    let (own, others) = rest.split_at_mut(parameter.len());
                    self.draw(member, parameter, own);
                    #[cfg(feature = "gradients")]
                    self.change(member, parameter.role, own, loans);
                    rest = others;
                }
            }
        }
    }

    fn draw(&self, id: NodeId, parameter: &Parameter, out: &mut [f32]) {
        let (block, node) = (self.block.index(), &self.block.nodes()[id.index()]);
        let Parameter { role, rows, row_len, area } = *parameter;
        if let Some(given) = self.source.parameter(block, node.key, role) {
            out.copy_from_slice(given);
            return;
        }
        let seed = self.options.seed ^ node.draw.map_or(0, |draw| draw.salt);
        let key = Key::new(seed, Stream::Weight, block as u32, node.key);
        match node.draw {
            Some(draw) => {
                let stride = if role == Role::Weight { (rows / draw.interleave).max(1) } else { rows };
                for (row, out) in out.chunks_exact_mut(row_len.max(1)).enumerate() {
                    let row = row % stride * draw.interleave + row / stride;
                    self.fill(key.part(role as u64).part(row as u64), draw.distribution, out);
                }
            }
            None if role == Role::Weight => {
                let distribution = self.options.initialisation.distribution(row_len as f64, (rows * area) as f64);
                self.fill(key, distribution, out);
            }
            None => self.fill(key.part(role as u64), Distribution::Normal { deviation: 0.02 }, out),
        }
    }

    fn fill(&self, key: Key, distribution: Distribution, out: &mut [f32]) {
        match distribution {
            Distribution::Normal { deviation } => fill_normal(self.options.backend, key, deviation, out),
            Distribution::Uniform { half_width } => fill_uniform(self.options.backend, key, half_width, out),
        }
    }
}
