//! What the tests of loading and storing share: the cases, and rows with gaps.

use crate::simd::Backend;
use std::vec::Vec;

const CHANNELS: [usize; 13] = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 83];
pub(super) const POSITIONS: usize = 7;
pub(super) const FIRST: usize = 2;
pub(super) const COUNT: usize = 4;
/// One rounding, of a fused or unfused multiply-add, of numbers below 4.
const TOLERANCE: f32 = 1e-6;

pub(super) fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + seed * 101) % 64) as f32 / 16.0 - 2.03125).collect()
}

pub(super) fn assert_rows(got: &[f32], pitch: usize, channels: usize, expected: impl Fn(usize, usize) -> f32) {
    for (index, &x) in got.iter().enumerate() {
        let (position, channel) = (index / pitch, index % pitch);
        if channel < channels && position < COUNT {
            let expected = expected(FIRST + position, channel);
            assert!((x - expected).abs() <= TOLERANCE, "{position}, {channel}: {x} is not {expected}");
        } else {
            assert!(x.is_nan(), "{position}, {channel}: written beyond the channels");
        }
    }
}

/// Every back end, number of channels, and pitches of the two sides.
pub(super) fn cases() -> impl Iterator<Item = (Backend, usize, usize, usize)> {
    Backend::available().flat_map(|backend| {
        CHANNELS.into_iter().flat_map(move |channels| {
            [(0, 0), (0, 3), (5, 0), (16, 2)].map(|(one, other)| (backend, channels, channels + one, channels + other))
        })
    })
}
