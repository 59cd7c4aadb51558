//! Sums of values: a node from its edges; and backwards the gradient that each edge takes from its node.
//!
//! A sum of one term materialises a value: the identity, a batch normalisation, a rectifier. All passes walk strips of
//! a few positions, vector by vector, with the coefficients of the vector's channels in registers.

use super::strip::{Prologue, Strips, floor, for_each_strip, leave, read, write};
use crate::Error;
use crate::base::SMALL;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::for_each_part;
use crate::tensor::{Gradient, Load, Shape, Sink, Value, View, ViewMut};

/// The most terms of one sum.
pub const MAX_TERMS: usize = 8;

/// The shape of the sum of terms of these shapes.
///
/// # Errors
/// [`Error::Invalid`] if there is no term or the shapes differ, [`Error::TooLarge`] if there are more terms than
/// [`MAX_TERMS`].
pub fn output(terms: &[Shape]) -> Result<Shape, Error> {
    let [first, rest @ ..] = terms else {
        return Err(Error::Invalid { field: "inputs", expected: "at least one" });
    };
    if terms.len() > MAX_TERMS {
        return Err(Error::TooLarge { quantity: "the number of terms of a sum", limit: MAX_TERMS });
    }
    if rest.iter().any(|shape| shape != first) {
        return Err(Error::Invalid { field: "inputs", expected: "of one shape" });
    }
    Ok(*first)
}

/// `out = relu?(out? + Σ terms)`, the terms added in their order; with `accumulate` the sum starts from what is in `out`.
/// Without a term the sum is 0.
pub fn forward(backend: Backend, terms: &[Value<'_>], rectified: bool, accumulate: bool, out: ViewMut<'_>) {
    backend.run(Forward { terms, rectified, accumulate, out });
}

/// Passes the gradient of a sum, or of a batch normalisation, to one term: `sink (+)= gate ⊙ gradient`.
pub fn vjp(backend: Backend, gradient: Gradient<'_>, sink: Sink<'_>) {
    backend.run(Vjp { gradient, sink });
}

struct Forward<'a, 'b> {
    terms: &'a [Value<'a>],
    rectified: bool,
    accumulate: bool,
    out: ViewMut<'b>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let positions = self.out.shape.positions();
        for_each_strip(simd, 0..positions, &mut self);
    }
}

impl Strips for Forward<'_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let floor = floor(simd, self.rectified);
        for_each_part(
            simd,
            self.out.shape.channels,
            #[inline(always)]
            |part| {
                let mut sums = if self.accumulate {
                    read::<S, ROWS>(simd, part, &self.out.as_view(), first)
                } else {
                    [simd.splat(0.0); ROWS]
                };
                for term in self.terms {
                    let prologue = Prologue::new(simd, term, part);
                    let term = read::<S, ROWS>(simd, part, &term.stored, first);
                    for row in 0..ROWS {
                        sums[row] = simd.add(sums[row], prologue.apply(simd, term[row]));
                    }
                }
                for sum in &mut sums {
                    *sum = simd.max(floor, *sum);
                }
                write(simd, part, sums, &mut self.out, first);
            },
        );
    }
}

struct Vjp<'a, 'b> {
    gradient: Gradient<'a>,
    sink: Sink<'b>,
}

impl Kernel for Vjp<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let positions = self.sink.stored.shape.positions();
        // Where no more than one of the two computes, one pass of its own does all.
        if !SMALL && self.gradient.normalised.is_none() {
            let View { data, pitch, .. } = self.gradient.stored;
            return self.sink.store(simd, 0, positions, data, pitch);
        }
        if !SMALL && let Some((out, pitch)) = self.sink.as_stored() {
            return self.gradient.load(simd, 0, positions, out, pitch);
        }
        for_each_strip(simd, 0..positions, &mut self);
    }
}

impl Strips for Vjp<'_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let Self { gradient, sink } = self;
        for_each_part(
            simd,
            sink.stored.shape.channels,
            #[inline(always)]
            |part| {
                let mut new = read::<S, ROWS>(simd, part, &gradient.stored, first);
                if let Some(normalised) = &gradient.normalised {
                    let by_gradient = part.read(simd, normalised.by_gradient);
                    let by_input = part.read(simd, normalised.by_input);
                    let constant = part.read(simd, normalised.constant);
                    let z = read::<S, ROWS>(simd, part, &normalised.input, first);
                    for row in 0..ROWS {
                        new[row] = simd.mul_add(by_gradient, new[row], simd.mul_add(by_input, z[row], constant));
                    }
                }
                leave(simd, part, sink, first, new);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers, widen};
    use crate::tensor::{Affine, Normalised};
    use std::format;
    use std::vec::Vec;

    const CHANNELS: [usize; 10] = [1, 3, 7, 8, 9, 15, 16, 17, 24, 64];
    const POSITIONS: [usize; 6] = [0, 1, 7, 8, 9, 19];

    fn shapes() -> impl Iterator<Item = Shape> {
        CHANNELS.into_iter().flat_map(|c| POSITIONS.map(|p| Shape::new(1, p, 1, c).unwrap()))
    }

    #[test]
    fn shapes_are_checked() {
        let shape = Shape::new(2, 3, 4, 5).unwrap();
        assert_eq!(output(&[shape; MAX_TERMS]), Ok(shape));
        assert_eq!(output(&[]).unwrap_err().code(), -2);
        assert_eq!(output(&[shape, shape.with_channels(6).unwrap()]).unwrap_err().code(), -2);
        assert_eq!(output(&[shape; MAX_TERMS + 1]).unwrap_err().code(), -6);
    }

    #[test]
    fn sums_of_values() {
        // Eight terms below 6: the rounding errors of the sum are below 8 · 48 · 2^-24 = 2.3e-5.
        const TOLERANCE: f64 = 2.3e-5;
        for (backend, shape) in Backend::available().flat_map(|b| shapes().map(move |s| (b, s))) {
            let stored: Vec<_> = (0..MAX_TERMS).map(|term| Tensor::random(shape, term % 3, term)).collect();
            let scale = numbers(shape.channels, 100);
            let shift = numbers(shape.channels, 101);
            let affine = Affine { scale: &scale, shift: &shift };
            let terms: Vec<_> = (0..MAX_TERMS)
                .map(|term| Value {
                    stored: stored[term].view(),
                    affine: (term % 2 == 0).then_some(affine),
                    rectified: term % 4 < 2,
                })
                .collect();
            for (count, rectified, accumulate) in
                (0..=MAX_TERMS).flat_map(|n| [(n, false, false), (n, true, false), (n, false, true), (n, true, true)])
            {
                let before = if accumulate { 0.5 } else { f32::NAN };
                let mut out = Tensor::filled(shape, 2, before);
                forward(backend, &terms[..count], rectified, accumulate, out.view_mut());
                let mut expected = std::vec![if accumulate { 0.5 } else { 0.0 }; shape.len()];
                for (term, stored) in terms[..count].iter().zip(&stored) {
                    for (place, (sum, x)) in expected.iter_mut().zip(stored.dense()).enumerate() {
                        let channel = place % shape.channels;
                        let x = match term.affine {
                            Some(_) => f64::from(scale[channel]) * x + f64::from(shift[channel]),
                            None => x,
                        };
                        *sum += if term.rectified { x.max(0.0) } else { x };
                    }
                }
                if rectified {
                    expected.iter_mut().for_each(|x| *x = x.max(0.0));
                }
                let case = format!("{backend:?}, {shape:?}, {count} terms");
                assert_close(&out.dense(), &expected, TOLERANCE, &case);
            }
        }
    }

    #[test]
    fn a_rectified_sum_keeps_nan() {
        for backend in Backend::available() {
            let shape = Shape::new(1, 1, 1, 1).unwrap();
            let nan = Tensor::filled(shape, 0, f32::NAN);
            let mut out = Tensor::filled(shape, 0, 0.0);
            let value = Value { stored: nan.view(), affine: None, rectified: true };
            forward(backend, &[value], true, false, out.view_mut());
            assert!(out.dense()[0].is_nan());
        }
    }

    #[test]
    fn the_vjp_of_a_rectifier_is_its_derivative() {
        for (backend, shape) in Backend::available().flat_map(|b| shapes().map(move |s| (b, s))) {
            let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 3, 2));
            let rectify = |x: &[f64]| x.iter().map(|x| x.max(0.0)).collect::<Vec<_>>();
            let expected = differences(&x.dense(), &g.dense(), rectify);
            let gate = Value { stored: x.view(), affine: None, rectified: false };
            let gradient = Gradient { stored: g.view(), normalised: None };
            for accumulate in [false, true] {
                let mut out = Tensor::filled(shape, 0, 1.0);
                vjp(backend, gradient, Sink { stored: out.view_mut(), accumulate, gate: Some(gate), sums: None });
                let before = f64::from(u8::from(accumulate));
                let expected: Vec<_> = expected.iter().map(|x| x + before).collect();
                assert_close(&out.dense(), &expected, 1e-6, &format!("{backend:?}, {shape:?}"));
            }
        }
    }

    #[test]
    fn the_vjp_is_normalised_gated_and_accumulated() {
        for (backend, shape) in Backend::available().flat_map(|b| shapes().map(move |s| (b, s))) {
            let [g, z, x] = [(1, 0), (2, 2), (3, 5)].map(|(seed, gap)| Tensor::random(shape, gap, seed));
            let coefficients: [_; 5] = core::array::from_fn(|seed| numbers(shape.channels, 10 + seed));
            let [by_gradient, by_input, constant, scale, shift] = coefficients.each_ref().map(Vec::as_slice);
            let normalised = Normalised { input: z.view(), by_gradient, by_input, constant };
            let affine = Affine { scale, shift };
            let gradient = Gradient { stored: g.view(), normalised: Some(normalised) };
            let mut out = Tensor::filled(shape, 1, 0.25);
            let gate = Value { stored: x.view(), affine: Some(affine), rectified: true };
            let sink = Sink { stored: out.view_mut(), accumulate: true, gate: Some(gate), sums: None };
            vjp(backend, gradient, sink);
            let wide = coefficients.each_ref().map(|x| widen(x));
            let expected: Vec<_> = g
                .dense()
                .iter()
                .zip(z.dense())
                .zip(x.dense())
                .enumerate()
                .map(|(place, ((g, z), x))| {
                    let [by_gradient, by_input, constant, scale, shift] =
                        wide.each_ref().map(|x| x[place % shape.channels]);
                    let dz = by_gradient * g + by_input * z + constant;
                    0.25 + if scale * x + shift > 0.0 { dz } else { 0.0 }
                })
                .collect();
            // Numbers below 10, three roundings.
            assert_close(&out.dense(), &expected, 3e-6, &format!("{backend:?}, {shape:?}"));
        }
    }
}
