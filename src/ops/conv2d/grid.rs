//! The pixels of a band: where each is read and where its result is written.

/// The source of a band, and how it lies in memory.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a [f32],
    /// Numbers from one image, row and position to the next.
    pub(super) steps: [usize; 3],
}

/// Images × rows × columns of outputs of one phase, equally spaced in the source and in the output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Images, rows and columns.
    pub(super) extents: [usize; 3],
    /// Offset of the first pixel's first operand, and from one pixel to the next along each axis.
    pub(super) source: usize,
    pub(super) source_steps: [usize; 3],
    /// Offset of the first pixel's result, and from one pixel to the next along each axis.
    pub(super) output: usize,
    pub(super) output_steps: [usize; 3],
}

impl Grid {
    /// The same pixels in the same order, with axes that continue each other joined into one.
    pub(super) fn joined(mut self) -> Self {
        for [outer, inner] in [[0, 1], [1, 2]] {
            let continues = |steps: &[usize; 3]| steps[outer] == self.extents[inner] * steps[inner];
            if self.extents[outer] == 1 || continues(&self.source_steps) && continues(&self.output_steps) {
                self.extents[inner] *= self.extents[outer];
                self.extents[outer] = 1;
            } else if self.extents[inner] == 1 {
                self.extents.swap(outer, inner);
                self.source_steps.swap(outer, inner);
                self.output_steps.swap(outer, inner);
            }
        }
        self
    }

    /// Number of pixels.
    pub(super) fn pixels(&self) -> usize {
        self.extents.iter().product()
    }

    /// Starts to walk over the pixels.
    #[inline(always)]
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { grid: self, image: 0, row: 0, column: 0, left: self.pixels() }
    }
}

/// A walk over the pixels of a grid, some at a time.
pub(super) struct Walk<'a> {
    grid: &'a Grid,
    image: usize,
    row: usize,
    column: usize,
    left: usize,
}

/// The next pixels: their offsets, and how many there are. The last one is repeated to fill the arrays.
pub(super) struct Step<const P: usize> {
    pub(super) count: usize,
    pub(super) sources: [usize; P],
    pub(super) outputs: [usize; P],
}

impl Walk<'_> {
    /// Row and column of the next pixel.
    #[inline(always)]
    pub(super) fn place(&self) -> [usize; 2] {
        [self.row, self.column]
    }

    #[inline(always)]
    pub(super) fn next<const P: usize>(&mut self) -> Option<Step<P>> {
        let grid = self.grid;
        let [_, rows, columns] = grid.extents;
        if self.left == 0 {
            return None;
        }
        let mut step = Step { count: P.min(self.left), sources: [0; P], outputs: [0; P] };
        let mut source = self.offset(grid.source, &grid.source_steps);
        let mut output = self.offset(grid.output, &grid.output_steps);
        if self.column + P <= columns {
            for pixel in 0..P {
                step.sources[pixel] = source + pixel * grid.source_steps[2];
                step.outputs[pixel] = output + pixel * grid.output_steps[2];
            }
            self.column += P;
        } else {
            for pixel in 0..P {
                if pixel < step.count {
                    if self.column == columns {
                        self.column = 0;
                        self.row += 1;
                        if self.row == rows {
                            self.row = 0;
                            self.image += 1;
                        }
                    }
                    source = self.offset(grid.source, &grid.source_steps);
                    output = self.offset(grid.output, &grid.output_steps);
                    self.column += 1;
                }
                step.sources[pixel] = source;
                step.outputs[pixel] = output;
            }
        }
        if self.column == columns {
            self.column = 0;
            self.row += 1;
            if self.row == rows {
                self.row = 0;
                self.image += 1;
            }
        }
        self.left -= step.count;
        Some(step)
    }

    #[inline(always)]
    fn offset(&self, start: usize, steps: &[usize; 3]) -> usize {
        start + self.image * steps[0] + self.row * steps[1] + self.column * steps[2]
    }
}
