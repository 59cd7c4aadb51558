//! Whether two tensors are one and the same, number by number.

use super::View;
use crate::simd::{Backend, Kernel, Simd};

/// Whether two tensors of one shape are equal everywhere; NaN equals nothing. Stops soon after a difference.
pub fn equal(backend: Backend, a: View<'_>, b: View<'_>) -> bool {
    a.shape == b.shape && backend.run(Equal { a, b })
}

struct Equal<'a> {
    a: View<'a>,
    b: View<'a>,
}

impl Kernel for Equal<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> bool {
        // Few enough to stop early, enough for the compiler to compare vectors.
        const CHUNK: usize = 128;
        let Self { a, b } = self;
        let (rows, width) = match a.shape {
            shape if a.pitch == shape.channels && b.pitch == shape.channels => (1, shape.len()),
            shape => (shape.positions(), shape.channels),
        };
        (0..rows).all(
            #[inline(always)]
            |row| {
                let a = a.data[row * a.pitch..][..width].chunks(CHUNK);
                let b = b.data[row * b.pitch..][..width].chunks(CHUNK);
                a.zip(b).all(
                    #[inline(always)]
                    |(a, b)| a.iter().zip(b).fold(true, |same, (a, b)| same & (a == b)),
                )
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Shape;
    use crate::tensor::reference::numbers;
    use std::vec::Vec;

    const CHANNELS: [usize; 10] = [1, 3, 7, 8, 9, 15, 16, 17, 24, 64];
    const POSITIONS: [usize; 6] = [0, 1, 7, 8, 9, 19];

    #[test]
    fn equality_is_everywhere_or_not() {
        let shapes = CHANNELS.into_iter().flat_map(|c| POSITIONS.map(|p| Shape::new(1, p, 1, c).unwrap()));
        for (backend, shape) in Backend::available().flat_map(|b| shapes.clone().map(move |s| (b, s))) {
            for gap in [0, 3] {
                let pitch = shape.channels + gap;
                let mut numbers = numbers(shape.positions() * pitch, 1);
                // What lies between the rows does not count.
                numbers.chunks_exact_mut(pitch).for_each(|row| row[shape.channels..].fill(f32::NAN));
                let dense =
                    numbers.chunks_exact(pitch).flat_map(|row| &row[..shape.channels]).copied().collect::<Vec<_>>();
                let (a, b) = (View { data: &numbers, shape, pitch }, View::dense(&dense, shape));
                assert!(equal(backend, a, b));
                for place in [0, shape.positions() / 2, shape.positions().saturating_sub(1)] {
                    for other in [0.0, f32::NAN] {
                        let mut changed = numbers.clone();
                        let Some(x) = changed.get_mut(place * pitch + place % shape.channels) else { continue };
                        *x = other;
                        let changed = View { data: &changed, shape, pitch };
                        assert!(!equal(backend, changed, b));
                        assert_eq!(equal(backend, changed, changed), !other.is_nan());
                    }
                }
            }
            let taller = Shape { height: shape.height + 1, ..shape };
            let numbers = numbers(taller.len(), 1);
            assert!(!equal(backend, View::dense(&numbers, taller), View::dense(&numbers, shape)));
        }
    }
}
