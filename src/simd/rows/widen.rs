//! Single precision added to totals of double precision.

use crate::simd::{MAX_LANES, Simd};

/// Single precision, aligned so that its halves can be read right after a whole vector was written.
#[repr(align(64))]
struct Lanes([f32; MAX_LANES]);

/// `totals = f(totals, numbers)` in double precision, for a vector of each of `numbers` and as many numbers of each of
/// `totals`; numbers behind the end of the totals do not count.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(crate) fn widen<S: Simd, const A: usize, const T: usize>(
    simd: S,
    numbers: [S::F32; A],
    mut totals: [&mut [f64]; T],
    f: impl Fn([S::F64; A], [S::F64; T]) -> [S::F64; T],
) {
    let mut lanes = [const { Lanes([0.0; MAX_LANES]) }; A];
    for (lanes, number) in lanes.iter_mut().zip(numbers) {
        simd.store(number, &mut lanes.0);
    }
    for first in (0..S::LANES).step_by(S::LANES_F64) {
        let mut wide = [simd.splat_f64(0.0); A];
        for (wide, lanes) in wide.iter_mut().zip(&lanes) {
            *wide = simd.load_widened(&lanes.0[first..]);
        }
        let mut padded = [[0.0; 8]; T];
        let mut sums = [simd.splat_f64(0.0); T];
        for ((sum, padded), total) in sums.iter_mut().zip(&mut padded).zip(&totals) {
            let total = total.get(first..).unwrap_or_default();
            *sum = if total.len() >= S::LANES_F64 {
                simd.load_f64(total)
            } else {
                padded[..total.len()].copy_from_slice(total);
                simd.load_f64(padded)
            };
        }
        sums = f(wide, sums);
        for ((sum, padded), total) in sums.into_iter().zip(&mut padded).zip(&mut totals) {
            let total = total.get_mut(first..).unwrap_or_default();
            if total.len() >= S::LANES_F64 {
                simd.store_f64(sum, total);
            } else {
                simd.store_f64(sum, padded);
                total.copy_from_slice(&padded[..total.len()]);
            }
        }
    }
}
