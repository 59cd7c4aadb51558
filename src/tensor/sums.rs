//! The two sums over all positions that the backward pass of a batch normalisation needs.
//!
//! They are formed while the gradient is written, where one kernel writes all of it, or by a pass of their own. A few
//! rows are summed in single precision, those sums in double precision.

use super::View;
use super::columns::{Columns, for_each_block, summed_rows};
use crate::simd::rows::{self, Rows};
use crate::simd::{Backend, Kernel, Simd};
use core::ops::Range;

/// Of a gradient `g` with respect to the output of a batch normalisation and its input `z`, one number a channel.
#[derive(Debug)]
pub struct Sums<'a> {
    /// About the mean of `z`: products with differences from it are small.
    pub centre: &'a [f32],
    /// `Σ g`
    pub gradient: &'a mut [f64],
    /// `Σ g · (z − centre)`
    pub product: &'a mut [f64],
}

impl<'a> Sums<'a> {
    /// Sums of nothing yet, in slices of one number a channel each.
    pub fn new(centre: &'a [f32], gradient: &'a mut [f64], product: &'a mut [f64]) -> Self {
        gradient.fill(0.0);
        product.fill(0.0);
        Self { centre, gradient, product }
    }

    /// Adds positions `first .. first + count`.
    pub fn update(&mut self, backend: Backend, gradient: &View<'_>, input: &View<'_>, first: usize, count: usize) {
        let channels = input.shape.channels;
        let inputs = [gradient, input].map(|view| Rows { data: &view.data[first * view.pitch..], pitch: view.pitch });
        backend.run(Update { sums: self, inputs, rows: count, channels });
    }

    /// Adds one position to sums in single precision.
    #[inline(always)]
    pub(super) fn add<S: Simd>(simd: S, gradient: S::F32, difference: S::F32, [sum, product]: &mut [S::F32; 2]) {
        *sum = simd.add(*sum, gradient);
        *product = simd.mul_add(gradient, difference, *product);
    }

    /// Adds sums in single precision to those of `channels`.
    #[inline(always)]
    pub(super) fn take<S: Simd>(&mut self, simd: S, channels: Range<usize>, sums: [S::F32; 2]) {
        let totals = [&mut self.gradient[channels.clone()], &mut self.product[channels]];
        rows::widen(
            simd,
            sums,
            totals,
            #[inline(always)]
            |[gradient, product], [gradients, products]| {
                [simd.add_f64(gradients, gradient), simd.add_f64(products, product)]
            },
        );
    }
}

struct Update<'u, 's> {
    sums: &'u mut Sums<'s>,
    inputs: [Rows<'u>; 2],
    rows: usize,
    channels: usize,
}

impl Kernel for Update<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.rows, self.channels, summed_rows(self.channels), &mut self);
    }
}

impl<S: Simd> Columns<S> for Update<'_, '_> {
    #[inline(always)]
    fn whole<const V: usize>(&mut self, simd: S, rows: Range<usize>, first: usize) {
        let inputs = self.inputs.map(|input| input.skip(rows.start * input.pitch + first));
        let sums: [_; V] = rows::sum(
            simd,
            rows.len(),
            inputs,
            [&self.sums.centre[first..]],
            #[inline(always)]
            |[centre], [g, z], sums| Sums::add(simd, g, simd.sub(z, centre), sums),
        );
        for (vector, sums) in sums.into_iter().enumerate() {
            let first = first + vector * S::LANES;
            self.sums.take(simd, first..first + S::LANES, sums);
        }
    }

    #[cfg_attr(not(feature = "small"), inline(always))]
    fn partial(&mut self, simd: S, rows: Range<usize>, channels: Range<usize>) {
        let inputs = self.inputs.map(|input| input.skip(rows.start * input.pitch));
        let sums = rows::sum_partial(
            simd,
            rows.len(),
            channels.clone(),
            inputs,
            [self.sums.centre],
            #[inline(always)]
            |[centre], [g, z], sums| Sums::add(simd, g, simd.sub(z, centre), sums),
        );
        self.sums.take(simd, channels, sums);
    }
}
