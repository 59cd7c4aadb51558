//! One description for both directions of a convolution.
//!
//! Along an axis, the forward pass computes `out[j] = Σᵢ wᵢ · in[start + j · stride + i · tap_step]`. The
//! vector–Jacobian product of a convolution of stride s has the same form for each of the s residues of the input
//! position: the taps that reach positions `residue + s · j` are every (s / gcd)-th, and they read the
//! output's gradient at consecutive steps. A pass is therefore a product of *phases* of the two axes, one
//! phase forwards and as many as the stride backwards (of a map smaller than the stride, one a position), each a plain
//! correlation on a zero-padded map.
//!
//! What is planned of a pass is known in closed form, so that planning takes the same time whatever the stride.

use super::Geometry;
use core::ops::Range;

/// One residue class of output positions of an axis, and the taps that reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    /// The class: outputs `first_output + j · output_step`.
    pub(super) first_output: usize,
    pub(super) output_step: usize,
    /// Source position of the first tap of output `j = 0`; negative inside the padding.
    start: isize,
    /// Source positions from one `j` to the next.
    pub(super) stride: usize,
    /// Taps, and source positions from one to the next.
    pub(super) taps: usize,
    pub(super) tap_step: usize,
    /// Index in the kernel of the first tap, and from one tap to the next.
    first_kernel: usize,
    kernel_step: isize,
}

impl Phase {
    /// Outputs of the class among the first `extent` positions.
    pub(super) fn outputs(&self, extent: usize) -> usize {
        extent.saturating_sub(self.first_output).div_ceil(self.output_step)
    }

    /// Source position of the first tap of the first output of the class at or behind `first`, a multiple of the
    /// output step.
    pub(super) fn source(&self, first: usize) -> isize {
        self.start + (first / self.output_step * self.stride) as isize
    }

    /// Index in the kernel of a tap.
    pub(super) fn kernel_index(&self, tap: usize) -> usize {
        self.first_kernel.wrapping_add_signed(self.kernel_step * tap as isize)
    }
}

#[cfg(test)]
std::thread_local! {
    /// Phases that were looked at.
    pub(super) static PHASES: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// One axis of a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Positions of the source and of the output.
    pub(super) sources: usize,
    pub(super) outputs: usize,
    /// Phases that have outputs: 1 forwards, backwards as many as the stride or the outputs, whichever is less.
    pub(super) phases: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    backward: bool,
}

impl Axis {
    /// Whether the pass moves one position at a time, with so many neighbouring taps.
    pub(super) fn slides(&self, taps: usize) -> bool {
        self.stride == 1 && self.dilation == 1 && self.kernel == taps
    }

    /// The phase of a number, found in as many steps as the kernel has taps.
    pub(super) fn phase(&self, index: usize) -> Phase {
        #[cfg(test)]
        PHASES.set(PHASES.get() + 1);
        if !self.backward {
            return Phase {
                first_output: 0,
                output_step: 1,
                start: -(self.padding as isize),
                stride: self.stride,
                taps: self.kernel,
                tap_step: self.dilation,
                first_kernel: 0,
                kernel_step: 1,
            };
        }
        // Input position p = index + stride · j meets tap k at output (p + padding − k · dilation) / stride.
        let reach = |tap: usize| (index + self.padding) as isize - (tap * self.dilation) as isize;
        let divisor = greatest_common_divisor(self.stride, self.dilation);
        let kernel_step = self.stride / divisor;
        let tap_step = self.dilation / divisor;
        let nearest = (0..self.kernel.min(kernel_step)).find(|&tap| reach(tap) % self.stride as isize == 0);
        let (taps, first_kernel, start) = match nearest {
            None => (0, 0, 0),
            Some(nearest) => {
                let farther = (self.kernel - 1 - nearest) / kernel_step;
                let start = reach(nearest) / self.stride as isize - (farther * tap_step) as isize;
                (farther + 1, nearest + farther * kernel_step, start)
            }
        };
        Phase {
            first_output: index,
            output_step: self.stride,
            start,
            stride: 1,
            taps,
            tap_step,
            first_kernel,
            kernel_step: -(kernel_step as isize),
        }
    }

    /// The source positions that outputs `first .. first + count` read, padding included, from the first to the last.
    /// `first` is a multiple of the number of phases.
    ///
    /// Backwards with a dilated kernel, a map smaller than the stride may need less.
    pub(super) fn window(&self, first: usize, count: usize) -> Range<isize> {
        let Some(last) = count.checked_sub(1).map(|more| first + more) else { return 0..0 };
        let reach = ((self.kernel - 1) * self.dilation) as isize;
        let [first, last, stride, padding] = [first, last, self.stride, self.padding].map(|n| n as isize);
        let (start, end) = if self.backward {
            // The output p of tap k comes from the source (p + padding − k · dilation) / stride, where that is whole.
            let farthest = first + padding - reach;
            (-(-farthest).div_euclid(stride), (last + padding).div_euclid(stride) + 1)
        } else {
            (first * stride - padding, last * stride - padding + reach + 1)
        };
        if start < end { start..end } else { 0..0 }
    }

    /// Whether no output reads the padding.
    pub(super) fn stays_inside(&self) -> bool {
        let window = self.window(0, self.outputs);
        window.start >= 0 && window.end <= self.sources as isize
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A convolution in one direction, as a correlation of a source map with the taps of each phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) batch: usize,
    /// Vertical and horizontal.
    pub(super) axes: [Axis; 2],
    pub(super) groups: usize,
    /// Channels of one group of the source and of the output.
    pub(super) source_channels: usize,
    pub(super) output_channels: usize,
    backward: bool,
}

impl Pass {
    pub(super) fn forward(geometry: &Geometry) -> Self {
        Self::new(geometry, false)
    }

    pub(super) fn backward(geometry: &Geometry) -> Self {
        Self::new(geometry, true)
    }

    fn new(geometry: &Geometry, backward: bool) -> Self {
        let (input, output) = (geometry.input(), geometry.output());
        let pointwise = geometry.kernel() == [1, 1] && geometry.stride() == [1, 1] && geometry.padding() == [0, 0];
        // Positions of a pointwise convolution are independent: one tall map.
        let (batch, inputs, outputs) = if pointwise {
            (1, [input.positions(), 1], [input.positions(), 1])
        } else {
            (input.batch, [input.height, input.width], [output.height, output.width])
        };
        let axes = [0, 1].map(|axis| {
            let padding = geometry.padding()[axis];
            // A step across the whole padded map is as good as any longer one.
            let stride = geometry.stride()[axis].min(inputs[axis] + 2 * padding);
            let (sources, outputs) =
                if backward { (outputs[axis], inputs[axis]) } else { (inputs[axis], outputs[axis]) };
            Axis {
                sources,
                outputs,
                phases: if backward { stride.min(outputs) } else { 1 },
                kernel: geometry.kernel()[axis],
                stride,
                padding,
                dilation: geometry.dilation()[axis],
                backward,
            }
        });
        let (inputs, outputs) = (input.channels / geometry.groups(), output.channels / geometry.groups());
        let (source_channels, output_channels) = if backward { (outputs, inputs) } else { (inputs, outputs) };
        Self { batch, axes, groups: geometry.groups(), source_channels, output_channels, backward }
    }

    /// Whether each channel is convolved by itself.
    pub(super) fn is_depthwise(&self) -> bool {
        self.source_channels == 1 && self.output_channels == 1 && self.groups > 1
    }

    /// Channels of the source, all groups.
    pub(super) fn all_source_channels(&self) -> usize {
        self.groups * self.source_channels
    }

    /// Channels of the output, all groups.
    pub(super) fn all_output_channels(&self) -> usize {
        self.groups * self.output_channels
    }

    /// The phases, vertical outside.
    pub(super) fn phases(&self) -> impl Iterator<Item = [Phase; 2]> + use<> {
        let [vertical, horizontal] = self.axes;
        (0..vertical.phases).flat_map(move |row| {
            (0..horizontal.phases).map(move |column| [vertical.phase(row), horizontal.phase(column)])
        })
    }

    /// Where the weights `[output channels, input channels / groups, kernel rows, kernel columns]` hold the kernels of a
    /// group: the index of that from the first source channel *of the pass* to its first output channel, and the steps to
    /// those of the next source and of the next output channel.
    pub(super) fn kernels(&self, group: usize) -> (usize, [usize; 2]) {
        let kernel = self.taps();
        let start = group * self.source_channels * self.output_channels * kernel;
        let steps = if self.backward {
            [self.output_channels * kernel, kernel]
        } else {
            [kernel, self.source_channels * kernel]
        };
        (start, steps)
    }

    /// Taps of a kernel; each belongs to at most one pair of phases.
    pub(super) fn taps(&self) -> usize {
        self.axes[0].kernel * self.axes[1].kernel
    }

    /// Index of a tap in a kernel.
    pub(super) fn tap(&self, phases: &[Phase; 2], taps: [usize; 2]) -> usize {
        phases[0].kernel_index(taps[0]) * self.axes[1].kernel + phases[1].kernel_index(taps[1])
    }
}
