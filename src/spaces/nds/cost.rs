//! Closed-form costs of an architecture.
//!
//! Multiply-accumulates of convolutions and of the classifier count; normalisation, rectifiers, pooling and sums are free.
//! Every trainable scalar is a parameter. All edges count, also those that lead nowhere. The auxiliary classifier that some
//! trainings add is not counted, as it is thrown away.

use super::operation::Kind;
use super::{Architecture, Operation, Stem};
use crate::Error;
use crate::spaces::total;

/// Trainable numbers, and multiply-accumulates in units of the positions that it makes.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    parameters: u128,
    macs: u128,
}

impl Work {
    /// Convolutions with these weights, run at `rate` times the positions that are made in the end, and a normalisation.
    const fn new(weights: u128, rate: u128, channels: u128) -> Self {
        Self { parameters: weights + 2 * channels, macs: weights * rate }
    }

    fn and(self, other: Self) -> Self {
        Self { parameters: self.parameters + other.parameters, macs: self.macs + other.macs }
    }
}

impl Operation {
    /// What it takes on so many channels, with a stride of 1 or 2.
    fn work(self, channels: u128, stride: u128) -> Work {
        match self.kind() {
            Kind::Skip if stride == 2 => Work::new(channels * channels, 1, channels),
            Kind::Zero | Kind::Skip | Kind::Mean(_) | Kind::Maximum(_) => Work::default(),
            Kind::Convolution(kernel) => Work::new((kernel * kernel) as u128 * channels * channels, 1, channels),
            // Along rows only columns are left out.
            Kind::RowsColumns(kernel) => {
                let weights = kernel as u128 * channels * channels;
                let columns = Work::new(weights, 1, channels);
                Work { parameters: weights, macs: weights * stride }.and(columns)
            }
            Kind::Separable { kernel, times, .. } => {
                let once = Work::new((kernel * kernel) as u128 * channels + channels * channels, 1, channels);
                (0..times).fold(Work::default(), |all, _| all.and(once))
            }
        }
    }
}

impl Architecture {
    /// Multiply-accumulates for one image of `resolution` × `resolution` pixels.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a resolution that is not a multiple of 4, for ImageNet of 32, up to 65536, and for a width
    /// that the stem cannot halve; [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn macs(&self, stem: Stem, classes: u32, resolution: u32) -> Result<u64, Error> {
        stem.check_resolution(resolution)?;
        let (_, macs) = self.count(stem, classes, resolution)?;
        total("multiply-accumulates", macs)
    }

    /// Trainable scalars.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a width that the stem cannot halve, [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn params(&self, stem: Stem, classes: u32) -> Result<u64, Error> {
        let (parameters, _) = self.count(stem, classes, 32)?;
        total("parameters", parameters)
    }

    /// Parameters and multiply-accumulates.
    fn count(&self, stem: Stem, classes: u32, resolution: u32) -> Result<(u128, u128), Error> {
        stem.check_width(self.width())?;
        let width = u128::from(self.width());
        let side = u128::from(resolution);
        let (mut parameters, mut macs) = (0, 0);
        let mut add = |work: Work, side: u128| {
            parameters += work.parameters;
            macs += work.macs * side * side;
        };
        // Channels and sides of the last two features.
        let mut before;
        let mut last;
        match stem {
            Stem::Cifar => {
                add(Work::new(27 * 3 * width, 1, 3 * width), side);
                (before, last) = ((3 * width, side), (3 * width, side));
            }
            Stem::ImageNet => {
                add(Work::new(27 * (width / 2), 1, width / 2), side / 2);
                add(Work::new(9 * (width / 2) * width, 1, width), side / 4);
                add(Work::new(9 * width * width, 1, width), side / 8);
                (before, last) = ((width, side / 4), (width, side / 8));
            }
        }
        for place in 0..self.depth() {
            let (filters, cell) = (u128::from(self.filters(place)), self.cell(place));
            // Both inputs get the filters of the cell and the size of the last feature.
            add(Work::new(before.0 * filters, 1, filters), last.1);
            add(Work::new(last.0 * filters, 1, filters), last.1);
            let (halves, made) = if self.reduces(place) { (true, last.1 / 2) } else { (false, last.1) };
            for edge in cell.edges() {
                let stride = if halves && edge.state < 2 { 2 } else { 1 };
                add(edge.operation.work(filters, stride), made);
            }
            (before, last) = (last, (cell.parts().len() as u128 * filters, made));
        }
        let classes = u128::from(classes);
        Ok((parameters + (last.0 + 1) * classes, macs + last.0 * classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::nds::grammar::tests::PUBLISHED;

    fn architecture(name: &str, width: u32, depth: u32) -> Architecture {
        let (_, text) = PUBLISHED.iter().find(|(known, _)| *known == name).unwrap();
        Architecture::parse(text, [width, depth]).unwrap()
    }

    #[test]
    fn parameters_are_those_that_are_published() {
        // The program of DARTS prints 3.349342 of its second and, on ImageNet, 4.718752 million; of AmoebaNet-A 3.2 million
        // are published. Of the first its paper says 3.3 million, which the cells that were released do not have.
        for (name, parameters, on_imagenet) in [
            ("DARTS_V1", 3_169_414, 4_510_432),
            ("DARTS_V2", 3_349_342, 4_718_752),
            ("AmoebaNet", 3_145_078, 4_627_360),
            ("NASNet", 3_830_950, 5_564_320),
            ("ENAS", 4_020_166, 5_908_768),
            ("PNAS", 4_481_110, 6_394_912),
        ] {
            assert_eq!(architecture(name, 36, 20).params(Stem::Cifar, 10), Ok(parameters), "{name}");
            assert_eq!(architecture(name, 48, 14).params(Stem::ImageNet, 1000), Ok(on_imagenet), "{name}");
        }
        // Published are 574 million, which must be more than convolutions; those of PyTorch were counted as they ran.
        let second = architecture("DARTS_V2", 48, 14);
        assert_eq!(second.macs(Stem::ImageNet, 1000, 224), Ok(529_911_552));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let cell = architecture("DARTS_V1", 3, 4);
        let field = |result: Result<u64, Error>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(cell.params(Stem::ImageNet, 10)), "width");
        for resolution in [0, 2, 30, 65540, u32::MAX] {
            assert_eq!(field(cell.macs(Stem::Cifar, 10, resolution)), "resolution");
            assert_eq!(field(cell.macs(Stem::ImageNet, 10, resolution / 4 * 4)), "resolution");
        }
        let largest = architecture("NASNet", Architecture::MAX_WIDTH, Architecture::MAX_DEPTH);
        let overflow = Err(Error::Overflow { quantity: "multiply-accumulates" });
        assert!(largest.params(Stem::Cifar, 1 << 20).is_ok());
        assert!(largest.macs(Stem::Cifar, 1 << 20, 65536).is_ok() || largest.macs(Stem::Cifar, 1, 65536) == overflow);
    }
}
