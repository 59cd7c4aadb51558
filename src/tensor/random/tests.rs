use super::*;
use crate::base::math;
use crate::base::rng::Stream;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{vec, vec::Vec};

/// A named way to fill a tensor.
type Fill = (&'static str, fn(Backend, Key, &mut [f32]));

const FILLS: [Fill; 3] = [
    ("normal", |backend, key, out| fill_normal(backend, key, 1.0, out)),
    ("uniform", |backend, key, out| fill_uniform(backend, key, 1.0, out)),
    ("signs", fill_signs),
];

fn key(node: u32) -> Key {
    Key::new(5, Stream::Weight, 1, node)
}

fn draw((_, fill): Fill, node: u32, len: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; len];
    fill(Backend::detect(), key(node), &mut out);
    out
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Sum of `f` over the numbers, divided by their count.
fn mean(x: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    x.iter().map(|&x| f(f64::from(x))).sum::<f64>() / x.len() as f64
}

/// The largest distance between the empirical distribution of `x` and `distribution`, times `√n`.
fn kolmogorov_smirnov(mut x: Vec<f32>, distribution: impl Fn(f64) -> f64) -> f64 {
    x.sort_by(f32::total_cmp);
    let n = x.len() as f64;
    let distance = |(i, &x): (usize, &f32)| {
        let p = distribution(f64::from(x));
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    x.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

#[test]
fn every_lane_is_the_generator_of_rand_xoshiro() {
    let mut generators = Generators::new(key(0));
    let mut references: Vec<_> = (0..LANES as u64)
        .map(|lane| {
            let mut seed = [0; 32];
            for (bytes, word) in seed.chunks_exact_mut(8).zip(key(0).lane(lane)) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            Xoshiro256PlusPlus::from_seed(seed)
        })
        .collect();
    for _ in 0..100 {
        let expected: Vec<_> = references.iter_mut().map(|generator| generator.next_u64()).collect();
        assert_eq!(generators.step().as_slice(), expected);
    }
}

#[test]
fn every_back_end_draws_the_same_bits_at_every_length_and_alignment() {
    for fill in FILLS {
        let longest = draw(fill, 1, 1100);
        for backend in Backend::available() {
            for len in [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 127, 511, 512, 513, 1021, 1100] {
                for offset in [0, 1, 3] {
                    let mut out = vec![f32::NAN; len + offset + 1];
                    fill.1(backend, key(1), &mut out[offset..offset + len]);
                    let case = (fill.0, backend.name(), len, offset);
                    assert_eq!(bits(&out[offset..offset + len]), bits(&longest[..len]), "{case:?}");
                    assert!(out[..offset].iter().chain(&out[offset + len..]).all(|x| x.is_nan()), "{case:?}");
                }
            }
        }
    }
}

/// Whoever changes these changes every score: the format is part of the results.
#[test]
fn the_format_does_not_change() {
    let hash = |fill: Fill| {
        bits(&draw(fill, 2, 5000))
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &word| (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3))
    };
    assert_eq!(FILLS.map(hash), [0x6a2d_836f_fd1f_cd97, 0xed2e_8ded_3dd5_93dd, 0xa451_9f5a_5ba7_bfc5]);
}

#[test]
fn keys_give_unrelated_tensors() {
    for fill in FILLS {
        let (a, b) = (draw(fill, 3, 100_000), draw(fill, 4, 100_000));
        let products: Vec<_> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        // 5 standard deviations of the mean of a product with variance at most 1.
        assert!(mean(&products, |x| x).abs() < 5.0 / 1e5f64.sqrt(), "{}", fill.0);
    }
}

#[test]
fn moments_are_those_of_the_distribution() {
    const N: usize = 1 << 20;
    // For each power: the moment, and the variance of its estimator times n (the moment of twice the power less the
    // square of the moment).
    let cases: [(Fill, [(f64, f64); 4]); 3] = [
        (FILLS[0], [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)]),
        (FILLS[1], [(0.0, 1.0 / 3.0), (1.0 / 3.0, 4.0 / 45.0), (0.0, 1.0 / 7.0), (0.2, 16.0 / 225.0)]),
        (FILLS[2], [(0.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0)]),
    ];
    for (fill, moments) in cases {
        let x = draw(fill, 5, N);
        for (power, (moment, variance)) in (1..).zip(moments) {
            let error = (mean(&x, |x| x.powi(power)) - moment).abs();
            assert!(error <= 4.5 * (variance / N as f64).sqrt(), "{} to the {power}: {error}", fill.0);
        }
    }
}

#[test]
fn distribution_functions_match() {
    // 1.95 is exceeded with probability 0.001.
    let normal = kolmogorov_smirnov(draw(FILLS[0], 6, 300_000), |x| 0.5 * libm::erfc(-x / 2f64.sqrt()));
    assert!(normal < 1.95, "{normal}");
    let uniform = kolmogorov_smirnov(draw(FILLS[1], 6, 300_000), |x| 0.5 * (x + 1.0));
    assert!(uniform < 1.95, "{uniform}");
}

#[test]
fn neighbours_are_uncorrelated() {
    const N: usize = 1 << 19;
    for fill in FILLS {
        let x = draw(fill, 7, N + 1024);
        let scale = 1.0 / mean(&x, |x| x * x);
        // Lags within a block, between the numbers of a pair, of a generator and of neighbouring blocks. The squares
        // would betray a shared radius.
        for lag in [1, 2, 3, 8, 15, 16, 17, 31, 32, 33, 64, 256, 512, 513, 1024] {
            let correlation = |f: fn(f64) -> f64| {
                let pairs = x.iter().zip(&x[lag..]);
                pairs.map(|(&a, &b)| f(f64::from(a) * scale.sqrt()) * f(f64::from(b) * scale.sqrt())).sum::<f64>()
                    / (N + 1024 - lag) as f64
            };
            let bound = 4.5 / (N as f64).sqrt();
            assert!(correlation(|x| x).abs() < bound, "{} lag {lag}: {}", fill.0, correlation(|x| x));
            // The variance of x² - 1 is 2 for the normal, less for the others.
            assert!(correlation(|x| x * x - 1.0).abs() < 2.0 * bound, "{} squares, lag {lag}", fill.0);
        }
    }
}

#[test]
fn normal_scales_and_has_bounded_tails() {
    for word in [0, 1, 2, 3, u32::MAX, SIGN, SIGN - 1] {
        let radius = minus_twice_ln(open_unit(word)).sqrt();
        assert!((0.0..6.67).contains(&radius), "{word}: {radius}");
    }
    let x = draw(FILLS[0], 8, 1 << 20);
    let largest = x.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    // The largest of 2^20 lies in this interval with probability 0.9999.
    assert!((4.3..6.67).contains(&largest), "{largest}");
    let beyond = x.iter().filter(|x| x.abs() > 3.0).count() as f64;
    let expected = libm::erfc(3.0 / 2f64.sqrt()) * x.len() as f64;
    assert!((beyond - expected).abs() < 4.5 * expected.sqrt(), "{beyond} beyond 3, expected {expected}");

    let mut scaled = vec![0.0; x.len()];
    fill_normal(Backend::detect(), key(8), 0.25, &mut scaled);
    assert!(x.iter().zip(&scaled).all(|(x, scaled)| x * 0.25 == *scaled));
}

#[test]
fn uniform_is_half_open() {
    for half_width in [1.0, 0.1, 3.0, 0.577_350_26] {
        let of_word = |word: u32| ((word as i32 >> 8) as f32 * exp2i(-23)) * half_width;
        assert_eq!(of_word(SIGN), -half_width);
        assert!(of_word(SIGN - 1) < half_width);
        let mut x = vec![0.0; 100_000];
        fill_uniform(Backend::detect(), key(9), half_width, &mut x);
        assert!(x.iter().all(|x| (-half_width..half_width).contains(x)));
    }
}

#[test]
fn every_bit_of_the_signs_is_balanced() {
    let x = draw(FILLS[2], 10, 512 * 4096);
    assert!(x.iter().all(|&x| x == 1.0 || x == -1.0));
    for i in 0..512 {
        let sum: f32 = x.iter().skip(i).step_by(512).sum();
        // 5 standard deviations; 512 positions are looked at.
        assert!(sum.abs() < 5.0 * 64.0, "position {i}: {sum}");
    }
}

#[test]
fn logarithm_error() {
    let relative = |word: u32| {
        let x = open_unit(word);
        let exact = -2.0 * math::ln(f64::from(x));
        // At 1, the only zero, the result has to be exact.
        let result = f64::from(minus_twice_ln(x));
        if exact == 0.0 { result.abs() } else { (result / exact - 1.0).abs() }
    };
    let near_zero = (0..100_000).map(relative).fold(0.0, f64::max);
    let near_one = (0..100_000).map(|i| relative(u32::MAX - 64 * i)).fold(0.0, f64::max);
    let anywhere = (0..1_000_000).map(|i| relative(i * 4294)).fold(0.0, f64::max);
    let largest = near_zero.max(near_one).max(anywhere);
    assert!(largest < 2.5e-7, "{near_zero:e} {near_one:e} {anywhere:e}");
}

#[test]
fn circle_error() {
    let error = |word: u32| {
        let (cosine, sine) = point_on_circle(word);
        let angle = core::f64::consts::FRAC_PI_4 * (1.0 + f64::from((word << 2) as i32) / f64::from(SIGN));
        let signed = |x: f64, negative: bool| if negative { -x } else { x };
        let cosine = f64::from(cosine) - signed(libm::cos(angle), word & SIGN != 0);
        let sine = f64::from(sine) - signed(libm::sin(angle), word & (SIGN >> 1) != 0);
        cosine.abs().max(sine.abs())
    };
    let largest = (0..1_000_000u32).map(|i| error(i.wrapping_mul(4_294_967))).fold(0.0, f64::max);
    let ends = [0, 1, SIGN, SIGN >> 2, (SIGN >> 2) - 1, u32::MAX].map(error).into_iter().fold(0.0, f64::max);
    assert!(largest.max(ends) < 1.6e-7, "{largest:e} {ends:e}");
}
