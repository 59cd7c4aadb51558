//! The inner loops of a convolution: a tile of outputs that stays in registers over all taps.
//!
//! Offsets are checked once a tile; inside it there is nothing but loads and multiply-adds.
#![allow(unsafe_code)]

use super::Simd;
#[cfg(feature = "gradients")]
use super::rows::{self, Rows};

/// Where a tile's outputs find their operands: runs of consecutive source numbers on a regular grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taps {
    /// Vertical and horizontal number of runs.
    pub(crate) counts: [usize; 2],
    /// Numbers from one run to the next, vertically and horizontally.
    pub(crate) steps: [usize; 2],
    /// Numbers in a run.
    pub(crate) length: usize,
}

impl Taps {
    /// Operands of an output.
    pub(crate) const fn operands(&self) -> usize {
        self.counts[0] * self.counts[1] * self.length
    }

    /// The same operands in the same order, horizontal runs that continue each other joined into one.
    pub(crate) fn joined(mut self) -> Self {
        if self.steps[1] == self.length {
            self.length *= self.counts[1];
            self.counts[1] = 1;
        }
        self
    }

    /// Numbers from the first operand to behind the last.
    const fn extent(&self) -> usize {
        if self.operands() == 0 {
            return 0;
        }
        (self.counts[0] - 1) * self.steps[0] + (self.counts[1] - 1) * self.steps[1] + self.length
    }
}

/// Pointers to the numbers at `offsets`, each with `extent` readable numbers.
#[inline(always)]
fn pointers<const P: usize>(source: &[f32], offsets: [usize; P], extent: usize) -> [*const f32; P] {
    let mut pointers = [source.as_ptr(); P];
    for pixel in 0..P {
        assert!(offsets[pixel] <= source.len() && extent <= source.len() - offsets[pixel]);
        // SAFETY: the offset lies inside the slice or at its end.
        pointers[pixel] = unsafe { pointers[pixel].add(offsets[pixel]) };
    }
    pointers
}

/// `P` pixels × `V` vectors of channels: each source number times a vector of weights for its output channels, by
/// `multiply_add`, which is given a source number in all lanes, weights and the sum so far.
///
/// `weights` holds `V` vectors for each operand, in the order of the runs.
#[inline(always)]
pub(crate) fn dense<S: Simd, const P: usize, const V: usize>(
    simd: S,
    source: &[f32],
    offsets: [usize; P],
    taps: &Taps,
    weights: &[f32],
    initial: [S::F32; V],
    multiply_add: impl Fn(S::F32, S::F32, S::F32) -> S::F32,
) -> [[S::F32; V]; P] {
    let sources = pointers(source, offsets, taps.extent());
    assert!(weights.len() >= taps.operands() * V * S::LANES);
    let mut weight = weights.as_ptr();
    let mut sums = [initial; P];
    for row in 0..taps.counts[0] {
        for column in 0..taps.counts[1] {
            let start = row * taps.steps[0] + column * taps.steps[1];
            // Where every product is rounded too, runs are summed apart: shorter chains err less.
            let before = sums;
            if !S::FUSED {
                sums = [[simd.splat(0.0); V]; P];
            }
            for offset in start..start + taps.length {
                let mut vectors = [simd.splat(0.0); V];
                for (index, vector) in vectors.iter_mut().enumerate() {
                    // SAFETY: `operands · V` vectors of weights were checked above, this one is among them.
                    *vector = unsafe { simd.load_ptr(weight.add(index * S::LANES)) };
                }
                for pixel in 0..P {
                    // SAFETY: `offset` is below the extent checked for every pixel.
                    let number = simd.splat(unsafe { *sources[pixel].add(offset) });
                    for index in 0..V {
                        sums[pixel][index] = multiply_add(number, vectors[index], sums[pixel][index]);
                    }
                }
                // SAFETY: at most one past the weights checked above.
                weight = unsafe { weight.add(V * S::LANES) };
            }
            if !S::FUSED {
                for pixel in 0..P {
                    for index in 0..V {
                        sums[pixel][index] = simd.add(before[pixel][index], sums[pixel][index]);
                    }
                }
            }
        }
    }
    sums
}

/// `P` pixels × one vector of channels, each channel by itself: source vectors times weight vectors.
///
/// Runs are one vector long; `weights` holds one vector for each.
#[inline(always)]
pub(crate) fn depthwise<S: Simd, const P: usize>(
    simd: S,
    source: &[f32],
    offsets: [usize; P],
    taps: &Taps,
    weights: &[f32],
    initial: S::F32,
) -> [S::F32; P] {
    assert!(taps.length == S::LANES);
    let sources = pointers(source, offsets, taps.extent());
    assert!(weights.len() >= taps.operands());
    let mut weight = weights.as_ptr();
    let mut sums = [initial; P];
    for row in 0..taps.counts[0] {
        for column in 0..taps.counts[1] {
            let offset = row * taps.steps[0] + column * taps.steps[1];
            // SAFETY: one vector of weights a run was checked above.
            let vector = unsafe { simd.load_ptr(weight) };
            for pixel in 0..P {
                // SAFETY: the extent checked for every pixel ends with the last run's vector.
                let numbers = unsafe { simd.load_ptr(sources[pixel].add(offset)) };
                sums[pixel] = simd.mul_add(numbers, vector, sums[pixel]);
            }
            // SAFETY: at most one past the weights checked above.
            weight = unsafe { weight.add(S::LANES) };
        }
    }
    sums
}

/// [`depthwise`] of `P` pixels of a row that are `STRIDE` positions apart, where the `K` horizontal taps are one position
/// apart: what neighbouring pixels share is read once. `N` is the number of positions of a row that they read. `offset` is
/// that of the first pixel. The same bits.
#[inline(always)]
pub(crate) fn depthwise_row<S: Simd, const P: usize, const K: usize, const STRIDE: usize, const N: usize>(
    simd: S,
    source: &[f32],
    offset: usize,
    taps: &Taps,
    weights: &[f32],
    initial: S::F32,
) -> [S::F32; P] {
    const { assert!(N == (P - 1) * STRIDE + K) };
    assert!(taps.length == S::LANES && taps.counts[1] == K);
    let [mut source] = pointers(source, [offset], Taps { counts: [taps.counts[0], N], ..*taps }.extent());
    assert!(weights.len() >= taps.operands());
    let mut weight = weights.as_ptr();
    let mut sums = [initial; P];
    for _ in 0..taps.counts[0] {
        let mut numbers = [simd.splat(0.0); N];
        for (position, numbers) in numbers.iter_mut().enumerate() {
            // SAFETY: the extent checked above ends with the last position of the last row.
            *numbers = unsafe { simd.load_ptr(source.add(position * taps.steps[1])) };
        }
        for tap in 0..K {
            // SAFETY: one vector of weights a tap was checked above.
            let factor = unsafe { simd.load_ptr(weight.add(tap * S::LANES)) };
            for pixel in 0..P {
                sums[pixel] = simd.mul_add(numbers[pixel * STRIDE + tap], factor, sums[pixel]);
            }
        }
        weight = weight.wrapping_add(K * S::LANES);
        source = source.wrapping_add(taps.steps[0]);
    }
    sums
}

/// For `K` taps, `tap_step` numbers of the input apart, the sum over `count` positions of gradient times input, each channel of
/// a vector by itself: added to `K` vectors of `sums`, `pitch` numbers apart. Every `CHAINS`-th position is summed apart.
#[cfg(feature = "gradients")]
#[inline(always)]
pub(crate) fn depthwise_weights<S: Simd, const K: usize, const CHAINS: usize>(
    simd: S,
    count: usize,
    gradient: Rows<'_>,
    input: Rows<'_>,
    tap_step: usize,
    sums: &mut [f32],
    pitch: usize,
) {
    if count == 0 {
        return;
    }
    let reach = |rows: Rows<'_>| (count - 1).saturating_mul(rows.pitch).saturating_add(S::LANES);
    assert!(reach(gradient) <= gradient.data.len());
    assert!(reach(input).saturating_add((K - 1).saturating_mul(tap_step)) <= input.data.len());
    let mut chains = [[simd.splat(0.0); K]; CHAINS];
    rows::for_each_row::<CHAINS>(
        count,
        #[inline(always)]
        |position, chain| {
            // SAFETY: the position is below `count`, for which the slices were checked.
            unsafe {
                let gradient = simd.load_ptr(gradient.data.as_ptr().add(position * gradient.pitch));
                let input = input.data.as_ptr().add(position * input.pitch);
                for tap in 0..K {
                    let input = simd.load_ptr(input.add(tap * tap_step));
                    chains[chain][tap] = simd.mul_add(input, gradient, chains[chain][tap]);
                }
            }
        },
    );
    for tap in 0..K {
        let sums = &mut sums[tap * pitch..];
        let mut sum = simd.load(sums);
        for chain in &chains {
            sum = simd.add(sum, chain[tap]);
        }
        simd.store(sum, sums);
    }
}
