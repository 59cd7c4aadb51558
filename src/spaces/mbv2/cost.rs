//! Costs of a network: the authors' counters, quirks included, and the true numbers.
//!
//! Source: `get_FLOPs` and `get_model_size` of `PlainNet` (`basic_blocks.py`, `SuperResIDWEXKX.py`). The search limits
//! and ranks by these counters, so they are kept as they are:
//! * a batch normalisation costs one operation per output and has one parameter per channel (truly two), except that
//!   of a projection, which is left out;
//! * a projection is charged for the output of its unit divided by the stride once more;
//! * the resolution is divided by each stride rounding down, where a convolution rounds up;
//! * the classifier has one bias.

use super::{Shortcut, Structure, Unit};
use crate::Error;
use crate::spaces::{check_classes, total, within};

/// A convolution, always followed by batch normalisation.
struct Convolution {
    weights: u64,
    output: u64,
    stride: u64,
    /// On a shortcut, and with a bias, rather than on the main path.
    is_projection: bool,
}

/// A product that may exceed 64 bits.
fn wide_product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

impl Unit {
    /// The main path in order, then the projection if there is one.
    fn convolutions(self) -> impl Iterator<Item = Convolution> {
        let convolution = |weights: u64, output: u32, stride: u32, is_projection| {
            Some(Convolution { weights, output: output.into(), stride: stride.into(), is_projection })
        };
        let product = |factors: [u32; 2]| factors.map(u64::from).iter().product::<u64>();
        match self {
            Self::Conv { input, output, kernel, stride } => {
                let weights = product([input, output]) * product([kernel, kernel]);
                [convolution(weights, output, stride, false), None, None, None]
            }
            Self::InvertedResidual { input, output, hidden, kernel, stride, shortcut } => [
                convolution(product([input, hidden]), hidden, 1, false),
                convolution(u64::from(hidden) * product([kernel, kernel]), hidden, stride, false),
                convolution(product([hidden, output]), output, 1, false),
                match shortcut {
                    Shortcut::Identity => None,
                    Shortcut::Projection => convolution(product([input, output]), output, stride, true),
                },
            ],
        }
        .into_iter()
        .flatten()
    }
}

impl Structure {
    /// The authors' operation count for one image of `resolution` × `resolution` pixels: the complexity of the search.
    ///
    /// Where a stride does not divide the resolution, the count of a projection is fractional; it is rounded down.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a resolution outside 1 to 65536 or classes outside 1 to 2²⁰, [`Error::Overflow`] if the
    /// count exceeds 64 bits.
    pub fn flops(&self, resolution: u32, classes: u32) -> Result<u64, Error> {
        let sides = |side: u64, stride: u64| side / stride;
        self.count(resolution, classes, sides, |convolution, before, after| {
            let Convolution { weights, output, stride, is_projection } = convolution;
            let area = u128::from(stride * stride);
            if is_projection {
                wide_product(after, weights + output) / area
            } else {
                wide_product(weights, before) / area + wide_product(after, output)
            }
        })
    }

    /// Multiply-accumulates of the convolutions and the classifier for one image of `resolution` × `resolution`
    /// pixels, as they are really done.
    ///
    /// # Errors
    /// Those of [`Self::flops`].
    pub fn macs(&self, resolution: u32, classes: u32) -> Result<u64, Error> {
        self.count(resolution, classes, u64::div_ceil, |convolution, _, after| wide_product(convolution.weights, after))
    }

    /// The sum over all convolutions of `cost`, which is told the pixels before and after, and the classifier.
    fn count(
        &self,
        resolution: u32,
        classes: u32,
        divided: impl Fn(u64, u64) -> u64,
        cost: impl Fn(Convolution, u64, u64) -> u128,
    ) -> Result<u64, Error> {
        within("resolution", resolution, 1..=65536, "from 1 to 65536")?;
        check_classes(classes)?;
        let mut sum = wide_product(self.output().into(), classes.into());
        let mut side = u64::from(resolution);
        for unit in self.units() {
            for convolution in unit.convolutions() {
                let before = side;
                if !convolution.is_projection {
                    side = divided(side, convolution.stride);
                }
                sum += cost(convolution, before * before, side * side);
            }
        }
        total("operations", sum)
    }

    /// The authors' model size, a little below [`Self::params`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for classes outside 1 to 2²⁰, [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn size(&self, classes: u32) -> Result<u64, Error> {
        check_classes(classes)?;
        let convolutions = self.units().flat_map(Unit::convolutions);
        let features: u128 = convolutions.map(|convolution| u128::from(convolution.weights + convolution.output)).sum();
        total("size", features + wide_product(self.output().into(), classes.into()) + 1)
    }

    /// Trainable scalars.
    ///
    /// # Errors
    /// Those of [`Self::size`].
    pub fn params(&self, classes: u32) -> Result<u64, Error> {
        check_classes(classes)?;
        let convolutions = self.units().flat_map(Unit::convolutions);
        let features: u128 = convolutions
            .map(|Convolution { weights, output, is_projection, .. }| {
                u128::from(weights + 2 * output + if is_projection { output } else { 0 })
            })
            .sum();
        total("parameters", features + wide_product(u64::from(self.output()) + 1, classes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    /// `arch,layers,flops,size,params,macs` by the authors' program; true parameters and multiply-accumulates counted
    /// on its PyTorch modules.
    #[test]
    fn counts_equal_those_of_the_authors() {
        let mut rows = 0;
        for row in include_str!("../../../tests/golden/mbv2_costs.csv").lines().skip(1) {
            let (text, counts) = row.trim_start_matches('"').split_once("\",").unwrap();
            let counts: Vec<u64> = counts.split(',').map(|count| count.parse().unwrap()).collect();
            let network: Structure = text.parse().unwrap();
            for network in [network, network.split().unwrap()] {
                let sums =
                    [network.flops(224, 1000), network.size(1000), network.params(1000), network.macs(224, 1000)];
                assert_eq!(u64::from(network.layers()), counts[0], "{network}");
                assert!(sums.into_iter().eq(counts[1..].iter().map(|&count| Ok(count))), "{network}: {sums:?}");
            }
            rows += 1;
        }
        assert_eq!(rows, 6);
    }

    #[test]
    fn a_split_that_adds_a_projection_changes_the_counts() {
        let text = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,48,2,48,7)SuperConvK1BNRELU(48,2048,1,1)";
        let network: Structure = text.parse().unwrap();
        assert_eq!((network.flops(224, 1000), network.size(1000)), (Ok(1_663_212_288), Ok(2_569_585)));
        let network = network.split().unwrap();
        assert_eq!(
            network.to_string(),
            "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,48,2,48,3)SuperResIDWE6K3(48,48,1,48,4)\
                SuperConvK1BNRELU(48,2048,1,1)"
        );
        assert_eq!((network.flops(224, 1000), network.size(1000)), (Ok(1_670_588_160), Ok(2_571_937)));
    }

    #[test]
    fn convolutions_round_resolutions_up_and_the_authors_down() {
        let network: Structure = "SuperConvK1BNRELU(1,1,2,1)".parse().unwrap();
        assert_eq!(network.macs(5, 1), Ok(3 * 3 + 1));
        assert_eq!(network.flops(5, 1), Ok(5 * 5 / 4 + 2 * 2 + 1));
        assert_eq!(network.flops(1, 1), Ok(1));
    }

    #[test]
    fn bad_fields_are_named() {
        let network = Structure::INITIAL;
        let resolution = Err(Error::Invalid { field: "resolution", expected: "from 1 to 65536" });
        let classes = Err(Error::Invalid { field: "classes", expected: "from 1 to 1048576" });
        for value in [0, 65537, u32::MAX] {
            assert_eq!(network.flops(value, 1000), resolution);
            assert_eq!(network.macs(value, 1000), resolution);
        }
        for value in [0, (1 << 20) + 1, u32::MAX] {
            assert_eq!(network.flops(224, value), classes);
            assert_eq!(network.macs(224, value), classes);
            assert_eq!(network.size(value), classes);
            assert_eq!(network.params(value), classes);
        }
        let huge = "SuperResIDWE6K7(65535,65535,1,65535,255)".repeat(64);
        let huge = Structure::parse(huge).unwrap();
        assert_eq!(huge.flops(65536, 1000), Err(Error::Overflow { quantity: "operations" }));
        assert!(huge.params(1 << 20).is_ok());
    }
}
