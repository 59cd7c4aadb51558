//! Sizes of a convolution, checked once.

use crate::Error;
use crate::tensor::Shape;

/// A two-dimensional convolution (in fact a cross-correlation, as everywhere in the field) with zero padding.
///
/// Pairs are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    input: Shape,
    output: Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Geometry {
    /// A convolution of `input` to `output_channels`, channels divided evenly among `groups`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a size is 0, channels are not multiples of `groups`, or the padded map is smaller than
    /// the dilated kernel; [`Error::Overflow`] if a tensor, or a padded image, does not fit the address space.
    pub fn new(
        input: Shape,
        output_channels: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    ) -> Result<Self, Error> {
        let input = Shape::new(input.batch, input.height, input.width, input.channels)?;
        if input.is_empty() {
            return Err(Error::Invalid { field: "inputs", expected: "without a zero in their shape" });
        }
        for (field, sizes) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            if sizes.contains(&0) {
                return Err(Error::Invalid { field, expected: "at least 1" });
            }
        }
        if input.channels.checked_rem(groups) != Some(0) {
            return Err(Error::Invalid { field: "groups", expected: "a divisor of the input's channels" });
        }
        if output_channels == 0 || !output_channels.is_multiple_of(groups) {
            return Err(Error::Invalid { field: "channels", expected: "a positive multiple of the groups" });
        }
        let overflow = Error::Overflow { quantity: "the size of a convolution" };
        let axis = |axis: usize, size: usize| {
            let padded = padding[axis].checked_mul(2).and_then(|p| p.checked_add(size)).ok_or(overflow)?;
            let extent =
                (kernel[axis] - 1).checked_mul(dilation[axis]).and_then(|e| e.checked_add(1)).ok_or(overflow)?;
            match padded.checked_sub(extent) {
                // Either pass reads a map padded by no more than this.
                Some(rest) => Ok((rest / stride[axis] + 1, padded.checked_mul(3).ok_or(overflow)?)),
                None => Err(Error::Invalid { field: "kernel", expected: "no larger than the padded map" }),
            }
        };
        let (height, padded_height) = axis(0, input.height)?;
        let (width, padded_width) = axis(1, input.width)?;
        let output = Shape::new(input.batch, height, width, output_channels)?;
        let inputs = input.channels / groups;
        let all_channels =
            input.channels.checked_add(output_channels).and_then(|c| c.checked_mul(16)).ok_or(overflow)?;
        Shape::new(1, padded_height, padded_width, all_channels)?;
        Shape::new(all_channels, inputs.max(output_channels / groups), kernel[0], kernel[1])?;
        let per_output = Shape::new(1, inputs, kernel[0], kernel[1])?.len();
        (output.len() as u64).checked_mul(per_output as u64).ok_or(overflow)?;
        Ok(Self { input, output, kernel, stride, padding, dilation, groups })
    }

    /// The input's shape.
    pub const fn input(&self) -> Shape {
        self.input
    }

    /// The output's shape.
    pub const fn output(&self) -> Shape {
        self.output
    }

    /// Rows and columns of the kernel.
    pub const fn kernel(&self) -> [usize; 2] {
        self.kernel
    }

    /// Input positions from one output to the next.
    pub const fn stride(&self) -> [usize; 2] {
        self.stride
    }

    /// Zeros before the first and after the last input position.
    pub const fn padding(&self) -> [usize; 2] {
        self.padding
    }

    /// Input positions from one tap of the kernel to the next.
    pub const fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// Groups of channels that do not see each other.
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// Numbers in the weights `[output channels, input channels / groups, kernel rows, kernel columns]`.
    pub const fn weights(&self) -> usize {
        self.output.channels * self.weights_per_output()
    }

    /// Multiply-adds of the forward pass, those with padding included.
    pub const fn macs(&self) -> u64 {
        self.output.len() as u64 * self.weights_per_output() as u64
    }

    const fn weights_per_output(&self) -> usize {
        self.input.channels / self.groups * self.kernel[0] * self.kernel[1]
    }
}
