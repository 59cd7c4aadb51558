//! Drawing candidates from the choices of a search space.
//!
//! Source: the `SEARCH_SPACE` files of AutoFormer and the random search `search_autoformer_az.py` of AZ-NAS.

use super::{Architecture, Block, MAX_DEPTH, Ratio};
use crate::Error;
use crate::base::rng::below;
use core::ops::RangeInclusive;
use rand_core::Rng;

/// The choices of a search. A value that occurs twice is drawn twice as often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choices<'a> {
    /// Numbers of blocks, from 1 to [`MAX_DEPTH`].
    pub depths: &'a [u8],
    /// Widths of the network, from 1.
    pub embeds: &'a [u16],
    /// Heads of a block, from 1.
    pub heads: &'a [u8],
    /// Ratios of a block.
    pub ratios: &'a [Ratio],
}

/// The three search spaces of AutoFormer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// About 5 to 11 million parameters.
    Tiny,
    /// About 13 to 35 million parameters.
    Small,
    /// About 42 to 77 million parameters.
    Base,
}

/// Whose windows of parameters a search keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Chen et al., *AutoFormer*, ICCV 2021.
    AutoFormer,
    /// Zhou et al., *Training-free Transformer Architecture Search*, CVPR 2022.
    TfTas,
}

impl Size {
    /// The choices.
    pub const fn choices(self) -> Choices<'static> {
        match self {
            Self::Tiny => Choices {
                depths: &[12, 13, 14],
                embeds: &[192, 216, 240],
                heads: &[3, 4],
                ratios: &[Ratio(350), Ratio(400)],
            },
            Self::Small => Choices {
                depths: &[12, 13, 14],
                embeds: &[320, 384, 448],
                heads: &[5, 6, 7],
                ratios: &[Ratio(300), Ratio(350), Ratio(400)],
            },
            // The files with results also list 8 heads, the file the search reads does not.
            Self::Base => Choices {
                depths: &[14, 15, 16],
                embeds: &[528, 576, 624],
                heads: &[9, 10],
                ratios: &[Ratio(300), Ratio(350), Ratio(400)],
            },
        }
    }

    /// The parameters a candidate may have, both ends included, at resolution 224 and 1000 classes.
    pub const fn params_window(self, whose: Window) -> RangeInclusive<u64> {
        match (self, whose) {
            (Self::Tiny, Window::AutoFormer) => 4_000_000..=6_000_000,
            (Self::Tiny, Window::TfTas) => 4_000_000..=6_200_000,
            (Self::Small, Window::AutoFormer) => 21_000_000..=23_000_000,
            (Self::Small, Window::TfTas) => 21_000_000..=24_000_000,
            (Self::Base, Window::AutoFormer) => 52_000_000..=54_000_000,
            (Self::Base, Window::TfTas) => 52_000_000..=56_500_000,
        }
    }
}

impl Choices<'_> {
    /// Refuses choices that no architecture can have.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (field, is_valid, expected) in [
            (
                "depths",
                !self.depths.is_empty() && self.depths.iter().all(|&depth| (1..=MAX_DEPTH).contains(&depth.into())),
                "from 1 to 32, at least once",
            ),
            ("embeds", !self.embeds.is_empty() && !self.embeds.contains(&0), "from 1 to 65535, at least once"),
            ("heads", !self.heads.is_empty() && !self.heads.contains(&0), "from 1 to 255, at least once"),
            ("ratios", !self.ratios.is_empty(), "from 1 to 16, at least once"),
        ] {
            if !is_valid {
                return Err(Error::Invalid { field, expected });
            }
        }
        Ok(())
    }

    /// A candidate with every choice drawn uniformly, in the authors' order: depth, ratios, heads, width.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the field without choices or with one out of range.
    pub fn sample(&self, rng: &mut (impl Rng + ?Sized)) -> Result<Architecture, Error> {
        self.check()?;
        Ok(self.draw(rng))
    }

    /// [`Self::sample`] of choices that were checked.
    pub(crate) fn draw(&self, rng: &mut (impl Rng + ?Sized)) -> Architecture {
        let depth = draw(self.depths, rng);
        let mut blocks = [Architecture::VACANT; MAX_DEPTH];
        blocks[..usize::from(depth)].iter_mut().for_each(|block| block.ratio = draw(self.ratios, rng));
        blocks[..usize::from(depth)].iter_mut().for_each(|block| block.heads = draw(self.heads, rng));
        Architecture { embed: draw(self.embeds, rng), depth, blocks }
    }

    /// The first candidate out of at most `proposals` samples whose parameters, counted for `resolution` and
    /// `classes`, lie in `window`.
    ///
    /// # Errors
    /// Those of [`Self::sample`] and [`Architecture::params`]; [`Error::Invalid`] naming `window` if none does.
    pub fn sample_within(
        &self,
        rng: &mut (impl Rng + ?Sized),
        window: RangeInclusive<u64>,
        resolution: u32,
        classes: u32,
        proposals: u32,
    ) -> Result<Architecture, Error> {
        for _ in 0..proposals {
            let candidate = self.sample(rng)?;
            if window.contains(&candidate.params(resolution, classes)?) {
                return Ok(candidate);
            }
        }
        Err(Error::Invalid { field: "window", expected: "met by one of the proposals" })
    }

    /// `parent` with one gene changed: the depth, the width, or the heads or ratio of one block, all drawn alike.
    /// It becomes a different, uniformly drawn choice, or stays if there is none. Blocks are dropped from the end;
    /// new blocks are drawn as in [`Self::sample`].
    ///
    /// The authors search at random without mutation; this operator is ours.
    ///
    /// # Errors
    /// Those of [`Self::sample`].
    pub fn mutate(&self, parent: &Architecture, rng: &mut (impl Rng + ?Sized)) -> Result<Architecture, Error> {
        self.check()?;
        Ok(self.vary(parent, rng))
    }

    /// [`Self::mutate`] of choices that were checked.
    pub(crate) fn vary(&self, parent: &Architecture, rng: &mut (impl Rng + ?Sized)) -> Architecture {
        let mut mutant = *parent;
        let depth = parent.depth();
        match below(rng, 2 + 2 * depth as u64) as usize {
            0 => {
                mutant.depth = draw_other(self.depths, parent.depth, rng);
                let (kept, dropped) = mutant.blocks.split_at_mut(mutant.depth.into());
                dropped.fill(Architecture::VACANT);
                for block in kept.iter_mut().skip(depth) {
                    *block = Block { ratio: draw(self.ratios, rng), heads: draw(self.heads, rng) };
                }
            }
            1 => mutant.embed = draw_other(self.embeds, parent.embed, rng),
            gene => {
                let block = &mut mutant.blocks[gene / 2 - 1];
                if gene % 2 == 0 {
                    block.heads = draw_other(self.heads, block.heads, rng);
                } else {
                    block.ratio = draw_other(self.ratios, block.ratio, rng);
                }
            }
        }
        mutant
    }
}

/// A uniformly drawn choice.
fn draw<T: Copy>(choices: &[T], rng: &mut (impl Rng + ?Sized)) -> T {
    choices[below(rng, choices.len() as u64) as usize]
}

/// A uniformly drawn choice that is not `current`, if there is one.
fn draw_other<T: Copy + PartialEq>(choices: &[T], current: T, rng: &mut (impl Rng + ?Sized)) -> T {
    let others = || choices.iter().copied().filter(|choice| *choice != current);
    let position = below(rng, others().count() as u64) as usize;
    others().nth(position).unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::generator;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec::Vec;

    const SIZES: [Size; 3] = [Size::Tiny, Size::Small, Size::Base];

    #[test]
    fn choices_are_drawn_in_the_order_of_the_authors() {
        for size in SIZES {
            let space = size.choices();
            let mut rng = generator(1);
            let depth = draw(space.depths, &mut rng);
            let ratios: Vec<_> = (0..depth).map(|_| draw(space.ratios, &mut rng)).collect();
            let heads: Vec<_> = (0..depth).map(|_| draw(space.heads, &mut rng)).collect();
            let embed = draw(space.embeds, &mut rng);
            assert_eq!(space.sample(&mut generator(1)), Architecture::new(embed, &heads, &ratios));
        }
    }

    #[test]
    fn choices_are_uniform() {
        let space = Size::Small.choices();
        let mut rng = generator(2);
        let mut counts = [[0u32; 3]; 4];
        for _ in 0..30_000 {
            let candidate = space.sample(&mut rng).unwrap();
            let block = candidate.blocks()[candidate.depth() - 1];
            counts[0][candidate.depth() - 12] += 1;
            counts[1][(candidate.embed() as usize - 320) / 64] += 1;
            counts[2][usize::from(block.heads) - 5] += 1;
            counts[3][usize::from(block.ratio.hundredths() - 300) / 50] += 1;
        }
        // 5 standard deviations of a binomial count of mean 10^4 (p = 1/3).
        assert!(counts.iter().flatten().all(|count| count.abs_diff(10_000) < 409), "{counts:?}");
    }

    #[test]
    fn windows_are_met_or_given_up() {
        let mut rng = generator(3);
        for size in SIZES {
            for whose in [Window::AutoFormer, Window::TfTas] {
                let window = size.params_window(whose);
                let candidate = size.choices().sample_within(&mut rng, window.clone(), 224, 1000, 10_000).unwrap();
                assert!(window.contains(&candidate.params(224, 1000).unwrap()), "{candidate}");
            }
            let impossible = size.choices().sample_within(&mut rng, 1..=1_000_000, 224, 1000, 100);
            assert!(matches!(impossible, Err(Error::Invalid { field: "window", .. })));
        }
        let bad = Size::Tiny.choices().sample_within(&mut rng, 1..=u64::MAX, 230, 1000, 1);
        assert!(matches!(bad, Err(Error::Invalid { field: "resolution", .. })));
    }

    #[test]
    fn both_ends_of_a_window_count() {
        let mut rng = generator(4);
        let space = Choices { depths: &[12], embeds: &[192], heads: &[3], ratios: &[Ratio(350)] };
        let params = space.sample(&mut rng).unwrap().params(224, 1000).unwrap();
        for (window, met) in [
            (params..=params + 1, true),
            (params - 1..=params, true),
            (params + 1..=params + 2, false),
            (params - 2..=params - 1, false),
        ] {
            assert_eq!(space.sample_within(&mut rng, window, 224, 1000, 1).is_ok(), met);
        }
    }

    #[test]
    fn bad_choices_are_named() {
        let good = Size::Tiny.choices();
        for (space, field) in [
            (Choices { depths: &[], ..good }, "depths"),
            (Choices { depths: &[12, 0], ..good }, "depths"),
            (Choices { depths: &[33], ..good }, "depths"),
            (Choices { embeds: &[], ..good }, "embeds"),
            (Choices { embeds: &[0], ..good }, "embeds"),
            (Choices { heads: &[], ..good }, "heads"),
            (Choices { heads: &[3, 0], ..good }, "heads"),
            (Choices { ratios: &[], ..good }, "ratios"),
        ] {
            let mut rng = generator(5);
            let parent = good.sample(&mut rng).unwrap();
            for result in [space.sample(&mut rng), space.mutate(&parent, &mut rng)] {
                assert!(matches!(result, Err(Error::Invalid { field: named, .. }) if named == field), "{field}");
            }
        }
    }

    #[test]
    fn every_gene_mutates_alike() {
        let space = Choices { depths: &[4, 5], ..Size::Small.choices() };
        let mut rng = generator(6);
        let parent = Choices { depths: &[4], ..space }.sample(&mut rng).unwrap();
        let mut counts = [0u32; 10];
        for _ in 0..10_000 {
            let mutant = space.mutate(&parent, &mut rng).unwrap();
            let mut changed = Vec::from([mutant.depth() != parent.depth(), mutant.embed() != parent.embed()]);
            for (mutant, parent) in mutant.blocks().iter().zip(parent.blocks()) {
                changed.extend([mutant.heads != parent.heads, mutant.ratio != parent.ratio]);
            }
            assert_eq!(changed.iter().filter(|changed| **changed).count(), 1, "{mutant}");
            counts[changed.iter().position(|changed| *changed).unwrap()] += 1;
        }
        // 5 standard deviations of a binomial count of mean 10^3 (p = 1/10).
        assert!(counts.iter().all(|count| count.abs_diff(1_000) < 150), "{counts:?}");
    }

    #[test]
    fn a_gene_without_alternative_stays() {
        let space = Choices { depths: &[3], embeds: &[192], heads: &[3], ratios: &[Ratio(400)] };
        let mut rng = generator(7);
        let parent = space.sample(&mut rng).unwrap();
        assert!((0..100).all(|_| space.mutate(&parent, &mut rng) == Ok(parent)));
    }

    proptest! {
        #[test]
        fn mutants_stay_in_the_space(seed: u64, size in 0usize..3, steps in 0u32..50) {
            let space = SIZES[size].choices();
            let mut rng = generator(seed);
            let mut candidate = space.sample(&mut rng).unwrap();
            for _ in 0..steps {
                candidate = space.mutate(&candidate, &mut rng).unwrap();
            }
            prop_assert!(space.depths.contains(&(candidate.depth() as u8)));
            prop_assert!(space.embeds.contains(&(candidate.embed() as u16)));
            for block in candidate.blocks() {
                prop_assert!(space.heads.contains(&block.heads) && space.ratios.contains(&block.ratio));
            }
            prop_assert_eq!(candidate.to_string().parse(), Ok(candidate));
        }
    }
}
