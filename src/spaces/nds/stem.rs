//! What is before the cells.

use crate::Error;
use crate::spaces::within;

/// What is before the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stem {
    /// A convolution to three times the width. The first cell reads it twice.
    Cifar,
    /// Two convolutions of stride 2 and a third, which are the first two features.
    ImageNet,
}

impl Stem {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Cifar, Self::ImageNet];

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cifar => "cifar",
            Self::ImageNet => "imagenet",
        }
    }

    /// How many primary blocks it is.
    pub(super) const fn blocks(self) -> usize {
        match self {
            Self::Cifar => 1,
            Self::ImageNet => 2,
        }
    }

    /// Channels of its features where networks begin with so many filters.
    pub(super) const fn channels(self, width: u32) -> u32 {
        match self {
            Self::Cifar => 3 * width,
            Self::ImageNet => width,
        }
    }

    /// What rows and columns have to be multiples of.
    pub(super) const fn multiple(self) -> u32 {
        match self {
            Self::Cifar => 4,
            Self::ImageNet => 32,
        }
    }

    /// Refuses a resolution that cannot be halved as often as the network does.
    pub(super) fn check_resolution(self, resolution: u32) -> Result<(), Error> {
        let expected = match self {
            Self::Cifar => "a multiple of 4 from 4 to 65536",
            Self::ImageNet => "a multiple of 32 from 32 to 65536",
        };
        within("resolution", resolution, self.multiple()..=65536, expected)?;
        if resolution.is_multiple_of(self.multiple()) {
            Ok(())
        } else {
            Err(Error::Invalid { field: "resolution", expected })
        }
    }

    /// Refuses a width that the stem cannot halve.
    pub(super) fn check_width(self, width: u32) -> Result<(), Error> {
        if self == Self::ImageNet && !width.is_multiple_of(2) {
            return Err(Error::Invalid { field: "width", expected: "even for ImageNet" });
        }
        Ok(())
    }
}
