//! Random tensors: normal, uniform and ±1, the same bits on every back end and platform.
//!
//! The format. Eight xoshiro256++ generators (Blackman and Vigna, 2021), seeded by [`Key`], step together; a step
//! yields 16 words of 32 bits: the low, then the high half of generator 0, of generator 1, and so on. A tensor is a
//! sequence of blocks, each made from the next steps alone, so that a shorter tensor is a prefix of a longer one:
//!
//! | | steps a block | numbers a block | number *i* of the block |
//! |---|---|---|---|
//! | normal | 2 | 32 | Box–Muller of word *i* mod 16 of both steps; cosines first, then sines |
//! | uniform | 1 | 16 | the upper 24 bits of word *i* |
//! | signs | 1 | 512 | bit 31 − ⌊*i* / 16⌋ of word *i* mod 16 |
//!
//! Equal bits everywhere need arithmetic that is equal everywhere: the functions below use only additions,
//! multiplications and correctly rounded square roots, which IEEE 754 determines, and never a fused multiply-add.
//! The loops over 16 numbers become vectors when a [`Kernel`] compiles them for a back end.

use crate::base::rng::Key;
use crate::simd::{Backend, Kernel, Simd};

/// Generators that step together.
const LANES: usize = 8;
/// Words a step yields.
const WORDS: usize = 2 * LANES;
/// The sign bit of a number of single precision.
const SIGN: u32 = 1 << 31;

/// Fills `out` with normal numbers of mean 0 and the given standard deviation.
///
/// They come in pairs by the method of Box and Muller (1958) from a radius of 31 random bits, which limits them to
/// `6.67 · deviation`, and an angle of 32.
pub fn fill_normal(backend: Backend, key: Key, deviation: f32, out: &mut [f32]) {
    backend.run(Fill { key, distribution: Normal { deviation }, out });
}

/// Fills `out` with uniform numbers in the half-open interval from `-half_width` to `half_width`.
///
/// They are multiples of `half_width / 2²³`.
pub fn fill_uniform(backend: Backend, key: Key, half_width: f32, out: &mut [f32]) {
    backend.run(Fill { key, distribution: Uniform { half_width }, out });
}

/// Fills `out` with independent signs, +1 or −1 with equal probability (Rademacher numbers).
pub fn fill_signs(backend: Backend, key: Key, out: &mut [f32]) {
    backend.run(Fill { key, distribution: Signs, out });
}

/// How the words of the generators become numbers.
trait Distribution {
    /// Numbers of a block, at most [`LONGEST_BLOCK`].
    const BLOCK: usize;
    /// Writes one block; `out` has its length.
    fn block<S: Simd>(&self, simd: S, generators: &mut Generators, out: &mut [f32]);
}

/// The longest block of any distribution.
const LONGEST_BLOCK: usize = Signs::BLOCK;

/// Fills `out` from the generators of `key`.
struct Fill<'a, D> {
    key: Key,
    distribution: D,
    out: &'a mut [f32],
}

impl<D: Distribution> Kernel for Fill<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut generators = Generators::new(self.key);
        let mut blocks = self.out.chunks_exact_mut(D::BLOCK);
        for block in &mut blocks {
            self.distribution.block(simd, &mut generators, block);
        }
        let rest = blocks.into_remainder();
        if !rest.is_empty() {
            let mut block = [0.0; LONGEST_BLOCK];
            self.distribution.block(simd, &mut generators, &mut block[..D::BLOCK]);
            rest.copy_from_slice(&block[..rest.len()]);
        }
    }
}

/// Eight xoshiro256++ generators side by side.
struct Generators {
    state: [[u64; LANES]; 4],
}

impl Generators {
    #[inline(always)]
    fn new(key: Key) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            for (words, word) in state.iter_mut().zip(key.lane(lane as u64)) {
                words[lane] = word;
            }
        }
        Self { state }
    }

    /// The next 64 bits of every generator.
    #[inline(always)]
    fn step(&mut self) -> [u64; LANES] {
        let [a, b, c, d] = &mut self.state;
        let mut out = [0; LANES];
        for i in 0..LANES {
            out[i] = a[i].wrapping_add(d[i]).rotate_left(23).wrapping_add(a[i]);
            let shifted = b[i] << 17;
            c[i] ^= a[i];
            d[i] ^= b[i];
            b[i] ^= c[i];
            a[i] ^= d[i];
            c[i] ^= shifted;
            d[i] = d[i].rotate_left(45);
        }
        out
    }

    /// The next step as words.
    #[inline(always)]
    fn words(&mut self) -> [u32; WORDS] {
        let wide = self.step();
        let mut words = [0; WORDS];
        for i in 0..WORDS {
            words[i] = (wide[i / 2] >> (32 * (i % 2))) as u32;
        }
        words
    }
}

struct Normal {
    deviation: f32,
}

impl Distribution for Normal {
    const BLOCK: usize = 2 * WORDS;

    #[inline(always)]
    fn block<S: Simd>(&self, simd: S, generators: &mut Generators, out: &mut [f32]) {
        let radii = generators.words();
        let angles = generators.words();
        let mut radius = [0.0; WORDS];
        for i in 0..WORDS {
            radius[i] = minus_twice_ln(open_unit(radii[i]));
        }
        for part in radius.chunks_exact_mut(S::LANES) {
            let root = simd.sqrt(simd.load(part));
            simd.store(simd.mul(root, simd.splat(self.deviation)), part);
        }
        let (cosines, sines) = out.split_at_mut(WORDS);
        for i in 0..WORDS {
            let (cosine, sine) = point_on_circle(angles[i]);
            cosines[i] = radius[i] * cosine;
            sines[i] = radius[i] * sine;
        }
    }
}

struct Uniform {
    half_width: f32,
}

impl Distribution for Uniform {
    const BLOCK: usize = WORDS;

    #[inline(always)]
    fn block<S: Simd>(&self, _: S, generators: &mut Generators, out: &mut [f32]) {
        let words = generators.words();
        for i in 0..WORDS {
            out[i] = ((words[i] as i32 >> 8) as f32 * exp2i(-23)) * self.half_width;
        }
    }
}

struct Signs;

impl Distribution for Signs {
    const BLOCK: usize = 32 * WORDS;

    #[inline(always)]
    fn block<S: Simd>(&self, _: S, generators: &mut Generators, out: &mut [f32]) {
        let mut words = generators.words();
        for numbers in out.chunks_exact_mut(WORDS) {
            for i in 0..WORDS {
                numbers[i] = f32::from_bits(1f32.to_bits() | (words[i] & SIGN));
                words[i] <<= 1;
            }
        }
    }
}

/// 2 to the power of `n`, for `n` in `-126..128`.
#[inline(always)]
const fn exp2i(n: i32) -> f32 {
    f32::from_bits(((127 + n) as u32) << 23)
}

/// A number in `2⁻³² ..= 1` from the upper 31 bits of a word; never 0.
#[inline(always)]
fn open_unit(word: u32) -> f32 {
    // 31 bits, because not every processor converts unsigned words. The sum is exact where it matters, near 0.
    ((word >> 1) as i32 as f32 + 0.5) * exp2i(-31)
}

/// `-2 ln x` of a positive, normal number; its relative error is below 2.5e-7.
///
/// `x = 2^e · (1 + f)` with `1 + f` from √½ to √2, and `ln(1 + f) = f - f²/2 + f³ · p(f)`: the polynomial p of
/// degree 6 minimises the relative error of ln(1 + f) (Remez; 3.4e-8 before rounding).
#[inline(always)]
fn minus_twice_ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = core::f32::consts::FRAC_1_SQRT_2.to_bits();
    let exponent = (x.to_bits() as i32).wrapping_sub(SQRT_HALF as i32) >> 23;
    let f = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32)) - 1.0;
    // The coefficients are those of p, times -2.
    let series = -0.178_357_44;
    let series = series * f + 0.287_003_9;
    let series = series * f - 0.297_539_16;
    let series = series * f + 0.331_312_7;
    let series = series * f - 0.399_307_98;
    let series = series * f + 0.500_034_9;
    let series = series * f - 0.666_677_2;
    let series = series * f + 1.0;
    let series = series * f - 2.0;
    exponent as f32 * (-2.0 * core::f32::consts::LN_2) + series * f
}

/// The cosine and the sine of an angle made of the 32 bits of a word; their absolute error is below 1.6e-7.
///
/// Two bits choose the signs; the other 30 the angle θ in the first quadrant, as `π/4 · (1 + t)` with t from −1
/// to 1. With `c = cos(π/4 · t) / √2` and `s = sin(π/4 · t) / √2`, `cos θ = c - s` and `sin θ = c + s`. Both are
/// minimax polynomials in t (2e-8 and 1e-9 before rounding).
#[inline(always)]
fn point_on_circle(word: u32) -> (f32, f32) {
    let t = (word << 2) as i32 as f32 * exp2i(-31);
    let square = t * t;
    let c = -0.000_225_482_57;
    let c = c * square + 0.011_207_583;
    let c = c * square - 0.218_088_88;
    let c = c * square + 0.707_106_76;
    let s = -2.536_905_3e-5;
    let s = s * square + 0.001_760_605_4;
    let s = s * square - 0.057_095_595;
    let s = (s * square + 0.555_360_4) * t;
    let with_sign = |x: f32, bit: u32| f32::from_bits(x.to_bits() ^ (bit & SIGN));
    (with_sign(c - s, word), with_sign(c + s, word << 1))
}

#[cfg(test)]
mod tests;
