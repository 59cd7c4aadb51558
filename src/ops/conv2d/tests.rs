use super::*;
use crate::Error;
use crate::tensor::{Affine, Normalised, Shape, View};
use std::vec;
use std::vec::Vec;

/// Batch, height, width, input channels; output channels; kernel, stride, padding, dilation; groups.
pub(super) type Case = ([usize; 4], usize, [usize; 2], [usize; 2], [usize; 2], [usize; 2], usize);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // The convolutions of the search spaces, small.
    ([2, 8, 8, 16], 16, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([3, 9, 7, 16], 48, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([1, 8, 8, 32], 64, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([2, 9, 9, 16], 32, [3, 3], [2, 2], [1, 1], [1, 1], 1),
    ([2, 8, 8, 8], 24, [3, 3], [2, 2], [1, 1], [1, 1], 1),
    ([2, 10, 11, 3], 16, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([2, 11, 10, 3], 40, [3, 3], [2, 2], [1, 1], [1, 1], 1),
    ([3, 5, 7, 24], 40, [1, 1], [1, 1], [0, 0], [1, 1], 1),
    ([2, 5, 7, 120], 17, [1, 1], [1, 1], [0, 0], [1, 1], 1),
    ([2, 6, 7, 16], 33, [1, 1], [2, 2], [0, 0], [1, 1], 1),
    ([1, 2, 3, 7], 80, [1, 1], [1, 1], [0, 0], [1, 1], 1),
    // Depthwise: kernels, strides, channels around the lane widths.
    ([2, 9, 8, 16], 16, [3, 3], [1, 1], [1, 1], [1, 1], 16),
    ([2, 9, 10, 48], 48, [3, 3], [2, 2], [1, 1], [1, 1], 48),
    ([1, 9, 10, 17], 17, [5, 5], [1, 1], [2, 2], [1, 1], 17),
    ([2, 11, 9, 5], 5, [5, 5], [2, 2], [2, 2], [1, 1], 5),
    ([1, 9, 12, 24], 24, [7, 7], [1, 1], [3, 3], [1, 1], 24),
    ([2, 13, 12, 7], 7, [7, 7], [2, 2], [3, 3], [1, 1], 7),
    ([1, 9, 17, 80], 80, [3, 3], [2, 2], [1, 1], [1, 1], 80),
    ([1, 9, 16, 17], 17, [5, 5], [2, 2], [2, 2], [1, 1], 17),
    ([2, 8, 15, 144], 144, [7, 7], [2, 2], [3, 3], [1, 1], 144),
    ([1, 9, 9, 9], 9, [3, 3], [1, 1], [2, 2], [2, 2], 9),
    // Groups, odd channels, one channel.
    ([2, 6, 7, 12], 18, [3, 3], [1, 1], [1, 1], [1, 1], 3),
    ([1, 6, 7, 10], 20, [3, 3], [2, 2], [1, 1], [1, 1], 10),
    ([2, 4, 5, 8], 6, [1, 1], [1, 1], [0, 0], [1, 1], 2),
    ([2, 6, 5, 5], 7, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([1, 6, 5, 1], 1, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    // Rectangular and even kernels, dilation, unequal strides and paddings.
    ([2, 8, 9, 5], 6, [1, 7], [1, 1], [0, 3], [1, 1], 1),
    ([2, 9, 8, 6], 5, [7, 1], [1, 1], [3, 0], [1, 1], 1),
    ([2, 7, 8, 4], 9, [2, 2], [2, 2], [0, 0], [1, 1], 1),
    ([2, 7, 8, 4], 9, [4, 2], [1, 2], [1, 1], [1, 1], 1),
    ([1, 11, 12, 8], 16, [3, 3], [1, 1], [2, 2], [2, 2], 1),
    ([1, 11, 12, 3], 5, [3, 3], [2, 3], [3, 0], [3, 2], 1),
    ([1, 12, 9, 3], 5, [3, 2], [4, 6], [2, 1], [2, 4], 1),
    ([1, 13, 12, 4], 4, [5, 5], [2, 2], [2, 2], [1, 1], 1),
    // Padding of a whole kernel and more, a kernel as large as the map, strides beyond the kernel, no padding.
    ([2, 4, 3, 5], 6, [3, 3], [1, 1], [3, 4], [1, 1], 1),
    ([1, 3, 3, 5], 6, [1, 1], [3, 2], [5, 4], [1, 1], 1),
    ([1, 1, 1, 3], 4, [5, 5], [1, 1], [4, 4], [1, 1], 1),
    ([2, 5, 4, 5], 6, [5, 4], [1, 1], [0, 0], [1, 1], 1),
    ([1, 9, 10, 5], 6, [2, 2], [5, 4], [1, 0], [1, 1], 1),
    ([1, 9, 10, 5], 6, [1, 1], [3, 3], [0, 0], [1, 1], 1),
    ([2, 6, 7, 4], 5, [3, 3], [1, 1], [0, 0], [1, 1], 1),
    ([1, 1, 1, 20], 20, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([1, 1, 2, 3], 4, [3, 3], [2, 3], [1, 1], [1, 1], 1),
    ([1, 1, 1, 3], 4, [1, 2], [4, 4], [3, 3], [1, 1], 1),
    ([40, 2, 2, 8], 8, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    // More than one band an image, and bands of several images.
    ([1, 20, 90, 48], 5, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([1, 41, 40, 48], 48, [5, 5], [2, 2], [2, 2], [1, 1], 48),
    ([2, 30, 50, 20], 40, [3, 3], [2, 2], [1, 1], [1, 1], 1),
    ([30, 10, 10, 16], 8, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([5, 30, 30, 33], 3, [1, 1], [1, 1], [0, 0], [1, 1], 1),
];

/// The largest difference from the reference in double precision, relative to the sum of the products' magnitudes.
const TOLERANCE: f64 = 4e-7;
/// The same where both factors are rounded to eight bits.
const ROUNDED: f64 = 1.0 / 256.0;

pub(super) fn geometry(case: &Case) -> Geometry {
    let &([batch, height, width, channels], outputs, kernel, stride, padding, dilation, groups) = case;
    let input = Shape::new(batch, height, width, channels).unwrap();
    Geometry::new(input, outputs, kernel, stride, padding, dilation, groups).unwrap()
}

/// Numbers between -1 and 1 that look random.
pub(super) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Calls `visit(input index, output index, weight index)` for every product of the convolution.
pub(super) fn products(geometry: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (input, output) = (geometry.input(), geometry.output());
    let ([rows, columns], groups) = (geometry.kernel(), geometry.groups());
    let (inputs, outputs) = (input.channels / groups, output.channels / groups);
    let place = |position: usize, tap: usize, axis: usize, extent: usize| {
        let place = position * geometry.stride()[axis] + tap * geometry.dilation()[axis];
        place.checked_sub(geometry.padding()[axis]).filter(|&place| place < extent)
    };
    for position in 0..output.positions() {
        let (image, pixel) = (position / output.positions_per_image(), position % output.positions_per_image());
        for row in 0..rows {
            let Some(y) = place(pixel / output.width, row, 0, input.height) else { continue };
            for column in 0..columns {
                let Some(x) = place(pixel % output.width, column, 1, input.width) else { continue };
                let source = ((image * input.height + y) * input.width + x) * input.channels;
                for to in 0..output.channels {
                    for from in 0..inputs {
                        let weight = ((to * inputs + from) * rows + row) * columns + column;
                        visit(source + to / outputs * inputs + from, position * output.channels + to, weight);
                    }
                }
            }
        }
    }
}

/// A number in double precision, and the sum of the magnitudes of what was added up to it: the scale of its error.
pub(super) type Sum = (f64, f64);

/// Every product of two operands summed to the third's places. Winograd's algorithm mixes the outputs of a tile: its
/// error is on the scale of the largest, and about twice that of the direct sum.
fn reference(convolution: &Conv2d, len: usize, operand: &[Sum], weights: &[f32], forward: bool) -> Vec<Sum> {
    let mut sums = vec![(0.0, 0.0); len];
    products(convolution.geometry(), |input, output, weight| {
        let (from, to) = if forward { (input, output) } else { (output, input) };
        let weight = f64::from(weights[weight]);
        sums[to].0 += operand[from].0 * weight;
        sums[to].1 += operand[from].1 * weight.abs();
    });
    if convolution.algorithm() != Algorithm::Direct {
        let largest = sums.iter().fold(0.0, |largest: f64, sum| largest.max(sum.1));
        sums.iter_mut().for_each(|sum| sum.1 = 2.0 * largest);
    }
    if convolution.algorithm() == Algorithm::Bfloat16 {
        sums.iter_mut().for_each(|sum| sum.1 *= ROUNDED / TOLERANCE);
    }
    sums
}

pub(super) fn assert_near(got: f32, (expected, magnitude): Sum, context: &str) {
    let error = (f64::from(got) - expected).abs();
    assert!(error <= TOLERANCE * magnitude + 1e-30, "{context}: {got} is not {expected} (of {magnitude})");
}

pub(super) fn every_case(mut check: impl FnMut(Conv2d, &str)) {
    for backend in Backend::available() {
        for algorithm in Algorithm::ALL {
            for case in CASES {
                let convolution = Conv2d::new(backend, geometry(case), algorithm);
                check(convolution, &std::format!("{} {algorithm:?} {case:?}", backend.name()));
            }
        }
    }
}

/// A stored tensor of `shape`, `gap` numbers between positions.
fn stored(shape: Shape, gap: usize, seed: u64) -> Vec<f32> {
    numbers(shape.positions() * (shape.channels + gap), seed)
}

/// An input in memory, `gap` numbers between positions, and what stands between it and its readers.
pub(super) struct Input {
    shape: Shape,
    pitch: usize,
    data: Vec<f32>,
    affine: Option<[Vec<f32>; 2]>,
    rectified: bool,
}

impl Input {
    pub(super) fn new(shape: Shape, gap: usize, affine: bool, rectified: bool) -> Self {
        let affine = affine.then(|| [3, 4].map(|seed| numbers(shape.channels, seed)));
        Self { shape, pitch: shape.channels + gap, data: stored(shape, gap, 5), affine, rectified }
    }

    pub(super) fn value(&self) -> Value<'_> {
        Value {
            stored: View { data: &self.data, shape: self.shape, pitch: self.pitch },
            affine: self.affine.as_ref().map(|[scale, shift]| Affine { scale, shift }),
            rectified: self.rectified,
        }
    }

    /// What its readers see.
    pub(super) fn numbers(&self) -> Vec<Sum> {
        let number = |index: usize| {
            let (position, channel) = (index / self.shape.channels, index % self.shape.channels);
            let x = self.data[position * self.pitch + channel];
            let terms = self.affine.as_ref().map_or([x, 0.0], |[scale, shift]| [scale[channel] * x, shift[channel]]);
            let value = if self.rectified { (terms[0] + terms[1]).max(0.0) } else { terms[0] + terms[1] };
            (f64::from(value), f64::from(terms[0].abs() + terms[1].abs()))
        };
        (0..self.shape.len()).map(number).collect()
    }
}

/// The gradient of some output channels in memory, and perhaps a normalisation behind them.
pub(super) struct Member {
    shape: Shape,
    pitch: usize,
    gradient: Vec<f32>,
    normalised: Option<(Vec<f32>, [Vec<f32>; 3])>,
}

/// The output's gradient: that of one convolution, or of a merged group of them with a normalisation each.
pub(super) fn members(output: Shape, merged: bool, gap: usize) -> Vec<Member> {
    let widths = match output.channels {
        channels @ 3.. if merged => vec![channels / 3, channels - channels / 3 - 1, 1],
        channels => vec![channels],
    };
    let member = |(width, seed): (usize, u64)| {
        let shape = output.with_channels(width).unwrap();
        let coefficients = [3, 4, 5].map(|salt| numbers(width, 10 * seed + salt));
        let normalised = merged.then(|| (stored(shape, 0, 10 * seed + 1), coefficients));
        Member { shape, pitch: width + gap, gradient: stored(shape, gap, 10 * seed), normalised }
    };
    widths.into_iter().zip(1..).map(member).collect()
}

impl Member {
    pub(super) fn gradient(&self) -> Gradient<'_> {
        Gradient {
            stored: View { data: &self.gradient, shape: self.shape, pitch: self.pitch },
            normalised: self.normalised.as_ref().map(|(z, [by_gradient, by_input, constant])| Normalised {
                input: View::dense(z, self.shape),
                by_gradient,
                by_input,
                constant,
            }),
        }
    }
}

/// What the readers of gradients side by side see.
pub(super) fn sums(gradients: &[Gradient<'_>]) -> Vec<Sum> {
    let mut sums = Vec::new();
    for position in 0..gradients[0].stored.shape.positions() {
        for gradient in gradients {
            let g = gradient.stored.row(position).iter().enumerate();
            sums.extend(g.map(|(channel, &g)| {
                let terms = match gradient.normalised {
                    None => [g, 0.0, 0.0],
                    Some(n) => {
                        let z = n.input.row(position)[channel];
                        [n.by_gradient[channel] * g, n.by_input[channel] * z, n.constant[channel]]
                    }
                };
                (f64::from(terms.iter().sum::<f32>()), f64::from(terms.iter().map(|x| x.abs()).sum::<f32>()))
            }));
        }
    }
    sums
}

#[test]
fn forward_is_the_sum_of_products() {
    every_case(|convolution, context| {
        let geometry = *convolution.geometry();
        let (shape, output) = (geometry.input(), geometry.output());
        let weights = numbers(geometry.weights(), 1);
        let bias = numbers(output.channels, 2);
        let mut packed = vec![f32::NAN; convolution.packed_forward_len()];
        convolution.pack_forward(&weights, &mut packed);
        for (gap, affine, rectified) in [(0, false, false), (3, false, true), (0, true, true)] {
            let input = Input::new(shape, gap, affine, rectified);
            let expected = reference(&convolution, output.len(), &input.numbers(), &weights, true);

            let pitch = output.channels + gap;
            let mut out = vec![f32::NAN; output.positions() * pitch - gap];
            let mut scratch = vec![f32::NAN; convolution.scratch_len()];
            let (mut mean, mut squares) = (vec![f64::NAN; output.channels], vec![f64::NAN; output.channels]);
            let mut moments = Moments::new(&mut mean, &mut squares);
            let view = ViewMut { data: &mut out, shape: output, pitch };
            let bias = (gap == 0).then_some(&bias[..]);
            convolution.forward(&input.value(), &packed, &mut scratch, view, bias, Some(&mut moments));
            assert_eq!(moments.count(), output.positions());
            for (position, row) in out.chunks(pitch).enumerate() {
                for (channel, &got) in row.iter().enumerate() {
                    if channel < output.channels {
                        let (sum, magnitude) = expected[position * output.channels + channel];
                        let bias = bias.map_or(0.0, |bias| f64::from(bias[channel]));
                        assert_near(got, (sum + bias, magnitude + bias.abs()), context);
                    } else {
                        assert!(got.is_nan(), "{context}: written between the channels");
                    }
                }
            }
            for channel in 0..output.channels {
                let count = output.positions() as f64;
                let column = || out.iter().skip(channel).step_by(pitch).map(|&x| f64::from(x));
                let mean = column().sum::<f64>() / count;
                let squares = column().map(|x| (x - mean) * (x - mean)).sum::<f64>();
                let scale = column().fold(1e-30, |scale: f64, x| scale.max(x.abs()));
                assert!((moments.mean()[channel] - mean).abs() <= 1e-6 * scale, "{context}");
                assert!((moments.squares()[channel] - squares).abs() <= 1e-6 * scale * scale * count, "{context}");
            }
        }
    });
}

#[test]
fn vjp_is_the_transposed_sum_of_products() {
    every_case(|convolution, context| {
        let geometry = *convolution.geometry();
        let (shape, output) = (geometry.input(), geometry.output());
        let weights = numbers(geometry.weights(), 1);
        let mut packed = vec![f32::NAN; convolution.packed_vjp_len()];
        convolution.pack_vjp(&weights, &mut packed);
        for (merged, gap, accumulate) in [(false, 0, false), (true, 2, true)] {
            let members = members(output, merged, gap);
            let gradients: Vec<_> = members.iter().map(Member::gradient).collect();
            let expected = reference(&convolution, shape.len(), &sums(&gradients), &weights, false);

            let gate = numbers(shape.len(), 7);
            let pitch = shape.channels + gap;
            let before = if accumulate { 0.25 } else { f32::NAN };
            let mut out = vec![before; shape.positions() * pitch - gap];
            let mut scratch = vec![f32::NAN; convolution.scratch_len()];
            let sink = Sink {
                stored: ViewMut { data: &mut out, shape, pitch },
                accumulate,
                gate: accumulate.then_some(Value { stored: View::dense(&gate, shape), affine: None, rectified: true }),
                sums: None,
            };
            convolution.vjp(&gradients, &packed, &mut scratch, sink);
            for (position, row) in out.chunks(pitch).enumerate() {
                for (channel, &got) in row.iter().enumerate() {
                    let index = position * shape.channels + channel;
                    if channel >= shape.channels {
                        assert_eq!(got.to_bits(), before.to_bits(), "{context}: written between the channels");
                    } else if !accumulate {
                        assert_near(got, expected[index], context);
                    } else if gate[index] > 0.0 {
                        let (sum, magnitude) = expected[index];
                        assert_near(got, (sum + 0.25, magnitude + 0.25), context);
                    } else {
                        assert_eq!(got, before, "{context}: behind the gate");
                    }
                }
            }
        }
    });
}

#[test]
fn the_two_directions_are_adjoint() {
    every_case(|convolution, context| {
        let geometry = *convolution.geometry();
        let (shape, output) = (geometry.input(), geometry.output());
        let (x, y) = (numbers(shape.len(), 1), numbers(output.len(), 2));
        let weights = numbers(geometry.weights(), 3);
        let [forward, back] = both_directions(&convolution, [&x, &y, &weights]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let norm = |a: &[f32]| dot(a, a).sqrt();
        let (left, right) = (dot(&forward, &y), dot(&x, &back));
        let tolerance = if convolution.algorithm() == Algorithm::Bfloat16 { ROUNDED } else { 1e-6 };
        assert!(
            (left - right).abs() <= tolerance * (norm(&forward) * norm(&y)).max(1e-3),
            "{context}: {left} is not {right}"
        );
    });
}

/// The output and the gradient with respect to the input, of given operands.
fn both_directions(convolution: &Conv2d, [x, y, weights]: [&[f32]; 3]) -> [Vec<f32>; 2] {
    let (shape, output) = (convolution.geometry().input(), convolution.geometry().output());
    let (mut forward, mut back) = (vec![0.0; output.len()], vec![0.0; shape.len()]);
    let mut scratch = vec![f32::NAN; convolution.scratch_len()];
    let mut packed = vec![0.0; convolution.packed_forward_len()];
    convolution.pack_forward(weights, &mut packed);
    let input = Value { stored: View::dense(x, shape), affine: None, rectified: false };
    convolution.forward(&input, &packed, &mut scratch, ViewMut::dense(&mut forward, output), None, None);
    let mut packed = vec![0.0; convolution.packed_vjp_len()];
    convolution.pack_vjp(weights, &mut packed);
    let gradient = Gradient { stored: View::dense(y, output), normalised: None };
    let sink = Sink { stored: ViewMut::dense(&mut back, shape), accumulate: false, gate: None, sums: None };
    convolution.vjp(&[gradient], &packed, &mut scratch, sink);
    [forward, back]
}

#[test]
fn bfloat16_is_exact_for_numbers_of_eight_bits_and_changes_nothing_where_there_is_none() {
    let any = |count, seed| numbers(count, seed);
    // Their products and sums are exact in single precision, in any order.
    let few_bits = |count, seed| numbers(count, seed).into_iter().map(|x| (8.0 * x).round()).collect();
    for backend in Backend::available() {
        for case in CASES {
            let geometry = geometry(case);
            let operands: &dyn Fn(usize, u64) -> Vec<f32> = if backend.has_bfloat16() { &few_bits } else { &any };
            let lengths = [geometry.input().len(), geometry.output().len(), geometry.weights()];
            let [x, y, weights] = [0, 1, 2].map(|operand| operands(lengths[operand], operand as u64));
            let [rounded, expected] = [Algorithm::Bfloat16, Algorithm::Winograd]
                .map(|algorithm| both_directions(&Conv2d::new(backend, geometry, algorithm), [&x, &y, &weights]));
            assert_eq!(rounded, expected, "{} {case:?}", backend.name());
        }
    }
}

#[test]
fn winograd_is_nearly_as_exact_as_direct_summation() {
    // Channels, and the largest relative root mean square errors; without fused multiply-adds they are the largest.
    for (channels, direct, winograd) in [(16, 2.5e-7, 5e-7), (64, 4e-7, 8e-7)] {
        for backend in Backend::available() {
            let geometry = geometry(&([1, 12, 12, channels], 16, [3, 3], [1, 1], [1, 1], [1, 1], 1));
            let (shape, output) = (geometry.input(), geometry.output());
            let (data, weights) = (numbers(shape.len(), 1), numbers(geometry.weights(), 2));
            let value = Value { stored: View::dense(&data, shape), affine: None, rectified: true };
            let values: Vec<Sum> = data.iter().map(|&x| (f64::from(x.max(0.0)), 0.0)).collect();
            for (algorithm, limit) in [(Algorithm::Direct, direct), (Algorithm::Winograd, winograd)] {
                let convolution = Conv2d::new(backend, geometry, algorithm);
                let mut packed = vec![0.0; convolution.packed_forward_len()];
                convolution.pack_forward(&weights, &mut packed);
                let mut scratch = vec![f32::NAN; convolution.scratch_len()];
                let mut out = vec![f32::NAN; output.len()];
                convolution.forward(&value, &packed, &mut scratch, ViewMut::dense(&mut out, output), None, None);
                let expected = reference(&convolution, output.len(), &values, &weights, true);
                let squares =
                    |number: &dyn Fn(usize) -> f64| (0..out.len()).map(|i| number(i) * number(i)).sum::<f64>();
                let error = squares(&|i| f64::from(out[i]) - expected[i].0);
                let error = (error / squares(&|i| expected[i].0)).sqrt();
                assert!(error <= limit, "{} {algorithm:?} {channels}: {error:e}", backend.name());
            }
        }
    }
}

/// Ways to blacken pixels of a map, given by row and column: whether a pixel is black.
const BLACKENED: [fn(usize, usize) -> bool; 6] = [
    |row, column| row < 2 || column < 2,
    |row, column| row < 5 && column < 6,
    |row, column| (row, column) != (3, 4),
    |row, column| row % 8 < 4 && column % 7 < 3,
    |row, column| (row * 31 + column * 17) % 13 > 0,
    |_, _| true,
];

#[test]
fn what_nothing_is_added_up_to_is_exactly_zero() {
    every_case(|convolution, context| {
        if convolution.algorithm() != Algorithm::Winograd {
            return;
        }
        let (input, output) = (convolution.geometry().input(), convolution.geometry().output());
        let direct = Conv2d::new(Backend::Scalar, *convolution.geometry(), Algorithm::Direct);
        let weights = numbers(convolution.geometry().weights(), 3);
        for (pattern, is_black) in BLACKENED.iter().enumerate() {
            let blacken = |shape: Shape, seed: u64| -> Vec<f32> {
                let place = |index: usize| {
                    let pixel = index / shape.channels % shape.positions_per_image();
                    (pixel / shape.width, pixel % shape.width)
                };
                let numbers = numbers(shape.len(), seed).into_iter().enumerate();
                numbers
                    .map(|(index, x)| match place(index) {
                        // Either zero.
                        (row, column) if is_black(row, column) => {
                            if index % 2 == 0 {
                                0.0
                            } else {
                                -0.0
                            }
                        }
                        _ => x,
                    })
                    .collect()
            };
            let (x, y) = (blacken(input, 1), blacken(output, 2));
            let got = both_directions(&convolution, [&x, &y, &weights]);
            for (forward, operand, got) in [(true, x, &got[0]), (false, y, &got[1])] {
                let operand: Vec<Sum> = operand.iter().map(|&x| (f64::from(x), f64::from(x.abs()))).collect();
                let sums = reference(&direct, got.len(), &operand, &weights, forward);
                for (index, (got, (_, magnitude))) in got.iter().zip(sums).enumerate() {
                    assert!(magnitude > 0.0 || *got == 0.0, "{context}, {forward}, {pattern}, {index}: {got:e}");
                }
            }
        }
    });
}

/// Geometries with each field small or as large as it can be.
fn extreme_geometries() -> impl Iterator<Item = Geometry> {
    const FAR: [usize; 4] = [1, 3, 1 << 16, usize::MAX];
    const NEAR: [usize; 3] = [0, 1, 1 << 16];
    let sides = [1, 16, 1 << 16].into_iter().flat_map(|height| [1, 16, 1 << 16].map(|width| [height, width]));
    sides.flat_map(|[height, width]| {
        let pairs = |fields: &'static [usize]| fields.iter().flat_map(|&a| fields.iter().map(move |&b| [a, b]));
        let channels = [(1, 1, 1), (8, 8, 8), (8, 16, 1), (1 << 16, 1 << 16, 1 << 16)];
        pairs(&FAR).flat_map(move |stride| {
            pairs(&FAR[..3]).flat_map(move |kernel| {
                pairs(&NEAR).flat_map(move |padding| {
                    pairs(&FAR[..3]).flat_map(move |dilation| {
                        channels.into_iter().filter_map(move |(inputs, outputs, groups)| {
                            let input = Shape::new(1, height, width, inputs).ok()?;
                            Geometry::new(input, outputs, kernel, stride, padding, dilation, groups).ok()
                        })
                    })
                })
            })
        })
    })
}

#[test]
fn planning_takes_the_same_time_for_every_geometry() {
    let mut count = 0;
    for geometry in extreme_geometries() {
        let convolution = Conv2d::new(Backend::Scalar, geometry, Algorithm::Winograd);
        pass::PHASES.set(0);
        let lengths = [convolution.packed_forward_len(), convolution.packed_vjp_len(), convolution.scratch_len()];
        assert!(lengths.iter().all(|&length| length > 0), "{geometry:?}");
        #[cfg(feature = "gradients")]
        assert!(convolution.weights_scratch_len() > 0, "{geometry:?}");
        assert_eq!(pass::PHASES.get(), 0, "{geometry:?}");
        count += 1;
    }
    assert!(count > 10_000, "{count}");
}

/// The taps that reach outputs, and the sources they read, one by one.
#[test]
fn a_band_reads_what_its_phases_read() {
    for (size, kernel) in (1..8).flat_map(|size| [1, 2, 3, 5].map(|kernel| (size, kernel))) {
        for (stride, dilation, padding) in
            (1..10).flat_map(|s| [1, 2, 3].into_iter().flat_map(move |d| (0..5).map(move |p| (s, d, p))))
        {
            let input = Shape::new(1, size, 1, 1).unwrap();
            let Ok(geometry) = Geometry::new(input, 1, [kernel, 1], [stride, 1], [padding, 0], [dilation, 1], 1) else {
                continue;
            };
            for pass in [Pass::forward(&geometry), Pass::backward(&geometry)] {
                let axis = pass.axes[0];
                let phases: Vec<_> = (0..axis.phases).map(|index| axis.phase(index)).collect();
                assert!(phases.iter().map(|phase| phase.taps).sum::<usize>() <= kernel);
                for first in (0..axis.outputs).step_by(axis.phases) {
                    for count in 1..=axis.outputs - first {
                        let read = phases.iter().filter(|phase| phase.taps > 0).flat_map(|phase| {
                            (0..phase.outputs(count)).flat_map(move |output| {
                                let start = phase.source(first) + (output * phase.stride) as isize;
                                (0..phase.taps).map(move |tap| start + (tap * phase.tap_step) as isize)
                            })
                        });
                        let window = axis.window(first, count);
                        let tight = dilation == 1 || axis.outputs >= stride && count >= axis.phases;
                        match (read.clone().min(), read.max()) {
                            (Some(start), Some(last)) if tight => assert_eq!(window, start..last + 1, "{geometry:?}"),
                            (Some(start), Some(last)) => assert!(window.start <= start && last < window.end),
                            _ => assert!(window.is_empty() || !tight, "{geometry:?}"),
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn impossible_sizes_are_refused() {
    let input = Shape::new(2, 5, 6, 4).unwrap();
    let invalid = |result: Result<Geometry, Error>| assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    let overflow =
        |result: Result<Geometry, Error>| assert!(matches!(result, Err(Error::Overflow { .. })), "{result:?}");
    let (one, none, three) = ([1, 1], [0, 0], [3, 3]);
    invalid(Geometry::new(Shape::default(), 4, three, one, none, one, 1));
    invalid(Geometry::new(input, 4, [0, 3], one, none, one, 1));
    invalid(Geometry::new(input, 4, three, [1, 0], none, one, 1));
    invalid(Geometry::new(input, 4, three, one, none, [0, 1], 1));
    invalid(Geometry::new(input, 0, three, one, none, one, 1));
    invalid(Geometry::new(input, 4, three, one, none, one, 0));
    invalid(Geometry::new(input, 6, three, one, none, one, 4));
    invalid(Geometry::new(input, 4, three, one, none, one, 3));
    invalid(Geometry::new(input, 4, [6, 1], one, none, one, 1));
    invalid(Geometry::new(input, 4, three, one, none, [1, 3], 1));
    overflow(Geometry::new(input, 4, three, one, [usize::MAX / 2 + 1, 0], one, 1));
    overflow(Geometry::new(input, 4, three, one, [usize::MAX / 64, 0], one, 1));
    overflow(Geometry::new(input, 4, three, one, none, [usize::MAX, 1], 1));
    overflow(Geometry::new(input, usize::MAX / 2, three, one, one, one, 1));
    overflow(Geometry::new(Shape { batch: usize::MAX, ..input }, 4, three, one, one, one, 1));
}

#[test]
fn sizes_follow_from_the_geometry() {
    let geometry = geometry(&([2, 9, 8, 12], 18, [3, 5], [2, 1], [1, 2], [1, 1], 3));
    assert_eq!(geometry.output(), Shape::new(2, 5, 8, 18).unwrap());
    assert_eq!(geometry.weights(), 18 * 4 * 15);
    assert_eq!(geometry.macs(), 2 * 5 * 8 * 18 * 4 * 15);
}
