//! How a tensor of a model lies in a map of `aznas`.
//!
//! Models move axes about (`Reshape`, `Transpose`, `Squeeze`, `Gather`) where nothing is computed. Such a tensor stays a *view* of the
//! map that was computed: each of its axes is a row-major product of parts of the map's four axes. What an operator needs of
//! its argument (channels in one axis, positions in another) is then asked of the view, however the exporter came there.

/// An axis of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Batch,
    Row,
    Column,
    Channel,
}

/// Part of an axis: every `stride`-th place, `size` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) axis: Axis,
    pub(super) size: usize,
    pub(super) stride: usize,
}

/// The axes of a tensor, each a product of parts, the last fastest; an axis of size 1 has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    axes: Vec<Vec<Part>>,
    /// The first channel.
    pub(super) channel: usize,
}

impl View {
    /// The axes of a computed map, batch × channels × rows × columns.
    pub(super) fn of_map([batch, channels, rows, columns]: [usize; 4]) -> Self {
        let sizes = [(Axis::Batch, batch), (Axis::Channel, channels), (Axis::Row, rows), (Axis::Column, columns)];
        Self { axes: sizes.into_iter().map(|(axis, size)| whole(axis, size)).collect(), channel: 0 }
    }

    /// The sizes of the axes.
    pub(super) fn dims(&self) -> Vec<usize> {
        self.axes.iter().map(|parts| product(parts)).collect()
    }

    /// The parts of one axis.
    pub(super) fn axis(&self, index: usize) -> &[Part] {
        &self.axes[index]
    }

    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    /// The axes in another order.
    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut seen = vec![false; self.rank()];
        order.iter().for_each(|&axis| {
            if let Some(seen) = seen.get_mut(axis) {
                *seen = true;
            }
        });
        if order.len() != self.rank() || seen.contains(&false) {
            return None;
        }
        Some(Self { axes: order.iter().map(|&axis| self.axes[axis].clone()).collect(), ..*self })
    }

    /// The same elements in row-major order with other axes; `None` if an axis would have to be cut between its parts.
    pub(super) fn reshaped(&self, dims: &[usize]) -> Option<Self> {
        let mut rest: Vec<Part> = self.axes.concat();
        rest.reverse();
        let mut axes = Vec::with_capacity(dims.len());
        for &dim in dims {
            let mut parts = Vec::new();
            let mut needed = dim;
            while needed > 1 {
                let part = rest.pop()?;
                if needed.is_multiple_of(part.size) {
                    needed /= part.size;
                    parts.push(part);
                } else if part.size.is_multiple_of(needed) {
                    // The slower places go here, the faster ones to what follows.
                    let inner = part.size / needed;
                    parts.push(Part { size: needed, stride: part.stride * inner, ..part });
                    rest.push(Part { size: inner, ..part });
                    needed = 1;
                } else {
                    return None;
                }
            }
            axes.push(joined(parts));
        }
        rest.is_empty().then_some(Self { axes, ..*self })
    }

    /// Place `index` of an axis, which goes; only channels are told apart.
    pub(super) fn picked(&self, axis: usize, index: usize) -> Option<Self> {
        let mut view = self.sliced(axis, index, 1)?;
        view.axes.remove(axis);
        Some(view)
    }

    /// Places `start ..` of an axis; only channels are told apart.
    pub(super) fn sliced(&self, axis: usize, start: usize, len: usize) -> Option<Self> {
        let size = product(&self.axes[axis]);
        if start == 0 && len == size {
            return Some(self.clone());
        }
        let &[part] = self.axes[axis].as_slice() else { return None };
        if part.axis != Axis::Channel || start + len > size || len == 0 {
            return None;
        }
        let mut view = self.clone();
        view.channel += start * part.stride;
        view.axes[axis] = if len == 1 { Vec::new() } else { vec![Part { size: len, ..part }] };
        Some(view)
    }

    /// The parts of the channels in the order in which they are met.
    pub(super) fn channels_in_order(&self) -> Vec<Part> {
        joined(self.axes.concat().into_iter().filter(|part| part.axis == Axis::Channel).collect())
    }

    /// The same axes over a map whose channels are those of this view in the order in which they are met.
    pub(super) fn with_channels_in_order(&self) -> Option<Self> {
        let mut stride: usize = self.channels_in_order().iter().map(|part| part.size).product();
        let mut view = Self { channel: 0, ..self.clone() };
        for part in view.axes.iter_mut().flatten().filter(|part| part.axis == Axis::Channel) {
            stride /= part.size;
            part.stride = stride;
        }
        view.axes = view.axes.into_iter().map(joined).collect();
        Some(view)
    }

    /// Whether an axis is all channels and nothing else is.
    pub(super) fn has_channels_at(&self, index: usize) -> bool {
        let only = |(axis, parts): (usize, &Vec<Part>)| {
            parts.iter().all(|part| (part.axis == Axis::Channel) == (axis == index))
        };
        self.axes.iter().enumerate().all(only) && self.axes[index].len() <= 1
    }

    /// Whether the axes are those of a map: batch × channels × rows × columns.
    pub(super) fn is_map(&self) -> bool {
        let of = |index: usize, axis: Axis| {
            matches!(self.axes[index].as_slice(), [] | [_])
                && self.axes[index].iter().all(|p| p.axis == axis && p.stride == 1)
        };
        self.rank() == 4 && of(0, Axis::Batch) && of(1, Axis::Channel) && of(2, Axis::Row) && of(3, Axis::Column)
    }

    /// Whether the axes are those of a map but for the order of its channels.
    pub(super) fn is_map_of_shuffled_channels(&self) -> bool {
        self.rank() == 4
            && self.axes[1].len() > 1
            && self.axes[1].iter().all(|part| part.axis == Axis::Channel)
            && self.with_channels(1, 1).is_map()
    }

    /// Whether an axis is channels × rows × columns, all of an image.
    pub(super) fn is_image_at(&self, index: usize) -> bool {
        let order = [Axis::Channel, Axis::Row, Axis::Column];
        let mut places = self.axes[index].iter().map(|part| order.iter().position(|axis| *axis == part.axis));
        let mut last = None;
        places.all(|place| {
            let later = place.is_some() && place > last;
            last = place;
            later
        }) && self.axes[index].iter().all(|part| part.stride == 1)
    }

    /// Whether the axes are those of another view but for the channels, which are at `channels` in both.
    pub(super) fn is_like(&self, other: &Self, channels: usize) -> bool {
        self.rank() == other.rank()
            && (0..self.rank()).all(|axis| axis == channels || self.axes[axis] == other.axes[axis])
    }

    /// The same axes with so many channels, all at one axis.
    pub(super) fn with_channels(&self, channels: usize, index: usize) -> Self {
        let mut view = self.clone();
        view.axes[index] = whole(Axis::Channel, channels);
        view
    }

    /// The same axes where one, which has a single part, has another size.
    pub(super) fn resized(&self, index: usize, size: usize) -> Self {
        let mut view = self.clone();
        view.axes[index].iter_mut().for_each(|part| part.size = size);
        view.axes[index].retain(|part| part.size > 1);
        view
    }

    /// The view of one place of an axis, which goes.
    pub(super) fn without(&self, axis: usize) -> Self {
        let mut view = self.clone();
        view.axes.remove(axis);
        view
    }
}

/// All of an axis.
fn whole(axis: Axis, size: usize) -> Vec<Part> {
    if size == 1 { Vec::new() } else { vec![Part { axis, size, stride: 1 }] }
}

pub(super) fn product(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.size).product()
}

/// Neighbours that are one part of an axis are made one.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut result: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match result.last_mut() {
            Some(last) if last.axis == part.axis && last.stride == part.stride * part.size => {
                *last = Part { size: last.size * part.size, ..part };
            }
            _ => result.push(part),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(size: usize, stride: usize) -> Part {
        Part { axis: Axis::Channel, size, stride }
    }

    #[test]
    fn a_shuffle_is_a_product_of_channels_in_another_order() {
        let map = View::of_map([2, 12, 5, 7]);
        let shuffled = map.reshaped(&[2, 3, 4, 5, 7]).unwrap().transposed(&[0, 2, 1, 3, 4]).unwrap();
        let back = shuffled.reshaped(&[2, 12, 5, 7]).unwrap();
        assert_eq!(back.axis(1), [channels(4, 1), channels(3, 4)]);
        let again = back.reshaped(&[2, 4, 3, 5, 7]).unwrap().transposed(&[0, 2, 1, 3, 4]).unwrap();
        assert_eq!(again.reshaped(&[2, 12, 5, 7]).unwrap(), map);
    }

    #[test]
    fn channels_last_and_back_is_nothing() {
        let map = View::of_map([2, 6, 4, 5]);
        let last = map.transposed(&[0, 2, 3, 1]).unwrap();
        assert_eq!(last.dims(), [2, 4, 5, 6]);
        assert_eq!(last.transposed(&[0, 3, 1, 2]).unwrap(), map);
        assert!(map.is_map() && !last.is_map() && last.has_channels_at(3));
        assert_eq!(map.channels_in_order(), [channels(6, 1)]);
    }

    #[test]
    fn heads_are_found_behind_any_moves() {
        // Queries, keys and values of 2 heads of 4 channels, for 2 images of 5 tokens.
        let tokens = View::of_map([2, 24, 5, 1]).transposed(&[0, 2, 1, 3]).unwrap().reshaped(&[2, 5, 24]).unwrap();
        let three = tokens.reshaped(&[2, 5, 3, 8]).unwrap().transposed(&[2, 0, 1, 3]).unwrap();
        let keys = three.picked(0, 1).unwrap().reshaped(&[2, 5, 2, 4]).unwrap().transposed(&[0, 2, 1, 3]).unwrap();
        assert_eq!((keys.channel, keys.dims()), (8, vec![2, 2, 5, 4]));
        assert_eq!(keys.axis(1), [channels(2, 4)]);
        assert_eq!(keys.axis(3), [channels(4, 1)]);
    }

    #[test]
    fn what_does_not_divide_is_refused() {
        let map = View::of_map([2, 6, 4, 5]);
        assert_eq!(map.reshaped(&[2, 4, 6, 5]).map(|view| view.dims()), None);
        assert_eq!(map.reshaped(&[2, 6, 4]), None);
        assert_eq!(map.sliced(2, 1, 2), None);
        assert_eq!(map.sliced(1, 2, 3).unwrap().channel, 2);
        assert_eq!(map.transposed(&[0, 1, 1, 3]), None);
    }
}
