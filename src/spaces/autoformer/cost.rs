//! Costs of an architecture: the authors' counter of operations, the true multiply-accumulates, and parameters.
//!
//! Source: `get_complexity` and `get_sampled_params_numel` of AutoFormer's supernet.

use super::{Architecture, HEAD_WIDTH, MAX_RELATIVE_POSITION, PATCH, RELATIVE_POSITIONS};
use crate::Error;
use crate::spaces::{check_classes, total, within};

/// Numbers in a patch: three colours.
const PATCH_VALUES: u128 = 3 * PATCH as u128 * PATCH as u128;

impl Architecture {
    /// The authors' operation count for one image of `resolution` × `resolution` pixels: the complexity of the search.
    ///
    /// Quirks kept: blocks are charged for the class token twice, the classifier for every token, and absolute and
    /// relative positions by half their number; the final normalisation is free. Half an operation is rounded down.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a resolution that is not a multiple of 16 from 16 to 65536 or classes outside 1 to 2²⁰,
    /// [`Error::Overflow`] if the count exceeds 64 bits.
    pub fn flops(&self, resolution: u32, classes: u32) -> Result<u64, Error> {
        let patches = patches(resolution)?;
        check_classes(classes)?;
        let embed = u128::from(self.embed());
        let tokens = patches + 1;
        let charged = tokens + 1;
        let blocks: u128 = self
            .widths()
            .map(|(attention, hidden)| {
                let normalisations = 2 * charged * embed;
                let projections = (3 + 1) * charged * attention * embed;
                let products = 2 * charged * charged * attention;
                let positions = 2 * u128::from(MAX_RELATIVE_POSITION) * charged * charged;
                let perceptron = 2 * charged * embed * hidden;
                let doubled = 2 * (normalisations + projections + products + positions + perceptron);
                doubled + charged * charged + charged * attention
            })
            .sum();
        let embedding = 2 * (embed + patches * PATCH_VALUES * embed) + tokens * embed;
        let classifier = 2 * tokens * embed * u128::from(classes);
        total("operations", (embedding + blocks + classifier) / 2)
    }

    /// Multiply-accumulates of all matrix products for one image of `resolution` × `resolution` pixels: embedding,
    /// projections, attention with both of its relative terms, perceptrons and, once, the classifier.
    ///
    /// # Errors
    /// Those of [`Self::flops`].
    pub fn macs(&self, resolution: u32, classes: u32) -> Result<u64, Error> {
        let patches = patches(resolution)?;
        check_classes(classes)?;
        let embed = u128::from(self.embed());
        let tokens = patches + 1;
        let blocks: u128 = self
            .widths()
            .map(|(attention, hidden)| {
                let projections = (3 + 1) * tokens * attention * embed;
                // Logits and outputs, each with the tokens themselves and with their relative positions.
                let products = (2 + 2) * tokens * tokens * attention;
                projections + products + 2 * tokens * embed * hidden
            })
            .sum();
        total("operations", patches * PATCH_VALUES * embed + blocks + embed * u128::from(classes))
    }

    /// Trainable scalars for images of `resolution` × `resolution` pixels. The authors' counter is exact here.
    ///
    /// # Errors
    /// Those of [`Self::flops`].
    pub fn params(&self, resolution: u32, classes: u32) -> Result<u64, Error> {
        let patches = patches(resolution)?;
        check_classes(classes)?;
        let embed = u128::from(self.embed());
        let classes = u128::from(classes);
        let tables = 4 * u128::from(RELATIVE_POSITIONS) * u128::from(HEAD_WIDTH);
        let normalisation = 2 * embed;
        let blocks: u128 = self
            .widths()
            .map(|(attention, hidden)| {
                let projections = 3 * attention * (embed + 1) + embed * (attention + 1);
                let perceptron = hidden * (embed + 1) + embed * (hidden + 1);
                projections + perceptron + tables + 2 * normalisation
            })
            .sum();
        let embedding = (PATCH_VALUES + 1) * embed;
        // The class token, and the positions of all tokens.
        let tokens = (1 + (patches + 1)) * embed;
        total("parameters", embedding + tokens + blocks + normalisation + classes * (embed + 1))
    }

    /// Attention and hidden width of every block.
    fn widths(&self) -> impl Iterator<Item = (u128, u128)> {
        self.blocks().iter().map(|block| (block.attention_width().into(), block.hidden_width(self.embed()).into()))
    }
}

/// Patches of an image.
pub(super) fn patches(resolution: u32) -> Result<u128, Error> {
    const EXPECTED: &str = "a multiple of 16 from 16 to 65536";
    within("resolution", resolution, PATCH..=65536, EXPECTED)?;
    if !resolution.is_multiple_of(PATCH) {
        return Err(Error::Invalid { field: "resolution", expected: EXPECTED });
    }
    let side = u128::from(resolution / PATCH);
    Ok(side * side)
}

#[cfg(test)]
mod tests {
    use super::super::{Ratio, Size};
    use super::*;

    /// The networks the authors publish, with the numbers of their program.
    const PUBLISHED: [(&str, u64, u64); 6] = [
        (
            "autoformer(embed=192,heads=4-3-4-4-4-4-4-3-3-4-4-4,ratio=3.5-3.5-3.5-4-3.5-3.5-3.5-3.5-3.5-3.5-4-4)",
            5_921_032,
            1_380_128_376,
        ),
        (
            "autoformer(embed=384,heads=7-7-6-6-5-6-6-6-7-7-5-5-6-7,ratio=3-3-3-4-3.5-3-3-3.5-4-3-3-3-3-4)",
            22_951_144,
            4_943_341_788,
        ),
        (
            "autoformer(embed=528,heads=10-10-10-10-10-10-10-10-10-10-10-9-10-10-10-10,\
                ratio=3-3.5-3.5-3.5-3-3.5-3-4-4-3-3-4-3.5-3-4-4)",
            53_710_768,
            11_386_130_712,
        ),
        (
            "autoformer(embed=192,heads=3-4-4-3-4-4-3-4-3-4-4-3-3,\
                ratio=3.5-3.5-3.5-3.5-3.5-3.5-3.5-3.5-3.5-3.5-3.5-4-3.5)",
            6_164_008,
            1_432_573_626,
        ),
        (
            "autoformer(embed=384,heads=7-6-7-7-6-5-7-6-7-7-7-7-6-5,ratio=3-3-3-3-4-3.5-3-3.5-3-4-3.5-3.5-3.5-4)",
            23_788_072,
            5_128_885_212,
        ),
        (
            "autoformer(embed=528,heads=10-10-10-10-10-9-10-10-10-10-9-10-10-10-10-10,\
                ratio=3-3-3.5-4-4-3-3-3-4-3-3-4-4-4-4-4)",
            54_133_504,
            11_464_741_464,
        ),
    ];

    #[test]
    fn counts_equal_those_of_the_authors() {
        for (text, params, flops) in PUBLISHED {
            let architecture: Architecture = text.parse().unwrap();
            assert_eq!(architecture.params(224, 1000), Ok(params), "{text}");
            assert_eq!(architecture.flops(224, 1000), Ok(flops), "{text}");
        }
    }

    #[test]
    fn ends_of_the_spaces_have_the_published_parameters() {
        for (size, smallest, largest) in
            [(Size::Tiny, 5.366, 10.517), (Size::Small, 13.057, 34.790), (Size::Base, 41.688, 76.882)]
        {
            let space = size.choices();
            let millions = |position: fn(usize) -> usize| {
                let depth = usize::from(space.depths[position(space.depths.len())]);
                let heads = [space.heads[position(space.heads.len())]; 32];
                let ratios = [space.ratios[position(space.ratios.len())]; 32];
                let embed = space.embeds[position(space.embeds.len())];
                let architecture = Architecture::new(embed, &heads[..depth], &ratios[..depth]).unwrap();
                architecture.params(224, 1000).unwrap() as f64 / 1e6
            };
            assert!((millions(|_| 0) - smallest).abs() <= 0.0005, "{size:?}");
            assert!((millions(|count| count - 1) - largest).abs() <= 0.0005, "{size:?}");
        }
    }

    /// One block, two patches by two, width 1: small enough to count by hand.
    #[test]
    fn multiply_accumulates_of_a_small_network() {
        let architecture = Architecture::new(1, &[1], &[Ratio(200)]).unwrap();
        let embedding = 4 * 768;
        let projections = 5 * (3 * 64 + 64);
        let attention = 4 * (5 * 5 * 64);
        let perceptron = 5 * (2 + 2);
        assert_eq!(architecture.macs(32, 10), Ok(embedding + projections + attention + perceptron + 10));
        // 768 weights and a bias; class token and 5 positions; q, k and v; four tables; output; two normalisations;
        // perceptron; final normalisation; classifier.
        let params = 769 + 6 + 3 * 64 * 2 + 7680 + 65 + 4 + (2 * 2 + 3) + 2 + 10 * 2;
        assert_eq!(architecture.params(32, 10), Ok(params));
    }

    #[test]
    fn bad_fields_are_named() {
        let architecture: Architecture = PUBLISHED[0].0.parse().unwrap();
        let counters = [Architecture::flops, Architecture::macs, Architecture::params];
        for counter in counters {
            for resolution in [0, 8, 225, 65552, u32::MAX] {
                let error = Error::Invalid { field: "resolution", expected: "a multiple of 16 from 16 to 65536" };
                assert_eq!(counter(&architecture, resolution, 1000), Err(error), "{resolution}");
            }
            for classes in [0, (1 << 20) + 1, u32::MAX] {
                let error = Error::Invalid { field: "classes", expected: "from 1 to 1048576" };
                assert_eq!(counter(&architecture, 224, classes), Err(error), "{classes}");
            }
        }
        let huge = Architecture::new(65535, &[255; 32], &[Ratio(1600); 32]).unwrap();
        assert_eq!(huge.flops(65536, 1000), Err(Error::Overflow { quantity: "operations" }));
        assert_eq!(huge.macs(65536, 1000), Err(Error::Overflow { quantity: "operations" }));
        assert!(huge.params(65536, 1000).is_ok());
    }
}
