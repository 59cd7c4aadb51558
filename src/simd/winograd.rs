//! The transforms of Winograd's F(4×4, 3×3) for one tile and one vector of channels.
//!
//! Interpolation at 0, ±5/8, ±3/2 and ∞ in each dimension. The points usual in the literature, 0, ±1, ±2 and ∞, need
//! as many operations with FMA but have more than twice the rounding error; these are exact in single precision.
#![allow(unsafe_code)]

use super::Simd;

/// The points besides 0 and ∞ are ± these.
pub(crate) const POINTS: [f64; 2] = [0.625, 1.5];

/// Outputs of a tile along an axis, its inputs (and points), and its products.
pub(crate) const OUTPUTS: usize = 4;
pub(crate) const INPUTS: usize = 6;
pub(crate) const PRODUCTS: usize = INPUTS * INPUTS;

const A: f32 = POINTS[0] as f32;
const B: f32 = POINTS[1] as f32;

/// `d₄ − (a² + b²) d₂ + a² b² d₀`: the values at 0 and, one index higher, at ∞.
#[inline(always)]
fn outer<S: Simd>(simd: S, d0: S::F32, d2: S::F32, d4: S::F32) -> S::F32 {
    let sum = simd.mul_add(d0, simd.splat(A * A * B * B), d4);
    simd.mul_add(d2, simd.splat(-(A * A + B * B)), sum)
}

/// The values at `point` and `-point`: `d₄ − other² d₂ ± point (d₃ − other² d₁)`.
#[inline(always)]
fn pair<S: Simd>(simd: S, d: [S::F32; 4], point: f32, other: f32) -> [S::F32; 2] {
    let [d1, d2, d3, d4] = d;
    let even = simd.mul_add(d2, simd.splat(-other * other), d4);
    let odd = simd.mul_add(d1, simd.splat(-point * other * other), simd.mul(d3, simd.splat(point)));
    [simd.add(even, odd), simd.sub(even, odd)]
}

/// The values of six numbers at all points.
#[inline(always)]
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
#[inline(always)]
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

/// Transforms the 6×6 inputs that start at `source[0]`, `steps` numbers apart vertically and horizontally, into the
/// first vectors of 36 planes, `plane` numbers apart in `out`.
#[inline(always)]
pub(crate) fn input<S: Simd>(simd: S, source: &[f32], steps: [usize; 2], out: &mut [f32], plane: usize) {
    assert!((INPUTS - 1) * (steps[0] + steps[1]) + S::LANES <= source.len());
    assert!((PRODUCTS - 1) * plane + S::LANES <= out.len());
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
    let mut inner = [[zero; INPUTS]; 4];
    for (row, values) in [(0, outermost[0]), (5, outermost[1])] {
        // SAFETY: the row is below 6, and the vector in the last plane was checked to be inside.
        unsafe { write(simd, evaluate(simd, values), out.as_mut_ptr().add(row * INPUTS * plane), plane) };
    }
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
        // SAFETY: as above; the rows are 1 to 4.
        unsafe { write(simd, evaluate(simd, values), out.as_mut_ptr().add((row + 1) * INPUTS * plane), plane) };
    }
}

/// Writes a vector to each of six planes.
///
/// # Safety
/// `out + index · plane` points to a vector's worth of writable numbers for every index below 6.
#[inline(always)]
unsafe fn write<S: Simd>(simd: S, values: [S::F32; INPUTS], out: *mut f32, plane: usize) {
    for (index, value) in values.into_iter().enumerate() {
        // SAFETY: the caller promises it.
        unsafe { simd.store_ptr(value, out.add(index * plane)) };
    }
}

/// The 4×4 outputs of the first vectors of 36 planes, `plane` numbers apart.
#[inline(always)]
pub(crate) fn output<S: Simd>(simd: S, products: &[f32], plane: usize) -> [[S::F32; OUTPUTS]; OUTPUTS] {
    assert!((PRODUCTS - 1) * plane + S::LANES <= products.len());
    let products = products.as_ptr();
    let zero = simd.splat(0.0);
    let mut rows = [[zero; INPUTS]; OUTPUTS];
    for column in 0..INPUTS {
        let mut m = [zero; INPUTS];
        for (row, m) in m.iter_mut().enumerate() {
            // SAFETY: the plane is one of 36; the vector in the last one was checked to be inside.
            *m = unsafe { simd.load_ptr(products.add((row * INPUTS + column) * plane)) };
        }
        let [first, second, third, fourth] = interpolate(simd, m);
        [rows[0][column], rows[1][column], rows[2][column], rows[3][column]] = [first, second, third, fourth];
    }
    [interpolate(simd, rows[0]), interpolate(simd, rows[1]), interpolate(simd, rows[2]), interpolate(simd, rows[3])]
}

/// A 3×3 kernel at all pairs of points, as a matrix product `G w Gᵀ` in double precision.
pub(crate) fn weights(kernel: [[f64; 3]; 3]) -> [[f64; INPUTS]; INPUTS] {
    let [a, b] = POINTS;
    let points = [0.0, a, -a, b, -b];
    let evaluate = |w: [f64; 3]| {
        let mut values = [w[2]; INPUTS];
        for (index, &point) in points.iter().enumerate() {
            let others = points.iter().enumerate().filter(|&(other, _)| other != index);
            let scale: f64 = others.map(|(_, other)| point - other).product();
            values[index] = (w[0] + point * (w[1] + point * w[2])) / scale;
        }
        values
    };
    let rows = kernel.map(evaluate);
    let mut values = [[0.0; INPUTS]; INPUTS];
    for column in 0..INPUTS {
        for (row, value) in evaluate([rows[0][column], rows[1][column], rows[2][column]]).into_iter().enumerate() {
            values[row][column] = value;
        }
    }
    values
}
