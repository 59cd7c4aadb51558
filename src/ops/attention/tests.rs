//! Attention against its definition in double precision, gradients by central differences.

use super::*;
use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
use std::vec::Vec;
use std::{format, vec};

/// The definition, with the relative position of every pair looked up.
pub(crate) fn reference(attention: &Attention, input: Shape, tables: &[f64], x: &[f64]) -> Vec<f64> {
    let Attention { heads, grid, reach } = *attention;
    let (tokens, width, entries) = (input.positions_per_image(), input.channels / (3 * heads), 2 * reach + 2);
    let entry = |from: usize, to: usize| {
        let difference = (to as isize - from as isize).clamp(-(reach as isize), reach as isize);
        (difference + reach as isize + 1) as usize
    };
    let relative = |table: usize, i: usize, j: usize, c: usize| {
        if !attention.is_relative() {
            return 0.0;
        }
        let [row, column] = if i == 0 || j == 0 {
            [0, 0]
        } else {
            let (i, j) = (i - 1, j - 1);
            [entry(i / grid[1], j / grid[1]), entry(i % grid[1], j % grid[1])]
        };
        tables[(table * entries + row) * width + c] + tables[((table + 1) * entries + column) * width + c]
    };
    let mut out = vec![0.0; input.batch * tokens * heads * width];
    for (sample, x) in x.chunks(tokens * input.channels).enumerate() {
        for head in 0..heads {
            let at =
                |third: usize, token: usize, c: usize| x[token * input.channels + (third * heads + head) * width + c];
            for i in 0..tokens {
                let logit = |j: usize| {
                    let products = (0..width).map(|c| at(0, i, c) * (at(1, j, c) + relative(0, i, j, c)));
                    products.sum::<f64>() / (width as f64).sqrt()
                };
                let exponentials: Vec<_> = (0..tokens).map(|j| logit(j).exp()).collect();
                let sum: f64 = exponentials.iter().sum();
                for c in 0..width {
                    out[(sample * tokens + i) * heads * width + head * width + c] =
                        (0..tokens).map(|j| exponentials[j] / sum * (at(2, j, c) + relative(2, i, j, c))).sum();
                }
            }
        }
    }
    out
}

struct Case {
    attention: Attention,
    input: Shape,
    tables: Vec<f32>,
}

fn case(batch: usize, heads: usize, grid: [usize; 2], reach: usize, width: usize) -> Case {
    let attention = Attention { heads, grid, reach };
    let input = Shape::new(batch, grid[0] * grid[1] + 1, 1, 3 * heads * width).unwrap();
    Case { attention, input, tables: numbers(4 * attention.entries() * width, 7) }
}

/// Without relative positions.
fn plain(batch: usize, heads: usize, tokens: usize, width: usize) -> Case {
    let input = Shape::new(batch, tokens, 1, 3 * heads * width).unwrap();
    Case { attention: Attention::plain(heads), input, tables: Vec::new() }
}

impl Case {
    fn tables(&self) -> [&[f32]; 4] {
        if self.tables.is_empty() {
            return [&[]; 4];
        }
        let mut tables = self.tables.chunks_exact(self.tables.len() / 4);
        core::array::from_fn(|_| tables.next().unwrap())
    }

    fn check_forward(&self, backend: Backend) {
        let Self { attention, input, tables } = self;
        let case = format!("{backend:?}, {attention:?}, {input:?}");
        let x = Tensor::random(*input, 1, 1);
        let mut out = Tensor::filled(attention.output(&[*input]).unwrap(), 3, f32::NAN);
        let mut scratch = vec![f32::NAN; scratch_len(attention, *input)];
        forward(attention, backend, x.view(), self.tables(), out.view_mut(), &mut scratch);
        // Logits reach 50, with errors of 1e-6 of that.
        assert_close(&out.dense(), &reference(attention, *input, &widen(tables), &x.dense()), 1e-4, &case);
    }

    fn check_vjp(&self, backend: Backend, gradient: &Tensor, slopes: &[f64]) {
        let Self { attention, input, .. } = self;
        let case = format!("{backend:?}, {attention:?}, {input:?}");
        let x = Tensor::random(*input, 1, 1);
        for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
            let mut out = Tensor::filled(*input, 2, before);
            let mut scratch = vec![f32::NAN; vjp_scratch_len(attention, *input)];
            vjp(attention, backend, x.view(), self.tables(), gradient.view(), accumulate, out.view_mut(), &mut scratch);
            let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
            assert_close(&out.dense(), &expected, 2e-4, &case);
        }
    }
}

#[test]
fn values_and_gradients() {
    for case in [
        case(1, 1, [1, 1], 0, 1),
        case(2, 2, [2, 3], 1, 5),
        case(1, 3, [3, 2], 2, 4),
        case(1, 1, [1, 5], 9, 8),
        case(1, 2, [5, 1], 1, 3),
        case(2, 1, [3, 4], 1, 16),
        plain(1, 1, 2, 1),
        plain(2, 2, 7, 5),
        plain(1, 3, 17, 4),
    ] {
        let Case { attention, input, tables } = &case;
        let (x, result) = (Tensor::random(*input, 1, 1), attention.output(&[*input]).unwrap());
        let gradient = Tensor::random(result, 1, 2);
        let slopes = differences(&x.dense(), &gradient.dense(), |x| reference(attention, *input, &widen(tables), x));
        for backend in Backend::available() {
            case.check_forward(backend);
            case.check_vjp(backend, &gradient, &slopes);
        }
    }
}

#[cfg(feature = "gradients")]
#[test]
fn gradients_of_tables() {
    for case in [
        case(1, 1, [1, 1], 0, 1),
        case(2, 2, [2, 3], 1, 5),
        case(1, 1, [1, 5], 9, 8),
        case(1, 2, [5, 1], 1, 3),
        case(2, 1, [3, 4], 1, 16),
        // More queries than a tile.
        case(1, 1, [17, 16], 2, 1),
    ] {
        let Case { attention, input, tables } = &case;
        let (x, result) = (Tensor::random(*input, 1, 1), attention.output(&[*input]).unwrap());
        let gradient = Tensor::random(result, 1, 2);
        let dense = x.dense();
        let value = |tables: &[f64]| reference(attention, *input, tables, &dense);
        let slopes = differences(&widen(tables), &gradient.dense(), value);
        for backend in Backend::available() {
            let mut out = vec![f32::NAN; tables.len()];
            let mut scratch = vec![f32::NAN; tables_scratch_len(attention, *input)];
            let mut parts = out.chunks_exact_mut(tables.len() / 4);
            let parts = core::array::from_fn(|_| parts.next().unwrap());
            tables_vjp(attention, backend, x.view(), case.tables(), gradient.view(), parts, &mut scratch);
            let largest = slopes.iter().fold(1.0, |largest: f64, slope| largest.max(slope.abs()));
            let context = format!("{backend:?}, {attention:?}, {input:?}");
            assert_close(&widen(&out), &slopes, 1e-5 * largest, &context);
        }
    }
}

#[test]
fn rows_longer_than_a_vector_and_more_queries_than_a_tile() {
    for case in [case(1, 1, [2, 19], 3, 7), case(1, 1, [17, 16], 14, 3)] {
        let Case { attention, input, tables } = &case;
        let (x, result) = (Tensor::random(*input, 1, 1).dense(), attention.output(&[*input]).unwrap());
        let gradient = Tensor::random(result, 1, 2);
        // Differences along a direction: one at a time would take minutes.
        let direction = widen(&numbers(input.len(), 3));
        let along = |step: f64| {
            let moved: Vec<_> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            let value = reference(attention, *input, &widen(tables), &moved);
            value.iter().zip(gradient.dense()).map(|(y, g)| y * g).sum::<f64>()
        };
        let slope = (along(1e-6) - along(-1e-6)) / 2e-6;
        for backend in Backend::available() {
            case.check_forward(backend);
            let mut out = Tensor::filled(*input, 0, f32::NAN);
            let mut scratch = vec![f32::NAN; vjp_scratch_len(attention, *input)];
            let x = Tensor::random(*input, 1, 1);
            vjp(attention, backend, x.view(), case.tables(), gradient.view(), false, out.view_mut(), &mut scratch);
            let ours: f64 = out.dense().iter().zip(&direction).map(|(g, d)| g * d).sum();
            let length = out.dense().iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!((ours - slope).abs() <= 1e-4 * (1.0 + length), "{backend:?}, {attention:?}: {ours} is not {slope}");
        }
    }
}

#[test]
fn sizes_are_checked() {
    let attention = Attention { heads: 3, grid: [2, 2], reach: 14 };
    let tokens = |height, width, channels| Shape::new(1, height, width, channels).unwrap();
    assert_eq!(attention.output(&[tokens(5, 1, 18)]), Ok(tokens(5, 1, 6)));
    assert_eq!(attention.macs(tokens(5, 1, 18)), 4 * 5 * 5 * 6);
    let plain = Attention::plain(3);
    assert_eq!(plain.output(&[tokens(7, 1, 18)]), Ok(tokens(7, 1, 6)));
    assert_eq!(plain.macs(tokens(7, 1, 18)), 2 * 7 * 7 * 6);
    assert_eq!(plain.output(&[tokens(3, 2, 18)]), Ok(tokens(3, 2, 6)));
    assert_eq!(plain.macs(tokens(3, 2, 18)), 2 * 6 * 6 * 6);
    for (attention, input, named) in [
        (attention, tokens(5, 1, 17), "heads"),
        (attention, tokens(5, 1, 0), "heads"),
        (Attention { heads: 0, ..attention }, tokens(5, 1, 18), "heads"),
        (Attention { heads: usize::MAX, ..attention }, tokens(5, 1, 18), "heads"),
        (attention, tokens(4, 1, 18), "grid"),
        (attention, tokens(5, 2, 18), "grid"),
        (Attention { grid: [usize::MAX, 2], ..attention }, tokens(5, 1, 18), "grid"),
        (Attention { grid: [0, 4], ..attention }, tokens(1, 1, 18), "grid"),
        (plain, tokens(1, 1, 18), "grid"),
    ] {
        let error = attention.output(&[input]).unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == named), "{attention:?}: {error}");
    }
    let endless = Attention { reach: usize::MAX, ..attention };
    assert!(matches!(endless.output(&[tokens(5, 1, 18)]), Err(Error::Overflow { .. })));
}
