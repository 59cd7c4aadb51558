//! Two-dimensional convolution and its vector–Jacobian product with respect to the input, channels last.
//!
//! Both directions are one computation, see `pass`: a correlation of a zero-padded map with some taps. It runs in
//! bands that fit the second-level cache: the rows a band reads are loaded through their prologue (batch
//! normalisation, rectifier) into a padded map; register tiles of pixels × output channels run over all taps; and
//! what follows the convolution (moments for a batch normalisation; the gate of a rectifier, accumulation) is done while
//! the band's result is hot.

mod bands;
mod blocks;
mod convolution;
mod depthwise;
mod direct;
mod geometry;
mod grid;
mod number;
mod pass;
#[cfg(test)]
mod tests;
#[cfg(feature = "gradients")]
mod weights;
mod window;
mod winograd;

pub use convolution::Convolution;
pub use geometry::Geometry;

use super::moments::Moments;
use crate::simd::Backend;
use crate::tensor::{Gradient, Sink, Value, ViewMut};
use bands::{Band, Bands, Target};
use grid::Source;
use pass::Pass;
#[cfg(feature = "gradients")]
use weights::Weights;

/// How products are summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Every product is computed; the error is that of a dot product in single precision.
    Direct,
    /// Winograd's F(4×4, 3×3) where it applies (kernel 3×3, stride 1, dilation 1, one group, more than two input channels,
    /// maps that fill half of their 4×4 tiles), direct elsewhere. About twice the error, a third of the time. An output whose
    /// inputs are all 0 is exactly 0, or its bias.
    #[default]
    Winograd,
    /// As `Winograd`, but convolutions that it leaves direct round both factors to bfloat16 (eight bits) before they multiply
    /// them, and sum in single precision: twice as fast where arithmetic is the limit. Convolutions of an odd number of
    /// channels and depthwise ones stay as they are, and so does everything without [`Backend::has_bfloat16`].
    Bfloat16,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Direct, Self::Winograd, Self::Bfloat16];

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Winograd => "winograd",
            Self::Bfloat16 => "bfloat16",
        }
    }
}

/// A convolution on a back end.
///
/// Weights are packed once for each direction and used many times. A merged group of convolutions that read one
/// value is one convolution whose output channels are those of its members side by side.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Conv2d {
    backend: Backend,
    geometry: Geometry,
    algorithm: Algorithm,
}

impl Conv2d {
    /// A convolution of checked sizes.
    pub const fn new(backend: Backend, geometry: Geometry, algorithm: Algorithm) -> Self {
        Self { backend, geometry, algorithm }
    }

    /// The sizes.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How products are summed.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Numbers in the weights packed for [`forward`](Self::forward).
    pub fn packed_forward_len(&self) -> usize {
        self.forward_bands().packed_len(self.backend)
    }

    /// Numbers in the weights packed for [`vjp`](Self::vjp).
    pub fn packed_vjp_len(&self) -> usize {
        self.backward_bands().packed_len(self.backend)
    }

    /// Packs weights `[output channels, input channels / groups, kernel rows, kernel columns]` for
    /// [`forward`](Self::forward), into [`packed_forward_len`](Self::packed_forward_len) numbers.
    pub fn pack_forward(&self, weights: &[f32], packed: &mut [f32]) {
        self.forward_bands().pack(self.backend, weights, packed);
    }

    /// Packs weights `[output channels, input channels / groups, kernel rows, kernel columns]` for
    /// [`vjp`](Self::vjp), into [`packed_vjp_len`](Self::packed_vjp_len) numbers.
    pub fn pack_vjp(&self, weights: &[f32], packed: &mut [f32]) {
        self.backward_bands().pack(self.backend, weights, packed);
    }

    /// Numbers of scratch that either direction needs.
    pub fn scratch_len(&self) -> usize {
        let backward = self.backward_bands();
        let backward = backward.scratch_len(self.backend) + backward.result_len();
        self.forward_bands().scratch_len(self.backend).max(backward)
    }

    /// `output = convolution(input) + bias`.
    ///
    /// `packed` comes from [`pack_forward`](Self::pack_forward), `scratch` has [`scratch_len`](Self::scratch_len)
    /// numbers, `bias` one number an output channel. The output's previous content does not matter, and numbers between
    /// its channels and its next position are not touched. Every output position is added to `moments`.
    pub fn forward(
        &self,
        input: &Value<'_>,
        packed: &[f32],
        scratch: &mut [f32],
        output: ViewMut<'_>,
        bias: Option<&[f32]>,
        moments: Option<&mut Moments<'_>>,
    ) {
        let plain = (input.affine.is_none() && !input.rectified).then_some(input.stored);
        let target = Target::Output { view: output, moments };
        let sources = core::slice::from_ref(input);
        self.forward_bands().run(self.backend, sources, plain, packed, bias, scratch, target, |_, _, _| ());
    }

    /// The vector–Jacobian product: the gradient with respect to the input, from that with respect to the output.
    ///
    /// The channels of `gradients` are concatenated in order; together they are the output channels. `packed` comes from
    /// [`pack_vjp`](Self::pack_vjp), `scratch` has [`scratch_len`](Self::scratch_len) numbers. If the input was rectified,
    /// the gate of `sink` makes the result the gradient before the rectifier.
    pub fn vjp(&self, gradients: &[Gradient<'_>], packed: &[f32], scratch: &mut [f32], sink: Sink<'_>) {
        self.watched_vjp(gradients, packed, scratch, sink, |_, _, _| ());
    }

    /// The same; `watch` sees what is read of the gradient, band by band.
    fn watched_vjp(
        &self,
        gradients: &[Gradient<'_>],
        packed: &[f32],
        scratch: &mut [f32],
        sink: Sink<'_>,
        watch: impl FnMut(&Band, Option<&Band>, Source<'_>),
    ) {
        let plain = match gradients {
            [only] if only.normalised.is_none() => Some(only.stored),
            _ => None,
        };
        let bands = self.backward_bands();
        let (results, scratch) = scratch.split_at_mut(bands.result_len());
        let target = match sink {
            Sink { stored, accumulate: false, gate: None, .. } => Target::Output { view: stored, moments: None },
            sink => Target::Gated { sink, results },
        };
        bands.run(self.backend, gradients, plain, packed, None, scratch, target, watch);
    }

    /// Numbers of scratch that [`weights_vjp`](Self::weights_vjp) needs.
    #[cfg(feature = "gradients")]
    pub fn weights_scratch_len(&self) -> usize {
        self.weights().scratch_len(self.backend)
    }

    /// The gradient with respect to the weights, from that with respect to the output.
    ///
    /// `input` is that of [`forward`](Self::forward), `gradients` are those of [`vjp`](Self::vjp), `scratch` has
    /// [`weights_scratch_len`](Self::weights_scratch_len) numbers. The result, `[output channels, input channels / groups, kernel
    /// rows, kernel columns]`, replaces what was in `weights`: of a merged group those of its members one after another.
    #[cfg(feature = "gradients")]
    pub fn weights_vjp(&self, input: &Value<'_>, gradients: &[Gradient<'_>], weights: &mut [f32], scratch: &mut [f32]) {
        let weights = &mut weights[..self.geometry.weights()];
        self.weights().run(self.backend, input, gradients, weights, scratch);
    }

    /// Numbers of scratch that [`both_vjp`](Self::both_vjp) needs; `None` where the two gradients are to be formed one after the
    /// other.
    #[cfg(feature = "gradients")]
    pub fn both_scratch_len(&self) -> Option<usize> {
        let len = self.weights().scratch_len_beside(self.backend, &self.backward_bands())?;
        Some(self.scratch_len() + len)
    }

    /// The gradients with respect to input and weights, as by [`vjp`](Self::vjp) and [`weights_vjp`](Self::weights_vjp) with the
    /// same bits, in one go: what a band reads of `gradients` is formed once. `scratch` has
    /// [`both_scratch_len`](Self::both_scratch_len) numbers.
    #[cfg(feature = "gradients")]
    pub fn both_vjp(
        &self,
        input: &Value<'_>,
        gradients: &[Gradient<'_>],
        packed: &[f32],
        weights: &mut [f32],
        scratch: &mut [f32],
        sink: Sink<'_>,
    ) {
        let weights = &mut weights[..self.geometry.weights()];
        let (of_vjp, scratch) = scratch.split_at_mut(self.scratch_len());
        self.weights().run_beside(self.backend, &self.backward_bands(), input, weights, scratch, |watch| {
            self.watched_vjp(gradients, packed, of_vjp, sink, watch);
        });
    }

    #[cfg(feature = "gradients")]
    fn weights(&self) -> Weights {
        Weights::new(&Pass::forward(&self.geometry), self.algorithm)
    }

    fn forward_bands(&self) -> Bands {
        Bands::new(self.backend, &Pass::forward(&self.geometry), self.algorithm)
    }

    fn backward_bands(&self) -> Bands {
        Bands::new(self.backend, &Pass::backward(&self.geometry), self.algorithm)
    }
}
