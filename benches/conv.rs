//! Convolutions of the three search spaces, both directions, and the gradients of their weights.
//!
//! `cargo bench --bench conv [-- FILTER]`. Multiply-adds with padding count, and so do those that Winograd's algorithm
//! saves: percents of the peak exceed 100 where it saves more than it costs.

use aznas::ops::conv2d::{Algorithm, Conv2d, Geometry};
use aznas::ops::moments::Moments;
use aznas::simd::Backend;
use aznas::tensor::{Gradient, Shape, Sink, Value, View, ViewMut};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};

/// Name, map, input and output channels, kernel, stride, groups.
type Row = (&'static str, usize, usize, usize, usize, usize, usize);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // NAS-Bench-201: stem, cells (convolutions that read one node run as one), reductions.
    ("stem 3x3",       32,   3,   16,  3,  1,   1),
    ("3x3",            32,  16,   16,  3,  1,   1),
    ("3x3",            16,  32,   32,  3,  1,   1),
    ("3x3",             8,  64,   64,  3,  1,   1),
    ("3x3 merged",     32,  16,   48,  3,  1,   1),
    ("3x3 merged",     16,  32,   96,  3,  1,   1),
    ("3x3 merged",      8,  64,  192,  3,  1,   1),
    ("1x1",            32,  16,   16,  1,  1,   1),
    ("1x1",            16,  32,   32,  1,  1,   1),
    ("1x1",             8,  64,   64,  1,  1,   1),
    ("1x1 merged",     32,  16,   48,  1,  1,   1),
    ("1x1 merged",     16,  32,   96,  1,  1,   1),
    ("1x1 merged",      8,  64,  192,  1,  1,   1),
    ("3x3/2",          32,  16,   32,  3,  2,   1),
    ("3x3/2",          16,  32,   64,  3,  2,   1),
    ("shortcut 1x1",   16,  16,   32,  1,  1,   1),
    ("shortcut 1x1",    8,  32,   64,  1,  1,   1),
    // MobileNetV2-like structures.
    ("stem 3x3/2",    224,   3,   24,  3,  2,   1),
    ("expand 1x1",     56,  32,  192,  1,  1,   1),
    ("project 1x1",    56, 192,   32,  1,  1,   1),
    ("expand 1x1",     14, 112,  672,  1,  1,   1),
    ("project 1x1",    14, 672,  112,  1,  1,   1),
    ("shortcut 1x1/2", 56,  32,   48,  1,  2,   1),
    ("last 1x1",        7, 192, 2048,  1,  1,   1),
    ("depthwise 3x3",  56, 192,  192,  3,  1, 192),
    ("depthwise 5x5",  56, 192,  192,  5,  1, 192),
    ("depthwise 7x7",  56, 192,  192,  7,  1, 192),
    ("depthwise 3x3",  14, 672,  672,  3,  1, 672),
    ("depthwise 5x5",  14, 672,  672,  5,  1, 672),
    ("depthwise 7x7",  14, 672,  672,  7,  1, 672),
    ("depthwise 3x3/2", 112, 48,  48,  3,  2,  48),
    ("depthwise 5x5/2", 112, 48,  48,  5,  2,  48),
    ("depthwise 7x7/2", 112, 48,  48,  7,  2,  48),
    // Vision transformers: the embedding of patches.
    ("patches 16x16/16", 224, 3, 192, 16, 16,   1),
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

fn convolutions(criterion: &mut Criterion) {
    for backend in Backend::available().filter(|&backend| backend != Backend::Scalar) {
        for algorithm in Algorithm::ALL {
            let applies = |&&(_, _, inputs, _, kernel, stride, groups): &&Row| {
                let transformed = kernel == 3 && stride == 1 && groups == 1;
                match algorithm {
                    Algorithm::Winograd => transformed,
                    Algorithm::Bfloat16 => !transformed && groups == 1 && inputs % 2 == 0 && backend.has_bfloat16(),
                    _ => true,
                }
            };
            for &(name, size, inputs, outputs, kernel, stride, groups) in ROWS.iter().filter(applies) {
                for batch in if size > 32 { [1, 4] } else { [8, 64] } {
                    let input = Shape::new(batch, size, size, inputs).expect("sizes are small");
                    let square = |x| [x, x];
                    let padding = square(if kernel == stride { 0 } else { kernel / 2 });
                    let geometry =
                        Geometry::new(input, outputs, square(kernel), square(stride), padding, square(1), groups)
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
                    let work = Work::Operations(2.0 * geometry.macs() as f64);
                    let row = format!("{algorithm:?} {name} {inputs}-{outputs}@{size} b{batch}");

                    let value = Value { stored: View::dense(x.get(), input), affine: None, rectified: true };
                    bench(criterion, &format!("{row} forward"), backend, work, || {
                        let (mean, squares) = sums.split_at_mut(outputs);
                        let mut moments = Moments::new(mean, squares);
                        let z = ViewMut::dense(z.get(), output);
                        convolution.forward(&value, forward.get(), scratch.get(), z, None, Some(&mut moments));
                    });
                    let plain = Value { rectified: false, ..value };
                    bench(criterion, &format!("{row} alone"), backend, work, || {
                        convolution.forward(
                            &plain,
                            forward.get(),
                            scratch.get(),
                            ViewMut::dense(z.get(), output),
                            None,
                            None,
                        );
                    });
                    let gradient = Gradient { stored: View::dense(g.get(), output), normalised: None };
                    bench(criterion, &format!("{row} vjp"), backend, work, || {
                        let stored = ViewMut::dense(dx.get(), input);
                        let sink = Sink { stored, accumulate: false, gate: Some(value), sums: None };
                        convolution.vjp(&[gradient], vjp.get(), scratch.get(), sink);
                    });
                    // Nothing is rounded to bfloat16 there.
                    if algorithm != Algorithm::Bfloat16 {
                        let mut scratch = Aligned::new(convolution.weights_scratch_len());
                        bench(criterion, &format!("{row} weights"), backend, work, || {
                            convolution.weights_vjp(&value, &[gradient], weights.get(), scratch.get());
                        });
                    }
                    if let Some(len) = convolution.both_scratch_len() {
                        let mut scratch = Aligned::new(len);
                        let work = Work::Operations(4.0 * geometry.macs() as f64);
                        bench(criterion, &format!("{row} vjp and weights"), backend, work, || {
                            let stored = ViewMut::dense(dx.get(), input);
                            let sink = Sink { stored, accumulate: false, gate: Some(value), sums: None };
                            let (packed, weights) = (vjp.get(), weights.get());
                            convolution.both_vjp(&value, &[gradient], packed, weights, scratch.get(), sink);
                        });
                    }
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = convolutions
}
criterion_main!(benches);
