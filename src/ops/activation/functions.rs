//! The functions, with their derivatives.

use crate::simd::exponential::{exp, exp_minus_one};
use crate::simd::{Simd, normal};

/// A function of one number.
pub(super) trait Function: Copy {
    /// Whether its value at 0 is 0.
    fn is_zero_at_zero(self) -> bool {
        true
    }
    /// Its value.
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32;
    /// Its derivative.
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32;
}

/// Larger arguments would overflow the exponential function, and nothing changes beyond.
const LARGEST: f32 = 87.0;

/// From here on the hyperbolic tangent is 1.
const TANH_IS_1: f32 = 10.0;

/// `max(x, bound)`, NaN for NaN.
#[inline(always)]
fn at_least<S: Simd>(simd: S, bound: f32, x: S::F32) -> S::F32 {
    // In this order of operands NaN is kept.
    simd.max(simd.splat(bound), x)
}

/// `min(x, bound)`, NaN for NaN.
#[cfg_attr(not(feature = "small"), inline(always))]
fn at_most<S: Simd>(simd: S, bound: f32, x: S::F32) -> S::F32 {
    negate(simd, at_least(simd, -bound, negate(simd, x)))
}

/// x, or ±`bound` beyond.
#[inline(always)]
fn clamp<S: Simd>(simd: S, bound: f32, x: S::F32) -> S::F32 {
    at_most(simd, bound, at_least(simd, -bound, x))
}

#[inline(always)]
fn negate<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    simd.sub(simd.splat(0.0), x)
}

/// `above` where x is positive, else `below`; both are finite.
#[cfg_attr(not(feature = "small"), inline(always))]
fn by_sign<S: Simd>(simd: S, x: S::F32, above: S::F32, below: S::F32) -> S::F32 {
    simd.add(simd.where_positive(x, above), simd.sub(below, simd.where_positive(x, below)))
}

/// `1 / (1 + exp(−x))` and `exp(−x) / (1 + exp(−x))²`.
#[cfg_attr(not(feature = "small"), inline(always))]
fn logistic<S: Simd>(simd: S, x: S::F32) -> [S::F32; 2] {
    let exponential = exp(simd, negate(simd, at_least(simd, -LARGEST, x)));
    let value = simd.div(simd.splat(1.0), simd.add(simd.splat(1.0), exponential));
    [value, simd.mul(value, simd.mul(exponential, value))]
}

/// `min(max(x + 3, 0), 6) / 6`
#[cfg_attr(not(feature = "small"), inline(always))]
fn ramp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    at_most(simd, 1.0, at_least(simd, 0.0, simd.mul_add(x, simd.splat(1.0 / 6.0), simd.splat(0.5))))
}

/// `inside` where `low < x < high`, else 0.
#[cfg_attr(not(feature = "small"), inline(always))]
fn between<S: Simd>(simd: S, low: f32, high: f32, x: S::F32, inside: S::F32) -> S::F32 {
    let below_high = simd.where_positive(simd.sub(simd.splat(high), x), inside);
    simd.where_positive(simd.sub(x, simd.splat(low)), below_high)
}

#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

impl Function for Sigmoid {
    fn is_zero_at_zero(self) -> bool {
        false
    }
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        logistic(simd, x)[0]
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        logistic(simd, x)[1]
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardSigmoid;

impl Function for HardSigmoid {
    fn is_zero_at_zero(self) -> bool {
        false
    }
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        ramp(simd, x)
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        between(simd, -3.0, 3.0, x, simd.splat(1.0 / 6.0))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = at_least(simd, -LARGEST, x);
        simd.mul(x, logistic(simd, x)[0])
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = clamp(simd, LARGEST, x);
        let [value, slope] = logistic(simd, x);
        simd.mul_add(x, slope, value)
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardSwish;

impl Function for HardSwish {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        simd.mul(x, ramp(simd, x))
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let parabola = at_most(simd, 1.5, simd.mul_add(x, simd.splat(1.0 / 3.0), simd.splat(0.5)));
        let (above_start, above_end) = (simd.add(x, simd.splat(3.0)), simd.sub(x, simd.splat(3.0)));
        simd.where_positive(above_start, by_sign(simd, above_end, simd.splat(1.0), parabola))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu6;

impl Function for Relu6 {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        at_most(simd, 6.0, at_least(simd, 0.0, x))
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        between(simd, 0.0, 6.0, x, simd.splat(1.0))
    }
}

/// With the slope below 0.
#[derive(Clone, Copy)]
pub(super) struct LeakyRelu(pub(super) f32);

impl Function for LeakyRelu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        simd.mul_add(simd.splat(self.0), at_most(simd, 0.0, x), at_least(simd, 0.0, x))
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        by_sign(simd, x, simd.splat(1.0), simd.splat(self.0))
    }
}

/// With what negative values tend to, negated.
#[derive(Clone, Copy)]
pub(super) struct Elu(pub(super) f32);

impl Function for Elu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let below = exp_minus_one(simd, at_most(simd, 0.0, x));
        simd.mul_add(simd.splat(self.0), below, at_least(simd, 0.0, x))
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let below = simd.mul(simd.splat(self.0), exp(simd, at_most(simd, 0.0, x)));
        by_sign(simd, x, simd.splat(1.0), below)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl Function for Tanh {
    /// `u / (u + 2)` with `u = exp(2x) − 1`: nothing cancels near 0.
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = clamp(simd, TANH_IS_1, x);
        let u = exp_minus_one(simd, simd.add(x, x));
        simd.div(u, simd.add(u, simd.splat(2.0)))
    }
    /// `4u / (1 + u)²` with `u = exp(−2|x|)`: nothing cancels far from 0.
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let magnitude = simd.max(negate(simd, x), x);
        let u = exp(simd, simd.mul(simd.splat(-2.0), magnitude));
        let root = simd.div(simd.splat(2.0), simd.add(simd.splat(1.0), u));
        simd.mul(root, simd.mul(u, root))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl Function for Gelu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let (cumulative, _) = normal::distribution(simd, x);
        simd.mul(x, cumulative)
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = clamp(simd, LARGEST, x);
        let (cumulative, density) = normal::distribution(simd, x);
        simd.mul_add(x, density, cumulative)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Mish;

/// Beyond, Mish is x.
const MISH_IS_X: f32 = 20.0;

/// `tanh(ln(1 + exp(x)))` and its derivative over the logistic function: `n / (n + 2)` and `4 (n + 1) / (n + 2)²` with
/// `n = exp(x) (exp(x) + 2)`.
#[inline(always)]
fn tanh_of_softplus<S: Simd>(simd: S, x: S::F32) -> [S::F32; 2] {
    let (one, two) = (simd.splat(1.0), simd.splat(2.0));
    let exponential = exp(simd, at_most(simd, MISH_IS_X, at_least(simd, -LARGEST, x)));
    let n = simd.mul(exponential, simd.add(exponential, two));
    let (ratio, half) = (simd.div(n, simd.add(n, two)), simd.div(two, simd.add(n, two)));
    [ratio, simd.mul(half, simd.mul(half, simd.add(n, one)))]
}

impl Function for Mish {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = at_least(simd, -LARGEST, x);
        simd.mul(x, tanh_of_softplus(simd, x)[0])
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let x = clamp(simd, LARGEST, x);
        let [value, slope] = tanh_of_softplus(simd, x);
        simd.mul_add(simd.mul(x, logistic(simd, x)[0]), slope, value)
    }
}

/// By a factor.
#[derive(Clone, Copy)]
pub(super) struct Times(pub(super) f32);

impl Function for Times {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        simd.mul(simd.splat(self.0), x)
    }
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, _: S::F32) -> S::F32 {
        simd.splat(self.0)
    }
}
