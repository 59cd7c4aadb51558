//! Convolutions of the search spaces, both directions, in GFLOP/s and in percent of what the processor can do.
//!
//! `cargo bench --bench conv [-- FILTER]`. A multiply-add counts as two operations, those with padding and those that
//! Winograd's algorithm saves included: "percent of peak" exceeds 100 where it saves more than it costs. The peak is
//! that of the same back end's fused multiply-adds in registers, measured next to each row: clocks vary.

use aznas::ops::conv2d::{Algorithm, Conv2d, Geometry};
use aznas::ops::moments::Moments;
use aznas::simd::Backend;
use aznas::tensor::{Gradient, Shape, Sink, Value, View, ViewMut};
use criterion::{Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};

#[path = "common/peak.rs"]
mod peak;

/// Name, map, input and output channels, kernel, stride, groups.
type Row = (&'static str, usize, usize, usize, usize, usize, usize);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("stem 3x3",      32,   3,  16, 3, 1,   1),
    ("3x3",           32,  16,  16, 3, 1,   1),
    ("3x3",           16,  32,  32, 3, 1,   1),
    ("3x3",            8,  64,  64, 3, 1,   1),
    ("3x3 merged",    32,  16,  48, 3, 1,   1),
    ("3x3 merged",    16,  32,  96, 3, 1,   1),
    ("3x3 merged",     8,  64, 192, 3, 1,   1),
    ("3x3/2",         32,  16,  32, 3, 2,   1),
    ("3x3/2",         16,  32,  64, 3, 2,   1),
    ("1x1",           32,  16,  16, 1, 1,   1),
    ("1x1",           16,  32,  32, 1, 1,   1),
    ("1x1",            8,  64,  64, 1, 1,   1),
    ("1x1 merged",    32,  16,  48, 1, 1,   1),
    ("1x1 merged",     8,  64, 192, 1, 1,   1),
    ("1x1 expand",    56,  32, 192, 1, 1,   1),
    ("1x1 project",   56, 192,  32, 1, 1,   1),
    ("depthwise 3/2", 112, 48,  48, 3, 2,  48),
    ("depthwise 5",   56, 192, 192, 5, 1, 192),
];

/// Numbers that start on a cache line, as those of a workspace do: vectors that cross lines cost twice.
struct Aligned(Vec<f32>);

impl Aligned {
    const LINE: usize = 64;

    fn new(count: usize) -> Self {
        Self((0..count + Self::LINE).map(|index| (index * 7919 % 1009) as f32 / 512.0 - 1.0).collect())
    }

    fn get(&mut self) -> &mut [f32] {
        let start = self.0.as_ptr().align_offset(Self::LINE);
        &mut self.0[start..]
    }
}

/// Benches `work` of `operations`, and prints its best time as a rate.
fn bench(criterion: &mut Criterion, name: &str, backend: Backend, operations: f64, mut work: impl FnMut()) {
    let (mut best, mut limit) = (Duration::MAX, 0.0);
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            if limit == 0.0 {
                limit = peak::gigaflops(backend);
            }
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                let start = Instant::now();
                work();
                let elapsed = start.elapsed();
                best = best.min(elapsed);
                total += elapsed;
            }
            total
        });
    });
    if limit > 0.0 {
        let rate = operations / best.as_secs_f64() / 1e9;
        println!("{name:<52} {rate:7.1} GFLOP/s, {:4.0} % of the peak of {limit:.1}", 100.0 * rate / limit);
    }
}

fn convolutions(criterion: &mut Criterion) {
    for backend in Backend::available().filter(|&backend| backend != Backend::Scalar) {
        for algorithm in [Algorithm::Winograd, Algorithm::Direct] {
            let applies = |row: &&Row| algorithm == Algorithm::Direct || row.4 == 3 && row.5 == 1;
            for &(name, size, inputs, outputs, kernel, stride, groups) in ROWS.iter().filter(applies) {
                for batch in if size > 32 { [1, 4] } else { [8, 64] } {
                    let input = Shape::new(batch, size, size, inputs).expect("sizes are small");
                    let square = |x| [x, x];
                    let (padding, one) = (square(kernel / 2), square(1));
                    let geometry = Geometry::new(input, outputs, square(kernel), square(stride), padding, one, groups)
                        .expect("sizes are right");
                    let output = geometry.output();
                    let convolution = Conv2d::new(backend, geometry, algorithm);
                    let mut weights = Aligned::new(geometry.weights());
                    let [mut forward, mut vjp, mut scratch, mut x, mut z] = [
                        convolution.packed_forward_len(),
                        convolution.packed_vjp_len(),
                        convolution.scratch_len(),
                        input.len(),
                        output.len(),
                    ]
                    .map(Aligned::new);
                    let (mut dx, mut g) = (Aligned::new(input.len()), Aligned::new(output.len()));
                    convolution.pack_forward(weights.get(), forward.get());
                    convolution.pack_vjp(weights.get(), vjp.get());
                    let mut sums = vec![0.0; 2 * outputs];
                    let operations = 2.0 * geometry.macs() as f64;
                    let row = format!("{} {algorithm:?} {name} {inputs}-{outputs}@{size} b{batch}", backend.name());

                    let value = Value { stored: View::dense(x.get(), input), affine: None, rectified: true };
                    bench(criterion, &format!("{row} forward"), backend, operations, || {
                        let (mean, squares) = sums.split_at_mut(outputs);
                        let mut moments = Moments::new(mean, squares);
                        let z = ViewMut::dense(z.get(), output);
                        convolution.forward(&value, forward.get(), scratch.get(), z, None, Some(&mut moments));
                    });
                    let gradient = Gradient { stored: View::dense(g.get(), output), normalised: None };
                    bench(criterion, &format!("{row} vjp"), backend, operations, || {
                        let stored = ViewMut::dense(dx.get(), input);
                        let sink = Sink { stored, accumulate: false, gate: Some(value), sums: None };
                        convolution.vjp(&[gradient], vjp.get(), scratch.get(), sink);
                    });
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200));
    targets = convolutions
}
criterion_main!(benches);
