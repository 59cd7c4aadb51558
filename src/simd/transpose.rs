//! Rows of numbers read as columns, by squares of vectors.

use super::{MAX_LANES, Simd};

/// Calls `write` with each of `count` columns: the numbers at one place of `height` rows, at most as many as a vector has
/// lanes, which start `pitch` numbers apart; zeros behind them.
#[inline(always)]
pub(crate) fn columns<S: Simd>(
    simd: S,
    rows: &[f32],
    pitch: usize,
    [height, count]: [usize; 2],
    mut write: impl FnMut(usize, S::F32),
) {
    for first in (0..count).step_by(S::LANES) {
        let width = S::LANES.min(count - first);
        let mut square = [simd.splat(0.0); MAX_LANES];
        for (row, vector) in square[..S::LANES].iter_mut().enumerate() {
            if row < height {
                *vector = simd.load_partial(&rows[row * pitch + first..][..width]);
            }
        }
        let square = transpose(simd, square);
        for (column, &vector) in square[..width].iter().enumerate() {
            write(first + column, vector);
        }
    }
}

/// Exchanges rows and columns of the first vectors, as many as one has lanes.
#[inline(always)]
fn transpose<S: Simd>(simd: S, mut square: [S::F32; MAX_LANES]) -> [S::F32; MAX_LANES] {
    // The index of a number is that of its row, then that of its lane. Each round moves the highest binary digit to the
    // end; after as many rounds as a lane's index has digits, row and lane have changed places.
    let mut moved = 1;
    while moved < S::LANES {
        let before = square;
        for index in 0..S::LANES / 2 {
            [square[2 * index], square[2 * index + 1]] = simd.zip(before[index], before[index + S::LANES / 2]);
        }
        moved *= 2;
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Kernel};
    use std::vec;

    /// Writes the columns one behind the other.
    struct Columns<'a> {
        rows: &'a [f32],
        pitch: usize,
        extents: [usize; 2],
        out: &'a mut [f32],
    }

    impl Kernel for Columns<'_> {
        type Output = usize;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> usize {
            let Self { rows, pitch, extents: [height, count], out } = self;
            columns(
                simd,
                rows,
                pitch,
                [height.min(S::LANES), count],
                #[inline(always)]
                |column, vector| simd.store(vector, &mut out[column * S::LANES..]),
            );
            S::LANES
        }
    }

    #[test]
    fn columns_are_those_of_the_rows() {
        for backend in Backend::available() {
            for (height, count) in (1..=MAX_LANES).flat_map(|height| (0..=2 * MAX_LANES + 1).map(move |n| (height, n)))
            {
                for pitch in [count, count + 3] {
                    let rows: vec::Vec<f32> = (0..height * pitch).map(|number| number as f32).collect();
                    let mut out = vec![-1.0; MAX_LANES * count];
                    let lanes = backend.run(Columns { rows: &rows, pitch, extents: [height, count], out: &mut out });
                    for (place, &number) in out[..lanes * count].iter().enumerate() {
                        let (row, column) = (place % lanes, place / lanes);
                        let expected = if row < height { rows[row * pitch + column] } else { 0.0 };
                        assert_eq!(number, expected, "{backend:?}, {height} rows, {count} columns");
                    }
                    assert!(out[lanes * count..].iter().all(|&number| number == -1.0));
                }
            }
        }
    }
}
