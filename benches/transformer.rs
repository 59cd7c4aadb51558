//! The primitives of a small vision transformer (192 channels, 14 × 14 patches, batch 8).

use aznas::ops::attention::{self, Attention};
use aznas::ops::{bias, layer_norm, linear};
use aznas::simd::Backend;
use aznas::tensor::{Gradient, Shape, View, ViewMut};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};
use std::hint::black_box;

const BATCH: usize = 8;
const TOKENS: usize = 197;

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 37 % 64) as f32 / 32.0 - 1.0).collect()
}

fn transformer(criterion: &mut Criterion) {
    for backend in Backend::available() {
        let tokens = |channels| Shape::new(BATCH, TOKENS, 1, channels).unwrap();
        for (inputs, outputs) in [(192, 576), (192, 192), (192, 768), (768, 192)] {
            let (x, weight, bias) = (numbers(tokens(inputs).len()), numbers(inputs * outputs), numbers(outputs));
            let (mut y, mut out) = (numbers(tokens(outputs).len()), numbers(tokens(inputs).len()));
            let len = linear::scratch_len(inputs, outputs).max(linear::scratch_len(outputs, inputs));
            let mut scratch = vec![0.0; len];
            let work = Work::Operations((2 * BATCH as u64 * linear::macs(tokens(inputs), outputs)) as f64);
            let name = format!("linear {inputs} to {outputs}");
            bench(criterion, &name, backend, work, || {
                let input = View::dense(black_box(&x), tokens(inputs));
                let out = ViewMut::dense(&mut y, tokens(outputs));
                linear::forward(backend, input, &weight, Some(&bias), out, &mut scratch);
            });
            bench(criterion, &format!("{name} vjp"), backend, work, || {
                let gradient = View::dense(black_box(&y), tokens(outputs));
                let out = ViewMut::dense(&mut out, tokens(inputs));
                linear::vjp(backend, gradient, &weight, false, out, &mut scratch);
            });
            let (mut of_weight, mut of_bias) = (numbers(inputs * outputs), numbers(outputs));
            let mut scratch = vec![0.0; linear::weight_scratch_len(tokens(inputs))];
            bench(criterion, &format!("{name} weight"), backend, work, || {
                let (x, g) = (View::dense(black_box(&x), tokens(inputs)), View::dense(&y, tokens(outputs)));
                linear::weight_vjp(backend, x, g, &mut of_weight, &mut scratch);
            });
            let bytes = Work::Bytes((y.len() * size_of::<f32>()) as f64);
            bench(criterion, &format!("{name} bias"), backend, bytes, || {
                let gradient = Gradient { stored: View::dense(black_box(&y), tokens(outputs)), normalised: None };
                bias::vjp(backend, &[gradient], &mut of_bias);
            });
        }
        for heads in [3, 4] {
            let op = Attention { heads, grid: [14, 14], reach: 14 };
            let (input, result) = (tokens(3 * 64 * heads), tokens(64 * heads));
            let (x, table) = (numbers(input.len()), numbers(op.entries() * 64));
            let (mut y, mut out) = (numbers(result.len()), numbers(input.len()));
            let mut scratch = vec![0.0; attention::vjp_scratch_len(&op, input)];
            // By the definition; what is done is less: relative positions cost a quarter of what they count.
            let operations = (2 * BATCH as u64 * op.macs(input)) as f64;
            bench(criterion, &format!("attention {heads}"), backend, Work::Operations(operations), || {
                let input = View::dense(black_box(&x), input);
                attention::forward(&op, backend, input, [&table; 4], ViewMut::dense(&mut y, result), &mut scratch);
            });
            bench(criterion, &format!("attention {heads} vjp"), backend, Work::Operations(2.5 * operations), || {
                let (x, g) = (View::dense(black_box(&x), input), View::dense(&y, result));
                let out = ViewMut::dense(&mut out, input);
                attention::vjp(&op, backend, x, [&table; 4], g, false, out, &mut scratch);
            });
            let mut of_tables = [(); 4].map(|()| numbers(table.len()));
            let plain = Attention::plain(heads);
            let operations_of_plain = Work::Operations((2 * BATCH as u64 * plain.macs(input)) as f64);
            bench(criterion, &format!("attention {heads} without positions"), backend, operations_of_plain, || {
                let (x, out) = (View::dense(black_box(&x), input), ViewMut::dense(&mut y, result));
                attention::forward(&plain, backend, x, [&[]; 4], out, &mut scratch);
            });
            let mut scratch = vec![0.0; attention::tables_scratch_len(&op, input)];
            // Two of the five products of the vjp.
            bench(criterion, &format!("attention {heads} tables"), backend, Work::Operations(operations), || {
                let (x, g) = (View::dense(black_box(&x), input), View::dense(&y, result));
                let of_tables = of_tables.each_mut().map(|table| &mut table[..]);
                attention::tables_vjp(&op, backend, x, [&table; 4], g, of_tables, &mut scratch);
            });
        }
        for channels in [192, 768] {
            let shape = tokens(channels);
            let (x, g, mut out) = (numbers(shape.len()), numbers(shape.len()), numbers(shape.len()));
            let (view, gradient) = (View::dense(&x, shape), View::dense(&g, shape));
            let mut scratch = vec![0.0; layer_norm::vjp_scratch_len(shape)];
            let bytes = |tensors: usize| Work::Bytes((tensors * shape.len() * size_of::<f32>()) as f64);
            bench(criterion, &format!("layer norm {channels}"), backend, bytes(2), || {
                layer_norm::forward(backend, 1e-5, None, None, black_box(view), ViewMut::dense(&mut out, shape));
            });
            bench(criterion, &format!("layer norm {channels} vjp"), backend, bytes(3), || {
                let (x, out) = (black_box(view), ViewMut::dense(&mut out, shape));
                layer_norm::vjp(backend, 1e-5, None, x, gradient, false, out, &mut scratch);
            });
            let [mut gain, mut shift] = [(); 2].map(|()| numbers(channels));
            let mut scratch = vec![0.0; layer_norm::parameters_scratch_len(shape)];
            bench(criterion, &format!("layer norm {channels} parameters"), backend, bytes(2), || {
                let x = black_box(view);
                layer_norm::parameters_vjp(backend, 1e-5, x, gradient, &mut gain, &mut shift, &mut scratch);
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = transformer
}
criterion_main!(benches);
