//! What one core of this machine can do at most, measured: arithmetic in registers, and copying.

use aznas::simd::{Backend, Kernel, Simd};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Multiply-adds of independent accumulators, enough of them to hide the latency.
struct MultiplyAdd;

impl MultiplyAdd {
    const ACCUMULATORS: usize = 12;
    const REPETITIONS: usize = 100_000;
}

impl Kernel for MultiplyAdd {
    /// Floating-point operations done.
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (factor, summand) = (simd.splat(black_box(0.999)), simd.splat(black_box(0.001)));
        let mut accumulators = [simd.splat(black_box(1.0)); Self::ACCUMULATORS];
        for _ in 0..Self::REPETITIONS {
            for x in &mut accumulators {
                *x = simd.mul_add(*x, factor, summand);
            }
        }
        for x in accumulators {
            black_box(simd.reduce_add(x));
        }
        (2 * S::LANES * Self::ACCUMULATORS * Self::REPETITIONS) as f64
    }
}

/// Single-precision operations a second; of double precision there are half as many in a vector.
pub(crate) fn operations_per_second(backend: Backend) -> f64 {
    let mut operations = 0.0;
    let seconds = shortest(|| operations = backend.run(MultiplyAdd));
    operations / seconds
}

/// Bytes a second that a plain copy reads and writes, where it touches `bytes` in all.
pub(crate) fn copied_bytes_per_second(bytes: f64) -> f64 {
    let source = vec![1u8; (bytes / 2.0) as usize];
    let mut target = vec![0; source.len()];
    bytes / shortest(|| black_box(&mut target).copy_from_slice(black_box(&source)))
}

/// The shortest time of a call, of some at least and of as many as fill some hundredths of a second.
fn shortest(mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let (mut shortest, mut calls) = (Duration::MAX, 0);
    while calls < 10 || begin.elapsed() < Duration::from_millis(20) {
        let start = Instant::now();
        call();
        shortest = shortest.min(start.elapsed());
        calls += 1;
    }
    shortest.as_secs_f64()
}
