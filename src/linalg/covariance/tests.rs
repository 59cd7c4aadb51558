use super::*;
use crate::base::rng::{Key, Stream};
use crate::simd::Backend;
use crate::simd::root::sqrt;
use crate::tensor::{Shape, random};
use std::{vec, vec::Vec};

fn numbers(node: u32, len: usize) -> Vec<f32> {
    let mut out = vec![0.0; len];
    random::fill_normal(Backend::Scalar, Key::new(9, Stream::Input, 0, node), 1.0, &mut out);
    out
}

/// Rows `gap` numbers apart beyond their channels.
fn view(data: &[f32], shape: Shape, gap: usize) -> View<'_> {
    View { data, shape, pitch: shape.channels + gap }
}

fn run_covariance(backend: Backend, features: View<'_>) -> Vec<f64> {
    let channels = features.shape.channels;
    let mut out = vec![f64::NAN; channels * channels];
    let mut scratch = vec![f32::NAN; covariance_scratch_len(channels)];
    covariance(backend, features, &mut out, &mut scratch, &mut vec![f64::NAN; channels]);
    out
}

fn run_dual(backend: Backend, features: View<'_>) -> Vec<f64> {
    let (positions, channels) = (features.shape.positions(), features.shape.channels);
    let mut out = vec![f64::NAN; positions * positions];
    let mut scratch = vec![f32::NAN; dual_scratch_len(positions, channels)];
    dual(backend, features, &mut out, &mut scratch, &mut vec![f64::NAN; positions]);
    out
}

/// Channels less their means, in double precision, position after position.
fn centred(features: View<'_>) -> Vec<f64> {
    let (positions, channels) = (features.shape.positions(), features.shape.channels);
    let mut out: Vec<_> = (0..positions).flat_map(|i| features.row(i).iter().map(|&x| f64::from(x))).collect();
    for channel in 0..channels {
        let mean = out.iter().skip(channel).step_by(channels).sum::<f64>() / positions as f64;
        out.iter_mut().skip(channel).step_by(channels).for_each(|x| *x -= mean);
    }
    out
}

/// `XᵀX / divisor` of rows × columns.
fn gram(x: &[f64], columns: usize, divisor: f64) -> Vec<f64> {
    let mut out = vec![0.0; columns * columns];
    for row in x.chunks_exact(columns) {
        for i in 0..columns {
            for j in 0..columns {
                out[i * columns + j] += row[i] * row[j] / divisor;
            }
        }
    }
    out
}

fn transpose<T: Copy>(x: &[T], columns: usize) -> Vec<T> {
    (0..columns).flat_map(|j| x.iter().skip(j).step_by(columns).copied()).collect()
}

/// The largest error of an element relative to the geometric mean of its diagonal elements.
fn error(x: &[f64], expected: &[f64], columns: usize) -> f64 {
    let mut largest = 0f64;
    for i in 0..columns {
        for j in 0..columns {
            let scale = sqrt(expected[i * columns + i] * expected[j * columns + j]);
            let difference = (x[i * columns + j] - expected[i * columns + j]).abs();
            assert!(!difference.is_nan());
            largest = largest.max(if difference == 0.0 { 0.0 } else { difference / scale });
        }
    }
    largest
}

/// Shapes with few and many positions, odd channels, around every back end's vectors, panels and chunks.
const SHAPES: [[usize; 4]; 12] = [
    [1, 1, 1, 5],
    [1, 2, 1, 1],
    [1, 3, 1, 4],
    [1, 7, 1, 7],
    [2, 5, 13, 8],
    [1, 127, 1, 15],
    [2, 64, 1, 16],
    [1, 43, 3, 17],
    [3, 100, 1, 31],
    [1, 32, 32, 33],
    [1, 300, 1, 65],
    [1, 40, 1, 100],
];

fn shape([batch, height, width, channels]: [usize; 4]) -> Shape {
    Shape::new(batch, height, width, channels).unwrap()
}

#[test]
fn covariance_and_dual_match_double_precision() {
    let normal = numbers(1, 40_000);
    // Deviations from 1/4 to 4; means of about 0, of 3 deviations, and of 1000.
    for mean in [0.0, 3.0, 1000.0] {
        for size in SHAPES {
            for gap in [0, 3] {
                let shape = shape(size);
                let pitch = shape.channels + gap;
                let mut data = normal[..shape.positions() * pitch].to_vec();
                for row in data.chunks_exact_mut(pitch) {
                    for (channel, x) in row.iter_mut().enumerate() {
                        *x = (*x + mean) * [0.25, 1.0, 4.0][channel % 3];
                    }
                }
                let features = view(&data, shape, gap);
                let (positions, n) = (shape.positions(), shape.positions() as f64);
                let tolerance = |rows: usize| 5e-7 / sqrt(rows.div_ceil(64) as f64);
                let exact = centred(features);
                let covariance = gram(&exact, shape.channels, n);
                let dual = gram(&transpose(&exact, shape.channels), positions, n);
                for backend in Backend::available() {
                    let case = (backend.name(), mean, size, gap);
                    let e = error(&run_covariance(backend, features), &covariance, shape.channels);
                    assert!(e <= tolerance(positions), "covariance {case:?}: {e:e}");
                    if positions <= 129 {
                        let e = error(&run_dual(backend, features), &dual, positions);
                        assert!(e <= tolerance(shape.channels), "dual {case:?}: {e:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn errors_of_chunks_average_out() {
    let shape = shape([16, 32, 32, 16]);
    let data = numbers(2, shape.len());
    let features = view(&data, shape, 0);
    let expected = gram(&centred(features), 16, shape.positions() as f64);
    for backend in Backend::available() {
        let e = error(&run_covariance(backend, features), &expected, 16);
        assert!(e < 3e-8, "{}: {e:e}", backend.name());
    }
}

#[test]
fn matrices_are_symmetric_to_the_bit() {
    let shape = shape([1, 150, 1, 37]);
    let data = numbers(3, shape.len());
    for backend in Backend::available() {
        let covariance = run_covariance(backend, view(&data, shape, 0));
        assert_eq!(covariance, transpose(&covariance, 37));
        let dual = run_dual(backend, view(&data, shape, 0));
        assert_eq!(dual, transpose(&dual, 150));
    }
}

#[test]
fn constant_channels_have_exactly_no_variance() {
    for positions in [1, 2, 3, 63, 65, 129, 1000] {
        let shape = shape([1, positions, 1, 5]);
        let mut data = numbers(4, shape.len());
        for row in data.chunks_exact_mut(5) {
            (row[1], row[4]) = (0.1, -12_345.678);
        }
        for backend in Backend::available() {
            let out = run_covariance(backend, view(&data, shape, 0));
            for i in 0..5 {
                for j in 0..5 {
                    let constant = [1, 4].contains(&i) || [1, 4].contains(&j);
                    assert!(!constant || out[i * 5 + j] == 0.0, "{} {positions} ({i}, {j})", backend.name());
                }
                assert_eq!(out[i * 5 + i] > 0.0, ![1, 4].contains(&i) && positions > 1, "{}", backend.name());
            }
            let constant: Vec<f32> = data[..5].iter().copied().cycle().take(shape.len().min(500)).collect();
            let few = Shape { height: constant.len() / 5, ..shape };
            assert!(run_dual(backend, view(&constant, few, 0)).iter().all(|&x| x == 0.0));
        }
    }
}

#[test]
fn not_a_number_stays_in_its_channel() {
    let shape = shape([1, 200, 1, 20]);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut data = numbers(5, shape.len());
        data[137 * 20 + 6] = bad;
        for backend in Backend::available() {
            let out = run_covariance(backend, view(&data, shape, 0));
            for i in 0..20 {
                for j in 0..20 {
                    assert_eq!(out[i * 20 + j].is_nan(), i == 6 || j == 6, "{} ({i}, {j})", backend.name());
                }
            }
            assert!(run_dual(backend, view(&data, shape, 0)).iter().all(|x| x.is_nan()));
        }
    }
}

#[test]
fn no_positions_give_not_a_number() {
    for backend in Backend::available() {
        assert!(run_covariance(backend, view(&[], shape([0, 4, 4, 3]), 0)).iter().all(|x| x.is_nan()));
        let (u, v) = (view(&[], shape([0, 4, 4, 3]), 0), view(&[], shape([0, 4, 4, 2]), 0));
        let (mut out, mut scratch) = ([0.0; 6], vec![0.0; cross_moment_scratch_len(3, 2)]);
        cross_moment(backend, u, v, 0..0, &mut out, &mut scratch);
        assert!(out.iter().all(|x| x.is_nan()));
    }
}

#[test]
fn shift_survives_a_sample_that_misleads() {
    // All but the sampled positions are 30 deviations away: the correction r rᵀ is large.
    let shape = shape([1, 64 * 16, 1, 9]);
    let mut data = numbers(6, shape.len());
    for (position, row) in data.chunks_exact_mut(9).enumerate() {
        row.iter_mut().for_each(|x| *x += if position % 16 == 0 { 0.0 } else { 30.0 });
    }
    let features = view(&data, shape, 0);
    let expected = gram(&centred(features), 9, 1024.0);
    for backend in Backend::available() {
        let e = error(&run_covariance(backend, features), &expected, 9);
        assert!(e < 4e-6, "{}: {e:e}", backend.name());
    }
}

#[test]
fn cross_moments_match_double_precision() {
    // The shape of V, the channels of U, the ratio of the maps, the samples.
    let cases = [
        ([1, 1, 1, 1], 1, 1, 0..1),
        ([2, 5, 7, 3], 4, 1, 0..2),
        ([3, 6, 6, 16], 16, 1, 1..2),
        ([4, 8, 8, 33], 17, 1, 1..4),
        ([2, 3, 5, 7], 5, 2, 0..2),
        ([3, 4, 4, 32], 16, 2, 1..3),
        ([2, 9, 9, 5], 3, 3, 1..2),
        ([2, 197, 1, 20], 20, 1, 0..2),
    ];
    for (size, inputs, ratio, samples) in cases {
        for gap in [0, 2] {
            let v_shape = shape(size);
            let [batch, height, width, channels] = size;
            let u_shape = shape([batch, height * ratio, width * ratio, inputs]);
            let u_data = numbers(7, u_shape.positions() * (inputs + gap));
            let v_data = numbers(8, v_shape.positions() * (channels + gap));
            let (u, v) = (view(&u_data, u_shape, gap), view(&v_data, v_shape, gap));
            let rows = inputs * ratio * ratio;
            let mut expected = vec![0.0; rows * channels];
            let n = (samples.len() * height * width) as f64;
            for image in samples.clone() {
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let direction = v.row((image * height + y) * width + x);
                    for row in 0..rows {
                        let (channel, dy, dx) = (row / (ratio * ratio), row / ratio % ratio, row % ratio);
                        let place = (image * u_shape.height + y * ratio + dy) * u_shape.width + x * ratio + dx;
                        for j in 0..channels {
                            expected[row * channels + j] +=
                                f64::from(u.row(place)[channel]) * f64::from(direction[j]) / n;
                        }
                    }
                }
            }
            for backend in Backend::available() {
                let mut out = vec![f64::NAN; rows * channels];
                let mut scratch = vec![f32::NAN; cross_moment_scratch_len(rows, channels)];
                cross_moment(backend, u, v, samples.clone(), &mut out, &mut scratch);
                for (i, (x, expected)) in out.iter().zip(&expected).enumerate() {
                    let case = (backend.name(), size, inputs, ratio, gap);
                    assert!((x - expected).abs() < 4e-7, "{case:?} {i}: {:e}", x - expected);
                }
            }
        }
    }
}
