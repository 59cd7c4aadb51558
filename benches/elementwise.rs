//! The elementwise primitives at the sizes of NAS-Bench-201, in bytes moved per second, beside a plain copy of as many.
//!
//! Bytes are those of the tensors read and written, each once. The ratio to the copy of the same sizes is what counts.

use aznas::ops::moments::Moments;
use aznas::ops::window::Window;
use aznas::ops::{combine, global_pool, max_pool, pool};
use aznas::simd::Backend;
use aznas::tensor::{Affine, Gradient, Normalised, Shape, Sink, Sums, Value, View, ViewMut};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use std::hint::black_box;
use std::time::Duration;

/// Batch, height and width, channels.
const SIZES: [(usize, usize, usize); 6] =
    [(64, 32, 16), (64, 16, 32), (64, 8, 64), (8, 32, 16), (8, 16, 32), (8, 8, 64)];

/// Numbers in a cache line: buffers start at one, as the slots of a workspace do.
const ALIGNMENT: usize = 16;

/// `n` numbers of `memory` that start at a cache line, some of them negative.
fn aligned(memory: &mut [f32], n: usize) -> &mut [f32] {
    let first = memory.as_ptr().align_offset(ALIGNMENT * size_of::<f32>());
    let buffer = &mut memory[first..][..n];
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 37 % 64) as f32 / 16.0 - 2.0);
    buffer
}

/// Registers one benchmark of a computation that touches `tensors` tensors of `elements` numbers.
fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, elements: usize, tensors: f64, mut run: impl FnMut()) {
    group.throughput(Throughput::Bytes((tensors * (elements * size_of::<f32>()) as f64) as u64));
    group.bench_function(name, |bencher| bencher.iter(&mut run));
}

fn elementwise(criterion: &mut Criterion) {
    let backend = Backend::detect();
    for (batch, size, channels) in SIZES {
        let shape = Shape::new(batch, size, size, channels).unwrap();
        let n = shape.len();
        let mut group = criterion.benchmark_group(format!("{batch}x{size}x{size}x{channels}/{}", backend.name()));
        group.sample_size(20).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));

        let mut memory = vec![0.0; 5 * (n + 2 * ALIGNMENT)];
        let mut buffers = memory.chunks_exact_mut(n + 2 * ALIGNMENT).map(|chunk| aligned(chunk, n));
        let out = buffers.next().unwrap();
        let stored: Vec<&mut [f32]> = buffers.collect();
        let [x, y, z, w] = [0, 1, 2, 3].map(|term| View::dense(stored[term], shape));
        let coefficients = vec![0.5f32; channels];
        let affine = Affine { scale: &coefficients, shift: &coefficients };
        let plain = Value { stored: x, affine: None, rectified: false };
        let terms = [x, y, z, w].map(|stored| Value { stored, affine: Some(affine), rectified: false });
        let gradient = Gradient { stored: y, normalised: None };
        let normalised =
            Normalised { input: x, by_gradient: &coefficients, by_input: &coefficients, constant: &coefficients };

        measure(&mut group, "copy", n, 2.0, || out.copy_from_slice(black_box(x.data)));
        measure(&mut group, "sum of 1", n, 2.0, || {
            combine::forward(backend, black_box(&terms[..1]), false, false, ViewMut::dense(out, shape));
        });
        measure(&mut group, "sum of 3", n, 4.0, || {
            combine::forward(backend, black_box(&terms[..3]), false, false, ViewMut::dense(out, shape));
        });
        measure(&mut group, "sum of 4, rectified", n, 5.0, || {
            combine::forward(backend, black_box(&terms), true, false, ViewMut::dense(out, shape));
        });
        measure(&mut group, "add gradient", n, 3.0, || {
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: true, gate: None, sums: None };
            combine::vjp(backend, black_box(gradient), sink);
        });
        measure(&mut group, "equal", n, 2.0, || {
            assert!(combine::equal(backend, black_box(x), View::dense(stored[0], shape)));
        });
        measure(&mut group, "batch norm vjp", n, 3.0, || {
            let gradient = Gradient { stored: y, normalised: Some(normalised) };
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
            combine::vjp(backend, black_box(gradient), sink);
        });
        let mut sums = vec![0.0; 4 * channels];
        let (statistics, sums) = sums.split_at_mut(2 * channels);
        let (mean, squares) = statistics.split_at_mut(channels);
        let mut moments = Moments::new(mean, squares);
        measure(&mut group, "moments", n, 1.0, || moments.update(backend, black_box(&x), 0, shape.positions()));
        let (gradients, products) = sums.split_at_mut(channels);
        let mut sums = Sums::new(&coefficients, gradients, products);
        measure(&mut group, "batch norm sums", n, 2.0, || {
            sums.update(backend, black_box(&y), &x, 0, shape.positions());
        });

        for (name, window) in [("3x3", Window::new(3, 1, 1)), ("2x2/2", Window::new(2, 2, 0))] {
            let window = window.unwrap();
            let pooled = window.output(shape).unwrap();
            let tensors = 1.0 + pooled.len() as f64 / n as f64;
            let mut memory = vec![0.0; pool::scratch_len(&window, shape, pooled) + ALIGNMENT];
            let scratch = aligned(&mut memory, pool::scratch_len(&window, shape, pooled));
            let small = Gradient { stored: View::dense(y.data, pooled), normalised: None };
            measure(&mut group, &format!("mean {name}"), n, tensors, || {
                pool::forward(backend, &window, black_box(plain), false, ViewMut::dense(out, pooled), scratch);
            });
            measure(&mut group, &format!("mean {name} vjp"), n, tensors, || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                pool::vjp(backend, &window, black_box(small), sink, scratch);
            });
            let mut memory = vec![0.0; max_pool::scratch_len(&window, shape, pooled) + ALIGNMENT];
            let scratch = aligned(&mut memory, max_pool::scratch_len(&window, shape, pooled));
            measure(&mut group, &format!("maximum {name}"), n, tensors, || {
                max_pool::forward(backend, &window, black_box(plain), false, ViewMut::dense(out, pooled), scratch);
            });
            measure(&mut group, &format!("maximum {name} vjp"), n, 1.0 + tensors, || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                max_pool::vjp(backend, &window, black_box(plain), small, sink, scratch);
            });
        }
        measure(&mut group, "global mean", n, 1.0, || {
            let means = global_pool::output(shape).unwrap();
            global_pool::forward(backend, black_box(plain), ViewMut::dense(out, means));
        });
        group.finish();
    }
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
