//! Recommended settings for less than the published cost, as far as they rank as well: `docs/frontier.md` has the figures.

use super::scoring::ScoringArguments;
use super::space::OpenArguments;
use aznas::spaces::SpaceName;
use aznas::{Entropy, Initialisation, Sigma};

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
    /// Percent of the channels, and the most cells in a row; nothing if networks stay whole.
    left: Option<[u32; 2]>,
    /// Nothing if it is the user's choice.
    entropy: Option<Entropy>,
    /// Nothing if it is the published one.
    initialisation: Option<Initialisation>,
}

impl Frugal {
    /// The setting that was found best in a space.
    fn measured(self, space: SpaceName) -> Option<Measured> {
        let usual = Measured { batch: 8, resolution: 8, left: None, entropy: None, initialisation: None };
        match (self, space) {
            // The shortcut of a reduction has no rectifier in front, which the usual gain makes up for, and no normalisation behind.
            (Self::Fast, SpaceName::Nb201) => Some(Measured {
                resolution: 12,
                left: Some([75, 4]),
                initialisation: Some(Initialisation::XavierNormal),
                ..usual
            }),
            (Self::Fastest, SpaceName::Nb201) => Some(Measured { left: Some([50, 3]), ..usual }),
            (Self::Fast, SpaceName::Mbv2) => {
                Some(Measured { batch: 24, resolution: 160, entropy: Some(Entropy::HalfSplit), ..usual })
            }
            _ => None,
        }
    }

    /// Changes the options that are left open: all but batch, sigma and an entropy of the setting can be given. A space that nothing
    /// was measured in keeps its networks whole, and a remark says so.
    pub fn apply(self, space: Option<SpaceName>, open: &mut OpenArguments, scoring: &mut ScoringArguments) {
        scoring.batch = 8;
        scoring.sigma = Sigma::HalfSplit;
        match space.and_then(|space| self.measured(space)) {
            Some(Measured { batch, resolution, left, entropy, initialisation }) => {
                scoring.batch = batch;
                scoring.entropy = entropy.unwrap_or(scoring.entropy);
                scoring.resolution.get_or_insert(resolution);
                scoring.preset_init = initialisation;
                if let Some([width, cells]) = left {
                    open.score_width.get_or_insert(width);
                    open.score_cells.get_or_insert(cells);
                }
            }
            None => eprintln!(
                "note: this preset was not measured in this space; here it is batch 8 with half-split sigma, and nothing is \
                 known of how that ranks"
            ),
        }
    }
}
