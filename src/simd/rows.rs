//! One vector of channels over many rows: maps and sums whose bounds are checked once.
#![allow(unsafe_code)]

use super::Simd;

/// Rows to read, `pitch` numbers apart; of each, the first vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) pitch: usize,
}

/// Panics unless the first vector of each of `count` rows lies inside `len` numbers.
#[inline(always)]
fn check<S: Simd>(_: S, len: usize, pitch: usize, count: usize) {
    assert!(count == 0 || (count - 1) * pitch + S::LANES <= len);
}

/// `out = f(inputs, out)` for `count` rows. A `f` that ignores its second argument does not read `out`.
#[inline(always)]
pub(crate) fn map<S: Simd, const N: usize>(
    simd: S,
    count: usize,
    inputs: [Rows<'_>; N],
    out: &mut [f32],
    pitch: usize,
    f: impl Fn([S::F32; N], S::F32) -> S::F32,
) {
    check(simd, out.len(), pitch, count);
    for input in inputs {
        check(simd, input.data.len(), input.pitch, count);
    }
    let mut values = [simd.splat(0.0); N];
    for row in 0..count {
        for (value, input) in values.iter_mut().zip(&inputs) {
            // SAFETY: the row is below `count`, for which the slice was checked.
            *value = unsafe { simd.load_ptr(input.data.as_ptr().add(row * input.pitch)) };
        }
        // SAFETY: the row is below `count`, for which the slice was checked.
        unsafe {
            let out = out.as_mut_ptr().add(row * pitch);
            simd.store_ptr(f(values, simd.load_ptr(out)), out);
        }
    }
}

/// Independent sums, to hide the latency of an addition.
pub(crate) const CHAINS: usize = 4;

/// The sums of the differences of `count` rows from `origin`, and of their squares.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn deviations<S: Simd>(simd: S, count: usize, rows: Rows<'_>, origin: S::F32) -> [S::F32; 2] {
    check(simd, rows.data.len(), rows.pitch, count);
    let mut sums = [simd.splat(0.0); CHAINS];
    let mut squares = sums;
    let whole = count - count % CHAINS;
    for row in (0..whole).step_by(CHAINS) {
        for chain in 0..CHAINS {
            // SAFETY: the row is below `count`, for which the slice was checked.
            let value = unsafe { simd.load_ptr(rows.data.as_ptr().add((row + chain) * rows.pitch)) };
            let difference = simd.sub(value, origin);
            sums[chain] = simd.add(sums[chain], difference);
            squares[chain] = simd.mul_add(difference, difference, squares[chain]);
        }
    }
    for row in whole..count {
        // SAFETY: as above.
        let value = unsafe { simd.load_ptr(rows.data.as_ptr().add(row * rows.pitch)) };
        let difference = simd.sub(value, origin);
        sums[0] = simd.add(sums[0], difference);
        squares[0] = simd.mul_add(difference, difference, squares[0]);
    }
    [sums, squares].map(|x| simd.add(simd.add(x[0], x[1]), simd.add(x[2], x[3])))
}
