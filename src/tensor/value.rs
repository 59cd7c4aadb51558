//! Values that are computed while they are read, and gradients that are masked while they are written.
//!
//! Batch normalisation with known statistics is `scale · z + shift`, a rectifier is `max(·, 0)`: neither is worth a
//! pass over memory. A node of the network is therefore held as a [`Value`], a stored tensor with such a prologue,
//! and its readers apply the prologue as they load. Backwards the same: the gradient with respect to the input of a
//! batch normalisation is `by_gradient · g + by_input · z + constant` ([`Gradient`]), and a gradient that passes
//! a rectifier is masked by the sign of its input where it is stored ([`Sink`]).

use super::sums::Sums;
use super::{View, ViewMut};
use core::ops::Range;

/// `scale · x + shift`, a pair of numbers per channel.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Factors, one a channel.
    pub scale: &'a [f32],
    /// Summands, one a channel.
    pub shift: &'a [f32],
}

/// A node's value as its readers see it: `relu?(affine?(stored))`.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// What is in memory.
    pub stored: View<'a>,
    /// Applied first.
    pub affine: Option<Affine<'a>>,
    /// Whether a rectifier follows.
    pub rectified: bool,
}

impl Value<'_> {
    /// A value without elements, to fill unused places of a list.
    pub const EMPTY: Self = Self { stored: View::EMPTY, affine: None, rectified: false };
}

impl Affine<'_> {
    /// Of some of the channels.
    pub(crate) fn channels(&self, channels: Range<usize>) -> Self {
        Self { scale: &self.scale[channels.clone()], shift: &self.shift[channels] }
    }
}

/// The gradient with respect to a convolution's output `z`: either stored as it is, or that of a batch
/// normalisation that follows, in terms of the gradient `g` with respect to *its* output.
#[derive(Clone, Copy, Debug)]
pub struct Gradient<'a> {
    /// `g`
    pub stored: View<'a>,
    /// If a batch normalisation stands between: `by_gradient · g + by_input · z + constant`.
    pub normalised: Option<Normalised<'a>>,
}

impl Gradient<'_> {
    /// A gradient without elements, to fill unused places of a list.
    pub const EMPTY: Self = Self { stored: View::EMPTY, normalised: None };
}

/// The backward pass of batch normalisation as a map of `g` and `z`, coefficients per channel.
#[derive(Clone, Copy, Debug)]
pub struct Normalised<'a> {
    /// The input of the normalisation.
    pub input: View<'a>,
    /// Factors of `g`.
    pub by_gradient: &'a [f32],
    /// Factors of `z`.
    pub by_input: &'a [f32],
    /// Summands.
    pub constant: &'a [f32],
}

/// Where a gradient goes.
#[derive(Debug)]
pub struct Sink<'a> {
    /// The stored gradient.
    pub stored: ViewMut<'a>,
    /// Whether to add to what is there or to replace it.
    pub accumulate: bool,
    /// If a rectifier stands between: the gradient passes where this value (its input, before the
    /// rectifier) is positive, and is 0 elsewhere. `rectified` of the value is ignored.
    pub gate: Option<Value<'a>>,
    /// Only if `gate` is a batch normalisation: the sums for its backward pass, formed while the gradient is written.
    /// Requires that `accumulate` is false, and that every position is written once.
    pub sums: Option<Sums<'a>>,
}
