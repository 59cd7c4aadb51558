//! A pass in bands that fit the second-level cache.

use super::grid::{Grid, Source};
use super::number::{Number, RoundPairs};
use super::pass::Pass;
use super::window::{Part, Window};
use super::{Algorithm, depthwise, direct, winograd};
use crate::base::SMALL;
use crate::ops::moments::Moments;
use crate::simd::Backend;
use crate::simd::convolution::Taps;
use crate::simd::rows::Rows;
use crate::tensor::prefetch::Prefetch;
use crate::tensor::store::StoreRows;
use crate::tensor::{Load, Sink, View, ViewMut};
use core::ops::Range;

/// Numbers of a band's padded source, and of its result, that are aimed at: 128 KiB each, of the 512 KiB or more of
/// a usual second-level cache.
const AIM: usize = 32 * 1024;

/// Channels that a depthwise pass computes together: the fewer, the more rows a band has, of which it reads again what
/// the band before it has read; the more, the longer the runs in memory.
const SLICE: usize = 64;

/// Parts of the scratch are multiples of a cache line: vectors that cross lines cost twice.
const ALIGNED: usize = 16;

/// How the pixels of a band are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Direct,
    Depthwise,
    Winograd,
}

/// A pass, and how it is cut: a band is some rows of one image, or some whole images; of a depthwise pass, some channels
/// of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bands {
    pass: Pass,
    method: Method,
    /// What source channels are multiplied as.
    number: Number,
    images: usize,
    rows: usize,
    /// Channels of a band's source and result.
    channels: [usize; 2],
    /// Numbers from one position of the padded source to the next.
    pitch: usize,
}

/// What becomes of a band's result.
pub(super) enum Target<'a, 'm> {
    /// It is the output, and added to the moments.
    Output { view: ViewMut<'a>, moments: Option<&'a mut Moments<'m>> },
    /// It is kept in `results` and goes to the sink.
    Gated { sink: Sink<'a>, results: &'a mut [f32] },
}

impl Bands {
    pub(super) fn new(backend: Backend, pass: &Pass, algorithm: Algorithm) -> Self {
        let method = if pass.is_depthwise() {
            Method::Depthwise
        } else if algorithm != Algorithm::Direct && winograd::applies(pass) {
            Method::Winograd
        } else {
            Method::Direct
        };
        let pairs = method == Method::Direct && pass.source_channels.is_multiple_of(2);
        let number = if algorithm == Algorithm::Bfloat16 && pairs && backend.has_bfloat16() {
            Number::Pair
        } else {
            Number::Single
        };
        let channels = match method {
            Method::Depthwise => [pass.groups.min(SLICE); 2],
            _ => [pass.all_source_channels(), pass.all_output_channels()],
        };
        let pitch = match method {
            Method::Depthwise => channels[0].next_multiple_of(depthwise::PADDED),
            _ => channels[0],
        };
        let outputs = pass.axes[0].outputs;
        let bands = Self { pass: *pass, method, number, images: 1, rows: outputs, channels, pitch };
        let size = |rows: usize| {
            let bands = Self { rows, ..bands };
            bands.source_len().max(bands.result_len())
        };
        let whole = size(outputs);
        if whole <= AIM {
            return Self { images: (AIM / whole).min(pass.batch), ..bands };
        }
        // Sizes grow by the same for every further step of rows.
        let step = if method == Method::Winograd { winograd::TILE } else { pass.axes[0].phases };
        let (one, growth) = (size(step), size(2 * step) - size(step));
        let steps = 1 + AIM.saturating_sub(one) / growth.max(1);
        Self { rows: (steps * step).min(outputs), ..bands }
    }

    /// Numbers in the packed weights.
    pub(super) fn packed_len(&self, backend: Backend) -> usize {
        match self.method {
            Method::Direct => direct::packed_len(backend, &self.pass, self.number),
            Method::Depthwise => depthwise::packed_len(backend, &self.pass),
            Method::Winograd => winograd::packed_len(backend, &self.pass),
        }
    }

    /// Packs weights in the order in which the pass uses them.
    pub(super) fn pack(&self, backend: Backend, weights: &[f32], packed: &mut [f32]) {
        match self.method {
            Method::Direct => direct::pack(backend, &self.pass, self.number, weights, packed),
            Method::Depthwise => depthwise::pack(backend, &self.pass, weights, packed),
            Method::Winograd => winograd::pack(backend, &self.pass, weights, packed),
        }
    }

    /// Numbers of scratch: the padded source, and what the method needs besides.
    pub(super) fn scratch_len(&self, backend: Backend) -> usize {
        let others = if self.method == Method::Winograd { winograd::scratch_len(backend, &self.pass) } else { 0 };
        self.source_len() + others
    }

    /// Numbers in a band's padded source.
    fn source_len(&self) -> usize {
        let slack = if self.method == Method::Winograd { winograd::SLACK } else { 0 };
        (self.source_positions() * self.pitch + slack).next_multiple_of(ALIGNED)
    }

    /// Positions of a band's padded source.
    pub(super) fn source_positions(&self) -> usize {
        let [rows, columns] = self.window(0, self.rows);
        self.images * rows.len() * columns.len()
    }

    /// Whether the pass is by Winograd's algorithm, of a map as large as its result.
    #[cfg(feature = "gradients")]
    pub(super) fn tiles_a_map(&self) -> bool {
        self.method == Method::Winograd && self.pass.axes.iter().all(|axis| axis.sources == axis.outputs)
    }

    /// Numbers in a band's result.
    pub(super) fn result_len(&self) -> usize {
        let len = self.images * self.rows * self.pass.axes[1].outputs * self.channels[1];
        len.next_multiple_of(ALIGNED)
    }

    /// Rows and columns of the source that some output rows read.
    fn window(&self, row: usize, rows: usize) -> [Range<isize>; 2] {
        let [vertical, horizontal] = self.pass.axes;
        // Tiles are read as a whole.
        let multiple = if self.method == Method::Winograd { winograd::TILE } else { 1 };
        [
            vertical.window(row, rows.next_multiple_of(multiple)),
            horizontal.window(0, horizontal.outputs.next_multiple_of(multiple)),
        ]
    }

    /// Computes the pass. `sources` are its source, channels side by side; `plain` is the same where nothing needs
    /// computing when it is loaded. `watch` sees each band with its source, and the band behind it, before it is computed.
    pub(super) fn run<L: Load>(
        &self,
        backend: Backend,
        sources: &[L],
        plain: Option<View<'_>>,
        packed: &[f32],
        bias: Option<&[f32]>,
        scratch: &mut [f32],
        mut target: Target<'_, '_>,
        mut watch: impl FnMut(&Band, Option<&Band>, Source<'_>),
    ) {
        let [vertical, horizontal] = self.pass.axes;
        let inside = vertical.stays_inside() && horizontal.stays_inside();
        let plain = plain.filter(|_| inside && self.method == Method::Direct && self.number == Number::Single);
        let (padded, transforms) = scratch.split_at_mut(self.source_len());
        let mut bands = self.bands();
        let mut next = bands.next();
        while let Some(band) = next {
            next = bands.next();
            let source = match plain {
                Some(view) => self.stored(&view, &band),
                None => self.load(backend, sources, &band, padded),
            };
            watch(&band, next.as_ref(), source);
            let mut prefetch = self.prefetch(sources, &target, &band, next.as_ref());
            self.compute(backend, &band, source, packed, bias, transforms, &mut target, &mut prefetch);
            self.finish(backend, &band, &mut target);
        }
    }

    /// The bands in their order.
    fn bands(&self) -> impl Iterator<Item = Band> {
        let (outputs, channels) = (self.pass.axes[0].outputs, self.pass.all_output_channels());
        let images = (0..self.pass.batch).step_by(self.images);
        images.flat_map(move |image| {
            (0..channels).step_by(self.channels[1]).flat_map(move |channel| {
                (0..outputs).step_by(self.rows).map(move |row| {
                    let rows = self.rows.min(outputs - row);
                    Band {
                        images: image..self.pass.batch.min(image + self.images),
                        row,
                        rows,
                        window: self.window(row, rows),
                        channels: channel..channels.min(channel + self.channels[1]),
                    }
                })
            })
        })
    }

    /// What a band and the next will need: where its result goes, then what the next one reads and writes.
    fn prefetch<L: Load>(&self, sources: &[L], target: &Target<'_, '_>, band: &Band, next: Option<&Band>) -> Prefetch {
        let mut prefetch = Prefetch::new();
        if SMALL {
            return prefetch;
        }
        if let Target::Gated { sink, .. } = target {
            let (first, count) = self.places(band);
            if let Some(gate) = &sink.gate {
                prefetch.add(&gate.stored.channels(band.channels.clone()), first, count);
            }
            prefetch.add(&sink.stored.as_view().channels(band.channels.clone()), first, count);
        }
        if let Some(next) = next {
            self.part(sources, next).prefetch(&mut prefetch);
            if let Target::Output { view, .. } = target {
                let (first, count) = self.places(next);
                prefetch.add(&view.as_view().channels(next.channels.clone()), first, count);
            }
        }
        prefetch
    }

    /// What a band reads of the sources.
    fn part<'s, L: Load>(&self, sources: &'s [L], band: &Band) -> Part<'s, L> {
        let [rows, columns] = band.window.clone();
        let channels = match self.method {
            Method::Depthwise => band.channels.clone(),
            _ => 0..self.channels[0],
        };
        let (extents, images) = (self.pass.axes.map(|axis| axis.sources), band.images.clone());
        Part { sources, channels, extents, images, rows, columns }
    }

    /// The source of a band where it is stored.
    fn stored<'v>(&self, view: &View<'v>, band: &Band) -> Source<'v> {
        let [height, width] = self.pass.axes.map(|axis| axis.sources);
        let first =
            (band.images.start * height + band.window[0].start as usize) * width + band.window[1].start as usize;
        Source { data: &view.data[first * view.pitch..], steps: [height * width, width, 1].map(|n| n * view.pitch) }
    }

    /// Loads the source of a band with the zeros around it.
    fn load<'s, L: Load>(&self, backend: Backend, sources: &[L], band: &Band, padded: &'s mut [f32]) -> Source<'s> {
        let [rows, columns] = &band.window;
        let steps = [rows.len() * columns.len(), columns.len(), 1].map(|n| n * self.pitch);
        let out = &mut padded[..band.images.len() * steps[0]];
        backend.run(Window { part: self.part(sources, band), out: &mut *out, pitch: self.pitch });
        if self.number == Number::Pair {
            backend.run_bfloat16(RoundPairs(out));
        }
        Source { data: padded, steps: steps.map(|n| n / self.number.channels()) }
    }

    fn compute(
        &self,
        backend: Backend,
        band: &Band,
        source: Source<'_>,
        mut packed: &[f32],
        bias: Option<&[f32]>,
        transforms: &mut [f32],
        target: &mut Target<'_, '_>,
        prefetch: &mut Prefetch,
    ) {
        let [height, width] = self.pass.axes.map(|axis| axis.outputs);
        let (first, count) = self.places(band);
        let (output, pitch, image_rows) = match target {
            Target::Output { view, .. } => {
                (&mut view.data[first * view.pitch + band.channels.start..], view.pitch, height)
            }
            Target::Gated { results, .. } => (&mut results[..], self.channels[1], band.rows),
        };
        let output_steps = [image_rows * width, width, 1].map(|n| n * pitch);
        if self.method == Method::Winograd {
            let tile = |steps: [usize; 3]| [steps[0], winograd::TILE * steps[1], winograd::TILE * steps[2]];
            let grid = Grid {
                extents: [band.images.len(), band.rows.div_ceil(winograd::TILE), width.div_ceil(winograd::TILE)],
                source: 0,
                source_steps: tile(source.steps),
                output: 0,
                output_steps: tile(output_steps),
            };
            let (extents, steps) = ([band.rows, width], [output_steps[1], output_steps[2]]);
            let output = winograd::Destination { data: output, extents, steps };
            return winograd::run(backend, &self.pass, source, &grid, packed, transforms, output, bias, prefetch);
        }
        prefetch.spread(count * band.channels.len());
        for phases in self.pass.phases() {
            let [vertical, horizontal] = phases;
            let mut grid = Grid {
                extents: [band.images.len(), vertical.outputs(band.rows), horizontal.outputs(width)],
                source: 0,
                source_steps: [0; 3],
                output: vertical.first_output * output_steps[1] + horizontal.first_output * output_steps[2],
                output_steps: [
                    output_steps[0],
                    vertical.output_step * output_steps[1],
                    horizontal.output_step * output_steps[2],
                ],
            };
            let taps = Taps {
                counts: [vertical.taps, horizontal.taps],
                steps: [vertical.tap_step * source.steps[1], horizontal.tap_step * source.steps[2]],
                length: self.pass.source_channels / self.number.channels(),
            };
            // Where nothing is read, the window need not include the place.
            if grid.pixels() * taps.operands() > 0 {
                let start = |axis: usize, first: usize| {
                    (phases[axis].source(first) - band.window[axis].start) as usize * source.steps[axis + 1]
                };
                grid.source = start(0, band.row) + start(1, 0);
                grid.source_steps =
                    [source.steps[0], vertical.stride * source.steps[1], horizontal.stride * source.steps[2]];
            }
            let (grid, taps) = (grid.joined(), taps.joined());
            packed = if self.method == Method::Depthwise {
                depthwise::run(
                    backend,
                    &self.pass,
                    band.channels.clone(),
                    source,
                    grid,
                    taps,
                    packed,
                    output,
                    bias,
                    prefetch,
                )
            } else {
                direct::run(backend, &self.pass, self.number, source, grid, taps, packed, output, bias, prefetch)
            };
        }
    }

    fn finish(&self, backend: Backend, band: &Band, target: &mut Target<'_, '_>) {
        let (first, count) = self.places(band);
        match target {
            Target::Output { view, moments } => {
                if let Some(moments) = moments {
                    moments.update_channels(backend, &view.as_view(), band.channels.clone(), first, count);
                }
            }
            Target::Gated { sink, results } => {
                let new = Rows { data: results, pitch: self.channels[1] };
                backend.run(StoreRows { sink: &mut sink.channels(band.channels.clone()), first, count, new });
            }
        }
    }

    /// The first output position of a band, and how many there are.
    fn places(&self, band: &Band) -> (usize, usize) {
        let [height, width] = self.pass.axes.map(|axis| axis.outputs);
        ((band.images.start * height + band.row) * width, band.images.len() * band.rows * width)
    }
}

/// Output rows of some images, and the rows and columns of the source that they read.
pub(super) struct Band {
    pub(super) images: Range<usize>,
    pub(super) row: usize,
    pub(super) rows: usize,
    window: [Range<isize>; 2],
    /// Output channels.
    channels: Range<usize>,
}
