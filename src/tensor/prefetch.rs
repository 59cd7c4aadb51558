//! Memory that is needed soon, asked for while something else is computed.
//!
//! A pass over a large tensor alternates between computing in the caches and waiting for memory: for what it reads next,
//! and for the place where its result goes. Cache lines that are asked for in between, a few at a time, arrive meanwhile.

use super::View;
use crate::base::SMALL;
use crate::simd::Simd;

/// Numbers in a cache line.
const LINE: usize = 16;

/// Tensors of fewer numbers are near as it is: in the second-level cache for a part, and the processor sees by itself what
/// is next in a fast last-level cache.
const LARGE: usize = 768 * 1024;

/// More numbers at a time would push out of the second-level cache what is computed with meanwhile.
const MOST: usize = 256 * 1024;

/// Most tensors of one piece of work; none where code is to be short.
const STREAMS: usize = if SMALL { 0 } else { 8 };

/// Rows of a tensor whose lines have not been asked for yet. An address, not a borrow: nothing is read through it.
#[derive(Clone, Copy)]
struct Stream {
    row: *const f32,
    /// Rows left, and numbers from one to the next.
    rows: usize,
    pitch: usize,
    /// Lines of a row, and those of the first row that were asked for.
    lines: usize,
    line: usize,
}

impl Stream {
    const EMPTY: Self = Self { row: core::ptr::null(), rows: 0, pitch: 0, lines: 0, line: 0 };
}

/// What is to be asked for, first things first, spread evenly over some work.
pub(crate) struct Prefetch {
    streams: [Stream; STREAMS],
    count: usize,
    /// The stream whose lines are next.
    current: usize,
    /// Lines of all streams.
    lines: usize,
    /// Lines for each unit of work, and those that are due, in fixed point.
    rate: u64,
    due: u64,
}

/// Binary digits behind the point.
const FRACTION: u32 = 24;

impl Prefetch {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self { streams: [Stream::EMPTY; STREAMS], count: 0, current: 0, lines: 0, rate: 0, due: 0 }
    }

    /// Adds some positions of a tensor, if it is too large to be near already and they are not too many.
    pub(crate) fn add(&mut self, view: &View<'_>, first: usize, count: usize) {
        let channels = view.shape.channels;
        let near = view.shape.positions() * view.pitch < LARGE;
        if self.count == STREAMS || near || !(1..=MOST).contains(&(count * channels)) {
            return;
        }
        let row = view.data.as_ptr().wrapping_add(first * view.pitch);
        self.streams[self.count] = if view.is_dense() {
            Stream { row, rows: 1, pitch: 0, lines: (count * channels).div_ceil(LINE), line: 0 }
        } else {
            // Rows that start anywhere in a line touch one more.
            let lines = channels.div_ceil(LINE) + usize::from(!view.pitch.is_multiple_of(LINE));
            Stream { row, rows: count, pitch: view.pitch, lines, line: 0 }
        };
        self.lines += self.streams[self.count].rows * self.streams[self.count].lines;
        self.count += 1;
    }

    /// Spreads all of it over so many units of work.
    pub(crate) fn spread(&mut self, work: usize) {
        if SMALL {
            return;
        }
        self.rate = ((self.lines as u64) << FRACTION).div_ceil(work.max(1) as u64);
    }

    /// Asks for what is due after some more units of work.
    #[inline(always)]
    pub(crate) fn advance<S: Simd>(&mut self, simd: S, units: usize) {
        if !SMALL {
            self.each_due(
                units,
                #[inline(always)]
                |line| simd.prefetch(line),
            );
        }
    }

    /// Calls `ask` with the address of every line that is due after some more units of work.
    #[inline(always)]
    fn each_due(&mut self, units: usize, mut ask: impl FnMut(*const f32)) {
        self.due += units as u64 * self.rate;
        let mut lines = (self.due >> FRACTION) as usize;
        self.due &= (1 << FRACTION) - 1;
        while lines > 0 && self.current < self.count {
            let stream = &mut self.streams[self.current];
            let run = lines.min(stream.lines - stream.line);
            for line in stream.line..stream.line + run {
                ask(stream.row.wrapping_add(line * LINE));
            }
            lines -= run;
            stream.line += run;
            if stream.line == stream.lines {
                (stream.row, stream.line) = (stream.row.wrapping_add(stream.pitch), 0);
                stream.rows -= 1;
                self.current += usize::from(stream.rows == 0);
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(feature = "small"))]
mod tests {
    use super::*;
    use crate::tensor::Shape;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn every_line_is_asked_for_once_and_in_order() {
        let numbers = vec![0.0; LARGE];
        let shape = Shape::new(1, LARGE / 64, 1, 64).unwrap();
        let whole = View::dense(&numbers, shape);
        let slice = whole.channels(16..40);
        let places = |lines: &[*const f32]| -> Vec<usize> {
            lines.iter().map(|line| (*line as usize - numbers.as_ptr() as usize) / size_of::<f32>()).collect()
        };
        for (work, step) in [(1, 1), (7, 1), (100, 3), (5000, 16)] {
            let mut prefetch = Prefetch::new();
            prefetch.add(&slice, 5, 3);
            prefetch.add(&whole, 2, 2);
            prefetch.spread(work);
            let mut lines = vec![];
            for _ in (0..work).step_by(step) {
                let before = lines.len();
                prefetch.each_due(step, |line| lines.push(line));
                assert!(lines.len() - before <= (14 * step).div_ceil(work) + 1, "not spread evenly");
            }
            let rows = [5, 6, 7].into_iter().flat_map(|row| [64 * row + 16, 64 * row + 32]);
            let dense = (0..8).map(|line| 2 * 64 + 16 * line);
            assert_eq!(places(&lines), rows.chain(dense).collect::<Vec<_>>());
            prefetch.each_due(work, |_| panic!("asked for more than there is"));
        }
    }

    #[test]
    fn what_is_near_or_empty_is_left_out() {
        let numbers = vec![0.0; LARGE];
        let large = View::dense(&numbers, Shape::new(1, LARGE, 1, 1).unwrap());
        let small = View::dense(&numbers, Shape::new(1, LARGE - 1, 1, 1).unwrap());
        let mut prefetch = Prefetch::new();
        prefetch.add(&View::EMPTY, 0, 0);
        prefetch.add(&small, 0, 100);
        prefetch.add(&large, 7, 0);
        prefetch.add(&large, 0, MOST + 1);
        prefetch.spread(0);
        prefetch.each_due(1, |_| panic!("asked for nothing"));
        for _ in 0..2 * STREAMS {
            prefetch.add(&large, 0, 1);
        }
        prefetch.spread(1);
        let mut count = 0;
        prefetch.each_due(1, |_| count += 1);
        assert_eq!(count, STREAMS);
    }
}
