//! The transforms of Winograd's F(4×4, 3×3) for one tile and one vector of channels.
//!
//! Interpolation at 0, ±5/8, ±3/2 and ∞ in each dimension. The points usual in the literature, 0, ±1, ±2 and ∞, need
//! as many operations with FMA but have more than twice the rounding error; these are exact in single precision.
#![allow(unsafe_code)]

use super::Simd;

/// Outputs of a tile along an axis, its inputs (and points), and its products.
pub(crate) const OUTPUTS: usize = 4;
pub(crate) const INPUTS: usize = 6;
pub(crate) const PRODUCTS: usize = INPUTS * INPUTS;

/// The points besides 0 and ∞ are ± these.
const A: f32 = 0.625;
const B: f32 = 1.5;

/// `d₄ − (a² + b²) d₂ + a² b² d₀`: the values at 0 and, one index higher, at ∞.
#[cfg_attr(not(feature = "small"), inline(always))]
fn outer<S: Simd>(simd: S, d0: S::F32, d2: S::F32, d4: S::F32) -> S::F32 {
    let sum = simd.mul_add(d0, simd.splat(A * A * B * B), d4);
    simd.mul_add(d2, simd.splat(-(A * A + B * B)), sum)
}

/// The values at `point` and `-point`: `d₄ − other² d₂ ± point (d₃ − other² d₁)`.
#[cfg_attr(not(feature = "small"), inline(always))]
fn pair<S: Simd>(simd: S, d: [S::F32; 4], point: f32, other: f32) -> [S::F32; 2] {
    let [d1, d2, d3, d4] = d;
    let even = simd.mul_add(d2, simd.splat(-other * other), d4);
    let odd = simd.mul_add(d1, simd.splat(-point * other * other), simd.mul(d3, simd.splat(point)));
    [simd.add(even, odd), simd.sub(even, odd)]
}

/// The values of six numbers at all points.
#[cfg_attr(not(feature = "small"), inline(always))]
fn evaluate<S: Simd>(simd: S, d: [S::F32; INPUTS]) -> [S::F32; INPUTS] {
    let [d0, d1, d2, d3, d4, d5] = d;
    let [plus_a, minus_a] = pair(simd, [d1, d2, d3, d4], A, B);
    let [plus_b, minus_b] = pair(simd, [d1, d2, d3, d4], B, A);
    [outer(simd, d0, d2, d4), plus_a, minus_a, plus_b, minus_b, outer(simd, d1, d3, d5)]
}

#[inline(always)]
fn add_scaled<S: Simd>(simd: S, a: S::F32, factor: f32, b: S::F32) -> S::F32 {
    simd.mul_add(b, simd.splat(factor), a)
}

/// Four outputs from the products at all points.
#[cfg_attr(not(feature = "small"), inline(always))]
fn interpolate<S: Simd>(simd: S, m: [S::F32; INPUTS]) -> [S::F32; OUTPUTS] {
    let [zero, plus_a, minus_a, plus_b, minus_b, infinity] = m;
    let (even_a, odd_a) = (simd.add(plus_a, minus_a), simd.sub(plus_a, minus_a));
    let (even_b, odd_b) = (simd.add(plus_b, minus_b), simd.sub(plus_b, minus_b));
    [
        simd.add(simd.add(zero, even_a), even_b),
        add_scaled(simd, simd.mul(odd_a, simd.splat(A)), B, odd_b),
        add_scaled(simd, simd.mul(even_a, simd.splat(A * A)), B * B, even_b),
        add_scaled(simd, add_scaled(simd, infinity, A * A * A, odd_a), B * B * B, odd_b),
    ]
}

/// Transforms the 6×6 inputs that start at `source[0]`, `steps` numbers apart vertically and horizontally, into 36
/// vectors of `out`, `plane` numbers apart.
#[inline(always)]
pub(crate) fn input<S: Simd>(simd: S, source: &[f32], steps: [usize; 2], out: &mut [f32], plane: usize) {
    assert!((INPUTS - 1) * (steps[0] + steps[1]) + S::LANES <= source.len());
    assert!(reach::<S>(plane) <= out.len());
    let zero = simd.splat(0.0);
    // Rows at 0 and ∞ first, then the other four: all 36 values at once would not fit 32 registers.
    let mut outermost = [[zero; INPUTS]; 2];
    for column in 0..INPUTS {
        let mut d = [zero; INPUTS];
        for (row, d) in d.iter_mut().enumerate() {
            // SAFETY: rows and columns are below 6; the vector of the last ones was checked to be inside.
            *d = unsafe { simd.load_ptr(source.as_ptr().add(row * steps[0] + column * steps[1])) };
        }
        outermost[0][column] = outer(simd, d[0], d[2], d[4]);
        outermost[1][column] = outer(simd, d[1], d[3], d[5]);
    }
    // SAFETY: 36 vectors `plane` apart were checked to be inside.
    unsafe {
        write_row(simd, evaluate(simd, outermost[0]), out, plane, 0);
        write_row(simd, evaluate(simd, outermost[1]), out, plane, 5);
    }
    let mut inner = [[zero; INPUTS]; 4];
    for column in 0..INPUTS {
        let mut d = [zero; 4];
        for (row, d) in d.iter_mut().enumerate() {
            // SAFETY: as above; the rows are 1 to 4.
            *d = unsafe { simd.load_ptr(source.as_ptr().add((row + 1) * steps[0] + column * steps[1])) };
        }
        [inner[0][column], inner[1][column]] = pair(simd, d, A, B);
        [inner[2][column], inner[3][column]] = pair(simd, d, B, A);
    }
    for (row, values) in inner.into_iter().enumerate() {
        // SAFETY: as above.
        unsafe { write_row(simd, evaluate(simd, values), out, plane, row + 1) };
    }
}

/// Numbers from the first of 36 vectors `plane` apart to behind the last.
#[inline(always)]
fn reach<S: Simd>(plane: usize) -> usize {
    plane.saturating_mul(PRODUCTS - 1).saturating_add(S::LANES)
}

/// Writes row `row` of 6×6 vectors.
///
/// # Safety
/// `out` holds at least [`reach`] numbers, and `row` is below 6.
#[cfg_attr(not(feature = "small"), inline(always))]
unsafe fn write_row<S: Simd>(simd: S, values: [S::F32; INPUTS], out: &mut [f32], plane: usize, row: usize) {
    for (column, value) in values.into_iter().enumerate() {
        // SAFETY: the caller's promise; the column is below 6.
        unsafe { simd.store_ptr(value, out.as_mut_ptr().add((row * INPUTS + column) * plane)) };
    }
}

/// Writes the 4×4 outputs of 36 consecutive vectors, plus `bias`, from `out[0]` on, `steps` numbers apart vertically
/// and horizontally.
#[inline(always)]
pub(crate) fn output<S: Simd>(simd: S, products: &[f32], bias: S::F32, out: &mut [f32], steps: [usize; 2]) {
    assert!((OUTPUTS - 1) * (steps[0] + steps[1]) + S::LANES <= out.len());
    let products = &products[..PRODUCTS * S::LANES];
    let zero = simd.splat(0.0);
    let mut rows = [[zero; INPUTS]; OUTPUTS];
    for column in 0..INPUTS {
        let mut m = [zero; INPUTS];
        for (row, m) in m.iter_mut().enumerate() {
            *m = simd.load(&products[(row * INPUTS + column) * S::LANES..]);
        }
        let [first, second, third, fourth] = interpolate(simd, m);
        [rows[0][column], rows[1][column], rows[2][column], rows[3][column]] = [first, second, third, fourth];
    }
    for (row, m) in rows.into_iter().enumerate() {
        for (column, value) in interpolate(simd, m).into_iter().enumerate() {
            // SAFETY: row and column are below 4; the vector of the last ones was checked to be inside.
            unsafe {
                simd.store_ptr(simd.add(bias, value), out.as_mut_ptr().add(row * steps[0] + column * steps[1]));
            }
        }
    }
}

/// The products of `P` tiles with `V` vectors of weights at one pair of points, summed over `channels`.
///
/// Tiles lie as [`input`] writes them, 36 vectors each, and start with the vector of the pair; vectors of further
/// channels follow `step` numbers on. `weights` holds `V` vectors a channel.
#[inline(always)]
pub(crate) fn products<S: Simd, const P: usize, const V: usize>(
    simd: S,
    inputs: &[f32],
    step: usize,
    channels: usize,
    weights: &[f32],
) -> [[S::F32; V]; P] {
    let mut sums = [[simd.splat(0.0); V]; P];
    let weights = &weights[..channels * V * S::LANES];
    let mut weight = weights.as_ptr();
    for first in (0..channels).step_by(S::LANES) {
        let inputs = &inputs[first / S::LANES * step..][..(P - 1) * PRODUCTS * S::LANES + S::LANES];
        for lane in 0..S::LANES.min(channels - first) {
            let mut vectors = [simd.splat(0.0); V];
            for (index, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: the slice holds `V` vectors for each channel; this one has not been passed yet.
                *vector = unsafe { simd.load_ptr(weight.add(index * S::LANES)) };
            }
            for tile in 0..P {
                // SAFETY: `tile` is below `P` and `lane` below the lanes, for which the slice was cut.
                let number = simd.splat(unsafe { *inputs.as_ptr().add(tile * PRODUCTS * S::LANES + lane) });
                for index in 0..V {
                    sums[tile][index] = simd.mul_add(number, vectors[index], sums[tile][index]);
                }
            }
            // SAFETY: at most one past the slice.
            weight = unsafe { weight.add(V * S::LANES) };
        }
    }
    sums
}

/// Writes 3×3 kernels, a vector of them side by side, at all pairs of points: `G w Gᵀ`, 36 vectors `plane` numbers apart.
#[inline(always)]
pub(crate) fn weights<S: Simd>(simd: S, kernels: [[S::F32; 3]; 3], out: &mut [f32], plane: usize) {
    assert!(reach::<S>(plane) <= out.len());
    let zero = simd.splat(0.0);
    let mut rows = [[zero; INPUTS]; 3];
    for (row, kernels) in kernels.into_iter().enumerate() {
        rows[row] = evaluate_kernel(simd, kernels);
    }
    for column in 0..INPUTS {
        let of_column = evaluate_kernel(simd, [rows[0][column], rows[1][column], rows[2][column]]);
        for (row, value) in of_column.into_iter().enumerate() {
            // SAFETY: row and column are below 6; the vector of the last ones was checked to be inside.
            unsafe { simd.store_ptr(value, out.as_mut_ptr().add((row * INPUTS + column) * plane)) };
        }
    }
}

/// One over the product of a point's distances from the other ones, but ∞.
const ZERO: f32 = 1.0 / (A * A * B * B);
const AT_A: f32 = 1.0 / (2.0 * A * A * (A * A - B * B));
const AT_B: f32 = 1.0 / (2.0 * B * B * (B * B - A * A));

/// Three weights at all points, each divided by the product of its point's distances from the other ones.
#[cfg_attr(not(feature = "small"), inline(always))]
fn evaluate_kernel<S: Simd>(simd: S, [w0, w1, w2]: [S::F32; 3]) -> [S::F32; INPUTS] {
    let mut values = [w2; INPUTS];
    values[0] = simd.mul(w0, simd.splat(ZERO));
    for (index, point, scale) in [(1, A, AT_A), (3, B, AT_B)] {
        let even = simd.mul_add(w2, simd.splat(scale * point * point), simd.mul(w0, simd.splat(scale)));
        let odd = simd.mul(w1, simd.splat(scale * point));
        values[index] = simd.add(even, odd);
        values[index + 1] = simd.sub(even, odd);
    }
    values
}

/// Transforms the 4×4 gradients that start at `source[0]`, `steps` numbers apart vertically and horizontally, into 36 vectors of
/// `out`, `plane` numbers apart: what [`output`] does, transposed.
#[cfg(feature = "gradients")]
#[inline(always)]
pub(crate) fn gradient<S: Simd>(simd: S, source: &[f32], steps: [usize; 2], out: &mut [f32], plane: usize) {
    assert!((OUTPUTS - 1) * (steps[0] + steps[1]) + S::LANES <= source.len());
    assert!(reach::<S>(plane) <= out.len());
    let zero = simd.splat(0.0);
    let mut rows = [[zero; OUTPUTS]; INPUTS];
    for column in 0..OUTPUTS {
        let mut g = [zero; OUTPUTS];
        for (row, g) in g.iter_mut().enumerate() {
            // SAFETY: rows and columns are below 4; the vector of the last ones was checked to be inside.
            *g = unsafe { simd.load_ptr(source.as_ptr().add(row * steps[0] + column * steps[1])) };
        }
        for (row, value) in evaluate_gradient(simd, g).into_iter().enumerate() {
            rows[row][column] = value;
        }
    }
    for (row, g) in rows.into_iter().enumerate() {
        // SAFETY: 36 vectors `plane` apart were checked to be inside.
        unsafe { write_row(simd, evaluate_gradient(simd, g), out, plane, row) };
    }
}

/// Four numbers as a polynomial at all points.
#[cfg(feature = "gradients")]
#[inline(always)]
fn evaluate_gradient<S: Simd>(simd: S, [g0, g1, g2, g3]: [S::F32; OUTPUTS]) -> [S::F32; INPUTS] {
    let mut values = [g0, g0, g0, g0, g0, g3];
    for (index, point) in [(1, A), (3, B)] {
        let square = simd.splat(point * point);
        let even = simd.mul_add(g2, square, g0);
        let odd = simd.mul(simd.mul_add(g3, square, g1), simd.splat(point));
        values[index] = simd.add(even, odd);
        values[index + 1] = simd.sub(even, odd);
    }
    values
}

/// The gradients of 3×3 weights, row after row, of 36 vectors of sums over tiles, `plane` numbers apart: what [`weights`] does,
/// transposed.
#[cfg(feature = "gradients")]
#[inline(always)]
pub(crate) fn weights_gradient<S: Simd>(simd: S, sums: &[f32], plane: usize) -> [[S::F32; 3]; 3] {
    assert!(reach::<S>(plane) <= sums.len());
    let zero = simd.splat(0.0);
    let mut rows = [[zero; INPUTS]; 3];
    for column in 0..INPUTS {
        let mut m = [zero; INPUTS];
        for (row, m) in m.iter_mut().enumerate() {
            // SAFETY: row and column are below 6; the vector of the last ones was checked to be inside.
            *m = unsafe { simd.load_ptr(sums.as_ptr().add((row * INPUTS + column) * plane)) };
        }
        let [first, second, third] = gather_kernel(simd, m);
        [rows[0][column], rows[1][column], rows[2][column]] = [first, second, third];
    }
    let mut weights = [[zero; 3]; 3];
    for (weights, m) in weights.iter_mut().zip(rows) {
        *weights = gather_kernel(simd, m);
    }
    weights
}

/// [`evaluate_kernel`], transposed.
#[cfg(feature = "gradients")]
#[inline(always)]
fn gather_kernel<S: Simd>(simd: S, m: [S::F32; INPUTS]) -> [S::F32; 3] {
    let mut weights = [simd.mul(m[0], simd.splat(ZERO)), simd.splat(0.0), m[5]];
    for (index, point, scale) in [(1, A, AT_A), (3, B, AT_B)] {
        let even = simd.add(m[index], m[index + 1]);
        let odd = simd.sub(m[index], m[index + 1]);
        weights[0] = simd.mul_add(even, simd.splat(scale), weights[0]);
        weights[1] = simd.mul_add(odd, simd.splat(scale * point), weights[1]);
        weights[2] = simd.mul_add(even, simd.splat(scale * point * point), weights[2]);
    }
    weights
}
