//! The primitives of a small vision transformer (192 channels, 14 × 14 patches, batch 8): billions of operations (2 a
//! multiply-add) a second and percent of peak for matrix products, billions of numbers a second for the rest.

#[path = "common/peak.rs"]
mod peak;

use aznas::ops::attention::Attention;
use aznas::ops::gelu;
use aznas::ops::layer_norm::{self, LayerNorm};
use aznas::ops::linear::{self, Linear};
use aznas::simd::Backend;
use aznas::tensor::{Shape, View, ViewMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

const BATCH: usize = 8;
const TOKENS: usize = 197;

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 37 % 64) as f32 / 32.0 - 1.0).collect()
}

/// Measures one computation and prints its rate; `operations` are floating-point operations of a matrix product, or else
/// `elements` numbers.
fn measure(
    criterion: &mut Criterion,
    backend: Backend,
    name: &str,
    elements: usize,
    operations: u64,
    mut run: impl FnMut(),
) {
    let seconds = peak::seconds(&mut run);
    if operations > 0 {
        let rate = operations as f64 / seconds / 1e9;
        println!("{} {name}: {rate:.1} GFLOP/s, {:.0} %", backend.name(), 100.0 * rate / peak::gigaflops(backend));
    } else {
        println!("{} {name}: {:.2} numbers/ns", backend.name(), elements as f64 / seconds / 1e9);
    }
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(200));
    group.throughput(Throughput::Elements(elements as u64));
    group.bench_function(BenchmarkId::from_parameter(backend.name()), |bencher| bencher.iter(&mut run));
}

fn transformer(criterion: &mut Criterion) {
    for backend in Backend::available() {
        let tokens = |channels| Shape::new(BATCH, TOKENS, 1, channels).unwrap();
        for (inputs, outputs) in [(192, 576), (192, 192), (192, 768), (768, 192)] {
            let (x, weight, bias) = (numbers(tokens(inputs).len()), numbers(inputs * outputs), numbers(outputs));
            let (mut y, mut out) = (numbers(tokens(outputs).len()), numbers(tokens(inputs).len()));
            let len = linear::scratch_len(inputs, outputs).max(linear::scratch_len(outputs, inputs));
            let mut scratch = vec![0.0; len];
            let linear = Linear { weight: &weight, bias: Some(&bias), inputs, outputs };
            let operations = 2 * BATCH as u64 * linear::macs(tokens(inputs), outputs);
            let name = format!("linear {inputs} to {outputs}");
            measure(criterion, backend, &name, y.len(), operations, || {
                let input = View::dense(black_box(&x), tokens(inputs));
                linear.forward(backend, input, ViewMut::dense(&mut y, tokens(outputs)), &mut scratch);
            });
            measure(criterion, backend, &format!("{name} vjp"), x.len(), operations, || {
                let gradient = View::dense(black_box(&y), tokens(outputs));
                linear.vjp(backend, gradient, false, ViewMut::dense(&mut out, tokens(inputs)), &mut scratch);
            });
        }
        for heads in [3, 4] {
            let attention = Attention { heads, grid: [14, 14], reach: 14 };
            let (input, result) = (tokens(3 * 64 * heads), tokens(64 * heads));
            let (x, tables) = (numbers(input.len()), numbers(4 * attention.entries() * 64));
            let (mut y, mut out) = (numbers(result.len()), numbers(input.len()));
            let mut scratch = vec![0.0; attention.vjp_scratch_len(input)];
            // By the definition; what is done is less: relative positions cost a quarter of what they count.
            let operations = 2 * BATCH as u64 * attention.macs(input);
            measure(criterion, backend, &format!("attention {heads}"), y.len(), operations, || {
                let input = View::dense(black_box(&x), input);
                attention.forward(backend, input, &tables, ViewMut::dense(&mut y, result), &mut scratch);
            });
            measure(criterion, backend, &format!("attention {heads} vjp"), x.len(), 5 * operations / 2, || {
                let (x, g) = (View::dense(black_box(&x), input), View::dense(&y, result));
                attention.vjp(backend, x, &tables, g, false, ViewMut::dense(&mut out, input), &mut scratch);
            });
        }
        for channels in [192, 768] {
            let shape = tokens(channels);
            let (x, g, mut out) = (numbers(shape.len()), numbers(shape.len()), numbers(shape.len()));
            let (view, gradient) = (View::dense(&x, shape), View::dense(&g, shape));
            let norm = LayerNorm { gain: None, shift: None, epsilon: 1e-5 };
            let mut scratch = vec![0.0; layer_norm::scratch_len(shape)];
            measure(criterion, backend, &format!("layer norm {channels}"), x.len(), 0, || {
                norm.forward(backend, black_box(view), ViewMut::dense(&mut out, shape));
            });
            measure(criterion, backend, &format!("layer norm {channels} vjp"), x.len(), 0, || {
                norm.vjp(backend, black_box(view), gradient, false, ViewMut::dense(&mut out, shape), &mut scratch);
            });
            measure(criterion, backend, &format!("gelu {channels}"), x.len(), 0, || {
                gelu::forward(backend, black_box(view), ViewMut::dense(&mut out, shape));
            });
            measure(criterion, backend, &format!("gelu {channels} vjp"), x.len(), 0, || {
                gelu::vjp(backend, black_box(view), gradient, false, ViewMut::dense(&mut out, shape));
            });
        }
    }
}

criterion_group!(benches, transformer);
criterion_main!(benches);
