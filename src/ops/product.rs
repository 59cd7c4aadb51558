//! Products of two maps, number by number: a gate, or squeeze and excitation (Hu, Shen and Sun, 2018), whose second factor
//! has one number a channel and image.

#[cfg(feature = "gradients")]
use super::operation::ParameterGradients;
use super::operation::{Facts, ForwardCall, Operation, Parameter, Parameters, Reads, Remembers, Scratch, VjpCall};
use super::strip::{Prologue, Strips, for_each_strip, leave, read, write};
use crate::Error;
use crate::simd::{Backend, Kernel, Simd};
use crate::tensor::columns::{Part, for_each_part};
use crate::tensor::{Shape, Sink, Value, View, ViewMut};

/// Sums that grow side by side: hides the latency of an addition, and keeps rounding errors small.
const SUMS: usize = 4;

/// The product of its two inputs. The second is of the first's shape, or has one position, which meets all of an image's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Product;

impl Operation for Product {
    fn facts(&self) -> Facts {
        Facts { reads: Reads::Value, remembers: Remembers::Inputs, keeps_zero: true, is_layer: false }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape, Error> {
        let &[map, factor] = inputs else {
            return Err(Error::Invalid { field: "inputs", expected: "exactly two" });
        };
        let fits = factor == map || factor == Shape { height: 1, width: 1, ..map };
        if fits { Ok(map) } else { Err(Error::Invalid { field: "inputs", expected: "a map, and one that fits it" }) }
    }

    fn parameters(&self, _: Shape, _: Shape) -> Parameters {
        Parameter::list([])
    }

    fn macs(&self, _: Shape, _: Shape) -> u64 {
        0
    }

    fn scratch(&self, _: Shape, _: Shape) -> Scratch {
        Scratch::NONE
    }

    fn forward(&self, call: ForwardCall<'_>) {
        forward(call.backend, call.inputs[0], call.inputs[1], call.out);
    }

    fn vjp(&self, call: VjpCall<'_>) {
        let [map, factor] = [call.remembered[0], call.remembered[1]];
        match call.position {
            0 => vjp_of_map(call.backend, factor, call.gradient, call.sink),
            _ => vjp_of_factor(call.backend, map, call.gradient, call.sink),
        }
    }

    #[cfg(feature = "gradients")]
    fn parameter_gradients(&self) -> Option<&dyn ParameterGradients> {
        None
    }
}

/// Writes the product of `map` and `factor`, which has its shape or one position an image, to `out`.
pub fn forward(backend: Backend, map: Value<'_>, factor: Value<'_>, out: ViewMut<'_>) {
    backend.run(Multiply { map, factor, out: Out::Value(out) });
}

/// Passes the gradient with respect to the product back to the first factor.
pub fn vjp_of_map(backend: Backend, factor: Value<'_>, gradient: View<'_>, sink: Sink<'_>) {
    let map = Value { stored: gradient, affine: None, rectified: false };
    backend.run(Multiply { map, factor, out: Out::Gradient(sink) });
}

/// Passes the gradient with respect to the product back to the second factor: of one position, the sum over all.
pub fn vjp_of_factor(backend: Backend, map: Value<'_>, gradient: View<'_>, sink: Sink<'_>) {
    if sink.stored.shape == gradient.shape {
        vjp_of_map(backend, map, gradient, sink);
    } else {
        backend.run(Sum { map, gradient, sink });
    }
}

/// Where a product is left.
enum Out<'a> {
    Value(ViewMut<'a>),
    Gradient(Sink<'a>),
}

struct Multiply<'a, 'b> {
    map: Value<'a>,
    factor: Value<'a>,
    out: Out<'b>,
}

impl Kernel for Multiply<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let shape = self.map.stored.shape;
        if self.factor.stored.shape == shape {
            return for_each_strip(simd, 0..shape.positions(), &mut Pointwise(&mut self));
        }
        let positions = shape.positions_per_image();
        for image in 0..shape.batch {
            let range = image * positions..(image + 1) * positions;
            for_each_strip(simd, range, &mut OfImage { multiply: &mut self, image });
        }
    }
}

impl Multiply<'_, '_> {
    /// Multiplies a strip by what `factors` returns of one vector of channels.
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(
        &mut self,
        simd: S,
        first: usize,
        factors: impl Fn(&Value<'_>, Part) -> [S::F32; ROWS],
    ) {
        let Self { map, factor, out } = self;
        for_each_part(
            simd,
            map.stored.shape.channels,
            #[inline(always)]
            |part| {
                let (prologue, factors) = (Prologue::new(simd, map, part), factors(factor, part));
                let mut strip = read::<S, ROWS>(simd, part, &map.stored, first);
                for row in 0..ROWS {
                    strip[row] = simd.mul(prologue.apply(simd, strip[row]), factors[row]);
                }
                match out {
                    Out::Value(out) => write(simd, part, strip, out, first),
                    Out::Gradient(sink) => leave(simd, part, sink, first, strip),
                }
            },
        );
    }
}

/// Each position by its own.
struct Pointwise<'a, 'b, 'c>(&'c mut Multiply<'a, 'b>);

impl Strips for Pointwise<'_, '_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        self.0.strip::<S, ROWS>(
            simd,
            first,
            #[inline(always)]
            |factor, part| {
                let prologue = Prologue::new(simd, factor, part);
                let mut strip = read::<S, ROWS>(simd, part, &factor.stored, first);
                for row in 0..ROWS {
                    strip[row] = prologue.apply(simd, strip[row]);
                }
                strip
            },
        );
    }
}

/// All positions of an image by its only one.
struct OfImage<'a, 'b, 'c> {
    multiply: &'c mut Multiply<'a, 'b>,
    image: usize,
}

impl Strips for OfImage<'_, '_, '_> {
    #[inline(always)]
    fn strip<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let image = self.image;
        self.multiply.strip::<S, ROWS>(
            simd,
            first,
            #[inline(always)]
            |factor, part| {
                let x = part.read(simd, factor.stored.row(image));
                [Prologue::new(simd, factor, part).apply(simd, x); ROWS]
            },
        );
    }
}

struct Sum<'a, 'b> {
    map: Value<'a>,
    gradient: View<'a>,
    sink: Sink<'b>,
}

impl Kernel for Sum<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { map, gradient, mut sink } = self;
        let positions = map.stored.shape.positions_per_image();
        for image in 0..map.stored.shape.batch {
            for_each_part(
                simd,
                map.stored.shape.channels,
                #[inline(always)]
                |part| {
                    let prologue = Prologue::new(simd, &map, part);
                    let mut sums = [simd.splat(0.0); SUMS];
                    let (mut first, end) = (image * positions, (image + 1) * positions);
                    while first + SUMS <= end {
                        let x = read::<S, SUMS>(simd, part, &map.stored, first);
                        let g = read::<S, SUMS>(simd, part, &gradient, first);
                        for chain in 0..SUMS {
                            sums[chain] = simd.mul_add(prologue.apply(simd, x[chain]), g[chain], sums[chain]);
                        }
                        first += SUMS;
                    }
                    for position in first..end {
                        let x = prologue.apply(simd, part.read(simd, map.stored.row(position)));
                        sums[0] = simd.mul_add(x, part.read(simd, gradient.row(position)), sums[0]);
                    }
                    let sum = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
                    leave(simd, part, &mut sink, image, [sum]);
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::{Tensor, assert_close, differences, numbers};
    use crate::tensor::Affine;
    use std::format;
    use std::vec::Vec;

    const MAPS: [(usize, usize); 5] = [(1, 1), (2, 3), (3, 3), (8, 8), (1, 7)];
    const CHANNELS: [usize; 6] = [1, 5, 8, 16, 17, 40];

    /// A map and either kind of factor.
    fn cases() -> impl Iterator<Item = (Backend, Shape, Shape)> {
        let maps = MAPS.into_iter().flat_map(|map| CHANNELS.map(|channels| (map, channels)));
        let shapes = maps.flat_map(|((height, width), channels)| {
            let map = Shape::new(2, height, width, channels).unwrap();
            [(map, map), (map, Shape { height: 1, width: 1, ..map })]
        });
        shapes.flat_map(|(map, factor)| Backend::available().map(move |backend| (backend, map, factor)))
    }

    fn reference(map: Shape, [x, y]: [&[f64]; 2]) -> Vec<f64> {
        let image = map.positions_per_image() * map.channels;
        let of =
            |place: usize| if y.len() == x.len() { place } else { place / image * map.channels + place % map.channels };
        x.iter().enumerate().map(|(place, x)| x * y[of(place)]).collect()
    }

    #[test]
    fn shapes_are_checked() {
        let map = Shape::new(2, 3, 4, 5).unwrap();
        assert_eq!(Product.output(&[map, map]), Ok(map));
        assert_eq!(Product.output(&[map, Shape { height: 1, width: 1, ..map }]), Ok(map));
        let bad = [
            Shape { height: 1, ..map },
            Shape { width: 1, ..map },
            Shape { batch: 1, ..map },
            Shape { height: 1, width: 1, channels: 1, ..map },
        ];
        for factor in bad {
            assert!(Product.output(&[map, factor]).is_err(), "{factor:?}");
        }
        assert!(Product.output(&[Shape { height: 1, width: 1, ..map }, map]).is_err());
        assert!(Product.output(&[map]).is_err() && Product.output(&[map; 3]).is_err());
    }

    #[test]
    fn products_and_their_gradients() {
        for (backend, map, factor) in cases() {
            let case = format!("{backend:?}, {map:?} by {factor:?}");
            let (x, y) = (Tensor::random(map, 3, 1), Tensor::random(factor, 2, 2));
            let (scale, shift) = (numbers(map.channels, 3), numbers(map.channels, 4));
            let affine = Some(Affine { scale: &scale, shift: &shift });
            let loaded = |tensor: &Tensor| -> Vec<f64> {
                let prologue = |(place, x): (usize, f64)| {
                    let channel = place % map.channels;
                    (f64::from(scale[channel]) * x + f64::from(shift[channel])).max(0.0)
                };
                tensor.dense().into_iter().enumerate().map(prologue).collect()
            };
            let values = [&x, &y].map(|tensor| Value { stored: tensor.view(), affine, rectified: true });
            let numbers = [loaded(&x), loaded(&y)];
            let mut out = Tensor::filled(map, 1, f32::NAN);
            forward(backend, values[0], values[1], out.view_mut());
            assert_close(&out.dense(), &reference(map, [&numbers[0], &numbers[1]]), 4e-6, &case);

            let g = Tensor::random(map, 1, 5);
            let of_map = differences(&numbers[0], &g.dense(), |x| reference(map, [x, &numbers[1]]));
            let of_factor = differences(&numbers[1], &g.dense(), |y| reference(map, [&numbers[0], y]));
            for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                for (position, (shape, slopes)) in [(map, &of_map), (factor, &of_factor)].into_iter().enumerate() {
                    let mut out = Tensor::filled(shape, 1, before);
                    let sink = Sink { stored: out.view_mut(), accumulate, gate: None, sums: None };
                    match position {
                        0 => vjp_of_map(backend, values[1], g.view(), sink),
                        _ => vjp_of_factor(backend, values[0], g.view(), sink),
                    }
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    // Sums of up to 64 products below 10.
                    assert_close(&out.dense(), &expected, 3e-5, &case);
                }
            }
            // Behind a rectifier, where its input is positive only.
            let mut out = Tensor::filled(factor, 0, f32::NAN);
            let gate = Some(Value { stored: y.view(), affine: None, rectified: true });
            vjp_of_factor(
                backend,
                values[0],
                g.view(),
                Sink { stored: out.view_mut(), accumulate: false, gate, sums: None },
            );
            let gated: Vec<f64> =
                of_factor.iter().zip(y.dense()).map(|(g, y)| if y > 0.0 { *g } else { 0.0 }).collect();
            assert_close(&out.dense(), &gated, 3e-5, &case);
        }
    }
}
