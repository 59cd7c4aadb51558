//! The elementwise primitives at the sizes of NAS-Bench-201, beside a plain copy that touches as many bytes. Those that
//! mostly read may be faster than a copy.

use aznas::base::constant::Constant;
use aznas::ops::activation::{self, Activation};
use aznas::ops::group_norm::{self, GroupNorm};
use aznas::ops::moments::Moments;
use aznas::ops::pad::{self, Pad};
use aznas::ops::product;
use aznas::ops::shuffle::{self, Shuffle};
use aznas::ops::slice::{self, Slice};
use aznas::ops::window::Window;
use aznas::ops::{combine, global_pool, max_pool, pool, positions, scale};
use aznas::simd::Backend;
use aznas::tensor::{Affine, Gradient, Normalised, Shape, Sink, Sums, Value, View, ViewMut, equal};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};
use std::hint::black_box;

/// Batch, height and width, channels.
const SIZES: [(usize, usize, usize); 6] =
    [(64, 32, 16), (64, 16, 32), (64, 8, 64), (8, 32, 16), (8, 16, 32), (8, 8, 64)];

const ACTIVATIONS: [Activation; 11] = [
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::Silu,
    Activation::HardSwish,
    Activation::Relu6,
    Activation::LeakyRelu { slope: Constant::new(0.01) },
    Activation::Elu { alpha: Constant::new(1.0) },
    Activation::Tanh,
    Activation::Gelu,
    Activation::Mish,
    Activation::Times { factor: Constant::new(-1.0) },
];

/// Numbers in a cache line: buffers start at one, as the slots of a workspace do.
const ALIGNMENT: usize = 16;

/// `n` numbers of `memory` that start at a cache line, some of them negative.
fn aligned(memory: &mut [f32], n: usize) -> &mut [f32] {
    let first = memory.as_ptr().align_offset(ALIGNMENT * size_of::<f32>());
    let buffer = &mut memory[first..][..n];
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 37 % 64) as f32 / 16.0 - 2.0);
    buffer
}

fn elementwise(criterion: &mut Criterion) {
    let backend = Backend::detect();
    for (batch, size, channels) in SIZES {
        let shape = Shape::new(batch, size, size, channels).unwrap();
        let n = shape.len();
        // A computation that touches `tensors` tensors of the full size.
        let mut measure = |name: &str, tensors: f64, run: &mut dyn FnMut()| {
            let work = Work::Bytes(tensors * (n * size_of::<f32>()) as f64);
            bench(criterion, &format!("{name} {size}x{size}x{channels} b{batch}"), backend, work, run);
        };

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

        measure("copy", 2.0, &mut || out.copy_from_slice(black_box(x.data)));
        measure("sum of 1", 2.0, &mut || {
            combine::forward(backend, black_box(&terms[..1]), false, false, ViewMut::dense(out, shape));
        });
        measure("sum of 3", 4.0, &mut || {
            combine::forward(backend, black_box(&terms[..3]), false, false, ViewMut::dense(out, shape));
        });
        measure("sum of 4, rectified", 5.0, &mut || {
            combine::forward(backend, black_box(&terms), true, false, ViewMut::dense(out, shape));
        });
        measure("add gradient", 3.0, &mut || {
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: true, gate: None, sums: None };
            combine::vjp(backend, black_box(gradient), sink);
        });
        measure("equal", 2.0, &mut || {
            assert!(equal(backend, black_box(x), View::dense(stored[0], shape)));
        });
        measure("batch norm vjp", 3.0, &mut || {
            let gradient = Gradient { stored: y, normalised: Some(normalised) };
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
            combine::vjp(backend, black_box(gradient), sink);
        });
        let mut sums = vec![0.0; 4 * channels];
        let (statistics, sums) = sums.split_at_mut(2 * channels);
        let (mean, squares) = statistics.split_at_mut(channels);
        let mut moments = Moments::new(mean, squares);
        measure("moments", 1.0, &mut || moments.update(backend, black_box(&x), 0, shape.positions()));
        let (gradients, products) = sums.split_at_mut(channels);
        let mut sums = Sums::new(&coefficients, gradients, products);
        measure("batch norm sums", 2.0, &mut || {
            sums.update(backend, black_box(&y), &x, 0, shape.positions());
        });

        for (name, window) in [("3x3", Window::new(3, 1, 1)), ("2x2/2", Window::new(2, 2, 0))] {
            let window = window.unwrap();
            let pooled = window.output(shape).unwrap();
            let tensors = 1.0 + pooled.len() as f64 / n as f64;
            let mut memory = vec![0.0; pool::scratch_len(&window, shape, pooled) + ALIGNMENT];
            let scratch = aligned(&mut memory, pool::scratch_len(&window, shape, pooled));
            let small = Gradient { stored: View::dense(y.data, pooled), normalised: None };
            measure(&format!("mean {name}"), tensors, &mut || {
                pool::forward(backend, &window, black_box(plain), false, ViewMut::dense(out, pooled), scratch);
            });
            measure(&format!("mean {name} vjp"), tensors, &mut || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                pool::vjp(backend, &window, black_box(small), sink, scratch);
            });
            let mut memory = vec![0.0; max_pool::scratch_len(&window, shape, pooled) + ALIGNMENT];
            let scratch = aligned(&mut memory, max_pool::scratch_len(&window, shape, pooled));
            measure(&format!("maximum {name}"), tensors, &mut || {
                max_pool::forward(backend, &window, black_box(plain), false, ViewMut::dense(out, pooled), scratch);
            });
            measure(&format!("maximum {name} vjp"), 1.0 + tensors, &mut || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                max_pool::vjp(backend, &window, black_box(plain), small, sink, scratch);
            });
        }
        let parts =
            [("channels", Slice::of_channels(0, channels / 2)), ("positions", Slice::of_positions(channels, 1))];
        for (name, slice) in parts {
            let [height, width] = [0, 1].map(|axis| (size - slice.offset[axis]).div_ceil(slice.stride[axis]));
            let part = Shape { height, width, channels: slice.channels, ..shape };
            let tensors = 2.0 * part.len() as f64 / n as f64;
            measure(&format!("slice of {name}"), tensors, &mut || {
                slice::forward(backend, &slice, black_box(plain), ViewMut::dense(out, part));
            });
            measure(&format!("slice of {name} vjp"), 1.0 + tensors / 2.0, &mut || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                slice::vjp(backend, &slice, black_box(View::dense(y.data, part)), sink);
            });
        }
        let pad = Pad { before: [0; 2], behind: [1; 2] };
        let padded = Shape { height: size + 1, width: size + 1, ..shape };
        let mut wide = vec![0.0; padded.len()];
        measure("pad", 2.0, &mut || {
            pad::forward(backend, &pad, black_box(plain), ViewMut::dense(&mut wide, padded));
        });
        measure("pad vjp", 2.0, &mut || {
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
            pad::vjp(backend, &pad, black_box(View::dense(&wide, padded)), sink);
        });
        measure("positions", 2.0, &mut || {
            let table = &w.data[..n / shape.batch];
            positions::forward(backend, black_box(plain), table, ViewMut::dense(out, shape));
        });
        let norm = GroupNorm { groups: 4, epsilon: 1e-5.into() };
        let mut scratch = vec![0.0; group_norm::scratch_len(shape)];
        measure("group norm", 4.0, &mut || {
            group_norm::forward(backend, &norm, None, None, black_box(x), ViewMut::dense(out, shape), &mut scratch);
        });
        measure("group norm vjp", 7.0, &mut || {
            let out = ViewMut::dense(out, shape);
            group_norm::vjp(backend, &norm, None, black_box(x), y, false, out, &mut scratch);
        });
        measure("shuffle of 2 groups", 2.0, &mut || {
            let shuffle = Shuffle { groups: 2 };
            shuffle::forward(backend, &shuffle, black_box(y), false, ViewMut::dense(out, shape));
        });
        let gain = vec![0.5; shape.channels];
        measure("scale", 2.0, &mut || {
            scale::forward(backend, black_box(y), Some(&gain), ViewMut::dense(out, shape));
        });
        let one = Shape { height: 1, width: 1, ..shape };
        let mut numbers = vec![0.5; one.len()];
        let factor = Value { stored: View::dense(&numbers, one), affine: None, rectified: false };
        measure("product by channel", 2.0, &mut || {
            product::forward(backend, black_box(plain), factor, ViewMut::dense(out, shape));
        });
        measure("product by channel vjp", 2.0, &mut || {
            let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
            product::vjp_of_map(backend, factor, black_box(y), sink);
        });
        measure("product by channel vjp of the factor", 2.0, &mut || {
            let sink = Sink { stored: ViewMut::dense(&mut numbers, one), accumulate: false, gate: None, sums: None };
            product::vjp_of_factor(backend, black_box(plain), y, sink);
        });
        measure("product of maps", 3.0, &mut || {
            product::forward(backend, black_box(plain), plain, ViewMut::dense(out, shape));
        });
        for function in ACTIVATIONS {
            let name = format!("{function:?}").to_lowercase();
            let name = name.split(' ').next().unwrap();
            measure(name, 2.0, &mut || {
                activation::forward(backend, function, black_box(plain), ViewMut::dense(out, shape));
            });
            measure(&format!("{name} vjp"), 3.0, &mut || {
                let sink = Sink { stored: ViewMut::dense(out, shape), accumulate: false, gate: None, sums: None };
                activation::vjp(backend, function, black_box(plain), y, sink);
            });
        }
        measure("global mean", 1.0, &mut || {
            let means = Shape { height: 1, width: 1, ..shape };
            global_pool::forward(backend, black_box(plain), 0, ViewMut::dense(out, means));
        });
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = elementwise
}
criterion_main!(benches);
