//! Gradients of weights against their sums in double precision, and these against differences.

use crate::ops::conv2d::tests::{
    Input, Member, Sum, assert_near, every_case, geometry, members, numbers, products, sums,
};
use crate::ops::conv2d::{Algorithm, Conv2d, Geometry};
use crate::ops::reference::{assert_close, differences};
use crate::simd::Backend;
use crate::tensor::{Sink, ViewMut};
use std::vec;
use std::vec::Vec;

/// Every product of input and gradient summed to its weight's place.
fn reference(geometry: &Geometry, input: &[Sum], gradient: &[Sum]) -> Vec<Sum> {
    let mut sums = vec![(0.0, 0.0); geometry.weights()];
    products(geometry, |from, to, weight| {
        sums[weight].0 += input[from].0 * gradient[to].0;
        sums[weight].1 += input[from].1 * gradient[to].1;
    });
    sums
}

#[test]
fn they_are_sums_over_all_positions() {
    every_case(|convolution, context| {
        let geometry = *convolution.geometry();
        for (merged, gap, affine, rectified) in
            [(false, 0, false, false), (true, 2, true, false), (true, 0, true, true), (false, 3, false, true)]
        {
            let input = Input::new(geometry.input(), gap, affine, rectified);
            let members = members(geometry.output(), merged, gap);
            let gradients: Vec<_> = members.iter().map(Member::gradient).collect();
            let mut expected = reference(&geometry, &input.numbers(), &sums(&gradients));
            // Sums over positions are longer than those over the taps of a kernel.
            expected.iter_mut().for_each(|sum| sum.1 *= 4.0);
            if convolution.algorithm() != Algorithm::Direct {
                // Winograd's algorithm mixes the taps of a kernel: its error is on the scale of the largest.
                for kernel in expected.chunks_exact_mut(geometry.kernel()[0] * geometry.kernel()[1]) {
                    let largest = kernel.iter().fold(0.0, |largest: f64, sum| largest.max(sum.1));
                    kernel.iter_mut().for_each(|sum| sum.1 = 2.0 * largest);
                }
            }
            let mut scratch = vec![f32::NAN; convolution.weights_scratch_len()];
            let mut weights = vec![f32::NAN; geometry.weights()];
            convolution.weights_vjp(&input.value(), &gradients, &mut weights, &mut scratch);
            for (&got, &expected) in weights.iter().zip(&expected) {
                assert_near(got, expected, context);
            }
        }
    });
}

/// Beside a vjp the gradients of weights have the bits that they have alone, and so has the vjp.
#[test]
fn beside_a_vjp_they_are_the_same() {
    let mut count = 0;
    let mut check = |convolution: Conv2d, context: &str| {
        let Some(scratch_len) = convolution.both_scratch_len() else { return };
        count += 1;
        let geometry = *convolution.geometry();
        let (shape, drawn) = (geometry.input(), numbers(geometry.weights(), 1));
        let mut packed = vec![f32::NAN; convolution.packed_vjp_len()];
        convolution.pack_vjp(&drawn, &mut packed);
        for (merged, gap, gated) in [(false, 0, false), (true, 2, true), (true, 0, true)] {
            let input = Input::new(shape, gap, merged, gated);
            let members = members(geometry.output(), merged, gap);
            let gradients: Vec<_> = members.iter().map(Member::gradient).collect();
            let run = |vjp: &mut dyn FnMut(&mut [f32], Sink<'_>)| {
                let mut weights = vec![f32::NAN; geometry.weights()];
                let mut back = vec![if gated { 0.25 } else { f32::NAN }; shape.len()];
                let stored = ViewMut::dense(&mut back, shape);
                let gate = gated.then(|| input.value());
                vjp(&mut weights, Sink { stored, accumulate: gated, gate, sums: None });
                [weights, back].map(|numbers| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>())
            };
            let alone = run(&mut |weights, sink| {
                convolution.vjp(&gradients, &packed, &mut vec![f32::NAN; convolution.scratch_len()], sink);
                let mut scratch = vec![f32::NAN; convolution.weights_scratch_len()];
                convolution.weights_vjp(&input.value(), &gradients, weights, &mut scratch);
            });
            let beside = run(&mut |weights, sink| {
                let mut scratch = vec![f32::NAN; scratch_len];
                convolution.both_vjp(&input.value(), &gradients, &packed, weights, &mut scratch, sink);
            });
            assert!(alone == beside, "{context}, {merged}, {gated}");
        }
    };
    every_case(&mut check);
    // Bands of some rows, of whole images, and a last one that is not full.
    for case in [([3, 33, 37, 32], 48), ([21, 8, 8, 16], 16), ([5, 16, 15, 24], 40)] {
        let case = (case.0, case.1, [3; 2], [1; 2], [1; 2], [1; 2], 1);
        for backend in Backend::available() {
            check(
                Conv2d::new(backend, geometry(&case), Algorithm::Winograd),
                &std::format!("{} {case:?}", backend.name()),
            );
        }
    }
    // Not of many channels, nor where the vjp makes another map than it reads.
    for (inputs, padding) in [(96, 1), (16, 0), (16, 2)] {
        let case = ([1, 8, 8, inputs], 64, [3; 2], [1; 2], [padding; 2], [1; 2], 1);
        assert!(Conv2d::new(Backend::Scalar, geometry(&case), Algorithm::Winograd).both_scratch_len().is_none());
    }
    assert!(count >= 5 * Backend::available().count(), "{count}");
}

#[test]
fn their_reference_is_the_derivative() {
    every_case(|convolution, context| {
        let geometry = *convolution.geometry();
        let is_first = convolution.algorithm() == Algorithm::Direct && convolution.backend == Backend::Scalar;
        // Whatever the size, each weight takes a convolution.
        if !is_first || geometry.weights() as u64 * geometry.macs() > 50_000_000 {
            return;
        }
        let input = Input::new(geometry.input(), 0, true, true).numbers();
        let members = members(geometry.output(), true, 0);
        let gradient = sums(&members.iter().map(Member::gradient).collect::<Vec<_>>());
        let convolved = |weights: &[f64]| {
            let mut out = vec![0.0; geometry.output().len()];
            products(&geometry, |from, to, weight| out[to] += input[from].0 * weights[weight]);
            out
        };
        let direction: Vec<_> = gradient.iter().map(|sum| sum.0).collect();
        let slopes = differences(&vec![0.5; geometry.weights()], &direction, convolved);
        let expected: Vec<_> = reference(&geometry, &input, &gradient).iter().map(|sum| sum.0).collect();
        // Differences of sums of hundreds.
        assert_close(&slopes, &expected, 1e-5, context);
    });
}

#[test]
fn long_sums_keep_their_digits() {
    for kernel in [1, 3] {
        let case = ([64, 32, 32, 5], 4, [kernel; 2], [1, 1], [kernel / 2; 2], [1, 1], 1);
        let geometry = geometry(&case);
        let input = Input::new(geometry.input(), 0, false, true);
        let members = members(geometry.output(), false, 0);
        let gradients: Vec<_> = members.iter().map(Member::gradient).collect();
        let expected = reference(&geometry, &input.numbers(), &sums(&gradients));
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
        for (algorithm, limit) in [(Algorithm::Direct, 2e-6), (Algorithm::Winograd, 1e-5)] {
            for backend in Backend::available() {
                let convolution = Conv2d::new(backend, geometry, algorithm);
                let mut scratch = vec![f32::NAN; convolution.weights_scratch_len()];
                let mut weights = vec![f32::NAN; geometry.weights()];
                convolution.weights_vjp(&input.value(), &gradients, &mut weights, &mut scratch);
                let errors = &mut weights.iter().zip(&expected).map(|(&got, sum)| f64::from(got) - sum.0);
                let error = norm(errors) / norm(&mut expected.iter().map(|sum| sum.0));
                assert!(error <= limit, "{} {algorithm:?} {kernel}: {error:e}", backend.name());
            }
        }
    }
}
