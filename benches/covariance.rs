//! Second moments. Operations are those of the whole matrix: a symmetric one takes about half, so that percents may
//! exceed 100.

use aznas::base::rng::{Key, Stream};
use aznas::linalg::covariance::{self, covariance, cross_moment, dual};
use aznas::simd::Backend;
use aznas::tensor::{Shape, View, random};
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, bench};
use std::hint::black_box;

/// Width of the square map, batch and channels: the NAS-Bench-201 stages, the first, a middle and the last stage of a mobile
/// network, and nearly the tokens of a small transformer.
const SHAPES: [[usize; 3]; 7] =
    [[32, 64, 16], [16, 64, 32], [8, 64, 64], [112, 64, 24], [14, 64, 112], [7, 64, 2048], [14, 8, 192]];

/// Width of the square map, channels of u and of v, and how many times as wide the map of u is: a block that halves the map
/// of NAS-Bench-201, and three blocks of a mobile network.
const FOLDED: [[usize; 4]; 4] = [[16, 16, 32, 2], [56, 24, 24, 2], [28, 24, 32, 2], [7, 192, 2048, 1]];

fn normal(len: usize) -> Vec<f32> {
    let mut out = vec![0.0; len];
    random::fill_normal(Backend::detect(), Key::new(1, Stream::Input, 0, 0), 1.0, &mut out);
    out
}

fn moments(criterion: &mut Criterion) {
    // The scalar back end takes seconds for the largest.
    for backend in Backend::available().filter(|&backend| backend != Backend::Scalar) {
        for [width, batch, channels] in SHAPES {
            let shape = Shape::new(batch, width, width, channels).unwrap();
            let (positions, data) = (shape.positions(), normal(shape.len()));
            let features = View::dense(&data, shape);
            let work = Work::Operations((2 * positions * channels * channels) as f64);
            let (mut out, mut sums) = (vec![0.0; channels * channels], vec![0.0; channels]);

            let mut scratch = vec![0.0; covariance::covariance_scratch_len(channels)];
            let name = format!("covariance {positions}x{channels}");
            bench(criterion, &name, backend, work, || {
                covariance(backend, features, black_box(&mut out), &mut scratch, &mut sums);
            });
            let mut scratch = vec![0.0; covariance::cross_moment_scratch_len(channels, channels)];
            let name = format!("cross moment {positions}x{channels}");
            bench(criterion, &name, backend, work, || {
                cross_moment(backend, features, features, 0..batch, black_box(&mut out), &mut scratch);
            });
        }

        for [width, inputs, outputs, ratio] in FOLDED {
            let batch = 64;
            let u_shape = Shape::new(batch, width * ratio, width * ratio, inputs).unwrap();
            let v_shape = Shape::new(batch, width, width, outputs).unwrap();
            let (u_data, v_data) = (normal(u_shape.len()), normal(v_shape.len()));
            let (u, v) = (View::dense(&u_data, u_shape), View::dense(&v_data, v_shape));
            let (positions, rows) = (v_shape.positions(), inputs * ratio * ratio);
            let mut out = vec![0.0; rows * outputs];
            let mut scratch = vec![0.0; covariance::cross_moment_scratch_len(rows, outputs)];
            let work = Work::Operations((2 * positions * rows * outputs) as f64);
            bench(criterion, &format!("folded cross moment {positions}x{rows}x{outputs}"), backend, work, || {
                cross_moment(backend, u, v, 0..batch, black_box(&mut out), &mut scratch);
            });
        }

        let data = normal(392 * 2048);
        let features = View::dense(&data, Shape::new(8, 7, 7, 2048).unwrap());
        let (mut out, mut sums) = (vec![0.0; 392 * 392], vec![0.0; 392]);
        let mut scratch = vec![0.0; covariance::dual_scratch_len(392, 2048)];
        let work = Work::Operations((2 * 392 * 392 * 2048) as f64);
        bench(criterion, "dual 392x2048", backend, work, || {
            dual(backend, features, black_box(&mut out), &mut scratch, &mut sums);
        });
    }
}

criterion_group! {
    name = benches;
    config = measure::criterion();
    targets = moments
}
criterion_main!(benches);
