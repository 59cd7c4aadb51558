//! NASWOT: how well the rectifiers tell images apart (Mellor et al., ICML 2021).
//!
//! `ln |det K|`, where `K[i, j]` counts the inputs of rectifiers on whose sign the images i and j of a batch agree,
//! over all rectifiers of the network; −∞ if K is singular, which it is where two images agree on all of them.
//! Positive is what is above 0. At most `n ln(units)` for n images.
//!
//! Every rectifier that runs counts once, also one that nothing reads back from; the original counts those only that
//! a backward pass reaches. Undefined without rectifiers.
//!
//! Published setting: Kaiming initialisation of the fan-in, Gaussian input, batch 64.

use super::entry::{Entry, Measurement, Origin};
use crate::linalg::determinant::ln_abs_determinant;
use crate::ops::signs::pattern_len;
use crate::simd::{Backend, Kernel, Simd};

pub(super) const ENTRY: Entry = Entry { name: "naswot", origin: Origin::Network(Measurement::Patterns) };

/// On how many bits two patterns differ.
struct Differing<'a>(&'a [u64], &'a [u64]);

impl Kernel for Differing<'_> {
    type Output = u64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u64 {
        let pairs = self.0.iter().zip(self.1);
        pairs.fold(
            0,
            #[inline(always)]
            |sum, (a, b)| sum + u64::from((a ^ b).count_ones()),
        )
    }
}

/// On how many units each two images agree.
#[derive(Debug)]
pub struct Agreements<'m> {
    /// Images × images. Whole numbers, exact to 2⁵³.
    counts: &'m mut [f64],
    images: usize,
    units: f64,
}

impl<'m> Agreements<'m> {
    /// No unit yet, in memory for `images²` numbers.
    pub fn new(counts: &'m mut [f64], images: usize) -> Self {
        let counts = &mut counts[..images * images];
        counts.fill(0.0);
        Self { counts, images, units: 0.0 }
    }

    /// Adds `units` more, of which `patterns` holds the [pattern](crate::ops::signs::pattern) of every image one after another. They count `times`
    /// times.
    pub fn add(&mut self, backend: Backend, patterns: &[u64], units: usize, times: usize) {
        let words = pattern_len(units);
        let of = |image: usize| &patterns[image * words..][..words];
        self.units += (units * times) as f64;
        for i in 0..self.images {
            for j in i..self.images {
                let differing = backend.run(Differing(of(i), of(j)));
                let agreeing = (units as u64 - differing) as f64 * times as f64;
                self.counts[i * self.images + j] += agreeing;
                if i != j {
                    self.counts[j * self.images + i] += agreeing;
                }
            }
        }
    }

    /// Adds `units` more on which all images agree.
    pub fn add_alike(&mut self, units: usize) {
        self.units += units as f64;
        self.counts.iter_mut().for_each(|count| *count += units as f64);
    }

    /// How many units there are.
    pub fn units(&self) -> f64 {
        self.units
    }

    /// How many different patterns the images have: the linear regions of the network that they lie in.
    pub fn regions(&self) -> usize {
        let is_new = |&i: &usize| (0..i).all(|j| self.counts[i * self.images + j] < self.units);
        (0..self.images).filter(is_new).count()
    }

    /// `ln |det K|`; the counts are lost. NaN without units.
    pub fn ln_determinant(self) -> f64 {
        if self.units == 0.0 { f64::NAN } else { ln_abs_determinant(self.counts, self.images) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{below, generator};
    use crate::ops::signs::pattern;
    use std::vec;
    use std::vec::Vec;

    /// Agreements of images given as their values, a layer after another.
    fn agreements<'m>(backend: Backend, counts: &'m mut [f64], layers: &[&[Vec<f32>]]) -> Agreements<'m> {
        let mut agreements = Agreements::new(counts, layers[0].len());
        for images in layers {
            let units = images[0].len();
            let mut patterns = vec![u64::MAX; images.len() * pattern_len(units)];
            for (image, words) in images.iter().zip(patterns.chunks_mut(pattern_len(units))) {
                pattern(backend, image, words);
            }
            agreements.add(backend, &patterns, units, 1);
        }
        agreements
    }

    #[test]
    fn by_hand() {
        // Patterns 101, 001, 111 and, of the second layer, 0, 1, 1.
        let first = [vec![1.0, -1.0, 2.0], vec![-1.0, 0.0, 1.0], vec![0.5, 0.5, 0.5]];
        let second = [vec![f32::NAN], vec![1e-30], vec![3.0]];
        let mut counts = [9.0; 9];
        let agreements = agreements(Backend::Scalar, &mut counts, &[&first, &second]);
        assert_eq!(agreements.counts, [4.0, 2.0, 2.0, 2.0, 4.0, 2.0, 2.0, 2.0, 4.0]);
        assert_eq!((agreements.units(), agreements.regions()), (4.0, 3));
        // det = 64 + 8 + 8 − 3 · 16
        assert!((agreements.ln_determinant() - 32f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn images_of_one_pattern_are_one_region_and_singular() {
        let mut rng = generator(7);
        let mut draw = |units: usize| -> Vec<f32> { (0..units).map(|_| below(&mut rng, 9) as f32 - 4.0).collect() };
        for units in [1, 5, 31, 32, 33, 63, 64, 65, 95, 96, 97, 128, 1000] {
            let mut images: Vec<Vec<f32>> = (0..6).map(|_| draw(units)).collect();
            images[4] = images[1].iter().map(|value| value * 2.0).collect();
            let signs = |image: &Vec<f32>| image.iter().map(|&value| value > 0.0).collect::<Vec<_>>();
            let mut distinct: Vec<Vec<bool>> = images.iter().map(signs).collect();
            distinct.sort();
            distinct.dedup();
            for backend in Backend::available() {
                let mut counts = vec![0.0; 36];
                let found = agreements(backend, &mut counts, &[&images]);
                for (i, a) in images.iter().enumerate() {
                    for (j, b) in images.iter().enumerate() {
                        let agreeing = a.iter().zip(b).filter(|(a, b)| (**a > 0.0) == (**b > 0.0)).count();
                        assert_eq!(found.counts[i * 6 + j], agreeing as f64, "{units} units, {i} and {j}");
                    }
                }
                assert_eq!(found.regions(), distinct.len(), "{units} units");
                assert_eq!(found.ln_determinant(), f64::NEG_INFINITY, "{units} units");
            }
        }
    }

    #[test]
    fn nothing_to_tell_apart() {
        let mut counts = [0.0; 4];
        assert!(Agreements::new(&mut counts, 2).ln_determinant().is_nan());
        assert_eq!(Agreements::new(&mut [], 0).regions(), 0);
        // All images alike: every count is that of the units.
        let alike = [vec![1.0, -1.0], vec![2.0, -3.0]];
        let found = agreements(Backend::Scalar, &mut counts, &[&alike]);
        assert_eq!(found.regions(), 1);
        assert_eq!(found.ln_determinant(), f64::NEG_INFINITY);
    }
}
