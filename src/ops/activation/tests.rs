use super::*;
use crate::ops::reference::{Tensor, assert_close, numbers};
use crate::tensor::Affine;
use std::vec::Vec;
use std::{format, vec};

/// One of each kind.
pub(crate) const ALL: [Activation; 11] = [
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::Silu,
    Activation::HardSwish,
    Activation::Relu6,
    Activation::LeakyRelu { slope: Constant::new(0.3) },
    Activation::Elu { alpha: Constant::new(1.7) },
    Activation::Tanh,
    Activation::Gelu,
    Activation::Mish,
    Activation::Times { factor: Constant::new(-2.0) },
];

/// The value at `x`, written out.
pub(crate) fn reference(activation: Activation, x: f64) -> f64 {
    let ramp = (x + 3.0).clamp(0.0, 6.0) / 6.0;
    match activation {
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::HardSigmoid => ramp,
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::HardSwish => x * ramp,
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } => x.max(0.0) + slope.get() * x.min(0.0),
        Activation::Elu { alpha } => x.max(0.0) + alpha.get() * x.min(0.0).exp_m1(),
        Activation::Tanh => x.tanh(),
        Activation::Gelu => x * libm::erfc(-x / core::f64::consts::SQRT_2) / 2.0,
        Activation::Mish => x * tanh_of_softplus(x),
        Activation::Times { factor } => factor.get() * x,
    }
}

/// Without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn tanh_of_softplus(x: f64) -> f64 {
    softplus(x).tanh()
}

/// The derivative at `x`, written out.
fn derivative(activation: Activation, x: f64) -> f64 {
    let logistic = 1.0 / (1.0 + (-x).exp());
    let bell = logistic / (1.0 + x.exp());
    let within = |low: f64, high: f64, inside: f64| if low < x && x < high { inside } else { 0.0 };
    match activation {
        Activation::Sigmoid => bell,
        Activation::HardSigmoid => within(-3.0, 3.0, 1.0 / 6.0),
        Activation::Silu => logistic + x * bell,
        Activation::HardSwish if x > 3.0 => 1.0,
        Activation::HardSwish => within(-3.0, f64::INFINITY, x / 3.0 + 0.5),
        Activation::Relu6 => within(0.0, 6.0, 1.0),
        Activation::LeakyRelu { slope } => {
            if x > 0.0 {
                1.0
            } else {
                slope.get()
            }
        }
        Activation::Elu { alpha } => {
            if x > 0.0 {
                1.0
            } else {
                alpha.get() * x.exp()
            }
        }
        Activation::Tanh => 1.0 / x.cosh().powi(2),
        Activation::Gelu => {
            let density = (-0.5 * x * x).exp() * (0.5 / core::f64::consts::PI).sqrt();
            libm::erfc(-x / core::f64::consts::SQRT_2) / 2.0 + x * density
        }
        Activation::Mish => tanh_of_softplus(x) + x * logistic / softplus(x).cosh().powi(2),
        Activation::Times { factor } => factor.get(),
    }
}

/// The errors that [`Activation`] states at `x`, of a value and a derivative of these sizes.
fn allowed(activation: Activation, x: f64, [value, slope]: [f64; 2]) -> [f64; 2] {
    // What is rounded to 0, or kept from it.
    const TINY: f64 = 1e-37;
    let relative = |error: f64| [error * value.abs() + TINY, error * slope.abs() + TINY];
    match activation {
        Activation::Sigmoid => relative(4e-7),
        Activation::HardSigmoid => [1e-7; 2],
        Activation::Silu => [5e-7 * x.abs().max(1.0); 2],
        Activation::HardSwish => [2e-7 * x.abs().max(1.0); 2],
        Activation::Relu6 => [0.0; 2],
        Activation::LeakyRelu { .. } => relative(1e-7),
        Activation::Elu { .. } => relative(4e-7),
        Activation::Tanh => relative(5e-7),
        Activation::Gelu => [4e-7 * x.abs() + TINY, 1e-6],
        Activation::Mish => [1e-6 * x.abs().max(1.0); 2],
        Activation::Times { .. } => relative(1e-7),
    }
}

/// Values and derivatives as the kernels compute them.
fn run(backend: Backend, activation: Activation, x: &[f32]) -> [Vec<f32>; 2] {
    let shape = Shape::new(1, x.len(), 1, 1).unwrap();
    let value = Value { stored: View::dense(x, shape), affine: None, rectified: false };
    let [mut values, mut slopes] = [vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]];
    forward(backend, activation, value, ViewMut::dense(&mut values, shape));
    let ones = vec![1.0; x.len()];
    let stored = ViewMut::dense(&mut slopes, shape);
    let sink = Sink { stored, accumulate: false, gate: None, sums: None };
    vjp(backend, activation, value, View::dense(&ones, shape), sink);
    [values, slopes]
}

#[test]
fn the_errors_are_below_the_stated_ones() {
    let near = (0..20_000).map(|i| (i as f32 - 10_000.0) * 9e-4);
    let far = (0..4000).map(|i| (i as f32 - 2000.0) * 0.05);
    let tiny = (0..2000).map(|i| (-1f32).powi(i) * (i as f32 / 100.0 - 22.0).exp2());
    let kinks = [-3.0, 0.0, 3.0, 6.0];
    let x: Vec<f32> = near.chain(far).chain(tiny).chain(kinks).collect();
    for (backend, activation) in Backend::available().flat_map(|b| ALL.map(|a| (b, a))) {
        let results = run(backend, activation, &x);
        for (place, &x) in x.iter().enumerate() {
            let exact = [reference, derivative].map(|f| f(activation, f64::from(x)));
            let allowed = allowed(activation, f64::from(x), exact);
            for (which, results) in results.iter().enumerate() {
                let (ours, theirs) = (f64::from(results[place]), exact[which]);
                let close = (ours - theirs).abs() <= allowed[which];
                assert!(close, "{activation:?} at {x}, {}: {ours} is not {theirs} ({which})", backend.name());
            }
        }
    }
}

#[test]
fn limits_and_nan() {
    for (backend, activation) in Backend::available().flat_map(|b| ALL.map(|a| (b, a))) {
        let far = 1e30;
        let [values, slopes] = run(backend, activation, &[f32::NAN, far, -far, f32::INFINITY]);
        let case = format!("{activation:?}, {}", backend.name());
        assert!(values[0].is_nan(), "{case}");
        assert!(slopes.iter().skip(1).chain(&values[1..3]).all(|x| x.is_finite()), "{case}: {values:?} {slopes:?}");
        assert_eq!(f64::from(values[1]), reference(activation, f64::from(far)).min(f64::from(far)), "{case}");
        let bounded = reference(activation, 1e300).abs() < 1e300;
        assert_eq!(values[3].is_infinite(), !bounded, "{case}: {values:?}");
    }
}

#[test]
fn what_is_zero_at_zero_is_said_to_be() {
    for activation in ALL {
        assert_eq!(activation.facts().keeps_zero, reference(activation, 0.0) == 0.0, "{activation:?}");
    }
}

#[test]
fn constants_are_checked() {
    let shape = Shape::new(1, 2, 3, 4).unwrap();
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (slope, alpha, factor) = (x.into(), x.into(), x.into());
        for activation in [Activation::LeakyRelu { slope }, Activation::Elu { alpha }, Activation::Times { factor }] {
            assert!(matches!(activation.output(&[shape]), Err(Error::Invalid { field: "alpha", .. })));
        }
    }
    for activation in ALL {
        assert_eq!(activation.output(&[shape]), Ok(shape));
        assert!(matches!(activation.output(&[shape; 2]), Err(Error::Invalid { field: "inputs", .. })));
    }
}

/// Through a normalisation, a rectifier and a gate, at every width.
#[test]
fn values_and_gradients_of_tensors() {
    for (channels, activation) in [1, 3, 8, 17, 31, 64].into_iter().flat_map(|channels| ALL.map(|a| (channels, a))) {
        let shape = Shape::new(2, 3, 3, channels).unwrap();
        let (x, g) = (Tensor::random(shape, 1, 1), Tensor::random(shape, 2, 2));
        let (scale, shift) = (numbers(channels, 3), numbers(channels, 4));
        for (affine, rectified) in [(false, false), (true, false), (true, true)] {
            let case = format!("{activation:?}, {channels} channels, {affine}, {rectified}");
            let loaded = |x: &[f64]| -> Vec<f64> {
                let of = |(place, x): (usize, &f64)| {
                    let [scale, shift] = [&scale, &shift].map(|all| f64::from(all[place % channels]));
                    let x = if affine { scale * x + shift } else { *x };
                    if rectified { x.max(0.0) } else { x }
                };
                x.iter().enumerate().map(of).collect()
            };
            let values: Vec<_> = loaded(&x.dense()).iter().map(|&x| reference(activation, x)).collect();
            let affine = affine.then_some(Affine { scale: &scale, shift: &shift });
            let value = Value { stored: x.view(), affine, rectified };
            // With respect to what stands before the rectifier.
            let inputs = Value { rectified: false, ..value };
            let dense = x.dense();
            let before: Vec<f64> = if affine.is_some() {
                let of = |(place, x): (usize, &f64)| {
                    f64::from(scale[place % channels]) * x + f64::from(shift[place % channels])
                };
                dense.iter().enumerate().map(of).collect()
            } else {
                dense
            };
            // Of one number each, so central differences are too.
            let activate = |x: f64| reference(activation, if rectified { x.max(0.0) } else { x });
            let slope = |x: f64| (activate(x + 1e-6) - activate(x - 1e-6)) / 2e-6;
            let slopes: Vec<_> = before.iter().zip(g.dense()).map(|(&x, g)| slope(x) * g).collect();
            for backend in Backend::available() {
                let case = format!("{case}, {backend:?}");
                let mut out = Tensor::filled(shape, 3, f32::NAN);
                forward(backend, activation, value, out.view_mut());
                assert_close(&out.dense(), &values, 5e-6, &case);
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut out = Tensor::filled(shape, 0, before);
                    let gate = rectified.then_some(inputs);
                    let sink = Sink { stored: out.view_mut(), accumulate, gate, sums: None };
                    vjp(backend, activation, value, g.view(), sink);
                    let expected: Vec<_> = slopes.iter().map(|x| if accumulate { x + 0.5 } else { *x }).collect();
                    assert_close(&out.dense(), &expected, 5e-6, &case);
                }
            }
        }
    }
}
