//! Borrowed channels-last tensors: a row of channels for each position, rows `pitch` numbers apart.
//!
//! A pitch larger than the channels makes a view a slice of channels of a wider tensor.

use super::Shape;
use core::ops::Range;

/// A tensor to read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The numbers, starting with the first channel of the first position.
    pub data: &'a [f32],
    /// The shape.
    pub shape: Shape,
    /// Numbers from one position to the next; at least `shape.channels`.
    pub pitch: usize,
}

/// A tensor to write.
#[derive(Debug)]
pub struct ViewMut<'a> {
    /// The numbers, starting with the first channel of the first position.
    pub data: &'a mut [f32],
    /// The shape.
    pub shape: Shape,
    /// Numbers from one position to the next; at least `shape.channels`.
    pub pitch: usize,
}

impl<'a> View<'a> {
    /// A tensor without elements.
    pub const EMPTY: Self = Self { data: &[], shape: Shape { batch: 0, height: 0, width: 0, channels: 0 }, pitch: 0 };

    /// A tensor that fills `data` without gaps.
    pub fn dense(data: &'a [f32], shape: Shape) -> Self {
        Self { data: &data[..shape.len()], shape, pitch: shape.channels }
    }

    /// Whether there are no gaps between the positions.
    #[inline(always)]
    pub fn is_dense(&self) -> bool {
        self.pitch == self.shape.channels
    }

    /// Some of the channels.
    #[inline(always)]
    pub fn channels(&self, channels: Range<usize>) -> Self {
        // Without positions there may be nothing to skip.
        let data = self.data.get(channels.start..).unwrap_or_default();
        Self { data, shape: Shape { channels: channels.len(), ..self.shape }, pitch: self.pitch }
    }

    /// The channels of one position.
    #[inline(always)]
    pub fn row(&self, position: usize) -> &'a [f32] {
        &self.data[position * self.pitch..][..self.shape.channels]
    }
}

impl<'a> ViewMut<'a> {
    /// A tensor that fills `data` without gaps.
    pub fn dense(data: &'a mut [f32], shape: Shape) -> Self {
        Self { data: &mut data[..shape.len()], shape, pitch: shape.channels }
    }

    /// The channels of one position.
    #[inline(always)]
    pub fn row(&mut self, position: usize) -> &mut [f32] {
        &mut self.data[position * self.pitch..][..self.shape.channels]
    }

    /// The same tensor, to read.
    pub fn as_view(&self) -> View<'_> {
        View { data: self.data, shape: self.shape, pitch: self.pitch }
    }

    /// Some of the channels, for a shorter time.
    pub fn channels(&mut self, channels: Range<usize>) -> ViewMut<'_> {
        let data = self.data.get_mut(channels.start..).unwrap_or_default();
        ViewMut { data, shape: Shape { channels: channels.len(), ..self.shape }, pitch: self.pitch }
    }

    /// The same tensor for a shorter time.
    pub fn reborrow(&mut self) -> ViewMut<'_> {
        ViewMut { data: self.data, shape: self.shape, pitch: self.pitch }
    }
}
