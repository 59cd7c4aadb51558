//! What a block says of a convolution.

use super::Geometry;
use crate::Error;
use crate::ops::operation::{Parameter, Parameters};
use crate::tensor::{Role, Shape};

/// A two-dimensional convolution (cross-correlation, as in every framework).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Output channels.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs, in rows and columns.
    pub stride: [usize; 2],
    /// Zeros around the input, on each side.
    pub padding: [usize; 2],
    /// Step between kernel elements.
    pub dilation: [usize; 2],
    /// Groups the channels are split into; equal to the channels for a depthwise convolution.
    pub groups: usize,
    /// Whether a bias per output channel is added.
    pub bias: bool,
}

impl Convolution {
    /// A square kernel of odd size with padding that keeps the size at stride 1, without bias.
    pub const fn same(channels: usize, kernel: usize, stride: usize) -> Self {
        Self {
            channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [kernel / 2; 2],
            dilation: [1; 2],
            groups: 1,
            bias: false,
        }
    }

    /// The sizes of the convolution of a map of shape `input`.
    pub fn geometry(&self, input: Shape) -> Result<Geometry, Error> {
        Geometry::new(input, self.channels, self.kernel, self.stride, self.padding, self.dilation, self.groups)
    }

    /// The same with one group per channel; `channels` must be those of the input.
    pub const fn depthwise(channels: usize, kernel: usize, stride: usize) -> Self {
        Self { groups: channels, ..Self::same(channels, kernel, stride) }
    }

    /// Its parameters on a map of shape `input`: weights, and a bias if it has one.
    pub(crate) fn parameters(&self, input: Shape) -> Parameters {
        let area = self.kernel[0] * self.kernel[1];
        let weight =
            Parameter { area, ..Parameter::new(Role::Weight, self.channels, input.channels / self.groups * area) };
        Parameter::list(core::iter::once(weight).chain(self.bias.then_some(Parameter::new(
            Role::Bias,
            1,
            self.channels,
        ))))
    }
}
