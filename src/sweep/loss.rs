//! What is differentiated, and the gradient with respect to the outputs of a network that it starts from.

use crate::base::math;
use crate::base::rng::{Key, Stream, below, generator};
use crate::tensor::{Shape, Source};

/// The classes of a batch: the caller's, or drawn.
#[derive(Clone, Copy)]
pub(super) struct Labels<'s> {
    given: Option<&'s [u32]>,
    key: Key,
    classes: usize,
}

impl<'s> Labels<'s> {
    /// Those of the batch of a number.
    pub(super) fn new(source: &'s dyn Source, seed: u64, batch: u32, classes: usize) -> Self {
        Self { given: source.labels(batch), key: Key::new(seed, Stream::Labels, 0, batch), classes }
    }

    /// Whether there is a class for each of so many images.
    pub(super) fn fit(&self, images: usize) -> bool {
        let is_class = |&label: &u32| usize::try_from(label).is_ok_and(|label| label < self.classes);
        self.given.is_none_or(|given| given.len() == images && given.iter().all(is_class))
    }

    fn of(&self, image: usize) -> usize {
        match self.given {
            Some(given) => given[image] as usize,
            None => {
                let [seed, ..] = self.key.part(image as u64).lane(0);
                below(&mut generator(seed), self.classes as u64) as usize
            }
        }
    }
}

/// The mean cross entropy of the outputs of a batch; writes the gradient with respect to them.
pub(super) fn cross_entropy(outputs: &[f32], labels: Labels<'_>, gradient: &mut [f32]) -> f64 {
    let classes = labels.classes.max(1);
    let images = (outputs.len() / classes) as f64;
    let mut sum = 0.0;
    for (image, (outputs, gradient)) in
        outputs.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).enumerate()
    {
        // The largest exponent is 0.
        let largest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let distance = |output: f32| f64::from(output) - f64::from(largest);
        let total: f64 = outputs.iter().map(|&output| math::exp(distance(output))).sum();
        let label = labels.of(image);
        for (class, (gradient, &output)) in gradient.iter_mut().zip(outputs).enumerate() {
            let surplus = if class == label { 1.0 } else { 0.0 };
            *gradient = ((math::exp(distance(output)) / total - surplus) / images) as f32;
        }
        sum += math::ln(total) - distance(outputs[label]);
    }
    sum / images
}

/// The sum of all outputs, or of those for one image; writes the gradient with respect to all.
pub(super) fn sum(outputs: &[f32], shape: Shape, only: Option<usize>, gradient: &mut [f32]) -> f64 {
    let each = shape.positions_per_image() * shape.channels;
    let counted = only.map_or(0..outputs.len(), |image| image * each..(image + 1) * each);
    gradient.fill(0.0);
    gradient[counted.clone()].fill(1.0);
    outputs[counted].iter().map(|&output| f64::from(output)).sum()
}
