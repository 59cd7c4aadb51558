//! Recommended settings for less than the published cost, as far as they rank as well: `docs/frontier.md` has the figures.

use super::scoring::ScoringArguments;
use super::space::OpenArguments;
use aznas::Sigma;
use aznas::spaces::SpaceName;

/// How little a score is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Frugal {
    /// Ranks like batch 64, at a small part of the work
    Fast,
    /// The least time that the extended set ranks well in
    Fastest,
}

/// What is scored in place of the published setting.
struct Measured {
    batch: usize,
    resolution: usize,
    /// Percent of the channels, and the most cells in a row.
    left: [u32; 2],
}

impl Frugal {
    /// The setting that was found best in a space.
    fn measured(self, space: SpaceName) -> Option<Measured> {
        match (self, space) {
            (Self::Fast, SpaceName::Nb201) => Some(Measured { batch: 8, resolution: 16, left: [50, 5] }),
            (Self::Fastest, SpaceName::Nb201) => Some(Measured { batch: 8, resolution: 8, left: [50, 3] }),
            _ => None,
        }
    }

    /// Changes the options that are left open: all but batch and sigma can be given. A space that nothing was measured in
    /// keeps its networks whole, and a remark says so.
    pub fn apply(self, space: Option<SpaceName>, open: &mut OpenArguments, scoring: &mut ScoringArguments) {
        scoring.batch = 8;
        scoring.sigma = Sigma::HalfSplit;
        match space.and_then(|space| self.measured(space)) {
            Some(Measured { batch, resolution, left: [width, cells] }) => {
                scoring.batch = batch;
                scoring.resolution.get_or_insert(resolution);
                open.score_width.get_or_insert(width);
                open.score_cells.get_or_insert(cells);
            }
            None => eprintln!(
                "note: this preset was measured on cells of nb201 only; here it is batch 8 with half-split sigma, and nothing \
                 is known of how that ranks"
            ),
        }
    }
}
