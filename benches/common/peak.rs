//! The arithmetic peak of one core, measured, and rates to compare with it.

use aznas::simd::{Backend, Kernel, Simd};
use std::hint::black_box;
use std::time::Instant;

/// Multiply-adds of independent accumulators, enough of them to hide the latency.
struct MultiplyAdd {
    repetitions: usize,
}

const ACCUMULATORS: usize = 12;

impl Kernel for MultiplyAdd {
    /// Floating-point operations done.
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (factor, summand) = (simd.splat(black_box(0.999)), simd.splat(black_box(0.001)));
        let mut accumulators = [simd.splat(black_box(1.0)); ACCUMULATORS];
        for _ in 0..self.repetitions {
            for x in &mut accumulators {
                *x = simd.mul_add(*x, factor, summand);
            }
        }
        for x in accumulators {
            black_box(simd.reduce_add(x));
        }
        (2 * S::LANES * ACCUMULATORS * self.repetitions) as f64
    }
}

/// Billions of single-precision operations a second that `backend` can do on one core.
#[allow(dead_code, reason = "not every bench compares with it")]
pub(crate) fn gigaflops(backend: Backend) -> f64 {
    let work = backend.run(MultiplyAdd { repetitions: 100_000 });
    work / seconds(|| {
        backend.run(MultiplyAdd { repetitions: 100_000 });
    }) / 1e9
}

/// The shortest time of one call, over about a fifth of a second.
pub(crate) fn seconds(mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut shortest = f64::INFINITY;
    let mut calls = 0;
    while calls < 3 || begin.elapsed().as_secs_f64() < 0.2 {
        let start = Instant::now();
        call();
        shortest = shortest.min(start.elapsed().as_secs_f64());
        calls += 1;
    }
    shortest
}
